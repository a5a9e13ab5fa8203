"""Why a redirect address was refused: which part differs from the nearest registered one. For owners only."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from vitrine.applications import OUT_OF_BAND, Application
from vitrine.oauth.redirect_matching import LONGEST_ADDRESS

LONGEST_SHOWN = 300
_PORTS = {"http": 80, "https": 443}
# The distance between two addresses, by the part that differs.
_WEIGHTS = {
    "login": 64, "scheme": 8, "host": 32, "port": 8, "path": 16, "letter case": 2, "trailing slash": 1, "query": 4,
    "fragment": 4, "characters": 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
    """A part that differs, as sent and as registered."""

    part: str
    given: str
    registered: str


@dataclass(frozen=True, slots=True)
class Mismatch:
    """*registered* is the nearest address, "" if no redirect address is registered."""

    application_id: int
    name: str
    given: str
    registered: str
    differences: tuple[Difference, ...]


def explain(application: Application, given: str) -> Mismatch:
    """Compare *given* with the registered address from which it differs least."""
    given = given[:LONGEST_ADDRESS]
    listed = [
        (address, tuple(_differences(given, address))) for address in application.redirects if address != OUT_OF_BAND
    ]
    shown = given[:LONGEST_SHOWN]
    if not listed:
        return Mismatch(application.id, application.name, shown, "", ())
    nearest, parts = min(listed, key=lambda pair: sum(_WEIGHTS[difference.part] for difference in pair[1]))
    short = tuple(
        Difference(difference.part, difference.given[:LONGEST_SHOWN], difference.registered[:LONGEST_SHOWN])
        for difference in parts
    )
    return Mismatch(application.id, application.name, shown, nearest[:LONGEST_SHOWN], short)


def _differences(given: str, registered: str) -> Iterator[Difference]:
    left, right = _split(given), _split(registered)
    if left is None or right is None:
        yield Difference("characters", given, registered)
        return
    before = 0
    for difference in _parts(left, right):
        before += 1
        yield difference
    if not before and given != registered:
        yield Difference("characters", given, registered)


def _parts(left: SplitResult, right: SplitResult) -> Iterator[Difference]:
    if left.username is not None or left.password is not None:
        yield Difference("login", "…@", "")  # a password in the address is not shown
    for part, sent, other in (
        ("scheme", left.scheme, right.scheme),
        ("host", left.hostname or "", right.hostname or ""),
        ("port", _port(left, right), _port(right, left)),
    ):
        if sent != other:
            yield Difference(part, sent, other)
    yield from _paths(left.path, right.path)
    for part, sent, other in (("query", left.query, right.query), ("fragment", left.fragment, right.fragment)):
        if sent != other:
            yield Difference(part, sent, other)


def _paths(given: str, registered: str) -> Iterator[Difference]:
    if given == registered:
        return
    if given.rstrip("/") == registered.rstrip("/"):
        yield Difference("trailing slash", given, registered)
    elif given.lower() == registered.lower():
        yield Difference("letter case", given, registered)
    else:
        yield Difference("path", given, registered)


def _port(parts: SplitResult, other: SplitResult) -> str:
    """The effective port, or "" if both addresses have the default port of their scheme."""
    mine, others = parts.port or _PORTS.get(parts.scheme), other.port or _PORTS.get(other.scheme)
    usual = mine == _PORTS.get(parts.scheme) and others == _PORTS.get(other.scheme)
    return "" if usual or mine == others or mine is None else str(mine)


def _split(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        return parts if parts.port != 0 else None
    except ValueError:
        return None
