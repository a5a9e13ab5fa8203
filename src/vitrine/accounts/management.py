"""What people who manage users may do to an account: tokens to set its password or unlock it, and new accounts
(contract 02 section 6.11).

A manager of users, without being an administrator, reaches only accounts that can do no more than they can themselves:
whoever sets the password of an account can act as it. The right is asked when a token is made and again when it is
used, since both accounts may have changed in between.

A password opens sessions without scopes, which no consent ends. So a token with scopes gives nobody a password
(docs/decisions/0137): `invite` sends a link to the person, who chooses it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vitrine.accounts import giving, links, reach, store
from vitrine.accounts.credential_revocation import Event, Occurrence
from vitrine.accounts.errors import LinkUsed, MayNotManage, TooManyMails
from vitrine.accounts.mail import BY_ADDRESS, TOO_MANY, AccountMail
from vitrine.accounts.model import Actor, User, UserId
from vitrine.accounts.registration.confirmation import unlock
from vitrine.accounts.registration.service import Registration
from vitrine.accounts.revokers import CONFIRM, RESET, UNLOCK
from vitrine.accounts.rights import CollectionGrant, DataboxRight, Right
from vitrine.accounts.service import Accounts, checked_email
from vitrine.errors import NotFound
from vitrine.platform import audit
from vitrine.platform.crypto import digest
from vitrine.platform.database import UnitOfWork

INVITATIONS = 200  # an hour, of one manager


@dataclass(frozen=True, slots=True)
class UserManagement:
    accounts: Accounts
    mail: AccountMail
    registration: Registration

    @staticmethod
    def require_manager(work: UnitOfWork, actor: Actor) -> None:
        """Raises MayNotManage unless the actor manages the users of some collection."""
        if not (actor.administers or actor.rights.bases_with(Right.canadmin, work.now)):
            raise MayNotManage("You do not manage the users of any collection.")

    def require_password_giver(self, work: UnitOfWork, actor: Actor) -> None:
        """Raises MayNotManage unless the actor manages users and may give an account a password, which a token with
        scopes does for an administrator alone."""
        self.require_manager(work, actor)
        if not (actor.scope is None or actor.administers):
            raise MayNotManage(
                "A token with scopes gives nobody a password. Make accounts with POST /api/v4/users: people choose it."
            )

    def managed(self, work: UnitOfWork, actor: Actor, name: str) -> User:
        """The account with this login or e-mail address, if the actor may take it over. Raises NotFound for one that
        the actor may not know of, and MayNotManage for one that can do more than they."""
        self.require_manager(work, actor)
        user = store.user_by_login(work, name)
        if user is None or not reach.may_know(work, actor, user):
            raise NotFound("There is no such account among those that you manage.", field="email")
        self._require_reach(work, actor, user)
        return user

    @staticmethod
    def _require_reach(work: UnitOfWork, actor: Actor, user: User) -> None:
        if not reach.may_take_over(work, actor, user):
            raise MayNotManage("This account has rights that you do not have.", why=f"user {user.id}")

    def known(self, work: UnitOfWork, actor: Actor, user_id: int) -> User:
        """The account, if the actor may know of it. Raises NotFound."""
        user = store.user(work, UserId(user_id))
        if user is None or not (actor.user_id == user.id or reach.may_know(work, actor, user)):
            raise NotFound("There is no such account among those that you manage.")
        return user

    def page(self, work: UnitOfWork, actor: Actor, base_id: int | None, after: int, limit: int) -> list[User]:
        """People with rights of their own on a collection whose users the actor manages, in the order of their numbers;
        for administrators without *base_id* everybody. Raises MayNotManage."""
        managed = giving.managed(work, actor)
        if managed is not None and (base_id is None or base_id not in managed):
            raise MayNotManage("Name a collection whose users you manage.", field="base_id")
        return store.users_after(work, after, limit) if base_id is None else store.users_of(work, base_id, after, limit)

    def rights(
        self, work: UnitOfWork, actor: Actor, user: User
    ) -> tuple[list[CollectionGrant], list[CollectionGrant], dict[int, DataboxRight]]:
        """A person's own grants, what they come to with groups, and rights on databoxes, as far as the actor manages
        users. The caller asked `known`."""
        managed = None if actor.user_id == user.id else giving.managed(work, actor)
        held = store.held_rights(work, user.id)
        together = held.at(work.now).collections
        own = [grant for grant in held.own.values() if managed is None or grant.base_id in managed]
        effective = [together[base] for base in sorted(together) if managed is None or base in managed]
        boxes = {grant.databox_id for grant in effective}
        return (
            own,
            effective,
            {box: rights for box, rights in held.databoxes.items() if managed is None or box in boxes},
        )

    # -- passwords -----------------------------------------------------------------------------------------------

    def reset_token(self, work: UnitOfWork, actor: Actor, name: str) -> str:
        """A token for `set_password`, which replaces an older one. No mail is sent. Raises as `managed` does."""
        self.require_password_giver(work, actor)
        user = self.managed(work, actor, name)
        audit.write(work, actor, "password.token", f"user {user.id}")
        return self._token(work, user, RESET)

    def _token(self, work: UnitOfWork, user: User, purpose: str) -> str:
        links.forget_all(work, user.id, purpose)
        return self.mail.link(work, user, purpose)

    def set_password(self, actor: Actor, secret: str, password: str) -> User:
        """Set a password by a token of `reset_token`, once; the owner is told by mail. Raises LinkUsed for a token that
        works no more, MayNotManage, or WeakPassword.

        Opens its own transactions, since a hash must not hold the write lock; call it with none open."""
        database = self.accounts.database
        with database.read() as work:
            self.token_owner(work, actor, secret)
        hashed = self.accounts.passwords.hash(password)
        with database.write() as work:
            user, link = self.token_owner(work, actor, secret)
            links.use(work, link)
            store.set_password_hash(work, user.id, hashed)
            self.accounts.revocation.end_credentials(work, Occurrence(Event.PASSWORD_GIVEN, user.id))
            for name in (user.login, user.email):
                store.clear_failures(work, name or user.login)
            self.mail.send_password_notice(work, user)
            audit.write(work, actor, "password.given", f"user {user.id}", {"by": "token"})
        return user

    def token_owner(self, work: UnitOfWork, actor: Actor, secret: str) -> tuple[User, links.Link]:
        """The account whose password a token sets. Raises LinkUsed or MayNotManage."""
        link = links.by_digest(work, digest(secret), RESET)
        user = store.user(work, UserId(link.user_id)) if link is not None else None
        if link is None or user is None or user.mail_locked or not links.is_for_address(link, user.email):
            raise LinkUsed("This token was used already, or it is too old.", field="token")
        # Rights as they are now: the actor of a request may have been read before the password was hashed.
        giver = self.current(work, actor)
        self.require_password_giver(work, giver)
        self._require_reach(work, giver, user)
        return user, link

    def current(self, work: UnitOfWork, actor: Actor) -> Actor:
        """The actor with the rights of this moment. Raises MayNotManage if their account is closed or locked."""
        if actor.user_id is None:
            return actor  # the command line
        user = store.user(work, actor.user_id)
        if user is None or user.mail_locked:
            raise MayNotManage("You do not manage the users of any collection.")
        return reach.with_rights(actor, user, self.accounts.rights(work, user.id, user.rights_version))

    # -- new accounts --------------------------------------------------------------------------------------------

    def add_account(
        self,
        work: UnitOfWork,
        actor: Actor,
        *,
        login: str,
        email: str,
        password_hash: str,
        collections: Sequence[int] | None,
        profile: dict[str, Any],
    ) -> tuple[User, str]:
        """A new account without rights, locked until `unlock`, which asks for access to *collections* (None: to every
        open one). Returns it with the token that unlocks it. Raises MayNotManage, Invalid or LoginTaken."""
        self.require_password_giver(work, actor)
        user = self.accounts.add_unconfirmed(
            work, login=login, email=checked_email(email), password_hash=password_hash, **profile
        )
        self.registration.request(work, user, collections)
        audit.write(work, actor, "user.requested", f"user {user.id}")
        return user, self._token(work, user, UNLOCK)

    def invite(
        self, work: UnitOfWork, actor: Actor, *, login: str, email: str, profile: dict[str, Any], language: str
    ) -> User:
        """A new account without rights and without a password. The link that is mailed to its owner unlocks it, and
        leads to the page where they choose one. Raises MayNotManage, Invalid, LoginTaken or TooManyMails."""
        self.require_manager(work, actor)
        rates, address = self.mail.rates, checked_email(email)
        if not (
            rates.take("invitations", str(actor.user_id), INVITATIONS)
            and rates.take("invitation", store.fold(address), BY_ADDRESS)
        ):
            raise TooManyMails(TOO_MANY, retry_after_s=3600)
        user = self.accounts.add_unconfirmed(work, login=login, email=address, password_hash=None, **profile)
        audit.write(work, actor, "user.requested", f"user {user.id}")
        self.mail.send_confirmation(work, user, language)
        return user

    def unlock(self, work: UnitOfWork, actor: Actor, secret: str) -> User:
        """Unlock a new account by the token of `add_account`, or by the link that was mailed to its owner; once.
        Raises MayNotManage or LinkUsed."""
        self.require_password_giver(work, actor)
        return unlock(work, self.registration, secret, (UNLOCK, CONFIRM))
