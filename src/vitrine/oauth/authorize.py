"""Validation of the authorization request, in the order of 01 section 3.1."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from vitrine.accounts import Actor
from vitrine.applications import Application, Applications, Policy, RedirectMatch, Switch
from vitrine.oauth import deprecated_features, openid, redirect_matching, scopes
from vitrine.oauth.errors import OutOfBandError, PageError, RedirectedError
from vitrine.oauth.keys import SigningKeys
from vitrine.platform.database import UnitOfWork

RESPONSE_TYPES = ("code", "token", "code-and-token")
LONGEST_CLIENT_ID = 128
LONGEST_NONCE = 512
PROMPTS = frozenset({"none", "login", "consent", "select_account"})
LONGEST_LOGIN_HINT = 254
# Unsupported ways to pass a request. Ignoring them would answer a different request than the client meant.
NOT_OFFERED = ("request", "request_uri", "registration")
_AGE = re.compile(r"[0-9]{1,9}")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43,128}")
_BAD_CHALLENGE = (
    "code_challenge must be the SHA-256 of the code_verifier in base64url, 43 characters, "
    "and code_challenge_method S256."
)
_BAD_HINT = (
    "id_token_hint must be an id_token that this server gave to this application. Leave it out if it is older than "
    "the keys of the server."
)
_SEVERAL = "The application has several callback URLs and did not say which one to return to (redirect_uri)."


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A validated authorization request."""

    application: Application
    response_type: str
    redirect_uri: str
    state: str | None
    code_challenge: str | None
    given_redirect_uri: str | None
    issuer: str
    scope: frozenset[str] | None = None
    nonce: str | None = None
    prompt: frozenset[str] = frozenset()
    max_age: timedelta | None = None
    login_hint: str = ""
    id_token_hint: str = ""
    subject: int | None = None  # the person of the id_token_hint
    hinted_login: str = ""  # what the hint itself says of that person, and no more

    @property
    def response_target(self) -> redirect_matching.ResponseTarget:
        return _response_target(self.application, self.redirect_uri, self.state, self.issuer, self.response_type)

    @property
    def is_out_of_band(self) -> bool:
        return redirect_matching.is_out_of_band(self.redirect_uri)

    @property
    def deprecated_features(self) -> tuple[str, ...]:
        """The deprecated features that this request uses."""
        used = [deprecated_features.IMPLICIT] if self.response_type != "code" else []
        if self.application.switches.redirects is RedirectMatch.PREFIX:
            used += [deprecated_features.PREFIX] if self.redirect_uri not in self.application.redirects else []
        return tuple(used)

    def requires_reauthentication(self, actor: Actor, now: datetime) -> bool:
        """True if the client requires a newer authentication, `prompt=login` or `max_age`, or that of another person,
        `id_token_hint` (OIDC Core 3.1.2.1)."""
        if actor.session is None:
            return False
        if self.is_for_another(actor):
            return True
        too_old = self.max_age is not None and now - actor.session.auth_time > self.max_age
        return "login" in self.prompt or too_old

    def is_for_another(self, actor: Actor) -> bool:
        """True if the client means another person than the one who is signed in."""
        return self.subject is not None and actor.is_known and actor.user_id != self.subject

    def parameters(self, *, proved: bool = False, chosen: bool = False) -> dict[str, str]:
        """The parameters again, for hidden inputs and for redirects to this endpoint.

        *chosen*: the person has chosen the account that is signed in (`prompt=select_account`). *proved*: they have
        just signed in, which is a choice too, and satisfies `prompt=login` and `max_age`. Until then these stay in
        every form and redirect, so that a mistyped password does not lead back to the older session (OpenID Connect
        Core section 3.1.2.1)."""
        done = {"login", "select_account"} if proved else {"select_account"} if chosen else set()
        age = None if proved or self.max_age is None else str(round(self.max_age.total_seconds()))
        values = {
            "client_id": self.application.client_id,
            "response_type": self.response_type,
            "redirect_uri": self.given_redirect_uri or "",
            "state": self.state or "",
            "code_challenge": self.code_challenge or "",
            "code_challenge_method": "S256" if self.code_challenge else "",
            "scope": "" if self.scope is None else scopes.written(self.scope),
            "nonce": self.nonce or "",
            "prompt": " ".join(sorted(self.prompt - done)),
            "max_age": age or "",
            "login_hint": self.login_hint,
            "id_token_hint": self.id_token_hint,
        }
        return {name: value for name, value in values.items() if value}


