"""The structure of the caller's databoxes: contract 02 sections 6.2 and 6.10."""

import base64
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor, CollectionGrant
from vitrine.api.v1 import present, present_structure
from vitrine.api.v1.frame import lists_or_objects
from vitrine.api.wire.envelope import answer
from vitrine.edge import Services, bearer, listing, read, run_in_thread, services_of
from vitrine.edge.params import natural
from vitrine.errors import NotFound
from vitrine.library.model import CollectionId, DataboxId, Structure
from vitrine.platform.cache import Cache
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
    """GET /databoxes/{databox_id}/termsOfUse/: the version in force, an empty list without any."""
    services, box = services_of(request), _databox(request)
    version = await read(request, bearer, lambda work, actor: services.library.terms.current(work, actor, box))
    texts = {} if version is None else version.texts
    return answer(request, {"termsOfUse": [{"locale": language, "terms": html} for language, html in texts.items()]})


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

    def call(work: UnitOfWork, actor: Actor) -> tuple[Structure, list[CollectionGrant]]:
        listed = [grant for grant in actor.rights.collections.values() if grant.is_in_time(work.now)]
        return services.library.records.structure(work), listed

    structure, listed = await listing(request, bearer, call, rows=services.library.records.structure_size)
    pictures = [structure.collections[CollectionId(grant.base_id)].logo for grant in listed]
    logos = await run_in_thread(partial(_in_base64, services, pictures)) if any(pictures) else [""] * len(listed)
    collections = [
        present_structure.my_collection(structure, grant, logo) for grant, logo in zip(listed, logos, strict=True)
    ]
    return answer(request, {"collections": collections})


def _in_base64(services: Services, pictures: Sequence[Mapping[str, Any] | None]) -> list[str]:
    """The logos, empty where there is none or its bytes are missing. Each has 64 KB at most."""
    encoded = []
    for picture in pictures:
        known = "" if picture is None else _logos.get(picture["sha256"])
        if known is None and picture is not None:
            try:
                with services.media.store.open(picture["sha256"]) as file:
                    known = base64.b64encode(file.read()).decode()
            except NotFound:
                known = ""
            _logos.put(picture["sha256"], known)
        encoded.append(known or "")
    return encoded


_logos: Cache[str, str] = Cache("logos", 500)
