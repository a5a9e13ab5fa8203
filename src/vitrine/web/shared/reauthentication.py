"""Who is it really: the password again before secrets are shown, and the second step of signing in.

One way for every page: a form that needs a fresh sign-in is answered with the password page, which sends the same form
once more with the password beside it. So what was asked happens at once, without a second click and without script.
"""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor, User
from vitrine.accounts.errors import RecentAuthRequired
from vitrine.edge import nobody, read, run_in_thread, services_of, write
from vitrine.edge.cookies import visitor_secret
from vitrine.errors import DomainError
from vitrine.identity_provider_settings import Provider
from vitrine.platform.database import UnitOfWork
from vitrine.web.shared.form_action import form_action_after
from vitrine.web.shared.forms import known, posted
from vitrine.web.shared.render import page, said, translate
from vitrine.web.sign_in.identity_provider_buttons import told

PROOF, CODE = "proof-password", "proof-code"
_OURS = (PROOF, CODE, "csrf", "login")
Handler = Callable[[Request, dict[str, str]], Awaitable[Response]]


def requires_recent_auth(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Wrap the handler of a form that may raise RecentAuthRequired; it gets the form's fields."""

    async def asked(request: Request) -> Response:
        given = await posted(request)
        if PROOF in given:
            fault = await reauthenticate(request, given.get(PROOF, ""), given.get(CODE, ""))
            if fault is not None:
                return await reauthentication_page(request, given, *fault)
        try:
            return await handler(request, {name: value for name, value in given.items() if name not in _OURS})
        except RecentAuthRequired:
            return await reauthentication_page(request, given)

    return asked


async def reauthenticate(request: Request, password: str, code: str) -> tuple[str, str] | None:
    """Note a fresh sign-in of who is signed in; the field and the words of a fault otherwise."""
    services = services_of(request)

    def look(work: UnitOfWork, actor: Actor) -> tuple[Actor, bool]:
        # Passkeys count too: with the password alone a stolen session could take them off the account.
        return actor, services.accounts.users.has_second_step(work, actor.must_user_id)

    actor, needs_code = await read(request, known, look)
    field = PROOF
    try:
        user = await run_in_thread(
            lambda: services.accounts.users.check_password(actor.login, password, request.state.address)
        )
        if needs_code:
            field = CODE
            await run_in_thread(lambda: services.accounts.mfa.check(user, code, request.state.address))
    except DomainError as refusal:
        if refusal.code == "wrong_credentials":
            return field, translate(request, "The password is not right.")
        return field, said(request, refusal)
    await write(request, known, services.accounts.sessions.record_reauthentication)
    return None


async def reauthentication_page(
    request: Request, given: Mapping[str, str], field: str = "", fault: str = "", back: str = ""
) -> Response:
    """The password page for a form: *given* is sent again with what is typed there."""
    services = services_of(request)

    def look(work: UnitOfWork, actor: Actor) -> tuple[bool, bool, bool, list[Provider]]:
        mine = actor.must_user_id
        provers = services.accounts.identity_providers.reauthentication_providers(work, mine)
        accounts = services.accounts
        return (
            accounts.users.has_second_step(work, mine),
            services.accounts.mfa.has_app(work, mine),
            accounts.users.has_password(work, mine),
            provers,
        )

    needs_code, has_app, has_password, provers = await read(request, known, look)
    hidden = {name: value for name, value in given.items() if name not in _OURS}
    return page(
        request,
        "shared/reauthentication.html",
        faults={field: fault} if fault else {},
        action=request.url.path,
        hidden=hidden,
        back=back or _page_of(request.url.path),
        needs_code=needs_code,
        has_app=has_app,
        has_password=has_password,
        provers=provers,
        told=told(request),
    )


def _page_of(path: str) -> str:
    """Where *Cancel* leads: the page from which the form came."""
    parts = path.strip("/").split("/")
    if parts[:2] == ["developers", "application"] and len(parts) > 2:
        return f"/developers/application/{parts[2]}/"
    return "/account/security/" if parts[:2] == ["account", "security"] else "/account/"


async def second_step(request: Request, user: User, back: str, *, identity_id: int | None = None) -> Response | None:
    """The page of the second step when *user*, whose password was just right, needs one; None when not. *identity_id*
    is the linked identity of a first step at a provider.

    Shared by the sign-in page and the authorize page: both end here, and go on at *back* afterwards."""
    services = services_of(request)
    if not await read(request, nobody, lambda work, _actor: services.accounts.users.has_second_step(work, user.id)):
        return None
    visitor = visitor_secret(request)
    pending = await read(
        request, nobody, lambda work, _actor: services.accounts.mfa.pending(user, visitor, work.now, identity_id)
    )
    return await second_page(request, pending, user, back)


async def second_page(request: Request, pending: str, user: User, back: str, fault: str = "") -> Response:
    services = services_of(request)
    has_app = await read(request, nobody, lambda work, _actor: services.accounts.mfa.has_app(work, user.id))
    return page(
        request,
        "sign_in/mfa.html",
        forms=await form_action_after(request, back),
        pending=pending,
        back=back,
        has_app=has_app,
        faults={"code": fault} if fault else {},
    )
