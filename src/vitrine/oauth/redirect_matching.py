"""Where a browser may be sent back to: the one place that decides about redirect addresses (01 section 3.1 D)."""

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, unquote, urlsplit

from vitrine.applications import OUT_OF_BAND, Application, RedirectMatch

# Longer addresses match nothing: they are compared in forms whose making takes time in the square of their length.
LONGEST_ADDRESS = 2_000
_BAD = re.compile(r"[\x00-\x20\x7f-\x9f\\]")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_PORTS = {"http": 80, "https": 443}
# A percent sign without two hexadecimal digits, an encoded control, dot, slash, semicolon or
# backslash.
_AMBIGUOUS = re.compile(r"%(?![0-9a-f]{2})|%([01][0-9a-f]|7f|2e|2f|3b|5c)", re.IGNORECASE)
_ENCODED = re.compile(r"%(u|[0-9a-f]{2})", re.IGNORECASE)  # in a decoded path: an encoding of an encoding
_DOTS = re.compile(r"[.\s]*\.[.\s]*")
_HEADER_SAFE = re.compile(r"[A-Za-z0-9._:\[\]-]+")


def registered_for(application: Application, address: str, *, own: bool = False) -> bool:
    """True if *address* matches a redirect address of *application* under its rule of design 5.3. With *own*, addresses
    that were added with a token do not count."""
    if len(address) > LONGEST_ADDRESS:
        return False
    rule = application.switches.redirects
    registered = application.own_redirects if own else application.redirects
    if rule is RedirectMatch.PREFIX:
        return any(_extends(address, candidate) for candidate in registered)
    if rule is RedirectMatch.NATIVE:
        return any(address == candidate or _same_loopback(address, candidate) for candidate in registered)
    return address in registered


def extends(application: Application, address: str, stored: str) -> bool:
    """True if the address sent with a code may extend the one of its request, which only the prefix rule allows."""
    return application.switches.redirects is RedirectMatch.PREFIX and _extends(address, stored)


def _parts(url: str) -> tuple[SplitResult, int | None] | None:
    if _BAD.search(url):
        return None
    try:
        parts = urlsplit(url)
        port = _PORTS.get(parts.scheme) if parts.port is None else parts.port
    except ValueError:
        return None
    if parts.username is not None or parts.password is not None or not parts.hostname or not parts.netloc.isascii():
        return None
    return parts, port


def _extends(address: str, registered: str) -> bool:
    """The old prefix rule at a boundary: same scheme, host and port, and a path that goes on at `/`, `?` or `#`."""
    if address == registered:
        return True
    if len(address) > LONGEST_ADDRESS:
        return False
    left, right = _parts(address), _parts(registered)
    if left is None or right is None:
        return False
    sent, other = left[0], right[0]
    if (sent.scheme, (sent.hostname or "").lower(), left[1]) != (
        other.scheme,
        (other.hostname or "").lower(),
        right[1],
    ):
        return False
    if _may_lead_elsewhere(sent.path):
        return False
    path, root = _lower(sent.path) or "/", _lower(other.path) or "/"
    if other.query:
        return path == root and (sent.query == other.query or sent.query.startswith(other.query + "&"))
    return path == root or path.startswith(root if root.endswith("/") else root + "/")


def _may_lead_elsewhere(path: str) -> bool:
    """True for a path that a browser, proxy or server could read as another folder than the registered one.

    A segment of dots does, also before path parameters (`..;/x`) or spaces. So may what some of them decode and others
    do not: separators, dots and controls that are percent-encoded or written in look-alike letters, encodings of
    encodings, and what is no UTF-8."""
    if _AMBIGUOUS.search(path):
        return True
    try:
        decoded = unquote(path, errors="strict")
    except UnicodeDecodeError:  # the overlong forms of a dot and a slash among others
        return True
    plain = unicodedata.normalize("NFKC", decoded)
    if plain.count("/") != path.count("/") or "\\" in plain or _ENCODED.search(plain):
        return True
    return any(_DOTS.fullmatch(part.partition(";")[0]) for part in plain.split("/"))


