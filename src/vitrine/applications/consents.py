"""Consents: the accounts of people with an application, their decisions, and withdrawing them."""

from dataclasses import dataclass

from vitrine.accounts import Accounts, Actor, UserId, Via
from vitrine.accounts.credential_revocation import Credential, Event, Occurrence
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
        """The account of an owner, which exists in every state of the application (01 section 2.1)."""
        account = store.account(work, user_id, application.id)
        if account is None:
            store.add_account(work, user_id, application.id)
            account = store.account(work, user_id, application.id)
            assert account is not None
        return account

    def ensure_account(self, work: UnitOfWork, user_id: int, application: Application) -> Account:
        """The account, created if needed. Raises NotOpen if only owners and test users may give access."""
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
        """Record a decision on the consent page: who, when, and what was shown (design 5.2).

        *scope* is the ticked part of *requested*; both are None for an application without scopes."""
        account = self.ensure_account(work, actor.must_user_id, application)
        if allow:
            before = account if account.is_granted else None  # a withdrawn scope is not restored by a new consent
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
        """True if the person consented on a page that named this address."""
        return store.has_allowed(work, account.id, return_to)

    def reopen(self, work: UnitOfWork, actor: Actor, account: Account) -> None:
        """Let an owner use their own application again without consent, which a developer token does not need. Raises
        PersonNeeded for a token: a program may not restore what a person withdrew."""
        if actor.via is Via.TOKEN:
            raise PersonNeeded("You took this permission back. Sign in and make the token on the settings page.")
        store.update_account(work, account.id, {"revoked_at": None, "granted_at": None})

    def note_imported_consent(self, work: UnitOfWork, account: Account, application: Application) -> None:
        """Record the consent that an imported token proves."""
        if account.granted_at is None:
            store.update_account(work, account.id, {"granted_at": work.now})
            store.add_consent(work, account.id, "allow", {"name": application.name, "by": "import"}, "")

    def note_password_consent(self, work: UnitOfWork, account: Account, application: Application, address: str) -> None:
        """Record the consent that the first password grant implies, so that the person sees the application."""
        if account.granted_at is None:
            store.update_account(work, account.id, {"granted_at": work.now})
            store.add_consent(work, account.id, "allow", {"name": application.name, "by": "password grant"}, address)

    def authorised(self, work: UnitOfWork, actor: Actor, *, limit: int, offset: int = 0) -> list[Authorised]:
        """A page of the applications that the actor has allowed at least once, those still allowed first."""
        granted_accounts = store.granted_accounts(work, actor.must_user_id, limit, offset)
        applications = store.by_ids(work, [account.application_id for account in granted_accounts])
        return [Authorised(applications[account.application_id], account) for account in granted_accounts]

    def end_credentials(
        self, work: UnitOfWork, event: Event, application_id: ApplicationId, user_id: int | None = None
    ) -> dict[Credential, int]:
        """End what the table of `accounts.credential_revocation` says for an event of an application, or of one person
        there. Returns how many of each kind ended."""
        person = None if user_id is None else UserId(user_id)
        return self.accounts.revocation.end_credentials(work, Occurrence(event, person, application_id))

    def withdraw(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId) -> None:
        """Withdraw the actor's consent; what it gave ends at once and for good."""
        account = store.account(work, actor.must_user_id, application_id)
        if account is None:
            raise NoSuchApplication("You have not allowed this application.")
        self.end_credentials(work, Event.CONSENT_WITHDRAWN, application_id, actor.must_user_id)
        store.add_consent(work, account.id, "revoke", {}, actor.address)
        audit.write(work, actor, "consent.revoke", f"application {application_id}")

    def forget(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId) -> None:
        """Remove an application from the actor's list, and withdraw the consent if there is one.

        The decisions are deleted, so the next request asks for everything again. The account stays withdrawn, so a
        password that the application has stored gives it no access."""
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
    """Decisions about other scopes stay; for the requested ones *now* replaces them."""
    if requested is None or now is None:
        return None
    return sorted((frozenset(before or ()) - requested) | now)
