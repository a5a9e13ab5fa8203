"""An application out of API v4, with the entity tag that guards its changes."""

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v4 import content
from vitrine.api.v4.applications import present
from vitrine.api.v4.content import answer, secret_answer
from vitrine.applications import Application, ApplicationId
from vitrine.edge import services_of
from vitrine.platform.database import UnitOfWork


def application_id(request: Request) -> ApplicationId:
    return ApplicationId(request.path_params["id"])


def permit(request: Request, work: UnitOfWork, actor: Actor) -> None:
    """For owners of the application of the path, and administrators."""
    services_of(request).applications.registry.get(work, actor, application_id(request))


def shown(application: Application, status: int = 200, secret: str | None = None, **headers: str) -> Response:
    """The application with its entity tag, and with its new client *secret* if there is one."""
    value, headers = present.application(application), {"ETag": tag_of(application), **headers}
    if secret is None:
        return answer(value, status, headers)
    return secret_answer({**value, "client_secret": secret}, status, headers)


def tag_of(application: Application) -> str:
    return content.tag_of(application.updated, application.id)


def require_tag(request: Request, application: Application, *, required: bool = False) -> None:
    """Raises Changed (412), or Unguarded (428) where the header is missing and *required*."""
    content.require_tag(request, tag_of(application), required=required)
