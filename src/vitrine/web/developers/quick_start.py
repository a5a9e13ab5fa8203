"""Snippets to begin with, with the application's own values."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.applications import kind_of
from vitrine.edge import services_of
from vitrine.web.developers import snippets
from vitrine.web.developers.application import APPLICATION, read_application
from vitrine.web.shared.render import page


async def start(request: Request) -> Response:
    """Snippets with the application's own values. Their token comes from the environment, never from the page."""
    services = services_of(request)
    application = await read_application(request)
    server = services.settings.base_url.rstrip("/")
    kind = kind_of(application.kind, application.type, application.switches.profile)
    return page(
        request, "developers/start.html", part="start", application=application, kind=kind.value,
        snippets=snippets.first_photograph(server), pkce=snippets.PKCE,
        authorize=snippets.authorize(server, application), exchange=snippets.exchange(server, application),
        alone=snippets.alone(server, application), whole_page=snippets.whole_page(server, application, kind),
    )  # fmt: skip


ROUTES = [
    Route(APPLICATION + "start/", start, methods=["GET"]),
]
