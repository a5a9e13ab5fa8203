"""Registration of applications: who may register, see and change one."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from vitrine.accounts import Accounts, Actor, UserId, Via
from vitrine.accounts.credential_revocation import Event
from vitrine.accounts.sessions import Sessions
from vitrine.applications import machines, provenance, store
from vitrine.applications.checks import LIST_SHAPES, Draft, Imported, check, check_credentials
from vitrine.applications.consents import Consents
from vitrine.applications.errors import (
    BadApplication,
    NoSuchApplication,
)
from vitrine.applications.kinds import kind_of
from vitrine.applications.model import (
    OUT_OF_BAND,
    AccountId,
    Application,
    ApplicationId,
)
from vitrine.applications.profiles import Profile, Switch
from vitrine.applications.provenance import Maker
from vitrine.applications.redirects import bad_redirect, fault_of
from vitrine.errors import Forbidden, Invalid
from vitrine.platform import audit
from vitrine.platform.crypto import Vault, digest, last_four, new_secret, random_base62
from vitrine.platform.database import UnitOfWork

CLIENT_ID_LENGTH = 32
NO_TOKEN_LETS_ACT = "A token cannot let an application act in your name. Sign in and use its settings page."  # noqa: S105


@dataclass(frozen=True, slots=True)
class Applications:
    accounts: Accounts
    sessions: Sessions
    consents: Consents
    vault: Vault

    # -- owners -------------------------------------------------------------------------------------------------

    def create(
        self,
        work: UnitOfWork,
        actor: Actor,
        draft: Draft,
        profile: Profile | None = None,
        redirects: list[str] | None = None,
    ) -> Application:
        """Register an application. Raises BadApplication with every fault of the form (07 P4).

        The creator gets an account (01 section 2.1) but gives no consent by this (design 5.2). If *redirects* are
        given, which `ApplicationRegistration` has checked, the draft's callback is ignored."""
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
        application_id = self._add(work, actor.user_id, draft, profile, redirects, client_id, None, maker=maker)
        audit.write(work, actor, "application.created", f"application {application_id}")
        return self._get(work, application_id)

    def import_application(
        self,
        work: UnitOfWork,
        actor: Actor,
        creator_id: int | None,
        imported: Imported,
        redirects: list[str] | None = None,
    ) -> Application:
        """Register an application with the id and secret that it has elsewhere (design 5.5), or with a new secret.

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
        application_id = self._add(
            work, creator_id, imported.draft, imported.profile, redirects, imported.client_id, imported.client_secret,
            more,
        )  # fmt: skip
        audit.write(work, actor, "application.imported", f"application {application_id}")
        return self._get(work, application_id)

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
        application_id = store.add(work, values, redirects, maker)
        secret = secret or new_secret("cs")
        store.add_secret(work, application_id, digest(secret), self.vault.encrypt(secret), last_four(secret), maker)
        if creator_id is not None:
            store.add_account(work, creator_id, application_id)
        return application_id

    def own(self, work: UnitOfWork, actor: Actor, *, limit: int, offset: int = 0, words: str = "") -> list[Application]:
        """A page of the actor's applications, by name."""
        return store.owned_by(work, actor.must_user_id, limit, offset, words)

    def names(self, work: UnitOfWork, ids: Collection[int]) -> dict[int, str]:
        """Names by id, for a page that administrators see. The caller checks that."""
        return store.names(work, ids)

    def get(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId) -> Application:
        """The application, for owners and administrators. Raises NoSuchApplication for everybody else, whether it
        exists or not. An administrator's token with scopes needs `administration` for applications of others."""
        application = store.by_id(work, application_id)
        if application is None or not (actor.administers or self.is_owner(work, actor, application)):
            raise NoSuchApplication("There is no such application of yours.", why=f"application {application_id}")
        return application

    def may_open(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId) -> bool:
        """True if `get` would return the application."""
        application = store.by_id(work, application_id)
        return application is not None and (actor.administers or self.is_owner(work, actor, application))

    def is_owner(self, work: UnitOfWork, actor: Actor, application: Application) -> bool:
        """True for the person who registered it and for co-owners."""
        if actor.user_id is None:
            return False
        return application.creator_id == actor.user_id or store.is_owner(work, actor.user_id, application.id)

    def _get(self, work: UnitOfWork, application_id: ApplicationId) -> Application:
        application = store.by_id(work, application_id)
        assert application is not None
        return application

    def people(self, work: UnitOfWork, applications: list[Application]) -> dict[ApplicationId, int]:
        """How many people allow each of at most a page of applications; `store.MOST_COUNTED` + 1 stands for more."""
        return store.count_people(work, [application.id for application in applications])

    def set_callback(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, callback: str) -> Application:
        """Change the callback URL. A desktop application always keeps the out-of-band address (01 §9)."""
        application = self.get(work, actor, application_id)
        if application.type == "desktop":
            return application
        fault = bad_redirect(callback.strip(), application)
        if fault:
            raise BadApplication({"callback": fault})
        redirects = [
            callback.strip(),
            *(address for address in application.redirects[1:] if address != callback.strip()),
        ]
        store.set_redirects(work, application.id, redirects, provenance.maker_of(work, actor))
        store.update(work, application.id, {})
        audit.write(
            work, actor, "application.callback", f"application {application.id}", {"callback": callback.strip()}
        )
        return self._get(work, application.id)

    def set_switch(
        self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, switch: Switch, *, on: bool
    ) -> Application:
        """Set a switch of design 5.3. Raises Invalid if this kind of application has no such choice."""
        application = self.get(work, actor, application_id)
        if not application.switches.can_choose(switch):
            raise Invalid("This kind of application has no such choice.", field=switch.value)
        if switch is Switch.ACTS_AS_OWNER:
            self._let_act(work, actor, application, on=on)
        store.update(work, application.id, {"switches": {**application.switches.chosen, switch.value: on}})
        self.withdraw_acting_if_off(work, application.id)
        audit.write(work, actor, "application.switch", f"application {application.id}", {switch.value: on})
        return self._get(work, application.id)

    def _let_act(self, work: UnitOfWork, actor: Actor, application: Application, *, on: bool) -> None:
        """Only the owner, after a recent sign-in, can let the application act in their name. Their account stores it,
        so an application that changes hands does not act for its new owner until they agree too."""
        if on and actor.user_id != application.creator_id:
            raise Forbidden("Only its owner can let an application act in their name.")
        if on:  # otherwise a token or a stolen session could widen its own access
            provenance.require_person(work, self.sessions, actor, NO_TOKEN_LETS_ACT)
        machines.require_person_to_change(work, actor, application)
        if on and application.creator_id is not None:
            account = self.consents.ensure_account(work, application.creator_id, application)
            store.update_account(work, account.id, {"acts_alone_since": work.now})

    def withdraw_acting_if_off(self, work: UnitOfWork, application_id: ApplicationId) -> None:
        """End what the application got by acting as its owner if the switch, kind or profile no longer lets it. Every
        change of one of these calls this afterwards."""
        application = self._get(work, application_id)
        if application.creator_id is None or application.switches.is_on(Switch.ACTS_AS_OWNER):
            return
        account = self.consents.account(work, application.creator_id, application)
        if account is not None and account.acts_alone_since is not None:
            self.consents.end_credentials(work, Event.ACTING_WITHDRAWN, application.id, application.creator_id)

    def set_list_shapes(
        self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, shapes: str
    ) -> Application:
        """Choose how lists that the original sent as objects are written for this application (02 section 7)."""
        application = self.get(work, actor, application_id)
        if shapes not in LIST_SHAPES:
            raise Invalid("Choose automatic, lists or objects.", field="list_shapes")
        store.update(work, application.id, {"list_shapes": shapes})
        audit.write(work, actor, "application.list_shapes", f"application {application.id}", {"list_shapes": shapes})
        return self._get(work, application.id)

    def for_token(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId) -> Application:
        """The application for which a developer token is to be made. Raises NoSuchApplication for a caller without an
        account on it (01 section 9), also for administrators, and RecentAuthRequired (07 P12)."""
        application = self.get(work, actor, application_id)
        if self.consents.account(work, actor.must_user_id, application) is None:
            raise NoSuchApplication("There is no such application of yours.", why=f"no account on {application.id}")
        self.require_recent_auth_in_browser(work, actor)
        return application

    def require_recent_auth_in_browser(self, work: UnitOfWork, actor: Actor) -> None:
        """Require recent authentication of a browser session. A program cannot give a password; its token must have the
        scope `applications`, which a person allowed (docs/decisions/0069)."""
        if actor.via is Via.SESSION:
            self.sessions.require_recent_auth(work, actor)

    # -- OAuth and CORS -----------------------------------------------------------------------------------------

    def by_client_id(self, work: UnitOfWork, client_id: str) -> Application | None:
        return store.by_client_id(work, client_id)

    def for_protocol(self, work: UnitOfWork, application_id: ApplicationId) -> Application | None:
        """An application by its id, without a check of rights, for OAuth itself."""
        return store.by_id(work, application_id)

    def acting_account(self, work: UnitOfWork, application: Application) -> tuple[AccountId | None, int | None]:
        """The account of an owner who lets their application act in their name, and who that is."""
        return machines.acting_account(work, application)

    def user_of(self, work: UnitOfWork, account_id: int) -> UserId:
        """The person to whom an account belongs."""
        return UserId(store.user_of(work, account_id))

    def is_origin(self, work: UnitOfWork, origin: str, application_id: int | None = None) -> bool:
        """True if a page of *origin* belongs to an active application, or to this very one (design 5.8)."""
        return bool(origin) and store.is_origin(work, origin, application_id)
