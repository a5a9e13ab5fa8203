"""Pages: sign-in, consent, account, developer portal, library, viewer."""

from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from vitrine.edge.text import text_routes
from vitrine.web.account import account
from vitrine.web.admin import applications
from vitrine.web.admin import audit
from vitrine.web.oauth import authorize
from vitrine.web.admin import collections
from vitrine.web.developers import settings
from vitrine.web.oauth import device
from vitrine.web.library import download
from vitrine.web.embed import viewer
from vitrine.web.sign_in import identity_providers
from vitrine.web.library import wall
from vitrine.web.developers import editing
from vitrine.web.developers import limits_and_scopes
from vitrine.web.developers import usage
from vitrine.web.library import quarantine
from vitrine.web.sign_in import recovery
from vitrine.web.sign_in import mfa
from vitrine.web.sign_in import session
from vitrine.web.library import upload
from vitrine.web.shared.errors import EXCEPTION_HANDLERS
from vitrine.web.shared.render import HERE, LANGUAGES, catalogue

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
    return [*text_routes(pages), Mount("/static", StaticFiles(directory=HERE / "static"))]
