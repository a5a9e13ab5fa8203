"""GET and POST /api/oauthv2/authorize: sign-in, consent, out-of-band page, the way back (contract 01 §3, 6, 7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor
from vitrine.accounts.errors import AccountLocked, PuzzleRequired, WrongCredentials
from vitrine.accounts.identity_providers.service import SIGN_IN
from vitrine.accounts.puzzles import ZERO_BITS
from vitrine.api.wire.endpoint import GUIDE
from vitrine.edge import cookie, csrf, parameters, read, run_in_thread, services_of, write
from vitrine.edge.cookies import keep_typed_login, typed_login
from vitrine.edge.limits import TooMany
from vitrine.edge.params import scalars
from vitrine.errors import Invalid
from vitrine.oauth import OAuthError, OutOfBandError, RedirectedError, deprecated_features
from vitrine.oauth.authorize import AuthorizationRequest, denial, refusal
from vitrine.oauth.redirect_mismatch import LONGEST_SHOWN
from vitrine.oauth.scopes import offered
from vitrine.platform.database import UnitOfWork
from vitrine.web.shared.form_action import AUTHORIZE, form_action_of
from vitrine.web.shared.render import page, provider_failure, redirect, translate
from vitrine.web.sign_in import identity_providers
from vitrine.web.sign_in.pages import WAIT_S, puzzle_for, second_step, solution_of
from vitrine.web.sign_in.session import end_session, open_session

_SAFE = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
_ERRORS = {
    "login": "The login or the password is not right.",
    "account-locked": "Too many failed sign-ins. Please wait a quarter of an hour, then try again.",
    "another": "The application asks for another person than the one who is signed in here.",
    "captcha": "Please wait a moment before you try again.",
    "stale-form": "Your browser did not send the cookie of this page. Please sign in again; "
    "if this happens again, allow cookies for this site.",
}

_ERROR_OF = {WrongCredentials: "login", AccountLocked: "account-locked", PuzzleRequired: "captcha"}


async def authorize(request: Request) -> Response:
    if not services_of(request).settings.api_enabled:
        raise HTTPException(404)
    try:
        limited = services_of(request).limits.requests.authorize.hit(request.state.address)
    except TooMany as refusal:
        headers = {**_SAFE, **refusal.headers}
        return page(
            request, "oauth/error.html", status=429, headers=headers, code=refusal.code, detail=refusal.detail,
            mismatch=None, sent="",
        )  # fmt: skip
    response = await _authorize(request)
    response.headers.update(limited)
    return response


async def _authorize(request: Request) -> Response:
    params = await parameters(request)
    given = scalars({**params.form, **params.query})
    if params.repeated:
        detail = "A parameter of this address came more than once."
        return page(
            request, "oauth/error.html", status=400, headers=_SAFE, code="invalid_request", detail=detail,
            mismatch=None, sent="",
        )  # fmt: skip
    try:
        seen = await read(request, cookie, lambda work, actor: _validated(request, work, actor, given))
    except OAuthError as refusal:
        return await refused(request, refusal, given)
    authorization, actor, needs_consent = seen.authorization, seen.actor, seen.needs_consent
    form = params.form if request.method == "POST" else {}
    if "switch_account" in form:
        return await _switch(request, authorization, form)
    if "action_login" in form and (not actor.is_known or _may_ask_again(authorization)):
        return await _sign_in(request, authorization, form)
    if not actor.is_known or authorization.requires_reauthentication(actor, datetime.now(UTC)):
        return _without_page(authorization, "login_required") or await _login_page(request, seen, given)
    if "select_account" in authorization.prompt:
        return _account_page(request, authorization)
    decision = form.get("action_accept")
    if isinstance(decision, str):
        try:
            csrf.require(request, _text(form.get("csrf")))
        except csrf.StaleForm:
            fault = "This form is from an earlier visit. Please decide again."
            return _consent_page(request, authorization, fault=fault, status=403)
        if decision in ("", "0", "false"):
            await write(request, cookie, lambda work, who: _decide(request, work, who, authorization, allow=False))
            return _denied(request, authorization)
        scope = _ticked(authorization, form)
        if scope is not None and not scope:
            return _consent_page(request, authorization, fault="Leave at least one thing ticked, or deny.")
        await write(
            request, cookie, lambda work, who: _decide(request, work, who, authorization, allow=True, scope=scope)
        )
    elif needs_consent or "consent" in authorization.prompt:
        return _without_page(authorization, "consent_required") or _consent_page(request, authorization)
    return await _granted(request, authorization)


async def refused(request: Request, refusal: OAuthError, given: dict[str, str]) -> Response:
    """What the checks of 01 section 3.1 answer: a page, or a redirect to an address that is registered.

    A page about a redirect address tells the application's owner which part is wrong; strangers learn no address."""
    if isinstance(refusal, RedirectedError):
        return redirect(refusal.location, 302)
    if isinstance(refusal, OutOfBandError):
        return page(request, "oauth/code.html", headers=_SAFE, code="", error=refusal.code, application=None)
    mismatch, sent = None, ""
    if refusal.code == "redirect_uri_mismatch":
        sent = given.get("redirect_uri", "")[:LONGEST_SHOWN]
        oauth = services_of(request).oauth
        mismatch = await read(request, cookie, lambda work, actor: oauth.server.explain_mismatch(work, actor, given))
    return page(
        request, "oauth/error.html", status=400, headers=_SAFE, code=refusal.code, detail=refusal.description,
        mismatch=mismatch, sent=sent,
    )  # fmt: skip


