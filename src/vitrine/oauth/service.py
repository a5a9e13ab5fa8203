"""The authorization server, as endpoints and pages call it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from vitrine.accounts import Accounts, Actor, Via
from vitrine.applications import Account, Application, Applications, Policy, Switch
from vitrine.errors import Forbidden
from vitrine.oauth import (
    authorize,
    codes,
    deprecated_features,
    devices,
    metadata,
    openid,
    redirect_matching,
    redirect_mismatch,
    revocation,
    scope_limits,
    scopes,
)
from vitrine.oauth.clients import Client, Clients
from vitrine.oauth.errors import InsufficientScope, TokenError
from vitrine.oauth.grants import BY_SECRET_ALONE, GRANTS, KNOWN, SHORT
from vitrine.oauth.grants.base import GrantContext, requested_scope
from vitrine.oauth.grants.client_credentials import SHARED
from vitrine.oauth.keys import SigningKeys
from vitrine.oauth.lifetimes import IDLE_LIMIT
from vitrine.oauth.notices import Notices
from vitrine.oauth.refresh import Rotation
from vitrine.oauth.tokens import Issued, TokenChecker, Tokens
from vitrine.platform import audit
from vitrine.platform.crypto import Vault
from vitrine.platform.database import Database, UnitOfWork

DEPRECATED_FEATURES_SHOWN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """The response of the token endpoint. *expires_in* is None for a token without expiry; *old_shape* asks for the
    form of contract 01;
    *deprecated_features* are those that were used."""

    access_token: str
    expires_in: timedelta | None
    old_shape: bool
    refresh_token: str | None = None
    scope: str | None = None
    id_token: str | None = None
    application_id: int = 0
    deprecated_features: tuple[str, ...] = ()
    unsigned: tuple[Application, Issued] | None = None  # an id_token must be added by `OAuth.signed`


class OAuth:
    def __init__(
        self,
        database: Database,
        accounts: Accounts,
        applications: Applications,
        vault: Vault,
        policy: Policy,
        notices: Notices,
        issuer: str = "",
        *,
        idle_limit: timedelta = IDLE_LIMIT,
    ) -> None:
        """*issuer* is the server's issuer identifier (RFC 9207), *idle_limit* the idle limit of tokens without
        expiry."""
        self._database = database
        self._accounts = accounts
        self._applications = applications
        self.policy = policy
        self.tokens = TokenChecker(accounts, policy)
        self.keys = SigningKeys(database, vault)
        self._clients = Clients(applications, policy)
        self._introspection = revocation.Introspection(issuer)
        self._tokens = Tokens(vault, policy, idle_limit)
        self._grant_context = GrantContext(
            database, accounts, applications, self._tokens, Rotation(vault), policy, notices
        )
        self.notices = notices
        self._issuer = issuer

    # -- authorize -----------------------------------------------------------------------------------------------

    def validate(self, work: UnitOfWork, parameters: Mapping[str, str]) -> authorize.AuthorizationRequest:
        return authorize.validate(work, self._applications, parameters, self.policy, self._issuer, self.keys)

    def needs_consent(self, work: UnitOfWork, actor: Actor, request: authorize.AuthorizationRequest) -> bool:
        """True if the person has not consented or withdrew the consent, or if the request asks for more (design 5.2): a
        new scope, everything from an application that had scopes, or a redirect address that a token added."""
        account = self._applications.consents.account(work, actor.must_user_id, request.application)
        if account is None or not account.is_granted:
            return True
        if not self._was_shown(work, account, request):
            return True
        if request.scope is None:
            return account.granted_scope is not None
        known = frozenset(account.requested_scope or ())
        return not request.scope <= known or not request.scope & frozenset(account.granted_scope or ())

    def _was_shown(self, work: UnitOfWork, account: Account, request: authorize.AuthorizationRequest) -> bool:
        """True for an address that a person registered, or that was shown on a page where this person consented."""
        if redirect_matching.registered_for(request.application, request.redirect_uri, own=True):
            return True
        return self._applications.consents.has_allowed(work, account, request.redirect_uri)

    def decide(
        self,
        work: UnitOfWork,
        actor: Actor,
        request: authorize.AuthorizationRequest,
        *,
        allow: bool,
        scope: frozenset[str] | None,
    ) -> None:
        """Record a decision on the consent page; *scope* is what was ticked. Raises NotOpen."""
        before = self._applications.consents.account(work, actor.must_user_id, request.application)
        now = self._applications.consents.decide(
            work,
            actor,
            request.application,
            allow=allow,
            return_to=request.redirect_uri,
            scope=scope,
            requested=request.scope,
        )
        if allow:
            scope_limits.apply_consent(work, now)
            self.notices.granted(work, request.application, before, now, actor.address)

    def explain_mismatch(
        self, work: UnitOfWork, actor: Actor, parameters: Mapping[str, str]
    ) -> redirect_mismatch.Mismatch | None:
        """Which part of a refused redirect address differs, for owners of the application only."""
        application = self._applications.by_client_id(work, parameters.get("client_id", ""))
        if application is None or not self._applications.is_owner(work, actor, application):
            return None
        return redirect_mismatch.explain(application, parameters.get("redirect_uri", ""))

    def grant(self, work: UnitOfWork, actor: Actor, request: authorize.AuthorizationRequest) -> str:
        """The URL to redirect the browser to, or the code itself out of band. The person must have consented."""
        account = self._applications.consents.ensure_account(work, actor.must_user_id, request.application)
        scope = None if request.scope is None else request.scope & frozenset(account.granted_scope or ())
        code = None
        if request.response_type != "token":
            code = codes.issue(
                work,
                account.id,
                request.redirect_uri,
                request.code_challenge,
                names_redirect_uri=request.given_redirect_uri is not None,
                scope=scope,
                nonce=request.nonce,
                authenticated=actor.session.auth_time if actor.session else None,
            )
        if request.is_out_of_band:
            assert code is not None
            return code
        if request.response_type == "code" and code is not None:
            return request.response_target.with_code(code)
        issued = self._tokens.issue(work, request.application, account.id, None, scope, refreshable=False)
        return request.response_target.with_token(issued.secret, code, **_told(request.application, issued))

    # -- token ---------------------------------------------------------------------------------------------------

    @staticmethod
    def is_short(form: Mapping[str, str]) -> bool:
        """True for a grant that needs only a few short statements in one write transaction."""
        return form.get("grant_type") in SHORT

    def exchange(self, form: Mapping[str, str], authorization: str, address: str) -> TokenAnswer:
        """The token endpoint (01 section 4.1, in that order). Raises TokenError. Opens its own transactions.

        If the result has something unsigned, pass it to `signed`."""
        grant_type = form.get("grant_type", "")
        if grant_type not in KNOWN:
            raise self._unknown_grant(form, authorization)
        grant = GRANTS.get(grant_type)
        if grant is None:
            raise TokenError("unsupported_grant_type", f"The grant {grant_type} is not offered.")
        client = self._database.reading(lambda work: self._clients.authenticate(work, form, authorization))
        application = client.application
        if client.is_shared and grant_type in BY_SECRET_ALONE and not application.switches.has_old_answers:
            raise TokenError("unauthorized_client", SHARED)
        issued = grant.redeem(self._grant_context, application, form, address)
        return TokenAnswer(
            issued.secret,
            issued.expires_in,
            application.switches.has_old_answers,
            issued.refresh,
            None if issued.scope is None else scopes.written(issued.scope),
            None,
            application.id,
            _deprecated_features_used(client, grant_type),
            (application, issued) if issued.identity is not None and issued.scope is not None else None,
        )

    def _unknown_grant(self, form: Mapping[str, str], authorization: str) -> TokenError:
        """`invalid_request` before any look at the client (01 section 4.1 row 1), but what RFC 6749 section 5.2 says
        for an application whose answers are those of the RFCs."""
        missing = TokenError("invalid_request", "grant_type is missing or unknown.")
        if not form.get("grant_type"):
            return missing
        try:
            is_old = self._database.reading(lambda work: self._clients.has_old_answers(work, form, authorization))
        except TokenError as refusal:
            return refusal
        return missing if is_old else TokenError("unsupported_grant_type", "There is no such grant here.")

    def signed(self, answer: TokenAnswer) -> TokenAnswer:
        """The answer with its id_token. Not for an event loop: signing takes a millisecond, creating a key longer."""
        if answer.unsigned is None:
            return answer
        return replace(answer, id_token=self._id_token(*answer.unsigned), unsigned=None)

    def _id_token(self, application: Application, issued: Issued) -> str | None:
        if issued.identity is None or issued.scope is None:
            return None
        with self._database.read() as work:
            user = self._accounts.get(work, self._applications.user_of(work, issued.identity.account_id))
            claims = openid.id_token(
                self._issuer, application.client_id, user, issued.scope, issued.identity, datetime.now(UTC)
            )
        return self.keys.sign(claims)

    def revoke(self, form: Mapping[str, str], authorization: str) -> None:
        """RFC 7009. Raises TokenError if client authentication fails."""
        with self._database.write() as work:
            client = self._clients.authenticate(work, form, authorization)
            token = form.get("token")
            if not token:
                raise TokenError("invalid_request", "token is required.")
            revocation.revoke(work, client.application, token)

    def introspect(self, form: Mapping[str, str], authorization: str) -> dict[str, Any]:
        """RFC 7662, for clients that authenticated with their secret. Raises TokenError."""
        return self._database.cached_read(lambda work: self._introspected(work, form, authorization))

    def _introspected(self, work: UnitOfWork, form: Mapping[str, str], authorization: str) -> dict[str, Any]:
        client = self._clients.authenticate(work, form, authorization)
        if not client.authenticated:
            raise TokenError("invalid_client", "Introspection is for applications with a secret.", status=401)
        token = form.get("token")
        if not token:
            raise TokenError("invalid_request", "token is required.")
        return self._introspection.of(work, client.application, token)

    # -- devices -------------------------------------------------------------------------------------------------

    def authorize_device(
        self, form: Mapping[str, str], authorization: str, address: str
    ) -> devices.DeviceAuthorization:
        """The device authorization endpoint (RFC 8628 section 3.1). Raises TokenError."""
        with self._database.write() as work:
            application = self._clients.authenticate(work, form, authorization).application
            if not application.switches.may_offer_devices:
                raise TokenError("unauthorized_client", "This kind of application has no device grant.")
            return devices.offer(work, application, requested_scope(form, application), address)

    def device(self, work: UnitOfWork, typed: str) -> devices.Device:
        """Raises devices.NoSuchDevice."""
        return devices.find(work, self._applications, typed)

    def decide_device(
        self, work: UnitOfWork, actor: Actor, typed: str, *, allow: bool, scope: frozenset[str]
    ) -> devices.Device:
        device = devices.find(work, self._applications, typed)
        before = self._applications.consents.account(work, actor.must_user_id, device.application)
        now = devices.decide(work, actor, self._applications, device, allow=allow, scope=scope & device.scope)
        if allow:
            scope_limits.apply_consent(work, now)
            self.notices.granted(work, device.application, before, now, actor.address)
        return device

    # -- OpenID Connect and metadata -----------------------------------------------------------------------------

    def userinfo(self, work: UnitOfWork, actor: Actor) -> dict[str, Any]:
        """Claims about the person behind a token (OpenID Connect Core section 5.3). Raises InsufficientScope."""
        if actor.scope is None or scopes.OPENID not in actor.scope:
            raise InsufficientScope(scopes.OPENID)
        return openid.claims(self._accounts.get(work, actor.must_user_id), actor.scope)

    def metadata(self) -> dict[str, Any]:
        return metadata.authorization_server(self._issuer, self.policy)

    def resource_metadata(self) -> dict[str, Any]:
        return metadata.protected_resource(self._issuer)

    def deprecated_features(
        self, work: UnitOfWork, actor: Actor, application: Application
    ) -> list[deprecated_features.FeatureUse]:
        """The deprecated features that the application used in the last 30 days. Raises NoSuchApplication."""
        application = self._applications.get(work, actor, application.id)
        return deprecated_features.of(work, application.id, (work.now - DEPRECATED_FEATURES_SHOWN).date())

    # -- imported tokens -----------------------------------------------------------------------------------------

    def import_token(
        self, work: UnitOfWork, actor: Actor, application: Application, user_id: int, secret: str, *, developer: bool
    ) -> None:
        """Import a token of another server, which keeps its access here (design 5.5).

        Administrators and the command line only. Raises Invalid (form) or Conflict (known already).
        """
        if not actor.administers or actor.via is Via.TOKEN:
            raise Forbidden("Only administrators may bring tokens.")
        account = self._applications.consents.ensure_account(work, user_id, application)
        self._tokens.import_token(work, account.id, secret, developer=developer)
        if not developer:
            self._applications.consents.note_imported_consent(work, account, application)
        audit.write(work, actor, "token.imported", f"application {application.id}", {"user": user_id})


def _told(application: Application, issued: Issued) -> dict[str, str]:
    """What an implicit response tells about its token (RFC 6749 section 4.2.2); nothing in the form of contract 01."""
    if application.switches.has_old_answers:
        return {}
    life = {} if issued.expires_in is None else {"expires_in": str(round(issued.expires_in.total_seconds()))}
    return life if issued.scope is None else {**life, "scope": scopes.written(issued.scope)}


def _deprecated_features_used(client: Client, grant_type: str) -> tuple[str, ...]:
    used = [deprecated_features.PASSWORD] if grant_type == "password" else []
    if not client.authenticated and client.application.switches.can_choose(Switch.SECRET_REQUIRED):
        used.append(deprecated_features.NO_SECRET)
    return tuple(used)
