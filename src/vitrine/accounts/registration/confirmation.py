"""Unlocking new accounts, by a link that was mailed or a token that was handed out."""

from collections.abc import Sequence

from vitrine.accounts import links, store
from vitrine.accounts.errors import LinkUsed
from vitrine.accounts.model import User, UserId
from vitrine.accounts.registration.service import Registration
from vitrine.accounts.revokers import CONFIRM, UNLOCK
from vitrine.platform import audit
from vitrine.platform.crypto import digest
from vitrine.platform.database import UnitOfWork


def unlock(work: UnitOfWork, registration: Registration, secret: str, purposes: Sequence[str]) -> User:
    """Unlock the new account behind a token of one of *purposes*. A token that was not mailed proves nothing of the
    address, so that no rule by address counts. Raises LinkUsed."""
    user, purpose = owner_of(work, secret, purposes)
    if not store.confirm(work, user.id):
        raise _used()
    for each in (UNLOCK, CONFIRM):
        links.forget_all(work, user.id, each)
    audit.write(work, None, "user.confirmed", f"user {user.id}", {"by": purpose})
    registration.confirmed(work, user, is_proven=purpose == CONFIRM)
    return user


def owner_of(work: UnitOfWork, secret: str, purposes: Sequence[str]) -> tuple[User, str]:
    """The account behind a token, which is not used up, and the token's purpose. Raises LinkUsed."""
    for purpose in purposes:
        link = links.by_digest(work, digest(secret), purpose)
        user = store.user(work, UserId(link.user_id)) if link is not None else None
        if link is not None and user is not None and links.is_for_address(link, user.email):
            return user, purpose
    raise _used()


def _used() -> LinkUsed:
    return LinkUsed("This token was used already, or it is too old.", field="token")
