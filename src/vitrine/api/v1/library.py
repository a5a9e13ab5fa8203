"""Databoxes, collections, records, adding: contract 02 sections 6.2, 6.4, 6.6, 6.10."""

import re
from dataclasses import dataclass
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor, CollectionGrant, DataboxRight, User, UserId
from vitrine.accounts.rights import names
from vitrine.api.v1 import present
from vitrine.api.v1.frame import frame_of, lists_or_objects, records_json
from vitrine.api.wire.envelope import answer
from vitrine.edge import bearer, cached_read, listing, read, run_in_thread, services_of, write
from vitrine.edge.bodies import Upload
from vitrine.edge.params import Params
from vitrine.errors import Invalid
from vitrine.library.arrivals import Arrival
from vitrine.library.ingest import Added, Ingest, Quarantined
from vitrine.library.model import CollectionId, DataboxId, RecordKey, Structure
from vitrine.platform.cache import Cache
from vitrine.platform.database import UnitOfWork

_TRUE = frozenset({"1", "y", "yes", "o", "oui", "on", "true"})


async def me(request: Request) -> Response:
    """GET /me/"""
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> msgspec.Raw:
        structure = services.library.records.structure(work)
        user = services.accounts.users.get(work, actor.must_user_id)
        listed = [grant for grant in actor.rights.collections.values() if grant.is_in_time(work.now)]
        cached = _presented.get(user.id)
        if cached is None or cached.user is not user or cached.structure is not structure or cached.listed != listed:
            cached = _Me(user, structure, listed, _me(services.settings.zone, actor, user, structure, listed))
            _presented.keep(work, user.id, cached)
        return cached.encoded

    return answer(request, await cached_read(request, bearer, call))


@dataclass(frozen=True, slots=True)
class _Me:
    """The last answer of /me/ to a person and the values it was made from; reused while they are unchanged."""

    user: User
    structure: Structure
    listed: list[CollectionGrant]
    encoded: msgspec.Raw


_presented: Cache[UserId, _Me] = Cache("account_answers", 10_000)


def _me(zone: ZoneInfo, actor: Actor, user: User, structure: Structure, listed: list[CollectionGrant]) -> msgspec.Raw:
    databoxes = [
        {"databox_id": box, "rights": names(actor.rights.databoxes.get(box, DataboxRight(0)))}
        for box in sorted(actor.rights.databox_ids())
    ]
    body = {
        "user": present.user(user, zone),
        "collections": [present.collection_grant(structure, grant) for grant in listed],
        "databoxes": databoxes,
    }
    return msgspec.Raw(msgspec.json.encode(body))


async def databoxes(request: Request) -> Response:
    """GET /databoxes/list/"""
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> Any:
        boxes = services.library.records.databoxes(work, actor)
        return lists_or_objects(request, {str(box.id): present.databox(box) for box in boxes})

    return answer(
        request, {"databoxes": await listing(request, bearer, call, rows=services.library.records.structure_size)}
    )


async def collections(request: Request) -> Response:
    """GET /databoxes/{databox_id}/collections/"""
    services = services_of(request)
    box = DataboxId(int(request.path_params["databox_id"]))

    def call(work: UnitOfWork, actor: Actor) -> Any:
        counted = services.library.records.collections(work, actor, box)
        return lists_or_objects(
            request, {str(collection.number): present.collection(collection, count) for collection, count in counted}
        )

    return answer(
        request, {"collections": await listing(request, bearer, call, rows=services.library.records.structure_size)}
    )


def key_of(request: Request) -> RecordKey:
    return RecordKey(DataboxId(int(request.path_params["databox_id"])), int(request.path_params["record_id"]))


async def record(request: Request) -> Response:
    """GET /records/{databox_id}/{record_id}/"""
    services = services_of(request)
    key = key_of(request)

    def call(work: UnitOfWork, actor: Actor) -> msgspec.Raw:
        frame = frame_of(request, work, actor)
        return records_json(request, work, frame, [services.library.records.shown(work, actor, key)])[0]

    return answer(request, {"record": await read(request, bearer, call)})


async def caption(request: Request) -> Response:
    """GET /records/{databox_id}/{record_id}/caption/: never business fields."""
    return answer(request, {"caption_metadatas": await _values(request, business=False)})


async def metadatas(request: Request) -> Response:
    """GET /records/{databox_id}/{record_id}/metadatas/"""
    return answer(request, {"record_metadatas": await _values(request, business=True)})


async def _values(request: Request, *, business: bool) -> list[dict[str, Any]]:
    services = services_of(request)
    key = key_of(request)

    def call(work: UnitOfWork, actor: Actor) -> list[dict[str, Any]]:
        values = services.library.records.values(
            work, actor, services.library.records.get(work, actor, key), business=business
        )
        return present.metadata(values) if business else present.caption(values)

    return await read(request, bearer, call)


