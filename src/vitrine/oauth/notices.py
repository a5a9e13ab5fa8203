"""Telling a person by letter that an application got access to their account, or more of it than before."""

from dataclasses import dataclass

from vitrine.accounts import Accounts, Actor, UserId
from vitrine.accounts import store as people
from vitrine.accounts.mail import AccountMail
from vitrine.applications import Account, Application
from vitrine.oauth import scopes
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork

PREFERENCE = "letters_about_applications"
# What an application without scopes may do, in the words of the consent page.
EVERYTHING = (
    "See and search the documents that you can see",
    "Add, change and delete where you may do so yourself",
    "Read the profile of your account",
)


@dataclass(frozen=True, slots=True)
class Notices:
    accounts: Accounts
    account_mail: AccountMail

    def are_wanted(self, work: UnitOfWork, user_id: UserId) -> bool:
        """True until the person switches these e-mails off."""
        return people.preference(work, user_id, PREFERENCE) is not False

    def want(self, work: UnitOfWork, actor: Actor, *, on: bool) -> None:
        people.set_preference(work, actor.must_user_id, PREFERENCE, on)
        audit.write(work, actor, "preference.letters", f"user {actor.user_id}", {PREFERENCE: on})

    def granted(
        self, work: UnitOfWork, application: Application, before: Account | None, now: Account, address: str
    ) -> None:
        """Queue the letter when *now* is a first permission or holds more than *before*; both are of one person."""
        had = frozenset(before.granted_scope or ()) if before is not None and before.is_granted else None
        has = None if now.granted_scope is None else frozenset(now.granted_scope)
        grew = had is None or (has is not None and not has <= had)
        user = self.accounts.known(work, UserId(now.user_id))
        if not now.is_granted or not grew or user is None or not self.are_wanted(work, user.id):
            return
        lines = EVERYTHING if has is None else [scope.words for scope in scopes.described(has)]
        values = {
            "application": application.name,
            "application_id": int(application.id),
            "website": application.website,
            "address": address or "?",
            "at": int(work.now.timestamp()),
            "lines": list(lines),
        }
        self.account_mail.send(work, "grant", user, values)
