"""One person with one application of each newer profile."""

import pytest

from vitrine.accounts import User
from vitrine.applications import Profile
from vitrine.testing.server import Registered, Server, Visitor


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada", first_name="Ada", last_name="Martin", email="ada@example.com")


@pytest.fixture
def visitor(server: Server, ada: User) -> Visitor:
    return server.browser(ada)


@pytest.fixture
def strict(server: Server, ada: User) -> Registered:
    return server.register(ada, profile=Profile.STRICT)


@pytest.fixture
def public(server: Server, ada: User) -> Registered:
    return server.register(ada, profile=Profile.PUBLIC)


@pytest.fixture
def old(server: Server, ada: User) -> Registered:
    return server.register(ada, profile=Profile.COMPATIBILITY)
