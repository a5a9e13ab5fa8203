"""Adding documents."""

import hashlib
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v4.content import NotJson, answer
from vitrine.api.v4.idempotency import change_in_steps
from vitrine.api.v4.records import require_known
from vitrine.api.v4.route import V4Route
from vitrine.api.v4.schemas import NUMBER, TEXT, Schema, full_object_of, list_of, named, object_of
from vitrine.api.wire.endpoint import TakesFiles
from vitrine.edge import bearer, read, run_in_thread, services_of
from vitrine.edge.bodies import Upload
from vitrine.edge.params import MULTIPART, Params, natural
from vitrine.errors import Invalid
from vitrine.library.arrivals import Arrival
from vitrine.library.ingest import Added, Quarantined
from vitrine.library.model import CollectionId
from vitrine.platform.database import UnitOfWork

# What happens to a file that fails a check of its collection, such as one that is there already.
FORCE = {"auto": None, "never": True, "always": False}
_FORM_BYTES = 1_000_000
_CHUNK_BYTES = 2**20
_MEMBERS = frozenset({"base_id", "url", "quarantine"})
_FORM: Schema = {
    **object_of(
        base_id={"type": "integer", "description": "the collection; before the file, so that it can be asked first"},
        quarantine={
            "enum": list(FORCE),
            "default": "auto",
            "description": "auto: a file that fails a check of the collection waits for a decision; never: it becomes "
            "a record all the same; always: it waits even so",
        },
        file={"type": "string", "format": "binary"},
        url={"type": "string", "format": "uri", "description": "fetched when there is no file"},
    ),
    "required": ["base_id"],
}
COMPONENTS = {
    "Added": full_object_of(outcome={"const": "added"}, databox_id=NUMBER, record_id=NUMBER),
    "Quarantined": full_object_of(outcome={"const": "quarantined"}, item_id=NUMBER, checks=list_of(TEXT)),
}


def _limit(request: Request) -> int:
    return services_of(request).settings.upload_max_bytes + _FORM_BYTES


def _permit(request: Request, work: UnitOfWork, actor: Actor, params: Params) -> None:
    """Before the file: the right on the collection that is named, or on any."""
    ingest, base = services_of(request).library.ingest, natural(params.text("base_id") or "")
    if base is None:
        ingest.permit_any(work, actor)
    else:
        require_known(request, work, actor, CollectionId(base))
        ingest.permit(work, actor, CollectionId(base))


async def add(request: Request) -> Response:
    """201 with the record, or 202 with the item of the quarantine. Probes and stores the file before it opens the
    transaction of the change."""
    services, params = services_of(request), request.state.params
    if params.media_type != MULTIPART:
        raise NotJson("Send a form, with Content-Type: multipart/form-data.", field="body")
    unknown = sorted((set(params.form) - _MEMBERS) | (set(params.files) - {"file"}))
    if unknown:
        raise Invalid(f"There is no field called {unknown[0][:80]} here.", field=unknown[0][:80])
    file, url, into, force = _read(params)
    await read(request, bearer, lambda work, actor: _permit(request, work, actor, params))
    request.state.body_digest = await run_in_thread(partial(_digest, params, file))

    async def take() -> Arrival:
        if file is None:
            return await run_in_thread(partial(services.library.ingest.take_from, url))
        name, guessed = file.filename or "untitled", file.is_name_guessed
        return await run_in_thread(partial(services.library.ingest.take, file.file, name, is_name_guessed=guessed))

    def call(work: UnitOfWork, actor: Actor, arrival: Arrival) -> Response:
        return _told(request, services.library.ingest.add(work, actor, arrival, into, force=force))

    return await change_in_steps(request, take, call)


def _read(params: Params) -> tuple[Upload | None, str, CollectionId, bool | None]:
    """(file, address, collection, what the checks decide). Raises Invalid."""
    files, url = params.files.get("file", []), params.text("url") or ""
    if len(files) + bool(url) != 1:
        raise Invalid("Send one document: as the part called file, or its address as url.", field="file")
    base = natural(params.text("base_id") or "")
    if base is None:
        raise Invalid("base_id is required: the number of the collection to add to.", field="base_id")
    force = params.text("quarantine", "auto")
    if force not in FORCE:
        raise Invalid(f"quarantine must be one of {', '.join(FORCE)}.", field="quarantine")
    return files[0] if files else None, url, CollectionId(base), FORCE[force]


def _digest(params: Params, file: Upload | None) -> bytes:
    """Of the fields and of the file: the boundary between them, and so the bytes of a form, are new each time."""
    digest = hashlib.sha256()
    texts = [f"{name}={params.text(name)}" for name in sorted(params.form)]
    texts.append("" if file is None else f"file={file.filename}")
    for text in texts:
        raw = text.encode()
        digest.update(len(raw).to_bytes(8) + raw)
    if file is not None:
        file.file.seek(0)
        while chunk := file.file.read(_CHUNK_BYTES):
            digest.update(chunk)
        file.file.seek(0)
    return digest.digest()


def _told(request: Request, outcome: Added | Quarantined) -> Response:
    settings = services_of(request).settings
    if isinstance(outcome, Added):
        value = {"outcome": "added", "databox_id": outcome.key.databox, "record_id": outcome.key.number}
        path = f"/api/v4/records/{outcome.key.databox}/{outcome.key.number}"
        return answer(value, 201, {"Location": settings.absolute(path)})
    checks = sorted(outcome.checks)
    location = {"Location": settings.absolute(f"/api/v4/quarantine/{outcome.item}")}
    return answer({"outcome": "quarantined", "item_id": outcome.item, "checks": checks}, 202, location)


ROUTES = (
    V4Route("/records", "POST", add, "Add a document", "upload", named("Added"), _FORM, 201, media_type=MULTIPART,
            or_else=(202, named("Quarantined")), takes_files=TakesFiles(_limit, _permit)),
)  # fmt: skip
