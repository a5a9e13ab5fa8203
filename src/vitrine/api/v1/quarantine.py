"""The quarantine: contract 02 section 6.3, items as in section 5.18."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor, User, UserId
from vitrine.api.v1 import present
from vitrine.api.v1.frame import frame_of, lists_or_objects
from vitrine.api.v1.language import language_of
from vitrine.api.v1.present import Frame
from vitrine.api.wire.envelope import answer
from vitrine.edge import bearer, long_read, read, services_of
from vitrine.edge.params import natural
from vitrine.library.model import LANGUAGES
from vitrine.library.quarantine.checks import CHECKS
from vitrine.library.quarantine.service import NoSuchItem, QuarantinedFile
from vitrine.platform.database import UnitOfWork

MOST = 1000
ROWS_AN_ITEM = 5  # the item, who sent it, and a few of the records that it clashes with


async def listed(request: Request) -> Response:
    """GET /quarantine/list/"""
    services = services_of(request)
    params = request.state.params
    offset = max(0, params.integer("offset_start", 0))
    limit = min(MOST, max(1, params.integer("per_page", 10)))

    def call(work: UnitOfWork, actor: Actor) -> list[dict[str, Any]]:
        frame = frame_of(request, work, actor)
        waiting_items = services.library.quarantine.page(work, actor, offset=offset, limit=limit)
        return _items(request, work, frame, waiting_items)

    items = await long_read(request, bearer, call)
    return answer(request, {"offset_start": offset, "per_page": limit, "quarantine_items": items})


async def item(request: Request) -> Response:
    """GET /quarantine/item/{lazaret_id}/: an id that is not a number is 404, not 400."""
    services = services_of(request)
    number = natural(request.path_params["item"])

    def call(work: UnitOfWork, actor: Actor) -> dict[str, Any]:
        if number is None:
            raise NoSuchItem("There is no such file in the quarantine.")
        waiting = services.library.quarantine.get(work, actor, number)
        return _items(request, work, frame_of(request, work, actor), [waiting])[0]

    return answer(request, {"quarantine_item": await read(request, bearer, call)})


def _items(request: Request, work: UnitOfWork, frame: Frame, files: list[QuarantinedFile]) -> list[dict[str, Any]]:
    ids = {UserId(file.item.user_id) for file in files if file.item.user_id is not None}
    users = services_of(request).accounts.users.known_by_id(work, ids)
    return [_item(request, frame, file, users) for file in files]


def _item(request: Request, frame: Frame, waiting: QuarantinedFile, users: Mapping[UserId, User]) -> dict[str, Any]:
    item = waiting.item
    language = language_of(request, LANGUAGES)
    user = None if item.user_id is None else users.get(UserId(item.user_id))
    return {
        "id": item.id,
        "quarantine_session": {
            "id": item.session_id,
            "usr_id": item.user_id,
            "user": present.person(frame, user) if user else None,
        },
        "base_id": item.collection_id,
        "original_name": item.original_name,
        "collection": waiting.collection.labels.get(language) or waiting.collection.name,
        "sha256": item.sha256,
        "uuid": item.uuid,
        "forced": item.forced,
        "checks": lists_or_objects(request, dict(waiting.failed)),
        "records_match": [
            {
                "record_id": match.record.number,
                "collection": match.collection.labels.get(language) or match.collection.name,
                "checks": {name: CHECKS[name].of_match for name in match.checks if name in CHECKS},
            }
            for match in waiting.matches
        ],
        "created_on": frame.date(item.created),
        "updated_on": frame.date(item.updated),
    }
