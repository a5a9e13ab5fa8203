"""Contract 02 section 3, 01 section 8.4: addresses where nothing is, and methods that an address does not take."""

import re
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route

from vitrine.app import AsgiApplication
from vitrine.testing.server import Server

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
API_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND")
PLACE = re.compile(r"\{\w+(?::(\w+))?\}")
JSON, PROBLEM = "application/json", "application/problem+json"


def paths(application: AsgiApplication) -> list[str]:
    """One address of every route."""
    patterns = {route.path for route in application.routes if isinstance(route, Route)}
    return sorted(PLACE.sub(lambda place: "1" if place[1] == "int" else "x", pattern) for pattern in patterns)


def test_10_2_1_allow_names_the_methods_that_an_address_takes(shared_server: Server) -> None:
    """RFC 9110 sections 10.2.1 and 15.5.6: every 405 of every address, against what it answers to each method."""
    for path in [*paths(shared_server.application), "/static/vitrine.css"]:
        answers = {method: shared_server.http.request(method, path) for method in METHODS}
        taken = sorted(method for method, answer in answers.items() if answer.status_code != 405)
        assert taken, path
        for method, answer in answers.items():
            if answer.status_code == 405:
                assert answer.headers["allow"].split(", ") == taken, (method, path)


def test_a_refusal_without_a_record_or_a_right_names_the_methods_too(shared_server: Server) -> None:
    allow = {
        "/api/v1/records/1/99/": "DELETE, GET, HEAD",
        "/api/v1/records/a/b/": "GET, HEAD",
        "/login/": "GET, HEAD, POST",
    }
    for path, methods in allow.items():
        assert shared_server.http.put(path).headers["allow"] == methods


def shape_of(answer: Any) -> str:
    """Which API gave *answer*."""
    kind = answer.headers["content-type"].partition(";")[0]
    if kind == "text/html":
        return "page"
    value = answer.json()
    if kind == PROBLEM:
        assert (value["status"], value["type"]) == (answer.status_code, "about:blank")
        return "problem"
    assert kind == JSON
    if "error" in value:
        return "oauth"
    assert (value["meta"]["http_code"], value["response"]) == (answer.status_code, {})
    return "envelope"


@pytest.mark.parametrize("method", API_METHODS)
@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/api/v1", "envelope"), ("/api/v1/", "envelope"), ("/api/v1/nothing", "envelope"), ("/api/v1/a/b/c/",
        "envelope"),
        ("/api/v2/", "envelope"), ("/api/v3/records/", "envelope"), ("/api/nothing", "envelope"),
        ("/api/applications", "problem"), ("/api/applications/x/", "problem"), ("/api/applications/1/nothing/",
        "problem"),
        ("/api/oauthv2", "oauth"), ("/api/oauthv2/", "oauth"), ("/api/oauthv2/nothing", "oauth"),
        ("/api/oauthv2/token/", "oauth"),
        ("/.well-known/nothing", "page"), ("/nothing", "page"), ("/permalink/v1/", "page"), ("/api", "page"),
    ],
)  # fmt: skip
def test_an_unknown_address_is_404_in_the_shape_of_its_api(
    shared_server: Server, method: str, path: str, shape: str
) -> None:
    answer = shared_server.http.request(method, path, headers={"Accept": JSON})
    assert (answer.status_code, shape_of(answer)) == (404, shape)
    assert "allow" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "shape", "allow"),
    [
        ("POST", "/api/v1/me/", "envelope", "DELETE, GET, HEAD"), ("OPTIONS", "/api/v1/search/", "envelope",
                                                           "DELETE, GET, HEAD, PATCH, POST, PUT"),
        ("PROPFIND", "/api/v1/records/add/", "envelope", "POST"), ("DELETE", "/api/", "envelope", "GET, HEAD"),
        ("OPTIONS", "/api/applications/", "problem", "GET, HEAD, POST"),
        ("PROPFIND", "/api/applications/1/secrets/", "problem", "GET, HEAD, POST"),
        ("GET", "/api/oauthv2/token", "oauth", "OPTIONS, POST"), ("PUT", "/api/oauthv2/authorize", "oauth",
        "GET, HEAD, POST"),
        ("DELETE", "/api/oauthv2/userinfo", "oauth", "GET, HEAD, OPTIONS, POST"), ("POST", "/health", "page",
        "GET, HEAD"),
        ("POST", "/.well-known/openid-configuration", "page", "GET, HEAD"),
    ],
)  # fmt: skip
def test_a_wrong_method_is_405_in_the_shape_of_its_api(
    shared_server: Server, method: str, path: str, shape: str, allow: str
) -> None:
    answer = shared_server.http.request(method, path, headers={"Accept": JSON})
    assert (answer.status_code, shape_of(answer), answer.headers["allow"]) == (405, shape, allow)


@pytest.mark.parametrize("accept", ["*/*", "text/html,application/xhtml+xml,*/*;q=0.8", "image/png"])
def test_8_4_the_oauth_addresses_answer_all_others_with_a_page(shared_server: Server, accept: str) -> None:
    answer = shared_server.http.get("/api/oauthv2/token", headers={"Accept": accept})
    assert (answer.status_code, shape_of(answer), answer.headers["allow"]) == (405, "page", "OPTIONS, POST")
    assert shape_of(shared_server.http.get("/api/oauthv2/nothing", headers={"Accept": accept})) == "page"


def test_9_3_a_callback_makes_javascript_of_an_unknown_address(shared_server: Server) -> None:
    for method, path, status in (("GET", "/api/v1/nothing", 404), ("POST", "/api/v1/me/", 405)):
        answer = shared_server.http.request(method, f"{path}?callback=app.on")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
        assert f'"http_code":{status}' in answer.text


def test_4_the_missing_slash_of_a_known_address_is_a_redirect(shared_server: Server) -> None:
    answer = shared_server.http.get("/api/v1/records/1/2/caption?x=1")
    assert (answer.status_code, answer.headers["location"]) == (301, "/api/v1/records/1/2/caption/?x=1")
    assert shared_server.http.post("/api/v1/search").status_code == 404


@pytest.mark.parametrize("path", ["/api/v1/me/", "/api/applications/", "/api/oauthv2/token"])
def test_2_a_disabled_api_is_404_in_the_same_shapes(tmp_path: Path, path: str) -> None:
    server = Server(tmp_path / "data", api_enabled=False)
    answer = server.http.post(path, headers={"Accept": JSON})
    assert answer.status_code == 404
    assert shape_of(answer) != "page"
    server.close()
