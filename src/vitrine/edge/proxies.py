"""Who asks, by which scheme and under which host name, when proxies speak for others (docs/decisions/0109).

The only reader of forwarding headers. Their lines are read together, from the right: the last entry was written by the
peer, the one before it by whoever spoke to the peer. An entry counts only when the one who wrote it is trusted, so
nothing that an untrusted client sends changes what is seen.
"""

import ipaddress
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

from starlette.types import Scope

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
MOST_HOPS = 32  # a walk past more trusted proxies than that ends where it is
_PORT = re.compile(r":(?:\d{1,5}|_[\w.-]+)", re.ASCII)  # RFC 7239 section 6.2: a number or an obfuscated port
_PAIR = re.compile(r'\s*([!#$%&\'*+.^_`|~\w-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s";,]*))\s*(?:;|$)', re.ASCII)
_HOST = re.compile(r"(?:[\w.-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Proxies:
    """The peers that are believed, and the headers they write: `x-forwarded`, `forwarded` or `auto`."""

    trusted: tuple[Network, ...] = ()
    headers: str = "auto"


@dataclass(frozen=True, slots=True)
class Caller:
    """*address* in its shortest form, without a port; *host* is None when no proxy says another than `Host`."""

    address: str
    scheme: str
    host: str | None = None


@lru_cache
def networks(trusted: tuple[str, ...]) -> tuple[Network, ...]:
    """Raises ValueError for what is neither an address nor a network."""
    return tuple(ipaddress.ip_network(network.strip(), strict=False) for network in trusted)


def is_in(address: str, trusted: tuple[Network, ...]) -> bool:
    with suppress(ValueError):
        parsed = ipaddress.ip_address(address)
        return any(parsed in network for network in trusted)
    return False


def peer_of(scope: Scope) -> str:
    """The address at the other end of the connection; empty for one without, such as a Unix socket."""
    client = scope.get("client")
    return _address(client[0]) or client[0] if client else ""


def caller_of(scope: Scope, proxies: Proxies) -> Caller:
    """The client for which trusted proxies speak; the peer itself when it is not one of them.

    The walk ends at the first address that is not trusted, and at the last trusted one when an entry is no address
    (`unknown`, an obfuscated identifier, garbage).
    """
    client = scope.get("client")
    peer = client[0] if client else ""
    trusted = proxies.trusted
    if not trusted:
        return _direct(peer, scope.get("scheme", "http"))
    address = _address(peer)
    if address is None or not is_in(address, trusted):
        return _direct(peer, scope.get("scheme", "http"))
    lines = _lines(scope)
    if proxies.headers == "forwarded" or (proxies.headers == "auto" and b"x-forwarded-for" not in lines):
        return _by_forwarded(address, scope.get("scheme", "http"), lines.get(b"forwarded", ""), trusted)
    return _by_x_forwarded(address, scope.get("scheme", "http"), lines, trusted)


@lru_cache(maxsize=4096)
def _direct(peer: str, scheme: str) -> Caller:
    return Caller(_address(peer) or peer, scheme)


def _lines(scope: Scope) -> dict[bytes, str]:
    """All lines of each forwarding header, joined as one list (RFC 9110 section 5.3)."""
    lines: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        if name == b"forwarded" or name.startswith(b"x-forwarded-"):
            text = value.decode("latin-1")  # RFC 9110 section 5.5
            lines[name] = f"{lines[name]}, {text}" if name in lines else text
    return lines


def _by_x_forwarded(peer: str, scheme: str, lines: dict[bytes, str], trusted: tuple[Network, ...]) -> Caller:
    """Scheme and host are the word of the proxy nearest to us: proxies set these instead of adding to them, so their
    entries do not correspond to those of the addresses."""
    address = peer
    for count, entry in enumerate(_from_the_right(lines.get(b"x-forwarded-for", ""))):
        named = _address(_without_port(entry))
        if named is None or count == MOST_HOPS:
            break
        address = named
        if not is_in(named, trusted):
            break
    return Caller(
        address,
        _scheme(next(_from_the_right(lines.get(b"x-forwarded-proto", "")), "")) or scheme,
        _host(next(_from_the_right(lines.get(b"x-forwarded-host", "")), "")),
    )


def _by_forwarded(peer: str, scheme: str, value: str, trusted: tuple[Network, ...]) -> Caller:
    """RFC 7239: scheme and host stand beside the address of whoever used them."""
    address, host = peer, None
    for count, element in enumerate(_from_the_right(value)):
        parameters = _parameters(element)
        if parameters is None or count == MOST_HOPS:
            break
        scheme = _scheme(parameters.get("proto", "")) or scheme
        host = _host(parameters.get("host", "")) or host
        named = _address(_without_port(parameters.get("for", "")))
        if named is None:
            break
        address = named
        if not is_in(named, trusted):
            break
    return Caller(address, scheme, host)


def _from_the_right(value: str) -> Iterator[str]:
    """The members of a list, last first; commas inside quotes do not count, empty members are left out (RFC 9110
    section 5.6.1). Since it begins at the right, an open quote of a client cannot swallow what a proxy added."""
    end, is_quoted = len(value), False
    for place in range(len(value) - 1, -1, -1):
        if value[place] == '"' and (place == 0 or value[place - 1] != "\\"):
            is_quoted = not is_quoted
        elif value[place] == "," and not is_quoted:
            member = value[place + 1 : end].strip()
            if member:
                yield member
            end = place
    member = value[:end].strip()
    if member:
        yield member


def _parameters(element: str) -> dict[str, str] | None:
    """The pairs of one element of `Forwarded` (RFC 7239 section 4); None when it is not well formed."""
    parameters: dict[str, str] = {}
    place = 0
    while place < len(element):
        pair = _PAIR.match(element, place)
        if pair is None or pair[1].lower() in parameters:
            return None
        parameters[pair[1].lower()] = re.sub(r"\\(.)", r"\1", pair[2]) if pair[2] is not None else pair[3]
        place = pair.end()
    return parameters


def _without_port(node: str) -> str:
    """`192.0.2.7`, `192.0.2.7:80`, `2001:db8::1`, `[2001:db8::1]` and `[2001:db8::1]:80` without brackets and port."""
    if "%" in node:  # a zone means something on the machine that wrote it only
        return ""
    if node.startswith("["):
        inside, bracket, port = node[1:].partition("]")
        is_well_formed = bracket and ":" in inside and (not port or _PORT.fullmatch(port))
        return inside if is_well_formed else ""
    host, colon, port = node.partition(":")
    return host if colon and _PORT.fullmatch(":" + port) and "." in host else node


@lru_cache(maxsize=4096)
def _address(text: str) -> str | None:
    """In its shortest form; an IPv4 address that IPv6 wraps is the IPv4 address. None for what is no address."""
    with suppress(ValueError):
        parsed = ipaddress.ip_address(text)
        mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
        return str(mapped or parsed)
    return None


def _scheme(text: str) -> str:
    lowered = text.lower()
    return lowered if lowered in ("http", "https") else ""


def _host(text: str) -> str | None:
    return text if _HOST.fullmatch(text) else None
