"""API v4 against its OpenAPI document: no failure of ours, no answer that the document does not tell of."""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis

from tests.schema import CHECKS, call_all
from tests.v4 import prepared
from tests.v4.conftest import V4
from vitrine.accounts import Right
from vitrine.api import openapi
from vitrine.api.v4 import ROUTES, V4Route
from vitrine.library.model import RecordKey
from vitrine.oauth.scopes import BY_NAME
from vitrine.settings import Settings
from vitrine.testing import media_factory
from vitrine.testing.basket_world import BasketWorld
from vitrine.testing.feed_factory import add_feed, publish
from vitrine.testing.feed_factory import picture as published
from vitrine.testing.server import Server

WITH_EXAMPLE = [route for route in ROUTES if route.example is not None]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi.document(Settings(data_dir=Path(), base_url="https://dam.test"))


Callers = tuple[Server, list[str | None]]


@pytest.fixture(scope="module")
def callers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callers]:
    """A server with some records, and the tokens of a user, of an administrator, of somebody with few rights, and
    none."""
    folder = tmp_path_factory.mktemp("schema")
    server = Server(folder / "data")
    ada, root = server.user("ada"), server.user("root", is_admin=True)
    for number in range(3):
        picture = media_factory.jpeg(folder / f"{number}.jpg", 64 + number, 48)
        server.add(picture, ada, (server.photographs, server.archive)[number % 2])
    prepared.every_databox_right(server, ada)
    prepared.story_of(server, 3)
    publish(server, ada, add_feed(server, ada, public=True).id, [published(server)])
    eve = server.user("eve", {int(server.archive.id): Right.actif})
    world, keys = BasketWorld(server), [RecordKey(server.databox.id, number) for number in (1, 2, 3)]
    for owner in (ada, eve, ada):
        basket = world.create(owner, keys if owner is ada else ())
        if owner is ada:
            world.share(ada, basket, eve, can_modify=True)
            world.start_vote(ada, basket, eve, root)
    yield server, [server.token(ada), server.token(root), server.token(eve), None]
    server.close()


@pytest.mark.slow
def test_every_answer_is_one_that_the_document_tells_of(callers: Callers) -> None:
    server, tokens = callers
    chosen = schemathesis.openapi.from_asgi("/api/openapi.json", server.application).include(path_regex=f"^{V4}/")
    counter = itertools.count()

    def call(case: Any) -> None:
        turn = next(counter)
        token = tokens[turn % len(tokens)]
        if token is not None:
            case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}"}
        if case.method == "PUT" and case.path.endswith("/maintenance"):
            case.body = {"on": False}  # else everything after it would be refused
        if turn % 3:
            for name in case.path_parameters or {}:
                case.path_parameters[name] = 1 + turn % 4
        if turn % 5 and "If-Match" in (case.headers or {}):
            case.headers["If-Match"] = "*"
        if turn % 7 and "cursor" in (case.query or {}):
            del case.query["cursor"]
        case.call_and_validate(checks=CHECKS)

    assert call_all(chosen, 25, call) == len(ROUTES)


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
