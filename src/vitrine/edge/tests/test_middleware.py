"""Who asks, when proxies speak for others."""

from typing import Any

import pytest

from vitrine.edge.middleware import caller, networks


def scope(peer: str, forwarded: str = "") -> dict[str, Any]:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    return {"type": "http", "client": (peer, 1), "headers": headers}


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # the peer is nobody's proxy: its word does not count
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "192.0.2.7, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", '198.51.100.1, x","status":"1', "10.0.0.1"),  # not an address: nothing before it can be believed
        ("10.0.0.1", "", "10.0.0.1"),
    ],
)
def test_only_trusted_proxies_say_who_asks(peer: str, forwarded: str, address: str) -> None:
    assert caller(scope(peer, forwarded), networks(("10.0.0.0/8",))) == address
