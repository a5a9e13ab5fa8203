"""A person with a record in each of two collections, and calls of API v4."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vitrine.accounts import User
from vitrine.library.model import RecordKey
from vitrine.testing import media_factory
from vitrine.testing.server import Server

V4 = "/api/v4"
Call = Callable[..., Any]


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada", first_name="Ada", last_name="Martin", email="ada@museum.example")


@pytest.fixture
def token(server: Server, ada: User) -> str:
    return server.token(ada)


@pytest.fixture
def call(server: Server, token: str) -> Call:
    """A call of a path of v4 with ada's token, unless *token* says otherwise; other names are headers."""

    def send(method: str, path: str, body: Any = None, *, token: str = token, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return server.call(method, V4 + path, token, json=body, headers=named)

    return send


@pytest.fixture
def key(server: Server, ada: User, tmp_path: Path) -> RecordKey:
    return server.add(media_factory.jpeg(tmp_path / "harbour.jpg", 64, 48), ada)


def path_of(key: RecordKey) -> str:
    return f"/records/{key.databox}/{key.number}"
