"""Values of groups and templates."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from vitrine.accounts.model import UserId
from vitrine.accounts.rights import CollectionGrant, DataboxRight

GroupId = NewType("GroupId", int)
TemplateId = NewType("TemplateId", int)


@dataclass(frozen=True, slots=True)
class Group:
    """*version* grows with each change of the group or of its rights."""

    id: GroupId
    name: str
    description: str
    version: int
    created: datetime
    updated: datetime


@dataclass(frozen=True, slots=True)
class GroupRights:
    collections: Mapping[int, CollectionGrant]
    databoxes: Mapping[int, DataboxRight]


@dataclass(frozen=True, slots=True)
class Member:
    user_id: UserId
    login: str
    display_name: str
    added: datetime


@dataclass(frozen=True, slots=True)
class Template:
    id: TemplateId
    owner_id: UserId
    name: str
    updated: datetime


@dataclass(frozen=True, slots=True)
class Applied:
    """What a template gave: *left_out* are collections on which its owner may not give what it has, any more."""

    given: tuple[int, ...]
    left_out: tuple[int, ...]
