"""The tests that every search engine must pass. Each backend provides a fixture `index`."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vitrine.errors import Invalid
from vitrine.search.index import Index
from vitrine.search.model import DEEPEST, BaseClause, GrantedRecords, IndexDocument, Query, VisibleScope

START = datetime(2026, 1, 1, tzinfo=UTC)
ALL = VisibleScope((BaseClause(1), BaseClause(2)))


def document(
    rid: int, title: str = "Harbour", *, base: int = 1, status: int = 0, kind: str = "image", **fields: list[str]
) -> IndexDocument:
    created = START + timedelta(hours=rid)
    return IndexDocument(
        rid=rid, databox_id=1, number=rid, base_id=base, kind=kind, is_story=False, created=created, updated=created,
        status=status, title=title, sha256=f"{rid:064d}", uuid=f"uuid-{rid}", fields={"Title": [title], **fields},
        business={},
    )  # fmt: skip


def nothing_changed(_rids: Sequence[int]) -> list[IndexDocument]:
    raise AssertionError("no record changed during this rebuild")


def search_rids(index: Index, text: str = "", scope: VisibleScope = ALL, **options: object) -> list[int]:
    return list(index.search(replace(Query(text, scope), **options)).rids)  # type: ignore[arg-type]  # test shorthand


class IndexSuite:
    """Subclass it and provide a fixture `index: Index`, empty and writable."""

    def test_an_empty_query_finds_everything_newest_first(self, index: Index) -> None:
        index.apply([document(1), document(2), document(3)], [])
        assert search_rids(index) == [3, 2, 1]

    def test_all_words_are_required_over_all_fields_together(self, index: Index) -> None:
        index.apply(
            [document(1, "Harbour at dawn", City=["Brest"]), document(2, "Harbour at night", City=["Lyon"])], []
        )
        assert search_rids(index, "dawn brest") == [1]
        assert search_rids(index, "dawn lyon") == []

    @pytest.mark.parametrize("text", ["ETE", "été", "Été", "e\u0301te\u0301"])
    def test_case_and_accents_do_not_matter(self, index: Index, text: str) -> None:
        index.apply([document(1, "Un été à la mer")], [])
        assert search_rids(index, text) == [1]

    def test_a_phrase_keeps_its_order_and_stays_in_one_value(self, index: Index) -> None:
        index.apply([document(1, "grey cat", Keywords=["old harbour", "master plan"])], [])
        assert search_rids(index, '"old harbour"') == [1]
        assert search_rids(index, '"harbour old"') == []
        assert search_rids(index, '"harbour master"') == []

    def test_rights_filter_inside_the_engine(self, index: Index) -> None:
        index.apply([document(1, base=1), document(2, base=2)], [])
        result = index.search(Query("harbour", VisibleScope((BaseClause(2),))))
        assert (result.total, result.rids) == (1, (2,))
        assert index.search(Query("", VisibleScope(()))).total == 0

    @pytest.mark.parametrize(
        ("mask_and", "mask_xor", "expected"), [(0, 0, [3, 2, 1]), (16, 0, [3, 1]), (16, 16, [2]), (48, 32, [3])]
    )
    def test_status_masks(self, index: Index, mask_and: int, mask_xor: int, expected: list[int]) -> None:
        index.apply([document(1, status=0), document(2, status=16), document(3, status=32)], [])
        assert search_rids(index, "", VisibleScope((BaseClause(1, mask_and, mask_xor),))) == expected

    def test_a_granted_record_is_found_outside_the_persons_collections(self, index: Index) -> None:
        index.apply([document(1, base=9), document(2, base=9)], [])
        assert search_rids(index, "", VisibleScope((BaseClause(1),), GrantedRecords((2,)))) == [2]
        assert search_rids(index, "", VisibleScope((), GrantedRecords((2,))), bases=frozenset({1})) == []

    def test_business_fields_match_only_where_the_person_may_edit(self, index: Index) -> None:
        business = {"Comments": ["insured for a million"]}
        index.apply(
            [replace(document(1, base=1), business=business), replace(document(2, base=2), business=business)], []
        )
        scope = VisibleScope((BaseClause(1, business=True), BaseClause(2)))
        assert search_rids(index, "harbour insured", scope) == [1]
        assert search_rids(index, "insured", ALL) == []

    def test_filters_by_collection_kind_and_field(self, index: Index) -> None:
        index.apply([document(1, kind="video", base=2), document(2, Keywords=["boat"]), document(3, "boat")], [])
        assert search_rids(index, bases=frozenset({2})) == [1]
        assert search_rids(index, kinds=frozenset({"video"})) == [1]
        assert search_rids(index, "boat", fields=("Keywords",)) == [2]

    def test_truncation_finds_beginnings(self, index: Index) -> None:
        index.apply([document(1, "Harbourmaster")], [])
        assert search_rids(index, "harb") == []
        assert search_rids(index, "harb", truncation=True) == [1]

    def test_an_update_replaces_and_a_deletion_deletes(self, index: Index) -> None:
        index.apply([document(1, "old"), document(2, "old")], [])
        index.apply([document(1, "new")], [2, 77])
        assert search_rids(index, "old") == []
        assert search_rids(index) == [1]
        assert index.count() == 1

    def test_ties_go_by_record_in_the_same_direction(self, index: Index) -> None:
        index.apply([replace(document(rid), created=START, updated=START) for rid in (2, 1, 3)], [])
        assert search_rids(index, sort="created_on") == [3, 2, 1]
        assert search_rids(index, sort="created_on", descending=False) == [1, 2, 3]

    def test_pages_do_not_overlap_and_the_total_stays(self, index: Index) -> None:
        index.apply([document(rid) for rid in range(1, 31)], [])
        rids = [
            rid
            for start in range(0, 30, 7)
            for rid in search_rids(index, "harbour", offset=start, limit=7, sort="recordid")
        ]
        assert rids == list(range(30, 0, -1))
        assert index.search(Query("harbour", ALL, limit=3)).total == 30

    def test_too_deep_is_refused_with_the_name_of_the_parameter(self, index: Index) -> None:
        with pytest.raises(Invalid) as refusal:
            index.search(Query("", ALL, offset=DEEPEST + 1))
        assert refusal.value.field == "offset_start"

    def test_a_rebuild_replaces_everything(self, index: Index) -> None:
        index.apply([document(1)], [])
        assert index.rebuild([document(5), document(6)], nothing_changed) == 2
        assert search_rids(index) == [6, 5]
        index.apply([document(7)], [])
        assert search_rids(index) == [7, 6, 5]
        assert not index.needs_rebuild()

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(text=st.text())
    def test_no_text_is_an_error(self, index: Index, text: str) -> None:
        assert index.search(Query(text, ALL)).total >= 0
