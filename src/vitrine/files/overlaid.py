"""Chooses what a viewer gets: the file itself, or the overlaid copy where one is required (contract 04 section 5).

Every route that delivers a picture of a record uses this. A file that needs no overlay costs one look at its
collection.
"""

from dataclasses import dataclass, replace
from functools import partial

from starlette.requests import Request

from vitrine.accounts import NOBODY, Actor
from vitrine.edge import Services, run_in_thread, services_of
from vitrine.files.send import FileToSend
from vitrine.library.model import Record, Rendition
from vitrine.library.overlays.copies import OverlayRequest, with_overlay
from vitrine.library.overlays.policy import depends_on_viewer, overlay_for
from vitrine.platform.database import UnitOfWork


@dataclass(frozen=True, slots=True)
class Delivery:
    """A file to be delivered. *overlay* is what it must carry; *varies* means that others get different bytes. *payer*
    is whose download it is, where their downloads are limited."""

    record: Record
    rendition: Rendition
    overlay: OverlayRequest | None
    varies: bool
    payer: Actor | None = None


def decide(
    services: Services,
    work: UnitOfWork,
    record: Record,
    rendition: Rendition,
    *,
    viewer: Actor = NOBODY,
    issuer: Actor | None = None,
    own: bool = False,
) -> Delivery:
    """Decide inside the unit of work that read the file."""
    if not rendition.mime.startswith("image/"):
        return Delivery(record, rendition, None, varies=False)
    structure = services.library.records.structure(work)
    mark = overlay_for(work, structure, record, rendition, viewer=viewer, issuer=issuer, own=own)
    overlay = services.library.overlays.request_for(work, record, rendition, mark)
    return Delivery(record, rendition, overlay, varies=overlay is not None or depends_on_viewer(structure, record))


def counted(services: Services, work: UnitOfWork, actor: Actor, delivery: Delivery) -> Delivery:
    """*delivery*, which *actor* gets by their own rights, and which counts where their downloads are limited."""
    is_limited = services.library.quotas.concerns(work, actor, delivery.record, delivery.rendition)
    return replace(delivery, payer=actor) if is_limited else delivery


def _take(services: Services, payer: Actor, record: Record) -> None:
    with services.database.write() as work:
        services.library.quotas.take(work, payer, [record])


async def document_for(request: Request, delivery: Delivery) -> FileToSend:
    """The document to send: the file itself, or its overlaid copy, made now if need be. Raises DownloadQuotaUsed."""
    if delivery.payer is not None and request.method != "HEAD":
        await run_in_thread(partial(_take, services_of(request), delivery.payer, delivery.record))
    if delivery.overlay is None:
        return FileToSend.of(delivery.record, delivery.rendition)
    overlay = delivery.overlay
    ready = (
        overlay.ready
        if overlay.ready
        else await run_in_thread(partial(services_of(request).library.overlays.make, overlay))
    )
    return FileToSend.of(delivery.record, with_overlay(delivery.rendition, ready))
