from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrine.media.delivery import (
    Conditions,
    RangeNotSatisfiable,
    Span,
    content_disposition,
    etag,
    http_date,
    is_unchanged,
    parse_range,
    requested_span,
)

SIZES = st.integers(0, 10_000)
WHEN = datetime(2026, 3, 2, 10, 15, 30, tzinfo=UTC)
TAG = etag("ab" * 32)


@given(st.text(), SIZES)
def test_any_header_gives_a_span_inside_the_document_or_none(header: str, size: int) -> None:
    try:
        span = parse_range(header, size)
    except RangeNotSatisfiable:
        return
    assert span is None or 0 <= span.start <= span.end < size


@given(st.integers(0, 9_999), st.integers(0, 20_000), st.integers(1, 10_000))
def test_a_range_is_clamped_to_the_document(start: int, length: int, size: int) -> None:
    header = f"bytes={start}-{start + length}"
    if start >= size:
        with pytest.raises(RangeNotSatisfiable):
            parse_range(header, size)
    else:
        assert parse_range(header, size) == Span(start, min(start + length, size - 1))


@given(st.integers(1, 20_000), st.integers(1, 10_000))
def test_a_suffix_is_the_end_of_the_document(length: int, size: int) -> None:
    span = parse_range(f"bytes=-{length}", size)
    assert span is not None
    assert (span.end, span.length) == (size - 1, min(length, size))


def test_a_full_range_is_still_a_range() -> None:
    assert parse_range("bytes=0-", 10) == Span(0, 9)  # 04 section 3: 206 for bytes=0-


@pytest.mark.parametrize(
    "header", ["bytes=5-2", "bytes=0-1,3-4", "items=0-1", "bytes=-", "bytes=a-b", "bytes=0-" + "9" * 5000]
)
def test_what_is_not_understood_means_everything(header: str) -> None:
    assert parse_range(header, 10) is None


@given(st.text(min_size=1))
def test_a_disposition_is_one_printable_ascii_line(name: str) -> None:
    value = content_disposition("attachment", name)
    assert value.isascii()
    assert value.isprintable()
    assert "/" not in value.split("filename*=")[0]
    assert value.count('"') == 2


def test_a_name_with_accents_has_both_forms() -> None:
    value = content_disposition("inline", "Forêt d'été.jpg")
    assert 'filename="Foret_d_ete.jpg"' in value
    assert "filename*=utf-8''For%C3%AAt%20d%27%C3%A9t%C3%A9.jpg" in value


def test_if_none_match_decides_alone() -> None:
    later = http_date(WHEN + timedelta(days=1))
    assert is_unchanged(Conditions(none_match=TAG), TAG, WHEN)
    assert is_unchanged(Conditions(none_match=f'"x", W/{TAG}'), TAG, WHEN)
    assert not is_unchanged(Conditions(none_match='"x"', modified_since=later), TAG, WHEN)


def test_if_modified_since_counts_whole_seconds() -> None:
    assert is_unchanged(Conditions(modified_since=http_date(WHEN)), TAG, WHEN.replace(microsecond=5))
    assert not is_unchanged(Conditions(modified_since=http_date(WHEN - timedelta(seconds=1))), TAG, WHEN)
    assert not is_unchanged(Conditions(modified_since="yesterday"), TAG, WHEN)


def test_a_range_of_other_bytes_is_ignored() -> None:
    conditions = Conditions(range="bytes=0-4", if_range='"other"')
    assert requested_span(conditions, 10, TAG, WHEN) is None
    assert requested_span(Conditions(range="bytes=0-4", if_range=TAG), 10, TAG, WHEN) == Span(0, 4)
    assert requested_span(Conditions(range="bytes=0-4", if_range=http_date(WHEN)), 10, TAG, WHEN) == Span(0, 4)
