"""One text, four ways to send it, one value; and readers that agree on any bytes."""

from collections.abc import AsyncIterator, Callable, Coroutine
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message

from vitrine.edge.bodies import (
    LONGEST_VALUE_BYTES,
    MOST_FIELD_BYTES,
    MOST_FILES,
    BodyTooLarge,
    Form,
    read_multipart,
    read_urlencoded,
    small_urlencoded,
)
from vitrine.edge.params import Params, parameters
from vitrine.edge.text import NotUtf8, ascii_target, pairs_of
from vitrine.errors import Invalid

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=the-boundary"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
# What decides how bytes are read, more often than chance would have it.
BYTES = st.lists(st.sampled_from([b"a", b"&", b"=", b"%", b"+", b"%41", b"%E9", b"\xc3\xa9", b"\xe9", b"[", b"]"]))
CUTS = st.lists(st.integers(0, 200), max_size=4)


def run(call: Coroutine[Any, Any, Form]) -> Form:
    """These readers wait for nothing but their chunks, which are there."""
    try:
        call.send(None)
    except StopIteration as done:
        form: Form = done.value
        return form
    raise AssertionError("the reader waits")


async def chunks(body: bytes, cuts: list[int]) -> AsyncIterator[bytes]:
    for start, end in _pieces(len(body), cuts):
        yield body[start:end]


def part(name: bytes, value: bytes, more: bytes = b"") -> bytes:
    head = b'--the-boundary\r\nContent-Disposition: form-data; name="' + name + b'"' + more
    return head + b"\r\n\r\n" + value + b"\r\n"


END = b"--the-boundary--\r\n"


def params_of(body: bytes, kind: str, cuts: list[int], *, announced: bool = True, query: bytes = b"") -> Params:
    """As a route gets them, from a body that arrives in pieces."""
    pieces = [body[start:end] for start, end in _pieces(len(body), cuts)]
    messages: list[Message] = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> Message:
        return messages.pop(0)

    headers = [(b"content-type", kind.encode())]
    if announced:
        headers.append((b"content-length", str(len(body)).encode()))
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": query, "headers": headers, "state": {}}
    reading = parameters(Request({**scope, "path_params": {}}, receive))
    try:
        reading.send(None)
    except StopIteration as done:
        params: Params = done.value
        return params
    raise AssertionError("the reader waits")


def _pieces(length: int, cuts: list[int]) -> list[tuple[int, int]]:
    places = sorted({0, length, *(cut for cut in cuts if cut < length)})
    return list(pairwise(places))


@given(TEXTS, CUTS, st.booleans())
def test_a_text_is_the_same_however_it_is_sent(text: str, cuts: list[int], announced: bool) -> None:
    raw = text.encode()
    assume(b"the-boundary" not in raw)
    bare = text.translate({ord(letter): quote(letter) for letter in "&%+=#"}).encode()  # what has a meaning of its own
    for value in (quote(text).encode(), quote_plus(text).encode(), bare):
        params = params_of(b"m[0][value]=" + value, FORM, cuts, announced=announced)
        assert params.form == {"m": {"0": {"value": text}}}
        assert params_of(b"", FORM, [], query=b"q=" + value).query == {"q": text}
        assert params_of(b"", FORM, [], query=b"q=" + ascii_target(value)).query == {"q": text}
    body = part(b"m[0][value]", raw) + END
    assert params_of(body, MULTIPART, cuts, announced=announced).form == {"m": {"0": {"value": text}}}


@given(TEXTS, CUTS)
def test_a_name_is_read_as_its_value_is(text: str, cuts: list[int]) -> None:
    name = quote(text).encode()
    assert run(read_urlencoded(FORM, chunks(name + b"=1", cuts))).pairs == [(text, "1")]
    plain = "".join(letter for letter in text if letter.isalnum())
    assert run(read_multipart(MULTIPART, chunks(part(plain.encode(), b"1") + END, cuts))).pairs == [(plain, "1")]


def outcome(call: Callable[[], list[tuple[str, str]]]) -> list[tuple[str, str]] | tuple[str, str]:
    try:
        return call()
    except NotUtf8 as refusal:
        return (refusal.code, refusal.field)


@given(BYTES, CUTS)
def test_query_and_form_are_read_alike(pieces: list[bytes], cuts: list[int]) -> None:
    """Two readers: one for queries, and the library for bodies, at once or in pieces."""
    raw = b"".join(pieces)
    expected = outcome(lambda: pairs_of(raw))
    assert outcome(lambda: small_urlencoded(FORM, raw)) == expected
    assert outcome(lambda: run(read_urlencoded(FORM, chunks(raw, cuts))).pairs) == expected
    named = FORM + "; charset=utf-8"  # the library's way, also for a small one
    assert outcome(lambda: small_urlencoded(named, raw)) == expected


