"""What owners and administrators do with applications beyond contract 07: edit, share, rotate, suspend, bring back."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from vitrine.accounts import Actor, User, UserId
from vitrine.accounts.lifetimes import Event
from vitrine.accounts.model import Via
from vitrine.applications import machines, portal_store, provenance, secret_views, store
from vitrine.applications.checks import Draft, check
from vitrine.applications.errors import BadApplication, NoSuchApplication
from vitrine.applications.kinds import KIND_NAMES, KINDS, ApplicationKind, kind_of
from vitrine.applications.model import OUT_OF_BAND, Application, ApplicationId, Secret
from vitrine.applications.profiles import Switch
from vitrine.applications.redirects import bad_redirect, fault_of
from vitrine.applications.service import Applications
from vitrine.applications.texts import TEXTS, check_texts
from vitrine.errors import Conflict, Forbidden, Invalid, NotFound
from vitrine.platform import audit
from vitrine.platform.crypto import digest, new_secret
from vitrine.platform.database import UnitOfWork

OVERLAPS = {"0": timedelta(0), "24": timedelta(hours=24), "168": timedelta(days=7)}
MOST_REDIRECTS = 20
MOST_PEOPLE = 100


@dataclass(frozen=True, slots=True)
class Person:
    id: int
    login: str
    name: str


@dataclass(frozen=True, slots=True)
class People:
    """Who may change an application, and who may try it before everybody."""

    creator: Person | None
    owners: list[Person]
    testers: list[Person]


@dataclass(frozen=True, slots=True)
class Portal:
    applications: Applications
    needs_approval: bool = False

    # -- registering and editing ---------------------------------------------------------------------------------

    def create(self, work: UnitOfWork, actor: Actor, draft: Draft, kind: ApplicationKind | None) -> Application:
        """Register an application of *kind*; without one (old forms) its type decides. Raises BadApplication."""
        wanted = kind or (ApplicationKind.DEVICE if draft.type == "desktop" else ApplicationKind.SERVER)
        facts, callback = KINDS[wanted], draft.callback.strip()
        draft = Draft(draft.name, draft.description, draft.website, facts.type, callback)
        faults = check(draft, returns=facts.returns and not callback)
        if callback and kind is not ApplicationKind.MACHINE and not (kind is None and wanted is ApplicationKind.DEVICE):
            fault = fault_of(callback, wanted, facts.profile)
            faults |= {"callback": fault} if fault else {}
            redirects = [OUT_OF_BAND, callback] if wanted is ApplicationKind.DEVICE else [callback]
        else:
            redirects = [OUT_OF_BAND] if wanted is ApplicationKind.DEVICE else []
        if faults:
            raise BadApplication(faults)
        made = self.applications.create(work, actor, draft, facts.profile, redirects)
        return self.settle(work, actor, made, wanted if kind else None)

    def settle(
        self, work: UnitOfWork, actor: Actor, made: Application, kind: ApplicationKind | None, *, acts: bool = True
    ) -> Application:
        """What follows for a new application from its kind and from the rules of this instance. *acts*: a machine acts
        for who makes it, which is what this kind is for; they can take it back on the settings page."""
        changes: dict[str, Any] = {"kind": kind.value} if kind else {}
        if self.needs_approval and not actor.administers:
            changes["approval"] = "waiting"
        store.update(work, made.id, changes)
        if kind is ApplicationKind.MACHINE and acts:
            self.applications.set_switch(work, actor, made.id, Switch.ACTS_AS_OWNER, on=True)
        return self.applications.get(work, actor, made.id)

    def edit(
        self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, given: Mapping[str, str]
    ) -> Application:
        """Change the texts that people read. Raises BadApplication with every fault at once."""
        found = self.applications.get(work, actor, application_id)
        wanted = {name: given.get(name, getattr(found, name)).strip() for name in TEXTS}
        faults = check_texts(wanted)
        if faults:
            raise BadApplication(faults)
        before = {name: getattr(found, name) for name in TEXTS if getattr(found, name) != wanted[name]}
        if before:
            store.update(work, found.id, wanted)
            audit.write(work, actor, "application.edited", f"application {found.id}", {"before": before})
        return self.applications.get(work, actor, application_id)

    def set_kind(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, kind: str) -> Application:
        """Another kind is another profile: choices that it does not have are forgotten (design 5.3)."""
        found = self.applications.get(work, actor, application_id)
        if kind not in KIND_NAMES:
            raise Invalid("Choose one of the kinds.", field="kind")
        wanted = ApplicationKind(kind)
        facts = KINDS[wanted]
        before = kind_of(found.kind, found.type, found.switches.profile)
        if wanted is before:
            return found
        redirects = [one for one in found.redirects if one != OUT_OF_BAND]
        if wanted is ApplicationKind.MACHINE:
            redirects = []
        if wanted is ApplicationKind.DEVICE:
            redirects = [OUT_OF_BAND, *redirects]
        elif facts.returns and not redirects:
            raise Invalid("Add an address to return to first: this kind needs one.", field="kind")
        for address in redirects:
            if address != OUT_OF_BAND and fault_of(address, wanted, facts.profile):
                raise Invalid("The address {address} is not for this kind. Change or remove it first.", field="kind",
                              values={"address": address})  # fmt: skip
        values: dict[str, Any] = {
            "kind": wanted.value, "type": facts.type, "profile": facts.profile.value, "switches": {}
        }  # fmt: skip
        store.update(work, found.id, values)
        store.set_redirects(work, found.id, redirects)
        audit.write(work, actor, "application.kind", f"application {found.id}", {"kind": kind, "before": before.value})
        return self.applications.get(work, actor, application_id)

    # -- redirect addresses --------------------------------------------------------------------------------------

    def change_redirect(
        self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, old: str, new: str
    ) -> Application:
        """Add (*old* empty), change, or remove (*new* empty) one address. Raises BadApplication or Invalid."""
        found = self.applications.get(work, actor, application_id)
        new = new.strip()
        kept = list(found.redirects)
        if old and (old not in kept or old == OUT_OF_BAND):
            raise Invalid("This address is not one of the application's own.", field="redirect")
        if new:
            fault = bad_redirect(new, found)
            if new in kept and new != old:
                fault = "This address is in the list already."
            if not old and len(kept) >= MOST_REDIRECTS:
                fault = "An application has at most 20 addresses. Remove one first."
            if fault:
                raise BadApplication({"redirect": fault})
            kept = [new if one == old else one for one in kept] if old else [*kept, new]
        else:
            kept.remove(old)
            if not kept and KINDS[kind_of(found.kind, found.type, found.switches.profile)].returns:
                raise Invalid("This is the only address. Add another one before you remove it.", field="redirect")
        store.set_redirects(work, found.id, kept, provenance.maker_of(work, actor))
        store.update(work, found.id, {})
        audit.write(work, actor, "application.redirects", f"application {found.id}", {"before": old, "after": new})
        return self.applications.get(work, actor, application_id)

    # -- people --------------------------------------------------------------------------------------------------

    def people(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId) -> People:
        found = self.applications.get(work, actor, application_id)
        creator = self.applications.accounts.known(work, UserId(found.creator_id)) if found.creator_id else None
        return People(
            Person(creator.id, creator.login, creator.display_name) if creator else None,
            [Person(*one) for one in portal_store.people(work, found.id, "owner")],
            [Person(*one) for one in portal_store.people(work, found.id, "tester")],
        )

    def add_person(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, login: str, role: str) -> User:
        """Make somebody co-owner or test user, by login or e-mail address. An owner needs a person who signed in
        lately: raises NotFresh, PersonNeeded for a token."""
        found = self.applications.get(work, actor, application_id)
        if role == "owner":
            self._require_person(work, actor, "A token cannot add owners. Sign in and add them on the page of people.")
        person = self._person(work, login, role)
        if len(portal_store.people(work, found.id, role)) >= MOST_PEOPLE:
            raise Conflict("There are 100 people in this list already. Remove one first.", field=role)
        if role == "owner":
            if person.id == found.creator_id:
                raise Conflict("This person owns the application already.", field=role)
            self.applications.ensure_owner_account(work, person.id, found)
        portal_store.add_person(work, found.id, person.id, role)
        store.update(work, found.id, {})
        audit.write(work, actor, f"application.{role}_added", f"application {found.id}", {"user": person.id})
        return person

    def _person(self, work: UnitOfWork, login: str, field: str) -> User:
        try:
            person = self.applications.accounts.find(work, login.strip())
        except NotFound as unknown:
            raise Invalid("Nobody here has this login or e-mail address.", field=field) from unknown
        if person.is_guest:
            raise Invalid("Nobody here has this login or e-mail address.", field=field)
        return person

    def remove_person(
        self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, user_id: int, role: str
    ) -> None:
        found = self.applications.get(work, actor, application_id)
        if not portal_store.remove_person(work, found.id, user_id, role):
            raise NotFound("This person is not in the list.")
        store.update(work, found.id, {})
        if role == "owner":
            self.applications.happened(work, Event.CO_OWNER_REMOVED, found.id, user_id)
        elif not store.is_owner(work, user_id, found.id):  # an owner gives access without being a test user
            self.applications.happened(work, Event.TESTER_REMOVED, found.id, user_id)
        audit.write(work, actor, f"application.{role}_removed", f"application {found.id}", {"user": user_id})

    def transfer(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, login: str) -> Application:
        """Give an application to somebody else; who had it stays as co-owner. Only its first owner and administrators
        may, shortly after signing in."""
        found = self.applications.get(work, actor, application_id)
        if not actor.administers and actor.user_id != found.creator_id:
            raise Forbidden("Only the main owner can transfer an application.")
        if actor.via is not Via.COMMAND:
            self.applications.accounts.require_recent_auth(work, actor)
        person = self._person(work, login, "transfer")
        if person.id == found.creator_id:
            raise Conflict("This person owns the application already.", field="transfer")
        portal_store.remove_person(work, found.id, person.id, "owner")
        if found.creator_id is not None:
            portal_store.add_person(work, found.id, found.creator_id, "owner")
        store.update(work, found.id, {"creator_id": person.id})
        store.share_secrets(work, found.id)  # who had it knows them
        if found.creator_id is not None:
            self.applications.happened(work, Event.OWNER_CHANGED, found.id, found.creator_id)
        self.applications.ensure_owner_account(work, person.id, found)
        audit.write(
            work, actor, "application.transferred", f"application {found.id}",
            {"from": found.creator_id, "to": person.id},
        )  # fmt: skip
        return self.applications.get(work, actor, application_id) if actor.administers else found

    def set_only_testers(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, *, on: bool) -> None:
        found = self.applications.get(work, actor, application_id)
        store.update(work, found.id, {"only_testers": on})
        audit.write(work, actor, "application.only_testers", f"application {found.id}", {"on": on})

    # -- secrets -------------------------------------------------------------------------------------------------

    def secrets(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId) -> list[Secret]:
        """The live client secrets, the newest first; at most two."""
        return portal_store.secrets(work, self.applications.get(work, actor, application_id).id)

    def rotate(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, overlap: str) -> str:
        """A new client secret. The one before works for *overlap* hours more (a key of OVERLAPS), an older one ends
        at once, so that two live at most. Raises NotFresh; where the secret alone gives access, PersonNeeded for a
        token and ActsForAnother for everybody but the one for whom it acts."""
        found = self.applications.get(work, actor, application_id)
        self._require_fresh(work, actor)
        if found.is_machine:
            self._require_person(work, actor, "A token cannot replace the secret of a machine. Sign in and make a new"
                                              " one on its settings page.")  # fmt: skip
        machines.require_keeper(work, actor, found)
        if overlap not in OVERLAPS:
            raise Invalid("Choose how long the old secret goes on working.", field="overlap")
        live = portal_store.secrets(work, found.id)
        portal_store.end_secrets(work, found.id, work.now, but=live[0].id if live else None)
        portal_store.end_secrets(work, found.id, work.now + OVERLAPS[overlap])
        secret = new_secret("cs")
        maker = provenance.maker_of(work, actor)
        is_shared = actor.via is not Via.COMMAND and actor.user_id != found.creator_id
        sealed = self.applications.vault.encrypt(secret)
        store.add_secret(work, found.id, digest(secret), sealed, secret[-4:], maker, is_shared=is_shared)
        secret_views.note(work, portal_store.secrets(work, found.id)[0].id, actor.user_id)
        audit.write(work, actor, "application.secret_rotated", f"application {found.id}", {"overlap_hours": overlap})
        return secret

    def offers(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId) -> list[secret_views.Offer]:
        """Secrets that people know who have left: a new one is offered for each."""
        return secret_views.offers(work, self.applications.get(work, actor, application_id).id)

    def end_old_secret(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId) -> None:
        """Only the newest secret works from now on."""
        found = self.applications.get(work, actor, application_id)
        live = portal_store.secrets(work, found.id)
        portal_store.end_secrets(work, found.id, work.now, but=live[0].id if live else None)
        audit.write(work, actor, "application.secret_ended", f"application {found.id}")

    def for_token(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId) -> Application:
        """Before a developer token is made: raises NoSuchApplication for a caller without an account on it (01
        section 9), administrators too, and NotFresh (07 P12)."""
        found = self.applications.get(work, actor, application_id)
        if self.applications.account(work, actor.must_user_id, found) is None:
            raise NoSuchApplication("There is no such application of yours.", why=f"no account on {found.id}")
        self._require_fresh(work, actor)
        return found

    def _require_fresh(self, work: UnitOfWork, actor: Actor) -> None:
        """The password given lately, in a browser. A program cannot give one: its token must have the scope
        `applications`, for which somebody was asked (docs/decisions/0069)."""
        if actor.via is Via.SESSION:
            self.applications.accounts.require_recent_auth(work, actor)

    def _require_person(self, work: UnitOfWork, actor: Actor, refusal: str) -> None:
        provenance.require_person(work, self.applications.accounts, actor, refusal)

    # -- suspended, approved, deleted ----------------------------------------------------------------------------

    def suspend(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, reason: str, *, by: str) -> None:
        """Nothing of it works until `resume`; *by* is owner or admin. Only administrators lift an administrator's."""
        found = self.applications.get(work, actor, application_id)
        self._by(actor, by)
        if not found.activated and found.suspended_by == "admin" and by != "admin":
            raise Forbidden("An administrator suspended this application.")
        reason = reason.strip()
        if not reason or len(reason) > 500:
            raise Invalid("Say in a sentence why; its users and owners read it.", field="reason")
        store.update(work, found.id, {"activated": False, "suspended_by": by, "suspended_reason": reason})
        self.applications.happened(work, Event.APPLICATION_SUSPENDED, found.id)
        audit.write(work, actor, "application.suspended", f"application {found.id}", {"by": by, "reason": reason})

    def resume(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, *, by: str) -> None:
        found = self.applications.get(work, actor, application_id)
        self._by(actor, by)
        if found.suspended_by == "admin" and not actor.administers:
            raise Forbidden("An administrator suspended this application.")
        store.update(work, found.id, {"activated": True, "suspended_by": "", "suspended_reason": ""})
        audit.write(work, actor, "application.resumed", f"application {found.id}", {"by": by})

    @staticmethod
    def _by(actor: Actor, by: str) -> None:
        if by == "admin" and not actor.administers:
            raise Forbidden("This is for administrators.")

    def decide(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, *, yes: bool, reason: str) -> None:
        """Approve or refuse an application. A refusal names its reason."""
        self._by(actor, "admin")
        found = self.applications.get(work, actor, application_id)
        if not yes and not reason.strip():
            raise Invalid("Say in a sentence why; its users and owners read it.", field="reason")
        store.update(work, found.id, {"approval": "yes" if yes else "no", "approval_reason": reason.strip()[:500]})
        action = "application.approved" if yes else "application.refused"
        audit.write(work, actor, action, f"application {found.id}", {"reason": reason.strip()[:500]})

    def every(self, work: UnitOfWork, actor: Actor, *, limit: int, offset: int, words: str) -> list[Application]:
        self._by(actor, "admin")
        return portal_store.every(work, limit, offset, words)

    def deleted(self, work: UnitOfWork, actor: Actor) -> list[Application]:
        """One's own deleted applications that can still come back."""
        return portal_store.deleted_of(work, actor.must_user_id)

    def restore(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId) -> Application:
        """Undo a deletion within 14 days. Raises NoSuchApplication afterwards, and for everybody else."""
        found = portal_store.deleted(work, application_id)
        if found is None or not (actor.administers or self.applications.is_owner(work, actor, found)):
            raise NoSuchApplication("There is no such application of yours.", why=f"application {application_id}")
        store.update(work, found.id, {"deleted_at": None})
        audit.write(work, actor, "application.restored", f"application {found.id}", {"name": found.name})
        return self.applications.get(work, actor, application_id)

    # -- logo ----------------------------------------------------------------------------------------------------

    def set_logo(
        self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, picture: bytes | None
    ) -> Application:
        """*picture* is a small PNG that our own child made; None takes the logo away."""
        found = self.applications.get(work, actor, application_id)
        portal_store.set_logo(work, found.id, picture)
        store.update(work, found.id, {"logo": hashlib.sha256(picture).hexdigest() if picture else ""})
        audit.write(work, actor, "application.logo", f"application {found.id}")
        return self.applications.get(work, actor, application_id)

    def logo(self, work: UnitOfWork, client_id: str) -> tuple[str, bytes]:
        found = portal_store.logo(work, client_id)
        if found is None:
            raise NotFound("There is nothing at this address.")
        return found
