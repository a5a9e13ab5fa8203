"""Signing in at another organisation's OpenID provider, and connecting such a sign-in (contract 01 section 7.3)."""

from datetime import UTC, datetime
from urllib.parse import quote, urlencode, urlsplit

import anyio
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor, OpenedBy, SignIn, User
from vitrine.accounts.errors import ProviderDown, RecentAuthRequired
from vitrine.accounts.identity_providers.service import (
    CALLBACK,
    LINKING,
    PROVE,
    SIGN_IN,
    ProviderCallback,
    ProviderSignInFailed,
)
from vitrine.accounts.identity_providers.store import Flow
from vitrine.edge import cookie, nobody, read, run_in_thread, services_of, write
from vitrine.edge.cookies import keep_visitor, visitor_secret
from vitrine.edge.limits import TooMany
from vitrine.edge.params import parameters, scalars
from vitrine.errors import DomainError, Invalid
from vitrine.oauth import OAuthError
from vitrine.platform.database import UnitOfWork
from vitrine.web.oauth import authorize
from vitrine.web.shared.form_action import AUTHORIZE
from vitrine.web.shared.forms import known
from vitrine.web.shared.reauthentication import requires_recent_auth, second_step
from vitrine.web.shared.render import local_path, page, redirect, said, translate
from vitrine.web.sign_in.session import opened

SECURITY = "/account/security/"
# A provider that hangs keeps these few threads busy, and none of the others.
_CALLS = anyio.CapacityLimiter(6)
# A provider that does not say when somebody signed in there proves no fresh sign-in, however it is asked.
_NEVER = datetime.fromtimestamp(0, UTC)


async def sign_in(request: Request) -> Response:
    """From the sign-in page."""
    back = local_path(request.query_params.get("redirect"))
    actor = await read(request, cookie, lambda _work, actor: actor)
    if actor.is_known:
        services_of(request).accounts.identity_providers.provider(request.path_params["provider"])
        return redirect(back, 302)
    return await _begin(request, SIGN_IN, back)


async def for_application(request: Request) -> Response:
    """From the sign-in step of the authorize page: the request of the application goes on afterwards."""
    if not services_of(request).settings.api_enabled:
        raise HTTPException(404)
    services_of(request).accounts.identity_providers.provider(request.path_params["provider"])
    params = await parameters(request)
    given = scalars(params.query)
    if params.repeated:
        raise Invalid("A parameter of this address came more than once.")
    try:
        asked, actor = await read(
            request, cookie, lambda work, actor: (services_of(request).oauth.server.validate(work, given), actor)
        )
    except OAuthError as refusal:
        return await authorize.refused(request, refusal, given)
    back = f"{AUTHORIZE}?{urlencode(asked.parameters(proved=True))}"
    if actor.is_known and not asked.requires_reauthentication(actor, datetime.now(UTC)):
        return redirect(back, 302)
    if "none" in asked.prompt:
        return redirect(f"{AUTHORIZE}?{urlencode(asked.parameters())}", 302)
    return await _begin(request, SIGN_IN, back, forced="login" in asked.prompt or asked.max_age is not None)


async def prove(request: Request) -> Response:
    """Instead of the password before secrets are shown: the provider asks again."""
    back = local_path(request.query_params.get("redirect"), "/account/")
    actor = await read(request, known, lambda _work, actor: actor)
    return await _begin(request, PROVE, back, forced=True, actor=actor)


async def connect(request: Request) -> Response:
    """Connect a sign-in with one's account: there and back, then a page that asks."""

    def call(work: UnitOfWork, actor: Actor) -> Actor:
        services_of(request).accounts.sessions.require_recent_auth(work, actor)
        return actor

    try:
        actor = await read(request, known, call)
    except RecentAuthRequired:
        return redirect("/login/prove/?redirect=" + quote(request.url.path, safe=""), 302)
    return await _begin(request, LINKING, SECURITY, actor=actor)


async def _begin(
    request: Request, purpose: str, back: str, *, forced: bool = False, actor: Actor | None = None
) -> Response:
    provider_id, visitor = request.path_params["provider"], visitor_secret(request)
    flow = Flow(provider_id, purpose, actor.user_id if actor else None, back, forced, datetime.now(UTC))
    choose, external = "choose" in request.query_params, services_of(request).accounts.identity_providers
    try:
        services_of(request).limits.requests.authorize.hit(request.state.address)
        begun = await run_in_thread(lambda: external.begin(provider_id, flow, visitor, choose=choose), limiter=_CALLS)
    except TooMany as refusal:
        return _too_many(request, refusal)
    except ProviderDown:
        return _told(request, "down", flow)
    response = redirect(begun.address, 302)
    response.headers["Referrer-Policy"] = "no-referrer"
    keep_visitor(request, response)
    return response


