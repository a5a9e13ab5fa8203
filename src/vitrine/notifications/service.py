"""Telling people, in the application and by mail, and what they chose to be mailed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from vitrine.accounts import Accounts, Actor, UserId
from vitrine.accounts.events import AccountClosed
from vitrine.accounts.mail import AccountMail
from vitrine.accounts.registration.events import RegistrationGranted, RegistrationRejected, RegistrationRequested
from vitrine.errors import Invalid
from vitrine.notifications import sight, store
from vitrine.notifications.events import TOLD, Told
from vitrine.notifications.model import MAILED_ELSEWHERE, NotificationKind, NotificationPage
from vitrine.platform.database import Database, UnitOfWork

PAGE = 100
MOST_TOLD = 100  # managers of a collection that are told of a request
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Notifications:
    accounts: Accounts
    mail: AccountMail

    def notify(
        self,
        work: UnitOfWork,
        kind: NotificationKind,
        people: Iterable[UserId],
        payload: Mapping[str, int],
        *,
        mailed: set[UserId] | None = None,
        is_mailed: bool = True,
        values: Mapping[str, str] | None = None,
    ) -> int:
        """Tell these people, each once, in the transaction of what happened; returns how many. *payload* has numbers of
        what it is about and nothing that must not be seen later. Closed and locked accounts are told nothing. *mailed*
        are those who had the mail of this event already, and is added to; *values* are texts of the mail."""
        wanted, told = sorted(set(people)), 0
        for start in range(0, len(wanted), _CHUNK):
            users = self.accounts.known_by_id(work, wanted[start : start + _CHUNK])
            wanting = self.accounts.wanting_mail(work, users, kind.value)  # closed accounts are not in it
            open_accounts = [user for user in users.values() if not user.mail_locked and not user.is_guest]
            store.add(work, open_accounts, kind.value, payload)
            told += len(open_accounts)
            for user in open_accounts:
                if mailed is not None:
                    if user.id in mailed:
                        continue
                    mailed.add(user.id)
                if is_mailed and user.id in wanting and kind not in MAILED_ELSEWHERE:
                    self.mail.send_notice(work, kind.value, user, values or {})
        return told

    # -- reading -------------------------------------------------------------------------------------------------

    def page(self, work: UnitOfWork, actor: Actor, before: int | None = None, limit: int = PAGE) -> NotificationPage:
        """The actor's own of which they may still know, the newest first, older than the number *before*."""
        rows = store.page(work, actor.must_user_id, before, limit + 1)
        listed = rows[:limit]
        return NotificationPage(sight.known(work, actor, listed), listed[-1].id if len(rows) > limit else None)

    def unread(self, work: UnitOfWork, actor: Actor) -> int:
        """How many are unread of which the actor may still know, counted up to `store.MOST_UNREAD` among the newest
        `store.LOOKED_AT`."""
        rows = store.newest_unread(work, actor.must_user_id)
        return min(len(sight.known(work, actor, rows)), store.MOST_UNREAD)

    def mark_read(self, work: UnitOfWork, actor: Actor, up_to: int) -> int:
        """Mark as read what is not newer than the number *up_to*, so that nothing is that came since."""
        return store.mark_read(work, actor.must_user_id, up_to)

    # -- mails ---------------------------------------------------------------------------------------------------

    def mails(self, work: UnitOfWork, actor: Actor) -> dict[str, bool]:
        """Whether the actor gets mails: by kind, and `all` together."""
        muted = self.accounts.mails_off(work, actor.must_user_id)
        everything = self.accounts.wants_any_mail(work, actor.must_user_id)
        return {"all": everything, **{kind.value: kind.value not in muted for kind in NotificationKind}}

    def set_mails(self, work: UnitOfWork, actor: Actor, choices: Mapping[str, bool]) -> None:
        """Change some of `mails`. Raises Invalid for an unknown kind."""
        unknown = sorted(set(choices) - {"all", *(kind.value for kind in NotificationKind)})
        if unknown:
            raise Invalid(f"There is no kind of notification called {unknown[0][:80]}.", field=unknown[0][:80])
        muted = {name for name, wanted in self.mails(work, actor).items() if not wanted and name != "all"}
        chosen = {name: wanted for name, wanted in choices.items() if name != "all"}
        muted = (muted | {name for name, wanted in chosen.items() if not wanted}) - {
            name for name, wanted in chosen.items() if wanted
        }
        self.accounts.set_mails_off(work, actor, sorted(muted))
        if "all" in choices:
            self.accounts.set_wants_mail(work, actor, choices["all"])

    # -- listening -----------------------------------------------------------------------------------------------

    def listen(self, database: Database) -> None:
        """Tell people of what happens."""
        for event, row in TOLD.items():
            database.listen(event, partial(self._tell, row))
        database.listen(RegistrationRequested, self._requested)
        database.listen(RegistrationGranted, self._granted)
        database.listen(RegistrationRejected, self._rejected)
        database.listen(AccountClosed, lambda work, event: store.forget(work, event.user_id))

    def _tell(self, row: Told, work: UnitOfWork, event: Any) -> None:
        person = row.person(event)
        if person is not None:
            about = {name: number for name, number in row.about(event).items() if number is not None}
            self.notify(work, row.kind, [person], about)

    def _requested(self, work: UnitOfWork, event: RegistrationRequested) -> None:
        self._tell_managers(work, NotificationKind.REGISTRATION_REQUESTED, event.base_ids, event.user_id)

    def _tell_managers(
        self, work: UnitOfWork, kind: NotificationKind, base_ids: Iterable[int], user_id: UserId
    ) -> None:
        """One notification for each collection, and one mail for all: the sentence names none, and anybody can ask for
        every open collection."""
        mailed: set[UserId] = set()
        for base in base_ids:
            people = self.accounts.managers_of(work, base, MOST_TOLD)
            self.notify(work, kind, people, {"base_id": base, "user_id": user_id}, mailed=mailed)

    def _granted(self, work: UnitOfWork, event: RegistrationGranted) -> None:
        for base in event.base_ids:
            self.notify(work, NotificationKind.REGISTRATION_GRANTED, [event.user_id], {"base_id": base})
        if event.granted_by is None:
            self._tell_managers(work, NotificationKind.USER_REGISTERED, event.base_ids, event.user_id)

    def _rejected(self, work: UnitOfWork, event: RegistrationRejected) -> None:
        for base in event.base_ids:
            self.notify(work, NotificationKind.REGISTRATION_REJECTED, [event.user_id], {"base_id": base})
