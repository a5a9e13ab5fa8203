"""Metadata fields of a databox."""

from dataclasses import fields as parts_of
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v4.administration.common import (
    JSON,
    LABELS,
    ORDER,
    SCOPE,
    begun,
    databox_id,
    labels,
    members,
    only,
    permit_structure,
    tag,
)
from vitrine.api.v4.content import answer, nothing, require_tag
from vitrine.api.v4.idempotency import change
from vitrine.api.v4.paging import listed, page_of
from vitrine.api.v4.route import V4Route
from vitrine.api.v4.schemas import FLAG, NUMBER, PERHAPS_TEXT, TEXT, Schema, full_object_of, list_of, named, object_of
from vitrine.api.v4.schemas import page_of as page_schema
from vitrine.edge import bearer, listing, long_read, read, services_of, write
from vitrine.library.model import Field, FieldId
from vitrine.platform.database import UnitOfWork

_ATTRIBUTES: dict[str, Schema] = {
    "name": {"type": "string", "description": "in queries: ASCII letters and digits, made from what you send"},
    "labels": LABELS, "type": {"enum": ["string", "number", "date", "text"]}, "multi": FLAG,
    "separator": {"type": "string", "description": "characters that split a typed text into values; ; always does"},
    "source": {"type": "string", "description": "the embedded tag that it comes from, such as XMP-dc:Title"},
    "fallbacks": {**list_of(TEXT), "description": "tags that are tried when the source is empty"},
    "readonly": FLAG, "required": FLAG,
    "business": {"type": "boolean", "description": "for those only who may edit the record"},
    "indexable": FLAG,
    "aggregable": {"type": "integer", "description": "0: no facet; n: one with at most n values; -1: without limit"},
    "thumbtitle": {"type": "boolean", "description": "part of titles"},
    "title_language": {**PERHAPS_TEXT, "description": "part of titles in this language only"},
    "dces_element": {**PERHAPS_TEXT, "description": "element of Dublin Core; each belongs to one field"},
    "thesaurus_branch": TEXT, "generate_cterms": FLAG, "vocabulary_type": PERHAPS_TEXT, "vocabulary_restricted": FLAG,
    "report": FLAG, "gui_editable": FLAG, "gui_visible": FLAG, "printable": FLAG, "input_disable": FLAG,
}  # fmt: skip
COMPONENTS = {
    "Field": full_object_of(field_id=NUMBER, databox_id=NUMBER, **_ATTRIBUTES),
    "FieldPage": page_schema(named("Field")),
    "FieldChanges": object_of(**_ATTRIBUTES),
}
_HIDDEN = frozenset({"id", "sort_slot", "revision"})


def _field(field: Field) -> dict[str, Any]:
    values = {part.name: getattr(field, part.name) for part in parts_of(Field) if part.name not in _HIDDEN}
    return {"field_id": field.id, **values, "labels": labels(field.labels), "fallbacks": list(field.fallbacks)}


def _tag(field: Field) -> str:
    return tag(field.revision, field.databox_id, field.id)


def _shown(field: Field, status: int = 200) -> Response:
    headers = {"ETag": _tag(field)}
    if status == 201:
        headers["Location"] = f"/api/v4/databoxes/{field.databox_id}/fields/{field.id}"
    return answer(_field(field), status, headers)


def _permit(request: Request, work: UnitOfWork, actor: Actor) -> None:
    services_of(request).library.administration.fields.get(work, actor, databox_id(request), _number(request))


def _number(request: Request) -> FieldId:
    return FieldId(int(request.path_params["field_id"]))


async def every(request: Request) -> Response:
    """In the order of the databox; business fields for those only who may edit there."""
    services, box, page = services_of(request), databox_id(request), page_of(request, int)
    (after,) = page.after or (-1,)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        services.library.records.databox(work, actor, box)
        known = services.library.records.known_fields(work, actor)
        places = [(place, field) for place, field in enumerate(known) if field.databox_id == box and place > after]
        return listed(request, places[: page.limit + 1], page, lambda row: (row[0],), lambda row: _field(row[1]))

    return await listing(request, bearer, call, rows=services.library.records.structure_size)


async def make(request: Request) -> Response:
    fields, box, given = services_of(request).library.administration.fields, databox_id(request), await members(request)
    return await change(request, lambda work, actor: _shown(fields.add(work, actor, box, given), 201))


async def order(request: Request) -> Response:
    fields, box, ids = (
        services_of(request).library.administration.fields, databox_id(request), await only(request, "order")
    )  # fmt: skip

    def call(work: UnitOfWork, actor: Actor) -> Response:
        fields.order(work, actor, box, ids)
        return nothing()

    return await write(request, bearer, call)


async def show(request: Request) -> Response:
    fields, box, number = services_of(request).library.administration.fields, databox_id(request), _number(request)
    return await read(request, bearer, lambda work, actor: _shown(fields.get(work, actor, box, number)))


async def set_field(request: Request) -> Response:
    fields, box, number = services_of(request).library.administration.fields, databox_id(request), _number(request)
    given = await members(request)
    checked = 0
    if given.get("multi") is False:
        # All its values are looked at in a snapshot, so that nobody waits for it.
        checked = await long_read(request, bearer, lambda work, actor: fields.permit_single(work, actor, box, number))

    def call(work: UnitOfWork, actor: Actor) -> Response:
        require_tag(request, _tag(fields.get(work, actor, box, number)), required=True)
        return _shown(fields.change(work, actor, box, number, given, checked=checked))

    return await write(request, bearer, call)


async def delete(request: Request) -> Response:
    fields, box, number = services_of(request).library.administration.fields, databox_id(request), _number(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        require_tag(request, _tag(fields.get(work, actor, box, number)))
        return begun(fields.delete(work, actor, box, number))

    return await write(request, bearer, call)


_BOX = "/databoxes/{databox_id:int}/fields"
ROUTES = (
    V4Route(_BOX, "GET", every, "The fields of a databox, in order", "library:read", named("FieldPage"), is_list=True),
    V4Route(_BOX, "POST", make, "Add a field", SCOPE, named("Field"), named("FieldChanges"), 201,
            permit=permit_structure, example={"name": "Place", "labels": {"fr": "Lieu"}, "multi": True}),
    V4Route(_BOX + "/order", "PUT", order, "Put the fields in an order", SCOPE, body=object_of(order=ORDER),
            status=204, permit=permit_structure, media_type=JSON),
    V4Route(_BOX + "/{field_id:int}", "GET", show, "One field", SCOPE, named("Field")),
    V4Route(_BOX + "/{field_id:int}", "PATCH", set_field, "Change a field", SCOPE, named("Field"),
            named("FieldChanges"), guard="required", permit=_permit,
            example={"labels": {"nl": "Titel"}, "required": True}),
    V4Route(_BOX + "/{field_id:int}", "DELETE", delete, "Delete a field and, as a task, its values", SCOPE,
            named("StructureTask"), status=202, guard="accepted"),
)  # fmt: skip
