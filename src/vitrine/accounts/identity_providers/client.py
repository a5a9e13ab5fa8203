"""The client of an OpenID provider: discovery, keys, the authorization request and the exchange of its code.

All calls go through the address guard. Metadata and keys are cached for an hour; an unknown key makes the keys be
fetched again, at most once a minute. After a failure the provider is not called for ten seconds, so that people who
wait for it do not occupy all worker threads.
"""

import base64
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

from vitrine.accounts.errors import ProviderDown, ProviderRefused
from vitrine.accounts.identity_providers import tokens
from vitrine.identity_provider_settings import Provider
from vitrine.platform import json_text, logging
from vitrine.platform.crypto import base64url, digest
from vitrine.platform.fetch import PORTS, Answer, CannotFetch, Fetcher, is_public, resolve
from vitrine.platform.texts import fault_of_name, without_bom

KEPT_S, KEYS_AGAIN_S, PAUSE_S = 3600.0, 60.0, 10.0
ANSWER_BYTES = 512 * 1024
SCOPE = "openid profile email"
LONGEST_TEXT = 254
log = logging.get("vitrine.identity_providers")


@dataclass(frozen=True, slots=True)
class ProviderIdentity:
    """A person's identity at a provider. Only (issuer, subject) never changes; the rest is as the provider says now.

    *email* is set only if the provider has verified it."""

    provider_id: str
    issuer: str
    subject: str
    email: str | None = None
    name: str = ""
    first_name: str = ""
    last_name: str = ""
    username: str = ""
    locale: str | None = None
    auth_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class ProviderRequest:
    """The values of an authorization request that its answer is checked against."""

    nonce: str
    verifier: str
    redirect_uri: str
    forced_since: datetime | None


@dataclass(slots=True)
class _Known:
    metadata: dict[str, Any] = field(default_factory=dict)
    metadata_at: float = float("-inf")
    keys: list[tokens.PublicKey] = field(default_factory=list)
    keys_at: float = float("-inf")
    failed_at: float = float("-inf")


