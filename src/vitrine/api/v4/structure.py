"""Databoxes and collections, as the caller sees them."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.accounts.rights import names
from vitrine.api.v4.content import answer, chosen, moment, sparse
from vitrine.api.v4.paging import listed, page_of
from vitrine.api.v4.route import V4Route
from vitrine.api.v4.schemas import (
    NUMBER,
    PERHAPS_MOMENT,
    TEXT,
    Schema,
    full_object_of,
    list_of,
    named,
    sparse_object_of,
)
from vitrine.api.v4.schemas import page_of as page_schema
from vitrine.edge import bearer, read, services_of
from vitrine.edge.params import natural
from vitrine.errors import Invalid
from vitrine.library.model import Collection, CollectionId, Databox, DataboxId, Labels
from vitrine.platform.database import UnitOfWork

_LABELS = {"type": "object", "additionalProperties": TEXT, "description": "by language: fr, en, de, nl; only those set"}
_DATABOX: dict[str, Schema] = {"databox_id": NUMBER, "name": TEXT, "title": TEXT, "labels": _LABELS, "version": TEXT}
_MINE = full_object_of(rights=list_of(TEXT), valid_from=PERHAPS_MOMENT, valid_until=PERHAPS_MOMENT)
_COLLECTION: dict[str, Schema] = {
    "base_id": NUMBER, "databox_id": NUMBER, "collection_id": NUMBER, "name": TEXT, "labels": _LABELS,
    "records": {"type": "integer", "description": "how many it holds"},
    "mine": {**_MINE, "description": "what you may do there, and between which dates"},
}  # fmt: skip
COMPONENTS = {
    "Databox": sparse_object_of("databox_id", **_DATABOX),
    "DataboxPage": page_schema(named("Databox")),
    "Collection": sparse_object_of("base_id", **_COLLECTION),
    "CollectionPage": page_schema(named("Collection")),
}


def _labels(labels: Labels) -> dict[str, str]:
    return {language: label for language, label in labels.items() if label}


def _databox(box: Databox, wanted: frozenset[str] | None) -> dict[str, Any]:
    value = {
        "databox_id": box.id,
        "name": box.name,
        "title": box.view_name,
        "labels": _labels(box.labels),
        "version": box.version,
    }
    return sparse(value, wanted, "databox_id")


def _collection(actor: Actor, collection: Collection, records: int, wanted: frozenset[str] | None) -> dict[str, Any]:
    grant = actor.rights.collections[collection.id]
    value = {
        "base_id": collection.id,
        "databox_id": collection.databox_id,
        "collection_id": collection.number,
        "name": collection.name,
        "labels": _labels(collection.labels),
        "records": records,
        "mine": {
            "rights": names(grant.rights),
            "valid_from": moment(grant.valid_from),
            "valid_until": moment(grant.valid_until),
        },
    }
    return sparse(value, wanted, "base_id")


async def databoxes(request: Request) -> Response:
    services, page, wanted = services_of(request), page_of(request, int), chosen(request, _DATABOX)
    (after,) = page.after or (0,)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        visible = sorted(services.library.records.databoxes(work, actor), key=lambda box: box.id)
        rest = [box for box in visible if box.id > after]
        return listed(request, rest[: page.limit + 1], page, lambda box: (box.id,), lambda box: _databox(box, wanted))

    return await read(request, bearer, call)


async def databox(request: Request) -> Response:
    services, wanted = services_of(request), chosen(request, _DATABOX)
    number = DataboxId(request.path_params["databox_id"])
    return await read(
        request,
        bearer,
        lambda work, actor: answer(_databox(services.library.records.databox(work, actor, number), wanted)),
    )


async def collections(request: Request) -> Response:
    """Those in which the caller has a right now; `databox_id` leaves those of one databox."""
    services, page, wanted = services_of(request), page_of(request, int), chosen(request, _COLLECTION)
    (after,) = page.after or (0,)
    text = request.query_params.get("databox_id")
    box = None if text is None else natural(text)
    if text is not None and box is None:
        raise Invalid("databox_id must be a number.", field="databox_id")

    def call(work: UnitOfWork, actor: Actor) -> Response:
        rows = services.library.records.my_collections(
            work, actor, None if box is None else DataboxId(box), CollectionId(after), page.limit + 1
        )
        return listed(
            request, rows, page, lambda row: (row[0].id,), lambda row: _collection(actor, row[0], row[1], wanted)
        )

    return await read(request, bearer, call)


async def collection(request: Request) -> Response:
    services, wanted = services_of(request), chosen(request, _COLLECTION)
    base = CollectionId(request.path_params["base_id"])

    def call(work: UnitOfWork, actor: Actor) -> Response:
        known, records = services.library.records.collection_with_count(work, actor, base)
        return answer(_collection(actor, known, records, wanted))

    return await read(request, bearer, call)


ROUTES = (
    V4Route("/databoxes", "GET", databoxes, "Your databoxes", "library:read", named("DataboxPage"), is_list=True,
            chooses=True),
    V4Route("/databoxes/{databox_id:int}", "GET", databox, "One databox", "library:read", named("Databox"),
            chooses=True),
    V4Route("/collections", "GET", collections, "Your collections", "library:read", named("CollectionPage"),
            query={"databox_id": NUMBER}, is_list=True, chooses=True),
    V4Route("/collections/{base_id:int}", "GET", collection, "One collection", "library:read", named("Collection"),
            chooses=True),
)  # fmt: skip
