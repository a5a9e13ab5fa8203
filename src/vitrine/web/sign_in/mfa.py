"""The second step of signing in, and the page of the account where it is set up."""

import io
import json

import segno
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor, SignIn, User
from vitrine.accounts.identity_providers.service import LinkedIdentity
from vitrine.accounts.mfa import MfaOverview
from vitrine.edge import nobody, read, run_in_thread, services_of, write
from vitrine.edge.cookies import visitor_secret
from vitrine.errors import DomainError
from vitrine.platform.database import UnitOfWork
from vitrine.web.shared.errors import json_answer
from vitrine.web.shared.forms import known, posted, xhr
from vitrine.web.shared.reauthentication import requires_recent_auth, second_page
from vitrine.web.shared.render import local_path, page, redirect, said
from vitrine.web.sign_in.identity_provider_buttons import told
from vitrine.web.sign_in.session import login_page, opened

PAGE = "/account/security/"


async def second(request: Request) -> Response:
    """The code after the password: a session, or the page again with its fault."""
    given = await posted(request)
    services = services_of(request)
    back, pending, visitor = local_path(given.get("redirect")), given.get("pending", ""), visitor_secret(request)
    try:
        user, way = await read(
            request, nobody, lambda work, _who: services.accounts.mfa.pending_user(work, pending, visitor)
        )
    except DomainError as refusal:
        return await login_page(request, back, fault=said(request, refusal))
    try:
        await run_in_thread(lambda: services.accounts.mfa.check(user, given.get("code", ""), request.state.address))
    except DomainError as refusal:
        return await second_page(request, pending, user, back, said(request, refusal))
    return await opened(request, user, redirect(back), way)


async def passkey_options(request: Request) -> Response:
    await xhr(request)
    services = services_of(request)
    services.limits.requests.authorize.hit(
        request.state.address
    )  # anybody may ask, and each question is a row for five minutes
    made = await write(request, nobody, lambda work, _actor: services.accounts.passkeys.begin_sign_in(work))
    return json_answer({"success": True, "options": json.loads(made)})


async def passkey(request: Request) -> Response:
    given = await xhr(request)
    services = services_of(request)
    address = request.state.address

    def call(work: UnitOfWork, _actor: Actor) -> tuple[User, SignIn]:
        return services.accounts.passkeys.sign_in(work, given.get("answer", ""), address)

    try:
        user, way = await write(request, nobody, call)
    except DomainError as refusal:
        return json_answer({"success": False, "message": said(request, refusal)})
    answer = json_answer({"success": True, "location": local_path(given.get("redirect"))})
    return await opened(request, user, answer, way)


async def security(request: Request) -> Response:
    return await _security(request)


async def _security(
    request: Request, *, codes: list[str] | None = None, fault: str = "", fault_of: str = "code"
) -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> tuple[MfaOverview, str | None, bool, list[LinkedIdentity], bool]:
        # The secret of an app that waits for its first code is shown like every secret: shortly after signing in.
        is_fresh = services.accounts.sessions.has_recent_auth(work, actor)
        waiting = services.accounts.mfa.unconfirmed_address(work, actor) if is_fresh else None
        has_password = services.accounts.users.has_password(work, actor.must_user_id)
        return (
            services.accounts.mfa.overview(work, actor),
            waiting,
            is_fresh,
            services.accounts.identity_providers.overview(work, actor),
            has_password,
        )

    overview, address, is_fresh, connected, has_password = await read(request, known, call)
    return page(
        request, "account/security.html", tab="security", overview=overview, address=address, codes=codes or [],
        is_fresh=is_fresh, picture=_picture(address) if address else "", secret=_secret(address) if address else "",
        faults={fault_of: fault} if fault else {}, told=told(request), connected=connected,
        has_password=has_password, just_connected="connected" in request.query_params,
    )  # fmt: skip


def _secret(address: str) -> str:
    secret = address.partition("secret=")[2].partition("&")[0]
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def _picture(address: str) -> str:
    """The QR code as SVG, dark on light in both schemes: cameras want it so."""

    out = io.BytesIO()
    segno.make(address, error="m").save(
        out, kind="svg", scale=4, border=4, dark="#000", light="#fff", xmldecl=False, svgns=False, svgclass="qr",
        lineclass=None, omitsize=False,
    )  # fmt: skip
    return out.getvalue().decode()


async def begin(request: Request, _given: dict[str, str]) -> Response:
    await write(request, known, services_of(request).accounts.mfa.begin)
    return redirect(PAGE + "#app")


async def confirm(request: Request, given: dict[str, str]) -> Response:
    services = services_of(request)
    try:
        codes = await write(
            request, known, lambda work, actor: services.accounts.mfa.confirm(work, actor, given.get("code", ""))
        )
    except DomainError as refusal:
        if refusal.code == "sign_in_again":
            raise
        return await _security(request, fault=said(request, refusal))
    return await _security(request, codes=codes)


async def remove(request: Request, _given: dict[str, str]) -> Response:
    await write(request, known, services_of(request).accounts.mfa.remove)
    return redirect(PAGE)


async def codes(request: Request, _given: dict[str, str]) -> Response:
    return await _security(request, codes=await write(request, known, services_of(request).accounts.mfa.renew_codes))


async def prove_first(request: Request, _given: dict[str, str]) -> Response:
    """Sign-in made fresh before a passkey is added: the browser's own dialogue cannot ask for the password."""
    await write(request, known, services_of(request).accounts.sessions.require_recent_auth)
    return redirect(PAGE + "#passkeys")


async def new_passkey_options(request: Request) -> Response:
    await xhr(request)
    made = await write(request, known, services_of(request).accounts.passkeys.begin_registration)
    return json_answer({"success": True, "options": json.loads(made)})


async def add_passkey(request: Request, given: dict[str, str]) -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> list[str]:
        return services.accounts.passkeys.register(work, actor, given.get("answer", ""), given.get("name", ""))

    try:
        made = await write(request, known, call)
    except DomainError as refusal:
        if refusal.code == "sign_in_again":
            raise
        return await _security(request, fault=said(request, refusal), fault_of="name")
    return await _security(request, codes=made) if made else redirect(PAGE + "#passkeys")


async def remove_passkey(request: Request, _given: dict[str, str]) -> Response:
    services = services_of(request)
    passkey_id = int(request.path_params["id"])
    await write(request, known, lambda work, actor: services.accounts.passkeys.remove(work, actor, passkey_id))
    return redirect(PAGE + "#passkeys")


ROUTES = [
    Route("/login/second/", second, methods=["POST"]),
    Route("/login/passkey/options/", passkey_options, methods=["POST"]),
    Route("/login/passkey/", passkey, methods=["POST"]),
    Route(PAGE, security, methods=["GET"]),
    Route(PAGE + "app/", requires_recent_auth(begin), methods=["POST"]),
    Route(PAGE + "app/confirm/", requires_recent_auth(confirm), methods=["POST"]),
    Route(PAGE + "app/remove/", requires_recent_auth(remove), methods=["POST"]),
    Route(PAGE + "codes/", requires_recent_auth(codes), methods=["POST"]),
    Route(PAGE + "fresh/", requires_recent_auth(prove_first), methods=["POST"]),
    Route(PAGE + "passkeys/options/", new_passkey_options, methods=["POST"]),
    Route(PAGE + "passkeys/", requires_recent_auth(add_passkey), methods=["POST"]),
    Route(PAGE + "passkeys/{id:int}/remove/", requires_recent_auth(remove_passkey), methods=["POST"]),
]