def validate(
    work: UnitOfWork,
    applications: Applications,
    parameters: Mapping[str, str],
    policy: Policy,
    issuer: str,
    keys: SigningKeys,
) -> AuthorizationRequest:
    """Raises PageError (a 400 page), RedirectedError (the address is registered) or OutOfBandError."""
    application = _client(work, applications, parameters.get("client_id", ""))
    requested_uri = parameters.get("redirect_uri") or None
    redirect_uri = requested_uri or application.callback
    if not redirect_uri:
        raise PageError("invalid_request", "The application has no callback URL.")
    if requested_uri is None and len(application.redirects) > 1:
        raise PageError("invalid_request", _SEVERAL)  # RFC 6749 section 3.1.2.3
    if not redirect_matching.registered_for(application, redirect_uri):
        raise PageError(
            "redirect_uri_mismatch",
            "The address to return to does not belong to the callback URL that is registered for this application.",
        )
    # For the compatibility profile `0` is no state, as in the original; others get back every byte they sent.
    state = (
        _non_empty(parameters.get("state")) if application.switches.has_old_answers else parameters.get("state") or None
    )
    response_type = parameters.get("response_type", "")
    back = _response_target(application, redirect_uri, state, issuer, response_type)
    if not application.activated:
        raise _error("unauthorized_client", back, "The application is suspended.")
    if response_type not in RESPONSE_TYPES:
        raise _error("invalid_request", back, "response_type must be code.")
    scope = _scope(application, parameters, back)
    if response_type != "code":
        if back.address and redirect_matching.is_out_of_band(redirect_uri) and response_type == "token":
            raise OutOfBandError("unsupported_response_type")
        if not application.switches.is_on(Switch.IMPLICIT, policy):
            raise _error("unauthorized_client", back, "This application gets codes only: response_type must be code.")
    challenge = _challenge(application, parameters, back)
    login_hint = parameters.get("login_hint", "")
    request = AuthorizationRequest(
        application, response_type, redirect_uri, state, challenge, requested_uri, issuer,
        login_hint=login_hint if len(login_hint) <= LONGEST_LOGIN_HINT else "",
    )  # fmt: skip
    if scope is None:
        return request
    _refuse_not_offered(parameters, response_type, back)
    nonce, prompt, max_age = _openid(parameters, back)
    hint = parameters.get("id_token_hint", "")
    claims = keys.claims(work, hint) if hint else None
    subject = openid.subject_of(claims, issuer, application.client_id)
    if hint and subject is None:
        raise _error("invalid_request", back, _BAD_HINT)
    return replace(
        request, scope=scope, nonce=nonce, prompt=prompt, max_age=max_age, id_token_hint=hint, subject=subject,
        hinted_login=openid.login_in(claims or {}),
    )  # fmt: skip


def _scope(
    application: Application, parameters: Mapping[str, str], back: redirect_matching.ResponseTarget
) -> frozenset[str] | None:
    """None for an application without scopes, which must not request any (01 section 3)."""
    if not application.switches.has_scopes:
        if _non_empty(parameters.get("scope")) is not None:
            raise _error("invalid_scope", back)
        return None
    try:
        return scopes.requested(parameters.get("scope"), application)
    except scopes.UnknownScope:
        raise _error("invalid_scope", back, "A scope is unknown or not open to this application.") from None


def _refuse_not_offered(
    parameters: Mapping[str, str], response_type: str, back: redirect_matching.ResponseTarget
) -> None:
    """OpenID Connect Core section 3.1.2.6; OAuth 2.0 Multiple Response Type Encoding Practices section 2.1."""
    for name in NOT_OFFERED:
        if parameters.get(name):
            raise _error(f"{name}_not_supported", back)
    usual = "query" if response_type == "code" else "fragment"
    if parameters.get("response_mode", "") not in ("", usual):
        raise _error("invalid_request", back)


def _openid(
    parameters: Mapping[str, str], back: redirect_matching.ResponseTarget
) -> tuple[str | None, frozenset[str], timedelta | None]:
    """nonce, prompt and max_age (OpenID Connect Core section 3.1.2.1)."""
    nonce = parameters.get("nonce") or None
    prompts = frozenset(parameters.get("prompt", "").split())
    age = parameters.get("max_age", "")
    if nonce is not None and len(nonce) > LONGEST_NONCE:
        raise _error("invalid_request", back, f"nonce is longer than {LONGEST_NONCE} characters.")
    if ("none" in prompts and len(prompts) > 1) or (age and not _AGE.fullmatch(age)):
        raise _error("invalid_request", back, "prompt=none stands alone, and max_age is a number of seconds.")
    return nonce, prompts & PROMPTS, timedelta(seconds=int(age)) if age else None


def _response_target(
    application: Application, redirect_uri: str, state: str | None, issuer: str, response_type: str
) -> redirect_matching.ResponseTarget:
    is_old = application.switches.has_old_answers
    return redirect_matching.ResponseTarget(redirect_uri, state, issuer, is_old, response_type == "token")


def _client(work: UnitOfWork, applications: Applications, client_id: str) -> Application:
    # Imported ids may have any printable form (design 5.5), so only impossible ones are malformed.
    if not client_id.isprintable() or not 0 < len(client_id) <= LONGEST_CLIENT_ID:
        raise PageError("invalid_client", "The application did not say correctly who it is (client_id).")
    application = applications.by_client_id(work, client_id)
    if application is None:
        raise PageError("invalid_client", "No application is registered under this client_id.")
    return application


def _non_empty(value: str | None) -> str | None:
    """*value*, or None if it is empty or `0`, which count as absent (01 section 3)."""
    return None if value in (None, "", "0") else value


def _challenge(
    application: Application, parameters: Mapping[str, str], back: redirect_matching.ResponseTarget
) -> str | None:
    challenge = parameters.get("code_challenge") or None
    if challenge is None:
        needs = application.switches.is_on(Switch.PKCE_REQUIRED) and not redirect_matching.is_out_of_band(back.address)
        if needs:
            raise _error("invalid_request", back, "code_challenge is missing: this application needs PKCE (RFC 7636).")
        return None
    if parameters.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(challenge):
        # `plain` protects nothing (RFC 9700 section 2.1.1).
        raise _error("invalid_request", back, _BAD_CHALLENGE)
    return challenge


def _error(code: str, back: redirect_matching.ResponseTarget, why: str = "") -> Exception:
    """*why* is for the developer, without quotation marks and backslashes (RFC 6749 section 4.1.2.1)."""
    if redirect_matching.is_out_of_band(back.address):
        return OutOfBandError(code)
    return RedirectedError(code, back.with_error(code, why), why)


def refusal(request: AuthorizationRequest, code: str) -> Exception:
    """The error to raise if the page may not be shown (`prompt=none`)."""
    return _error(code, request.response_target)


def denial(request: AuthorizationRequest) -> str:
    return request.response_target.with_denial()
