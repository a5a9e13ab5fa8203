"""Shared by several v1 routes: the presenters' frame, list or object, extended records."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from starlette.requests import Request

from vitrine.accounts import Actor, User, reach
from vitrine.api.v1 import present_json
from vitrine.api.v1.present import Frame
from vitrine.api.wire.envelope import is_extended
from vitrine.edge import services_of
from vitrine.errors import Invalid
from vitrine.library.records import RecordWithThumbnail
from vitrine.platform.database import UnitOfWork

LONGEST_TTL = 10 * 365 * 86_400


class _Knows:
    """`reach.may_know`, asked once for each person of an answer."""

    __slots__ = ("_actor", "_known", "_work")

    def __init__(self, work: UnitOfWork, actor: Actor) -> None:
        self._work, self._actor = work, actor
        self._known: dict[int, bool] = {}

    def __call__(self, user: User) -> bool:
        if user.id not in self._known:
            self._known[user.id] = reach.may_know(self._work, self._actor, user)
        return self._known[user.id]


def frame_of(request: Request, work: UnitOfWork, actor: Actor, *, query_only: bool = False) -> Frame:
    """*query_only*: the two search routes read `subdef_url_ttl` from the query string only (02 section 5.3)."""
    services = services_of(request)
    settings = services.settings
    params = request.scope["state"]["params"]
    if query_only:
        raw = params.query.get("subdef_url_ttl")
        ttl = _ttl(raw) if isinstance(raw, str) and raw else settings.subdef_url_ttl
    else:
        ttl = params.integer("subdef_url_ttl", settings.subdef_url_ttl)
    ttl = max(-LONGEST_TTL, min(ttl, LONGEST_TTL))
    seconds = ttl or settings.subdef_url_ttl  # 0 means the default life but is shown as 0; negative never expires
    life = timedelta(seconds=seconds) if seconds > 0 else None
    base_url, zone = settings.base_url.rstrip("/"), ZoneInfo(settings.timezone)
    return Frame(
        base_url=base_url,
        zone=zone,
        now=work.now,
        actor=actor,
        structure=services.library.records.structure(work),
        instance_id=services.instance_id,
        # A negative life is shown as -1, but the search routes echo it unchanged (02 section 5.3).
        shown_ttl=ttl if query_only else max(ttl, -1),
        signer=services.library.signed_addresses.signer((actor.must_user_id, actor.url_key), life=life, now=work.now),
        writable=work.writable,
        place=(base_url, zone, services.instance_id),
        knows=_Knows(work, actor),
    )


def _ttl(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise Invalid("subdef_url_ttl must be a number of seconds.", field="subdef_url_ttl") from None


def lists_or_objects(request: Request, keyed: dict[str, Any]) -> Any:
    """02 section 7 as decided in design 5.1: objects, or lists where the application or its SDK needs them."""
    shapes = request.state.bearer.list_shapes
    agent = request.headers.get("user-agent", "")
    wants_lists = shapes == "lists" or (shapes == "automatic" and agent.startswith("Phraseanet SDK"))
    return list(keyed.values()) if wants_lists else keyed


def records_json(
    request: Request, work: UnitOfWork, frame: Frame, page: list[RecordWithThumbnail]
) -> list[msgspec.Raw]:
    """The records of a page, plain or extended as the request says."""
    if not is_extended(request):
        return [msgspec.Raw(present_json.record_json(frame, record)) for record in page]
    descriptions = services_of(request).library.records.described(work, frame.actor, page)
    return [msgspec.Raw(present_json.extended_json(frame, description)) for description in descriptions]
