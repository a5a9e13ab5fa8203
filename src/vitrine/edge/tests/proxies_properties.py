"""Who asks, when proxies speak for others: nothing that a client sends changes what is seen."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrine.edge.proxies import Caller, Proxies, caller_of, networks, peer_of

TRUSTED = networks(("10.0.0.0/8", "fd00::/8"))
PROXY, SECOND, CLIENT = "10.0.0.1", "10.0.0.2", "198.51.100.1"
Header = tuple[str, str]


def seen(peer: str, *headers: Header, kind: str = "auto") -> Caller:
    lines = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    scope: dict[str, Any] = {"type": "http", "client": (peer, 1), "scheme": "http", "headers": lines}
    return caller_of(scope, Proxies(TRUSTED, kind))


@pytest.mark.parametrize(
    ("peer", "value", "address"),
    [
        ("203.0.113.9", CLIENT, "203.0.113.9"),
        (PROXY, CLIENT, CLIENT),
        (PROXY, f"192.0.2.7, {CLIENT}", CLIENT),
        (PROXY, f"192.0.2.7, {CLIENT}, 10.0.0.7,,", CLIENT),
        (PROXY, f'{CLIENT}, x","status":"1', PROXY),
        (PROXY, f"{CLIENT}, unknown, {SECOND}", SECOND),
        (PROXY, "", PROXY),
        (PROXY, f"{CLIENT}:4711", CLIENT),
        (PROXY, f"{CLIENT}:_obfuscated", CLIENT),
        (PROXY, f"{CLIENT}:port", PROXY),
        (PROXY, "2001:DB8:0::1", "2001:db8::1"),
        (PROXY, "[2001:db8::1]", "2001:db8::1"),
        (PROXY, "[2001:db8::1]:443", "2001:db8::1"),
        (PROXY, "[2001:db8::1]443", PROXY),
        (PROXY, "[198.51.100.1]", PROXY),
        (PROXY, "fe80::1%x", PROXY),
        (PROXY, f"::ffff:{CLIENT}", CLIENT),
        (PROXY, f"{CLIENT}, ::ffff:10.0.0.3", CLIENT),  # a trusted proxy, however it is written
        (f"::ffff:{PROXY}", CLIENT, CLIENT),
        ("fd00::1", CLIENT, CLIENT),
        ("", CLIENT, ""),
        (PROXY, ", ".join([CLIENT, *["10.0.0.9"] * 40]), "10.0.0.9"),
    ],
)
def test_the_address_of_x_forwarded_for(peer: str, value: str, address: str) -> None:
    assert seen(peer, ("x-forwarded-for", value)).address == address


@pytest.mark.parametrize(
    ("value", "caller"),
    [
        (f"for={CLIENT}", Caller(CLIENT, "http")),
        (f"For={CLIENT};PROTO=https;by=10.0.0.1", Caller(CLIENT, "https")),
        (f'for="{CLIENT}:4711" ; host="dam.test:8443"', Caller(CLIENT, "http", "dam.test:8443")),
        ('for="[2001:db8:cafe::17]:4711"', Caller("2001:db8:cafe::17", "http")),
        ("for=2001:db8::1", Caller("2001:db8::1", "http")),  # should be quoted, and is unambiguous
        (f'for="{CLIENT}";ext="a,\\"b;c"', Caller(CLIENT, "http")),
        (f"for={CLIENT};proto=https, for={SECOND};proto=http", Caller(CLIENT, "https")),
        (f"for={CLIENT}, for=_hidden;proto=https", Caller(PROXY, "https")),
        (f"for={CLIENT}, for=unknown, for={SECOND}", Caller(SECOND, "http")),
        (f"for={CLIENT}, for={SECOND};for={SECOND}", Caller(PROXY, "http")),
        (f"for={CLIENT}, proto=https", Caller(PROXY, "https")),
        ("for=", Caller(PROXY, "http")),
        (f"for={CLIENT};proto=gopher;host=a/b", Caller(CLIENT, "http")),
    ],
)
def test_an_element_of_forwarded(value: str, caller: Caller) -> None:
    assert seen(PROXY, ("forwarded", value)) == caller


def test_one_kind_of_header_is_read() -> None:
    both = (("x-forwarded-for", CLIENT), ("forwarded", "for=192.0.2.7"))
    assert seen(PROXY, *both).address == CLIENT
    assert seen(PROXY, *both, kind="x-forwarded").address == CLIENT
    assert seen(PROXY, *both, kind="forwarded").address == "192.0.2.7"
    assert seen(PROXY, both[1], kind="x-forwarded").address == PROXY
    assert seen(PROXY, both[0], kind="forwarded").address == PROXY


def test_scheme_and_host_are_those_of_the_nearest_proxy() -> None:
    lines = (
        ("x-forwarded-for", CLIENT), ("x-forwarded-proto", "http, HTTPS"), ("x-forwarded-host", "a.test"),
        ("x-forwarded-host", "dam.test"),
    )  # fmt: skip
    assert seen(PROXY, *lines) == Caller(CLIENT, "https", "dam.test")
    assert seen(CLIENT, *lines) == Caller(CLIENT, "http")


def test_a_peer_without_an_address_is_nobody() -> None:
    assert peer_of({"client": None}) == ""
    assert peer_of({"client": ("testclient", 1)}) == "testclient"
    assert peer_of({"client": ("::ffff:192.0.2.7", 1)}) == "192.0.2.7"


NAMES = st.sampled_from(["x-forwarded-for", "forwarded", "x-forwarded-proto", "x-forwarded-host", "x-real-ip", "via"])
WORDS = st.sampled_from(
    [CLIENT, PROXY, SECOND, "10.1.2.3", "for=", "proto=https", "host=a", '"', "\\", ",", ";", " ", "["]
)
VALUES = st.lists(WORDS | st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\x00"), max_size=6)).map(
    "".join
)
SENT = st.lists(st.tuples(NAMES, VALUES), max_size=6)


@given(sent=SENT)
def test_headers_of_a_peer_that_is_no_proxy_are_ignored(sent: list[Header]) -> None:
    for kind in ("auto", "x-forwarded", "forwarded"):
        assert seen("203.0.113.9", *sent, kind=kind) == Caller("203.0.113.9", "http")


@given(sent=SENT, own_line=st.booleans())
def test_what_a_client_sends_to_a_proxy_changes_nothing(sent: list[Header], own_line: bool) -> None:
    """The proxy adds its entry to the client's line, or in a line of its own; nginx, HAProxy and Caddy differ."""
    passed = through(sent, "x-forwarded-for", CLIENT, own_line=own_line)
    passed = [*(line for line in passed if line[0] not in ("x-forwarded-proto", "x-forwarded-host")),
              ("x-forwarded-proto", "https"), ("x-forwarded-host", "dam.test")]  # fmt: skip
    for kind in ("auto", "x-forwarded"):
        assert seen(PROXY, *passed, kind=kind) == Caller(CLIENT, "https", "dam.test")
    entry = f'for="{CLIENT}:80";proto=https;host=dam.test'
    passed = through(sent, "forwarded", entry, own_line=own_line)
    assert seen(PROXY, *passed, kind="forwarded") == Caller(CLIENT, "https", "dam.test")


@given(sent=SENT, own_line=st.booleans())
def test_what_a_client_sends_through_two_proxies_changes_nothing(sent: list[Header], own_line: bool) -> None:
    passed = through(sent, "x-forwarded-for", CLIENT, own_line=own_line)
    passed = through(passed, "x-forwarded-for", SECOND, own_line=own_line)
    assert seen(PROXY, *passed).address == CLIENT
    passed = through(sent, "forwarded", f"for={CLIENT}", own_line=own_line)
    passed = through(passed, "forwarded", f"for={SECOND}", own_line=own_line)
    assert seen(PROXY, *passed, kind="forwarded").address == CLIENT


def through(sent: list[Header], name: str, entry: str, *, own_line: bool) -> list[Header]:
    if own_line or not any(line[0] == name for line in sent):
        return [*sent, (name, entry)]
    joined = ", ".join([*(line[1] for line in sent if line[0] == name), entry])
    return [*(line for line in sent if line[0] != name), (name, joined)]
