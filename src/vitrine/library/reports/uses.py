"""What people do with records without changing them: download, push, ask votes, print, mail. Changes are in the history
of records (`library.journal`), which is not repeated here."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa

from vitrine.accounts import Actor
from vitrine.library.model import CollectionId, RecordId, RecordKey
from vitrine.library.reports.tables import record_uses
from vitrine.library.tables import records
from vitrine.platform.database import UnitOfWork
from vitrine.platform.expiry import Expiry

_A_STATEMENT = 400
_columns = record_uses.c


class UseKind(StrEnum):
    """What was done. The names are stable."""

    DOWNLOAD = "download"
    MAIL = "mail"  # a link to a download was mailed
    PRINT = "print"
    PUSH = "push"
    VOTE = "vote"  # people were asked to vote on it
    PUBLISH = "publish"  # in a feed


@dataclass(frozen=True, slots=True)
class RecordUse:
    """*user_id* is None on the command line, or where the person is gone."""

    id: int
    databox_id: int
    number: int
    collection_id: CollectionId
    kind: str
    at: datetime
    user_id: int | None
    application_id: int | None


_ROW = [_columns[name] for name in RecordUse.__dataclass_fields__]


def write(work: UnitOfWork, actor: Actor, kind: UseKind, record_ids: Iterable[RecordId]) -> None:
    """Write down, in the transaction of what happens, that the actor did this with these records, each once."""
    ordered = sorted(set(record_ids))
    who = {"kind": kind.value, "at": work.now, "user_id": actor.user_id, "application_id": actor.application_id}
    for start in range(0, len(ordered), _A_STATEMENT):
        query = sa.select(records.c.databox_id, records.c.number, records.c.collection_id)
        query = query.where(records.c.id.in_(ordered[start : start + _A_STATEMENT])).order_by(records.c.id)
        rows = [{**row._mapping, **who} for row in work.db.execute(query)]
        if rows:
            work.db.execute(record_uses.insert(), rows)


def of_record(work: UnitOfWork, key: RecordKey, before: int | None, limit: int) -> list[RecordUse]:
    """The newest first, older than the row *before*."""
    return _page(work, sa.and_(_columns.databox_id == key.databox, _columns.number == key.number), before, limit)


def of_collection(work: UnitOfWork, collection_id: int, before: int | None, limit: int) -> list[RecordUse]:
    """Of the records that were in the collection then, the newest first, older than the row *before*."""
    return _page(work, _columns.collection_id == collection_id, before, limit)


def _page(work: UnitOfWork, wanted: sa.ColumnElement[bool], before: int | None, limit: int) -> list[RecordUse]:
    if before is not None:
        wanted = sa.and_(wanted, _columns.id < before)
    query = sa.select(*_ROW).where(wanted).order_by(_columns.id.desc()).limit(limit)
    return [RecordUse(*row) for row in work.db.execute(query)]


def forget_person(work: UnitOfWork, user_id: int) -> None:
    """Their uses stay, and nobody did them."""
    work.db.execute(record_uses.update().where(_columns.user_id == user_id).values(user_id=None))


def expiry(days: int) -> Expiry:
    return Expiry(record_uses, lambda work: _columns.at < work.now - timedelta(days=days))
