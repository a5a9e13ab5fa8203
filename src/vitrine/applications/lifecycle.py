"""Applications suspended, approved, deleted and restored."""

from dataclasses import dataclass

from vitrine.accounts import Actor
from vitrine.accounts.credential_revocation import Event
from vitrine.applications import portal_store, store
from vitrine.applications.errors import NoSuchApplication
from vitrine.applications.model import Application, ApplicationId
from vitrine.applications.service import Applications
from vitrine.errors import Forbidden, Invalid
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork


@dataclass(frozen=True, slots=True)
class ApplicationLifecycle:
    applications: Applications

    def suspend(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, reason: str, *, by: str) -> None:
        """Refuse all use until `resume`. *by* is owner or admin; only administrators lift a suspension by an
        administrator."""
        application = self.applications.get(work, actor, application_id)
        self._require_administrator(actor, by)
        if not application.activated and application.suspended_by == "admin" and by != "admin":
            raise Forbidden("An administrator suspended this application.")
        reason = reason.strip()
        if not reason or len(reason) > 500:
            raise Invalid("Say in a sentence why; its users and owners read it.", field="reason")
        store.update(work, application.id, {"activated": False, "suspended_by": by, "suspended_reason": reason})
        self.applications.consents.end_credentials(work, Event.APPLICATION_SUSPENDED, application.id)
        audit.write(work, actor, "application.suspended", f"application {application.id}", {"by": by, "reason": reason})

    def resume(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, *, by: str) -> None:
        application = self.applications.get(work, actor, application_id)
        self._require_administrator(actor, by)
        if application.suspended_by == "admin" and not actor.administers:
            raise Forbidden("An administrator suspended this application.")
        store.update(work, application.id, {"activated": True, "suspended_by": "", "suspended_reason": ""})
        audit.write(work, actor, "application.resumed", f"application {application.id}", {"by": by})

    @staticmethod
    def _require_administrator(actor: Actor, by: str) -> None:
        if by == "admin" and not actor.administers:
            raise Forbidden("This is for administrators.")

    def decide(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, *, yes: bool, reason: str) -> None:
        """Approve or refuse an application. A refusal names its reason."""
        self._require_administrator(actor, "admin")
        application = self.applications.get(work, actor, application_id)
        if not yes and not reason.strip():
            raise Invalid("Say in a sentence why; its users and owners read it.", field="reason")
        store.update(
            work, application.id, {"approval": "yes" if yes else "no", "approval_reason": reason.strip()[:500]}
        )
        action = "application.approved" if yes else "application.refused"
        audit.write(work, actor, action, f"application {application.id}", {"reason": reason.strip()[:500]})

    def every(self, work: UnitOfWork, actor: Actor, *, limit: int, offset: int, words: str) -> list[Application]:
        self._require_administrator(actor, "admin")
        return portal_store.every(work, limit, offset, words)

    def deleted(
        self, work: UnitOfWork, actor: Actor, *, limit: int, offset: int = 0, words: str = ""
    ) -> list[Application]:
        """A page of the actor's own deleted applications that can still be restored."""
        return portal_store.deleted_of(work, actor.must_user_id, limit, offset, words)

    def restore(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId) -> Application:
        """Undo a deletion within 14 days. Raises NoSuchApplication after that and for people without rights."""
        application = portal_store.deleted(work, application_id)
        if application is None or not (actor.administers or self.applications.is_owner(work, actor, application)):
            raise NoSuchApplication("There is no such application of yours.", why=f"application {application_id}")
        store.update(work, application.id, {"deleted_at": None})
        audit.write(work, actor, "application.restored", f"application {application.id}", {"name": application.name})
        return self.applications.get(work, actor, application_id)

    def delete(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId) -> None:
        """Delete an application; all its use is refused at once. `restore` undoes this for 14 days, then its accounts,
        codes and tokens are deleted too (`portal_store.purge`)."""
        application = self.applications.get(work, actor, application_id)
        store.update(work, application.id, {"deleted_at": work.now})
        self.applications.consents.end_credentials(work, Event.APPLICATION_DELETED, application.id)
        audit.write(work, actor, "application.deleted", f"application {application.id}", {"name": application.name})
