"""All SQL of rules."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from vitrine.library.bulk.model import State as OperationState
from vitrine.library.model import CollectionId, DataboxId, FieldId, RecordId
from vitrine.library.rules.model import Action, Candidate, Criteria, Rule, Run
from vitrine.library.tables import bulk_operations, field_values, record_changes, records, rule_runs, rules
from vitrine.platform.database import UnitOfWork, inserted_id
from vitrine.platform.expiry import Expiry

_rules, _runs, _operations = rules.c, rule_runs.c, bulk_operations.c
_RULE = tuple(_rules[name] for name in Rule.__dataclass_fields__)
_OF_OPERATION = {"operation": "state", "changed": "changed", "failed": "refused"}
_RUN = tuple(
    _operations[_OF_OPERATION[name]].label(name) if name in _OF_OPERATION else _runs[name]
    for name in Run.__dataclass_fields__
)
_WITH_OPERATION = rule_runs.outerjoin(bulk_operations, _operations.id == _runs.operation_id)


def _rule(row: Any) -> Rule:
    values = dict(zip(Rule.__dataclass_fields__, row, strict=True))
    values["criteria"] = msgspec.convert(values["criteria"], Criteria)
    values["action"] = msgspec.convert(values["action"], Action)
    values["cursor"] = None if values["cursor"] is None else tuple(values["cursor"])
    return Rule(**values)


def _run(row: Any) -> Run:
    values = dict(zip(Run.__dataclass_fields__, row, strict=True))
    values["operation"] = None if values["operation"] is None else OperationState(values["operation"])
    values["changed"], values["failed"] = values["changed"] or 0, values["failed"] or 0
    return Run(**values)


# -- rules -------------------------------------------------------------------------------------------------------------


def get(work: UnitOfWork, rule_id: int) -> Rule | None:
    row = work.db.execute(sa.select(*_RULE).where(_rules.id == rule_id)).first()
    return _rule(row) if row else None


def page(work: UnitOfWork, databox: DataboxId, *, after: int, limit: int) -> list[Rule]:
    wanted = sa.select(*_RULE).where(_rules.databox_id == databox, _rules.id > after)
    return [_rule(row) for row in work.db.execute(wanted.order_by(_rules.id).limit(limit))]


def count(work: UnitOfWork, databox: DataboxId) -> int:
    return int(work.db.scalar(sa.select(sa.func.count()).where(_rules.databox_id == databox)) or 0)


def add(work: UnitOfWork, values: Mapping[str, Any]) -> int:
    return inserted_id(work.db.execute(rules.insert().values(created=work.now, updated=work.now, **values)))


def update(work: UnitOfWork, rule_id: int, values: Mapping[str, Any]) -> None:
    """A change that a person made: the next editor sees it."""
    more = {"updated": work.now, "revision": _rules.revision + 1}
    work.db.execute(rules.update().where(_rules.id == rule_id).values(**more, **values))


def note(work: UnitOfWork, rule_id: int, values: Mapping[str, Any]) -> None:
    """What a run leaves behind."""
    work.db.execute(rules.update().where(_rules.id == rule_id).values(**values))


def delete(work: UnitOfWork, rule_id: int) -> None:
    work.db.execute(rules.delete().where(_rules.id == rule_id))


def due(work: UnitOfWork, limit: int) -> list[Rule]:
    """Rules whose time has come, the longest waiting first."""
    wanted = sa.select(*_RULE).where(_rules.next_run <= work.now)
    return [_rule(row) for row in work.db.execute(wanted.order_by(_rules.next_run).limit(limit))]


def are_some_on(work: UnitOfWork) -> bool:
    return work.db.scalar(sa.select(_rules.id).where(_rules.next_run.is_not(None)).limit(1)) is not None


# -- runs --------------------------------------------------------------------------------------------------------------


def add_run(work: UnitOfWork, rule_id: int, delegation_id: int | None, *, by_hand: bool) -> int:
    values = {"rule_id": rule_id, "delegation_id": delegation_id, "by_hand": by_hand, "created": work.now}
    return inserted_id(work.db.execute(rule_runs.insert().values(**values)))


def get_run(work: UnitOfWork, run_id: int) -> Run | None:
    row = work.db.execute(sa.select(*_RUN).select_from(_WITH_OPERATION).where(_runs.id == run_id)).first()
    return _run(row) if row else None


def runs(work: UnitOfWork, rule_id: int, *, before: int | None, limit: int) -> list[Run]:
    """Newest first."""
    wanted = sa.select(*_RUN).select_from(_WITH_OPERATION).where(_runs.rule_id == rule_id)
    if before is not None:
        wanted = wanted.where(_runs.id < before)
    return [_run(row) for row in work.db.execute(wanted.order_by(_runs.id.desc()).limit(limit))]


def last_runs(work: UnitOfWork, rule_ids: Sequence[int]) -> dict[int, Run]:
    """The newest run of each of some rules."""
    newest = sa.select(sa.func.max(_runs.id)).where(_runs.rule_id.in_(rule_ids)).group_by(_runs.rule_id)
    ids = list(work.db.scalars(newest)) if rule_ids else []
    if not ids:
        return {}
    wanted = sa.select(*_RUN).select_from(_WITH_OPERATION).where(_runs.id.in_(ids))
    return {run.rule_id: run for run in map(_run, work.db.execute(wanted))}


def end_run(work: UnitOfWork, run_id: int, values: Mapping[str, Any]) -> None:
    work.db.execute(rule_runs.update().where(_runs.id == run_id).values(is_over=True, ended=work.now, **values))


def expiry(kept: timedelta) -> Expiry:
    """Runs whose time is over."""
    return Expiry(rule_runs, lambda work: _runs.created < work.now - kept)


# -- records -----------------------------------------------------------------------------------------------------------


def candidates(
    work: UnitOfWork,
    collection: CollectionId,
    after: tuple[datetime, int] | None,
    created: tuple[datetime | None, datetime | None],
    limit: int,
) -> list[Candidate]:
    """Records of a collection that were added within *created* (from, before), in the order of (created, id), after
    the place *after*: a range of the index of collections, whatever else is asked of them."""
    since, end = created
    wanted = sa.select(
        records.c.id, records.c.number, records.c.collection_id, records.c.status, records.c.created, records.c.updated
    ).where(records.c.collection_id == collection)
    if after is not None:
        instant, record_id = after
        later = sa.or_(records.c.created > instant, sa.and_(records.c.created == instant, records.c.id > record_id))
        wanted = wanted.where(records.c.created >= instant, later)
    if since is not None:
        wanted = wanted.where(records.c.created >= since)
    if end is not None:
        wanted = wanted.where(records.c.created < end)
    rows = work.db.execute(wanted.order_by(records.c.created, records.c.id).limit(limit))
    return [Candidate(*row) for row in rows]


def values(
    work: UnitOfWork, ids: Sequence[RecordId], fields: Sequence[FieldId]
) -> dict[RecordId, dict[FieldId, list[str]]]:
    """The values of some fields of a page of records."""
    by_record: dict[RecordId, dict[FieldId, list[str]]] = {}
    if not ids or not fields:
        return by_record
    columns = field_values.c
    wanted = sa.select(columns.record_id, columns.field_id, columns.value)
    for record_id, field_id, value in work.db.execute(
        wanted.where(columns.record_id.in_(ids), columns.field_id.in_(fields))
    ):
        by_record.setdefault(RecordId(record_id), {}).setdefault(FieldId(field_id), []).append(value)
    return by_record


def changes_by(
    work: UnitOfWork, rule_id: int, databox: DataboxId, numbers: Sequence[int]
) -> list[tuple[int, int, int]]:
    """(number, operation, change) of what the rule did to some records, as far as the history tells."""
    columns = record_changes.c
    own = sa.select(_runs.operation_id).where(_runs.rule_id == rule_id, _runs.operation_id.is_not(None))
    wanted = sa.select(columns.number, columns.operation_id, columns.id).where(
        columns.databox_id == databox, columns.number.in_(numbers), columns.operation_id.in_(own)
    )
    return [tuple(row) for row in work.db.execute(wanted)]


def taken_back(work: UnitOfWork, changes: Sequence[int]) -> set[int]:
    """Those of some changes that somebody took back."""
    undone = sa.select(record_changes.c.undoes_id).where(record_changes.c.undoes_id.in_(changes))
    return set(work.db.scalars(undone)) if changes else set()
