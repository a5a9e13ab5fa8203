"""Deprecated features: their uses, counted by application, feature and day, and shown to the owner."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from vitrine.applications import Switch
from vitrine.oauth.tables import deprecated_feature_uses
from vitrine.platform.database import UnitOfWork
from vitrine.platform.expiry import Expiry
from vitrine.platform.schema import Instant

# When they may be refused everywhere (RFC 8594), and since when they are deprecated (RFC 9745).
SUNSET = datetime.fromisoformat("2028-01-01T00:00:00+00:00")
DEPRECATED = datetime.fromisoformat("2026-11-01T00:00:00+00:00")
PASSWORD, IMPLICIT, PARAMETER = Switch.PASSWORD_GRANT.value, Switch.IMPLICIT.value, Switch.PARAMETER_TOKEN.value
NO_SECRET, OUT_OF_BAND, PREFIX = "secret_optional", "out_of_band", "redirect_prefix"
DEPRECATED_FEATURES = (PASSWORD, IMPLICIT, PARAMETER, NO_SECRET, OUT_OF_BAND, PREFIX)
RETENTION = timedelta(days=400)
FeatureUses = Mapping[tuple[int, str, date], tuple[int, datetime, str]]


@dataclass(frozen=True, slots=True)
class FeatureUse:
    """One feature of one application: how often it was used, and when and from where it was last seen."""

    feature: str
    uses: int
    last_at: datetime
    last_address: str


_ADD = sa.text(
    "INSERT INTO deprecated_feature_uses (application_id, feature, day, uses, last_at, last_address)"
    " SELECT id, :feature, :day, :uses, :at, :address FROM applications WHERE id = :application"  # unless it is gone
    " ON CONFLICT (application_id, feature, day) DO UPDATE"
    " SET uses = deprecated_feature_uses.uses + excluded.uses, last_at = excluded.last_at,"
    " last_address = excluded.last_address"
).bindparams(
    sa.bindparam("at", type_=Instant()),
    sa.bindparam("day", type_=sa.Date()),
    sa.bindparam("uses", type_=sa.BigInteger()),
    sa.bindparam("feature", type_=sa.String()),
    sa.bindparam("address", type_=sa.String()),
)


def add(work: UnitOfWork, counted: FeatureUses) -> None:
    """Add the counted uses to the stored ones. The rows are written in one order everywhere, so that two servers
    cannot block each other for ever."""
    for (application, feature, day), (uses, at, address) in sorted(counted.items()):
        values = {
            "application": application,
            "feature": feature,
            "day": day,
            "uses": uses,
            "at": at,
            "address": address,
        }
        work.db.execute(_ADD, values)


def of(work: UnitOfWork, application_id: int, since: date) -> list[FeatureUse]:
    """The deprecated features that an application used since a day, the latest first."""
    columns = deprecated_feature_uses.c
    rows = work.db.execute(
        sa.select(columns.feature, columns.uses, columns.last_at, columns.last_address)
        .where(columns.application_id == application_id, columns.day >= since)
        .order_by(columns.last_at.desc())
    )
    uses_by_feature: dict[str, FeatureUse] = {}
    for feature, uses, at, address in rows:
        before = uses_by_feature.get(feature)
        uses_by_feature[feature] = (
            FeatureUse(feature, uses, at, address)
            if before is None
            else FeatureUse(feature, before.uses + uses, before.last_at, before.last_address)
        )
    return list(uses_by_feature.values())


def everywhere(work: UnitOfWork, since: date) -> list[tuple[int, str, int]]:
    """(application, feature, uses) since a day, for `check --security`."""
    columns = deprecated_feature_uses.c
    rows = work.db.execute(
        sa.select(columns.application_id, columns.feature, sa.func.sum(columns.uses))
        .where(columns.day >= since)
        .group_by(columns.application_id, columns.feature)
        .order_by(columns.application_id, columns.feature)
    )
    return [(row[0], row[1], int(row[2])) for row in rows]


def headers(documentation: str) -> dict[str, str]:
    """The headers of an answer to a deprecated feature (RFC 9745 section 2, RFC 8594 section 3)."""
    return {
        "Deprecation": f"@{int(DEPRECATED.timestamp())}",
        "Sunset": SUNSET.strftime("%a, %d %b %Y %H:%M:%S GMT"),
        "Link": f'<{documentation}>; rel="deprecation"; type="text/html"',
    }


EXPIRIES = (
    Expiry(deprecated_feature_uses, lambda work: deprecated_feature_uses.c.day < (work.now - RETENTION).date()),
)
