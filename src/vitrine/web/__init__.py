"""Pages: sign-in, consent, account, developer portal, library, viewer."""

from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from vitrine.edge.text import text_routes
from vitrine.web import (
    account,
    administration,
    auditing,
    authorize,
    collections,
    developer,
    device,
    download,
    embed,
    external,
    library,
    portal,
    portal_insight,
    portal_usage,
    quarantine,
    recovery,
    second,
    session,
    upload,
)
from vitrine.web.errors import EXCEPTION_HANDLERS
from vitrine.web.render import HERE, LANGUAGES, catalogue

__all__ = ["EXCEPTION_HANDLERS", "LANGUAGES", "catalogue", "routes"]


def routes() -> list[BaseRoute]:
    pages = [
        *library.ROUTES,
        *quarantine.ROUTES,
        *download.ROUTES,
        *session.ROUTES,
        *recovery.ROUTES,
        *second.ROUTES,
        *external.ROUTES,
        *account.ROUTES,
        *portal.ROUTES,
        *portal_usage.ROUTES,
        *portal_insight.ROUTES,
        *administration.ROUTES,
        *auditing.ROUTES,
        *collections.ROUTES,
        *developer.ROUTES,
        *authorize.ROUTES,
        *device.ROUTES,
        *upload.ROUTES,
        *embed.ROUTES,
    ]
    return [*text_routes(pages), Mount("/static", StaticFiles(directory=HERE / "static"))]
