"""Secret addresses under which a feed reader gets what a person may read (contract 04 section 9).

Each holds a token of 64 letters and digits, kept as a digest: the address is shown once, when it is made. Making it
again ends the one before. One address opens one feed, or all feeds of the person, and each of them. What it opens is
what the person may read at that moment. Which event ends it: `accounts.credential_revocation`.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from vitrine.accounts import Accounts, Actor, UserId, Via
from vitrine.accounts.credential_revocation import Occurrence
from vitrine.applications import provenance
from vitrine.applications.tables import MADE_BY, accounts, applications
from vitrine.feeds.errors import NoSuchFeed
from vitrine.feeds.model import FeedId
from vitrine.feeds.service import Feeds
from vitrine.feeds.tables import feed_addresses
from vitrine.platform import audit
from vitrine.platform.crypto import digest, random_base62
from vitrine.platform.database import UnitOfWork
from vitrine.platform.schema import metadata

TOKEN_LENGTH = 64
SCOPE = "feeds"  # of `oauth.scopes`
_TOKEN = re.compile(r"[0-9A-Za-z]{64}")


@dataclass(frozen=True, slots=True)
class FeedAddresses:
    feeds: Feeds
    accounts: Accounts

    def renew(self, work: UnitOfWork, actor: Actor, feed_id: FeedId | None) -> str:
        """The token of a new address of the actor's, for one feed that they may read or for all (None). Made with an
        application's token, it ends with that token's maker (docs/decisions/0080). Raises NoSuchFeed or MayNotRead."""
        if feed_id is not None:
            self.feeds.readable(work, actor, feed_id)
        maker = provenance.maker_of(work, actor)
        token = random_base62(TOKEN_LENGTH)
        work.db.execute(feed_addresses.delete().where(_own(actor.must_user_id, feed_id)))
        row = {"user_id": actor.must_user_id, "feed_id": feed_id, "digest": digest(token), "created": work.now}
        work.db.execute(feed_addresses.insert().values(**row, **(maker.values() if maker else {})))
        audit.write(work, actor, "feed.address", f"user {actor.user_id}", {"feed": feed_id})
        return token

    def end(self, work: UnitOfWork, actor: Actor, feed_id: FeedId | None) -> bool:
        """End an address of the actor's; False if there is none."""
        ended = work.db.execute(feed_addresses.delete().where(_own(actor.must_user_id, feed_id))).rowcount > 0
        if ended:
            audit.write(work, actor, "feed.address_ended", f"user {actor.user_id}", {"feed": feed_id})
        return ended

    def reader(self, work: UnitOfWork, token: str, feed_id: FeedId | None) -> Actor:
        """The person whose address *token* belongs to, if it opens *feed_id*, or all feeds (None). Raises NoSuchFeed,
        the same for every reason."""
        columns = feed_addresses.c
        row = None
        if _TOKEN.fullmatch(token):
            known = sa.select(columns.user_id, columns.feed_id, columns[MADE_BY[0]], columns[MADE_BY[1]])
            row = work.db.execute(known.where(columns.digest == digest(token))).first()
        user = self.accounts.known(work, UserId(row.user_id)) if row is not None else None
        is_for_this = row is not None and row.feed_id in (None, feed_id)
        if (
            row is None
            or user is None
            or user.mail_locked
            or not is_for_this
            or not _maker_stands(work, row[2], row[3])
        ):
            raise NoSuchFeed("There is no feed at this address.")
        return self.accounts.actor_of(work, user, Via.TOKEN)


def _own(user_id: UserId, feed_id: FeedId | None) -> sa.ColumnElement[bool]:
    columns = feed_addresses.c
    same_feed = columns.feed_id.is_(None) if feed_id is None else columns.feed_id == feed_id
    return sa.and_(columns.user_id == user_id, same_feed)


def _maker_stands(work: UnitOfWork, account_id: int | None, token_id: int | None) -> bool:
    """False for an address made with a token whose maker is over or may no longer read feeds. One whose maker's row
    goes, or is ended, goes with it."""
    if token_id is not None:
        tokens = metadata.tables["access_tokens"].c
        token = work.db.execute(sa.select(tokens.scope, tokens.expires).where(tokens.id == token_id)).one()
        return (token.expires is None or token.expires > work.now) and _covers(token.scope)
    if account_id is None:
        return True
    row = work.db.execute(
        sa.select(accounts.c.granted_scope, accounts.c.revoked_at, applications.c.scope_limit)
        .join(applications, applications.c.id == accounts.c.application_id)
        .where(accounts.c.id == account_id)
    ).one()
    return row.revoked_at is None and _covers(row.granted_scope) and _covers(row.scope_limit)


def _covers(scope: Collection[str] | None) -> bool:
    return scope is None or SCOPE in scope


def end_addresses(work: UnitOfWork, occurrence: Occurrence) -> int:
    """Revoker of `Credential.FEED_ADDRESS`: those of a person."""
    if occurrence.user_id is None:
        return 0
    return work.db.execute(feed_addresses.delete().where(feed_addresses.c.user_id == occurrence.user_id)).rowcount
