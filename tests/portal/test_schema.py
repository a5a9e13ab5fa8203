"""The portal's API against the OpenAPI document: no failure of ours, no answer that the document does not tell of."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis

from tests.schema import CHECKS, call_all
from vitrine.api.v4.applications import ALIASES
from vitrine.applications import Profile
from vitrine.testing.server import Registered, Server


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Registered]]:
    server = Server(Path(tmp_path_factory.mktemp("schema")))
    owner = server.user("ada")
    for _ in range(3):
        server.register(owner, profile=Profile.STRICT)
    yield server, server.register(owner)
    server.close()


def test_every_answer_of_the_portal_is_one_that_the_document_tells_of(place: tuple[Server, Registered]) -> None:
    """Three calls in four come with a token and half of those with an application that exists, so that they get
    beyond the first refusal; the one with the token itself (number 4) is spared."""
    server, app = place
    document = schemathesis.openapi.from_asgi("/api/openapi.json", server.application)
    chosen = document.include(path_regex=r"^/api/applications/")
    counter = itertools.count()

    def call(case: Any) -> None:
        turn = next(counter)
        if turn % 4:
            case.headers = {**(case.headers or {}), "Authorization": f"Bearer {app.developer_token}"}
            if turn % 2 and "id" in (case.path_parameters or {}):
                case.path_parameters["id"] = 1 + turn % 3
            if turn % 3 and "If-Match" in case.headers:
                case.headers["If-Match"] = "*"
        case.call_and_validate(checks=CHECKS)

    assert call_all(chosen, 25, call) == len(ALIASES)
