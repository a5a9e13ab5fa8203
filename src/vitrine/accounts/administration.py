"""What an administrator does with another person's account: set password or address, suspend and close it, end its
credentials, revoke rights."""

from dataclasses import dataclass

from vitrine.accounts import giving, mfa_store, store
from vitrine.accounts.credential_revocation import DeveloperTokenLine, Event, Occurrence
from vitrine.accounts.events import AccountClosed
from vitrine.accounts.groups.service import forget_person
from vitrine.accounts.mail import AccountMail
from vitrine.accounts.model import Actor, User, UserId
from vitrine.accounts.registration import store as registration_store
from vitrine.accounts.service import Accounts, checked_email
from vitrine.errors import Conflict, Forbidden, NotFound
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork


@dataclass(frozen=True, slots=True)
class AccountAdministration:
    accounts: Accounts
    account_mail: AccountMail
    may_close_own: bool = False

    def give_password(
        self,
        actor: Actor,
        login: str,
        password: str,
        *,
        forget_second_step: bool = False,
        end_developer_tokens: bool = False,
    ) -> tuple[User, list[DeveloperTokenLine]]:
        """Set a person's password and end a lock after failed sign-ins. The table of
        `accounts.credential_revocation` says what else ends. Developer tokens stay, and are returned, unless
        *end_developer_tokens*. The second step stays unless *forget_second_step*, which removes authenticator, recovery
        codes and passkeys. The person is told by mail.

        Raises Forbidden, NotFound or WeakPassword. Opens its own transactions, since a hash must not hold the write
        lock; call it with none open."""
        if not actor.is_admin:
            raise Forbidden("Only administrators may set somebody's password.")
        database = self.accounts.database
        with database.read() as work:
            user_id = self.accounts.find(work, login).id
        hashed = self.accounts.passwords.hash(password)
        with database.write() as work:
            user = self.accounts.get(work, user_id)
            store.set_password_hash(work, user.id, hashed)
            self._end_credentials(work, Event.PASSWORD_GIVEN, user)
            for name in (user.login, user.email):
                store.clear_failures(work, name or user.login)
            if forget_second_step:
                self._forget_second_step(work, user)
            if end_developer_tokens:
                self._end_credentials(work, Event.DEVELOPER_TOKENS_ENDED, user)
            left = self.account_mail.send_password_notice(work, user)
            details = {"second_step_forgotten": forget_second_step, "developer_tokens_ended": end_developer_tokens}
            audit.write(work, actor, "password.given", f"user {user.id}", details)
        return user, left

    def _end_credentials(self, work: UnitOfWork, event: Event, user: User) -> None:
        self.accounts.revocation.end_credentials(work, Occurrence(event, user.id))

    def _forget_second_step(self, work: UnitOfWork, user: User) -> None:
        mfa_store.remove(work, user.id)
        self._end_credentials(work, Event.SECOND_FACTOR_REMOVED, user)
        mfa_store.set_codes(work, user.id, [])
        for number, *_ in mfa_store.passkeys(work, user.id):
            mfa_store.remove_passkey(work, user.id, number)
        self._end_credentials(work, Event.PASSKEY_REMOVED, user)

    def _account(self, work: UnitOfWork, actor: Actor, login: str) -> User:
        if not actor.is_admin:
            raise Forbidden("Only administrators may do this with somebody's account.")
        return self.accounts.find(work, login)

    def give_address(self, work: UnitOfWork, actor: Actor, login: str, address: str) -> User:
        """Set a person's e-mail address and notify the old one. Raises Forbidden, NotFound or Invalid."""
        user = self._account(work, actor, login)
        self.account_mail.set_address(work, actor, user, checked_email(address), Event.ADDRESS_GIVEN)
        return user

    def suspend(self, work: UnitOfWork, actor: Actor, login: str) -> User:
        """Refuse every access to this account until `resume`. Raises Forbidden, NotFound, or Conflict for the last
        administrator."""
        user = self._account(work, actor, login)
        self._require_another_administrator(work, user)
        store.update_user(work, user.id, {"mail_locked": True, "confirm_by": None})
        self._end_credentials(work, Event.PERSON_SUSPENDED, user)
        audit.write(work, actor, "user.suspended", f"user {user.id}")
        return user

    def resume(self, work: UnitOfWork, actor: Actor, login: str) -> User:
        """End a suspension. Credentials from before it work again unless they have expired."""
        user = self._account(work, actor, login)
        # It counts as use: otherwise an account that nobody used would be suspended again at once.
        used = {"last_active": work.now, "inactivity_warned": None}
        store.update_user(work, user.id, {"mail_locked": False, "confirm_by": None, **used})
        audit.write(work, actor, "user.resumed", f"user {user.id}")
        return user

    def close(self, work: UnitOfWork, actor: Actor, login: str) -> User:
        """Close an account for good; its applications stay, for their co-owners and administrators. Raises as
        `suspend` does."""
        user = self._account(work, actor, login)
        self._require_another_administrator(work, user)
        self._close(work, actor, user)
        return user

    def close_own(self, work: UnitOfWork, actor: Actor) -> bool:
        """Close the actor's own account, as `close` does. False if the server does not let people do so (setting
        `account_closing`), for guests, and for the last administrator."""
        user = self.accounts.get(work, actor.must_user_id)
        if not self.may_close_own or user.is_guest or (user.is_admin and not self._has_other_administrator(work, user)):
            return False
        self._close(work, actor, user)
        return True

    def _close(self, work: UnitOfWork, actor: Actor, user: User) -> None:
        self._end_credentials(work, Event.ACCOUNT_CLOSED, user)
        registration_store.forget(work, user.id)
        forget_person(work, user)
        store.update_user(work, user.id, {"deleted_at": work.now, "confirm_by": None})
        audit.write(work, actor, "user.closed", f"user {user.id}")
        work.emit(AccountClosed(user.id, actor.user_id))
        self.account_mail.send_last(work, "account-closed", user)

    def end_everything(self, work: UnitOfWork, actor: Actor, login: str) -> User:
        """Sign a person out everywhere and end everything that acts for them. Raises Forbidden or NotFound."""
        user = self._account(work, actor, login)
        self._end_credentials(work, Event.EVERYTHING_ENDED, user)
        audit.write(work, actor, "everything.ended", f"user {user.id}")
        return user

    @staticmethod
    def _require_another_administrator(work: UnitOfWork, user: User) -> None:
        if user.is_admin and not AccountAdministration._has_other_administrator(work, user):
            raise Conflict("This is the last administrator. Make another one first.")

    @staticmethod
    def _has_other_administrator(work: UnitOfWork, user: User) -> bool:
        return any(not other.mail_locked and other.id != user.id for other in store.administrators(work))

    def take_rights(self, work: UnitOfWork, actor: Actor, user_id: UserId, base_id: int, databox_id: int) -> None:
        """Revoke all rights on a collection, and with the last collection of a databox those on the databox (contract
        06 section 17.5). The actor must manage the users of the collection. Raises Forbidden, or NotFound if the person
        has no rights there."""
        managed = giving.managed(work, actor)
        giving.require_not_guest(actor, store.user(work, user_id))
        if managed is not None and base_id not in managed:
            raise Forbidden("You may only take back rights on collections whose users you manage.")
        held = {grant.base_id: grant for grant in store.own_grants(work, user_id, also_disabled=True)}
        if base_id not in held:
            raise NotFound("This person has no rights on this collection.", field="collection")
        giving.require_given(work, actor, held[base_id])
        store.remove_collection_rights(work, user_id, base_id)
        if not any(grant.databox_id == databox_id for other, grant in held.items() if other != base_id):
            store.remove_databox_rights(work, user_id, databox_id)
        audit.write(work, actor, "rights.taken", f"user {user_id}", {"base_id": base_id})
