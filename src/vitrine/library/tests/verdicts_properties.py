"""Verdicts computed once for a page equal those computed for each record (06 section 17.7)."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from vitrine.accounts import Actor, CollectionGrant, Right, UserId, Via
from vitrine.accounts.rights import Rights
from vitrine.library import access
from vitrine.library.model import CollectionId, Record, RecordId
from vitrine.platform.database import UnitOfWork

NO_DATABASE: Any = None
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
    rights = Rights(MappingProxyType(collections), has_grants=draw(st.booleans()))
    scope = draw(st.sampled_from([None, frozenset(), frozenset({access.ORIGINALS})]))
    via = draw(st.sampled_from([Via.TOKEN, Via.COMMAND]))
    return Actor(via, UserId(1), rights=rights, scope=scope)


RECORDS = st.lists(
    st.builds(
        record, st.integers(1, 6), st.integers(1, 3), st.integers(0, 3), is_story=st.booleans()
    ),
    max_size=8,
)  # fmt: skip


GRANTS = st.dictionaries(st.integers(1, 6), st.booleans(), max_size=2)


@given(actors(), RECORDS, GRANTS)
def test_a_page_of_records_gets_what_each_record_would_get(
    actor: Actor, page: list[Record], granted: dict[int, bool]
) -> None:
    def on_records(_work: UnitOfWork, person: Actor, ids: Sequence[int]) -> dict[int, bool]:
        return {number: granted[number] for number in ids if number in granted} if person.rights.has_grants else {}

    work = UnitOfWork(NO_DATABASE, NOW, writable=False)
    with mock.patch("vitrine.library.access.record_grants.on_records", on_records):
        verdicts = access.Verdicts(work, actor, [shown_record.id for shown_record in page])
        assert [verdicts.on(shown_record) for shown_record in page] == [
            (access.classes_of(work, actor, shown_record), access.sees_business_fields(work, actor, shown_record))
            for shown_record in page
        ]
        stamps = [(shown_record.id, shown_record.collection_id, shown_record.status) for shown_record in page]
        seen = access.visible_ids(work, actor, stamps)
        assert [shown_record.id in seen for shown_record in page] == [
            any(access.sees(work, actor, twin) for twin in page if twin.id == shown_record.id) for shown_record in page
        ]