def _lower(path: str) -> str:
    """ASCII letters in lower case; others have no case in a path, and some would turn into ASCII ones."""
    return path.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")


def _same_loopback(address: str, registered: str) -> bool:
    """RFC 8252 section 7.3: the port of a loopback address is chosen by the application when it starts."""
    left, right = _parts(address), _parts(registered)
    if left is None or right is None:
        return False
    sent, other = left[0], right[0]
    return (
        sent.scheme == other.scheme == "http"
        and sent.hostname == other.hostname
        and sent.hostname in _LOOPBACK
        and (sent.path, sent.query, sent.fragment) == (other.path, other.query, other.fragment)
    )


def is_out_of_band(address: str) -> bool:
    return address == OUT_OF_BAND


def form_target(address: str) -> str:
    """The source that `form-action` of a page must list so that the answer to its form may redirect to *address*."""
    parts = urlsplit(address)
    # The host of an imported address may be unsafe in a header or have a meaning there, such as `*`.
    return f"{parts.scheme}://{parts.netloc}" if _HEADER_SAFE.fullmatch(parts.netloc) else f"{parts.scheme}:"


@dataclass(frozen=True, slots=True)
class ResponseTarget:
    """Where an authorization response goes: the validated address, the client's state, and the issuer (RFC 9207).

    *has_old_answers*: errors as in 01 section 3.1, in the query and without a description. *is_implicit*: the request
    was for a token only, so its errors are in the fragment too, where answers are those of the RFCs (RFC 6749 section
    4.2.2.1)."""

    address: str
    state: str | None
    issuer: str
    has_old_answers: bool = False
    is_implicit: bool = False

    def with_code(self, code: str) -> str:
        """The address with state, code and issuer in the query; what is there already stays (01 section 3.3)."""
        return self._with_query(*self._state(), ("code", code), *self._issuer())

    def with_token(self, token: str, code: str | None, **more: str) -> str:
        """The address with the token in the fragment: `access_token` first, then *more*, state and issuer. The state is
        in the query too (01 section 3.3), and so are the code and its issuer."""
        address = self._with_query(*self._state()) if code is None else self.with_code(code)
        pairs = [("access_token", token), ("token_type", "Bearer"), *more.items(), *self._state(), *self._issuer()]
        return _with_fragment(address, *pairs)

    def with_error(self, code: str, why: str = "") -> str:
        """The address with an error, then the state, *why* unless answers are old ones, and the issuer."""
        described = [("error_description", why)] if why and not self.has_old_answers else []
        pairs = [("error", code), *self._state(), *described, *self._issuer()]
        in_fragment = self.is_implicit and not self.has_old_answers
        return _with_fragment(self.address, *pairs) if in_fragment else self._with_query(*pairs)

    def with_denial(self) -> str:
        """The same for a person's refusal, with the state first (01 section 3.3)."""
        if self.is_implicit and not self.has_old_answers:
            return self.with_error("access_denied")
        return self._with_query(*self._state(), ("error", "access_denied"), *self._issuer())

    def _state(self) -> list[tuple[str, str]]:
        return [("state", self.state)] if self.state else []

    def _issuer(self) -> list[tuple[str, str]]:
        return [("iss", self.issuer)] if self.issuer else []

    def _with_query(self, *pairs: tuple[str, str]) -> str:
        if not pairs:
            return self.address
        base, mark, fragment = self.address.partition("#")
        joint = "" if base.endswith(("?", "&")) else "&" if "?" in base else "?"
        return f"{base}{joint}{_encoded(pairs)}{mark}{fragment}"


def _with_fragment(address: str, *pairs: tuple[str, str]) -> str:
    base, _, fragment = address.partition("#")
    return f"{base}#{fragment}&{_encoded(pairs)}" if fragment else f"{base}#{_encoded(pairs)}"


def _encoded(pairs: tuple[tuple[str, str], ...]) -> str:
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs)
