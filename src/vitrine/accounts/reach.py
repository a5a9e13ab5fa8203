"""How far a person who manages users reaches: which accounts they may know of, and which they may take over by setting
a password (contract 02 section 6.11 D). Nothing else decides this."""

from collections.abc import Collection
from dataclasses import replace

import sqlalchemy as sa

from vitrine.accounts import giving, store
from vitrine.accounts.groups import store as groups_store
from vitrine.accounts.model import Actor, User, UserId
from vitrine.accounts.rights import CollectionGrant, DataboxRight, Right, Rights
from vitrine.accounts.tables import record_grants
from vitrine.platform.database import UnitOfWork
from vitrine.platform.schema import metadata


def with_rights(actor: Actor, user: User, rights: Rights) -> Actor:
    """*actor* as the account is now."""
    return replace(actor, is_admin=user.is_admin, rights=rights)


def may_know(work: UnitOfWork, actor: Actor, user: User) -> bool:
    """The account has rights of its own on a collection whose users the actor manages, or is in a group whose members
    the actor sees: a right that they gave a group shows them nobody."""
    managed = giving.managed(work, actor)
    if managed is None:
        return True
    own = store.own_grants(work, user.id, also_disabled=True) if managed else []
    return any(grant.base_id in managed for grant in own) or (
        bool(managed) and groups_store.is_in_group_within(work, user.id, managed)
    )


def known_among(work: UnitOfWork, actor: Actor, user_ids: Collection[UserId]) -> set[UserId]:
    """`may_know` for a list of accounts: those that the actor may know of. Two statements at most."""
    managed = giving.managed(work, actor)
    if managed is None or not managed:
        return set(user_ids) if managed is None else set()
    known = store.with_rights_on(work, user_ids, managed)
    return known | groups_store.members_within(work, user_ids, managed)


def may_take_over(work: UnitOfWork, actor: Actor, user: User) -> bool:
    """Acting as the account gives the actor nothing: it is neither the actor's own nor an administrator's, the actor
    manages the users of every collection that it has, and has as much there, whatever is suspended or begins later; it
    owns no application, publishes in no feed, and holds no grant on a record that the actor may not have."""
    if user.is_admin or user.is_guest or user.id == actor.user_id:
        return False
    if actor.administers:
        return True
    held = store.held_rights(work, user.id, also_disabled=True)
    # Each grant by itself: one that begins tomorrow, or is suspended, is theirs too.
    theirs = [grant for grants in held.grants.values() for grant in grants if not _is_over(grant, work)]
    return (
        bool(held.grants)
        and all(_reaches(actor, grant, work) for grant in theirs)
        and all(rights & ~_on_databox(actor, box) == 0 for box, rights in held.databoxes.items())
        and not _owns_something(work, user)
        and not (held.has_grants and _is_granted_more(work, actor, user))
    )


def _is_over(grant: CollectionGrant, work: UnitOfWork) -> bool:
    return grant.valid_until is not None and grant.valid_until < work.now


def _reaches(actor: Actor, theirs: CollectionGrant, work: UnitOfWork) -> bool:
    own = actor.rights.collections.get(theirs.base_id)
    return own is not None and own.is_live(work.now) and Right.canadmin in own.rights and own.covers(theirs)


def _on_databox(actor: Actor, databox_id: int) -> DataboxRight:
    return actor.rights.databoxes.get(databox_id, DataboxRight(0))


def _owns_something(work: UnitOfWork, user: User) -> bool:
    """An application, or a place among the publishers of a feed, its owner's too."""
    applications, owners = metadata.tables["applications"].c, metadata.tables["application_owners"].c
    publishers = metadata.tables["feed_publishers"].c
    created = sa.select(applications.id).where(applications.creator_id == user.id).limit(1)
    shared = sa.select(owners.application_id).where(owners.user_id == user.id).limit(1)
    publishes = sa.select(publishers.feed_id).where(publishers.user_id == user.id).limit(1)
    return any(work.db.execute(statement).first() is not None for statement in (created, shared, publishes))


def _is_granted_more(work: UnitOfWork, actor: Actor, user: User) -> bool:
    """True if the account holds a grant on a record of a collection where the actor does not have everything."""
    whole = Right.candwnldhd | Right.candwnldpreview | Right.nowatermark
    bases = [
        grant.base_id
        for grant in actor.rights.live(work.now)
        if whole in grant.rights and any(not mask_and for mask_and, _ in grant.alternatives())
    ]
    records = metadata.tables["records"].c
    is_live = sa.or_(record_grants.c.expires.is_(None), record_grants.c.expires > work.now)
    elsewhere = (
        sa.select(record_grants.c.id)
        .join(metadata.tables["records"], records.id == record_grants.c.record_id)
        .where(record_grants.c.user_id == user.id, is_live, records.collection_id.not_in(bases))
        .limit(1)
    )
    return work.db.execute(elsewhere).first() is not None
