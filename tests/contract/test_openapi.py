"""The OpenAPI document: how a caller gets a token, and which answers there are."""

from pathlib import Path
from typing import Any

import pytest
from schemathesis.openapi import from_dict

from tests.contract.conftest import undeclared
from vitrine.api import openapi
from vitrine.oauth.scopes import BY_NAME
from vitrine.settings import Settings


def document(**settings: Any) -> dict[str, Any]:
    return openapi.document(Settings(data_dir=Path(), base_url="https://dam.test", **settings))


def test_the_document_is_one() -> None:
    from_dict(document()).validate()


@pytest.mark.parametrize(
    ("policy", "flows"),
    [
        ("refuse", {"authorizationCode", "clientCredentials"}),
        ("flagged", {"authorizationCode", "clientCredentials", "implicit", "password"}),
    ],
)
def test_the_flows_are_those_that_the_server_offers(policy: str, flows: set[str]) -> None:
    scheme = document(deprecated_features=policy)["components"]["securitySchemes"]["oauth2"]
    assert (scheme["type"], set(scheme["flows"])) == ("oauth2", flows)
    code = scheme["flows"]["authorizationCode"]
    assert code["authorizationUrl"] == "https://dam.test/api/oauthv2/authorize"
    assert code["tokenUrl"] == code["refreshUrl"] == "https://dam.test/api/oauthv2/token"
    assert all(set(flow["scopes"]) == set(BY_NAME) for flow in scheme["flows"].values())


def test_every_operation_with_a_token_names_its_scope() -> None:
    paths = document()["paths"]
    secured = [operation for methods in paths.values() for operation in methods.values() if "security" in operation]
    assert all(BY_NAME[operation["security"][1]["oauth2"][0]] for operation in secured)
    record = paths["/api/v1/records/{databox_id}/{record_id}/"]
    assert [record[method]["security"][1]["oauth2"] for method in ("get", "delete")] == [["library:read"], ["delete"]]
    assert paths["/api/oauthv2/userinfo"]["get"]["security"] == [{"bearer": []}, {"oauth2": ["openid"]}]


def test_an_undeclared_answer_is_noticed() -> None:
    assert undeclared("GET", "/api/v1/me/", 418) == "GET /api/v1/me/ answered 418"
    assert undeclared("GET", "/api/v1/me/", 200) is None
    assert undeclared("GET", "/nothing", 418) is None
