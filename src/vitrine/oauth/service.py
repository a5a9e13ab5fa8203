"""The authorization server: what the endpoints and pages call."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from vitrine.accounts import Accounts, Actor, Via
from vitrine.applications import Account, Application, ApplicationId, Applications, Policy, Switch, provenance
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
from vitrine.oauth.notices import Notices
from vitrine.oauth.refresh import Rotation
from vitrine.oauth.tokens import IDLE_LIMIT, DeveloperToken, Issued, TokenChecker, Tokens
from vitrine.platform import audit
from vitrine.platform.crypto import Vault
from vitrine.platform.database import Database, UnitOfWork

DEPRECATED_FEATURES_SHOWN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """What the token endpoint gives. *expires_in* is None for a token without end; *old_shape* asks for contract 01;
    *deprecated_features* are those that were used."""

    access_token: str
    expires_in: timedelta | None
    old_shape: bool
    refresh_token: str | None = None
    scope: str | None = None
    id_token: str | None = None
    application_id: int = 0
    deprecated_features: tuple[str, ...] = ()
    unsigned: tuple[Application, Issued] | None = None  # an id_token is due: see `OAuth.signed`


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
        """*issuer* is the server's own address as answers name it (RFC 9207); *idle_limit* that of endless tokens."""
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

    def validate(self, work: UnitOfWork, given: Mapping[str, str]) -> authorize.AuthorizationRequest:
        return authorize.validate(work, self._applications, given, self.policy, self._issuer)

    def needs_consent(self, work: UnitOfWork, actor: Actor, request: authorize.AuthorizationRequest) -> bool:
        """True until the person has said yes, after they took it back, and when the request has grown (design 5.2):
        another scope, everything for an application that had scopes before, or an address that a token added."""
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
        """True for the addresses that people registered; one that was added with a token must have stood on a page
        where this person said yes."""
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
        """What a person decided on the consent page: *scope* is what they left ticked. Raises NotOpen."""
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
        self, work: UnitOfWork, actor: Actor, given: Mapping[str, str]
    ) -> redirect_mismatch.Mismatch | None:
        """Which part of a refused redirect address differs, for an owner of the application and for nobody else."""
        application = self._applications.by_client_id(work, given.get("client_id", ""))
        if application is None or not self._applications.is_owner(work, actor, application):
            return None
        return redirect_mismatch.explain(application, given.get("redirect_uri", ""))

    def grant(self, work: UnitOfWork, actor: Actor, request: authorize.AuthorizationRequest) -> str:
        """The address to send the browser to, or out of band the code itself. The person must have allowed it."""
        account = self._applications.consents.ensure_account(work, actor.must_user_id, request.application)
        scope = None if request.scope is None else request.scope & frozenset(account.granted_scope or ())
        code = None
        if request.response_type != "token":
            code = codes.issue(
                work,
                account.id,
                request.redirect_uri,
                request.code_challenge,
                scope=scope,
                nonce=request.nonce,
                authenticated=actor.session.auth_time if actor.session else None,
            )
        if request.is_out_of_band:
            assert code is not None
            return code
        pairs = [("code", code)] if code is not None else []
        if request.response_type == "code":
            return request.back.with_query(*pairs)
        issued = self._tokens.issue(work, request.application, account.id, None, scope, refreshable=False)
        return request.back.with_fragment(issued.secret, *pairs)

    # -- token ---------------------------------------------------------------------------------------------------

    @staticmethod
    def is_short(form: Mapping[str, str]) -> bool:
        """True for an exchange of a few short statements, with one write that comes before all others."""
        return form.get("grant_type") in SHORT

    def exchange(self, form: Mapping[str, str], authorization: str, address: str) -> TokenAnswer:
        """The token endpoint (01 section 4.1, in that order). Raises TokenError. Opens its own transactions.

        Give what it returns to `signed` when it has something unsigned."""
        grant_type = form.get("grant_type", "")
        if grant_type not in KNOWN:
            raise TokenError("invalid_request", "grant_type is missing or unknown.")
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

    def signed(self, answer: TokenAnswer) -> TokenAnswer:
        """The answer with its id_token. Never in an event loop: a signature takes a millisecond, a first key longer."""
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
        """RFC 7009. Raises TokenError when the client is not who it says."""
        with self._database.write() as work:
            client = self._clients.authenticate(work, form, authorization)
            token = form.get("token")
            if not token:
                raise TokenError("invalid_request", "token is required.")
            revocation.revoke(work, client.application, token)

    def introspect(self, form: Mapping[str, str], authorization: str) -> dict[str, Any]:
        """RFC 7662, for applications that proved themselves with their secret. Raises TokenError."""
        return self._database.cached_read(lambda work: self._introspected(work, form, authorization))

    def _introspected(self, work: UnitOfWork, form: Mapping[str, str], authorization: str) -> dict[str, Any]:
        client = self._clients.authenticate(work, form, authorization)
        if not client.proved:
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
        """What the application did in the last 30 days that new ones should not. Raises NoSuchApplication."""
        application = self._applications.get(work, actor, application.id)
        return deprecated_features.of(work, application.id, (work.now - DEPRECATED_FEATURES_SHOWN).date())

    # -- tokens from elsewhere -----------------------------------------------------------------------------------

    def import_token(
        self, work: UnitOfWork, actor: Actor, application: Application, user_id: int, secret: str, *, developer: bool
    ) -> None:
        """Keep a token that another server gave, so that it opens here what it opened there (design 5.5).

        Administrators and the command line only. Raises Invalid (form) or Conflict (known already).
        """
        if not actor.administers or actor.via is Via.TOKEN:
            raise Forbidden("Only administrators may bring tokens.")
        account = self._applications.consents.ensure_account(work, user_id, application)
        self._tokens.import_token(work, account.id, secret, developer=developer)
        if not developer:
            self._applications.consents.note_imported_consent(work, account, application)
        audit.write(work, actor, "token.imported", f"application {application.id}", {"user": user_id})

    # -- developer token and revocation --------------------------------------------------------------------------

    def developer_token(self, work: UnitOfWork, actor: Actor, application: Application) -> DeveloperToken | None:
        account = self._applications.consents.account(work, actor.must_user_id, application)
        return self._tokens.developer(work, account.id) if account else None

    def renew_developer_token(self, work: UnitOfWork, actor: Actor, application: Application) -> str:
        """Make or replace the actor's developer token; *application* was fetched by its owner (`Applications.get`). It
        has no end and means everything, so no token can make it: PersonNeeded."""
        provenance.require_person(
            work,
            self._applications.sessions,
            actor,
            "A token cannot make this one. Sign in and make it on the settings page.",
        )
        account = self._applications.consents.ensure_account(work, actor.must_user_id, application)
        if account.revoked_at is not None:
            self._applications.consents.reopen(work, actor, account)
        audit.write(work, actor, "developer_token.renewed", f"application {application.id}")
        return self._tokens.renew_developer(work, account.id)

    def reveal_developer_token(self, work: UnitOfWork, actor: Actor, application: Application) -> str | None:
        """Raises RecentAuthRequired; leaves an audit line."""
        self._applications.sessions.require_recent_auth(work, actor)
        account = self._applications.consents.account(work, actor.must_user_id, application)
        if account is None:
            return None
        audit.write(work, actor, "developer_token.shown", f"application {application.id}")
        return self._tokens.reveal_developer(work, account.id)

    def revoke_developer_token(self, work: UnitOfWork, actor: Actor, application: Application) -> None:
        account = self._applications.consents.account(work, actor.must_user_id, application)
        if account is not None:
            self._tokens.revoke_developer(work, account.id)
            audit.write(work, actor, "developer_token.revoked", f"application {application.id}")

    def revoke_application(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId) -> None:
        """Withdraw one's consent: codes and tokens of this person and application are deleted, at once and for good."""
        self._applications.consents.withdraw(work, actor, application_id)

    def forget_application(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId) -> None:
        """Withdraw one's consent if it stands, and take the application off the list of those one ever allowed."""
        self._applications.consents.forget(work, actor, application_id)


def _deprecated_features_used(client: Client, grant_type: str) -> tuple[str, ...]:
    used = [deprecated_features.PASSWORD] if grant_type == "password" else []
    if not client.proved and client.application.switches.can_choose(Switch.SECRET_REQUIRED):
        used.append(deprecated_features.NO_SECRET)
    return tuple(used)
