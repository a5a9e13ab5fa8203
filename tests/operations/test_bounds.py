"""What a client may cost before its request reaches the application: the bytes of a head, the time for it, the rate of
bodies and answers, the number of connections. Over real sockets, with the fast paths and without."""

from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vitrine.edge.connections.guard import ConnectionGuard
from vitrine.testing.listening import ListeningServer, RawAnswer, answer_on
from vitrine.testing.server import Server

HEAD = "GET /health HTTP/1.1\r\nHost: dam.test\r\n"
POST = "POST /api/oauthv2/token HTTP/1.1\r\nHost: dam.test\r\n"


@pytest.fixture(params=[True, False], ids=["fast", "ordinary"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "data", fast_paths=request.param, metrics_from=("127.0.0.1",))
    yield server
    server.close()


@pytest.fixture
def listening(server: Server) -> Iterator[ListeningServer]:
    running = ListeningServer(server.application)
    yield running
    running.close()


def limited(server: Server, **limits: Any) -> ListeningServer:
    """The server with other limits than those of its settings."""
    guard = server.application.connection_guard
    server.application.connection_guard = ConnectionGuard(replace(guard.limits, **limits))
    return ListeningServer(server.application)


def sent(listening: ListeningServer, request: bytes) -> RawAnswer:
    """The answer to *request*, of which the server need not read all."""
    with closing(listening.connect()) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):  # it may have heard enough
            connection.sendall(request)
        return answer_on(connection)


# -- heads -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ("X-Long: " + "x" * 60_000 + "\r\n", 200),
        ("X-Long: " + "x" * 70_000 + "\r\n", 431),
        ("X-Long: " + "x" * 20_000_000, 431),  # it does not end
        ("".join(f"X-{n}: {'x' * 5000}\r\n" for n in range(50)), 431),
        ("".join(f"X-{n}: 1\r\n" for n in range(90)), 200),
        ("".join(f"X-{n}: 1\r\n" for n in range(101)), 431),
    ],
    ids=["room", "long", "endless", "together", "many", "too many"],
)
def test_headers_have_a_bound(listening: ListeningServer, headers: str, status: int) -> None:
    """RFC 6585 section 5."""
    answer = sent(listening, (HEAD + headers + "\r\n").encode())
    assert answer.status == status
    assert answer.headers.get("connection") == ("close" if status == 431 else None)


def test_an_address_has_a_bound(listening: ListeningServer) -> None:
    """RFC 9110 section 15.5.15."""
    for size, status in ((30_000, 200), (40_000, 414), (20_000_000, 414)):
        assert sent(listening, HEAD.replace("/health", "/health?" + "a" * size).encode() + b"\r\n").status == status


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("GET /health HTTP/1.1\r\n", 400),
        ("GET /health HTTP/1.1\r\nHost: a\r\nHost: a\r\n", 400),
        ("GET /health HTTP/1.0\r\nHost: a\r\nhost: b\r\n", 400),
        ("GET /health HTTP/1.1\r\nHost: a b\r\n", 400),
        ("GET /health HTTP/1.1\r\nHost: a/b\r\n", 400),
        ("GET /health HTTP/1.1\r\nHost: user@a\r\n", 400),
        ("GET /health HTTP/1.1\r\nHost:\r\n", 200),
        ("GET /health HTTP/1.1\r\nHost: [::1]:8000\r\n", 200),
        ("GET /health HTTP/1.1\r\nHost: dam_1.test:80\r\n", 200),
        ("GET /health HTTP/1.0\r\n", 200),
    ],
)
def test_one_host_is_named(listening: ListeningServer, head: str, status: int) -> None:
    """RFC 9112 section 3.2."""
    assert listening.ask(head + "\r\n").status == status


@pytest.mark.parametrize(
    ("version", "headers", "status"),
    [
        ("1.1", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", 400),
        ("1.1", "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", 400),
        ("1.1", "Content-Length: 3\r\nContent-Length: 3\r\n", 400),
        ("1.1", "Content-Length: +3\r\n", 400),
        ("1.1", "Content-Length: 3, 3\r\n", 400),
        ("1.1", "Transfer-Encoding: gzip, chunked\r\n", 501),
        ("1.1", "Transfer-Encoding: identity\r\n", 501),
        ("1.1", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400),
        ("1.0", "Transfer-Encoding: chunked\r\n", 400),
    ],
)
def test_the_length_of_a_body_is_told_once(listening: ListeningServer, version: str, headers: str, status: int) -> None:
    """RFC 9112 section 6: where two readers could see different ends, nothing is read."""
    answer = listening.ask(POST.replace("1.1", version) + headers + "\r\n0\r\n\r\n")
    assert (answer.status, answer.headers["connection"]) == (status, "close")


def test_a_trailer_does_not_speak_for_the_head(listening: ListeningServer, server: Server) -> None:
    """RFC 9110 section 6.5.1. It would come too late for the token, and early enough for whoever reads later."""
    token = server.token(server.user("ada"))
    request = (
        "POST /api/v1/search/ HTTP/1.1\r\nHost: dam.test\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Transfer-Encoding: chunked\r\n\r\n7\r\nquery=a\r\n0\r\nAuthorization: Bearer {token}\r\n\r\n"
    )
    assert listening.ask(request).status == 400  # 01 section 5.4: no token
    assert listening.ask(request.replace("Transfer", f"Authorization: Bearer {token}\r\nTransfer")).status == 200


def test_an_upgrade_that_is_not_offered_keeps_the_connection(listening: ListeningServer) -> None:
    """RFC 9110 section 7.8; Java's client asks for h2c with its first request."""
    with closing(listening.connect()) as connection:
        connection.sendall((HEAD + "Connection: upgrade\r\nUpgrade: h2c\r\n\r\n" + HEAD + "\r\n").encode())
        assert answer_on(connection).status == 200
        assert answer_on(connection).status == 200
        connection.sendall((HEAD + "\r\n").encode())
        assert answer_on(connection).status == 200


def test_what_follows_a_refused_message_is_never_answered(listening: ListeningServer) -> None:
    """Nobody knows where it begins. What came before it is answered, in its order."""
    with closing(listening.connect()) as connection:
        bad = "GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"
        connection.sendall(f"{HEAD}\r\n{bad}{HEAD}\r\n".encode())
        assert answer_on(connection).status == 200
        with pytest.raises(ConnectionError):
            assert answer_on(connection).status == 400
            answer_on(connection)


def test_requests_that_wait_are_few_and_all_are_answered(server: Server) -> None:
    """RFC 9112 section 9.3.2. Thousands of small requests fit into one read."""
    listening = limited(server, pipelined=8)
    try:
        with closing(listening.connect()) as connection:
            connection.sendall((HEAD.replace("health", "ready") + "\r\n").encode() * 3000)
            assert {answer_on(connection).status for _ in range(3000)} == {200}
    finally:
        listening.close()
