import time
from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message

from vitrine.edge.bodies import MOST_PARAMETERS
from vitrine.edge.params import Params, nest, parameters
from vitrine.errors import Invalid


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([("a", "1")], {"a": "1"}),
        ([("bases[]", "12"), ("bases[]", "14")], {"bases": {"0": "12", "1": "14"}}),
        ([("bases[0]", "12"), ("bases[5]", "14")], {"bases": {"0": "12", "5": "14"}}),
        ([("status[4]", "1")], {"status": {"4": "1"}}),
        ([("m[0][value]", "x"), ("m[0][id]", "2")], {"m": {"0": {"value": "x", "id": "2"}}}),
        ([("a", "1"), ("a[b]", "2")], {"a": {"b": "2"}}),
        ([("a", "1"), ("a", "2")], {"a": "2"}),
        ([("a[", "1"), ("]b", "2")], {"a[": "1", "]b": "2"}),
        ([("a[7]", "1"), ("a[]", "2"), ("a[x]", "3"), ("a[]", "4")], {"a": {"7": "1", "8": "2", "x": "3", "9": "4"}}),
        ([("a[]", "1"), ("a", "2"), ("b[]", "3")], {"a": "2", "b": {"0": "3"}}),
        ([("a[" + "9" * 5000 + "]", "1"), ("a[]", "2")], {"a": {"9" * 5000: "1", "0": "2"}}),
    ],
)
def test_php_style_names(pairs: list[tuple[str, str]], expected: dict[str, object]) -> None:
    assert nest(pairs) == expected


@given(st.lists(st.tuples(st.text("ab[]01", max_size=12), st.text(max_size=3)), max_size=30))
def test_no_name_breaks_the_reader(pairs: list[tuple[str, str]]) -> None:
    try:
        nest(pairs)
    except Invalid as refusal:
        assert "deep" in refusal.detail


def test_many_list_items_cost_the_same_each_and_have_a_bound() -> None:
    """Anybody may send them, and they are read in the event loop: 12,000 once took thirteen seconds."""
    started = time.process_time()
    values = nest([("a[]", "")] * MOST_PARAMETERS)["a"]
    assert time.process_time() - started < 1
    assert isinstance(values, dict)
    assert len(values) == MOST_PARAMETERS
    with pytest.raises(Invalid, match="at most 5000"):
        nest([("a[]", "")] * (MOST_PARAMETERS + 1))


def test_query_goes_before_path_and_form() -> None:
    params = Params(nest([("a", "query")]), {"a": "path", "b": "path"}, nest([("b", "form"), ("c", "form")]))
    assert [params.text(name) for name in "abcd"] == ["query", "path", "form", None]


@pytest.mark.parametrize("value", ["x", "1.5", "9" * 30, "0x1"])
def test_a_number_that_is_none_is_refused_by_name(value: str) -> None:
    with pytest.raises(Invalid) as refusal:
        Params(nest([("per_page", value)])).integer("per_page", 10)
    assert refusal.value.field == "per_page"


def test_a_client_that_goes_away_is_no_failure_of_ours() -> None:
    """It happens to every long upload some day; it was logged as a failure with its traceback."""

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    headers = [(b"content-type", b"multipart/form-data; boundary=b"), (b"content-length", b"1000")]
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers, "state": {}}
    request = Request({**scope, "path_params": {}}, receive)
    # In a thread of its own: a browser that other tests drive keeps a loop running in this one.
    with ThreadPoolExecutor(1) as thread, pytest.raises(Invalid, match="broke off"):
        thread.submit(lambda: anyio.run(parameters, request)).result()
