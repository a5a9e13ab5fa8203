"""Nothing is read for somebody without the right: the answer comes when the head is there and no byte of the body is.

Over real sockets: a test client sends the whole body before it looks at the answer."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.v4 import prepared
from vitrine.accounts import Right, User
from vitrine.accounts.rights import ALL_RIGHTS
from vitrine.api import v4
from vitrine.api.wire.endpoint import anybody
from vitrine.testing import media_factory as make
from vitrine.testing.listening import ListeningServer, RawAnswer, answer_on
from vitrine.testing.server import Server, Visitor

MANY_BYTES = 300 * 2**20


@pytest.fixture(params=[True, False], ids=["fast", "ordinary"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "data", fast_paths=request.param)
    yield server
    server.close()


@pytest.fixture
def listening(server: Server) -> Iterator[ListeningServer]:
    running = ListeningServer(server.application)
    yield running
    running.close()


def announced(listening: ListeningServer, path: str, *lines: str, body: bytes = b"", method: str = "POST") -> RawAnswer:
    """The answer to a request that announces 300 MiB and sends *body* alone."""
    head = [f"{method} {path} HTTP/1.1", "Host: dam.test", f"Content-Length: {MANY_BYTES}", *lines]
    if not any(line.startswith("Content-Type") for line in lines):
        head.append("Content-Type: multipart/form-data; boundary=b")
    with closing(listening.connect()) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode() + body)
        return answer_on(connection)


def field(name: str, value: str) -> bytes:
    return f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


FILE = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n' + b"x" * 1000


@pytest.mark.parametrize("path", ["/api/v1/records/add/", "/api/v1/embed/substitute/"])
def test_a_token_in_the_header_is_asked_before_the_body(listening: ListeningServer, server: Server, path: str) -> None:
    looker = server.token(server.user("eve", Right.actif))
    adder = server.token(server.user("ada", ALL_RIGHTS))
    for line, status in (
        ("Authorization: Bearer wrong", 401),
        (f"Authorization: Bearer {looker}", 403),
        (f"Authorization: Bearer {looker}\r\nExpect: 100-continue", 403),
    ):
        answer = announced(listening, path, line)
        assert (answer.status, answer.headers["connection"]) == (status, "close"), line
    with closing(listening.connect()) as connection:
        head = f"POST {path} HTTP/1.1\r\nHost: dam.test\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        expecting = f"Authorization: Bearer {adder}\r\nExpect: 100-continue\r\nContent-Length: {len(FILE)}\r\n\r\n"
        connection.sendall((head + expecting).encode())
        assert answer_on(connection).status == 100
        connection.sendall(FILE)
        assert answer_on(connection).status == 400, "the form does not end"


def test_the_right_on_the_collection_is_asked_before_the_file(listening: ListeningServer, server: Server) -> None:
    rights = {int(server.photographs.id): ALL_RIGHTS, int(server.archive.id): Right.actif}
    token = server.token(server.user("ada", rights))
    line = f"Authorization: Bearer {token}"
    into = field("base_id", str(server.archive.id))
    assert announced(listening, "/api/v1/records/add/", line, body=into + FILE).status == 403
    assert announced(listening, f"/api/v1/records/add/?base_id={server.archive.id}", line).status == 403
    assert announced(listening, "/api/v1/records/add/?base_id=999", line).status == 404


def test_the_right_on_the_record_is_asked_before_the_file(
    listening: ListeningServer, server: Server, tmp_path: Path
) -> None:
    key = server.add(make.jpeg(tmp_path / "a.jpg", 64, 48), server.user("ada"), server.archive)
    rights = {int(server.photographs.id): ALL_RIGHTS, int(server.archive.id): Right.actif}
    line = f"Authorization: Bearer {server.token(server.user('eve', rights))}"
    named = field("databox_id", str(key.databox)) + field("record_id", str(key.number)) + field("name", "document")
    assert announced(listening, "/api/v1/embed/substitute/", line, body=named + FILE).status == 403


def test_a_token_in_the_form_is_asked_before_the_file(listening: ListeningServer, server: Server) -> None:
    """01 section 5.1: it may stand there. A file before the token may not be large."""
    looker = server.token(server.user("eve", Right.actif))
    path = "/api/v1/records/add/"
    assert announced(listening, path, body=field("oauth_token", looker) + FILE).status == 403
    assert announced(listening, path, body=field("oauth_token", "wrong") + FILE).status == 401
    stranger = announced(listening, path, body=field("base_id", "1") + FILE + b"x" * 300_000)
    assert stranger.status == 413
    assert b"Authorization" in stranger.body


@pytest.mark.parametrize("path", ["/api/v1/search/", "/api/v1/records/1/1/setstatus/"])
@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=b", "application/x-www-form-urlencoded"])
def test_every_call_of_the_api_asks_for_its_token_first(listening: ListeningServer, path: str, kind: str) -> None:
    assert announced(listening, path, "Authorization: Bearer wrong", f"Content-Type: {kind}").status == 401
    assert announced(listening, path, f"Content-Type: {kind}").status == 413


def test_the_portals_api_asks_for_its_token_first(listening: ListeningServer) -> None:
    path = "/api/applications/"
    for kind in ("application/json", "application/x-www-form-urlencoded"):
        assert announced(listening, path, "Authorization: Bearer wrong", f"Content-Type: {kind}").status == 401
    assert announced(listening, path, "Content-Type: application/json").status == 401


WITH_BODY = [route for route in v4.ROUTES if route.body is not None]


def test_every_call_of_v4_that_takes_a_body_says_who_may_send_one() -> None:
    silent = [f"{route.method} {route.path}" for route in WITH_BODY if not (route.permit or route.takes_files)]
    assert silent == [], "a row with a body needs permit; anybody where a token with the scope is enough"


Preparation = Callable[[prepared.World, v4.V4Route], prepared.Named]


def preparation(route: v4.V4Route) -> Preparation:
    return prepared.BY_TAG.get(route.tag, prepared.nothing)


def preparations() -> list[Preparation]:
    by_name = {function.__name__: function for function in map(preparation, WITH_BODY)}
    return [by_name[name] for name in sorted(by_name)]


@pytest.mark.parametrize("prepare", preparations())
def test_every_call_of_v4_asks_for_its_right_before_the_body(
    listening: ListeningServer,
    server: Server,
    tmp_path: Path,
    prepare: Preparation,
) -> None:
    """Of things that are there, from somebody who sees the records and may do nothing else. Were the body looked at, it
    would be too large, or no JSON."""
    ada, _root = server.user("ada"), server.user("root", is_admin=True)
    picture = make.jpeg(tmp_path / "harbour.jpg", 64, 48)
    server.add(picture, ada)
    prepared.every_databox_right(server, ada)
    server.token(ada)  # of the application 1
    routes = [route for route in WITH_BODY if preparation(route) is prepare]
    named = prepare(prepared.World(server, ada, picture), routes[-1])
    line = f"Authorization: Bearer {server.token(server.user('mallory', Right.actif))}"
    for route in routes:
        if route.permit is anybody:
            continue
        path = v4.PREFIX + re.sub(r"\{(\w+)(:int)?\}", lambda part: str(named.get(part[1], 1)), route.path)
        for kind in ("application/json", "multipart/form-data; boundary=b"):
            answer = announced(listening, path, line, f"Content-Type: {kind}", method=route.method)
            assert answer.status in (403, 404), (route.method, path, kind, answer.body)
            assert answer.headers["connection"] == "close"


def test_the_token_endpoints_read_little(listening: ListeningServer) -> None:
    for path in ("token", "revoke", "introspect", "device_authorization"):
        for kind in ("application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"):
            answer = announced(listening, f"/api/oauthv2/{path}", f"Content-Type: {kind}")
            assert answer.status in (400, 413), (path, kind)
            assert answer.headers["connection"] == "close"


def cookies(visitor: Visitor) -> str:
    return "Cookie: " + "; ".join(f"{name}={value}" for name, value in visitor.client.cookies.items())


def upload_form(server: Server, user: User) -> tuple[str, str]:
    visitor = server.browser(user)
    return cookies(visitor), visitor.form("/upload/")["csrf"]


def test_the_upload_page_asks_for_session_right_and_form_token(listening: ListeningServer, server: Server) -> None:
    cookie, _token = upload_form(server, server.user("eve", Right.actif))
    assert announced(listening, "/upload/", cookie).status == 403, "the right"
    assert announced(listening, "/upload/").status == 403, "no cookie, so no form of ours"
    cookie, token = upload_form(server, server.user("ada"))
    assert announced(listening, "/upload/", cookie, body=field("csrf", "wrong") + FILE).status == 403
    assert announced(listening, "/upload/", cookie, body=FILE).status == 403
    assert announced(listening, "/upload/", cookie, "Origin: https://evil.example").status == 403
    assert token


def test_forms_of_pages_are_refused_without_a_cookie_and_when_they_are_long(
    listening: ListeningServer, server: Server
) -> None:
    cookie, _token = upload_form(server, server.user("ada"))
    for path in ("/login/", "/developers/application/", "/account/password/"):
        kind = "Content-Type: application/x-www-form-urlencoded"
        # The form of signing in is read without a cookie too, so that it can be shown again as it was.
        assert announced(listening, path, kind).status in ((413,) if path == "/login/" else (403, 404, 405))
        assert announced(listening, path, cookie, kind).status in (404, 405, 413)


@pytest.mark.parametrize("kind", ["Content-Length: 99999999", "Transfer-Encoding: chunked"])
def test_an_early_answer_arrives_though_the_client_goes_on(listening: ListeningServer, kind: str) -> None:
    """Closing at once would reset the connection over it (RFC 9112 section 9.6)."""
    head = f"POST /api/v1/records/add/ HTTP/1.1\r\nHost: dam.test\r\nAuthorization: Bearer wrong\r\n{kind}\r\n"
    with closing(listening.connect()) as connection:
        connection.sendall((head + "Content-Type: multipart/form-data; boundary=b\r\n\r\n").encode())
        with suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(40):
                connection.sendall(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
        answer = answer_on(connection)
        assert (answer.status, answer.headers["connection"]) == (401, "close")
