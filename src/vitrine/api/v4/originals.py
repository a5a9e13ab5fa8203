"""Originals: earlier versions, rotation, corrected types; and values copied from record to record."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor, Right
from vitrine.api.v4 import idempotency
from vitrine.api.v4.content import answer, json_members, moment, require_tag
from vitrine.api.v4.present import tag_of
from vitrine.api.v4.records import RECORD, key_of
from vitrine.api.v4.route import V4Route
from vitrine.api.v4.schemas import (
    MOMENT,
    NUMBER,
    PERHAPS_NUMBER,
    TEXT,
    full_object_of,
    list_of,
    named,
    object_of,
)
from vitrine.api.v4.schemas import page_of as page_schema
from vitrine.api.wire.endpoint import Permit
from vitrine.edge import bearer, read, services_of, write
from vitrine.edge.params import LONGEST_ID
from vitrine.errors import Invalid
from vitrine.library.model import KINDS, DataboxId, FieldId, Record, RecordKey
from vitrine.platform.database import UnitOfWork

MOST_FIELDS = 100
COMPONENTS = {
    "Version": full_object_of(
        version_id=NUMBER, name=TEXT, mime_type=TEXT, size=NUMBER, replaced=MOMENT,
        replaced_by={**PERHAPS_NUMBER, "description": "user id; null where the person is gone"},
        url={**TEXT, "description": "the file, for your token or your signed-in browser"},
    ),
    "VersionPage": page_schema(named("Version")),
    "RecordChanged": full_object_of(databox_id=NUMBER, record_id=NUMBER, updated=MOMENT),
}  # fmt: skip


async def versions(request: Request) -> Response:
    """At most twenty, so there is one page."""
    services, key = services_of(request), key_of(request)
    folder = services.settings.absolute(f"/datafiles/{key.databox}/{key.number}/versions/")

    def call(work: UnitOfWork, actor: Actor) -> Response:
        data = [
            {
                "version_id": version.id,
                "name": version.name,
                "mime_type": version.mime,
                "size": version.size,
                "replaced": moment(version.replaced_at),
                "replaced_by": version.replaced_by,
                "url": f"{folder}{version.id}/",
            }
            for version in services.library.substitution.versions(work, actor, key)
        ]
        return answer({"data": data, "next": None})

    return await read(request, bearer, call)


async def restore(request: Request) -> Response:
    substitution, version_id = services_of(request).library.substitution, request.path_params["version_id"]
    return await _changed(request, lambda work, actor, key: substitution.restore_version(work, actor, key, version_id))


def with_right(right: Right) -> Permit:
    """For who sees the record of the path and has *right* on its collection."""

    def permit(request: Request, work: UnitOfWork, actor: Actor) -> object:
        return services_of(request).library.changes.with_right(work, actor, key_of(request), right)

    return permit


async def rotate(request: Request) -> Response:
    originals = services_of(request).library.originals
    degrees = (await json_members(request, degrees=int))["degrees"]
    if degrees is None or abs(degrees) > 360:
        raise Invalid("degrees must be 90, 180 or 270.", field="degrees")
    return await _changed(request, lambda work, actor, key: originals.rotate(work, actor, key, degrees))


async def copy_fields(request: Request) -> Response:
    changes = services_of(request).library.changes
    given = await json_members(request, databox_id=int, record_id=int, field_ids=list)
    source = RecordKey(DataboxId(_number(given["databox_id"], "databox_id")), _number(given["record_id"], "record_id"))
    fields = given["field_ids"] or []
    if not 0 < len(fields) <= MOST_FIELDS:
        raise Invalid(f"field_ids must name 1 to {MOST_FIELDS} fields.", field="field_ids")
    field_ids = [FieldId(_number(field, "field_ids")) for field in fields]
    return await _changed(request, lambda work, actor, key: changes.copy_values(work, actor, source, key, field_ids))


async def correct_type(request: Request) -> Response:
    """`mime_type`, `type` or both."""
    services, key = services_of(request), key_of(request)
    given = await json_members(request, mime_type=str, type=str)
    if given["mime_type"] is None and given["type"] is None:
        raise Invalid("Send mime_type, type or both.", field="mime_type")

    def call(work: UnitOfWork, actor: Actor) -> Response:
        require_tag(request, tag_of(services.library.records.get(work, actor, key)))
        record = services.library.originals.correct_type(work, actor, key, mime=given["mime_type"], kind=given["type"])
        return _answer(record)

    return await write(request, bearer, call)


async def _changed(request: Request, change: Callable[[UnitOfWork, Actor, RecordKey], Record]) -> Response:
    key = key_of(request)
    return await idempotency.change(request, lambda work, actor: _answer(change(work, actor, key)))


def _answer(record: Record) -> Response:
    value = {"databox_id": record.databox_id, "record_id": record.number, "updated": moment(record.updated)}
    return answer(value, headers={"ETag": tag_of(record)})


def _number(value: Any, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 10**LONGEST_ID:
        raise Invalid(f"{name} must be a number.", field=name)
    return value


VERSIONS = RECORD + "/versions"
_CHANGED = named("RecordChanged")
ROUTES = (
    V4Route(VERSIONS, "GET", versions, "Earlier originals of a record", "originals", named("VersionPage")),
    V4Route(VERSIONS + "/{version_id:int}/restore", "POST", restore, "Make an earlier original the present one",
            "delete", _CHANGED),
    V4Route(RECORD + "/rotate", "POST", rotate, "Turn the renditions of a picture clockwise", "metadata:edit", _CHANGED,
            object_of(degrees={"enum": [90, 180, 270]}), permit=with_right(Right.imgtools), example={"degrees": 90}),
    V4Route(RECORD + "/copy-fields", "POST", copy_fields, "Give a record field values of another one", "metadata:edit",
            _CHANGED, object_of(databox_id=NUMBER, record_id=NUMBER, field_ids=list_of(NUMBER)),
            permit=with_right(Right.canmodifrecord), example={"databox_id": 1, "record_id": 2, "field_ids": [1]}),
    V4Route(RECORD + "/type", "PATCH", correct_type, "Correct the media type and the kind of a record", "metadata:edit",
            _CHANGED, object_of(mime_type=TEXT, type={"enum": list(KINDS)}), guard="accepted",
            permit=with_right(Right.canmodifrecord), example={"mime_type": "image/png"}),
)  # fmt: skip
