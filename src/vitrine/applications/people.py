"""The people of an application: its owner, co-owners and test users."""

from dataclasses import dataclass

from vitrine.accounts import Actor, User, UserId
from vitrine.accounts.credential_revocation import Event
from vitrine.accounts.model import Via
from vitrine.applications import portal_store, provenance, store
from vitrine.applications.model import Application, ApplicationId
from vitrine.applications.service import Applications
from vitrine.errors import Conflict, Forbidden, Invalid, NotFound
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork

MOST_PEOPLE = 100


@dataclass(frozen=True, slots=True)
class Person:
    id: int
    login: str
    name: str


@dataclass(frozen=True, slots=True)
class People:
    """The owners, who may change an application, and the test users, who may use it before others."""

    creator: Person | None
    owners: list[Person]
    testers: list[Person]


@dataclass(frozen=True, slots=True)
class ApplicationPeople:
    applications: Applications

    def of(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId) -> People:
        application = self.applications.get(work, actor, application_id)
        creator = (
            self.applications.accounts.known(work, UserId(application.creator_id)) if application.creator_id else None
        )
        return People(
            Person(creator.id, creator.login, creator.display_name) if creator else None,
            [Person(*row) for row in portal_store.people(work, application.id, "owner")],
            [Person(*row) for row in portal_store.people(work, application.id, "tester")],
        )

    def add(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, login: str, role: str) -> User:
        """Add a co-owner or test user, by login or e-mail address. Adding an owner needs recent authentication: raises
        RecentAuthRequired, or PersonNeeded for a token."""
        application = self.applications.get(work, actor, application_id)
        if role == "owner":
            provenance.require_person(
                work,
                self.applications.sessions,
                actor,
                "A token cannot add owners. Sign in and add them on the page of people.",
            )
        person = self._person(work, login, role)
        if len(portal_store.people(work, application.id, role)) >= MOST_PEOPLE:
            raise Conflict("There are 100 people in this list already. Remove one first.", field=role)
        if role == "owner":
            if person.id == application.creator_id:
                raise Conflict("This person owns the application already.", field=role)
            self.applications.consents.ensure_owner_account(work, person.id, application)
        portal_store.add_person(work, application.id, person.id, role)
        store.update(work, application.id, {})
        audit.write(work, actor, f"application.{role}_added", f"application {application.id}", {"user": person.id})
        return person

    def _person(self, work: UnitOfWork, login: str, field: str) -> User:
        try:
            person = self.applications.accounts.find(work, login.strip())
        except NotFound as unknown:
            raise Invalid("Nobody here has this login or e-mail address.", field=field) from unknown
        if person.is_guest:
            raise Invalid("Nobody here has this login or e-mail address.", field=field)
        return person

    def remove(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, user_id: int, role: str) -> None:
        application = self.applications.get(work, actor, application_id)
        if not portal_store.remove_person(work, application.id, user_id, role):
            raise NotFound("This person is not in the list.")
        store.update(work, application.id, {})
        if role == "owner":
            self.applications.consents.end_credentials(work, Event.CO_OWNER_REMOVED, application.id, user_id)
        elif not store.is_owner(work, user_id, application.id):  # an owner may use it without being a test user
            self.applications.consents.end_credentials(work, Event.TESTER_REMOVED, application.id, user_id)
        audit.write(work, actor, f"application.{role}_removed", f"application {application.id}", {"user": user_id})

    def transfer(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, login: str) -> Application:
        """Give an application to another person; the former owner stays as co-owner. Only the first owner and
        administrators may, with recent authentication."""
        application = self.applications.get(work, actor, application_id)
        if not actor.administers and actor.user_id != application.creator_id:
            raise Forbidden("Only the main owner can transfer an application.")
        if actor.via is not Via.COMMAND:
            self.applications.sessions.require_recent_auth(work, actor)
        person = self._person(work, login, "transfer")
        if person.id == application.creator_id:
            raise Conflict("This person owns the application already.", field="transfer")
        portal_store.remove_person(work, application.id, person.id, "owner")
        if application.creator_id is not None:
            portal_store.add_person(work, application.id, application.creator_id, "owner")
        store.update(work, application.id, {"creator_id": person.id})
        store.share_secrets(work, application.id)  # the former owner knows them
        if application.creator_id is not None:
            self.applications.consents.end_credentials(
                work, Event.OWNER_CHANGED, application.id, application.creator_id
            )
        self.applications.consents.ensure_owner_account(work, person.id, application)
        audit.write(
            work, actor, "application.transferred", f"application {application.id}",
            {"from": application.creator_id, "to": person.id},
        )  # fmt: skip
        return self.applications.get(work, actor, application_id) if actor.administers else application

    def set_only_testers(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, *, on: bool) -> None:
        application = self.applications.get(work, actor, application_id)
        store.update(work, application.id, {"only_testers": on})
        audit.write(work, actor, "application.only_testers", f"application {application.id}", {"on": on})
