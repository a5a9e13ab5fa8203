"""Collections as who manages them sees them: settings, order, suggested values, empty, delete."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v4.administration.common import (
    JSON,
    LABELS,
    ORDER,
    PERHAPS_PATH,
    SCOPE,
    begun,
    databox_id,
    labels,
    logo_path,
    members,
    only,
    permit_managing,
    tag,
)
from vitrine.api.v4.content import answer, json_members, nothing, require_tag
from vitrine.api.v4.idempotency import change
from vitrine.api.v4.paging import listed, page_of
from vitrine.api.v4.route import V4Route
from vitrine.api.v4.schemas import FLAG, NUMBER, TEXT, Schema, full_object_of, list_of, named, object_of
from vitrine.api.v4.schemas import page_of as page_schema
from vitrine.edge import bearer, listing, read, services_of, write
from vitrine.library.model import Collection, CollectionId, FieldId
from vitrine.platform.database import UnitOfWork

_REGISTRATION: Schema = {
    "type": ["boolean", "null"],
    "description": "may people ask for access; null: as the databox",
}
_STATUS: Schema = {
    "type": "integer",
    "minimum": 0,
    "description": "the status bits of records that are added, as a number",
}
_SETTINGS = {
    "base_id": NUMBER, "databox_id": NUMBER, "collection_id": NUMBER, "name": TEXT, "labels": LABELS,
    "enabled": {"type": "boolean", "description": "false: nobody sees it, nothing is deleted"},
    "is_bin": {"type": "boolean", "description": "what people delete elsewhere in its databox comes here"},
    "default_status": _STATUS, "registration_open": _REGISTRATION, "public_presentation": TEXT,
    "logo": PERHAPS_PATH, "records": {"type": "integer", "description": "how many it holds"},
}  # fmt: skip
_CHANGES = object_of(name=TEXT, labels=LABELS, enabled=FLAG, default_status=_STATUS, registration_open=_REGISTRATION)
_SUGGESTED = full_object_of(field_id=NUMBER, field=TEXT, values=list_of(TEXT))
COMPONENTS = {
    "CollectionSettings": full_object_of(**_SETTINGS),
    "CollectionSettingsPage": page_schema(named("CollectionSettings")),
    "SuggestedValues": full_object_of(data=list_of(_SUGGESTED)),
}


def _base(request: Request) -> CollectionId:
    return CollectionId(int(request.path_params["base_id"]))


def _settings(collection: Collection, records: int) -> dict[str, Any]:
    return {
        "base_id": collection.id, "databox_id": collection.databox_id, "collection_id": collection.number,
        "name": collection.name, "labels": labels(collection.labels), "enabled": collection.enabled,
        "is_bin": collection.is_bin, "default_status": collection.default_status,
        "registration_open": collection.registration_open, "public_presentation": collection.public_presentation,
        "logo": logo_path(collection.logo), "records": records,
    }  # fmt: skip


def _shown(collection: Collection, records: int, status: int = 200) -> Response:
    headers = {"ETag": tag(collection.revision, collection.id)}
    if status == 201:
        headers["Location"] = f"/api/v4/collections/{collection.id}"
    return answer(_settings(collection, records), status, headers)


def permit(request: Request, work: UnitOfWork, actor: Actor) -> None:
    """For who manages the collection of the path."""
    editor = services_of(request).library.administration.collections.editor
    editor.permit_collection(work, actor, _base(request))


def _permit_values(request: Request, work: UnitOfWork, actor: Actor) -> None:
    editor = services_of(request).library.administration.collections.editor
    editor.permit_value_lists(work, actor, _base(request))


async def of_databox(request: Request) -> Response:
    """By base_id; disabled ones too."""
    service, box = services_of(request).library.administration.collections, databox_id(request)
    page = page_of(request, int)
    (after,) = page.after or (0,)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        rows = sorted(service.all_of(work, actor, box), key=lambda row: row[0].id)
        rest = [row for row in rows if row[0].id > after][: page.limit + 1]
        return listed(request, rest, page, lambda row: (row[0].id,), lambda row: _settings(*row))

    return await listing(request, bearer, call, rows=services_of(request).library.records.structure_size)


async def make(request: Request) -> Response:
    structure, box = services_of(request).library.structure, databox_id(request)
    given = await json_members(request, name=str, labels=dict)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        created = structure.add_collection(work, actor, box, given["name"] or "", given["labels"])
        return _shown(created, 0, 201)

    return await change(request, call)


async def order(request: Request) -> Response:
    service, box = services_of(request).library.administration.collections, databox_id(request)
    ids = await only(request, "order")

    def call(work: UnitOfWork, actor: Actor) -> Response:
        service.order(work, actor, box, ids)
        return nothing()

    return await write(request, bearer, call)


async def settings(request: Request) -> Response:
    service, base = services_of(request).library.administration.collections, _base(request)
    return await read(request, bearer, lambda work, actor: _shown(*service.managed(work, actor, base)))


async def set_settings(request: Request) -> Response:
    service, base, given = (
        services_of(request).library.administration.collections,
        _base(request),
        await members(request),
    )

    def call(work: UnitOfWork, actor: Actor) -> Response:
        before, records = service.managed(work, actor, base)
        require_tag(request, tag(before.revision, base), required=True)
        return _shown(service.change(work, actor, base, given), records)

    return await write(request, bearer, call)


async def empty(request: Request) -> Response:
    service, base = services_of(request).library.administration.collections, _base(request)
    return await change(request, lambda work, actor: begun(service.empty(work, actor, base)))


async def delete(request: Request) -> Response:
    service, base = services_of(request).library.administration.collections, _base(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        before, _ = service.managed(work, actor, base)
        require_tag(request, tag(before.revision, base))
        service.delete(work, actor, base)
        return nothing()

    return await write(request, bearer, call)


async def suggested(request: Request) -> Response:
    service, base = services_of(request).library.administration.collections, _base(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        rows = service.suggested(work, actor, base)
        return answer({
            "data": [{"field_id": field.id, "field": field.name, "values": values} for field, values in rows]
        })  # fmt: skip

    return await listing(request, bearer, call)


async def suggest(request: Request) -> Response:
    service, base = services_of(request).library.administration.collections, _base(request)
    field, values = FieldId(int(request.path_params["field_id"])), await only(request, "values")

    def call(work: UnitOfWork, actor: Actor) -> Response:
        service.suggest(work, actor, base, field, values)
        return nothing()

    return await write(request, bearer, call)


_BOX, _ONE = "/databoxes/{databox_id:int}/collections", "/collections/{base_id:int}"
ROUTES = (
    V4Route(_BOX, "GET", of_databox, "All collections of a databox that you manage", SCOPE,
            named("CollectionSettingsPage"), is_list=True),
    V4Route(_BOX, "POST", make, "Make a collection", SCOPE, named("CollectionSettings"),
            object_of(name=TEXT, labels=LABELS), 201, permit=permit_managing,
            example={"name": "Films", "labels": {"de": "Filme"}}),
    V4Route(_BOX + "/order", "PUT", order, "Put the collections of a databox in an order", SCOPE,
            body=object_of(order=ORDER), status=204, permit=permit_managing, media_type=JSON),
    V4Route(_ONE + "/settings", "GET", settings, "What you may set of a collection", SCOPE,
            named("CollectionSettings")),
    V4Route(_ONE + "/settings", "PATCH", set_settings, "Set something of a collection", SCOPE,
            named("CollectionSettings"), _CHANGES, guard="required", permit=permit,
            example={"labels": {"fr": "Photographies"}}),
    V4Route(_ONE, "DELETE", delete, "Delete an empty collection", SCOPE, status=204, guard="accepted"),
    V4Route(_ONE + "/empty", "POST", empty, "Delete all records of a collection", "delete", named("StructureTask"),
            status=202),
    V4Route(_ONE + "/suggested-values", "GET", suggested, "Values that are offered while fields are filled in",
            "library:read", named("SuggestedValues")),
    V4Route(_ONE + "/suggested-values/{field_id:int}", "PUT", suggest, "Set the suggested values of a field", SCOPE,
            body=object_of(values=list_of(TEXT)), status=204, permit=_permit_values,
            example={"values": ["Genoa", "Nice"]}),
)  # fmt: skip
