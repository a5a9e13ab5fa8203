"""Lists of API v4: `limit` and `cursor` in, `data` and `next` out.

A cursor is the place of the last item, not a number of items: what is added or removed in between neither repeats nor
hides another item. It holds no right: each page asks for all of them again.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from vitrine.api.v4.content import answer
from vitrine.edge import services_of
from vitrine.edge.params import natural
from vitrine.errors import Invalid
from vitrine.platform import json_text
from vitrine.platform.crypto import base64url, from_base64url

USUAL, MOST = 50, 100
LONGEST_CURSOR = 500
# They choose how much of a list comes, and in which form; all other parameters choose which list it is.
_NOT_OF_THE_LIST = frozenset({"limit", "cursor", "fields"})
T = TypeVar("T")
Place = tuple[Any, ...]


class BadCursor(Invalid):
    """A cursor that this list did not give."""

    code = "bad_cursor"


@dataclass(frozen=True, slots=True)
class Page:
    """The page that was asked for: *limit* items after the item at the place *after* (None: from the beginning)."""

    limit: int
    after: Place | None


def page_of(request: Request, *kinds: type, most: int = MOST) -> Page:
    """Read `limit` and `cursor`. A place has one value of each of *kinds* (int or str). Raises Invalid or BadCursor."""
    text = request.query_params.get("limit", str(min(USUAL, most)))
    limit = natural(text)
    if limit is None or not 1 <= limit <= most:
        raise Invalid(f"limit must be a whole number from 1 to {most}.", field="limit")
    cursor = request.query_params.get("cursor")
    return Page(limit, None if cursor is None else _place(request, cursor, kinds))


def listed(
    request: Request, items: Sequence[T], page: Page, place: Callable[[T], Place], present: Callable[[T], Any]
) -> Response:
    """The answer: *items* are those of the page, and one more if there is more. *place* is where an item stands."""
    shown = items[: page.limit]
    return page_answer(
        request, [present(item) for item in shown], place(shown[-1]) if len(items) > len(shown) else None
    )


def page_answer(request: Request, data: list[Any], after: Place | None) -> Response:
    """*after* is the place of the last item while there is more; the `Link` header says the same (RFC 8288)."""
    if after is None:
        return answer({"data": data, "next": None})
    cursor = base64url(msgspec.json.encode([_list_of(request), *after]))
    pairs = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    settings = services_of(request).settings
    address = settings.absolute(f"{request.url.path}?{urlencode([*pairs, ('cursor', cursor)])}")
    return answer({"data": data, "next": cursor}, headers={"Link": f'<{address}>; rel="next"'})


def _place(request: Request, cursor: str, kinds: tuple[type, ...]) -> Place:
    try:
        parts = json_text.parse(from_base64url(cursor[:LONGEST_CURSOR]), list[int | str])
    except ValueError:
        raise _bad_cursor() from None
    fits = len(parts) == len(kinds) + 1 and parts[0] == _list_of(request)
    if not fits or any(type(part) is not kind for part, kind in zip(parts[1:], kinds, strict=True)):
        raise _bad_cursor()
    if any(isinstance(part, int) and abs(part) >= 2**63 for part in parts):
        raise _bad_cursor()
    return tuple(parts[1:])


def _bad_cursor() -> BadCursor:
    return BadCursor(
        "This cursor is not of this list. Send the value of next with the same parameters, or begin without cursor.",
        field="cursor",
    )


def _list_of(request: Request) -> str:
    """Which list a cursor belongs to: path and parameters, in short."""
    pairs = sorted(pair for pair in request.query_params.multi_items() if pair[0] not in _NOT_OF_THE_LIST)
    return hashlib.sha256(urlencode([("", request.url.path), *pairs]).encode()).hexdigest()[:8]
