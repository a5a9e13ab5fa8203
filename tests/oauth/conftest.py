"""One person with one application of each newer profile; a provider of another organisation."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.oauth.provider import Lying
from vitrine.accounts import User
from vitrine.applications import Profile
from vitrine.testing.server import Registered, Server, Visitor

Make = Callable[..., Server]


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


@pytest.fixture
def provider() -> Iterator[Lying]:
    provider_server = Lying()
    yield provider_server
    provider_server.close()


@pytest.fixture
def make(tmp_path: Path, provider: Lying, database_url: str) -> Iterator[Make]:
    """A server that offers the provider, under the operator's choices."""
    servers: list[Server] = []

    def start(settings: dict[str, Any] | None = None, **choices: Any) -> Server:
        offered = (provider.described(**choices),)
        servers.append(
            Server(tmp_path / "data", sign_in_providers=offered, database_url=database_url, **(settings or {}))
        )
        servers[-1].user("keeper", is_admin=True)
        return servers[-1]

    yield start
    for server in servers:
        server.close()
