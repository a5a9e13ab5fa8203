"""The application that a page of the portal is about, and the way back to its pages."""

from starlette.requests import Request
from starlette.responses import Response

from vitrine.applications import Application, ApplicationId
from vitrine.edge import read, services_of
from vitrine.web.shared.forms import known
from vitrine.web.shared.render import redirect

APPLICATION = "/developers/application/{id:int}/"


def application_id(request: Request) -> ApplicationId:
    return ApplicationId(request.path_params["id"])


async def read_application(request: Request) -> Application:
    """The application in the path. Raises NoSuchApplication if it is not there or not one's own."""
    registry = services_of(request).applications.registry
    return await read(request, known, lambda work, actor: registry.get(work, actor, application_id(request)))


def back_to(request: Request, section: str = "", sub: str = "") -> Response:
    """A redirect to the page *sub* of the application, at its *section*."""
    return redirect(f"/developers/application/{application_id(request)}/{sub}{'#' + section if section else ''}")
