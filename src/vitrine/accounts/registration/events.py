"""Events of registration; webhooks call them user.registration.granted and .rejected."""

from dataclasses import dataclass

from vitrine.accounts.model import UserId


@dataclass(frozen=True, slots=True)
class RegistrationRequested:
    """A person waits for a decision about these collections."""

    user_id: UserId
    base_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RegistrationGranted:
    """*granted_by* is None if a rule of the collection did it."""

    user_id: UserId
    base_ids: tuple[int, ...]
    granted_by: UserId | None


@dataclass(frozen=True, slots=True)
class RegistrationRejected:
    user_id: UserId
    base_ids: tuple[int, ...]
    rejected_by: UserId | None


@dataclass(frozen=True, slots=True)
class RegistrationPolicyChanged:
    """A databox or collection takes requests by other rules now; *place* is `databox 1` or `collection 1`."""

    place: str
    actor_id: UserId | None
