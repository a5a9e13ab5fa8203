"""The second step of signing in, and signing in by a passkey alone."""

import json

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor, SignIn, User
from vitrine.edge import nobody, read, run_in_thread, services_of, write
from vitrine.edge.cookies import visitor_secret
from vitrine.errors import DomainError
from vitrine.platform.database import UnitOfWork
from vitrine.web.shared.errors import json_answer
from vitrine.web.shared.forms import posted, xhr
from vitrine.web.shared.render import local_path, redirect, said
from vitrine.web.sign_in.pages import login_page, second_step_page
from vitrine.web.sign_in.session import open_session


async def second(request: Request) -> Response:
    """The code after the password: a session, or the page again with its fault."""
    given = await posted(request)
    services = services_of(request)
    back, pending, visitor = local_path(given.get("redirect")), given.get("pending", ""), visitor_secret(request)
    try:
        user, opened_by = await read(
            request, nobody, lambda work, _who: services.accounts.mfa.pending_user(work, pending, visitor)
        )
    except DomainError as refusal:
        return await login_page(request, back, fault=said(request, refusal))
    try:
        await run_in_thread(lambda: services.accounts.mfa.check(user, given.get("code", ""), request.state.address))
    except DomainError as refusal:
        return await second_step_page(request, pending, user, back, said(request, refusal))
    return await open_session(request, user, redirect(back), opened_by)


async def passkey_options(request: Request) -> Response:
    await xhr(request)
    services = services_of(request)
    # Anybody may ask, and each question is a row for five minutes.
    services.limits.requests.authorize.hit(request.state.address)
    options = await write(request, nobody, lambda work, _actor: services.accounts.passkeys.begin_sign_in(work))
    return json_answer({"success": True, "options": json.loads(options)})


async def passkey(request: Request) -> Response:
    given = await xhr(request)
    services = services_of(request)
    address = request.state.address

    def call(work: UnitOfWork, _actor: Actor) -> tuple[User, SignIn]:
        return services.accounts.passkeys.sign_in(work, given.get("answer", ""), address)

    try:
        user, opened_by = await write(request, nobody, call)
    except DomainError as refusal:
        return json_answer({"success": False, "message": said(request, refusal)})
    answer = json_answer({"success": True, "location": local_path(given.get("redirect"))})
    return await open_session(request, user, answer, opened_by)


ROUTES = [
    Route("/login/second/", second, methods=["POST"]),
    Route("/login/passkey/options/", passkey_options, methods=["POST"]),
    Route("/login/passkey/", passkey, methods=["POST"]),
]
