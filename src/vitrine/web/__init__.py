"""Pages: sign-in, consent, account, developer portal, library, viewer."""

from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from vitrine.edge.text import text_routes
from vitrine.web.account import account
from vitrine.web.admin import applications, audit, collections
from vitrine.web.developers import editing, limits_and_scopes, settings, usage
from vitrine.web.embed import viewer
from vitrine.web.library import download, quarantine, upload, wall
from vitrine.web.oauth import authorize, device
from vitrine.web.shared.errors import EXCEPTION_HANDLERS
from vitrine.web.shared.render import LANGUAGES, WEB, catalogue
from vitrine.web.sign_in import identity_providers, mfa, recovery, session

__all__ = ["EXCEPTION_HANDLERS", "LANGUAGES", "catalogue", "routes"]


def routes() -> list[BaseRoute]:
    pages = [
        *wall.ROUTES,
        *quarantine.ROUTES,
        *download.ROUTES,
        *session.ROUTES,
        *recovery.ROUTES,
        *mfa.ROUTES,
        *identity_providers.ROUTES,
        *account.ROUTES,
        *editing.ROUTES,
        *usage.ROUTES,
        *limits_and_scopes.ROUTES,
        *applications.ROUTES,
        *audit.ROUTES,
        *collections.ROUTES,
        *settings.ROUTES,
        *authorize.ROUTES,
        *device.ROUTES,
        *upload.ROUTES,
        *viewer.ROUTES,
    ]
    return [*text_routes(pages), Mount("/static", StaticFiles(directory=WEB / "static"))]
