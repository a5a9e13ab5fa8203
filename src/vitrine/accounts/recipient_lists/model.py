"""Values of recipient lists."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from vitrine.accounts.model import User, UserId

MOST_LISTS = 100  # with which one person works
MOST_MEMBERS = 100  # of a list: as many as one push reaches
MOST_ROLES = 20  # people who work with a list
LONGEST_NAME = 128


class Role(IntEnum):
    """What somebody may do with a list; each may do what those before it may (06 section 16)."""

    USER = 1  # send to it
    EDITOR = 2  # add and remove people, rename
    ADMINISTRATOR = 3  # say who works with it, delete


@dataclass(frozen=True, slots=True)
class RecipientList:
    """*role* is that of the reader. *version* grows with each change."""

    id: int
    name: str
    version: int
    created: datetime
    updated: datetime
    role: Role


@dataclass(frozen=True, slots=True)
class ListMember:
    """Somebody who gets what is sent to the list."""

    user: User
    added_by: UserId | None
    added: datetime


@dataclass(frozen=True, slots=True)
class ListRole:
    """Somebody who works with the list."""

    user: User
    role: Role


@dataclass(frozen=True, slots=True)
class Members:
    """*shown* are those whom the reader may know, *hidden* how many others there are."""

    shown: tuple[ListMember, ...]
    hidden: int
