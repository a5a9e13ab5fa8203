"""What several v1 routes share: the frame of presenters, list or object, extended records."""

from typing import Any

from starlette.requests import Request

from vitrine.accounts import Actor
from vitrine.api.v1 import present
from vitrine.api.v1.present import Frame
from vitrine.edge import services
from vitrine.errors import Invalid
from vitrine.library.access import sees_business_fields
from vitrine.library.records import Shown
from vitrine.platform.database import UnitOfWork

LONGEST_TTL = 10 * 365 * 86_400


def frame_of(request: Request, work: UnitOfWork, actor: Actor, *, query_only: bool = False) -> Frame:
    """*query_only*: the two search routes read `subdef_url_ttl` from the query string only (02 section 5.3)."""
    here = services(request)
    settings = here.settings
    params = request.state.params
    if query_only:
        raw = params.query.get("subdef_url_ttl")
        ttl = _ttl(raw) if isinstance(raw, str) and raw else settings.subdef_url_ttl
    else:
        ttl = params.integer("subdef_url_ttl", settings.subdef_url_ttl)
    return Frame(
        base_url=settings.base_url.rstrip("/"),
        zone=settings.zone,
        now=work.now,
        actor=actor,
        structure=here.records.structure(work),
        signed=here.signed,
        instance_id=here.instance_id,
        ttl=min(ttl, LONGEST_TTL),
        default_ttl=settings.subdef_url_ttl,
    )


def _ttl(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise Invalid("subdef_url_ttl must be a number of seconds.", field="subdef_url_ttl") from None


def lists_or_objects(request: Request, keyed: dict[str, Any]) -> Any:
    """02 section 7 as design 5.1 settles it: objects, or lists where the application or its SDK needs them."""
    shapes = request.state.bearer.list_shapes
    agent = request.headers.get("user-agent", "")
    wants_lists = shapes == "lists" or (shapes == "automatic" and agent.startswith("Phraseanet SDK"))
    return list(keyed.values()) if wants_lists else keyed


def record_extended(request: Request, work: UnitOfWork, frame: Frame, page: list[Shown]) -> list[dict[str, Any]]:
    """Records with `subdefs`, `metadata`, `status` and `caption` (02 section 5.1)."""
    here = services(request)
    made = []
    for shown in page:
        one = shown.record
        business = sees_business_fields(frame.actor, one, work.now)
        values = here.records.values(work, frame.actor, one, business=business)
        renditions = here.records.renditions(work, frame.actor, one)
        extra = {
            "subdefs": [present.subdef(frame, one, rendition) for rendition in renditions],
            "metadata": present.metadata(values),
            "status": present.record_status(frame, one),
            "caption": present.caption(values),
        }
        made.append({**present.record(frame, shown), **extra})
    return made
