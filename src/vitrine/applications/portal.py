"""What owners and administrators do with applications beyond contract 07: edit, share, rotate, suspend, bring back."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from vitrine.accounts import Actor, User, UserId
from vitrine.accounts.model import Via
from vitrine.applications import portal_store, service, store
from vitrine.applications.errors import BadApplication, NoSuchApplication
from vitrine.applications.kinds import KIND_NAMES, KINDS, Kind, kind_of, may_have_scheme
from vitrine.applications.model import OUT_OF_BAND, Application, ApplicationId, Secret
from vitrine.applications.profiles import Profile, Switch
from vitrine.applications.service import Applications, Draft
from vitrine.errors import Conflict, Forbidden, Invalid, NotFound
from vitrine.platform import audit
from vitrine.platform.crypto import digest, new_secret
from vitrine.platform.database import UnitOfWork

OVERLAPS = {"0": timedelta(0), "24": timedelta(hours=24), "168": timedelta(days=7)}
MOST_REDIRECTS = 20
MOST_PEOPLE = 100
FORMAT = 1
TEXTS = ("name", "description", "website", "publisher", "privacy_url", "terms_url", "contact")
_SWITCHES = frozenset(one.value for one in Switch)
_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:/[^\s\\]*")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


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

    def create(self, work: UnitOfWork, actor: Actor, draft: Draft, kind: Kind | None) -> Application:
        """Register an application of *kind*; without one (old forms) its type decides. Raises BadApplication."""
        facts = KINDS[kind] if kind else None
        callback = draft.callback.strip()
        own_scheme = kind is Kind.PAGE and not callback.startswith("http") and not bad_redirect(callback, None, "page")
        if kind is Kind.MACHINE or own_scheme:  # no callback that `Applications.create` could check
            draft = Draft(draft.name, draft.description, draft.website, "desktop")
        made = self.applications.create(work, actor, draft, facts.profile if facts else None)
        changes: dict[str, Any] = {"kind": kind.value} if kind else {}
        if facts is not None and made.type != facts.type:
            changes["type"] = facts.type
            store.set_redirects(work, made.id, [callback] if own_scheme else [])
        if self.needs_approval and not actor.is_admin:
            changes["approval"] = "waiting"
        store.update(work, made.id, changes)
        if kind is Kind.MACHINE:  # what this kind is for; its owner makes it and can take it back on the settings page
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
        wanted = Kind(kind)
        facts = KINDS[wanted]
        before = kind_of(found.kind, found.type, found.switches.profile)
        if wanted is before:
            return found
        profile = facts.profile or Profile.STRICT
        redirects = [one for one in found.redirects if one != OUT_OF_BAND]
        if wanted is Kind.DEVICE:
            redirects = [OUT_OF_BAND, *redirects]
        elif facts.returns and not redirects:
            raise Invalid("Add an address to return to first: this kind needs one.", field="kind")
        values: dict[str, Any] = {"kind": wanted.value, "type": facts.type, "profile": profile.value, "switches": {}}
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
        store.set_redirects(work, found.id, kept)
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
        """Make somebody co-owner or test user, by login or e-mail address."""
        found = self.applications.get(work, actor, application_id)
        person = self._person(work, login, role)
        if len(portal_store.people(work, found.id, role)) >= MOST_PEOPLE:
            raise Conflict("There are 100 people in this list already. Remove one first.", field=role)
        if role == "owner":
            if person.id == found.creator_id:
                raise Conflict("This person owns the application already.", field=role)
            self.applications.ensure_owner_account(work, person.id, found)
        portal_store.add_person(work, found.id, person.id, role)
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
        audit.write(work, actor, f"application.{role}_removed", f"application {found.id}", {"user": user_id})

    def transfer(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, login: str) -> Application:
        """Give an application to somebody else; who had it stays as co-owner. Only its first owner and administrators
        may, shortly after signing in."""
        found = self.applications.get(work, actor, application_id)
        if not actor.is_admin and actor.user_id != found.creator_id:
            raise Forbidden("Only the person to whom it belongs can give an application away.")
        self._require_fresh(work, actor)
        person = self._person(work, login, "transfer")
        if person.id == found.creator_id:
            raise Conflict("This person owns the application already.", field="transfer")
        portal_store.remove_person(work, found.id, person.id, "owner")
        if found.creator_id is not None:
            portal_store.add_person(work, found.id, found.creator_id, "owner")
        store.update(work, found.id, {"creator_id": person.id})
        self.applications.ensure_owner_account(work, person.id, found)
        audit.write(
            work, actor, "application.transferred", f"application {found.id}",
            {"from": found.creator_id, "to": person.id},
        )  # fmt: skip
        return self.applications.get(work, actor, application_id) if actor.is_admin else found

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
        at once, so that two live at most. Raises NotFresh."""
        found = self.applications.get(work, actor, application_id)
        self._require_fresh(work, actor)
        if overlap not in OVERLAPS:
            raise Invalid("Choose how long the old secret goes on working.", field="overlap")
        live = portal_store.secrets(work, found.id)
        portal_store.end_secrets(work, found.id, work.now, but=live[0].id if live else None)
        portal_store.end_secrets(work, found.id, work.now + OVERLAPS[overlap])
        secret = new_secret("cs")
        store.add_secret(work, found.id, digest(secret), self.applications.vault.encrypt(secret), secret[-4:])
        audit.write(work, actor, "application.secret_rotated", f"application {found.id}", {"overlap_hours": overlap})
        return secret

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
        if actor.via is not Via.COMMAND:
            self.applications.accounts.require_fresh(work, actor)

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
        audit.write(work, actor, "application.suspended", f"application {found.id}", {"by": by, "reason": reason})

    def resume(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, *, by: str) -> None:
        found = self.applications.get(work, actor, application_id)
        self._by(actor, by)
        if found.suspended_by == "admin" and not actor.is_admin:
            raise Forbidden("An administrator suspended this application.")
        store.update(work, found.id, {"activated": True, "suspended_by": "", "suspended_reason": ""})
        audit.write(work, actor, "application.resumed", f"application {found.id}", {"by": by})

    @staticmethod
    def _by(actor: Actor, by: str) -> None:
        if by == "admin" and not actor.is_admin:
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
        if found is None or not (actor.is_admin or self.applications.is_owner(work, actor, found)):
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

    # -- as a file -----------------------------------------------------------------------------------------------

    def export(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId) -> dict[str, Any]:
        """The description of an application, without secrets: what `bring_in` takes on any instance."""
        found = self.applications.get(work, actor, application_id)
        return {
            "vitrine_application": FORMAT,
            **{name: getattr(found, name) for name in TEXTS},
            "kind": kind_of(found.kind, found.type, found.switches.profile).value,
            "redirect_uris": [one for one in found.redirects if one != OUT_OF_BAND],
            "switches": dict(found.switches.chosen),
            "list_shapes": found.list_shapes,
            "only_testers": found.only_testers,
        }

    def bring_in(self, work: UnitOfWork, actor: Actor, given: Any) -> Application:
        """Register an application from its description. Raises Invalid or BadApplication, naming the field."""
        described = _described(given)
        redirects = described["redirect_uris"]
        kind = Kind(described["kind"])
        draft = Draft(
            described["name"], described["description"], described["website"], KINDS[kind].type,
            redirects[0] if redirects else "",
        )  # fmt: skip
        made = self.create(work, actor, draft, kind)
        for address in redirects:
            current = self.applications.get(work, actor, made.id)
            if address not in current.redirects:
                self.change_redirect(work, actor, made.id, "", address)
        self.edit(work, actor, made.id, {name: described[name] for name in TEXTS})
        self.applications.set_list_shapes(work, actor, made.id, described["list_shapes"])
        self.set_only_testers(work, actor, made.id, on=described["only_testers"])
        for switch, on in described["switches"].items():
            if switch not in _SWITCHES:
                raise Invalid("The file has a switch that is not known here: {name}.", field="switches",
                              values={"name": switch})  # fmt: skip
            self.applications.set_switch(work, actor, made.id, Switch(switch), on=on)
        return self.applications.get(work, actor, made.id)


