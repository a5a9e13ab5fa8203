"""From bytes to text: UTF-8, or a refusal that names the parameter. See docs/decisions/0085.

Nothing here guesses: `Château` in Latin-1 and in UTF-8 are different bytes, and what was read wrongly once is stored
wrongly for ever.
"""

import re
from collections.abc import Iterable
from functools import wraps
from json import loads
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Scope

from vitrine.errors import Invalid
from vitrine.platform import json_text
from vitrine.platform.texts import without_bom

LONGEST_SHOWN = 80
_SHOWN_AS_IT_IS = "[]()!*',;:@$&=/?-._~ "  # all of them may stand in an `error_description` (RFC 6749 section 5.2)
_SURROGATE = re.compile("[\ud800-\udfff]")
_UNREAD = frozenset({"label"})  # decoration in a permalink, which nobody reads (contract 04 section 2)


class NotUtf8(Invalid):
    """A parameter, or a member of a JSON object, whose bytes are no UTF-8 (RFC 3629)."""

    code = "not_utf8"

    def __init__(self, name: bytes | str) -> None:
        shown = shown_name(name)
        super().__init__("The parameter {name} is not UTF-8 text.", field=shown, values={"name": shown})


def shown_name(name: bytes | str) -> str:
    """The name of a parameter for a refusal: ASCII, the rest percent-encoded, of limited length."""
    raw = name if isinstance(name, bytes) else _bytes_of(name)
    return quote(raw[:LONGEST_SHOWN], safe=_SHOWN_AS_IT_IS)


def _bytes_of(name: str) -> bytes:
    """A name from JSON that was read with `surrogateescape`; a half of a pair that was an escape there is a `?`."""
    return re.sub("[\ud800-\udc7f\udd00-\udfff]", "?", name).encode("utf-8", "surrogateescape")


def decoded(raw: bytes, charset: str = "utf-8") -> str:
    """One name or value of a query or of an urlencoded form. Raises UnicodeDecodeError."""
    if b"+" in raw:
        raw = raw.replace(b"+", b" ")
    if b"%" in raw:
        raw = unquote_to_bytes(raw)
    return raw.decode(charset)


def pairs_of(query: bytes) -> list[tuple[str, str]]:
    """Names and values of a query, blank ones too. Raises NotUtf8."""
    if b"%" not in query and b"+" not in query and query.isascii():  # nothing has to be decoded
        return [(name, value) for name, _, value in [pair.partition("=") for pair in query.decode().split("&") if pair]]
    parts = [pair.partition(b"=") for pair in query.split(b"&") if pair]
    return [pair(name, value) for name, _, value in parts]


def pair(name: bytes, value: bytes, charset: str = "utf-8") -> tuple[str, str]:
    """A name and its value as they stand in a query or an urlencoded form, decoded. Raises NotUtf8."""
    try:
        return decoded(name, charset), decoded(value, charset)
    except UnicodeDecodeError:
        raise NotUtf8(unquote_to_bytes(name)) from None


def ascii_target(target: bytes) -> bytes:
    """A request target (or a query) with each byte beyond ASCII percent-encoded, as RFC 3986 wants it sent."""
    if target.isascii():
        return target
    return b"".join([b"%%%02X" % byte if byte > 0x7F else b"%c" % byte for byte in target])


def require_path(scope: Scope) -> None:
    """The server put U+FFFD where the path is no UTF-8. Raises NotUtf8, naming the part of the path."""
    if "\ufffd" not in scope["path"] or not scope.get("raw_path"):
        return
    try:
        unquote_to_bytes(scope["raw_path"]).decode()
    except UnicodeDecodeError:
        for name, value in scope.get("path_params", {}).items():
            if name not in _UNREAD and "\ufffd" in str(value):
                raise NotUtf8(name) from None


def text_routes(routes: Iterable[Route]) -> list[Route]:
    """*routes* whose handlers see no path and no query that is not UTF-8, and whose uploads are released at the end,
    also those that no handler asked for; the APIs do both by themselves."""
    return [_checked(route) for route in routes]


def _checked(route: Route) -> Route:
    handler = route.endpoint

    @wraps(handler)
    async def checked(request: Request) -> Any:
        require_path(request.scope)
        if request.scope["query_string"]:
            pairs_of(request.scope["query_string"])
        try:
            return await handler(request)
        finally:
            await close_uploads(request)

    methods = sorted(route.methods or ())
    return Route(route.path, checked, methods=methods, name=route.name, include_in_schema=route.include_in_schema)


async def close_uploads(request: Request) -> None:
    """Release the spooled files of a form, if the request's parameters have been read and there are any."""
    params = request.scope["state"].get("params")
    if params is not None and params.files:
        await params.close()


def json_value(raw: bytes, kind: Any = Any) -> Any:
    """The JSON value in *raw* (RFC 8259 section 8.1: UTF-8, a byte order mark is ignored). Raises NotUtf8, naming the
    member, or NotJson."""
    raw = without_bom(raw)
    try:
        return json_text.parse(raw, kind)
    except json_text.NotJson as failure:
        member = _member_that_is_no_text(raw)
        if member is not None:
            raise NotUtf8(member or "body") from failure
        raise


def _member_that_is_no_text(raw: bytes) -> str | None:
    """The place of a text that UTF-8 cannot represent: wrong bytes, or half a surrogate pair as an escape."""
    try:
        return _path_to(loads(raw.decode("utf-8", "surrogateescape")))
    except (RecursionError, ValueError):
        return None


def _path_to(value: Any) -> str | None:
    if isinstance(value, str):
        return None if _is_text(value) else ""
    steps: list[tuple[str, str, Any]] = []
    if isinstance(value, dict):
        steps += [(key, key, below) for key, below in value.items()]
    if isinstance(value, list):
        steps += [("", f"[{place}]", below) for place, below in enumerate(value)]
    for key, step, below in steps:
        if not _is_text(key):
            return step
        path = _path_to(below)
        if path is not None:
            return f"{step}.{path}" if path and not path.startswith("[") else step + path
    return None


def _is_text(text: str) -> bool:
    return not _SURROGATE.search(text)
