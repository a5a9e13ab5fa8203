"""A selection as one zip: made while it is sent, so that neither disk nor memory holds it (06 section 17.7)."""

from collections.abc import Generator, Iterator
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from vitrine.accounts import Actor
from vitrine.edge import Services, csrf, long_read, parameters, services_of, write
from vitrine.edge.params import natural
from vitrine.errors import DomainError, Invalid
from vitrine.library.bundles.model import Draft, Receiver
from vitrine.library.errors import ChangedMeanwhile, TermsNotAccepted
from vitrine.library.model import DataboxId, RecordKey
from vitrine.library.sharing.downloads import Entry, Plan, unique
from vitrine.media.delivery import content_disposition
from vitrine.platform import logging
from vitrine.platform.database import UnitOfWork
from vitrine.platform.texts import folded
from vitrine.web.library.terms import accepted_with, before_download
from vitrine.web.shared.forms import known
from vitrine.web.shared.render import redirect, translate

log = logging.get("vitrine.web")
PIECE = 256 * 1024
READABLE = 0o644
LEFT_OUT = "NOT-INCLUDED.txt"


async def download(request: Request) -> Response:
    """POST /library/download: `record[]` of `databox/number`. One file is a zip of one: scripts need not guess."""
    params = await parameters(request)
    csrf.require(request, params.text("csrf"))
    keys = [_key(text) for text in params.values("record")]
    services = services_of(request)
    accepted = accepted_with(params)
    if accepted:
        await write(request, known, lambda work, actor: _accept(services, work, actor, accepted))
    try:
        plan: Plan = await long_read(
            request, known, lambda work, actor: services.library.downloads.plan(work, actor, keys)
        )
    except TermsNotAccepted as refusal:
        return await before_download(request, refusal, [f"{key.databox}/{key.number}" for key in keys])

    if sum(entry.size for entry in plan.entries) > services.settings.download_max_mbytes * 1_000_000:
        secret = await write(request, known, lambda work, actor: _mailed(services, work, actor, keys))
        return redirect(f"/download/{secret}/prepare/")

    def note(work: UnitOfWork, actor: Actor) -> None:
        services.library.downloads.begin(work, actor, plan)

    await write(request, known, note)
    explained = translate(request, "These documents are not in the archive:")
    name = f"{services.settings.title}-{datetime.now(services.settings.zone):%Y-%m-%d-%H%M}.zip"
    headers = {
        "Content-Disposition": content_disposition("attachment", name),
        "Cache-Control": "no-store",
        "X-Accel-Buffering": "no",  # a proxy that waits for the whole would undo all this
    }
    return Archive(archive(services, plan, explained), headers=headers, media_type="application/zip")


def _accept(services: Services, work: UnitOfWork, actor: Actor, accepted: list[tuple[DataboxId, int]]) -> None:
    """A version that is no longer in force is accepted by nobody; where it matters, the page asks for the newer one."""
    for databox, number in accepted:
        with suppress(ChangedMeanwhile):
            services.library.terms.accept(work, actor, databox, number)


def _mailed(services: Services, work: UnitOfWork, actor: Actor, keys: list[RecordKey]) -> str:
    """Too much to be sent at once: prepared by the worker, with a link by mail. Returns the secret of the page where
    the person waits for it."""
    user = services.accounts.users.get(work, actor.must_user_id)
    receivers = [Receiver(user.id, "")] if user.email else []
    bundle = services.library.bundles.begin(work, actor, Draft(keys, receivers=receivers))
    return services.library.bundles.own_link(work, actor, bundle.id)


def _key(text: str) -> RecordKey:
    databox, number = (natural(part) for part in text.partition("/")[::2])
    if databox is None or number is None:
        raise Invalid("A document is named by its databox and its number.", field="record")
    return RecordKey(DataboxId(databox), number)


async def nothing(_request: Request) -> Response:
    """GET: whoever reloads the address of a download is led back to where one chooses."""
    return redirect("/", 302)


class Archive(StreamingResponse):
    """Closes what it reads from when the client goes away in the middle."""

    def __init__(self, parts: Generator[bytes], **more: Any) -> None:
        super().__init__(parts, **more)
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._parts.close()


def archive(services: Services, plan: Plan, explained: str) -> Generator[bytes]:
    """The bytes of the zip. Media are compressed already: they are stored, whatever their size."""
    from stream_zip import stream_zip

    opened: list[Any] = []
    try:
        yield from stream_zip(_members(services, plan, explained, opened), chunk_size=PIECE)
    finally:
        for file in opened:
            file.close()


def _members(services: Services, plan: Plan, explained: str, opened: list[Any]) -> Iterator[tuple[Any, ...]]:
    from stream_zip import ZIP_AUTO

    missing = list(plan.left_out)
    for entry in plan.entries:
        try:
            file, size = _opened(services, entry)
        except DomainError as refusal:  # what cannot be marked, or has lost its bytes, never stops the others
            log.warning("download.left_out", code=refusal.code, why=refusal.why)
            missing.append(entry.name)
            continue
        opened[:] = [file]
        modified = entry.modified.astimezone(services.settings.zone)
        yield entry.name, modified, READABLE, ZIP_AUTO(size, level=0), iter(partial(file.read, PIECE), b"")
        file.close()
    if missing:
        text = (explained + "\r\n\r\n" + "\r\n".join(missing) + "\r\n").encode()
        name = unique(LEFT_OUT, {folded(entry.name) for entry in plan.entries})
        yield name, datetime.now(services.settings.zone), READABLE, ZIP_AUTO(len(text)), iter([text])


def _opened(services: Services, entry: Entry) -> tuple[Any, int]:
    if entry.wanted is None:
        return services.media.store.open(entry.sha256), entry.size
    marked = services.library.overlays.make(entry.wanted)
    return services.media.store.open(marked.sha256), marked.size


ROUTES = [
    Route("/library/download", download, methods=["POST"]),
    Route("/library/download", nothing, methods=["GET"]),
]
