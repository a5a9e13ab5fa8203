"""Changes to records: contract 02 sections 6.4 (substitute) and 6.6. The service checks the right on the record."""

import re
from functools import partial
from typing import Any

from msgspec import Raw
from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v1 import baskets, present
from vitrine.api.v1.frame import frame_of, records_json
from vitrine.api.v1.library import key_of, one_file
from vitrine.api.v1.stories import story_json
from vitrine.api.wire.envelope import answer
from vitrine.edge import bearer, long_read, read, run_in_thread, services_of, write
from vitrine.edge.params import Nested, Params
from vitrine.errors import Invalid
from vitrine.library.access import may_have
from vitrine.library.arrivals import Arrival
from vitrine.library.model import DOCUMENT, CollectionId, DataboxId, FieldId, Record, RecordKey, Rendition
from vitrine.library.substitution import File, ReplacementTarget
from vitrine.library.value_edits import FieldChange
from vitrine.platform.database import UnitOfWork

_FALSE = frozenset({"0", "n", "no", "non", "off", "false"})
MOST_CHANGES = 1000


async def remove(request: Request) -> Response:
    """DELETE /records/{databox_id}/{record_id}/"""
    services, key = services_of(request), key_of(request)
    await write(request, bearer, lambda work, actor: services.library.removal.remove(work, actor, key))
    return answer(request, {})


async def status(request: Request) -> Response:
    """GET /records/{databox_id}/{record_id}/status/"""
    services, key = services_of(request), key_of(request)

    def call(work: UnitOfWork, actor: Actor) -> list[dict[str, Any]]:
        return present.record_status(frame_of(request, work, actor), services.library.records.get(work, actor, key))

    return answer(request, {"status": await read(request, bearer, call)})


async def related(request: Request) -> Response:
    """GET /records/{databox_id}/{record_id}/related/: where the caller sees the record used."""
    services, key = services_of(request), key_of(request)

    def call(work: UnitOfWork, actor: Actor) -> dict[str, Any]:
        record = services.library.records.get(work, actor, key)
        frame, parents = frame_of(request, work, actor), services.library.story_views.of_record(work, actor, record)
        return {
            "baskets": baskets.holding(request, work, actor, key),
            "stories": [story_json(request, work, frame, parent) for parent in parents],
        }

    return answer(request, await long_read(request, bearer, call))


async def set_metadatas(request: Request) -> Response:
    """POST /records/{databox_id}/{record_id}/setmetadatas/"""
    services, key = services_of(request), key_of(request)

    def call(work: UnitOfWork, actor: Actor) -> list[dict[str, Any]]:
        changes = field_changes(request.state.params)
        record = services.library.changes.set_values(work, actor, key, changes)
        return present.metadata(services.library.records.values(work, actor, record, business=True))

    return answer(request, {"record_metadatas": await write(request, bearer, call)})


def field_changes(params: Params) -> list[FieldChange]:
    """`metadatas`: a list of {meta_struct_id, meta_id, value}, all three required. Raises Invalid naming the item."""
    items = params.raw("metadatas")
    if not isinstance(items, dict) or not items:
        raise Invalid("metadatas must be a list of {meta_struct_id, meta_id, value}.", field="metadatas")
    if len(items) > MOST_CHANGES:
        raise Invalid(f"At most {MOST_CHANGES} values can be changed at once.", field="metadatas")
    return [_field_change(place, item) for place, item in items.items()]


def _field_change(place: str, item: Nested) -> FieldChange:
    path = f"metadatas[{place}]"
    if not isinstance(item, dict):
        raise Invalid(f"{path} must hold meta_struct_id, meta_id and value.", field=path)
    texts: dict[str, str] = {}
    for name in ("meta_struct_id", "meta_id", "value"):
        value = item.get(name)
        if not isinstance(value, str):
            raise Invalid(f"{path}[{name}] is missing or not a text.", field=f"{path}[{name}]")
        texts[name] = value
    field_id = _number(texts["meta_struct_id"], f"{path}[meta_struct_id]")
    value_id = _number(texts["meta_id"], f"{path}[meta_id]") if texts["meta_id"].strip() else None
    return FieldChange(FieldId(field_id), value_id, texts["value"])


def _number(text: str, path: str) -> int:
    if not re.fullmatch(r"\s*[0-9]{1,18}\s*", text):
        raise Invalid(f"{path} must be a number.", field=path)
    return int(text)


