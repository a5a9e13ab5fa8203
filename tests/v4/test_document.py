"""API v4 against its OpenAPI document: examples work, words are plain (tests/documents holds answers against it)."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.v4 import prepared
from tests.v4.conftest import V4
from vitrine.api import openapi
from vitrine.api.v4 import ROUTES, V4Route
from vitrine.oauth.scopes import BY_NAME
from vitrine.settings import Settings
from vitrine.testing import media_factory
from vitrine.testing.server import Server

WITH_EXAMPLE = [route for route in ROUTES if route.example is not None]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi.document(Settings(data_dir=Path(), base_url="https://dam.test"))


@pytest.mark.parametrize("route", WITH_EXAMPLE, ids=lambda route: f"{route.method} {route.path}")
def test_examples_of_bodies_work(server: Server, tmp_path: Path, route: V4Route) -> None:
    """On a server of its own with a record, and with what the part of the API needs besides (`prepared.py`)."""
    ada, root = server.user("ada"), server.user("root", is_admin=True)
    picture = media_factory.jpeg(tmp_path / "harbour.jpg", 64, 48)
    server.add(picture, ada)
    prepared.every_databox_right(server, ada)
    named = prepared.BY_TAG.get(route.tag, prepared.nothing)(prepared.World(server, ada, picture), route)
    path = V4 + re.sub(r"\{(\w+)(:int)?\}", lambda match: str(named.get(match[1], 1)), route.path)
    token = server.token(root if route.needs in prepared.OF_ADMINISTRATORS else ada)
    answer = server.call(route.method, path, token, json=route.example, headers={"If-Match": "*"})
    assert answer.status_code == route.status, answer.text


def test_every_post_and_patch_with_a_body_has_an_example_or_is_of_an_application() -> None:
    bodies = [route for route in ROUTES if route.body is not None and route.tag != "applications"]
    assert [route.path for route in bodies if route.example is None and not route.media_type] == []


def test_the_document_speaks_plainly(document: dict[str, Any]) -> None:
    described = {path: methods for path, methods in document["paths"].items() if path.startswith(V4)}
    assert len(described) == len({route.path for route in ROUTES})
    text = repr(described)
    assert "§" not in text
    assert "ontract" not in text
    for methods in described.values():
        for operation in methods.values():
            assert operation["summary"]
            assert BY_NAME[operation["security"][1]["oauth2"][0]]
            assert {"200", "201", "202", "204"} & set(operation["responses"])


def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    assert len(names) == len(set(names))


def test_every_schema_that_is_named_is_there_and_used(document: dict[str, Any]) -> None:
    named = set(re.findall(r"#/components/schemas/(\w+)", repr(document)))
    assert named == set(document["components"]["schemas"])