async def callback(request: Request) -> Response:
    """The provider sends the browser back. Nothing that stands in the address is shown, kept or logged."""
    here, provider_id = services_of(request), request.path_params["provider"]
    pairs = request.query_params.multi_items()
    # A repeated parameter makes the whole answer worthless (RFC 6749 section 3.1).
    answer = dict(pairs) if len(pairs) == len(dict(pairs)) else {}
    visitor = visitor_secret(request)
    here.accounts.identity_providers.provider(provider_id)
    try:
        here.limits.requests.authorize.hit(request.state.address)
        returned = await run_in_thread(
            lambda: here.accounts.identity_providers.complete(provider_id, answer, visitor), limiter=_CALLS
        )
        if returned.flow.purpose == LINKING:
            return await _ask(request, returned)
        user = await run_in_thread(
            lambda: here.accounts.identity_providers.account_for(returned, request.state.address)
        )
    except TooMany as refusal:
        return _too_many(request, refusal)
    except ProviderSignInFailed as failure:
        return _told(request, failure.reason, failure.flow)
    return await _enter(request, returned, user)


async def _enter(request: Request, returned: ProviderCallback, user: User) -> Response:
    """A session for *user*, after our own second step where the account has one and the operator wants it."""
    back, external = returned.flow.back, services_of(request).accounts.identity_providers
    identity_id = await read(request, nobody, lambda work, _who: external.identity_id(work, returned))
    if not returned.provider.trust_second_step:
        step = await second_step(request, user, back, identity_id=identity_id)
        if step is not None:
            return step
    way = SignIn(OpenedBy.PROVIDER, identity_id)
    return await opened(request, user, redirect(back, 302), way, auth_time=returned.identity.auth_time or _NEVER)


async def _ask(request: Request, returned: ProviderCallback) -> Response:
    """Connect these two? So nobody is connected with a sign-in that somebody else left open in their browser."""
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


async def link(request: Request, given: dict[str, str]) -> Response:
    sealed = given.get("identity", "")
    await write(
        request, known, lambda work, actor: services_of(request).accounts.identity_providers.link(work, actor, sealed)
    )
    return redirect(SECURITY + "?connected#connected")


async def unlink(request: Request, _given: dict[str, str]) -> Response:
    linked = int(request.path_params["id"])
    await write(
        request, known, lambda work, actor: services_of(request).accounts.identity_providers.unlink(work, actor, linked)
    )
    return redirect(SECURITY + "#connected")


def _told(request: Request, reason: str, flow: Flow | None) -> Response:
    """Back to where it began: there are the other ways to sign in."""
    marks = urlencode({"reason": reason, "provider": request.path_params["provider"]})
    if flow is None:
        return redirect(f"/login/?{marks}", 302)
    back = urlsplit(flow.back)
    if flow.purpose == LINKING:
        return redirect(f"{SECURITY}?{marks}#connected", 302)
    if flow.purpose == PROVE:
        return redirect(f"/login/prove/?{marks}&redirect={quote(flow.back, safe='')}", 302)
    if back.path == AUTHORIZE:  # 01 section 7.3
        again = "&prompt=login" if flow.forced else ""
        return redirect(f"{AUTHORIZE}?error=login&{marks}&{back.query}{again}", 302)
    return redirect(f"/login/?{marks}&redirect={quote(flow.back, safe='')}", 302)


def _too_many(request: Request, refusal: DomainError) -> Response:
    headers = refusal.headers if isinstance(refusal, TooMany) else {}
    heading = translate(request, "Please try again in a moment")
    return page(
        request, "shared/error.html", status=429, headers=headers, heading=heading, detail=said(request, refusal)
    )


ROUTES = [
    Route("/login/provider/{provider}/", sign_in, methods=["GET"]),
    Route("/login/provider/{provider}/prove/", prove, methods=["GET"]),
    Route("/api/oauthv2/provider/{provider}/authorize/", for_application, methods=["GET"]),
    Route(CALLBACK.replace("{id}", "{provider}"), callback, methods=["GET"]),
    Route(SECURITY + "connected/{id:int}/remove/", requires_recent_auth(unlink), methods=["POST"]),
    Route(SECURITY + "connected/", requires_recent_auth(link), methods=["POST"]),
    Route(SECURITY + "connected/{provider}/", connect, methods=["GET"]),
]
