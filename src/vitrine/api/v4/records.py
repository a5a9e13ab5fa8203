"""Records: find, show."""

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v4 import present
from vitrine.api.v4.content import answer, chosen
from vitrine.api.v4.present import COMPONENTS
from vitrine.api.v4.route import V4Route
from vitrine.api.v4.schemas import named
from vitrine.edge import bearer, read, services_of
from vitrine.library.model import DataboxId, RecordKey
from vitrine.platform.database import UnitOfWork

__all__ = ["COMPONENTS", "ROUTES"]
RECORD = "/records/{databox_id:int}/{record_id:int}"


def key_of(request: Request) -> RecordKey:
    return RecordKey(DataboxId(request.path_params["databox_id"]), request.path_params["record_id"])


def place_of(request: Request, work: UnitOfWork, actor: Actor) -> present.Place:
    services = services_of(request)
    life = timedelta(seconds=services.settings.subdef_url_ttl)
    return present.Place(
        services.settings.base_url.rstrip("/"),
        services.library.signed_addresses.signer((actor.must_user_id, actor.url_key), life=life, now=work.now),
        services.library.records.structure(work),
    )


def needs_full(wanted: frozenset[str] | None) -> bool:
    return wanted is None or bool(wanted & present.DEEP)


async def show(request: Request) -> Response:
    """One record with its entity tag."""
    services, wanted = services_of(request), chosen(request, present.RECORD)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        shown = services.library.records.shown(work, actor, key_of(request))
        full = services.library.records.described(work, actor, [shown])[0] if needs_full(wanted) else None
        value = present.record(place_of(request, work, actor), shown, full, wanted)
        return answer(value, headers={"ETag": present.tag_of(shown.record)})

    return await read(request, bearer, call)


ROUTES = (V4Route(RECORD, "GET", show, "One record", "library:read", named("Record"), chooses=True),)
