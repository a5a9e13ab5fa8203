"""Named developer tokens, and ending all tokens of an application's users."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from vitrine.accounts import Actor
from vitrine.accounts.credential_revocation import Credential, Event
from vitrine.applications import Application, Applications, provenance
from vitrine.errors import Conflict, Forbidden, Invalid, NotFound
from vitrine.oauth import scopes, store
from vitrine.oauth.tables import access_tokens
from vitrine.platform import audit
from vitrine.platform.crypto import digest, new_secret
from vitrine.platform.database import UnitOfWork
from vitrine.platform.texts import fault_of_name

LIFETIMES_DAYS = {"7": 7, "30": 30, "90": 90, "365": 365}
MOST = 50


@dataclass(frozen=True, slots=True)
class NamedToken:
    """A developer token without its value; *scope* None means everything that the person may do."""

    id: int
    name: str
    last_four: str
    created: datetime
    expires: datetime | None
    last_used: datetime | None
    last_address: str
    scope: list[str] | None
    made_by_account_id: int | None = None
    made_by_token_id: int | None = None

    @property
    def is_made_with_token(self) -> bool:
        return self.made_by_account_id is not None or self.made_by_token_id is not None


_COLUMNS = [access_tokens.c[name] for name in NamedToken.__dataclass_fields__]


@dataclass(frozen=True, slots=True)
class PersonalTokens:
    """*application* was fetched by its owner (`Applications.get`, `Applications.for_token`)."""

    applications: Applications

    def all(self, work: UnitOfWork, actor: Actor, application: Application) -> list[NamedToken]:
        account = self.applications.consents.account(work, actor.must_user_id, application)
        if account is None:
            return []
        rows = work.db.execute(sa.select(*_COLUMNS).where(_named(account.id)).order_by(access_tokens.c.id.desc()))
        return [NamedToken(*row) for row in rows]

    def add(
        self,
        work: UnitOfWork,
        actor: Actor,
        application: Application,
        name: str,
        days: str,
        scope: frozenset[str] | None = None,
    ) -> str:
        """Add a token and return its value, which is not stored. *scope* None is everything that the person may do. If
        the call comes with a token, the new one has no scope that it lacks and expires no later. Raises Invalid,
        Conflict or Forbidden."""
        name = name.strip()
        if not 0 < len(name) <= 80:
            raise Invalid("Give the token a name of 1 to 80 characters.", field="token-name")
        if fault := fault_of_name(name):
            raise Invalid(fault, field="token-name")
        if days not in LIFETIMES_DAYS:
            raise Invalid("Choose when the token expires.", field="days")
        self._require_scope(actor, scope)
        account = self.applications.consents.ensure_owner_account(work, actor.must_user_id, application)
        known = self.all(work, actor, application)
        if len(known) >= MOST:
            raise Conflict("There are 50 tokens already. Revoke one first.", field="token-name")
        if any(token.name == name for token in known):
            raise Conflict("You have a token of this name already.", field="token-name")
        if account.revoked_at is not None:
            self.applications.consents.reopen(work, actor, account)
        secret = new_secret("pat")
        values = {
            "digest": digest(secret),
            "account_id": account.id,
            "name": name,
            "last_four": secret[-4:],
            "expires": work.now + timedelta(days=LIFETIMES_DAYS[days]),
            "scope": None if scope is None else sorted(scope),
        }
        store.add_developer_token(work, values, provenance.maker_of(work, actor))
        details = {"name": name, "scope": None if scope is None else scopes.written(scope)}
        audit.write(work, actor, "developer_token.added", f"application {application.id}", details)
        return secret

    @staticmethod
    def _require_scope(actor: Actor, scope: frozenset[str] | None) -> None:
        if scope is not None and not scope:
            raise Invalid("Tick at least one thing that the token may do.", field="scopes")
        if scope is not None and not scope <= scopes.EVERYTHING:
            raise Invalid("One of these scopes is not known here, or is only for signing in.", field="scopes")
        if actor.scope is not None and (scope is None or not scope <= actor.scope):
            raise Forbidden("A token cannot give another one more than it may itself. Name fewer scopes.")

    def for_one_call(self, work: UnitOfWork, actor: Actor, application: Application) -> str:
        """A token for one call of the console on the page. It expires after a minute; `forget_call` deletes it. Not
        available with a token."""
        provenance.require_person(work, self.applications.sessions, actor, "Sign in and use the console on the page.")
        account = self.applications.consents.ensure_owner_account(work, actor.must_user_id, application)
        secret = new_secret("pat")
        values = {"digest": digest(secret), "account_id": account.id, "last_four": secret[-4:]}
        store.add_token(work, {**values, "name": "", "is_developer": False, "expires": work.now + timedelta(minutes=1)})
        audit.write(work, actor, "developer_token.tried", f"application {application.id}")
        return secret

    def forget_call(self, work: UnitOfWork, _actor: Actor, secret: str) -> None:
        work.db.execute(access_tokens.delete().where(access_tokens.c.digest == digest(secret)))

    def revoke(self, work: UnitOfWork, actor: Actor, application: Application, token_id: int) -> None:
        account = self.applications.consents.account(work, actor.must_user_id, application)
        this = sa.and_(access_tokens.c.id == token_id, _named(account.id if account else 0))
        if work.db.execute(access_tokens.delete().where(this)).rowcount == 0:
            raise NotFound("There is no such token of yours.")
        audit.write(work, actor, "developer_token.revoked", f"application {application.id}", {"token": token_id})

    def revoke_users(self, work: UnitOfWork, actor: Actor, application: Application) -> int:
        """End all tokens and codes of the application's users; developer tokens of its owners stay. The consents stay
        too, so the application only has to send people through the authorize page again."""
        ended = self.applications.consents.end_credentials(work, Event.APPLICATION_TOKENS_ENDED, application.id)
        gone = ended[Credential.ACCESS_TOKEN]
        audit.write(work, actor, "application.tokens_revoked", f"application {application.id}", {"tokens": gone})
        return gone


def _named(account_id: int) -> Any:
    return sa.and_(
        access_tokens.c.account_id == account_id, access_tokens.c.name != "", sa.not_(access_tokens.c.is_developer)
    )
