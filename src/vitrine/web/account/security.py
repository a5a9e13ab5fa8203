"""The security page of the account: authenticator app, recovery codes, passkeys, linked identities."""

import io
import json
from urllib.parse import quote

import segno
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor
from vitrine.accounts.errors import RecentAuthRequired
from vitrine.accounts.identity_providers.service import (
    LINKING,
    LinkedIdentity,
)
from vitrine.accounts.mfa import MfaOverview
from vitrine.edge import read, services_of, write
from vitrine.errors import DomainError
from vitrine.platform.database import UnitOfWork
from vitrine.web.shared.errors import json_answer
from vitrine.web.shared.forms import known, xhr
from vitrine.web.shared.reauthentication import requires_recent_auth
from vitrine.web.shared.render import page, provider_failure, redirect, said
from vitrine.web.sign_in.identity_providers import begin as begin_at_provider

PAGE = "/account/security/"


async def security(request: Request) -> Response:
    return await _security(request)


async def _security(
    request: Request, *, codes: list[str] | None = None, fault: str = "", fault_of: str = "code"
) -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> tuple[MfaOverview, str | None, bool, list[LinkedIdentity], bool]:
        # The secret of an app that waits for its first code is shown like every secret: shortly after signing in.
        is_recent = services.accounts.sessions.has_recent_auth(work, actor)
        unconfirmed = services.accounts.mfa.unconfirmed_address(work, actor) if is_recent else None
        has_password = services.accounts.users.has_password(work, actor.must_user_id)
        return (
            services.accounts.mfa.overview(work, actor),
            unconfirmed,
            is_recent,
            services.accounts.identity_providers.overview(work, actor),
            has_password,
        )

    overview, address, is_recent, connected, has_password = await read(request, known, call)
    return page(
        request, "account/security.html", tab="security", overview=overview, address=address, codes=codes or [],
        is_recent=is_recent, picture=_picture(address) if address else "", secret=_secret(address) if address else "",
        faults={fault_of: fault} if fault else {}, provider_failure=provider_failure(request), connected=connected,
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


async def set_up_app(request: Request, _given: dict[str, str]) -> Response:
    await write(request, known, services_of(request).accounts.mfa.begin)
    return redirect(PAGE + "#app")


async def confirm_app(request: Request, given: dict[str, str]) -> Response:
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


async def remove_app(request: Request, _given: dict[str, str]) -> Response:
    await write(request, known, services_of(request).accounts.mfa.remove)
    return redirect(PAGE + "#app")


async def renew_codes(request: Request, _given: dict[str, str]) -> Response:
    return await _security(request, codes=await write(request, known, services_of(request).accounts.mfa.renew_codes))


async def prove_first(request: Request, _given: dict[str, str]) -> Response:
    """Reauthentication before a passkey is added: the browser's own dialogue cannot ask for the password."""
    await write(request, known, services_of(request).accounts.sessions.require_recent_auth)
    return redirect(PAGE + "#passkeys")


async def new_passkey_options(request: Request) -> Response:
    await xhr(request)
    options = await write(request, known, services_of(request).accounts.passkeys.begin_registration)
    return json_answer({"success": True, "options": json.loads(options)})


async def add_passkey(request: Request, given: dict[str, str]) -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> list[str]:
        codes = services.accounts.passkeys.register(work, actor, given.get("answer", ""), given.get("name", ""))
        user = services.accounts.users.get(work, actor.must_user_id)
        services.accounts.mail.send(work, "passkey-added", user, {})
        return codes

    try:
        codes = await write(request, known, call)
    except DomainError as refusal:
        if refusal.code == "sign_in_again":
            raise
        return await _security(request, fault=said(request, refusal), fault_of="name")
    return await _security(request, codes=codes) if codes else redirect(PAGE + "#passkeys")


async def remove_passkey(request: Request, _given: dict[str, str]) -> Response:
    services = services_of(request)
    passkey_id = int(request.path_params["id"])
    await write(request, known, lambda work, actor: services.accounts.passkeys.remove(work, actor, passkey_id))
    return redirect(PAGE + "#passkeys")


async def connect(request: Request) -> Response:
    """Link an identity with one's account: sign in at the provider, then confirm on a page of ours."""

    def call(work: UnitOfWork, actor: Actor) -> Actor:
        services_of(request).accounts.sessions.require_recent_auth(work, actor)
        return actor

    try:
        actor = await read(request, known, call)
    except RecentAuthRequired:
        return redirect("/login/prove/?redirect=" + quote(request.url.path, safe=""), 302)
    return await begin_at_provider(request, LINKING, PAGE, actor=actor)


async def link(request: Request, given: dict[str, str]) -> Response:
    identity = given.get("identity", "")
    await write(
        request, known, lambda work, actor: services_of(request).accounts.identity_providers.link(work, actor, identity)
    )
    return redirect(PAGE + "?connected#connected")


async def unlink(request: Request, _given: dict[str, str]) -> Response:
    identity_id = int(request.path_params["id"])
    await write(
        request,
        known,
        lambda work, actor: services_of(request).accounts.identity_providers.unlink(work, actor, identity_id),
    )
    return redirect(PAGE + "#connected")


ROUTES = [
    Route(PAGE, security, methods=["GET"]),
    Route(PAGE + "app/", requires_recent_auth(set_up_app), methods=["POST"]),
    Route(PAGE + "app/confirm/", requires_recent_auth(confirm_app), methods=["POST"]),
    Route(PAGE + "app/remove/", requires_recent_auth(remove_app), methods=["POST"]),
    Route(PAGE + "codes/", requires_recent_auth(renew_codes), methods=["POST"]),
    Route(PAGE + "fresh/", requires_recent_auth(prove_first), methods=["POST"]),
    Route(PAGE + "passkeys/options/", new_passkey_options, methods=["POST"]),
    Route(PAGE + "passkeys/", requires_recent_auth(add_passkey), methods=["POST"]),
    Route(PAGE + "passkeys/{id:int}/remove/", requires_recent_auth(remove_passkey), methods=["POST"]),
    Route(PAGE + "connected/{id:int}/remove/", requires_recent_auth(unlink), methods=["POST"]),
    Route(PAGE + "connected/", requires_recent_auth(link), methods=["POST"]),
    Route(PAGE + "connected/{provider}/", connect, methods=["GET"]),
]
