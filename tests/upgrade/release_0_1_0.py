"""A database as release 0.1.0 left it, with rows in the tables and columns that have other names today."""

from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from vitrine.platform import migrate
from vitrine.platform.database import Database, UnitOfWork

REVISION = "0081"
DAY = date(2026, 1, 1)
# Ids have gaps: a migration that numbers rows anew would show.
IDS = {
    "users": (1,), "applications": (7,), "sessions": (3, 11), "request_log": (5, 21), "habit_uses": (4, 9),
    "external_identities": (2, 13),
}  # fmt: skip

_APPLICATION = (
    "INSERT INTO applications (id, creator_id, type, profile, name, description, website, client_id, switches, created,"
    " updated) VALUES (7, 1, 'web', 'compatibility', 'Old site', 'Old.', 'https://old.example', 'old-site', '{}', :at,"
    " :at)"
)


def instant(work: UnitOfWork, second: int) -> Any:
    """An instant in the form of this database."""
    moment = datetime(2026, 1, 1, 12, 0, second, tzinfo=UTC)
    return round(moment.timestamp() * 1_000_000) if work.db.dialect.name == "sqlite" else moment


def insert(work: UnitOfWork, table: str, **values: Any) -> None:
    """Insert a row into a table as it is in the database, whatever the code calls it today."""
    work.db.execute(sa.Table(table, sa.MetaData(), autoload_with=work.db).insert().values(**values))


def add(work: UnitOfWork, table: sa.Table, **values: Any) -> int:
    """Insert a row into a table of today and return its number."""
    return int(work.db.execute(table.insert().values(**values).returning(table.c.id)).scalar_one())


def fill(database: Database) -> None:
    """Upgrade an empty database to the schema of 0.1.0 and fill it."""
    migrate.upgrade(database, REVISION)
    with database.write() as work:
        _people_and_applications(work)
        _sessions(work)
        _deprecated_features(work)
        _identity_providers(work)


def _people_and_applications(work: UnitOfWork) -> None:
    start = instant(work, 0)
    insert(work, "users", id=1, login="ada", login_folded="ada", created=start, updated=start)
    work.db.execute(sa.text(_APPLICATION), {"at": start})  # a text of JSON, which both databases take


def _sessions(work: UnitOfWork) -> None:
    for session_id in IDS["sessions"]:
        insert(
            work, "sessions", id=session_id, digest=bytes([session_id]) * 32, user_id=1, created=instant(work, 1),
            proved_at=instant(work, session_id), last_seen=instant(work, 30), expires=instant(work, 59),
            address="192.0.2.1", agent="Firefox",
        )  # fmt: skip


def _deprecated_features(work: UnitOfWork) -> None:
    for line_id, features in zip(IDS["request_log"], ("parameter_token", ""), strict=True):
        insert(
            work, "request_log", id=line_id, at=instant(work, line_id), request_id=f"r{line_id}", application_id=7,
            method="GET", route="api_v1", status=200, duration_us=900, habits=features,
        )  # fmt: skip
    for use_id, feature in zip(IDS["habit_uses"], ("parameter_token", "implicit"), strict=True):
        insert(
            work, "habit_uses", id=use_id, application_id=7, habit=feature, day=DAY, uses=use_id * 10,
            last_at=instant(work, use_id), last_address="192.0.2.7",
        )  # fmt: skip


def _identity_providers(work: UnitOfWork) -> None:
    for identity_id in IDS["external_identities"]:
        last_used = instant(work, identity_id) if identity_id == IDS["external_identities"][0] else None
        insert(
            work, "external_identities", id=identity_id, user_id=1, issuer="https://sso.example",
            subject=f"s{identity_id}", label="ada@sso.example", created=instant(work, 2), last_used=last_used,
        )  # fmt: skip
    for digest, user_id in ((b"\1" * 32, 1), (b"\2" * 32, None)):
        insert(
            work, "provider_flows", digest=digest, provider="sso", visitor=b"\3" * 32,
            purpose="link" if user_id else "sign-in", user_id=user_id, back="/account/", forced=bool(user_id),
            started=instant(work, 4), expires=instant(work, 50),
        )  # fmt: skip
