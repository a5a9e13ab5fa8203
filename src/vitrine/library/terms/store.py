"""SQL of terms of use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from vitrine.library.model import DataboxId
from vitrine.library.tables import terms_acceptances, terms_texts, terms_versions
from vitrine.platform.database import UnitOfWork, inserted_id

_versions, _accepted = terms_versions.c, terms_acceptances.c


@dataclass(frozen=True, slots=True)
class TermsVersion:
    """One version of the terms of use of a databox: `texts` is HTML by language. With `must_accept` an acceptance of an
    earlier version no longer counts."""

    databox_id: DataboxId
    number: int
    must_accept: bool
    publisher_id: int | None
    published: datetime
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Acceptance:
    user_id: int
    number: int
    accepted: datetime


def add(
    work: UnitOfWork,
    databox: DataboxId,
    number: int,
    texts: Mapping[str, str],
    *,
    must_accept: bool,
    publisher_id: int | None,
) -> None:
    row = terms_versions.insert().values(
        databox_id=databox, number=number, must_accept=must_accept, publisher_id=publisher_id, published=work.now
    )
    version = inserted_id(work.db.execute(row))
    rows = [{"version_id": version, "language": language, "html": html} for language, html in texts.items()]
    work.db.execute(terms_texts.insert(), rows)


def versions(work: UnitOfWork, databox: DataboxId, before: int | None, limit: int) -> list[TermsVersion]:
    """Newest first, those with a number below *before*."""
    query = sa.select(terms_versions).where(_versions.databox_id == databox)
    if before is not None:
        query = query.where(_versions.number < before)
    rows = work.db.execute(query.order_by(_versions.number.desc()).limit(limit)).all()
    texts: dict[int, dict[str, str]] = {row.id: {} for row in rows}
    if rows:
        rows_of_texts = work.db.execute(
            sa.select(terms_texts).where(terms_texts.c.version_id.in_(list(texts))).order_by(terms_texts.c.language)
        )
        for text in rows_of_texts:
            texts[text.version_id][text.language] = text.html
    return [
        TermsVersion(row.databox_id, row.number, row.must_accept, row.publisher_id, row.published, texts[row.id])
        for row in rows
    ]


def accept(work: UnitOfWork, user_id: int, databox: DataboxId, number: int) -> bool:
    """False if this person had accepted this version before; when is kept then."""
    known = sa.select(_accepted.number).where(
        _accepted.user_id == user_id, _accepted.databox_id == databox, _accepted.number == number
    )
    if work.db.execute(known).first() is not None:
        return False
    row = {"user_id": user_id, "databox_id": databox, "number": number, "accepted": work.now}
    work.db.execute(terms_acceptances.insert().values(row))
    return True


def last_of(work: UnitOfWork, user_id: int, databoxes: Sequence[DataboxId]) -> dict[DataboxId, Acceptance]:
    """The highest version of each databox that a person has accepted."""
    if not databoxes:
        return {}
    query = (
        sa.select(_accepted.databox_id, _accepted.number, _accepted.accepted)
        .where(_accepted.user_id == user_id, _accepted.databox_id.in_(list(databoxes)))
        .order_by(_accepted.databox_id, _accepted.number)
    )
    return {DataboxId(row[0]): Acceptance(user_id, row[1], row[2]) for row in work.db.execute(query)}


def acceptances(work: UnitOfWork, databox: DataboxId, after: tuple[int, int] | None, limit: int) -> list[Acceptance]:
    """By person and version, those after (person, version)."""
    query = sa.select(_accepted.user_id, _accepted.number, _accepted.accepted).where(_accepted.databox_id == databox)
    if after is not None:
        query = query.where(sa.tuple_(_accepted.user_id, _accepted.number) > sa.tuple_(*after))
    rows = work.db.execute(query.order_by(_accepted.user_id, _accepted.number).limit(limit))
    return [Acceptance(row[0], row[1], row[2]) for row in rows]
