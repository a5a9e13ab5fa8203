"""Applications that act for their owner by their secret alone, and who may know that secret (docs/decisions/0081)."""

from vitrine.accounts import Actor, UserId
from vitrine.accounts.model import Via
from vitrine.accounts.sessions import Sessions
from vitrine.applications import provenance, store
from vitrine.applications.errors import ActsForAnother, PersonNeeded
from vitrine.applications.model import AccountId, Application
from vitrine.applications.profiles import Switch
from vitrine.platform.database import UnitOfWork

SECRET_NEEDS_PERSON = "A token cannot replace or end the secret of a machine. Sign in and use its settings page."  # noqa: S105


def acting_account(work: UnitOfWork, application: Application) -> tuple[AccountId | None, int | None]:
    """The account of an owner who lets the application act in their name, and that owner's id."""
    if application.creator_id is None:
        return None, None
    account_id = store.acting_account(work, application.creator_id, application.id)
    return account_id, application.creator_id


def acts_for(work: UnitOfWork, application: Application) -> UserId | None:
    """The person for whom the application acts by its secret alone: its first owner, after they agreed themselves."""
    if not application.switches.is_on(Switch.ACTS_AS_OWNER):
        return None
    account_id, user_id = acting_account(work, application)
    return None if account_id is None or user_id is None else UserId(user_id)


def is_machine(work: UnitOfWork, application: Application) -> bool:
    """True if its secret alone gives access, or would as soon as a switch or its kind is changed back."""
    return application.is_machine or acting_account(work, application)[0] is not None


def require_person_to_change(work: UnitOfWork, actor: Actor, application: Application) -> None:
    """Raises PersonNeeded if a token is about to change the kind or profile of a machine, or whether it acts: another
    change could then give the token what it may not have (docs/decisions/0080)."""
    if actor.via is Via.TOKEN and is_machine(work, application):
        raise PersonNeeded(
            "A token cannot change the kind or profile of a machine, or stop it from acting. Sign in and use its "
            "settings page."
        )


def may_see_secret(work: UnitOfWork, actor: Actor, application: Application) -> bool:
    """If the application acts for a person, only they may see its secret: a co-owner or administrator who knew it could
    act as them. The command line may always, since it can read the server key."""
    return actor.via is Via.COMMAND or acts_for(work, application) in (None, actor.user_id)


def require_may_see_secret(work: UnitOfWork, actor: Actor, application: Application) -> None:
    """Raises ActsForAnother if the actor may not see or replace the secret."""
    if not may_see_secret(work, actor, application):
        raise ActsForAnother("This application acts for its owner: only they can see or replace its secret.")


def require_may_change_secrets(work: UnitOfWork, sessions: Sessions, actor: Actor, application: Application) -> None:
    """For a machine: raises PersonNeeded for a token, RecentAuthRequired, and ActsForAnother for anybody but the person
    for whom it acts."""
    if is_machine(work, application):
        provenance.require_person(work, sessions, actor, SECRET_NEEDS_PERSON)
    require_may_see_secret(work, actor, application)
