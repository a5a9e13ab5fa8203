"""Pages: sign-in, consent, account, developer portal, library, viewer."""

from functools import cache

from starlette.routing import BaseRoute, Mount

from vitrine.edge.text import text_routes
from vitrine.web import account, admin, developers, embed, library, oauth, sign_in
from vitrine.web.shared.addresses import at_base_address, with_slash_twins
from vitrine.web.shared.errors import EXCEPTION_HANDLERS
from vitrine.web.shared.maintenance import MaintenanceGate
from vitrine.web.shared.render import LANGUAGES, catalogue
from vitrine.web.shared.static import Static

__all__ = ["EXCEPTION_HANDLERS", "LANGUAGES", "MaintenanceGate", "catalogue", "routes"]


@cache
def routes() -> tuple[BaseRoute, ...]:
    """The routes for Starlette, the same for every server of a process."""
    pages = [
        *library.ROUTES,
        *sign_in.ROUTES,
        *account.ROUTES,
        *developers.ROUTES,
        *admin.ROUTES,
        *oauth.ROUTES,
    ]
    with_forms = with_slash_twins(at_base_address(pages))
    return (*text_routes([*with_forms, *embed.ROUTES]), Mount("/static", Static()))