def _without_page(authorization: AuthorizationRequest, code: str) -> Response | None:
    """The answer when no page may be shown (`prompt=none`), None when it may (OpenID Connect Core section 3.1.2.6)."""
    if "none" not in authorization.prompt:
        return None
    failure = refusal(authorization, code)
    return redirect(failure.location, 302) if isinstance(failure, RedirectedError) else None


def _ticked(authorization: AuthorizationRequest, form: Mapping[str, object]) -> frozenset[str] | None:
    """What the person left ticked of what was asked, None for an application without scopes."""
    if authorization.scope is None:
        return None
    return frozenset(name for name in authorization.scope if f"allow-{name}" in form)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class _Seen:
    """A valid request, who asks, whether consent is needed, and the login of the person whom the client means."""

    authorization: AuthorizationRequest
    actor: Actor
    needs_consent: bool
    login: str


def _validated(request: Request, work: UnitOfWork, actor: Actor, given: dict[str, str]) -> _Seen:
    services = services_of(request)
    server = services.oauth.server
    authorization = server.validate(work, given)
    needs_consent = actor.is_known and server.needs_consent(work, actor, authorization)
    hinted = authorization.hinted_login if authorization.subject != actor.user_id else ""
    return _Seen(authorization, actor, needs_consent, hinted or authorization.login_hint)


def _may_ask_again(authorization: AuthorizationRequest) -> bool:
    """True if the client can require a sign-in of somebody who is signed in."""
    return bool(authorization.prompt) or authorization.max_age is not None or authorization.subject is not None


def _decide(
    request: Request,
    work: UnitOfWork,
    actor: Actor,
    authorization: AuthorizationRequest,
    *,
    allow: bool,
    scope: frozenset[str] | None = None,
) -> None:
    services_of(request).oauth.server.decide(work, actor, authorization, allow=allow, scope=scope)


async def _login_page(request: Request, seen: _Seen, given: dict[str, str]) -> Response:
    authorization = seen.authorization
    code = given.get("error", "") or ("another" if authorization.is_for_another(seen.actor) else "")
    error = provider_failure(request) or translate(request, _ERRORS.get(code, ""))
    login = (typed_login(request) if "error" in given else "") or seen.login
    return page(
        request,
        "oauth/sign_in.html",
        headers=_SAFE,
        forms=form_action_of(authorization),
        authorization=authorization,
        application=authorization.application.shown,
        host=_host(authorization.redirect_uri),
        error=error,
        login=login,
        puzzle=await puzzle_for(request, login) if login and "error" in given else "",
        puzzle_bits=ZERO_BITS,
        wait_s=WAIT_S,
        choose={"choose": "1"} if "choose" in given else {},
    )


def _account_page(request: Request, authorization: AuthorizationRequest) -> Response:
    """`prompt=select_account`: who is signed in, to go on as this person or to sign in as another one."""
    return page(
        request,
        "oauth/account.html",
        headers=_SAFE,
        forms=form_action_of(authorization),
        authorization=authorization,
        application=authorization.application.shown,
        onwards=f"{AUTHORIZE}?{urlencode(authorization.parameters(chosen=True))}",
    )


async def _sign_in(request: Request, authorization: AuthorizationRequest, form: Mapping[str, object]) -> Response:
    """A failure goes back to the page by a redirect with `error` (01 section 3.2); success goes on in this request."""
    services = services_of(request)
    login, password = _text(form.get("login")) or "", _text(form.get("password")) or ""
    try:
        csrf.require(request, _text(form.get("csrf")), opens_session=True)
    except csrf.StaleForm:
        return _back_to_login(request, authorization, "stale-form", login)
    try:
        user = await run_in_thread(
            lambda: services.accounts.users.check_password(
                login, password, request.state.address, solution=solution_of(form)
            )
        )
    except (WrongCredentials, AccountLocked, PuzzleRequired) as refusal:
        error = _ERROR_OF[type(refusal)]
        return _back_to_login(request, authorization, error, login)
    # The consent page needs the new session's form token, so the browser comes back once with its cookie.
    back = f"{AUTHORIZE}?{urlencode(authorization.parameters(proved=True))}"
    return await second_step(request, user, back) or await open_session(request, user, redirect(back, 302))


