"""What an administrator does for somebody's account: a new password for who is locked out, rights taken back."""

from dataclasses import dataclass

from vitrine.accounts import second_store, store
from vitrine.accounts.model import Actor, User, UserId
from vitrine.accounts.rights import Right
from vitrine.accounts.service import Accounts
from vitrine.errors import Forbidden, NotFound
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork


@dataclass(frozen=True, slots=True)
class Helping:
    accounts: Accounts

    def give_password(self, actor: Actor, login: str, password: str, *, forget_second_step: bool = False) -> User:
        """Set somebody's password and end all their sign-ins; waiting after failed sign-ins ends too. A second step
        stays unless it is to be forgotten (authenticator, recovery codes and passkeys: all that only its owner had).

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
            store.delete_sessions(work, user.id)
            for name in (user.login, user.email):
                store.clear_failures(work, name or user.login)
            if forget_second_step:
                self._forget_second_step(work, user.id)
            audit.write(work, actor, "password.given", f"user {user.id}", {"second_step_forgotten": forget_second_step})
        return user

    @staticmethod
    def _forget_second_step(work: UnitOfWork, user_id: UserId) -> None:
        second_store.remove(work, user_id)
        second_store.set_codes(work, user_id, [])
        for number, *_ in second_store.passkeys(work, user_id):
            second_store.remove_passkey(work, user_id, number)

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
        if not any(one.databox_id == databox_id for other, one in held.items() if other != base_id):
            store.remove_databox_rights(work, user_id, databox_id)
        audit.write(work, actor, "rights.taken", f"user {user_id}", {"base_id": base_id})
