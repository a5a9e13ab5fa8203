"""The authorization server: what the endpoints and pages call."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import unquote_plus

from vitrine.accounts import Accounts, Actor
from vitrine.applications import Application, ApplicationId, Applications, Policy, Switch
from vitrine.errors import Forbidden
from vitrine.oauth import authorize, codes, store
from vitrine.oauth.errors import TokenError
from vitrine.oauth.grants import GRANTS, KNOWN
from vitrine.oauth.grants.base import Desk
from vitrine.oauth.tokens import DeveloperToken, Issued, TokenChecker, Tokens
from vitrine.platform import audit
from vitrine.platform.crypto import Vault
from vitrine.platform.database import Database, UnitOfWork


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """What the token endpoint gives. *expires_in* is None for a token without end; *old_shape* asks for contract 01."""

    access_token: str
    expires_in: timedelta | None
    old_shape: bool


class OAuth:
    def __init__(
        self,
        database: Database,
        accounts: Accounts,
        applications: Applications,
        vault: Vault,
        policy: Policy,
        issuer: str = "",
    ) -> None:
        """*issuer* is the server's own address as answers name it (RFC 9207)."""
        self._database = database
        self._accounts = accounts
        self._applications = applications
        self.policy = policy
        self.tokens = TokenChecker(accounts, policy)
        self._issuer = Tokens(vault, policy)
        self._name = issuer

    # -- authorize -----------------------------------------------------------------------------------------------

    def validate(self, work: UnitOfWork, given: Mapping[str, str]) -> authorize.Asked:
        return authorize.validate(work, self._applications, given, self.policy, self._name)

    def needs_consent(self, work: UnitOfWork, actor: Actor, asked: authorize.Asked) -> bool:
        """True until the person has said yes, and again after they took it back (design 5.2)."""
        account = self._applications.account(work, actor.must_user_id, asked.application)
        return account is None or not account.is_granted

    def grant(self, work: UnitOfWork, actor: Actor, asked: authorize.Asked) -> str:
        """The address to send the browser to, or out of band the code itself. The person must have allowed it."""
        account = self._applications.ensure_account(work, actor.must_user_id, asked.application)
        code = None
        if asked.response_type != "token":
            code = codes.issue(work, account.id, asked.redirect_uri, asked.code_challenge)
        if asked.is_out_of_band:
            assert code is not None
            return code
        pairs = [("code", code)] if code is not None else []
        if asked.response_type == "code":
            return asked.back.with_query(*pairs)
        issued = self._issuer.issue(work, asked.application, account.id, None)
        return asked.back.with_fragment(issued.secret, *pairs)

    # -- token ---------------------------------------------------------------------------------------------------

    def exchange(self, form: Mapping[str, str], authorization: str, address: str) -> TokenAnswer:
        """The token endpoint (01 section 4.1, in that order). Raises TokenError. Opens its own transactions."""
        grant_type = form.get("grant_type", "")
        if grant_type not in KNOWN:
            raise TokenError("invalid_request", "grant_type is missing or unknown.")
        grant = GRANTS.get(grant_type)
        if grant is None:
            raise TokenError("unsupported_grant_type", f"The grant {grant_type} is not offered.")
        with self._database.read() as work:
            application = self._authenticate(work, form, authorization)
        desk = Desk(self._database, self._accounts, self._applications, self._issuer, self.policy)
        issued: Issued = grant.redeem(desk, application, form, address)
        return TokenAnswer(issued.secret, issued.expires_in, application.switches.has_old_answers)

    def _authenticate(self, work: UnitOfWork, form: Mapping[str, str], authorization: str) -> Application:
        """The client, by Basic or body but not both; one error for everything that is wrong (row 3)."""
        basic = _basic(authorization)
        if basic is not None and ("client_id" in form or "client_secret" in form):
            raise TokenError("invalid_client", "Send client credentials either in the header or in the body.")
        client_id, secret = basic or (form.get("client_id", ""), form.get("client_secret", ""))
        application = self._applications.by_client_id(work, client_id) if client_id else None
        if application is None:
            raise TokenError("invalid_client", "The client is unknown.")
        if secret:
            if not self._applications.secret_is_right(work, application, secret):
                raise TokenError("invalid_client", "The client secret is not right.")
        elif application.switches.is_on(Switch.SECRET_REQUIRED, self.policy):
            raise TokenError("invalid_client", "The client secret is required.")
        if not application.activated:
            raise TokenError("unauthorized_client", "The application is suspended.")
        return application

    # -- tokens from elsewhere -----------------------------------------------------------------------------------

    def bring_token(
        self, work: UnitOfWork, actor: Actor, application: Application, user_id: int, secret: str, *, developer: bool
    ) -> None:
        """Keep a token that another server gave, so that it opens here what it opened there (design 5.5).

        Administrators and the command line only. Raises Invalid (form) or Conflict (known already).
        """
        if not actor.is_admin:
            raise Forbidden("Only administrators may bring tokens.")
        account = self._applications.ensure_account(work, user_id, application)
        self._issuer.bring(work, account.id, secret, developer=developer)
        if not developer:
            self._applications.note_imported_consent(work, account, application)
        audit.write(work, actor, "token.imported", f"application {application.id}", {"user": user_id})

    # -- developer token and revocation --------------------------------------------------------------------------

    def developer_token(self, work: UnitOfWork, actor: Actor, application: Application) -> DeveloperToken | None:
        account = self._applications.account(work, actor.must_user_id, application)
        return self._issuer.developer(work, account.id) if account else None

    def renew_developer_token(self, work: UnitOfWork, actor: Actor, application: Application) -> str:
        """Make or replace the actor's developer token; *application* was fetched by its owner (`Applications.get`)."""
        account = self._applications.ensure_account(work, actor.must_user_id, application)
        if account.revoked_at is not None:
            self._applications.reopen(work, account)
        audit.write(work, actor, "developer_token.renewed", f"application {application.id}")
        return self._issuer.renew_developer(work, account.id)

    def reveal_developer_token(self, work: UnitOfWork, actor: Actor, application: Application) -> str | None:
        """Raises NotFresh; leaves an audit line."""
        self._accounts.require_fresh(work, actor)
        account = self._applications.account(work, actor.must_user_id, application)
        if account is None:
            return None
        audit.write(work, actor, "developer_token.shown", f"application {application.id}")
        return self._issuer.reveal_developer(work, account.id)

    def revoke_developer_token(self, work: UnitOfWork, actor: Actor, application: Application) -> None:
        account = self._applications.account(work, actor.must_user_id, application)
        if account is not None:
            self._issuer.revoke_developer(work, account.id)
            audit.write(work, actor, "developer_token.revoked", f"application {application.id}")

    def revoke_application(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId) -> None:
        """Withdraw one's consent: codes and tokens of this person and application are deleted, at once and for good."""
        account_id = self._applications.revoked(work, actor, application_id)
        store.delete_tokens_of_account(work, account_id)


def _basic(header: str) -> tuple[str, str] | None:
    """Client id and secret of HTTP Basic (RFC 6749 section 2.3.1: both form-encoded), None when there is none."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(rest.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise TokenError("invalid_client", "The Authorization header is malformed.") from None
    return (unquote_plus(user), unquote_plus(password)) if colon else None