def _described(given: Any) -> dict[str, Any]:
    """The description with a value for every key; what is missing is empty, what is wrong is named."""
    if not isinstance(given, dict) or given.get("vitrine_application") != FORMAT:
        raise Invalid("This file does not describe an application: vitrine_application must be 1.", field="file")
    whole: dict[str, Any] = {
        **dict.fromkeys(TEXTS, ""), "kind": "server", "redirect_uris": [], "switches": {},
        "list_shapes": "automatic", "only_testers": False, "vitrine_application": FORMAT,
    }  # fmt: skip
    unknown = sorted(set(map(str, given)) - set(whole))
    if unknown:
        raise Invalid("The file has a key that is not known here: {name}.", field="file", values={"name": unknown[0]})
    for name, default in whole.items():
        value = given.get(name, default)
        fits = type(value) is type(default)
        if name == "redirect_uris":
            fits = fits and all(isinstance(one, str) for one in value) and len(value) <= MOST_REDIRECTS
        if name == "switches":
            fits = fits and all(isinstance(one, bool) for one in value.values())
        if name == "kind":
            fits = fits and value in KIND_NAMES
        if not fits:
            raise Invalid("The value of {name} in the file cannot be used.", field="file", values={"name": name})
        whole[name] = value
    return whole


def check_texts(wanted: Mapping[str, str]) -> dict[str, str]:
    """Faults of the texts of an application, by field."""
    callback = "https://callback.invalid/"
    faults = service.check(Draft(wanted["name"], wanted["description"], wanted["website"], "web", callback))
    if len(wanted["description"]) > 2000:
        faults["description"] = "A description has at most 2000 characters."
    if len(wanted["publisher"]) > 128:
        faults["publisher"] = "A publisher's name has at most 128 characters."
    for name in ("privacy_url", "terms_url"):
        fault = service.bad_url(wanted[name]) if wanted[name] else None
        if fault:
            faults[name] = fault
    contact = wanted["contact"]
    if contact and (len(contact) > 254 or not _EMAIL.fullmatch(contact)):
        faults["contact"] = "This is not an e-mail address."
    return faults


def bad_redirect(address: str, application: Application | None, kind: str = "") -> str | None:
    """A sentence about what is wrong with an address to return to, None when it can be used. Native applications may
    have a scheme of their own with a dot in it (RFC 8252 section 7.1)."""
    native = may_have_scheme(application.switches.redirects) if application else kind in (Kind.PAGE, Kind.DEVICE)
    scheme = urlsplit(address).scheme if ":" in address else ""
    if native and scheme not in ("", "http", "https"):
        if len(address) <= service.LONGEST_URL and _SCHEME.fullmatch(address) and "#" not in address:
            return None
        return "A scheme of your own is a domain name backwards, such as com.example.app:/return."
    return service.bad_callback(address)
