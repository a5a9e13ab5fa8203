"""Changing one's e-mail address by a link that is sent to the new one (`/account/reset-email/`)."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor
from vitrine.accounts.errors import RecentAuthRequired
from vitrine.accounts.revokers import EMAIL
from vitrine.edge import read, run_in_thread, services_of, write
from vitrine.errors import DomainError
from vitrine.platform.database import UnitOfWork
from vitrine.web.shared.forms import known, posted
from vitrine.web.shared.reauthentication import reauthentication_page
from vitrine.web.shared.render import language_of, page, redirect, said, translate
from vitrine.web.sign_in.recovery import QUIET


async def email(request: Request) -> Response:
    """GET: the form, or the button of a link that was followed. POST: ask for the link, or confirm by it."""
    services = services_of(request)
    if request.method != "POST":
        token = request.query_params.get("token", "")

        def call(work: UnitOfWork, actor: Actor) -> tuple[str, bool]:
            if token:
                services.accounts.mail.link_owner(work, token, EMAIL)
            user_id = actor.must_user_id
            return services.accounts.users.get(work, user_id).email or "", services.accounts.users.has_password(
                work, user_id
            )

        current, has_password = await read(request, known, call)
        done = "done" in request.query_params
        return page(
            request, "account/email.html", headers=QUIET, tab="", faults={}, token=token, email=current, sent="",
            done=done, has_password=has_password,
        )  # fmt: skip
    given = await posted(request)
    if given.get("token"):
        await write(
            request, known, lambda work, actor: services.accounts.mail.confirm_email(work, actor, given["token"])
        )
        return redirect("/account/reset-email/?done")
    return await _request_change(request, given.get("email", ""), given.get("password", ""))


async def _request_change(request: Request, address: str, password: str) -> Response:
    """The current password proves who asks; who has none must have signed in elsewhere a moment ago."""
    services = services_of(request)

    def person_and_password(work: UnitOfWork, actor: Actor) -> tuple[Actor, bool]:
        return actor, services.accounts.users.has_password(work, actor.must_user_id)

    actor, has_password = await read(request, known, person_and_password)
    faults, sent = {}, ""
    language = language_of(request, actor)

    def request_change(work: UnitOfWork, who: Actor) -> None:
        if not has_password:
            services.accounts.sessions.require_recent_auth(work, who)
        services.accounts.mail.request_address_change(work, who, address, language)

    try:
        if has_password:
            await run_in_thread(
                lambda: services.accounts.users.check_password(actor.login, password, request.state.address)
            )
        await write(request, known, request_change)
        sent = address
    except RecentAuthRequired:
        return await reauthentication_page(request, {}, back="/account/reset-email/")
    except DomainError as refusal:
        is_password = refusal.code == "wrong_credentials"
        detail = translate(request, "The password is not right.") if is_password else said(request, refusal)
        faults = {"password" if is_password else "email": detail}
    return page(
        request, "account/email.html", headers=QUIET, tab="", faults=faults, token="", email=address, sent=sent,
        done=False, has_password=has_password,
    )  # fmt: skip


ROUTES = [
    Route("/account/reset-email/", email, methods=["GET", "POST"]),
]
