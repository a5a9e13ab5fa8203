"""Adding documents from the browser: a plain form of many files, or one request a file when script helps."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor, Right
from vitrine.edge import Services, listing, read, run_in_thread, services_of, write
from vitrine.edge.bodies import Upload
from vitrine.edge.params import Params
from vitrine.errors import DomainError, Invalid
from vitrine.library.arrivals import Arrival
from vitrine.library.errors import AlreadyThere
from vitrine.library.ingest import Added, Quarantined
from vitrine.library.model import Collection, CollectionId
from vitrine.library.quarantine.checks import CHECKS
from vitrine.platform.database import UnitOfWork
from vitrine.web.shared.errors import json_answer
from vitrine.web.shared.forms import known, posted_files
from vitrine.web.shared.render import page, said, translate

QUARANTINE = "/library/quarantine/"
ROOM_FOR_FIELDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: *state* is added, there (already), waits (in the quarantine) or
    refused."""

    name: str
    state: str
    detail: str
    address: str | None = None

    def plain(self) -> dict[str, Any]:
        return {"name": self.name, "state": self.state, "detail": self.detail, "address": self.address}


async def form(request: Request) -> Response:
    return page(request, "library/upload.html", **await _shown(request), outcomes=[], chosen=0)


async def _shown(request: Request) -> dict[str, Any]:
    """Where the person may add, and how many files wait there for a decision."""
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> dict[str, Any]:
        structure = services.library.records.structure(work)
        bases = actor.rights.bases_with(Right.canaddrecord, work.now)
        collections: list[Collection] = [
            collection for collection in structure.collections.values() if collection.id in bases and collection.enabled
        ]
        return {"collections": collections, "waiting": services.library.quarantine.count(work, actor)}

    return await listing(request, known, call)


async def add(request: Request) -> Response:
    services = services_of(request)
    params = await posted_files(
        request,
        services.library.ingest.permit_any,
        max_bytes=services.settings.upload_max_bytes + ROOM_FOR_FIELDS,
    )
    try:
        into = CollectionId(params.integer("base_id", 0))
        files = [file for file in params.files.get("file", []) if file.filename]
        if not files:
            raise Invalid("Choose at least one file.", field="file")
        outcomes = [await _add_file(request, into, file, params) for file in files]
    finally:
        await params.close()
    if "application/json" in request.headers.get("accept", ""):
        return json_answer({"outcomes": [outcome.plain() for outcome in outcomes]})
    return page(request, "library/upload.html", **await _shown(request), outcomes=outcomes, chosen=into)


async def _add_file(request: Request, into: CollectionId, file: Upload, params: Params) -> Outcome:
    """One file's fate never spoils that of the others."""
    services = services_of(request)
    name = file.filename or "untitled"
    try:
        await read(request, known, lambda work, actor: services.library.ingest.permit(work, actor, into))
        guessed = file.is_name_guessed
        arrival = await run_in_thread(lambda: services.library.ingest.take(file.file, name, is_name_guessed=guessed))
        outcome = await write(request, known, lambda work, actor: _add(services, work, actor, arrival, into, params))
    except AlreadyThere as twin:
        address = f"/records/{twin.key.databox}/{twin.key.number}/" if twin.key else None
        return Outcome(name, "there", said(request, twin), address)
    except DomainError as refusal:
        return Outcome(name, "refused", said(request, refusal))
    if isinstance(outcome, Quarantined):
        reasons = [translate(request, CHECKS[check].reason) for check in outcome.checks]
        waits = _noted(request, "It waits in the quarantine.", file)
        return Outcome(name, "waits", " ".join([*reasons, waits]), QUARANTINE)
    key = outcome.key
    return Outcome(name, "added", _noted(request, "Added.", file), f"/records/{key.databox}/{key.number}/")


def _noted(request: Request, sentence: str, file: Upload) -> str:
    """*sentence*, and what the sender should know of the file's name."""
    sentences = [translate(request, sentence)]
    if file.is_name_guessed:
        sentences.append(translate(request, "Its name was not sent as UTF-8 and may be wrong; please check it."))
    return " ".join(sentences)


def _add(
    services: Services, work: UnitOfWork, actor: Actor, arrival: Arrival, into: CollectionId, params: Params
) -> Added | Quarantined:
    """A file that is there already is refused at once (decision 0005); *again* adds it whatever the checks say."""
    again = params.text("again") == "1"
    if not again:
        services.library.ingest.refuse_duplicate(work, actor, arrival, into)
    return services.library.ingest.add(work, actor, arrival, into, force=True if again else None)


ROUTES = [Route("/upload/", form, methods=["GET"]), Route("/upload/", add, methods=["POST"])]
