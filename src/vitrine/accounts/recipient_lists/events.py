"""Events of recipient lists."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RecipientListChanged:
    """Its name, its people or who works with it; *is_deleted*: it is gone."""

    list_id: int
    actor_id: int | None
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class RecipientListShared:
    """*role* is what the person may do with the list now; 0: no longer anything."""

    list_id: int
    actor_id: int | None
    user_id: int
    role: int
