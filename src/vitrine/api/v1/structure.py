"""The structure of the caller's databoxes: contract 02 sections 6.2 and 6.10."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v1 import present, present_structure
from vitrine.api.v1.frame import lists_or_objects
from vitrine.api.wire.envelope import answer
from vitrine.edge import bearer, listing, read, services_of
from vitrine.edge.params import natural
from vitrine.errors import NotFound
from vitrine.library.model import CollectionId, DataboxId
from vitrine.platform.database import UnitOfWork


def _databox(request: Request) -> DataboxId:
    return DataboxId(int(request.path_params["databox_id"]))


async def status(request: Request) -> Response:
    """GET /databoxes/{databox_id}/status/"""
    services, box = services_of(request), _databox(request)

    def call(work: UnitOfWork, actor: Actor) -> list[dict[str, Any]]:
        return [
            present_structure.status_definition(bit)
            for bit in services.library.records.structure_of(work, actor, box)[1]
        ]

    return answer(
        request, {"status": await listing(request, bearer, call, rows=services.library.records.structure_size)}
    )


async def fields(request: Request) -> Response:
    """GET /databoxes/{databox_id}/metadatas/"""
    services, box = services_of(request), _databox(request)

    def call(work: UnitOfWork, actor: Actor) -> Any:
        fields = services.library.records.structure_of(work, actor, box)[0]
        return lists_or_objects(request, {str(field.id): present_structure.field_definition(field) for field in fields})

    return answer(
        request,
        {"document_metadatas": await listing(request, bearer, call, rows=services.library.records.structure_size)},
    )


async def terms(request: Request) -> Response:
    """GET /databoxes/{databox_id}/termsOfUse/: an empty list, since databoxes have none yet."""
    services, box = services_of(request), _databox(request)
    await read(request, bearer, lambda work, actor: services.library.records.databox(work, actor, box))
    return answer(request, {"termsOfUse": []})


async def collection(request: Request) -> Response:
    """GET /collections/{base_id}/: an id that is not a number is 404 here, after the token has been checked."""
    services = services_of(request)
    text = request.path_params["base_id"]

    def call(work: UnitOfWork, actor: Actor) -> dict[str, Any]:
        if not (text.isascii() and text.isdecimal()):
            raise NotFound("")
        base = natural(text) or 0  # no collection has the number 0, or one of so many digits
        collection, count = services.library.records.collection_with_count(work, actor, CollectionId(base))
        return present.collection(collection, count)

    return answer(request, {"collection": await read(request, bearer, call)})


async def structures(request: Request) -> Response:
    """GET /me/structures/"""
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> dict[str, Any]:
        known_fields = services.library.records.known_fields(work, actor)
        return {
            "meta_fields": [present_structure.meta_field(field) for field in known_fields],
            "aggregable_fields": present_structure.aggregable_fields(known_fields),
            "technical_fields": present_structure.technical_fields(),
        }

    return answer(request, await listing(request, bearer, call, rows=services.library.records.structure_size))


async def subdefs(request: Request) -> Response:
    """GET /me/subdefs/"""
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> dict[str, Any]:
        box_ids = {box.id for box in services.library.records.databoxes(work, actor)}
        all_recipes = services.library.records.structure(work).recipes.values()
        return present_structure.recipes(recipe for recipe in all_recipes if recipe.databox_id in box_ids)

    return answer(
        request, {"subdefs": await listing(request, bearer, call, rows=services.library.records.structure_size)}
    )


async def my_collections(request: Request) -> Response:
    """GET /me/collections/"""
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> list[dict[str, Any]]:
        structure = services.library.records.structure(work)
        listed = [grant for grant in actor.rights.collections.values() if grant.is_in_time(work.now)]
        return [present_structure.my_collection(structure, grant) for grant in listed]

    return answer(
        request, {"collections": await listing(request, bearer, call, rows=services.library.records.structure_size)}
    )
