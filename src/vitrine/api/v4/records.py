"""One record: show it, its files, change, move and delete it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v4 import present
from vitrine.api.v4.content import answer, chosen, json_members, nothing, require_tag
from vitrine.api.v4.present import COMPONENTS
from vitrine.api.v4.route import V4Route
from vitrine.api.v4.schemas import FLAG, TEXT, Schema, list_of, named, object_of
from vitrine.edge import bearer, listing, read, services_of, write
from vitrine.edge.params import natural
from vitrine.errors import Invalid
from vitrine.library.errors import MayNotSee
from vitrine.library.model import CollectionId, DataboxId, RecordKey
from vitrine.library.records import RecordWithThumbnail
from vitrine.platform.database import UnitOfWork

__all__ = ["COMPONENTS", "ROUTES"]
RECORD = "/records/{databox_id:int}/{record_id:int}"
MOST_FIELDS, MOST_VALUES = 200, 1_000
_CHANGE: Schema = object_of(
    metadata={
        "type": "object",
        "additionalProperties": {"anyOf": [list_of(TEXT), TEXT, {"type": "null"}]},
        "description": "the new values of these fields, by name; null or an empty list empties one; others stay",
    },
    status={"type": "object", "additionalProperties": FLAG, "description": "these bits, by number; others stay"},
    base_id={"type": "integer", "description": "moves it into this collection of the same databox"},
)
_EXAMPLE = {"metadata": {"Title": "The harbour at dawn", "Keywords": ["harbour", "dawn"]}}


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


def require_known(request: Request, work: UnitOfWork, actor: Actor, base: CollectionId) -> None:
    """A collection that a request names and the caller may not know of looks like one that is not there. Raises
    Invalid."""
    try:
        services_of(request).library.records.known_collection(work, actor, base)
    except MayNotSee as hidden:
        raise Invalid(
            "There is no collection with this base_id, or you may not see it.", field="base_id", why=hidden.why
        ) from hidden


async def show(request: Request) -> Response:
    """One record with its entity tag."""
    services, wanted = services_of(request), chosen(request, present.RECORD)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        shown = services.library.records.shown(work, actor, key_of(request))
        return _answer(request, work, actor, shown, wanted)

    return await read(request, bearer, call)


def _answer(
    request: Request, work: UnitOfWork, actor: Actor, shown: RecordWithThumbnail, wanted: frozenset[str] | None
) -> Response:
    records = services_of(request).library.records
    is_deep = wanted is None or bool(wanted & present.DEEP)
    full = records.described(work, actor, [shown])[0] if is_deep else None
    value = present.record(place_of(request, work, actor), shown, full, wanted)
    return answer(value, headers={"ETag": present.tag_of(shown.record)})


async def files(request: Request) -> Response:
    """The files in any state that the caller may have, so that a program can wait for those that are being made."""
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        record = services.library.records.get(work, actor, key_of(request))
        place = place_of(request, work, actor)
        renditions = services.library.records.all_renditions(work, actor, record)
        return answer({"data": [present.file(place, record, rendition) for rendition in renditions], "next": None})

    return await listing(request, bearer, call)


async def file(request: Request) -> Response:
    services, name = services_of(request), request.path_params["name"]

    def call(work: UnitOfWork, actor: Actor) -> Response:
        record, rendition = services.library.records.rendition(work, actor, key_of(request), name)
        return answer(present.file(place_of(request, work, actor), record, rendition))

    return await read(request, bearer, call)


def permit_change(request: Request, work: UnitOfWork, actor: Actor) -> None:
    services_of(request).library.changes.permit_any(work, actor, key_of(request))


async def change(request: Request) -> Response:
    """Fields, status and collection, all of it or nothing. Who no longer sees the record gets its ids alone."""
    services = services_of(request)
    values = await json_members(request, metadata=dict, status=dict, base_id=int)
    metadata, bits = _metadata(values["metadata"]), _bits(values["status"])
    into = values["base_id"]
    if into is not None and not 0 < into < 2**63:
        raise Invalid("There is no such collection.", field="base_id")

    def call(work: UnitOfWork, actor: Actor) -> Response:
        key, library = key_of(request), services.library
        record = library.records.get(work, actor, key)
        require_tag(request, present.tag_of(record), required=True)
        if metadata:
            library.changes.replace_values(work, actor, key, metadata)
        if bits:
            library.changes.set_status(work, actor, key, bits)
        if into is not None:
            require_known(request, work, actor, CollectionId(into))
            library.changes.move(work, actor, key, CollectionId(into))
        page = library.records.page(work, actor, [record.id])
        if not page:
            return answer({"databox_id": key.databox, "record_id": key.number})
        return _answer(request, work, actor, page[0], None)

    return await write(request, bearer, call)


def _metadata(given: Mapping[str, Any] | None) -> dict[str, list[str]]:
    """{field: values}. Raises Invalid, naming the field."""
    if given is None:
        return {}
    if len(given) > MOST_FIELDS:
        raise Invalid(f"At most {MOST_FIELDS} fields can be changed at once.", field="metadata")
    return {name: _values(name, value) for name, value in given.items()}


def _values(name: str, value: object) -> list[str]:
    texts: Sequence[object] = [] if value is None else value if isinstance(value, list) else [value]
    values = [text for text in texts if isinstance(text, str)]
    if len(values) < len(texts) or len(texts) > MOST_VALUES:
        path = f"metadata.{name[:80]}"
        raise Invalid(f"{path} must be a text, a list of {MOST_VALUES} texts at most, or null.", field=path)
    return values


def _bits(given: Mapping[str, Any] | None) -> dict[int, bool]:
    """{bit: state}. Raises Invalid."""
    bits: dict[int, bool] = {}
    for name, state in (given or {}).items():
        bit = natural(name)
        if bit is None or not isinstance(state, bool):
            path = f"status.{name[:20]}"
            raise Invalid(f"{path} must be the number of a status bit, and its value true or false.", field=path)
        bits[bit] = state
    return bits


async def delete(request: Request) -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        record = services.library.records.get(work, actor, key_of(request))
        require_tag(request, present.tag_of(record))
        services.library.removal.discard(work, actor, record.key)
        return nothing()

    return await write(request, bearer, call)


ROUTES = (
    V4Route(RECORD, "GET", show, "One record", "library:read", named("Record"), chooses=True),
    V4Route(RECORD, "PATCH", change, "Change its fields, its status or its collection", "metadata:edit",
            named("Record"), _CHANGE, guard="required", permit=permit_change, example=_EXAMPLE),
    V4Route(RECORD, "DELETE", delete, "Delete it: into the bin where its databox has one, else for good", "delete",
            status=204, guard="accepted"),
    V4Route(RECORD + "/renditions", "GET", files, "Its files, made or not", "library:read", named("FileList")),
    V4Route(RECORD + "/renditions/{name}", "GET", file, "One file, with its addresses", "library:read", named("File")),
)  # fmt: skip
