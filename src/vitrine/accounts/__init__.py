"""Users, passwords, sessions and rights; Actor = who asks, with which authority."""

from vitrine.accounts.model import COMMAND, NOBODY, Actor, OpenedBy, Session, SessionId, SignIn, User, UserId, Via
from vitrine.accounts.rights import CollectionGrant, DataboxRight, Right, Rights
from vitrine.accounts.service import Accounts, SignInPolicy

__all__ = [
    "COMMAND",
    "NOBODY",
    "Accounts",
    "Actor",
    "CollectionGrant",
    "DataboxRight",
    "OpenedBy",
    "Right",
    "Rights",
    "Session",
    "SessionId",
    "SignIn",
    "SignInPolicy",
    "User",
    "UserId",
    "Via",
]
