"""The OAuth routes against the OpenAPI document: no failure of ours, no answer that the document does not tell of."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.oauth.flows import act_as_owner
from vitrine.api.oauthv2.table import OPERATIONS
from vitrine.applications import Profile, Switch
from vitrine.testing.server import Registered, Server

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Registered]]:
    server = Server(Path(tmp_path_factory.mktemp("schema")))
    ada = server.user("ada")
    app = server.register(ada, profile=Profile.STRICT, on=(Switch.PASSWORD_GRANT,))
    act_as_owner(server, ada, app)
    yield server, app
    server.close()


def test_every_answer_of_the_oauth_routes_is_one_that_the_document_tells_of(place: tuple[Server, Registered]) -> None:
    """Half of the calls come from an application that is known, so that they get beyond the first refusal."""
    server, app = place
    document = schemathesis.openapi.from_asgi("/api/openapi.json", server.application)
    chosen = document.include(path_regex=r"^/(api/oauthv2|\.well-known)/")
    seen = 0
    found: Any
    for found in chosen.get_all_operations():
        operation = found.ok()
        seen += 1

        @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(case=operation.as_strategy())
        def call(case: Any) -> None:
            if isinstance(case.body, dict) and len(str(case.body)) % 2:
                case.body |= {"client_id": app.client_id, "client_secret": app.secret}
            case.call_and_validate(checks=CHECKS)

        call()
    assert seen == len(OPERATIONS)
