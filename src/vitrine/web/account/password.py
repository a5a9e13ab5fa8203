"""Changing one's password."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.edge import read, run_in_thread, services_of
from vitrine.errors import DomainError, Invalid
from vitrine.web.shared.forms import known, posted
from vitrine.web.shared.render import page, redirect, said

PAGE = "/account/reset-password/"


async def password(request: Request) -> Response:
    if request.method != "POST":
        has = await read(
            request, known, lambda work, who: services_of(request).accounts.users.has_password(work, who.must_user_id)
        )
        done = "done" in request.query_params
        return page(request, "account/password.html", tab="", faults={}, done=done, has_password=has)
    given = await posted(request)
    services = services_of(request)

    actor = await read(request, known, lambda _work, actor: actor)
    try:
        if given.get("new", "") != given.get("again", ""):
            raise Invalid("The two new passwords are not the same.", field="again")
        old, new = given.get("old", ""), given.get("new", "")
        end = "end-applications" in given
        await run_in_thread(
            lambda: services.accounts.users.change_password(actor, old=old, new=new, end_applications=end)
        )
    except DomainError as refusal:
        field = "new" if refusal.field == "password" else refusal.field or "old"
        faults = {field: said(request, refusal)}
        return page(request, "account/password.html", tab="", faults=faults, done=False, has_password=True)
    return redirect("/account/reset-password/?done")


async def well_known(_request: Request) -> Response:
    """Where password managers find this page (W3C, A Well-Known URL for Changing Passwords)."""
    response = redirect(PAGE, 302)
    response.headers["Cache-Control"] = "no-store"
    return response


ROUTES = [
    Route(PAGE, password, methods=["GET", "POST"]),
    Route("/.well-known/change-password", well_known, methods=["GET"]),
]
