"""Client secrets: showing, checking, rotating and ending them (design 5.4)."""

from dataclasses import dataclass
from datetime import timedelta

from vitrine.accounts import Actor
from vitrine.accounts.model import Via
from vitrine.applications import machines, portal_store, provenance, secret_views, store
from vitrine.applications.errors import NoSecret
from vitrine.applications.model import Application, ApplicationId, Secret
from vitrine.applications.service import Applications
from vitrine.errors import Invalid
from vitrine.platform import audit
from vitrine.platform.crypto import digest, new_secret, same
from vitrine.platform.database import UnitOfWork

OVERLAPS = {"0": timedelta(0), "24": timedelta(hours=24), "168": timedelta(days=7)}


@dataclass(frozen=True, slots=True)
class ClientSecrets:
    applications: Applications

    def current(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId) -> Secret | None:
        """The newest client secret without its value, which needs no recent authentication; None if all have ended."""
        current = store.current_secret(work, self.applications.get(work, actor, application_id).id)
        return None if current is None else current[0]

    def reveal(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId) -> str:
        """The client secret itself. Raises RecentAuthRequired, ActsForAnother or NoSecret; leaves an audit line (design
        5.4)."""
        application = self.applications.get(work, actor, application_id)
        self.applications.sessions.require_recent_auth(work, actor)
        machines.require_may_see_secret(work, actor, application)
        secret, sealed = self._require(work, application)
        if actor.user_id != application.creator_id:
            store.share_secrets(work, application.id, secret.id)
        secret_views.note(work, secret.id, actor.user_id)
        audit.write(work, actor, "application.secret_shown", f"application {application.id}")
        return self.applications.vault.decrypt(sealed)

    @staticmethod
    def _require(work: UnitOfWork, application: Application) -> tuple[Secret, str]:
        current = store.current_secret(work, application.id)
        if current is None:
            raise NoSecret("This application has no valid secret. Make a new one.")
        return current

    def first(self, work: UnitOfWork, actor: Actor, application: Application) -> str:
        """The client secret of an application that was created in this unit of work through the API. It is returned
        once, to its creator."""
        assert application.created == work.now
        current = store.current_secret(work, application.id)
        assert current is not None
        secret_views.note(work, current[0].id, actor.user_id)
        audit.write(work, actor, "application.secret_shown", f"application {application.id}", {"by": "creation"})
        return self.applications.vault.decrypt(current[1])

    def for_command(self, work: UnitOfWork, application: Application) -> str:
        """The client secret for the command line, which can read the server key."""
        _secret, sealed = self._require(work, application)
        audit.write(work, None, "application.secret_shown", f"application {application.id}", {"by": "command line"})
        return self.applications.vault.decrypt(sealed)

    def live(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId) -> list[Secret]:
        """The live client secrets, the newest first; at most two."""
        return portal_store.secrets(work, self.applications.get(work, actor, application_id).id)

    def rotate(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, overlap: str) -> str:
        """Make a new client secret. The previous one works for another *overlap* hours (a key of OVERLAPS); an older
        one ends at once, so at most two are live. Raises RecentAuthRequired. Where the secret alone gives access, a
        token gets PersonNeeded, and anybody but the person for whom the application acts gets ActsForAnother."""
        application = self.applications.get(work, actor, application_id)
        self.applications.require_recent_auth_in_browser(work, actor)
        machines.require_may_change_secrets(work, self.applications.sessions, actor, application)
        if overlap not in OVERLAPS:
            raise Invalid("Choose how long the old secret goes on working.", field="overlap")
        live = portal_store.secrets(work, application.id)
        portal_store.end_secrets(work, application.id, work.now, but=live[0].id if live else None)
        portal_store.end_secrets(work, application.id, work.now + OVERLAPS[overlap])
        secret = new_secret("cs")
        maker = provenance.maker_of(work, actor)
        is_shared = actor.via is not Via.COMMAND and actor.user_id != application.creator_id
        sealed = self.applications.vault.encrypt(secret)
        store.add_secret(work, application.id, digest(secret), sealed, secret[-4:], maker, is_shared=is_shared)
        secret_views.note(work, portal_store.secrets(work, application.id)[0].id, actor.user_id)
        audit.write(
            work, actor, "application.secret_rotated", f"application {application.id}", {"overlap_hours": overlap}
        )
        return secret

    def offers(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId) -> list[secret_views.RotationOffer]:
        """Secrets known to people who have left since; their rotation is offered."""
        return secret_views.offers(work, self.applications.get(work, actor, application_id).id)

    def end_old_secret(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId) -> None:
        """End all secrets but the newest. Refused as in `rotate` where the secret alone gives access."""
        application = self.applications.get(work, actor, application_id)
        machines.require_may_change_secrets(work, self.applications.sessions, actor, application)
        live = portal_store.secrets(work, application.id)
        portal_store.end_secrets(work, application.id, work.now, but=live[0].id if live else None)
        audit.write(work, actor, "application.secret_ended", f"application {application.id}")

    def is_right(self, work: UnitOfWork, application: Application, value: str) -> bool:
        """True if *value* is a live secret; compares in constant time."""
        presented = digest(value)
        return any(same(known, presented) for known in store.secret_digests(work, application.id))
