"""What people allow an application: their accounts with it, their decisions, and taking them back."""

from dataclasses import dataclass

from vitrine.accounts import Accounts, Actor, UserId, Via
from vitrine.accounts.lifetimes import Credential, Event, Happening
from vitrine.applications import store
from vitrine.applications.errors import NoSuchApplication, NotOpen, PersonNeeded
from vitrine.applications.model import Account, Application, ApplicationId, Authorised
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork


@dataclass(frozen=True, slots=True)
class Consents:
    accounts: Accounts

    def account(self, work: UnitOfWork, user_id: int, application: Application) -> Account | None:
        return store.account(work, user_id, application.id)

    def ensure_owner_account(self, work: UnitOfWork, user_id: int, application: Application) -> Account:
        """Owners have an account whatever the application's state, as its creator has (01 section 2.1)."""
        account = store.account(work, user_id, application.id)
        if account is None:
            store.add_account(work, user_id, application.id)
            account = store.account(work, user_id, application.id)
            assert account is not None
        return account

    def ensure_account(self, work: UnitOfWork, user_id: int, application: Application) -> Account:
        """Raises NotOpen where only owners and test users may give access."""
        if application.is_for_testers and not (
            store.is_owner(work, user_id, application.id) or store.is_tester(work, user_id, application.id)
        ):
            raise NotOpen("This application is not open to everybody yet. Ask its owner to make you a test user.")
        return self.ensure_owner_account(work, user_id, application)

    def decide(
        self,
        work: UnitOfWork,
        actor: Actor,
        application: Application,
        *,
        allow: bool,
        return_to: str,
        scope: frozenset[str] | None = None,
        requested: frozenset[str] | None = None,
    ) -> Account:
        """Record what a person decided on the consent page: who, when, and what was shown (design 5.2).

        *scope* is what they left ticked of what was *requested*; both are None for an application without scopes."""
        account = self.ensure_account(work, actor.must_user_id, application)
        if allow:
            before = account if account.is_granted else None  # what was withdrawn does not come back by itself
            values = {
                "granted_at": work.now,
                "revoked_at": None,
                "granted_scope": _decided(before.granted_scope if before else None, requested, scope),
                "requested_scope": _decided(before.requested_scope if before else None, requested, requested),
            }
            store.update_account(work, account.id, values)
        shown = {
            "name": application.name,
            "description": application.description,
            "website": application.website,
            "return_to": return_to,
            **({} if requested is None else {"asked": sorted(requested)}),
        }
        allowed = sorted(scope) if allow and scope is not None else None
        store.add_consent(work, account.id, "allow" if allow else "deny", shown, actor.address, allowed)
        audit.write(work, actor, "consent.allow" if allow else "consent.deny", f"application {application.id}")
        return self.ensure_account(work, actor.must_user_id, application)

    def has_allowed(self, work: UnitOfWork, account: Account, return_to: str) -> bool:
        """True if the person said yes on a page that named this address."""
        return store.has_allowed(work, account.id, return_to)

    def reopen(self, work: UnitOfWork, actor: Actor, account: Account) -> None:
        """Let an owner use their own application again without consent (a developer token implies none). Raises
        PersonNeeded for a token: what a person took back no program gives again."""
        if actor.via is Via.TOKEN:
            raise PersonNeeded("You took this permission back. Sign in and make the token on the settings page.")
        store.update_account(work, account.id, {"revoked_at": None, "granted_at": None})

    def note_imported_consent(self, work: UnitOfWork, account: Account, application: Application) -> None:
        """A token that is brought along proves that the person allowed the application elsewhere."""
        if account.granted_at is None:
            store.update_account(work, account.id, {"granted_at": work.now})
            store.add_consent(work, account.id, "allow", {"name": application.name, "by": "import"}, "")

    def note_password_consent(self, work: UnitOfWork, account: Account, application: Application, address: str) -> None:
        """The first password grant makes the application appear among the ones the person allowed."""
        if account.granted_at is None:
            store.update_account(work, account.id, {"granted_at": work.now})
            store.add_consent(work, account.id, "allow", {"name": application.name, "by": "password grant"}, address)

    def authorised(self, work: UnitOfWork, actor: Actor) -> list[Authorised]:
        """The applications that the actor allowed at least once, the allowed ones first."""
        mine = [account for account in store.accounts_of(work, actor.must_user_id) if account.granted_at is not None]
        applications = store.by_ids(work, [account.application_id for account in mine])
        lines = [
            Authorised(applications[account.application_id], account)
            for account in mine
            if account.application_id in applications
        ]
        return sorted(lines, key=lambda line: line.account.revoked_at is not None)

    def happened(
        self, work: UnitOfWork, event: Event, application_id: ApplicationId, user_id: int | None = None
    ) -> dict[Credential, int]:
        """Something about an application, or about one person there: end what the table of `accounts.lifetimes` says.
        How many of each there were."""
        whose = None if user_id is None else UserId(user_id)
        return self.accounts.lifetimes.happened(work, Happening(event, whose, application_id))

    def withdraw(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId) -> None:
        """Withdraw the actor's consent: what it gave ends at once and for good."""
        account = store.account(work, actor.must_user_id, application_id)
        if account is None:
            raise NoSuchApplication("You have not allowed this application.")
        self.happened(work, Event.CONSENT_WITHDRAWN, application_id, actor.must_user_id)
        store.add_consent(work, account.id, "revoke", {}, actor.address)
        audit.write(work, actor, "consent.revoke", f"application {application_id}")

    def forget(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId) -> None:
        """Take an application off the actor's list, withdrawing consent where it stands.

        What was decided is no longer remembered, so everything is asked anew; but it stays withdrawn: a password that
        the application kept brings it nothing."""
        account = store.account(work, actor.must_user_id, application_id)
        if account is None or account.granted_at is None:
            raise NoSuchApplication("You have not allowed this application.")
        if account.is_granted:
            self.withdraw(work, actor, application_id)
        nothing = {"granted_at": None, "granted_scope": None, "requested_scope": None, "last_used": None}
        store.update_account(work, account.id, nothing)
        audit.write(work, actor, "consent.forgotten", f"application {application_id}")


def _decided(
    before: list[str] | None, requested: frozenset[str] | None, now: frozenset[str] | None
) -> list[str] | None:
    """What was decided before about other things stays; about what was asked now, *now* counts."""
    if requested is None or now is None:
        return None
    return sorted((frozenset(before or ()) - requested) | now)
