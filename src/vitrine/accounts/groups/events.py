"""Events of groups and of rights."""

from dataclasses import dataclass

from vitrine.accounts.groups.model import GroupId
from vitrine.accounts.model import UserId


@dataclass(frozen=True, slots=True)
class GroupChanged:
    """A group was made, renamed or deleted, or its rights changed: the rights of its members are others now."""

    group_id: GroupId
    changed_by: UserId | None


@dataclass(frozen=True, slots=True)
class MembershipChanged:
    group_id: GroupId
    user_id: UserId
    joined: bool
    changed_by: UserId | None
