"""What the caller's databoxes are made of: contract 02 sections 6.2 and 6.10."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v1 import present, present_structure
from vitrine.api.v1.frame import lists_or_objects
from vitrine.api.wire.envelope import answer
from vitrine.edge import bearer, read, services
from vitrine.errors import NotFound
from vitrine.library.model import CollectionId, DataboxId
from vitrine.platform.database import UnitOfWork


def _databox(request: Request) -> DataboxId:
    return DataboxId(int(request.path_params["databox_id"]))


async def status(request: Request) -> Response:
    """GET /databoxes/{databox_id}/status/"""
    here, box = services(request), _databox(request)

    def call(work: UnitOfWork, actor: Actor) -> list[dict[str, Any]]:
        return [present_structure.status_definition(one) for one in here.records.structure_of(work, actor, box)[1]]

    return answer(request, {"status": await read(request, bearer, call)})


async def fields(request: Request) -> Response:
    """GET /databoxes/{databox_id}/metadatas/"""
    here, box = services(request), _databox(request)

    def call(work: UnitOfWork, actor: Actor) -> Any:
        found = here.records.structure_of(work, actor, box)[0]
        return lists_or_objects(request, {str(one.id): present_structure.field_definition(one) for one in found})

    return answer(request, {"document_metadatas": await read(request, bearer, call)})


async def terms(request: Request) -> Response:
    """GET /databoxes/{databox_id}/termsOfUse/: databoxes have none yet, which is an empty list."""
    here, box = services(request), _databox(request)
    await read(request, bearer, lambda work, actor: here.records.databox(work, actor, box))
    return answer(request, {"termsOfUse": []})


async def collection(request: Request) -> Response:
    """GET /collections/{base_id}/: not digits is 404 here, after the token was looked at."""
    here = services(request)
    base = request.path_params["base_id"]

    def call(work: UnitOfWork, actor: Actor) -> dict[str, Any]:
        if not (base.isascii() and base.isdecimal()):
            raise NotFound("")
        found, many = here.records.one_collection(work, actor, CollectionId(int(base)))
        return present.collection(found, many)

    return answer(request, {"collection": await read(request, bearer, call)})


async def structures(request: Request) -> Response:
    """GET /me/structures/"""
    here = services(request)

    def call(work: UnitOfWork, actor: Actor) -> dict[str, Any]:
        found = here.records.known_fields(work, actor)
        return {
            "meta_fields": [present_structure.meta_field(one) for one in found],
            "aggregable_fields": present_structure.aggregable_fields(found),
            "technical_fields": present_structure.technical_fields(),
        }

    return answer(request, await read(request, bearer, call))


async def subdefs(request: Request) -> Response:
    """GET /me/subdefs/"""
    here = services(request)

    def call(work: UnitOfWork, actor: Actor) -> dict[str, Any]:
        mine = {one.id for one in here.records.databoxes(work, actor)}
        found = here.records.structure(work).recipes.values()
        return present_structure.recipes(one for one in found if one.databox_id in mine)

    return answer(request, {"subdefs": await read(request, bearer, call)})


async def my_collections(request: Request) -> Response:
    """GET /me/collections/"""
    here = services(request)

    def call(work: UnitOfWork, actor: Actor) -> list[dict[str, Any]]:
        structure = here.records.structure(work)
        listed = [one for one in actor.rights.collections.values() if one.is_in_time(work.now)]
        return [present_structure.my_collection(structure, one) for one in listed]

    return answer(request, {"collections": await read(request, bearer, call)})
