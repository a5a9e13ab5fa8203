"""Signing in at another organisation's OpenID provider (contract 01 section 7.3)."""

from datetime import UTC, datetime
from urllib.parse import quote, urlencode, urlsplit

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor, OpenedBy, SignIn, User
from vitrine.accounts.errors import ProviderDown
from vitrine.accounts.identity_providers.service import (
    CALLBACK,
    LINKING,
    PROVE,
    SIGN_IN,
    ProviderCallback,
    ProviderSignInFailed,
)
from vitrine.accounts.identity_providers.store import Flow
from vitrine.edge import cookie, nobody, read, run_in_thread, services_of
from vitrine.edge.cookies import keep_visitor, visitor_secret
from vitrine.edge.limits import TooMany
from vitrine.errors import DomainError
from vitrine.web.shared.form_action import AUTHORIZE
from vitrine.web.shared.forms import known
from vitrine.web.shared.render import local_path, page, redirect, said, translate
from vitrine.web.sign_in.pages import second_step
from vitrine.web.sign_in.session import open_session

SECURITY = "/account/security/"
# A provider that hangs keeps these few threads busy, and none of the others.
_CALLS = anyio.CapacityLimiter(6)
# A provider that sends no auth_time proves no recent sign-in.
_NEVER = datetime.fromtimestamp(0, UTC)


async def sign_in(request: Request) -> Response:
    """From the sign-in page."""
    back = local_path(request.query_params.get("redirect"))
    actor = await read(request, cookie, lambda _work, actor: actor)
    if actor.is_known:
        services_of(request).accounts.identity_providers.provider(request.path_params["provider"])
        return redirect(back, 302)
    return await begin(request, SIGN_IN, back)


async def prove(request: Request) -> Response:
    """Reauthentication at the provider, instead of the password."""
    back = local_path(request.query_params.get("redirect"), "/account/")
    actor = await read(request, known, lambda _work, actor: actor)
    return await begin(request, PROVE, back, forced=True, actor=actor)


async def begin(
    request: Request, purpose: str, back: str, *, forced: bool = False, actor: Actor | None = None
) -> Response:
    provider_id, visitor = request.path_params["provider"], visitor_secret(request)
    flow = Flow(provider_id, purpose, actor.user_id if actor else None, back, forced, datetime.now(UTC))
    choose, identity_providers = "choose" in request.query_params, services_of(request).accounts.identity_providers
    try:
        services_of(request).limits.requests.authorize.hit(request.state.address)
        started = await run_in_thread(
            lambda: identity_providers.begin(provider_id, flow, visitor, choose=choose), limiter=_CALLS
        )
    except TooMany as refusal:
        return _too_many(request, refusal)
    except ProviderDown:
        return _failed(request, "down", flow)
    response = redirect(started.address, 302)
    response.headers["Referrer-Policy"] = "no-referrer"
    keep_visitor(request, response)
    return response


async def callback(request: Request) -> Response:
    """The provider sends the browser back. Nothing that stands in the address is shown, kept or logged."""
    services, provider_id = services_of(request), request.path_params["provider"]
    pairs = request.query_params.multi_items()
    # A repeated parameter makes the whole answer worthless (RFC 6749 section 3.1).
    answer = dict(pairs) if len(pairs) == len(dict(pairs)) else {}
    visitor = visitor_secret(request)
    services.accounts.identity_providers.provider(provider_id)
    try:
        services.limits.requests.authorize.hit(request.state.address)
        returned = await run_in_thread(
            lambda: services.accounts.identity_providers.complete(provider_id, answer, visitor), limiter=_CALLS
        )
        if returned.flow.purpose == LINKING:
            return await _confirm_link(request, returned)
        user = await run_in_thread(
            lambda: services.accounts.identity_providers.account_for(returned, request.state.address)
        )
    except TooMany as refusal:
        return _too_many(request, refusal)
    except ProviderSignInFailed as failure:
        return _failed(request, failure.reason, failure.flow)
    return await _enter(request, returned, user)


async def _enter(request: Request, returned: ProviderCallback, user: User) -> Response:
    """A session for *user*, after our own second step where the account has one and the operator wants it."""
    back, identity_providers = returned.flow.back, services_of(request).accounts.identity_providers
    identity_id = await read(request, nobody, lambda work, _who: identity_providers.identity_id(work, returned))
    if not returned.provider.trust_second_step:
        step = await second_step(request, user, back, identity_id=identity_id)
        if step is not None:
            return step
    opened_by = SignIn(OpenedBy.PROVIDER, identity_id)
    return await open_session(
        request, user, redirect(back, 302), opened_by, auth_time=returned.identity.auth_time or _NEVER
    )


async def _confirm_link(request: Request, returned: ProviderCallback) -> Response:
    """Ask before linking, so that nobody is linked to a sign-in that somebody else left open in their browser."""
    services = services_of(request)
    actor = await read(request, cookie, lambda _work, actor: actor)
    if not actor.is_known or actor.user_id != returned.flow.user_id:
        raise ProviderSignInFailed("other", returned.flow)
    services.accounts.identity_providers.check_linkable(returned)
    identity = returned.identity
    return page(
        request, "account/connect.html", headers={"Referrer-Policy": "no-referrer"}, tab="security",
        provider=returned.provider, who=identity.email or identity.username or identity.name or identity.subject,
        sealed=services.accounts.identity_providers.seal(returned, datetime.now(UTC)),
    )  # fmt: skip


def _failed(request: Request, reason: str, flow: Flow | None) -> Response:
    """Back to the page where the sign-in began: it offers the other ways to sign in."""
    query = urlencode({"reason": reason, "provider": request.path_params["provider"]})
    if flow is None:
        return redirect(f"/login/?{query}", 302)
    back = urlsplit(flow.back)
    if flow.purpose == LINKING:
        return redirect(f"{SECURITY}?{query}#connected", 302)
    if flow.purpose == PROVE:
        return redirect(f"/login/prove/?{query}&redirect={quote(flow.back, safe='')}", 302)
    if back.path == AUTHORIZE:  # 01 section 7.3
        again = "&prompt=login" if flow.forced else ""
        return redirect(f"{AUTHORIZE}?error=login&{query}&{back.query}{again}", 302)
    return redirect(f"/login/?{query}&redirect={quote(flow.back, safe='')}", 302)


def _too_many(request: Request, refusal: DomainError) -> Response:
    headers = refusal.headers if isinstance(refusal, TooMany) else {}
    heading = translate(request, "Please try again in a moment")
    return page(
        request, "shared/error.html", status=429, headers=headers, heading=heading, detail=said(request, refusal)
    )


ROUTES = [
    Route("/login/provider/{provider}/", sign_in, methods=["GET"]),
    Route("/login/provider/{provider}/prove/", prove, methods=["GET"]),
    Route(CALLBACK.replace("{id}", "{provider}"), callback, methods=["GET"]),
]
