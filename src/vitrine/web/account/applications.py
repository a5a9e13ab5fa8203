"""The applications that one allowed, and the e-mails about them (contract 07 P6)."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor, User
from vitrine.applications import Account, ApplicationId, Authorised
from vitrine.edge import long_read, services_of, write
from vitrine.oauth.notices import EVERYTHING
from vitrine.oauth.scopes import described
from vitrine.platform.database import UnitOfWork
from vitrine.web.shared.errors import json_answer
from vitrine.web.shared.forms import known, posted, xhr
from vitrine.web.shared.render import page, page_number, redirect

PER_PAGE = 50


async def applications(request: Request) -> Response:
    services = services_of(request)
    at = page_number(request)

    def call(work: UnitOfWork, actor: Actor) -> tuple[list[Authorised], bool, User]:
        user_id = actor.must_user_id
        emails_wanted = services.oauth.server.notices.are_wanted(work, user_id)
        return (
            services.applications.consents.authorised(work, actor, limit=PER_PAGE + 1, offset=(at - 1) * PER_PAGE),
            emails_wanted,
            services.accounts.users.get(work, user_id),
        )

    authorised, emails_wanted, user = await long_read(request, known, call)
    return page(
        request, "account/applications.html", tab="applications", lines=authorised[:PER_PAGE], at=at,
        more=len(authorised) > PER_PAGE, emails_wanted=emails_wanted,
        may=_may, actor_email=user.email, saved="saved" in request.query_params,
    )  # fmt: skip


def _may(account: Account) -> list[str]:
    """What an application was allowed, in words."""
    if account.granted_scope is None:
        return list(EVERYTHING)
    return [scope.words for scope in described(account.granted_scope)]


async def set_emails(request: Request) -> Response:
    """Choose whether an e-mail reports that an application got access."""
    given = await posted(request)
    wanted = given.get("on") == "1"
    await write(
        request, known, lambda work, actor: services_of(request).oauth.server.notices.want(work, actor, on=wanted)
    )
    return redirect("/account/security/applications/?saved#e-mails")


async def forget(request: Request) -> Response:
    await posted(request)
    application = ApplicationId(request.path_params["id"])
    services = services_of(request)
    await write(request, known, lambda work, actor: services.applications.consents.forget(work, actor, application))
    return redirect("/account/security/applications/")


async def revoke(request: Request) -> Response:
    await posted(request)
    await _revoke(request)
    return redirect("/account/security/applications/")


async def _revoke(request: Request) -> None:
    application = ApplicationId(request.path_params["id"])
    services = services_of(request)
    await write(request, known, lambda work, actor: services.applications.consents.withdraw(work, actor, application))


async def grant(request: Request) -> Response:
    """The old XHR-JSON route: `revoke=1` withdraws; allowing again needs the application's consent page (01 §9 D)."""
    given = await xhr(request)
    if given.get("revoke", "").lower() in ("1", "true", "on"):
        await _revoke(request)
        return json_answer({"success": True})
    return json_answer({"success": False, "message": "The application has to ask for your consent again."})


ROUTES = [
    Route("/account/security/applications/", applications, methods=["GET"]),
    Route("/account/security/applications/letters/", set_emails, methods=["POST"]),
    Route("/account/security/application/{id:int}/revoke/", revoke, methods=["POST"]),
    Route("/account/security/application/{id:int}/forget/", forget, methods=["POST"]),
    Route("/account/security/application/{id:int}/grant/", grant, methods=["GET", "POST"]),
]