def _back_to_login(request: Request, authorization: AuthorizationRequest, error: str, login: str) -> Response:
    """The sign-in page of the same request (01 section 3.2). What was typed as login goes with it in a cookie: some
    people type their password there, and addresses are kept in histories and logs."""
    response = redirect(f"{AUTHORIZE}?{urlencode({'error': error, **authorization.parameters()})}", 302)
    keep_typed_login(request, response, login)
    return response


async def _switch(request: Request, authorization: AuthorizationRequest, form: Mapping[str, object]) -> Response:
    """ "Not you?": end this session and ask again who it is; a provider lets them choose."""
    csrf.require(request, _text(form.get("csrf")))
    return await end_session(
        request, redirect(f"{AUTHORIZE}?{urlencode({**authorization.parameters(), 'choose': '1'})}", 302)
    )


def _consent_page(
    request: Request, authorization: AuthorizationRequest, fault: str = "", status: int = 200
) -> Response:
    return page(
        request,
        "oauth/consent.html",
        status=status,
        headers=_SAFE,
        forms=form_action_of(authorization),
        authorization=authorization,
        application=authorization.application.shown,
        host=_host(authorization.redirect_uri),
        scopes=None
        if authorization.scope is None
        else offered(authorization.scope, is_admin=request.state.actor.is_admin),
        fault=fault,
    )


async def _granted(request: Request, authorization: AuthorizationRequest) -> Response:
    oauth = services_of(request).oauth

    def call(work: UnitOfWork, actor: Actor) -> str | None:
        # Asked again inside the writing transaction: the person may have withdrawn it in another window meanwhile.
        if not actor.is_known or oauth.server.needs_consent(work, actor, authorization):
            return None
        return oauth.server.grant(work, actor, authorization)

    answer = await write(request, cookie, call)
    if answer is None:
        return redirect(f"{AUTHORIZE}?{urlencode(authorization.parameters(proved=True))}", 302)
    _count_deprecated_features(request, authorization)
    if authorization.is_out_of_band:
        return page(
            request,
            "oauth/code.html",
            headers=_SAFE,
            code=answer,
            error="",
            application=authorization.application.shown,
        )
    response = redirect(answer, 302)
    response.headers["Referrer-Policy"] = "no-referrer"
    if authorization.deprecated_features:
        response.headers.update(deprecated_features.headers(services_of(request).settings.absolute(GUIDE)))
    return response


def _count_deprecated_features(request: Request, authorization: AuthorizationRequest) -> None:
    for feature in authorization.deprecated_features:
        services_of(request).deferred_writes.feature_used(
            authorization.application.id, feature, datetime.now(UTC), request.state.address
        )


def _denied(request: Request, authorization: AuthorizationRequest) -> Response:
    if authorization.is_out_of_band:
        return page(
            request,
            "oauth/code.html",
            headers=_SAFE,
            code="",
            error="access_denied",
            application=authorization.application.shown,
        )
    return redirect(denial(authorization), 302)


def _host(address: str) -> str:
    return urlsplit(address).netloc


async def at_provider(request: Request) -> Response:
    """From the sign-in step to an identity provider; afterwards the request of the application goes on."""
    services = services_of(request)
    if not services.settings.api_enabled:
        raise HTTPException(404)
    services.accounts.identity_providers.provider(request.path_params["provider"])
    params = await parameters(request)
    given = scalars(params.query)
    if params.repeated:
        raise Invalid("A parameter of this address came more than once.")
    try:
        authorization, actor = await read(
            request, cookie, lambda work, actor: (services.oauth.server.validate(work, given), actor)
        )
    except OAuthError as refusal:
        return await refused(request, refusal, given)
    back = f"{AUTHORIZE}?{urlencode(authorization.parameters(proved=True))}"
    if actor.is_known and not authorization.requires_reauthentication(actor, datetime.now(UTC)):
        return redirect(back, 302)
    if "none" in authorization.prompt:
        return redirect(f"{AUTHORIZE}?{urlencode(authorization.parameters())}", 302)
    forced = "login" in authorization.prompt or authorization.max_age is not None
    return await identity_providers.begin(request, SIGN_IN, back, forced=forced)


ROUTES = [
    Route(AUTHORIZE, authorize, methods=["GET", "POST"]),
    Route("/api/oauthv2/provider/{provider}/authorize/", at_provider, methods=["GET"]),
]
