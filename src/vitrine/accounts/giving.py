"""Who may give which rights on a collection: those who manage its users, and never more than they have there
themselves, masks, ends and limits of downloads included (contract 06 section 17.5)."""

from vitrine.accounts.model import Actor, User
from vitrine.accounts.rights import CollectionGrant, Right
from vitrine.errors import Forbidden
from vitrine.platform.database import UnitOfWork

NOT_YOURS = "You may only give rights on collections whose users you manage."
TOO_MUCH = "You may only give rights that you have yourself on this collection."


def gives_everything(actor: Actor) -> bool:
    """Administrators do, and the command line."""
    return actor.administers


def require_not_guest(actor: Actor, user: User | None) -> None:
    """What the guest may do, everybody may without an account. Raises Forbidden for managers of users."""
    if user is not None and user.is_guest and not gives_everything(actor):
        raise Forbidden("Only administrators decide about the guest.")


def managed(work: UnitOfWork, actor: Actor) -> frozenset[int] | None:
    """The collections whose users the actor manages; None: all."""
    return None if gives_everything(actor) else actor.rights.bases_with(Right.canadmin, work.now)


def own_grant(work: UnitOfWork, actor: Actor, base_id: int) -> CollectionGrant:
    """What the actor, who is no administrator, has on a collection whose users they manage. Raises Forbidden."""
    own = actor.rights.collections.get(base_id)
    if own is None or not own.is_live(work.now) or Right.canadmin not in own.rights:
        raise Forbidden(NOT_YOURS)
    return own


def require_given(work: UnitOfWork, actor: Actor, grant: CollectionGrant) -> None:
    """Raises Forbidden unless the actor may give *grant* as it is."""
    if not gives_everything(actor) and not own_grant(work, actor, grant.base_id).covers(grant):
        raise Forbidden(TOO_MUCH)


def within_own(work: UnitOfWork, actor: Actor, wanted: CollectionGrant) -> CollectionGrant:
    """*wanted* with the actor's own mask, end and limit of downloads on the collection. Raises Forbidden for rights
    that the actor does not have there."""
    if gives_everything(actor):
        return wanted
    own = own_grant(work, actor, wanted.base_id)
    given = own.tightened(wanted)
    if not own.covers(given):
        raise Forbidden(TOO_MUCH)
    return given
