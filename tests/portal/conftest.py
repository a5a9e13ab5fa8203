"""One person with one strict application and tokens of several widths."""

from collections.abc import Callable

import pytest

from vitrine.accounts import User, Via
from vitrine.applications import Profile
from vitrine.testing.server import Registered, Server, Visitor

Minted = Callable[..., str]
API = "/api/applications/"


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada", first_name="Ada", last_name="Martin", email="ada@museum.example")


@pytest.fixture
def app(server: Server, ada: User) -> Registered:
    return server.register(ada, profile=Profile.STRICT)


@pytest.fixture
def visitor(server: Server, ada: User) -> Visitor:
    return server.browser(ada)


@pytest.fixture
def minted(server: Server) -> Minted:
    """A named developer token of *user* with *scopes*."""

    def make(user: User, app: Registered, *scopes: str, name: str = "") -> str:
        with server.services.database.write() as work:
            actor = server.services.accounts.users.actor_of(work, user, Via.COMMAND)
            wanted = frozenset(scopes) if scopes else None
            return server.services.oauth.personal_tokens.add(
                work, actor, app.application, name or str(scopes)[:80], "90", wanted
            )

    return make
