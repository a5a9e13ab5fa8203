"""The developer portal's rules: who may register, see and change an application."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vitrine.accounts import Accounts, Actor, UserId, Via
from vitrine.accounts.lifetimes import Credential, Event, Happening
from vitrine.applications import machines, provenance, secret_views, store
from vitrine.applications.checks import LIST_SHAPES, Draft, Imported, check, check_credentials
from vitrine.applications.errors import (
    BadApplication,
    NoSecret,
    NoSuchApplication,
    NotOpen,
    PersonNeeded,
)
from vitrine.applications.kinds import kind_of
from vitrine.applications.model import (
    OUT_OF_BAND,
    Account,
    AccountId,
    Application,
    ApplicationId,
    Authorised,
    Secret,
)
from vitrine.applications.profiles import Profile, Switch
from vitrine.applications.provenance import Maker
from vitrine.applications.redirects import bad_redirect, fault_of
from vitrine.errors import Forbidden, Invalid
from vitrine.platform import audit
from vitrine.platform.crypto import Vault, digest, last_four, new_secret, random_base62, same
from vitrine.platform.database import UnitOfWork

CLIENT_ID_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Applications:
    accounts: Accounts
    vault: Vault

    # -- the owner's side ----------------------------------------------------------------------------------------

    def create(
        self,
        work: UnitOfWork,
        actor: Actor,
        draft: Draft,
        profile: Profile | None = None,
        redirects: list[str] | None = None,
    ) -> Application:
        """Register an application. Raises BadApplication with every fault of the form (07 P4).

        The creator gets an account (01 section 2.1) but no consent: they are asked like everybody (design 5.2). With
        *redirects*, which `Portal` has checked, the draft's callback does not count.
        """
        if not actor.is_known:
            raise Forbidden("Please sign in to register an application.")
        profile = profile or (Profile.DESKTOP if draft.type == "desktop" else Profile.STRICT)
        faults = check(draft, returns=False)
        if redirects is None and draft.type != "desktop":
            fault = fault_of(draft.callback.strip(), kind_of("", draft.type, profile), profile)
            faults |= {"callback": fault} if fault else {}
        if faults:
            raise BadApplication(faults)
        maker = provenance.maker_of(work, actor)
        client_id = random_base62(CLIENT_ID_LENGTH)
        made = self._add(work, actor.user_id, draft, profile, redirects, client_id, None, maker=maker)
        audit.write(work, actor, "application.created", f"application {made}")
        return self._get(work, made)

    def import_application(
        self,
        work: UnitOfWork,
        actor: Actor,
        creator_id: int | None,
        imported: Imported,
        redirects: list[str] | None = None,
    ) -> Application:
        """Register an application with the id and secret it has elsewhere (design 5.5); without a secret it gets one.

        Administrators and the command line only. Raises BadApplication with every fault at once.
        """
        if not actor.administers:
            raise Forbidden("Only administrators may choose an application's id.")
        faults = {**check(imported.draft, returns=redirects is None), **check_credentials(imported)}
        if "client_id" not in faults and store.knows_client_id(work, imported.client_id):
            faults["client_id"] = "There is an application with this client_id already."
        if faults:
            raise BadApplication(faults)
        more = {
            "activated": imported.activated,
            "switches": {name.value: on for name, on in imported.switches.items()},
            "list_shapes": imported.list_shapes,
        }
        made = self._add(
            work, creator_id, imported.draft, imported.profile, redirects, imported.client_id, imported.client_secret,
            more,
        )  # fmt: skip
        audit.write(work, actor, "application.imported", f"application {made}")
        return self._get(work, made)

    def _add(
        self, work: UnitOfWork, creator_id: int | None, draft: Draft, profile: Profile, redirects: list[str] | None,
        client_id: str, secret: str | None, more: Mapping[str, Any] | None = None, maker: Maker | None = None,
    ) -> ApplicationId:  # fmt: skip
        desktop = draft.type == "desktop"
        values = {
            "creator_id": creator_id,
            "type": "desktop" if desktop else "web",
            "profile": profile.value,
            "name": draft.name.strip(),
            "description": draft.description.strip(),
            "website": draft.website.strip(),
            "client_id": client_id,
            "switches": {},
            **(more or {}),
        }
        if redirects is None:
            redirects = [OUT_OF_BAND if desktop else draft.callback.strip()]
        made = store.add(work, values, redirects, maker)
        secret = secret or new_secret("cs")
        store.add_secret(work, made, digest(secret), self.vault.encrypt(secret), last_four(secret), maker)
        if creator_id is not None:
            store.add_account(work, creator_id, made)
        return made

    def own(self, work: UnitOfWork, actor: Actor) -> list[Application]:
        return store.owned_by(work, actor.must_user_id)

    def get(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId) -> Application:
        """For owners and administrators; NoSuchApplication for everybody else, whether it exists or not. A token with
        scopes opens applications of others only with `administration`."""
        found = store.by_id(work, application_id)
        if found is None or not (actor.administers or self.is_owner(work, actor, found)):
            raise NoSuchApplication("There is no such application of yours.", why=f"application {application_id}")
        return found

    def may_open(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId) -> bool:
        """False for somebody to whom `get` says that there is no such application."""
        found = store.by_id(work, application_id)
        return found is not None and (actor.administers or self.is_owner(work, actor, found))

    def is_owner(self, work: UnitOfWork, actor: Actor, application: Application) -> bool:
        """True for who registered it and for co-owners."""
        if actor.user_id is None:
            return False
        return application.creator_id == actor.user_id or store.is_owner(work, actor.user_id, application.id)

    def _get(self, work: UnitOfWork, application_id: ApplicationId) -> Application:
        found = store.by_id(work, application_id)
        assert found is not None
        return found

    def people(self, work: UnitOfWork, applications: list[Application]) -> dict[ApplicationId, int]:
        return store.count_people(work, [one.id for one in applications])

    def set_callback(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, callback: str) -> Application:
        """Change the callback URL; a desktop application keeps the out-of-band address whatever is asked (01 §9)."""
        found = self.get(work, actor, application_id)
        if found.type == "desktop":
            return found
        fault = bad_redirect(callback.strip(), found)
        if fault:
            raise BadApplication({"callback": fault})
        redirects = [callback.strip(), *(one for one in found.redirects[1:] if one != callback.strip())]
        store.set_redirects(work, found.id, redirects, provenance.maker_of(work, actor))
        store.update(work, found.id, {})
        audit.write(work, actor, "application.callback", f"application {found.id}", {"callback": callback.strip()})
        return self._get(work, found.id)

    def set_switch(
        self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, switch: Switch, *, on: bool
    ) -> Application:
        """Turn a switch of design 5.3. Raises Invalid for one that this kind of application cannot choose."""
        found = self.get(work, actor, application_id)
        if not found.switches.can_choose(switch):
            raise Invalid("This kind of application has no such choice.", field=switch.value)
        if switch is Switch.ACTS_AS_OWNER:
            self._let_act(work, actor, found, on=on)
        store.update(work, found.id, {"switches": {**found.switches.chosen, switch.value: on}})
        audit.write(work, actor, "application.switch", f"application {found.id}", {switch.value: on})
        return self._get(work, found.id)

    def _let_act(self, work: UnitOfWork, actor: Actor, application: Application, *, on: bool) -> None:
        """Only the owner themselves can lend their name, and it is their own account that remembers it: an application
        that changes hands does not act for its new owner before they say so too."""
        if on and actor.user_id != application.creator_id:
            raise Forbidden("Only its owner can let an application act in their name.")
        if on and actor.via is Via.TOKEN:  # else it would give itself more than it was given
            raise PersonNeeded("A token cannot let an application act in your name. Sign in and use its settings page.")
        if application.creator_id is None:
            return
        account = self.ensure_account(work, application.creator_id, application)
        if on:
            store.update_account(work, account.id, {"acts_alone_since": work.now})
        elif account.acts_alone_since is not None:
            self.happened(work, Event.ACTING_WITHDRAWN, application.id, application.creator_id)

    def set_list_shapes(
        self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, shapes: str
    ) -> Application:
        """How lists that the original sent as objects are written for this application (02 section 7)."""
        found = self.get(work, actor, application_id)
        if shapes not in LIST_SHAPES:
            raise Invalid("Choose automatic, lists or objects.", field="list_shapes")
        store.update(work, found.id, {"list_shapes": shapes})
        audit.write(work, actor, "application.list_shapes", f"application {found.id}", {"list_shapes": shapes})
        return self._get(work, found.id)

    def secret(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId) -> Secret | None:
        """What may be shown of the client secret without a fresh sign-in; None when every one has ended."""
        found = store.current_secret(work, self.get(work, actor, application_id).id)
        return None if found is None else found[0]

    def reveal_secret(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId) -> str:
        """The client secret itself. Raises NotFresh, ActsForAnother or NoSecret; leaves an audit line (design 5.4)."""
        application = self.get(work, actor, application_id)
        self.accounts.require_recent_auth(work, actor)
        machines.require_keeper(work, actor, application)
        secret, sealed = self._current(work, application)
        if actor.user_id != application.creator_id:
            store.share_secrets(work, application.id, secret.id)
        secret_views.note(work, secret.id, actor.user_id)
        audit.write(work, actor, "application.secret_shown", f"application {application.id}")
        return self.vault.decrypt(sealed)

    @staticmethod
    def _current(work: UnitOfWork, application: Application) -> tuple[Secret, str]:
        found = store.current_secret(work, application.id)
        if found is None:
            raise NoSecret("This application has no valid secret. Make a new one.")
        return found

    def first_secret(self, work: UnitOfWork, actor: Actor, application: Application) -> str:
        """The client secret of an application that was made in this very unit of work, for who made it by a program:
        it is told once, and nobody else could have it."""
        assert application.created == work.now
        found = store.current_secret(work, application.id)
        assert found is not None
        secret_views.note(work, found[0].id, actor.user_id)
        audit.write(work, actor, "application.secret_shown", f"application {application.id}", {"by": "creation"})
        return self.vault.decrypt(found[1])

    def secret_for_command(self, work: UnitOfWork, application: Application) -> str:
        """The client secret for the command line, whose user can read the server key anyway."""
        _secret, sealed = self._current(work, application)
        audit.write(work, None, "application.secret_shown", f"application {application.id}", {"by": "command line"})
        return self.vault.decrypt(sealed)

    def delete(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId) -> None:
        """Delete an application: nothing of it works from now on. For 14 days `Portal.restore` brings it back, then
        its accounts, codes and tokens go with it (`portal_store.purge`)."""
        found = self.get(work, actor, application_id)
        store.update(work, found.id, {"deleted_at": work.now})
        self.happened(work, Event.APPLICATION_DELETED, found.id)
        audit.write(work, actor, "application.deleted", f"application {found.id}", {"name": found.name})

    # -- the protocol's side -------------------------------------------------------------------------------------

    def by_client_id(self, work: UnitOfWork, client_id: str) -> Application | None:
        return store.by_client_id(work, client_id)

    def for_protocol(self, work: UnitOfWork, application_id: ApplicationId) -> Application | None:
        """An application by its number, for what the protocol keeps; rights are not asked."""
        return store.by_id(work, application_id)

    def acting_account(self, work: UnitOfWork, application: Application) -> tuple[AccountId | None, int | None]:
        """The account of an owner who lets their application act in their name, and who that is."""
        return machines.acting_account(work, application)

    def user_of(self, work: UnitOfWork, account_id: int) -> UserId:
        """Whose account it is."""
        return UserId(store.user_of(work, account_id))

    def is_origin(self, work: UnitOfWork, origin: str, application_id: int | None = None) -> bool:
        """True if a page of *origin* belongs to an active application, or to this very one (design 5.8)."""
        return bool(origin) and store.is_origin(work, origin, application_id)

    def secret_is_right(self, work: UnitOfWork, application: Application, given: str) -> bool:
        """Compares in constant time with every live secret."""
        presented = digest(given)
        return any(same(one, presented) for one in store.secret_digests(work, application.id))

    # -- the user's side -----------------------------------------------------------------------------------------

    def account(self, work: UnitOfWork, user_id: int, application: Application) -> Account | None:
        return store.account(work, user_id, application.id)

    def ensure_owner_account(self, work: UnitOfWork, user_id: int, application: Application) -> Account:
        """Owners have an account whatever the application's state, as its creator has (01 section 2.1)."""
        found = store.account(work, user_id, application.id)
        if found is None:
            store.add_account(work, user_id, application.id)
            found = store.account(work, user_id, application.id)
            assert found is not None
        return found

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
        asked: frozenset[str] | None = None,
    ) -> Account:
        """Record what a person decided on the consent page: who, when, and what was shown (design 5.2).

        *scope* is what they left ticked of what was *asked*; both are None for an application without scopes."""
        account = self.ensure_account(work, actor.must_user_id, application)
        if allow:
            before = account if account.is_granted else None  # what was withdrawn does not come back by itself
            values = {
                "granted_at": work.now,
                "revoked_at": None,
                "granted_scope": _decided(before.granted_scope if before else None, asked, scope),
                "asked_scope": _decided(before.asked_scope if before else None, asked, asked),
            }
            store.update_account(work, account.id, values)
        shown = {
            "name": application.name,
            "description": application.description,
            "website": application.website,
            "return_to": return_to,
            **({} if asked is None else {"asked": sorted(asked)}),
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
        mine = [one for one in store.accounts_of(work, actor.must_user_id) if one.granted_at is not None]
        found = store.by_ids(work, [one.application_id for one in mine])
        lines = [Authorised(found[one.application_id], one) for one in mine if one.application_id in found]
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
        nothing = {"granted_at": None, "granted_scope": None, "asked_scope": None, "last_used": None}
        store.update_account(work, account.id, nothing)
        audit.write(work, actor, "consent.forgotten", f"application {application_id}")


def _decided(before: list[str] | None, asked: frozenset[str] | None, now: frozenset[str] | None) -> list[str] | None:
    """What was decided before about other things stays; about what was asked now, *now* counts."""
    if asked is None or now is None:
        return None
    return sorted((frozenset(before or ()) - asked) | now)
