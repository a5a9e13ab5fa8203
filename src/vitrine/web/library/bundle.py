"""The page of a link to files that somebody put together (contract 04 section 4: `/download/{token}/…`)."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vitrine.accounts import Actor, UserId
from vitrine.edge import cookie, long_read, services_of
from vitrine.errors import NotFound
from vitrine.library.bundles.errors import LinkEnded, NoSuchBundle
from vitrine.library.bundles.model import State
from vitrine.library.bundles.service import Opened
from vitrine.platform.database import UnitOfWork
from vitrine.web.shared.render import page, translate

TEMPLATE = "library/bundle.html"
SHOWN = 200  # names on the page


async def show(request: Request) -> Response:
    """GET /download/{token}/prepare/: what is in it, until when, and a button; or whom to ask for another link."""
    try:
        opened, maker = await _opened(request)
    except LinkEnded as ended:
        return page(request, TEMPLATE, status=404, opened=None, maker=ended.maker, has_ended=True)
    except NoSuchBundle:
        return page(request, TEMPLATE, status=404, opened=None, maker="", has_ended=False)
    return page(
        request,
        TEMPLATE,
        headers={"Cache-Control": "no-store"},
        opened=opened,
        maker=maker,
        is_ready=opened.bundle.state is State.READY,
        shown=opened.given[:SHOWN],
        more=max(0, len(opened.given) - SHOWN),
        address=f"/download/{request.path_params['token']}/get/",
    )


async def execute(request: Request) -> Response:
    """POST /download/{token}/execute/: `{success, message}`. The worker prepares the files by itself; this says whether
    they are ready."""
    try:
        opened, _ = await _opened(request)
    except NotFound as refusal:
        return _said(success=False, message=translate(request, refusal.template))
    if opened.bundle.state is not State.READY:
        return _said(success=False, message=translate(request, "The files are still being prepared."))
    return _said(success=True, message="")


def _said(*, success: bool, message: str) -> Response:
    return JSONResponse({"success": success, "message": message}, headers={"Cache-Control": "no-store"})


async def _opened(request: Request) -> tuple[Opened, str]:
    """What the link opens, and its maker's name. Raises LinkEnded or NoSuchBundle."""
    services, secret = services_of(request), request.path_params["token"]

    def call(work: UnitOfWork, _actor: Actor) -> tuple[Opened, str]:
        bundle, link = services.library.bundles.by_secret(work, secret)
        opened = services.library.bundles.opened(work, bundle, link)
        user: Any = services.accounts.users.known(work, UserId(bundle.user_id))
        return opened, user.public_name if user is not None else ""

    return await long_read(request, cookie, call)


ROUTES = [
    Route("/download/{token}/prepare/", show, methods=["GET"]),
    Route("/download/{token}/execute/", execute, methods=["POST"]),
]