async def embed(request: Request) -> Response:
    """GET /records/{databox_id}/{record_id}/embed/, with `devices[]` and `mimes[]`."""
    services = services_of(request)
    key = key_of(request)
    devices, mimes = (request.state.params.values(name) for name in ("devices", "mimes"))

    def call(work: UnitOfWork, actor: Actor) -> list[dict[str, Any]]:
        frame = frame_of(request, work, actor)
        record = services.library.records.get(work, actor, key)
        files = [
            present.subdef(frame, record, rendition)
            for rendition in services.library.records.renditions(work, actor, record)
        ]
        return [file for file in files if is_wanted(file, devices, mimes)]

    return answer(request, {"embed": await read(request, bearer, call)})


def is_wanted(file: dict[str, Any], devices: list[str], mimes: list[str]) -> bool:
    """02 section 6.6: `document` stays only if `all` is requested; others if they share a device or are for `all`."""
    if mimes and file["mime_type"] not in mimes:
        return False
    if not devices:
        return True
    if file["name"] == "document":
        return "all" in devices
    return "all" in file["devices"] or bool(set(devices) & set(file["devices"]))


async def add(request: Request) -> Response:
    """POST /records/add/: probes and stores the file before it opens a transaction."""
    services = services_of(request)
    params = request.state.params
    file = one_file(params.files)
    url = params.text("url") or ""
    if file is None and not url:
        raise Invalid("Send the document as the part called file, or its address as url.", field="file")
    base = params.text("base_id")
    if base is None or not re.fullmatch(r"\d{1,18}", base):
        raise Invalid("base_id is required: the collection to add to.", field="base_id")
    into = CollectionId(int(base))
    force = _force(params.text("forceBehavior"))
    status = _status(params.text("status"))
    flag = params.text("nosubdefs")
    without = flag is not None and (flag == "" or flag.lower() in _TRUE)
    await read(request, bearer, lambda work, actor: services.library.ingest.permit(work, actor, into))
    arrival = await run_in_thread(partial(_arrival, services.library.ingest, file, url))
    outcome = await write(
        request,
        bearer,
        lambda work, actor: services.library.ingest.add(
            work, actor, arrival, into, force=force, status=status, renditions=not without
        ),
    )
    return answer(request, _outcome(outcome))


def may_add(request: Request, work: UnitOfWork, actor: Actor, params: Params) -> None:
    """Before the file: the right on the collection that is named, or on any. Raises what `Ingest.permit` raises."""
    ingest, base = services_of(request).library.ingest, params.text("base_id")
    if base is not None and re.fullmatch(r"\d{1,18}", base):
        ingest.permit(work, actor, CollectionId(int(base)))
    else:
        ingest.permit_any(work, actor)


def _arrival(ingest: Ingest, file: Upload | None, url: str) -> Arrival:
    """A file goes before an address (02 section 6.4)."""
    return _taken(ingest, file) if file is not None else ingest.take_from(url)


def _taken(ingest: Ingest, file: Upload) -> Arrival:
    return ingest.take(file.file, file.filename or "untitled", is_name_guessed=file.is_name_guessed)


def _outcome(outcome: Added | Quarantined) -> dict[str, str]:
    if isinstance(outcome, Added):
        return {"entity": "0", "url": f"/records/{outcome.key.databox}/{outcome.key.number}/"}
    return {"entity": "1", "url": f"/quarantine/item/{outcome.item}/"}


def one_file(files: dict[str, list[Upload]]) -> Upload | None:
    if "file[]" in files or len(files.get("file", [])) > 1:
        raise Invalid("Send one file only.", field="file")
    uploads = files.get("file")
    return uploads[0] if uploads else None


def _force(value: str | None) -> bool | None:
    """forceBehavior: 0 makes a record anyway, 1 sends to the quarantine, absent or empty lets the checks decide."""
    if value in (None, ""):
        return None
    if value not in ("0", "1"):
        raise Invalid("forceBehavior must be 0 or 1.", field="forceBehavior")
    return value == "0"


def _status(value: str | None) -> int | None:
    """Status bits: `0b1011`, bare binary, decimal digits, `0x…` or bare hex (02 section 6.4), 32 of them at most."""
    if value in (None, ""):
        return None
    forms = (
        (r"(?:0b)?0*([01]{1,32})", 2),
        (r"0*([0-9]{1,10})", 10),
        (r"(?:0x)?0*([0-9a-fA-F]{1,8})", 16),
    )
    for pattern, base in forms:
        matched = re.fullmatch(pattern, value or "")
        if matched and int(matched[1], base) < 1 << 32:
            return int(matched[1], base) & 0xFFFF_FFF0
    raise Invalid("status must be bits, a decimal or a hexadecimal number.", field="status")
