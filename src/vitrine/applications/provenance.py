"""The maker of what was made with a token, and how that ends (docs/decisions/0080).

A token stands for the consent that a person gave to an application, or it is a developer token. What is made with it (a
developer token, a client secret, a redirect address) stores that maker and ends with it. When the row of a developer
token is deleted, the database deletes by cascade what was made with it. The row of a consent stays, so the end of a
consent is an event of `accounts.credential_revocation`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from vitrine.accounts import Actor
from vitrine.accounts.model import Via
from vitrine.accounts.sessions import Sessions
from vitrine.applications.errors import PersonNeeded
from vitrine.applications.tables import accounts
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork
from vitrine.platform.schema import metadata

TABLES = ("access_tokens", "application_secrets", "redirect_addresses", "feed_addresses", "delegations")


@dataclass(frozen=True, slots=True)
class Maker:
    """The consent or the developer token behind a call: exactly one of the two ids is set. What it makes must end by
    *expires*."""

    account_id: int | None
    token_id: int | None
    expires: datetime | None = None

    def values(self) -> dict[str, int | None]:
        """The values of the maker columns in what it makes."""
        return {"made_by_account_id": self.account_id, "made_by_token_id": self.token_id}

    def within(self, expires: datetime | None) -> datetime | None:
        """*expires*, or the end of the maker if that is earlier."""
        ends = [end for end in (expires, self.expires) if end is not None]
        return min(ends, default=None)


def maker_of(work: UnitOfWork, actor: Actor) -> Maker | None:
    """The maker behind a call with a token; None for a page and for the command line."""
    if actor.via is not Via.TOKEN:
        return None
    tokens = metadata.tables["access_tokens"].c
    row = work.db.execute(
        sa.select(tokens.is_developer, tokens.name, tokens.expires).where(tokens.id == actor.token_id)
    ).first()
    if row is None or actor.account_id is None:
        raise PersonNeeded("Sign in and do this on the page: what stands behind this call cannot be told.")
    if row.is_developer or row.name:
        return Maker(None, actor.token_id, row.expires)
    # The maker is the consent, since access tokens come and go. The lock orders this against a withdrawal at the same
    # moment: either the withdrawal waits and then ends what is made here, or this waits and finds the consent ended.
    stands = sa.select(accounts.c.id).where(accounts.c.id == actor.account_id, accounts.c.revoked_at.is_(None))
    if work.db.execute(stands.with_for_update(read=True)).first() is None:
        raise PersonNeeded("Sign in and do this on the page: the permission of this application was withdrawn.")
    return Maker(actor.account_id, None)


def require_person(work: UnitOfWork, sessions: Sessions, actor: Actor, refusal: str) -> None:
    """Require recent authentication in a browser. A token cannot give it: raises PersonNeeded with *refusal*, which
    names the remedy. The command line may always, since it can read the server key."""
    if actor.via is Via.TOKEN:
        raise PersonNeeded(refusal)
    if actor.via is Via.SESSION:
        sessions.require_recent_auth(work, actor)


def end_made_by_tokens(work: UnitOfWork, token_ids: Any, thing: str) -> None:
    """End what was made with developer tokens whose rows stay. *thing* is what ended, for the audit."""
    _end(work, "made_by_token_id", token_ids, thing)


def end_made_by_accounts(work: UnitOfWork, account_ids: Any, thing: str) -> int:
    """End what was made with any token of these accounts, a select of their ids. Returns how many things ended."""
    tokens = metadata.tables["access_tokens"].c
    their_tokens = sa.select(tokens.id).where(tokens.account_id.in_(account_ids))
    return _end(work, "made_by_account_id", account_ids, thing) + _end(work, "made_by_token_id", their_tokens, thing)


def _end(work: UnitOfWork, maker: str, ids: Any, thing: str) -> int:
    gone = {}
    for name in TABLES:
        table = metadata.tables[name]
        many = work.db.execute(table.delete().where(table.c[maker].in_(ids))).rowcount
        if many:
            gone[name] = many
    if gone:
        audit.write(work, None, "made_with_token.ended", thing, gone)
    return sum(gone.values())
