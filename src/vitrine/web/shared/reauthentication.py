"""Reauthentication: the password again before secrets are shown or access is given away.

A form that needs a recent sign-in is answered with the password page. That page sends the same form again with the
password beside it, so the action happens at once, without a second click and without script.
"""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.accounts.errors import RecentAuthRequired
from vitrine.edge import read, run_in_thread, services_of, write
from vitrine.errors import DomainError
from vitrine.identity_provider_settings import Provider
from vitrine.platform.database import UnitOfWork
from vitrine.web.shared.forms import known, posted
from vitrine.web.shared.render import page, provider_failure, said, translate

PROOF, CODE = "proof-password", "proof-code"
_OURS = (PROOF, CODE, "csrf", "login")
Handler = Callable[[Request, dict[str, str]], Awaitable[Response]]


def requires_recent_auth(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Wrap the handler of a form that may raise RecentAuthRequired; it gets the form's fields."""

    async def handle(request: Request) -> Response:
        given = await posted(request)
        if PROOF in given:
            fault = await reauthenticate(request, given.get(PROOF, ""), given.get(CODE, ""))
            if fault is not None:
                return await reauthentication_page(request, given, *fault)
        try:
            return await handler(request, {name: value for name, value in given.items() if name not in _OURS})
        except RecentAuthRequired:
            return await reauthentication_page(request, given)

    return handle


async def reauthenticate(request: Request, password: str, code: str) -> tuple[str, str] | None:
    """Record that the signed-in person proved who they are; otherwise return the field at fault and the reason."""
    services = services_of(request)

    def person_and_factor(work: UnitOfWork, actor: Actor) -> tuple[Actor, bool]:
        # Passkeys count too: with the password alone a stolen session could take them off the account.
        return actor, services.accounts.users.has_second_step(work, actor.must_user_id)

    actor, needs_code = await read(request, known, person_and_factor)
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
    """The password page for a form: the fields *given* are sent again with the password."""
    services = services_of(request)

    def factors(work: UnitOfWork, actor: Actor) -> tuple[bool, bool, bool, list[Provider]]:
        accounts, user_id = services.accounts, actor.must_user_id
        return (
            accounts.users.has_second_step(work, user_id),
            accounts.mfa.has_app(work, user_id),
            accounts.users.has_password(work, user_id),
            accounts.identity_providers.reauthentication_providers(work, user_id),
        )

    needs_code, has_app, has_password, providers = await read(request, known, factors)
    hidden = {name: value for name, value in given.items() if name not in _OURS}
    return page(
        request,
        "shared/reauthentication.html",
        faults={field: fault} if fault else {},
        action=request.url.path + _section_of(request.url.path),
        hidden=hidden,
        back=back or _page_of(request.url.path) + _section_of(request.url.path),
        needs_code=needs_code,
        has_app=has_app,
        has_password=has_password,
        providers=providers,
        provider_failure=provider_failure(request),
    )


def _page_of(path: str) -> str:
    """Where *Cancel* leads: the page from which the form came."""
    parts = path.strip("/").split("/")
    if parts[:2] == ["developers", "application"] and len(parts) > 2 and parts[2].isdecimal():
        return f"/developers/application/{parts[2]}/" + (f"{parts[3]}/" if parts[3:] and parts[3] in _PAGES else "")
    if parts[0] == "developers":
        return "/developers/applications/"
    return "/account/security/" if parts[:2] == ["account", "security"] else "/account/"


_PAGES = frozenset({"people", "delete"})  # of an application, besides its settings
_SECTIONS = {
    "reveal": "credentials", "secrets": "secrets", "access_token": "developer-token", "tokens": "tokens",
    "switch": "machine", "callback": "credentials", "redirects": "redirects", "state": "state",
    "app": "app", "passkeys": "passkeys", "fresh": "passkeys", "codes": "recovery-codes", "connected": "connected",
}  # fmt: skip


def _section_of(path: str) -> str:
    """The fragment of the section that the form stands in, which the browser does not send; "" for a page of its
    own."""
    parts = path.strip("/").split("/")
    named = parts[3:4] if parts[:2] == ["developers", "application"] else parts[2:3]
    section = _SECTIONS.get(named[0]) if named else None
    return f"#{section}" if section else ""