class ProviderClient:
    """One provider, thread-safe. *fetcher* is replaced in tests."""

    def __init__(
        self, provider: Provider, fetcher: Fetcher | None = None, clock: Callable[[], float] = monotonic
    ) -> None:
        self.provider = provider
        self._fetcher = fetcher or _guarded(provider)
        self._clock = clock
        self._known = _Known()
        self._lock = threading.Lock()

    # -- authorization request -----------------------------------------------------------------------------------

    def address(self, state: str, request: ProviderRequest, *, choose: bool = False) -> str:
        """The URL to which the browser is sent. *choose* lets the person select another account there. Raises
        ProviderDown."""
        values = {
            "response_type": "code",
            "client_id": self.provider.client_id,
            "redirect_uri": request.redirect_uri,
            "scope": SCOPE,
            "state": state,
            "nonce": request.nonce,
            "code_challenge": base64url(digest(request.verifier)),
            "code_challenge_method": "S256",
        }
        if request.forced_since is not None:
            values |= {"prompt": "login", "max_age": "0"}
        elif choose:
            values["prompt"] = "select_account"
        endpoint = str(self._metadata()["authorization_endpoint"])
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(values)}"

    # -- callback ------------------------------------------------------------------------------------------------

    def identity(
        self, answer: Mapping[str, str], request: ProviderRequest, *, in_full: Callable[[str], bool]
    ) -> ProviderIdentity:
        """The identity behind *answer*, the query of the callback, whose state was checked.

        *in_full* is called with the subject and says whether name and e-mail address are needed, which may take another
        call. Raises ProviderDown or ProviderRefused."""
        metadata = self._metadata()
        self._require_issuer(metadata, answer.get("iss"))
        if "error" in answer:
            cancelled = answer["error"] in ("access_denied", "login_required", "interaction_required")
            raise ProviderRefused("cancelled" if cancelled else "wrong", why=f"error {answer['error'][:40]!r}")
        code = answer.get("code")
        if not code:
            raise ProviderRefused("wrong", why="no code")
        issued = self._exchange(metadata, code, request)
        claims = self._claims(metadata, issued, request)
        profile = claims
        if in_full(claims["sub"]) and not {"email", "email_verified"} <= set(claims):
            # All of it from userinfo, so that `email_verified` always belongs to the e-mail address beside it.
            profile = self._userinfo(metadata, issued["access_token"], claims["sub"]) or claims
        return _identity(self.provider, claims, profile)

    def _require_issuer(self, metadata: Mapping[str, Any], issuer: str | None) -> None:
        """Answers of one provider must not be taken for another's (RFC 9207 section 2.4)."""
        announced = metadata.get("authorization_response_iss_parameter_supported") is True
        if issuer != self.provider.issuer and (issuer is not None or announced):
            raise ProviderRefused("wrong", why="the answer comes from another issuer")

    def _exchange(self, metadata: Mapping[str, Any], code: str, request: ProviderRequest) -> dict[str, str]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": request.redirect_uri,
            "code_verifier": request.verifier,
        }
        headers = {"Accept": "application/json", **self._authenticated(metadata, form)}
        answer = self._call(metadata["token_endpoint"], form=form, headers=headers)
        if answer.status != 200:
            raise ProviderRefused("wrong", why=f"token endpoint {answer.status} {_error_code(answer)}")
        body = _json(answer)
        if not all(isinstance(body.get(name), str) and body[name] for name in ("id_token", "access_token")):
            raise ProviderRefused("wrong", why="no id_token")
        return {name: str(body[name]) for name in ("id_token", "access_token")}

    def _authenticated(self, metadata: Mapping[str, Any], form: dict[str, str]) -> dict[str, str]:
        """Our client authentication: in the header if the provider accepts that, else in the form (RFC 6749 section
        2.3.1)."""
        client_id, secret = self.provider.client_id, self.provider.client_secret
        if not secret:
            form["client_id"] = client_id
            return {}
        offered = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if "client_secret_basic" in offered:
            pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
            return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        form |= {"client_id": client_id, "client_secret": secret}
        return {}

    def _claims(
        self, metadata: Mapping[str, Any], issued: Mapping[str, str], request: ProviderRequest
    ) -> dict[str, Any]:
        offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        algorithms = frozenset(name for name in offered if isinstance(name, str)) & set(tokens.ALGORITHMS)
        expected = tokens.Expected(
            self.provider.issuer, self.provider.client_id, request.nonce, algorithms, request.forced_since
        )
        keys, now = self._keys(metadata), datetime.now(UTC)
        try:
            try:
                return tokens.check(issued["id_token"], keys, expected, now, issued["access_token"])
            except tokens.UnknownKey:
                newer = self._newer_keys(metadata)
                if newer is None:
                    raise
                return tokens.check(issued["id_token"], newer, expected, now, issued["access_token"])
        except tokens.NotProved as failure:
            raise ProviderRefused("not-proved", why=f"id_token: {failure}") from failure
        except tokens.BadToken as failure:
            raise ProviderRefused("wrong", why=f"id_token: {failure}") from failure

    def _userinfo(self, metadata: Mapping[str, Any], access_token: str, subject: str) -> dict[str, Any]:
        """More claims of the same person; an answer about another subject is refused (Core section 5.3.2)."""
        endpoint = metadata.get("userinfo_endpoint")
        if endpoint is None:
            return {}
        headers = {"Authorization": f"Bearer {access_token}", "Accept": "application/json"}
        answer = self._call(endpoint, headers=headers)
        if answer.status != 200:
            raise ProviderRefused("wrong", why=f"userinfo {answer.status}")
        userinfo = _json(answer)
        if userinfo.get("sub") != subject:
            raise ProviderRefused("wrong", why="userinfo is about another subject")
        return userinfo

    # -- metadata and keys ---------------------------------------------------------------------------------------

    def _metadata(self) -> dict[str, Any]:
        with self._lock:
            known, now = self._known, self._clock()
            if now - known.metadata_at < KEPT_S:
                return known.metadata
        answer = self._call(self.provider.discovery, headers={"Accept": "application/json"})
        try:
            metadata = _json(answer)
        except ProviderRefused:
            metadata = {}
        fault = self._fault(metadata) if answer.status == 200 else f"discovery answers {answer.status}"
        if fault:
            raise self._down(fault)
        with self._lock:
            known.metadata, known.metadata_at = metadata, self._clock()
        return metadata

    def _fault(self, metadata: Mapping[str, Any]) -> str:
        if metadata.get("issuer") != self.provider.issuer:
            return "discovery is of another issuer than sign_in_providers says"
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"):
            if name == "userinfo_endpoint" and metadata.get(name) is None:
                continue
            if not self._is_address(metadata.get(name)):
                return f"discovery has no {name} that can be used"
        return ""

    def _is_address(self, value: object) -> bool:
        try:
            parts = urlsplit(value) if isinstance(value, str) and value.isprintable() else None
        except ValueError:
            return False
        if parts is None or not parts.hostname or parts.username is not None:
            return False
        return parts.scheme == "https" or (parts.scheme == "http" and self._is_inside(parts.hostname))

    def _is_inside(self, host: str) -> bool:
        return self.provider.internal and host == self.provider.host

    def _keys(self, metadata: Mapping[str, Any]) -> list[tokens.PublicKey]:
        with self._lock:
            known, now = self._known, self._clock()
            if now - known.keys_at < KEPT_S:
                return known.keys
        return self._fetched_keys(metadata)

    def _newer_keys(self, metadata: Mapping[str, Any]) -> list[tokens.PublicKey] | None:
        """The keys fetched again, or None if that was done less than a minute ago."""
        with self._lock:
            if self._clock() - self._known.keys_at < KEYS_AGAIN_S:
                return None
        return self._fetched_keys(metadata)

    def _fetched_keys(self, metadata: Mapping[str, Any]) -> list[tokens.PublicKey]:
        answer = self._call(metadata["jwks_uri"], headers={"Accept": "application/json"})
        try:
            keys = tokens.keys_of(_json(answer)) if answer.status == 200 else []
        except (tokens.BadToken, ProviderRefused):
            keys = []
        if not keys:
            raise self._down("the JWKS holds no key that can be used")
        with self._lock:
            self._known.keys, self._known.keys_at = keys, self._clock()
        return keys

    def _call(
        self, url: str, *, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        with self._lock:
            if self._clock() - self._known.failed_at < PAUSE_S:
                raise ProviderDown("The provider does not answer.", why="it failed a moment ago", retry_after_s=10)
        try:
            answer = self._fetcher_for(url).call(url, form=form, headers=headers)
        except CannotFetch as failure:
            raise self._down(f"{urlsplit(url).hostname}: {failure.why or failure.detail}") from failure
        if answer.status >= 500:
            raise self._down(f"{urlsplit(url).hostname} answers {answer.status}")
        return answer

    def _fetcher_for(self, url: str) -> Fetcher:
        """The unguarded fetcher for the host that the operator marked as internal, the guarded one for all others."""
        if self.provider.internal and not self._is_inside(urlsplit(url).hostname or ""):
            return Fetcher(ANSWER_BYTES)
        return self._fetcher

    def _down(self, why: str) -> ProviderDown:
        with self._lock:
            self._known.failed_at = self._clock()
        log.warning("provider.down", provider=self.provider.id, why=why)
        return ProviderDown("The provider does not answer.", why=why, retry_after_s=10)


def _guarded(provider: Provider) -> Fetcher:
    trust = ssl.create_default_context(cafile=provider.ca_file) if provider.ca_file else None
    ports = range(1, 65536) if provider.internal else PORTS
    return Fetcher(ANSWER_BYTES, resolve, (lambda _address: True) if provider.internal else is_public, ports, trust)


def _json(answer: Answer) -> dict[str, Any]:
    try:
        # Unlike `json`, it refuses lone surrogates, which cannot be stored.
        decoded = json_text.parse(without_bom(answer.body))
    except json_text.NotJson:
        decoded = None
    if not isinstance(decoded, dict):
        raise ProviderRefused("wrong", why="an answer that is no JSON object")
    return decoded


def _error_code(answer: Answer) -> str:
    """The `error` code of a refusal for the log; nothing else of the answer is logged."""
    try:
        code = str(_json(answer).get("error", ""))
    except ProviderRefused:
        return ""
    return code[:40] if code.replace("_", "").isalnum() else ""


def _identity(provider: Provider, claims: Mapping[str, Any], profile: Mapping[str, Any]) -> ProviderIdentity:
    def text(name: str) -> str:
        value = profile.get(name)
        fits = isinstance(value, str) and not fault_of_name(value) and len(value.strip()) <= LONGEST_TEXT
        return str(value).strip() if fits else ""

    verified = (
        profile.get("email_verified") is True
    )  # not the text "true", which some providers send for addresses that users typed
    return ProviderIdentity(
        provider_id=provider.id,
        issuer=provider.issuer,
        subject=str(claims["sub"]),
        email=text("email") or None if verified else None,
        name=text("name"),
        first_name=text("given_name"),
        last_name=text("family_name"),
        username=text("preferred_username"),
        locale=text("locale")[:2].lower() or None,
        auth_time=tokens.authenticated(dict(claims)),
    )
