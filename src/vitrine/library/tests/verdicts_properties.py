"""Verdicts computed once for a page equal those computed for each record (06 section 17.7)."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from hypothesis import given
from hypothesis import strategies as some

from vitrine.accounts import Actor, CollectionGrant, Right, UserId, Via
from vitrine.accounts.rights import RecordGrant, Rights
from vitrine.library import access
from vitrine.library.model import CollectionId, Record, RecordId

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
INSTANTS = some.sampled_from([None, NOW - timedelta(days=1), NOW, NOW + timedelta(days=1)])
RIGHTS = some.builds(
    lambda chosen: Right(sum(chosen)),
    some.sets(
        some.sampled_from([Right.actif, Right.candwnldpreview, Right.candwnldhd, Right.canmodifrecord])
    ),
)  # fmt: skip
STATUSES = some.integers(0, 7)


def record(number: int, collection: int, status: int, *, is_story: bool) -> Record:
    values = dict.fromkeys((field.name for field in fields(Record)), None)
    known = {"id": RecordId(number), "collection_id": CollectionId(collection), "status": status, "is_story": is_story}
    return Record(**{**values, **known})  # type: ignore[arg-type]  # nothing else is looked at


@some.composite
def actors(draw: some.DrawFn) -> Actor:
    collections = {
        base: CollectionGrant(base, 1, draw(RIGHTS), draw(INSTANTS), draw(INSTANTS), draw(STATUSES), draw(STATUSES))
        for base in draw(some.sets(some.integers(1, 2)))
    }
    grants = {
        number: (RecordGrant(number, draw(some.booleans()), draw(INSTANTS)),)
        for number in draw(some.sets(some.integers(1, 6), max_size=2))
    }
    rights = Rights(MappingProxyType(collections), grants=MappingProxyType(grants))
    scope = draw(some.sampled_from([None, frozenset(), frozenset({access.ORIGINALS})]))
    via = draw(some.sampled_from([Via.TOKEN, Via.COMMAND]))
    return Actor(via, UserId(1), rights=rights, scope=scope)


RECORDS = some.lists(
    some.builds(
        record, some.integers(1, 6), some.integers(1, 3), some.integers(0, 3), is_story=some.booleans()
    ),
    max_size=8,
)  # fmt: skip


@given(actors(), RECORDS)
def test_a_page_of_records_gets_what_each_record_would_get(actor: Actor, page: list[Record]) -> None:
    verdicts = access.Verdicts(actor, NOW)
    assert [verdicts.on(shown_record) for shown_record in page] == [
        (access.classes_of(actor, shown_record, NOW), access.sees_business_fields(actor, shown_record, NOW))
        for shown_record in page
    ]