async def set_status(request: Request) -> Response:
    """POST /records/{databox_id}/{record_id}/setstatus/"""
    services, key = services_of(request), key_of(request)

    def call(work: UnitOfWork, actor: Actor) -> list[dict[str, Any]]:
        record = services.library.changes.set_status(work, actor, key, status_bits(request.state.params))
        return present.record_status(frame_of(request, work, actor), record)

    return answer(request, {"status": await write(request, bearer, call)})


def status_bits(params: Params) -> dict[int, bool]:
    """`status[<bit>]` = 0 or 1. Raises Invalid for anything else (02 section 6.6)."""
    states = params.raw("status")
    if not isinstance(states, dict) or not states:
        raise Invalid("status must be an array of bits: status[4]=1.", field="status")
    bits: dict[int, bool] = {}
    for bit, value in states.items():
        if not re.fullmatch(r"[0-9]{1,2}", bit) or value not in ("0", "1"):
            raise Invalid(f"status[{bit[:20]}] must be the number of a bit, and its value 0 or 1.", field="status")
        bits[int(bit)] = value == "1"
    return bits


async def set_collection(request: Request) -> Response:
    """POST /records/{databox_id}/{record_id}/setcollection/"""
    services, key = services_of(request), key_of(request)

    def call(work: UnitOfWork, actor: Actor) -> Raw:
        into = _number(request.state.params.text("base_id") or "", "base_id")
        services.library.changes.move(work, actor, key, CollectionId(into))
        frame = frame_of(request, work, actor)
        shown = services.library.records.shown_after_move(work, key)
        return records_json(request, work, frame, [shown])[0]

    return answer(request, {"record": await write(request, bearer, call)})


async def substitute(request: Request) -> Response:
    """POST /embed/substitute/: converts the file before it replaces anything (02 section 6.4)."""
    services = services_of(request)
    params: Params = request.state.params
    file = one_file(params.files)
    if file is None:
        raise Invalid("Send the new file as the part called file.", field="file")
    name = (params.text("name") or "").strip()
    if not name:
        raise Invalid("name is required: document, or the name of a subdef.", field="name")
    box, number = (_number(params.text(field) or "", field) for field in ("databox_id", "record_id"))
    key = RecordKey(DataboxId(box), number)
    adapt = (params.text("adapt") or "1").strip().lower() not in _FALSE

    place = await read(
        request, bearer, lambda work, actor: services.library.substitution.permit(work, actor, key, name)
    )
    arrival, converted = await run_in_thread(
        partial(_take_file, request, place, file.filename or name, adapt=adapt),
    )

    def call(work: UnitOfWork, actor: Actor) -> dict[str, Any] | None:
        if converted is None:
            record, rendition = services.library.substitution.replace_original(work, actor, key, arrival)
        else:
            record, rendition = services.library.substitution.replace_rendition(work, actor, key, place.name, converted)
        return _visible(request, work, actor, record, rendition)

    shown = await write(request, bearer, call)
    return answer(request, {"adapt": adapt, **({"0": shown} if shown else {})})


def may_substitute(request: Request, work: UnitOfWork, actor: Actor, params: Params) -> None:
    """Before the file: the rights on the record that is named, or on any collection. Raises what `Substitution.permit`
    raises."""
    substitution = services_of(request).library.substitution
    name = (params.text("name") or "").strip()
    box, number = (params.text(field) or "" for field in ("databox_id", "record_id"))
    if name and all(re.fullmatch(r"[0-9]{1,18}", text) for text in (box, number)):
        substitution.permit(work, actor, RecordKey(DataboxId(int(box)), int(number)), name)
    else:
        substitution.permit_any(work, actor)


def _take_file(request: Request, place: ReplacementTarget, name: str, *, adapt: bool) -> tuple[Arrival, File | None]:
    """The new file, probed and stored, and its form for the rendition; None for an original, which stays as it is."""
    services = services_of(request)
    file = one_file(request.state.params.files)
    assert file is not None
    arrival = services.library.ingest.take(file.file, name)
    if place.name == DOCUMENT or place.recipe is None:
        return arrival, None
    return arrival, services.library.substitution.convert(arrival, place.recipe, adapt=adapt)


def _visible(
    request: Request, work: UnitOfWork, actor: Actor, record: Record, rendition: Rendition
) -> dict[str, Any] | None:
    frame = frame_of(request, work, actor)
    recipe = frame.structure.recipe(record.databox_id, record.group, rendition.name)
    if not may_have(work, actor, record, rendition.name, recipe):
        return None
    return present.subdef(frame, record, rendition)
