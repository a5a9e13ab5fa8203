"""The administrators' page of the maintenance mode (contract 06 section 1): whether it is on, and the switch."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.edge import read, services_of, write
from vitrine.errors import Invalid
from vitrine.operations.tasks import require_administrator
from vitrine.web.shared.forms import known, posted
from vitrine.web.shared.render import page, redirect

PAGE = "/admin/maintenance/"


async def show(request: Request) -> Response:
    await read(request, known, lambda _work, actor: require_administrator(actor))
    return page(request, "admin/maintenance.html", is_on=services_of(request).maintenance.is_on)


async def switch(request: Request) -> Response:
    given = await posted(request)
    state = given.get("state")
    if state not in ("on", "off"):
        raise Invalid("There is no such choice.", field="state")
    maintenance = services_of(request).maintenance
    await write(request, known, lambda work, actor: maintenance.switch(work, actor, on=state == "on"))
    return redirect(PAGE)


ROUTES = [Route(PAGE, show, methods=["GET"]), Route(PAGE, switch, methods=["POST"])]
