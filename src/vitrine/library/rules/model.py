"""What a rule is: which records it concerns, what it does to them, and the run that does it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Any

import msgspec

from vitrine.library.bulk.model import BulkChange
from vitrine.library.bulk.model import State as OperationState
from vitrine.library.model import CollectionId, DataboxId, FieldId, RecordId
from vitrine.library.partial_dates import period
from vitrine.platform.texts import folded

MOST_RULES = 100  # of a databox
MOST_CRITERIA = 20  # of each sort
MOST_COLLECTIONS = 200
LONGEST_TEXT = 500
MOST_DAYS = 36_500
INTERVALS = (15, 44_640)  # minutes: a quarter of an hour to 31 days
MOST_TIMES = 3  # that a rule changes a record while the operations are kept


class DateTest(StrEnum):
    OLDER = "older"  # more than so many days before today
    YOUNGER = "younger"  # fewer; the future too
    PASSED = "passed"  # before today


class TextTest(StrEnum):
    EQUALS = "equals"
    CONTAINS = "contains"


class DateOf(StrEnum):
    CREATED = "created"
    UPDATED = "updated"


class DateCriterion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """*of* the record, or else the date in a field: a value of which only the year or month is known is older when all
    its days are, and younger when its first one is. One of several values is enough."""

    test: DateTest
    days: int = 0
    of: DateOf | None = None
    field_id: int | None = None


class TextCriterion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Compared without case; one of several values is enough."""

    field_id: int
    test: TextTest
    text: str


class Criteria(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """All of them hold for a record that the rule concerns. No *base_ids*: every collection of the databox but the
    bin. *status* is by the number of the bit."""

    base_ids: tuple[int, ...] = ()
    status: dict[str, bool] = {}
    dates: tuple[DateCriterion, ...] = ()
    texts: tuple[TextCriterion, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.base_ids or self.status or self.dates or self.texts)

    def field_ids(self) -> set[FieldId]:
        dated = {FieldId(criterion.field_id) for criterion in self.dates if criterion.field_id is not None}
        return dated | {FieldId(criterion.field_id) for criterion in self.texts}


class Action(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Status bits and the move to a collection; or the deletion, to the bin where there is one."""

    base_id: int | None = None
    status: dict[str, bool] = {}
    delete: bool = False

    def change(self) -> BulkChange:
        bits = {int(bit): on for bit, on in self.status.items()}
        into = None if self.base_id is None else CollectionId(self.base_id)
        return BulkChange(status=bits or None, collection=into, delete=self.delete)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that is on acts in the name of its *delegation_id*: of who changed it last. *next_run* is None while it
    is off, *cursor* the place in the library where the last run stopped before the end. *ended* is why it was switched
    off by itself."""

    id: int
    databox_id: DataboxId
    name: str
    criteria: Criteria
    action: Action
    enabled: bool
    interval_minutes: int
    delegation_id: int | None
    cursor: tuple[int, int, int] | None
    next_run: datetime | None
    ended: str | None
    revision: int
    created: datetime
    updated: datetime


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a rule. *looked_at* rows; *matched* records were given to the operation *operation_id*; *refused* are
    those on which the rights are missing, *held* those that the rule leaves alone, since it changed them MOST_TIMES
    already or somebody took its change back. With *has_more*, the next run goes on where this one stopped. *changed*
    and *failed* are those of the operation."""

    id: int
    rule_id: int
    is_over: bool
    by_hand: bool
    delegation_id: int | None
    looked_at: int
    matched: int
    refused: int
    held: int
    has_more: bool
    outcome: str | None
    operation_id: int | None
    created: datetime
    ended: datetime | None
    operation: OperationState | None = None
    changed: int = 0
    failed: int = 0

    @property
    def is_unfinished(self) -> bool:
        return not self.is_over or (self.operation is not None and not self.operation.is_over)

    @property
    def state(self) -> str:
        if not self.is_over:
            return "waiting"
        if self.outcome is not None:
            return "ended"
        return "changing" if self.is_unfinished else "done"


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the criteria are asked of."""

    id: RecordId
    number: int
    collection_id: CollectionId
    status: int
    created: datetime
    updated: datetime
    values: Mapping[FieldId, Sequence[str]] = field(default_factory=dict)

    @property
    def stamp(self) -> tuple[RecordId, CollectionId, int]:
        """As `library.access` takes it."""
        return self.id, self.collection_id, self.status


@dataclass(frozen=True, slots=True)
class Days:
    """The calendar by which days are counted: that of the instance's time zone."""

    zone: tzinfo
    today: date

    @classmethod
    def at(cls, now: datetime, zone: tzinfo) -> "Days":
        return cls(zone, now.astimezone(zone).date())

    def of(self, instant: datetime) -> date:
        return instant.astimezone(self.zone).date()

    def before(self, days: int) -> date:
        return self.today - timedelta(days=days)

    def midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone)


def matches_row(criteria: Criteria, candidate: Candidate, days: Days) -> bool:
    """The criteria that need no values: collection, status, and the dates of the record itself."""
    if criteria.base_ids and candidate.collection_id not in criteria.base_ids:
        return False
    if any(bool(candidate.status >> int(bit) & 1) is not on for bit, on in criteria.status.items()):
        return False
    for criterion in criteria.dates:
        if criterion.of is not None:
            day = days.of(candidate.created if criterion.of is DateOf.CREATED else candidate.updated)
            if not _fits(criterion, day, day, days):
                return False
    return True


def matches_values(criteria: Criteria, candidate: Candidate, days: Days) -> bool:
    """The criteria on fields."""
    for criterion in criteria.dates:
        if criterion.field_id is not None:
            texts = candidate.values.get(FieldId(criterion.field_id), ())
            periods = [known for known in map(period, texts) if known is not None]
            if not any(_fits(criterion, first, last, days) for first, last in periods):
                return False
    for wanted in criteria.texts:
        sought = folded(wanted.text)
        texts = [folded(text) for text in candidate.values.get(FieldId(wanted.field_id), ())]
        if not any(sought == text if wanted.test is TextTest.EQUALS else sought in text for text in texts):
            return False
    return True


def _fits(criterion: DateCriterion, first: date, last: date, days: Days) -> bool:
    if criterion.test is DateTest.YOUNGER:
        return first > days.before(criterion.days)
    return last < (days.today if criterion.test is DateTest.PASSED else days.before(criterion.days))


def created_between(criteria: Criteria, days: Days) -> tuple[datetime | None, datetime | None]:
    """(from, before): the instants of creation outside of which no record matches."""
    first: datetime | None = None
    end: datetime | None = None
    for criterion in criteria.dates:
        if criterion.of is not DateOf.CREATED:
            continue
        if criterion.test is DateTest.YOUNGER:
            start = days.midnight(days.before(criterion.days - 1))
            first = start if first is None else max(first, start)
        else:
            stop = days.midnight(days.today if criterion.test is DateTest.PASSED else days.before(criterion.days))
            end = stop if end is None else min(end, stop)
    return first, end


def would_change(change: BulkChange, candidate: Candidate) -> bool:
    """False for a record that is already as the action makes it."""
    if change.delete:
        return True
    bits = change.status or {}
    if any(bool(candidate.status >> bit & 1) is not on for bit, on in bits.items()):
        return True
    return change.collection is not None and change.collection != candidate.collection_id


def stored(value: Criteria | Action) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(value)
    return plain
