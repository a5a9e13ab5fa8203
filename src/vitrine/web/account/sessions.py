"""One's sign-ins: the list, and ending one, the others, or everything."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import SessionId
from vitrine.edge import listing, services_of, write
from vitrine.web.shared.forms import known, posted
from vitrine.web.shared.reauthentication import requires_recent_auth
from vitrine.web.shared.render import page, redirect


async def sessions(request: Request) -> Response:
    services = services_of(request)
    listed = await listing(request, known, services.accounts.sessions.of)
    return page(
        request, "account/sessions.html", tab="sessions", sessions=listed, ended="ended" in request.query_params
    )


async def end_session(request: Request) -> Response:
    await posted(request)
    session_id = SessionId(request.path_params["id"])
    await write(request, known, lambda work, actor: services_of(request).accounts.sessions.end(work, actor, session_id))
    return redirect("/account/security/sessions/")


async def end_others(request: Request) -> Response:
    await posted(request)
    await write(request, known, services_of(request).accounts.sessions.end_others)
    return redirect("/account/security/sessions/")


async def end_everything(request: Request, _given: dict[str, str]) -> Response:
    await write(request, known, services_of(request).accounts.sessions.end_everything)
    return redirect("/account/security/sessions/?ended")


ROUTES = [
    Route("/account/security/sessions/", sessions, methods=["GET"]),
    Route("/account/security/sessions/end-others/", end_others, methods=["POST"]),
    Route("/account/security/sessions/end-everything/", requires_recent_auth(end_everything), methods=["POST"]),
    Route("/session/delete/{id:int}", end_session, methods=["POST"]),
]