@given(st.binary(max_size=60), CUTS)
def test_any_bytes_are_read_alike_or_refused_alike(raw: bytes, cuts: list[int]) -> None:
    expected = outcome(lambda: pairs_of(raw))
    assert outcome(lambda: small_urlencoded(FORM, raw)) == expected
    assert outcome(lambda: run(read_urlencoded(FORM, chunks(raw, cuts))).pairs) == expected


@given(st.text("a=&%+;2Fé[] ", max_size=40))
def test_text_is_read_as_the_standard_library_reads_it(text: str) -> None:
    wanted = parse_qsl(text, keep_blank_values=True)
    assume("\ufffd" not in str(wanted))  # it puts that where we refuse
    assert pairs_of(text.encode()) == wanted


@given(st.binary(max_size=200), CUTS)
def test_no_multipart_body_breaks_the_reader(raw: bytes, cuts: list[int]) -> None:
    for body in (raw, part(b"a", raw), part(b"a", raw) + END, b"--the-boundary\r\n" + raw):
        try:
            form = run(read_multipart(MULTIPART, chunks(body, cuts)))
        except Invalid:
            continue
        assert all(isinstance(value, str) for _, value in form.pairs)


def test_a_body_that_ends_inside_a_part_is_refused() -> None:
    """Its last value would be missing, and nobody would be told."""
    for body in (part(b"a", b"1"), part(b"a", b"1") + part(b"b", b"2"), part(b"a", b"1")[:-9]):
        with pytest.raises(Invalid, match="broken off"):
            run(read_multipart(MULTIPART, chunks(body, [])))


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=" + "b" * 300, "multipart/form-data; boundary="])
def test_a_boundary_that_is_none_is_refused_in_words(kind: str) -> None:
    with pytest.raises(Invalid, match="broken off"):
        run(read_multipart(kind, chunks(part(b"a", b"1") + END, [])))


def test_values_and_files_have_bounds() -> None:
    long = b"x" * (LONGEST_VALUE_BYTES + 1)
    for call in (
        read_urlencoded(FORM, chunks(b"a=" + long, [])),
        read_urlencoded(FORM, chunks(long, [])),
        read_multipart(MULTIPART, chunks(part(b"a", long) + END, [])),
    ):
        with pytest.raises(Invalid, match="broken off"):
            run(call)
    many = part(b"file", b"", b'; filename="a"') * (MOST_FILES + 1) + END
    with pytest.raises(Invalid, match="at most"):
        run(read_multipart(MULTIPART, chunks(many, [])))


@pytest.mark.parametrize(
    "name", ["x; filename*=a'b'c", "x;filename*=utf-8''c.jpg", "a; filename*=a'b'c; b", "\\\"; filename*=a'b'c"]
)
def test_a_file_name_inside_a_quoted_name_makes_no_file(name: str) -> None:
    form = run(read_multipart(MULTIPART, chunks(part(name.encode(), b"1") + END, [])))
    assert form.pairs == [(name.replace('\\"', '"'), "1")]
    assert form.files == []


def test_a_file_name_that_is_never_closed_makes_no_file() -> None:
    open_name = b"--the-boundary\r\nContent-Disposition: form-data; name=\"x; filename*=a'b'c\r\n\r\n1\r\n" + END
    form = run(read_multipart(MULTIPART, chunks(open_name, [])))
    assert (len(form.pairs), form.files) == (1, [])


def test_the_parts_of_a_form_together_have_a_bound() -> None:
    value = b"x" * LONGEST_VALUE_BYTES
    many = MOST_FIELD_BYTES // LONGEST_VALUE_BYTES
    for call in (
        read_urlencoded(FORM, chunks(b"&".join([b"a=" + value] * many), [])),
        read_multipart(MULTIPART, chunks(part(b"a", value) * many + END, [])),
    ):
        with pytest.raises(BodyTooLarge):
            run(call)
    form = run(read_multipart(MULTIPART, chunks(part(b"a", value) * (many - 1) + END, [])))
    assert len(form.pairs) == many - 1


def test_a_parameter_that_ends_like_boundary_is_none() -> None:
    body = b"--\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n----\r\n"
    assert params_of(body, "multipart/form-data; xboundary=a", []).form == {}
    with pytest.raises(Invalid, match="well formed"):
        run(read_multipart("multipart/form-data; xboundary=a", chunks(body, [])))
