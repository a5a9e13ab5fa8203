"""The OAuth routes against the OpenAPI document: no server error, no undocumented response."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis

from tests.oauth.flows import act_as_owner
from tests.schema import CHECKS, call_all
from vitrine.api.oauthv2.table import OPERATIONS
from vitrine.applications import Profile, Switch
from vitrine.testing.server import Registered, Server


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Registered]]:
    server = Server(Path(tmp_path_factory.mktemp("schema")))
    ada = server.user("ada")
    app = server.register(ada, profile=Profile.STRICT, on=(Switch.PASSWORD_GRANT,))
    act_as_owner(server, ada, app)
    yield server, app
    server.close()


def test_every_answer_of_the_oauth_routes_is_one_that_the_document_tells_of(place: tuple[Server, Registered]) -> None:
    """Half of the calls come from a registered application, so that they pass client authentication."""
    server, app = place
    document = schemathesis.openapi.from_asgi("/api/openapi.json", server.application)
    chosen = document.include(path_regex=r"^/(api/oauthv2|\.well-known)/")

    def call(case: Any) -> None:
        if isinstance(case.body, dict) and len(str(case.body)) % 2:
            case.body |= {"client_id": app.client_id, "client_secret": app.secret}
        case.call_and_validate(checks=CHECKS)

    assert call_all(chosen, 40, call) == len(OPERATIONS)
