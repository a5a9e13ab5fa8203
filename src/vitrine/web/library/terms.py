"""Terms of use of databoxes: read them, accept them, and go on with the download that asked for them."""

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor
from vitrine.edge import read, services_of, write
from vitrine.edge.params import Params, natural
from vitrine.errors import Invalid, NotFound
from vitrine.library.errors import MayNotSee, TermsNotAccepted
from vitrine.library.model import DataboxId
from vitrine.library.terms.service import Standing
from vitrine.library.terms.store import TermsVersion
from vitrine.platform.database import UnitOfWork
from vitrine.web.shared.forms import known, posted
from vitrine.web.shared.render import language_of, page, redirect

Shown = tuple[Standing, TermsVersion, str]


async def show(request: Request) -> Response:
    """GET /terms/{databox_id}/: the version in force, in the person's language, and whether they accepted it."""
    box = DataboxId(request.path_params["databox_id"])

    def call(work: UnitOfWork, actor: Actor) -> Shown:
        return _shown(request, work, actor, box)

    standing, version, language = await read(request, known, call)
    return page(request, "library/terms.html", **_context([(standing, version, language)]), records=[], action=None)


async def accept(request: Request) -> Response:
    """POST /terms/{databox_id}/: accept the version that the form shows."""
    box = DataboxId(request.path_params["databox_id"])
    given = await posted(request)
    number = natural(given.get("number", "")) or 0
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> None:
        _shown(request, work, actor, box)
        services.library.terms.accept(work, actor, box, number)

    await write(request, known, call)
    return redirect(f"/terms/{box}/")


def _shown(request: Request, work: UnitOfWork, actor: Actor, box: DataboxId) -> Shown:
    """Raises NotFound without access to the databox, and where it has no terms of use."""
    terms = services_of(request).library.terms
    try:
        version = terms.current(work, actor, box)
        standing = terms.standing(work, actor, box)
    except MayNotSee as refusal:
        raise NotFound("There is nothing at this address.", why=refusal.why) from refusal
    if version is None:
        raise NotFound("There is nothing at this address.")
    wanted = language_of(request, actor)
    return standing, version, wanted if wanted in version.texts else min(version.texts)


async def before_download(request: Request, refusal: TermsNotAccepted, records: Sequence[str]) -> Response:
    """What a person must accept before they download *records* (`databox/number`), with a form that does both."""

    def call(work: UnitOfWork, actor: Actor) -> list[Shown]:
        return [_shown(request, work, actor, DataboxId(box)) for box in refusal.databoxes]

    shown = await read(request, known, call)
    return page(request, "library/terms.html", **_context(shown), records=list(records), action="/library/download")


def accepted_with(params: Params) -> list[tuple[DataboxId, int]]:
    """The versions that a form says were accepted: `terms[]` of `databox:number`. Raises Invalid."""
    accepted = []
    for text in params.values("terms"):
        databox, number = (natural(part) for part in text.partition(":")[::2])
        if databox is None or number is None:
            raise Invalid("Terms of use are named by their databox and their number.", field="terms")
        accepted.append((DataboxId(databox), number))
    return accepted[:50]


def _context(shown: Sequence[Shown]) -> dict[str, Any]:
    # Sanitized when it was published (`library.terms.html`).
    texts = [(standing, version, language, Markup(version.texts[language])) for standing, version, language in shown]  # noqa: S704
    return {"texts": texts}


ROUTES = [
    Route("/terms/{databox_id:int}/", show, methods=["GET"]),
    Route("/terms/{databox_id:int}/", accept, methods=["POST"]),
]
