"""Verdicts computed once for a page equal those computed for each record (06 section 17.7)."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from hypothesis import given
from hypothesis import strategies as st

from vitrine.accounts import Actor, CollectionGrant, Right, UserId, Via
from vitrine.accounts.rights import RecordGrant, Rights
from vitrine.library import access
from vitrine.library.model import CollectionId, Record, RecordId

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
INSTANTS = st.sampled_from([None, NOW - timedelta(days=1), NOW, NOW + timedelta(days=1)])
RIGHTS = st.builds(
    lambda chosen: Right(sum(chosen)),
    st.sets(
        st.sampled_from([Right.actif, Right.candwnldpreview, Right.candwnldhd, Right.canmodifrecord])
    ),
)  # fmt: skip
STATUSES = st.integers(0, 7)


def record(number: int, collection: int, status: int, *, is_story: bool) -> Record:
    values = dict.fromkeys((field.name for field in fields(Record)), None)
    known = {"id": RecordId(number), "collection_id": CollectionId(collection), "status": status, "is_story": is_story}
    return Record(**{**values, **known})  # type: ignore[arg-type]  # nothing else is looked at


@st.composite
def actors(draw: st.DrawFn) -> Actor:
    collections = {
        base: CollectionGrant(base, 1, draw(RIGHTS), draw(INSTANTS), draw(INSTANTS), draw(STATUSES), draw(STATUSES))
        for base in draw(st.sets(st.integers(1, 2)))
    }
    grants = {
        number: (RecordGrant(number, draw(st.booleans()), draw(INSTANTS)),)
        for number in draw(st.sets(st.integers(1, 6), max_size=2))
    }
    rights = Rights(MappingProxyType(collections), grants=MappingProxyType(grants))
    scope = draw(st.sampled_from([None, frozenset(), frozenset({access.ORIGINALS})]))
    via = draw(st.sampled_from([Via.TOKEN, Via.COMMAND]))
    return Actor(via, UserId(1), rights=rights, scope=scope)


RECORDS = st.lists(
    st.builds(
        record, st.integers(1, 6), st.integers(1, 3), st.integers(0, 3), is_story=st.booleans()
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
