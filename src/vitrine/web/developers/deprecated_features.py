"""The page about deprecated features and what to use instead."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.api.wire.endpoint import GUIDE
from vitrine.edge import cookie, read
from vitrine.oauth.deprecated_features import SUNSET
from vitrine.web.shared.render import page


async def guide(request: Request) -> Response:
    """The page named in the `Link` header of a response to a deprecated request; for everybody."""
    await read(request, cookie, lambda _work, _actor: None)
    return page(request, "developers/deprecated_features.html", sunset=SUNSET)


ROUTES = [
    Route(GUIDE, guide, methods=["GET"]),
]
