"""People with rights on databoxes, as services take them."""

from vitrine.accounts import COMMAND, Actor, DataboxRight, Right, User, Via
from vitrine.accounts.rights import ALL_RIGHTS
from vitrine.testing.server import Server

STRUCTURE = DataboxRight.bas_modify_struct
MANAGES = DataboxRight.bas_manage
NOTHING = DataboxRight(0)


def person(server: Server, login: str, on_databox: DataboxRight = NOTHING, rights: Right | None = ALL_RIGHTS) -> User:
    user = server.user(login, rights)
    if on_databox:
        with server.services.database.write() as work:
            server.services.accounts.users.grant_databox(work, COMMAND, user.id, server.databox.id, on_databox)
    return user


def actor(server: Server, user: User) -> Actor:
    """The person with the rights of now."""
    users = server.services.accounts.users
    with server.services.database.read() as work:
        return users.actor_of(work, users.get(work, user.id), Via.SESSION)
