"""Signing in and out, the first administrator, and reauthentication (contract 07 P10)."""

from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import COMMAND, Actor, CollectionGrant, DataboxRight, SignIn, User
from vitrine.accounts.rights import ALL_DATABOX_RIGHTS, ALL_RIGHTS
from vitrine.accounts.sessions import BY_PASSWORD
from vitrine.edge import cookie, csrf, nobody, read, run_in_thread, services_of, write
from vitrine.edge.cookies import clear_session, set_session
from vitrine.errors import DomainError
from vitrine.platform.database import UnitOfWork
from vitrine.web.shared.forms import fields, known, posted
from vitrine.web.shared.reauthentication import CODE, PROOF, reauthenticate, reauthentication_page
from vitrine.web.shared.render import local_path, page, provider_failure, redirect, said
from vitrine.web.sign_in.pages import login_page, second_step, solution_of

FIRST_DATABOX, FIRST_COLLECTION = "Library", "Documents"


async def login(request: Request) -> Response:
    """GET: the form, or on to the library if somebody is signed in. An empty instance leads to its set-up."""
    back = local_path(request.query_params.get("redirect"))
    empty, actor = await read(
        request, cookie, lambda work, actor: (services_of(request).accounts.users.is_empty(work), actor)
    )
    if empty:
        return redirect("/setup/", 302)
    if actor.is_known:
        return redirect(back, 302)
    renewed = "renewed" in request.query_params
    return await login_page(request, back, renewed=renewed, failure=provider_failure(request))


async def sign_in(request: Request) -> Response:
    given = await fields(request)
    services = services_of(request)
    back = local_path(given.get("redirect"))
    try:
        csrf.require(request, given.get("csrf"), opens_session=True)
    except csrf.StaleForm as refusal:
        return await login_page(request, back, login=given.get("login", ""), fault=said(request, refusal), status=403)
    solution = solution_of(given)
    try:
        user = await run_in_thread(
            lambda: services.accounts.users.check_password(
                given.get("login", ""), given.get("password", ""), request.state.address, solution=solution
            )
        )
    except DomainError as refusal:
        return await login_page(request, back, login=given.get("login", ""), fault=said(request, refusal))
    return await second_step(request, user, back) or await open_session(request, user, redirect(back))


async def open_session(
    request: Request,
    user: User,
    response: Response,
    sign_in: SignIn = BY_PASSWORD,
    auth_time: datetime | None = None,
) -> Response:
    """Give *response* the cookie of a new session; a session that this browser had before ends. *auth_time* is when
    the person proved who they are, if that was not now. Raises WrongCode when what they proved it with has just
    ended."""
    services = services_of(request)
    agent = request.headers.get("user-agent", "")

    def call(work: UnitOfWork, before: Actor) -> str:
        if before.session is not None:
            services.accounts.sessions.end(work, before, before.session.id)
        secret, _session = services.accounts.sessions.open(
            work, user, address=request.state.address, agent=agent, sign_in=sign_in, auth_time=auth_time
        )
        return secret

    set_session(request, response, await write(request, cookie, call))
    return response


async def sign_out(request: Request) -> Response:
    await posted(request)
    return await end_session(request, redirect("/login/"))


async def end_session(request: Request, response: Response) -> Response:
    """End the session of this browser and let *response* say so. The caller checked the form."""
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> None:
        if actor.session is not None:
            services.accounts.sessions.end(work, actor, actor.session.id)

    await write(request, cookie, call)
    clear_session(request, response)
    return response


async def setup(request: Request) -> Response:
    """The first page of an empty instance makes its administrator; afterwards the address leads to the sign-in."""
    if not await read(request, nobody, lambda work, _actor: services_of(request).accounts.users.is_empty(work)):
        return redirect("/login/", 302)
    given = {"login": "", "email": ""}
    if request.method != "POST":
        return page(request, "sign_in/setup.html", faults=_NoFaults(), given=given)
    given |= await posted(request)
    services = services_of(request)

    def call(work: UnitOfWork, _actor: Actor) -> User:
        user = services.accounts.users.add_first_administrator(
            work, login=given["login"], email=given["email"], password=given.get("password", "")
        )
        box = services.library.structure.add_databox(work, COMMAND, FIRST_DATABOX)
        collection = services.library.structure.add_collection(work, COMMAND, box.id, FIRST_COLLECTION)
        services.accounts.users.grant(work, COMMAND, user.id, CollectionGrant(collection.id, box.id, ALL_RIGHTS))
        services.accounts.users.grant_databox(work, COMMAND, user.id, box.id, DataboxRight(ALL_DATABOX_RIGHTS))
        return services.accounts.users.get(work, user.id)

    try:
        user = await write(request, nobody, call)
    except DomainError as refusal:
        faults = _NoFaults({refusal.field or "login": said(request, refusal)})
        return page(request, "sign_in/setup.html", faults=faults, given=given)
    return await open_session(request, user, redirect("/"))


class _NoFaults(dict[str, str]):
    """Faults by field; a field without one has an empty fault, so that templates stay short."""

    def __missing__(self, key: str) -> str:
        return ""


async def prove(request: Request) -> Response:
    """Give the password again before secrets are shown (design 5.4)."""
    if request.method != "POST":
        back = local_path(request.query_params.get("redirect"), "/account/")
        await read(request, known, lambda _work, _actor: None)
        return await reauthentication_page(request, {"redirect": back}, back=back)
    given = await posted(request)
    back = local_path(given.get("redirect"), "/account/")
    fault = await reauthenticate(request, given.get(PROOF, given.get("password", "")), given.get(CODE, ""))
    return await reauthentication_page(request, given, *fault, back=back) if fault else redirect(back)


ROUTES = [
    Route("/login/", login, methods=["GET"]),
    Route("/login/", sign_in, methods=["POST"]),
    Route("/login/logout/", sign_out, methods=["POST"]),
    Route("/login/prove/", prove, methods=["GET", "POST"]),
    Route("/setup/", setup, methods=["GET", "POST"]),
]
