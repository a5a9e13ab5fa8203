"""Work that goes on in the name of a person after their request: who they are at the time it is done.

A row keeps whose work it is. Rights are read again for each step, so that a job never does what its person may no
longer do. What was begun with a token ends with the consent or the developer token behind it: the row goes, and nothing
more is done (docs/decisions/0080, 0146).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from vitrine.accounts import COMMAND, Accounts, Actor, UserId, Via
from vitrine.accounts.tables import users
from vitrine.applications import provenance
from vitrine.applications.tables import accounts, applications
from vitrine.errors import NotFound
from vitrine.oauth.tables import access_tokens, delegations
from vitrine.platform.database import UnitOfWork, inserted_id
from vitrine.platform.expiry import Expiry

KEPT = timedelta(days=14)  # longer than any job tries
EXPIRIES = (
    Expiry(delegations, lambda work: sa.and_(delegations.c.created < work.now - KEPT, ~delegations.c.is_lasting)),
)


class AuthorityEnded(NotFound):
    """The account, the consent or the token behind the work is gone: nothing more is done in its name."""

    code = "authority_ended"


@dataclass(frozen=True, slots=True)
class Delegations:
    people: Accounts

    def add(self, work: UnitOfWork, actor: Actor, *, lasting: bool = False) -> int:
        """Keep whose work begins here; returns the number for `actor`. *lasting* is for work without an end, whose
        owner ends it with `end`. Raises PersonNeeded where the maker of the token cannot be told."""
        maker = provenance.maker_of(work, actor)
        values = {
            "user_id": actor.user_id,
            "is_command": actor.via is Via.COMMAND,
            "account_id": actor.account_id,
            "scope": None if actor.scope is None else sorted(actor.scope),
            "created": work.now,
            "is_lasting": lasting,
            **(maker.values() if maker else {}),
        }
        return inserted_id(work.db.execute(delegations.insert().values(**values)))

    def actor(self, work: UnitOfWork, number: int, needs: Collection[str] = ()) -> Actor:
        """The person with the rights of this moment. Raises AuthorityEnded, also where a token has lost one of the
        scopes *needs*."""
        row = work.db.execute(sa.select(delegations).where(delegations.c.id == number)).first()
        if row is not None and row.is_command:
            return COMMAND
        if row is None or row.user_id is None or not self._stands(work, row.user_id, row.account_id):
            raise AuthorityEnded("The person or the permission behind this work is gone.", why=f"delegation {number}")
        user = self.people.get(work, UserId(row.user_id))
        if row.account_id is None:
            return self.people.actor_of(work, user, Via.SESSION)
        scope = row.scope
        for limit in self._limits(work, row.made_by_account_id, row.made_by_token_id):
            scope = _narrowed(scope, limit)
        if scope is not None and not set(needs) <= set(scope):
            raise AuthorityEnded("The token behind this work lost a scope that it needs.", why=f"delegation {number}")
        return self.people.actor_of(
            work,
            user,
            Via.TOKEN,
            application_id=work.db.scalar(sa.select(accounts.c.application_id).where(accounts.c.id == row.account_id)),
            account_id=row.account_id,
            scope=None if scope is None else frozenset(scope),
        )

    @staticmethod
    def end(work: UnitOfWork, number: int) -> None:
        """Nothing more is done in its name."""
        work.db.execute(delegations.delete().where(delegations.c.id == number))

    @staticmethod
    def _limits(work: UnitOfWork, account_id: int | None, token_id: int | None) -> Iterable[Collection[str] | None]:
        """What the maker of the work may do now; None is everything. Raises AuthorityEnded for a token that is over."""
        if token_id is not None:
            columns = access_tokens.c
            token = work.db.execute(sa.select(columns.scope, columns.expires).where(columns.id == token_id)).one()
            if token.expires is not None and token.expires <= work.now:
                raise AuthorityEnded("The token behind this work is over.", why=f"token {token_id}")
            return (token.scope,)
        if account_id is None:
            return ()
        consent = sa.select(accounts.c.granted_scope, applications.c.scope_limit).join(
            applications, applications.c.id == accounts.c.application_id
        )
        return tuple(work.db.execute(consent.where(accounts.c.id == account_id)).one())

    @staticmethod
    def _stands(work: UnitOfWork, user_id: int, account_id: int | None) -> bool:
        is_open = sa.and_(users.c.id == user_id, users.c.deleted_at.is_(None), ~users.c.mail_locked)
        person = sa.select(users.c.id).where(is_open)
        if account_id is not None:
            person = (
                person.join(accounts, accounts.c.user_id == users.c.id)
                .join(applications, applications.c.id == accounts.c.application_id)
                .where(
                    accounts.c.id == account_id,
                    accounts.c.revoked_at.is_(None),
                    applications.c.activated,
                    applications.c.deleted_at.is_(None),
                )
            )
        return work.db.scalar(person) is not None


def _narrowed(scope: Collection[str] | None, limit: Collection[str] | None) -> Collection[str] | None:
    """What both allow; None is everything."""
    if scope is None or limit is None:
        return limit if scope is None else scope
    return frozenset(scope) & frozenset(limit)
