"""Finds the records that a rule concerns: batch by batch over the index of its collections, resumable at any place."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo

from vitrine.accounts import Actor, Right
from vitrine.library import access
from vitrine.library.bulk.model import BulkChange
from vitrine.library.model import Collection, FieldId, RecordId, Structure
from vitrine.library.records import Records
from vitrine.library.rules import store
from vitrine.library.rules.model import (
    MOST_TIMES,
    Candidate,
    Days,
    Rule,
    created_between,
    matches_row,
    matches_values,
    would_change,
)
from vitrine.platform.database import UnitOfWork
from vitrine.platform.schema import from_micros, to_micros

PAGE = 1000  # rows of one statement
Cursor = tuple[int, int, int]  # collection, created in microseconds, id of the record


@dataclass(slots=True)
class Finding:
    """What a search has found so far; *cursor* is None at the end of the collections."""

    cursor: Cursor | None = None
    looked_at: int = 0
    records: list[Candidate] = field(default_factory=list)
    refused: int = 0
    held: int = 0
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class RuleSearch:
    """Searches in the name of an actor: what they do not see is not there, and what they may not change is counted as
    refused. A criterion on a business field holds only on records that they may edit."""

    records: Records
    zone: tzinfo

    def step(self, work: UnitOfWork, actor: Actor, rule: Rule, finding: Finding) -> None:
        """Look at the next PAGE rows of one collection, and note in *finding* what they are."""
        structure = self.records.structure(work)
        days = Days.at(work.now, self.zone)
        collection, after = self._place(structure, rule, finding.cursor)
        if collection is None:
            finding.cursor, finding.is_over = None, True
            return
        rows = store.candidates(work, collection.id, after, created_between(rule.criteria, days), PAGE)
        finding.looked_at += len(rows)
        change = rule.action.change()
        some = [row for row in rows if matches_row(rule.criteria, row, days) and would_change(change, row)]
        some = self._with_values(work, actor, rule, structure, some)
        some = [row for row in some if matches_values(rule.criteria, row, days)]
        self._sort(work, actor, rule, change, some, finding)
        if len(rows) == PAGE:
            last = rows[-1]
            finding.cursor = (collection.id, to_micros(last.created), last.id)
            return
        following = [other for other in searched(structure, rule) if _order(other) > _order(collection)]
        finding.cursor = (following[0].id, 0, 0) if following else None
        finding.is_over = not following

    @staticmethod
    def _place(
        structure: Structure, rule: Rule, cursor: Cursor | None
    ) -> tuple[Collection | None, tuple[datetime, int] | None]:
        """The collection to look into, and the last row that was seen there."""
        wanted = searched(structure, rule)
        if cursor is None:
            return (wanted[0] if wanted else None), None
        number, micros, record_id = cursor
        for collection in wanted:
            if collection.id == number:
                return collection, ((from_micros(micros), record_id) if record_id else None)
        return (wanted[0] if wanted else None), None  # it left the rule: from the beginning

    def _with_values(
        self, work: UnitOfWork, actor: Actor, rule: Rule, structure: Structure, rows: Sequence[Candidate]
    ) -> list[Candidate]:
        """The candidates with the values of the rule's fields, as far as the actor may know them."""
        fields = sorted(rule.criteria.field_ids())
        if not fields:
            return list(rows)
        business = {number for number in fields if structure.field_by_id[number].business}
        held = store.values(work, [row.id for row in rows], fields)
        editable: set[RecordId] = set()
        if business:
            editable = access.with_right(work, actor, Right.canmodifrecord, (row.stamp for row in rows))
        return [
            replace(row, values=_known(held.get(row.id, {}), business if row.id not in editable else set()))
            for row in rows
        ]

    def _sort(
        self, work: UnitOfWork, actor: Actor, rule: Rule, change: BulkChange, rows: Sequence[Candidate], into: Finding
    ) -> None:
        """Matching records: those that are changed, those without the rights, and those that are left alone."""
        stamps = [row.stamp for row in rows]
        seen = access.visible_ids(work, actor, stamps)
        allowed = set(seen)
        for right in rights_of(change):
            allowed &= access.with_right(work, actor, right, stamps)
        into.refused += len(seen - allowed)
        permitted = [row for row in rows if row.id in allowed]
        left_alone = held_back(work, rule, [row.number for row in permitted])
        into.held += sum(row.number in left_alone for row in permitted)
        into.records += [row for row in permitted if row.number not in left_alone]


def searched(structure: Structure, rule: Rule) -> list[Collection]:
    """The collections in use that a rule looks into, in this order: the bin first, so that what a run puts there is not
    found again by the same run."""
    named = set(rule.criteria.base_ids)
    return sorted(
        (
            collection
            for collection in structure.collections_of(rule.databox_id)
            if (collection.id in named if named else not collection.is_bin)
        ),
        key=_order,
    )


def _order(collection: Collection) -> tuple[bool, int]:
    return not collection.is_bin, collection.id


def _known(values: dict[FieldId, list[str]], hidden: Iterable[FieldId]) -> dict[FieldId, list[str]]:
    return {number: texts for number, texts in values.items() if number not in hidden}


def rights_of(change: BulkChange) -> list[Right]:
    """What the action asks on a record (06 section 17.7)."""
    rights = [Right.chgstatus] if change.status else []
    return [*rights, Right.candeleterecord] if change.collection is not None or change.delete else rights


def held_back(work: UnitOfWork, rule: Rule, numbers: Sequence[int]) -> set[int]:
    """Records that a rule changes no more: it did so MOST_TIMES, or somebody took its change back."""
    if not numbers:
        return set()
    changes = store.changes_by(work, rule.id, rule.databox_id, numbers)
    undone = store.taken_back(work, [change for _, _, change in changes])
    operations: dict[int, set[int]] = {}
    for number, operation, _ in changes:
        operations.setdefault(number, set()).add(operation)
    back = {number for number, _, change in changes if change in undone}
    return back | {number for number, some in operations.items() if len(some) >= MOST_TIMES}
