"""Where a browser may be sent back to: the one place that decides about redirect addresses (01 section 3.1 D)."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, unquote, urlsplit

from vitrine.applications import OUT_OF_BAND, Application, RedirectMatch

_BAD = re.compile(r"[\x00-\x20\x7f-\x9f\\]")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_PORTS = {"http": 80, "https": 443}
_HEADER_SAFE = re.compile(r"[A-Za-z0-9._:\[\]-]+")


def registered_for(application: Application, given: str, *, own: bool = False) -> bool:
    """True if *given* belongs to the addresses of *application* under its rule of design 5.3. With *own* those that
    were added with a token do not count."""
    rule = application.switches.redirects
    registered = application.own_redirects if own else application.redirects
    if rule is RedirectMatch.PREFIX:
        return any(_extends(given, address) for address in registered)
    if rule is RedirectMatch.NATIVE:
        return any(given == address or _same_loopback(given, address) for address in registered)
    return given in registered


def extends(application: Application, given: str, stored: str) -> bool:
    """True if an address sent with a code may stand for the one it was asked with: only the prefix rule allows that."""
    return application.switches.redirects is RedirectMatch.PREFIX and _extends(given, stored)


def _parts(url: str) -> tuple[SplitResult, int | None] | None:
    if _BAD.search(url):
        return None
    try:
        parts = urlsplit(url)
        port = _PORTS.get(parts.scheme) if parts.port is None else parts.port
    except ValueError:
        return None
    if parts.username is not None or parts.password is not None or not parts.hostname:
        return None
    return parts, port


def _extends(given: str, registered: str) -> bool:
    """The old prefix rule at a boundary: same scheme, host and port, and a path that goes on at `/`, `?` or `#`."""
    if given == registered:
        return True
    left, right = _parts(given), _parts(registered)
    if left is None or right is None or _climbs(left[0].path):
        return False
    mine, other = left[0], right[0]
    if (mine.scheme, (mine.hostname or "").lower(), left[1]) != (
        other.scheme,
        (other.hostname or "").lower(),
        right[1],
    ):
        return False
    path, root = mine.path.lower() or "/", other.path.lower() or "/"
    if other.query:
        return path == root and (mine.query == other.query or mine.query.startswith(other.query + "&"))
    return path == root or path.startswith(root if root.endswith("/") else root + "/")


def _climbs(path: str) -> bool:
    """A path with `..` in it, plain or encoded once or twice, may lead out of the registered folder."""
    plain = unquote(unquote(path)).replace("\\", "/")
    return any(part in (".", "..") for part in plain.split("/"))


def _same_loopback(given: str, registered: str) -> bool:
    """RFC 8252 section 7.3: the port of a loopback address is chosen by the application when it starts."""
    left, right = _parts(given), _parts(registered)
    if left is None or right is None:
        return False
    mine, other = left[0], right[0]
    return (
        mine.scheme == other.scheme == "http"
        and mine.hostname == other.hostname
        and mine.hostname in _LOOPBACK
        and (mine.path, mine.query, mine.fragment) == (other.path, other.query, other.fragment)
    )


def is_out_of_band(address: str) -> bool:
    return address == OUT_OF_BAND


def form_target(address: str) -> str:
    """What a page's `form-action` must list so that the answer to its form may redirect to *address*."""
    parts = urlsplit(address)
    # An imported address may have a host that cannot stand in a header or that means more there, such as `*`.
    return f"{parts.scheme}://{parts.netloc}" if _HEADER_SAFE.fullmatch(parts.netloc) else f"{parts.scheme}:"


@dataclass(frozen=True, slots=True)
class Return:
    """A way back to the application: the address (already checked), the client's state, and who answers (or "")."""

    address: str
    state: str | None
    issuer: str = ""

    def with_query(self, *pairs: tuple[str, str]) -> str:
        """The address with `state` first and *pairs* after it in the query; what is there already stays (01 §3.3)."""
        wanted = ([("state", self.state)] if self.state else []) + list(pairs)
        wanted += [("iss", self.issuer)] if self.issuer else []
        base, mark, fragment = self.address.partition("#")
        if not wanted:
            return self.address
        added = "&".join(f"{name}={quote(value, safe='')}" for name, value in wanted)
        joint = "" if base.endswith(("?", "&")) else "&" if "?" in base else "?"
        return f"{base}{joint}{added}{mark}{fragment}"

    def with_fragment(self, token: str, *pairs: tuple[str, str]) -> str:
        """The same with the token in the fragment: `access_token` comes first, then what standard clients want."""
        base, _, fragment = self.with_query(*pairs).partition("#")
        added = f"access_token={quote(token, safe='')}&token_type=Bearer"
        if self.state:
            added += f"&state={quote(self.state, safe='')}"
        return f"{base}#{fragment}&{added}" if fragment else f"{base}#{added}"
