"""What an administrator does for somebody's account: a new password or address, suspending and closing it, ending what
opens it, rights taken back."""

from dataclasses import dataclass

from vitrine.accounts import mfa_store, store
from vitrine.accounts.lifetimes import DeveloperTokenLine, Event, Happening
from vitrine.accounts.mail import AccountMail
from vitrine.accounts.model import Actor, User, UserId
from vitrine.accounts.rights import Right
from vitrine.accounts.service import Accounts, checked_email
from vitrine.errors import Conflict, Forbidden, NotFound
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork


@dataclass(frozen=True, slots=True)
class AccountAdministration:
    accounts: Accounts
    account_mail: AccountMail

    def give_password(
        self,
        actor: Actor,
        login: str,
        password: str,
        *,
        forget_second_step: bool = False,
        end_developer_tokens: bool = False,
    ) -> tuple[User, list[DeveloperTokenLine]]:
        """Set somebody's password; waiting after failed sign-ins ends too. What else ends is in the table of
        `accounts.lifetimes`. Developer tokens stay, and are returned, unless they are to end. A second step stays
        unless it is to be forgotten (authenticator, recovery codes and passkeys: all that only its owner had). The
        person is told by letter.

        Raises Forbidden, NotFound or WeakPassword. Opens its own transactions, since a hash must not hold the write
        lock; call it with none open."""
        if not actor.is_admin:
            raise Forbidden("Only administrators may set somebody's password.")
        database = self.accounts.database
        with database.read() as work:
            self.accounts.find(work, login)
        hashed = self.accounts.passwords.hash(password)
        with database.write() as work:
            user = self.accounts.find(work, login)
            store.set_password_hash(work, user.id, hashed)
            self._happened(work, Event.PASSWORD_GIVEN, user)
            for name in (user.login, user.email):
                store.clear_failures(work, name or user.login)
            if forget_second_step:
                self._forget_second_step(work, user)
            if end_developer_tokens:
                self._happened(work, Event.DEVELOPER_TOKENS_ENDED, user)
            left = self.account_mail.send_password_notice(work, user)
            details = {"second_step_forgotten": forget_second_step, "developer_tokens_ended": end_developer_tokens}
            audit.write(work, actor, "password.given", f"user {user.id}", details)
        return user, left

    def _happened(self, work: UnitOfWork, event: Event, user: User) -> None:
        self.accounts.lifetimes.happened(work, Happening(event, user.id))

    def _forget_second_step(self, work: UnitOfWork, user: User) -> None:
        mfa_store.remove(work, user.id)
        self._happened(work, Event.SECOND_FACTOR_REMOVED, user)
        mfa_store.set_codes(work, user.id, [])
        for number, *_ in mfa_store.passkeys(work, user.id):
            mfa_store.remove_passkey(work, user.id, number)
        self._happened(work, Event.PASSKEY_REMOVED, user)

    def _found(self, work: UnitOfWork, actor: Actor, login: str) -> User:
        if not actor.is_admin:
            raise Forbidden("Only administrators may do this with somebody's account.")
        return self.accounts.find(work, login)

    def give_address(self, work: UnitOfWork, actor: Actor, login: str, address: str) -> User:
        """Set somebody's e-mail address; the old one is told. Raises Forbidden, NotFound or Invalid."""
        user = self._found(work, actor, login)
        self.account_mail.set_address(work, actor, user, checked_email(address), Event.ADDRESS_GIVEN)
        return user

    def suspend(self, work: UnitOfWork, actor: Actor, login: str) -> User:
        """Nothing opens this account until `resume`. Raises Forbidden, NotFound, or Conflict for the last
        administrator."""
        user = self._found(work, actor, login)
        self._require_another_administrator(work, user)
        store.update_user(work, user.id, {"mail_locked": True})
        self._happened(work, Event.PERSON_SUSPENDED, user)
        audit.write(work, actor, "user.suspended", f"user {user.id}")
        return user

    def resume(self, work: UnitOfWork, actor: Actor, login: str) -> User:
        """What was there when the account was suspended works again, as far as its time is not over."""
        user = self._found(work, actor, login)
        store.update_user(work, user.id, {"mail_locked": False})
        audit.write(work, actor, "user.resumed", f"user {user.id}")
        return user

    def close(self, work: UnitOfWork, actor: Actor, login: str) -> User:
        """Close an account for good; its applications stay, for their co-owners and administrators. Raises as
        `suspend` does."""
        user = self._found(work, actor, login)
        self._require_another_administrator(work, user)
        self._happened(work, Event.ACCOUNT_CLOSED, user)
        store.update_user(work, user.id, {"deleted_at": work.now})
        audit.write(work, actor, "user.closed", f"user {user.id}")
        return user

    def end_everything(self, work: UnitOfWork, actor: Actor, login: str) -> User:
        """Sign somebody out everywhere and end all that acts for them. Raises Forbidden or NotFound."""
        user = self._found(work, actor, login)
        self._happened(work, Event.EVERYTHING_ENDED, user)
        audit.write(work, actor, "everything.ended", f"user {user.id}")
        return user

    @staticmethod
    def _require_another_administrator(work: UnitOfWork, user: User) -> None:
        others = [
            account
            for account in store.all_users(work)
            if account.is_admin and not account.mail_locked and account.id != user.id
        ]
        if user.is_admin and not others:
            raise Conflict("This is the last administrator. Make another one first.")

    def take_rights(self, work: UnitOfWork, actor: Actor, user_id: UserId, base_id: int, databox_id: int) -> None:
        """Take back all rights on a collection; with the last collection of a databox go the rights on the databox
        (contract 06 section 17.5). Who manages users there may. Raises Forbidden, or NotFound when there are none."""
        mine = actor.rights.collections.get(base_id)
        may = actor.is_admin or (mine is not None and mine.is_live(work.now) and Right.canadmin in mine.rights)
        if not may:
            raise Forbidden("You may only take back rights on collections whose users you manage.")
        held = store.rights_of(work, user_id).collections
        if base_id not in held:
            raise NotFound("This person has no rights on this collection.", field="collection")
        store.remove_collection_rights(work, user_id, base_id)
        if not any(grant.databox_id == databox_id for other, grant in held.items() if other != base_id):
            store.remove_databox_rights(work, user_id, databox_id)
        audit.write(work, actor, "rights.taken", f"user {user_id}", {"base_id": base_id})
