"""Registering and editing applications beyond contract 07: texts, kind, redirect addresses, logo."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vitrine.accounts import Actor
from vitrine.applications import machines, portal_store, provenance, store
from vitrine.applications.checks import Draft, check
from vitrine.applications.errors import BadApplication
from vitrine.applications.kinds import KIND_NAMES, KINDS, ApplicationKind, kind_of
from vitrine.applications.model import OUT_OF_BAND, Application, ApplicationId
from vitrine.applications.profiles import Switch
from vitrine.applications.redirects import bad_redirect, fault_of
from vitrine.applications.service import Applications
from vitrine.applications.texts import TEXTS, check_texts
from vitrine.errors import Invalid, NotFound
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork

MOST_REDIRECTS = 20


@dataclass(frozen=True, slots=True)
class ApplicationRegistration:
    applications: Applications
    needs_approval: bool = False

    # -- registering and editing ---------------------------------------------------------------------------------

    def create(self, work: UnitOfWork, actor: Actor, draft: Draft, kind: ApplicationKind | None) -> Application:
        """Register an application of *kind*; if it is None (old forms), the type decides. Raises BadApplication."""
        wanted = kind or (ApplicationKind.DEVICE if draft.type == "desktop" else ApplicationKind.SERVER)
        facts, callback = KINDS[wanted], draft.callback.strip()
        draft = Draft(draft.name, draft.description, draft.website, facts.type, callback)
        faults = check(draft, returns=facts.returns and not callback)
        if callback and kind is not ApplicationKind.MACHINE and not (kind is None and wanted is ApplicationKind.DEVICE):
            fault = fault_of(callback, wanted, facts.profile)
            faults |= {"callback": fault} if fault else {}
            redirects = (
                [callback]
                if callback == OUT_OF_BAND or wanted is not ApplicationKind.DEVICE
                else [OUT_OF_BAND, callback]
            )
        else:
            redirects = [OUT_OF_BAND] if wanted is ApplicationKind.DEVICE else []
        if faults:
            raise BadApplication(faults)
        application = self.applications.create(work, actor, draft, facts.profile, redirects)
        return self.complete_registration(work, actor, application, wanted if kind else None)

    def complete_registration(
        self,
        work: UnitOfWork,
        actor: Actor,
        application: Application,
        kind: ApplicationKind | None,
        *,
        acts: bool = True,
    ) -> Application:
        """Apply the kind and the rules of this instance to a new application. *acts*: a machine acts for the person who
        registers it, who can change that on the settings page."""
        changes: dict[str, Any] = {"kind": kind.value} if kind else {}
        if self.needs_approval and not actor.administers:
            changes["approval"] = "waiting"
        store.update(work, application.id, changes)
        if kind is ApplicationKind.MACHINE and acts:
            self.applications.set_switch(work, actor, application.id, Switch.ACTS_AS_OWNER, on=True)
        return self.applications.get(work, actor, application.id)

    def edit(
        self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, texts: Mapping[str, str]
    ) -> Application:
        """Change the texts that people read. Raises BadApplication with every fault of a changed text at once; an
        imported or older application keeps unusual ones until they are changed."""
        application = self.applications.get(work, actor, application_id)
        wanted = {name: texts.get(name, getattr(application, name)).strip() for name in TEXTS}
        changed = {name for name in TEXTS if getattr(application, name) != wanted[name]}
        faults = {name: text for name, text in check_texts(wanted).items() if name in changed}
        if faults:
            raise BadApplication(faults)
        before = {name: getattr(application, name) for name in TEXTS if getattr(application, name) != wanted[name]}
        if before:
            store.update(work, application.id, wanted)
            audit.write(work, actor, "application.edited", f"application {application.id}", {"before": before})
        return self.applications.get(work, actor, application_id)

    def set_kind(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, kind: str) -> Application:
        """Change the kind, and with it the profile; choices that it does not have are reset (design 5.3)."""
        application = self.applications.get(work, actor, application_id)
        if kind not in KIND_NAMES:
            raise Invalid("Choose one of the kinds.", field="kind")
        wanted = ApplicationKind(kind)
        facts = KINDS[wanted]
        before = kind_of(application.kind, application.type, application.switches.profile)
        if wanted is before:
            return application
        machines.require_person_to_change(work, actor, application)
        redirects = [address for address in application.redirects if address != OUT_OF_BAND]
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
        store.update(work, application.id, values)
        store.set_redirects(work, application.id, redirects)
        self.applications.withdraw_acting_if_off(work, application.id)
        audit.write(
            work, actor, "application.kind", f"application {application.id}", {"kind": kind, "before": before.value}
        )
        return self.applications.get(work, actor, application_id)

    # -- redirect addresses --------------------------------------------------------------------------------------

    def change_redirect(
        self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, old: str, new: str
    ) -> Application:
        """Add (*old* empty), change, or remove (*new* empty) one address. Raises BadApplication or Invalid."""
        application = self.applications.get(work, actor, application_id)
        new = new.strip()
        kept = list(application.redirects)
        if old and (old not in kept or old == OUT_OF_BAND):
            raise Invalid("This address is not one of the application's own.", field="redirect")
        if new:
            fault = bad_redirect(new, application)
            if new in kept and new != old:
                fault = "This address is in the list already."
            if not old and len(kept) >= MOST_REDIRECTS:
                fault = "An application has at most 20 addresses. Remove one first."
            if fault:
                raise BadApplication({"redirect": fault})
            kept = [new if address == old else address for address in kept] if old else [*kept, new]
        else:
            kept.remove(old)
            if not kept and KINDS[kind_of(application.kind, application.type, application.switches.profile)].returns:
                raise Invalid("This is the only address. Add another one before you remove it.", field="redirect")
        store.set_redirects(work, application.id, kept, provenance.maker_of(work, actor))
        store.update(work, application.id, {})
        audit.write(
            work, actor, "application.redirects", f"application {application.id}", {"before": old, "after": new}
        )
        return self.applications.get(work, actor, application_id)

    # -- logo ----------------------------------------------------------------------------------------------------

    def set_logo(
        self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, picture: bytes | None
    ) -> Application:
        """*picture* is a small PNG that our own child made; None takes the logo away."""
        application = self.applications.get(work, actor, application_id)
        portal_store.set_logo(work, application.id, picture)
        store.update(work, application.id, {"logo": hashlib.sha256(picture).hexdigest() if picture else ""})
        audit.write(work, actor, "application.logo", f"application {application.id}")
        return self.applications.get(work, actor, application_id)

    def logo(self, work: UnitOfWork, client_id: str) -> tuple[str, bytes]:
        logo = portal_store.logo(work, client_id)
        if logo is None:
            raise NotFound("There is nothing at this address.")
        return logo
