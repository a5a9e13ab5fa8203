"""Pages: sign-in, consent, account, developer portal, library, viewer."""

from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from vitrine.web import (
    account,
    authorize,
    developer,
    device,
    download,
    embed,
    library,
    quarantine,
    recovery,
    session,
    upload,
)
from vitrine.web.errors import EXCEPTION_HANDLERS
from vitrine.web.render import HERE, LANGUAGES, catalogue

__all__ = ["EXCEPTION_HANDLERS", "LANGUAGES", "catalogue", "routes"]


def routes() -> list[BaseRoute]:
    return [
        *library.ROUTES,
        *quarantine.ROUTES,
        *download.ROUTES,
        *session.ROUTES,
        *recovery.ROUTES,
        *account.ROUTES,
        *developer.ROUTES,
        *authorize.ROUTES,
        *device.ROUTES,
        *upload.ROUTES,
        *embed.ROUTES,
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]
