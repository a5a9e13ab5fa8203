"""The one developer token that the settings page shows; named ones are in `personal_tokens`."""

from dataclasses import dataclass
from datetime import datetime

from vitrine.accounts import Actor
from vitrine.applications import Application, Applications, provenance
from vitrine.oauth import store
from vitrine.platform import audit
from vitrine.platform.crypto import digest, new_secret
from vitrine.platform.database import UnitOfWork

NEEDS_PERSON = "A token cannot make this one. Sign in and make it on the settings page."


@dataclass(frozen=True, slots=True)
class DeveloperToken:
    """The developer token of a settings page, without its value."""

    id: int
    last_four: str
    created: datetime
    last_used: datetime | None
    last_address: str


@dataclass(frozen=True, slots=True)
class DeveloperTokens:
    """*application* was fetched by its owner (`Applications.get`)."""

    applications: Applications

    def current(self, work: UnitOfWork, actor: Actor, application: Application) -> DeveloperToken | None:
        account = self.applications.consents.account(work, actor.must_user_id, application)
        row = store.developer_token(work, account.id) if account else None
        if row is None:
            return None
        return DeveloperToken(row.id, row.last_four, row.created, row.last_used, row.last_address)

    def renew(self, work: UnitOfWork, actor: Actor, application: Application) -> str:
        """Create the actor's developer token or replace its value. The old value ends at once (01 section 9), with
        everything made with it. The token does not expire and allows everything, so a call with a token raises
        PersonNeeded."""
        provenance.require_person(work, self.applications.sessions, actor, NEEDS_PERSON)
        account = self.applications.consents.ensure_account(work, actor.must_user_id, application)
        if account.revoked_at is not None:
            self.applications.consents.reopen(work, actor, account)
        audit.write(work, actor, "developer_token.renewed", f"application {application.id}")
        secret = new_secret("pat")
        values = {
            "digest": digest(secret),
            "sealed": self.applications.vault.encrypt(secret),
            "last_four": secret[-4:],
            "last_used": None,
            "last_address": "",
        }
        row = store.developer_token(work, account.id)
        if row is None:
            store.add_token(work, {"account_id": account.id, "is_developer": True, **values})
        else:
            store.replace_token(work, row.id, values)
            provenance.end_made_by_tokens(work, [row.id], f"account {account.id}")
        return secret

    def reveal(self, work: UnitOfWork, actor: Actor, application: Application) -> str | None:
        """The value of the token. Raises RecentAuthRequired; leaves an audit line."""
        self.applications.sessions.require_recent_auth(work, actor)
        account = self.applications.consents.account(work, actor.must_user_id, application)
        if account is None:
            return None
        audit.write(work, actor, "developer_token.shown", f"application {application.id}")
        row = store.developer_token(work, account.id)
        return self.applications.vault.decrypt(row.sealed) if row is not None and row.sealed else None

    def revoke(self, work: UnitOfWork, actor: Actor, application: Application) -> None:
        account = self.applications.consents.account(work, actor.must_user_id, application)
        if account is None:
            return
        row = store.developer_token(work, account.id)
        if row is not None:
            store.delete_token(work, row.id)
        audit.write(work, actor, "developer_token.revoked", f"application {application.id}")
