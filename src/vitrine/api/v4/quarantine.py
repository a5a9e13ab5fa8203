"""Files that wait for a decision: list, show, accept, use in place of another, delete."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v4.content import answer, json_members, moment, nothing
from vitrine.api.v4.idempotency import change_in_steps
from vitrine.api.v4.paging import listed as listed_page
from vitrine.api.v4.paging import page_of
from vitrine.api.v4.route import V4Route
from vitrine.api.v4.schemas import (
    FLAG,
    MOMENT,
    NUMBER,
    PERHAPS_NUMBER,
    PERHAPS_TEXT,
    TEXT,
    full_object_of,
    list_of,
    named,
    object_of,
)
from vitrine.api.v4.schemas import page_of as page_schema
from vitrine.edge import bearer, long_read, read, run_in_thread, services_of, write
from vitrine.errors import Invalid
from vitrine.library.arrivals import Arrival
from vitrine.library.model import RecordKey
from vitrine.library.quarantine.service import QuarantinedFile
from vitrine.platform.database import UnitOfWork

ITEM = "/quarantine/{item_id:int}"
_MATCH = full_object_of(databox_id="integer", record_id="integer", checks=list_of(TEXT), replaceable=FLAG)
_FAILED = full_object_of(check="string", reason=PERHAPS_TEXT)
COMPONENTS = {
    "QuarantinedFile": full_object_of(
        item_id=NUMBER, base_id=NUMBER, sender_id=PERHAPS_NUMBER, original_name=TEXT, mime_type=TEXT, size=NUMBER,
        sha256=TEXT, forced=FLAG, created=MOMENT, failed=list_of(_FAILED), matches=list_of(_MATCH),
    ),
    "QuarantinePage": page_schema(named("QuarantinedFile")),
    "Decided": full_object_of(databox_id=NUMBER, record_id=NUMBER),
}  # fmt: skip


def _presented(waiting: QuarantinedFile) -> dict[str, Any]:
    item = waiting.item
    return {
        "item_id": item.id,
        "base_id": item.collection_id,
        "sender_id": item.user_id,
        "original_name": item.original_name,
        "mime_type": item.mime,
        "size": item.size,
        "sha256": item.sha256,
        "forced": item.forced,
        "created": moment(item.created),
        "failed": [{"check": name, "reason": reason} for name, reason in waiting.failed.items()],
        "matches": [
            {
                "databox_id": match.record.databox_id,
                "record_id": match.record.number,
                "checks": list(match.checks),
                "replaceable": match.replaceable,
            }
            for match in waiting.matches
        ],
    }


async def listed(request: Request) -> Response:
    """Newest first, from the collections to which the caller may add."""
    services, page = services_of(request), page_of(request, int)
    before = page.after[0] if page.after else None

    def call(work: UnitOfWork, actor: Actor) -> Response:
        files = services.library.quarantine.page(work, actor, offset=0, limit=page.limit + 1, before=before)
        return listed_page(request, files, page, lambda waiting: (waiting.item.id,), _presented)

    return await long_read(request, bearer, call)


async def show(request: Request) -> Response:
    services, item = services_of(request), request.path_params["item_id"]
    return await read(
        request, bearer, lambda work, actor: answer(_presented(services.library.quarantine.get(work, actor, item)))
    )


async def accept(request: Request) -> Response:
    """Make it a record."""
    services, item = services_of(request), request.path_params["item_id"]

    def call(work: UnitOfWork, actor: Actor, arrival: Arrival) -> Response:
        return _decided(request, services.library.quarantine.accept(work, actor, item, arrival))

    return await change_in_steps(request, lambda: _arrival(request), call)


def permit(request: Request, work: UnitOfWork, actor: Actor) -> None:
    """On any collection: the item is gone when the request is repeated."""
    services_of(request).library.quarantine.permit_any(work, actor)


async def substitute(request: Request) -> Response:
    """Put it in the place of the file of a record that it clashes with."""
    services, item = services_of(request), request.path_params["item_id"]
    number = (await json_members(request, record_id=int))["record_id"]
    if number is None:
        raise Invalid("record_id must be the number of one of the matches.", field="record_id")

    def call(work: UnitOfWork, actor: Actor, arrival: Arrival) -> Response:
        return _decided(request, services.library.quarantine.substitute(work, actor, item, arrival, number))

    return await change_in_steps(request, lambda: _arrival(request), call)


async def _arrival(request: Request) -> Arrival:
    """The file, probed again outside of any transaction."""
    quarantine, item = services_of(request).library.quarantine, request.path_params["item_id"]
    waiting = await read(request, bearer, lambda work, actor: quarantine.get(work, actor, item))
    return await run_in_thread(lambda: quarantine.arrival(waiting.item))


def _decided(request: Request, key: RecordKey) -> Response:
    location = services_of(request).settings.absolute(f"/api/v4/records/{key.databox}/{key.number}")
    return answer({"databox_id": key.databox, "record_id": key.number}, 201, {"Location": location})


async def delete(request: Request) -> Response:
    services, item = services_of(request), request.path_params["item_id"]

    def call(work: UnitOfWork, actor: Actor) -> Response:
        services.library.quarantine.delete(work, actor, item)
        return nothing()

    return await write(request, bearer, call)


ROUTES = (
    V4Route("/quarantine", "GET", listed, "Files that wait for a decision", "quarantine", named("QuarantinePage"),
            is_list=True),
    V4Route(ITEM, "GET", show, "One file that waits", "quarantine", named("QuarantinedFile")),
    V4Route(ITEM, "DELETE", delete, "Reject it", "quarantine", status=204),
    V4Route(ITEM + "/accept", "POST", accept, "Make it a record", "quarantine", named("Decided"), status=201),
    V4Route(ITEM + "/substitute", "POST", substitute, "Put it in the place of a file that it clashes with",
            "quarantine", named("Decided"), object_of(record_id=NUMBER), 201, permit=permit, example={"record_id": 1}),
)  # fmt: skip
