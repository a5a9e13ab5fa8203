"""Contract 02 sections 2 and 4.5, contract 08: response formats, request bodies of old clients, CORS."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import msgspec
import pytest
import uvicorn
import yaml
from hypothesis import given
from hypothesis import strategies as st

from vitrine.accounts import User
from vitrine.api.v1 import ROUTES
from vitrine.api.wire.formats import SERVED, as_yaml, form_of
from vitrine.library.model import RecordKey
from vitrine.testing import media_factory as make
from vitrine.testing.server import Registered, Server

EXTENDED = "application/vnd.phraseanet.record-extended+"
HERE = "https://notes.example.com"

pytestmark = pytest.mark.both_paths


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada")


@pytest.fixture
def app(server: Server, ada: User) -> Registered:
    return server.register(ada)


@pytest.fixture
def token(app: Registered) -> str:
    return app.developer_token


@pytest.fixture
def key(server: Server, ada: User, tmp_path: Path) -> RecordKey:
    return server.add(make.jpeg(tmp_path / "härbour.jpg"), ada)


def get(server: Server, token: str | None, where: str, accept: str = "", **headers: str) -> httpx.Response:
    return server.call("GET", f"/api/v1{where}", token, headers={"Accept": accept, **headers})


@pytest.mark.parametrize(
    ("accept", "kind", "extended"),
    [
        ("", "application/json", False),
        ("*/*", "application/json", False),
        ("application/json", "application/json", False),
        ("application/yaml", "application/yaml", False),
        ("text/yaml", "application/yaml", False),
        ("text/yaml;q=0.9, application/json;q=0.1", "application/json", False),
        ("application/yaml, text/html", "application/yaml", False),
        (EXTENDED + "json", "application/json", True),
        (EXTENDED + "jsonp", "application/json", True),
        (EXTENDED + "yaml", "application/yaml", True),
        (EXTENDED + "json, */*;q=0.8", "application/json", True),
        (EXTENDED + "json, application/json", "application/json", False),
        (EXTENDED + "json;q=0.5, application/json;q=0.4", "application/json", True),
        (EXTENDED + "json, application/yaml;q=0.1", "application/yaml", True),
    ],
)
def test_2_the_form_of_the_answer(
    server: Server, token: str, key: RecordKey, accept: str, kind: str, extended: bool
) -> None:
    answer = get(server, token, f"/records/{key.databox}/{key.number}/", accept)
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, kind)
    body = yaml.safe_load(answer.content) if kind == "application/yaml" else answer.json()
    assert ("subdefs" in body["response"]["record"]) is extended


def test_2_yaml_says_the_same_in_block_style(server: Server, token: str, key: RecordKey) -> None:
    where = f"/records/{key.databox}/{key.number}/"
    plain = get(server, token, where).json()
    answer = get(server, token, where, "application/yaml")
    read = yaml.safe_load(answer.content)
    assert read["response"] == plain["response"]
    assert "\n  record:\n    databox_id: 1\n" in answer.text
    assert "original_name: härbour.jpg" in answer.text
    empty = get(server, token, f"/records/{key.databox}/99/", "text/yaml")
    assert (empty.status_code, yaml.safe_load(empty.content)["response"]) == (404, {})


def test_2_a_callback_wins_and_cancels_extended(server: Server, token: str, key: RecordKey) -> None:
    where = f"/records/{key.databox}/{key.number}/?callback=f"
    for accept in ("application/yaml", EXTENDED + "jsonp", EXTENDED + "yaml", "image/png"):
        answer = get(server, token, where, accept)
        assert answer.headers["content-type"].startswith("text/javascript"), accept
        assert answer.text.startswith("/**/f({")
        assert "subdefs" not in answer.text


def test_2_a_callback_in_a_form_and_blanks(server: Server, token: str) -> None:
    form = server.call("POST", "/api/v1/search/", token, data={"callback": "f"})
    assert form.text.startswith("/**/f(")
    assert get(server, token, "/me/?callback=%20").headers["content-type"].startswith("application/json")


@pytest.mark.parametrize("callback", ["a b", "1a", "a..b", "a[0]", "f;alert", "é"])
def test_2_a_callback_that_is_no_name_is_400_in_json(server: Server, token: str, callback: str) -> None:
    answer = server.call("GET", "/api/v1/me/", token, params={"callback": callback})
    assert (answer.status_code, answer.json()["meta"]["http_code"]) == (400, 400)
    assert answer.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize("accept", ["text/javascript", "application/javascript", "text/javascript, image/png"])
def test_2_who_accepts_javascript_gets_json_and_200(server: Server, token: str, accept: str) -> None:
    answer = get(server, token, "/records/1/99/", accept)
    assert (answer.status_code, answer.json()["meta"]["http_code"]) == (200, 404)
    assert answer.headers["content-type"].startswith("application/json")
    assert get(server, token, "/records/1/99/", accept + ", application/json").status_code == 404


@pytest.mark.parametrize("accept", ["text/html", "image/*", "application/json;q=0", "application/xml, text/plain"])
def test_3_what_is_not_served_is_406_in_json(server: Server, token: str, accept: str) -> None:
    answer = get(server, token, "/me/", accept)
    assert (answer.status_code, answer.json()["meta"]["error_type"]) == (406, "Unacceptable")


@given(st.text(max_size=60))
def test_2_no_accept_header_breaks_the_choice(accept: str) -> None:
    assert form_of(accept) == form_of(accept)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
        max_leaves=12,
    )
)
def test_2_yaml_keeps_every_value(value: Any) -> None:
    assert yaml.safe_load(as_yaml(msgspec.json.encode(value))) == value


def test_2_head_works_on_every_get_route(server: Server, token: str, key: RecordKey) -> None:
    gets = [route for route in ROUTES if "GET" in route.methods]
    assert len(gets) >= 18
    for route in gets:
        path = route.path.replace("{databox_id:int}", str(key.databox)).replace("{record_id:int}", str(key.number))
        path = path.replace("{base_id}", str(server.photographs.id))
        if "{" in path:
            continue
        shown, head = (server.call(method, f"/api/v1{path}", token) for method in ("GET", "HEAD"))
        assert head.status_code == shown.status_code, path
        assert head.headers["content-type"] == shown.headers["content-type"]


def test_1_server_timing_and_no_cookie(server: Server, token: str) -> None:
    for where in ("/me/", "/records/1/99/", "/nothing/"):
        answer = get(server, token, where)
        name, _, duration = answer.headers["server-timing"].partition(";dur=")
        assert (name, float(duration) >= 0) == ("_global", True)
        assert "set-cookie" not in answer.headers


def test_the_served_types_are_those_of_the_contract() -> None:
    assert len(SERVED) == 8


class TestCors:
    """02 §4.5 D and design 5.8."""

    def preflight(self, server: Server, origin: str, **headers: str) -> httpx.Response:
        request_headers = {"Origin": origin, "Access-Control-Request-Method": "GET", **headers}
        return server.http.request("OPTIONS", "/api/v1/me/", headers=request_headers)

    def test_a_registered_origin_passes(self, server: Server, app: Registered) -> None:
        answer = self.preflight(server, HERE, **{"Access-Control-Request-Headers": "Authorization, content-type"})
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["access-control-allow-origin"] == HERE
        assert "DELETE" in answer.headers["access-control-allow-methods"]
        assert "authorization" in answer.headers["access-control-allow-headers"]
        assert answer.headers["access-control-max-age"] == "600"
        assert "access-control-allow-credentials" not in answer.headers
        assert "Origin" in answer.headers["vary"]

    @pytest.mark.parametrize(
        "origin",
        ["https://evil.example", "null", "http://notes.example.com", "https://notes.example.com:444",
         "https://notes.example.com.evil.example", "https://NOTES.example.com/", "x" * 1000],
    )  # fmt: skip
    def test_a_refused_origin_gets_no_header(self, server: Server, app: Registered, token: str, origin: str) -> None:
        for answer in (self.preflight(server, origin), get(server, token, "/me/", Origin=origin)):
            assert answer.status_code == 200
            assert not [name for name in answer.headers if name.startswith("access-control-")]

    def test_unusual_methods_and_headers_are_refused(self, server: Server, app: Registered) -> None:
        assert self.preflight(server, HERE, **{"Access-Control-Request-Method": "TRACE"}).status_code == 405
        assert self.preflight(server, HERE, **{"Access-Control-Request-Headers": "x-evil"}).status_code == 400

    def test_the_answer_is_checked_against_the_tokens_application(self, server: Server, ada: User, token: str) -> None:
        other = server.register(ada, name="Other", callback="https://other.example.com/cb")
        assert self.preflight(server, "https://other.example.com").headers["access-control-allow-origin"]
        answer = get(server, token, "/me/", Origin=HERE)
        assert answer.headers["access-control-allow-origin"] == HERE
        exposed = answer.headers["access-control-expose-headers"]
        assert "WWW-Authenticate" in exposed
        assert "X-Request-Id" in exposed
        assert (
            "access-control-allow-origin" not in get(server, token, "/me/", Origin="https://other.example.com").headers
        )
        assert "access-control-allow-origin" not in get(server, other.developer_token, "/me/", Origin=HERE).headers

    def test_refusals_of_tokens_carry_the_headers(self, server: Server, app: Registered) -> None:
        for token in (None, "garbage"):
            answer = get(server, token, "/me/", Origin=HERE)
            assert answer.status_code in (400, 401)
            assert answer.headers["access-control-allow-origin"] == HERE

    def test_errors_and_unknown_routes_carry_them_too(self, server: Server, app: Registered, token: str) -> None:
        for where in ("/records/1/99/", "/nothing/"):
            assert get(server, token, where, Origin=HERE).headers["access-control-allow-origin"] == HERE

    def test_a_suspended_application_or_a_new_callback_counts_at_once(
        self, server: Server, ada: User, app: Registered
    ) -> None:
        page = f"/developers/application/{app.application.id}/"
        visitor = server.browser(ada)
        done = visitor.submit(page, page + "callback/", {"callback": "https://new.example.com:8443/cb"})
        assert done.status_code == 303
        assert "access-control-allow-origin" not in self.preflight(server, HERE).headers
        new = self.preflight(server, "https://new.example.com:8443")
        assert new.headers["access-control-allow-origin"] == "https://new.example.com:8443"
        with server.services.database.write() as work:
            work.db.exec_driver_sql("UPDATE applications SET activated = 0")
        assert "access-control-allow-origin" not in self.preflight(server, "https://new.example.com:8443").headers

    def test_paths_outside_the_api_are_left_alone(self, server: Server, app: Registered) -> None:
        answer = server.http.get("/login/", headers={"Origin": HERE})
        assert "access-control-allow-origin" not in answer.headers


class TestOldClients:
    """08: old clients, over a real socket where the test client would correct the request."""

    @pytest.fixture
    def port(self, server: Server) -> Iterator[int]:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            config = uvicorn.Config(server.application, log_level="error", lifespan="off")
            running = uvicorn.Server(config)
            thread = threading.Thread(target=running.run, args=([listener],))
            thread.start()
            while not running.started:
                time.sleep(0.01)
            yield listener.getsockname()[1]
            running.should_exit = True
            thread.join()

    def talk(self, port: int, *parts: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
            seen = b""
            for part in parts:
                line.sendall(part)
                if part is not parts[-1]:
                    seen += line.recv(4096)
            while chunk := line.recv(65_536):
                seen += chunk
        return seen

    def test_clients_expect_100_continue(self, port: int, token: str) -> None:
        body = b"query=&per_page=1"
        head = (
            f"POST /api/v1/search/?oauth_token={token} HTTP/1.1\r\nHost: dam.test\r\nExpect: 100-continue\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        seen = self.talk(port, head.encode(), body)
        assert seen.startswith(b"HTTP/1.1 100 Continue")
        assert b"HTTP/1.1 200 OK" in seen
        assert b'"per_page":1' in seen

    def test_clients_a_question_mark_at_the_end_and_everything_in_the_body(self, port: int, token: str) -> None:
        body = f"oauth_token={token}&bases[]=1&query=".encode()
        head = (
            "POST /api/v1/search/? HTTP/1.1\r\nHost: dam.test\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        assert b"HTTP/1.1 200 OK" in self.talk(port, head.encode() + body)

    @pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=x", ""])
    def test_clients_parameters_in_the_query_and_no_body(self, port: int, token: str, kind: str) -> None:
        typed = f"Content-Type: {kind}\r\n" if kind else ""
        head = (
            f"POST /api/v1/search/?oauth_token={token}&query= HTTP/1.1\r\nHost: dam.test\r\n{typed}"
            "Content-Length: 0\r\nConnection: close\r\n\r\n"
        )
        assert b"HTTP/1.1 200 OK" in self.talk(port, head.encode())

    def test_clients_the_phrasea_indexer_follows_the_301(self, server: Server, token: str) -> None:
        moved = server.http.get("/api/v1/me?x=1", headers={"Authorization": f"OAuth {token}"})
        assert (moved.status_code, moved.headers["location"]) == (301, "/api/v1/me/?x=1")

    def test_clients_head_has_no_body(self, port: int, token: str) -> None:
        head = f"HEAD /api/v1/me/?oauth_token={token} HTTP/1.1\r\nHost: dam.test\r\nConnection: close\r\n\r\n"
        seen = self.talk(port, head.encode())
        assert seen.startswith(b"HTTP/1.1 200 OK")
        assert seen.endswith(b"\r\n\r\n")


def test_4_2_arrays_in_every_spelling_and_order_of_sources(server: Server, token: str, key: RecordKey) -> None:
    spellings = ("bases[]=1", "bases[0]=1", "bases[7]=1", "bases%5B%5D=1", "bases=1")
    for spelling in spellings:
        assert server.call("GET", f"/api/v1/search/?{spelling}", token).json()["response"]["total_results"] == 1, (
            spelling
        )
    answer = server.call("POST", "/api/v1/search/?per_page=3", token, data={"per_page": "7", "offset_start": "1"})
    response = answer.json()["response"]
    assert (response["per_page"], response["offset_start"]) == (3, 1), "the query takes precedence over the form"


def test_4_3_a_token_in_the_query_beside_any_body(server: Server, token: str, key: RecordKey) -> None:
    body: dict[str, Any] = {"content": b'{"x":1}', "headers": {"Content-Type": "application/json"}}
    where = f"/api/v1/records/{key.databox}/{key.number}/?oauth_token={token}"
    assert server.http.request("POST", f"/api/v1/search/?oauth_token={token}", **body).status_code == 200
    assert server.http.request("DELETE", where, **body).status_code == 200


def test_6_0_the_openapi_document_tells_of_every_change(server: Server) -> None:
    paths = server.http.get("/api/openapi.json").json()["paths"]
    record = "/api/v1/records/{databox_id}/{record_id}/"
    assert set(paths[record]) == {"get", "delete"}
    assert "requestBody" not in paths[record]["delete"]
    for where, name in (
        (record + "setmetadatas/", "metadatas"), (record + "setstatus/", "status"),
        (record + "setcollection/", "base_id"),
        ("/api/v1/embed/substitute/", "adapt"), ("/api/v1/records/add/", "forceBehavior"),
    ):  # fmt: skip
        (content,) = paths[where]["post"]["requestBody"]["content"].values()
        assert name in content["schema"]["properties"]
    names = [
        operation["operationId"] for path in paths.values() for operation in path.values() if "operationId" in operation
    ]
    assert len(names) == len(set(names))
