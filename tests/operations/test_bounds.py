"""What a client may cost before its request reaches the application: the bytes of a head, the time for it, the rate of
bodies and answers, the number of connections. Over real sockets, with the fast paths and without."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import wait_for
from vitrine.edge.connections import guard as connection_guard
from vitrine.edge.connections.guard import ConnectionGuard
from vitrine.testing.listening import ListeningServer, RawAnswer, answer_on, is_closed
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


@contextmanager
def serving(server: Server, **limits: Any) -> Iterator[ListeningServer]:
    listening = limited(server, **limits)
    try:
        yield listening
    finally:
        listening.close()


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


@pytest.mark.parametrize("at_once", [True, False], ids=["one piece", "two pieces"])
@pytest.mark.parametrize("is_chunked", [True, False], ids=["chunked", "length"])
def test_the_body_behind_an_upgrade_is_a_body_and_no_request(
    listening: ListeningServer, at_once: bool, is_chunked: bool
) -> None:
    """A parser that skips it gives a stranger the beginning of the next request of the connection."""
    smuggled = b"GET /smuggled HTTP/1.1\r\nX: "
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(smuggled), smuggled) if is_chunked else smuggled
    framing = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {len(smuggled)}"
    form = "Content-Type: application/x-www-form-urlencoded\r\n"
    head = f"{POST}Connection: upgrade\r\nUpgrade: h2c\r\n{form}{framing}\r\n\r\n".encode()
    with closing(listening.connect()) as connection:
        for piece in (head + body,) if at_once else (head, body):
            connection.sendall(piece)
        first = answer_on(connection)
        assert first.status == 400, first
        assert b"invalid_request" in first.body, "the form was read"
        connection.sendall((HEAD + "Connection: close\r\n\r\n").encode())
        assert answer_on(connection).status == 200


def test_a_form_behind_an_upgrade_arrives(server: Server, listening: ListeningServer) -> None:
    """Java's HTTP client sends its first request so."""
    app = server.register(server.user("ada"))
    body = f"client_id={app.client_id}&client_secret={app.secret}&token=x".encode()
    form = f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
    head = "POST /api/oauthv2/introspect HTTP/1.1\r\nHost: dam.test\r\nConnection: Upgrade, HTTP2-Settings\r\n"
    answer = sent(listening, f"{head}Upgrade: h2c\r\nHTTP2-Settings: AAE\r\n{form}\r\n".encode() + body)
    assert (answer.status, answer.body) == (200, b'{"active":false}')


def test_connect_is_refused_before_its_body(listening: ListeningServer) -> None:
    request = (
        b"CONNECT dam.test:80 HTTP/1.1\r\nHost: dam.test\r\nContent-Length: 26\r\n\r\nGET /smuggled HTTP/1.1\r\nX: "
    )
    answer = sent(listening, request)
    assert answer.status in (400, 501)
    assert answer.headers.get("connection") == "close"


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
    """RFC 9112 section 9.3.2. Hundreds of small requests fit into one read."""
    with serving(server, pipelined=8) as listening, closing(listening.connect()) as connection:
        connection.sendall((HEAD.replace("health", "ready") + "\r\n").encode() * 400)
        assert {answer_on(connection).status for _ in range(400)} == {200}


# -- time ------------------------------------------------------------------------------------------------------------


def test_a_head_that_does_not_end_is_given_up(server: Server) -> None:
    with serving(server, head_s=0.3) as listening, closing(listening.connect()) as connection:
        connection.sendall(HEAD.encode())
        assert answer_on(connection).status == 408
        assert is_closed(connection)


def test_a_head_that_comes_byte_by_byte_is_given_up(server: Server) -> None:
    """Each byte is progress, but a head has its time."""
    with serving(server, head_s=0.5) as listening, closing(listening.connect(timeout_s=0.05)) as connection:
        connection.sendall(HEAD.encode() + b"X: ")
        with suppress(BrokenPipeError, ConnectionResetError):
            while True:
                with suppress(TimeoutError):
                    assert answer_on(connection).status == 408
                    break
                connection.sendall(b"x")


@pytest.mark.parametrize("first", [b"", b"\r\n\r\n", (HEAD + "\r\n").encode()], ids=["silent", "empty", "idle"])
def test_a_connection_without_a_request_is_closed(server: Server, first: bytes) -> None:
    with serving(server, head_s=0.3, idle_s=0.3) as listening, closing(listening.connect()) as connection:
        connection.sendall(first)
        assert is_closed(connection)


@pytest.mark.parametrize(
    "body",
    [b"Content-Length: 100\r\n\r\n", b"Content-Length: 100\r\n\r\nab", b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n"],
)
def test_a_body_that_does_not_arrive_is_given_up(server: Server, body: bytes) -> None:
    form = b"Content-Type: application/x-www-form-urlencoded\r\n"
    with serving(server, body_s=0.3) as listening, closing(listening.connect()) as connection:
        connection.sendall(POST.encode() + form + body)
        assert answer_on(connection).status == 408
        assert is_closed(connection)


def test_a_body_that_is_too_slow_is_given_up(server: Server) -> None:
    form = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 60000\r\n\r\n"
    with (
        serving(server, body_s=0.5, min_rate=100_000) as listening,
        closing(listening.connect(timeout_s=0.05)) as connection,
    ):
        connection.sendall(POST.encode() + form)
        with suppress(BrokenPipeError, ConnectionResetError):
            while True:
                with suppress(TimeoutError):
                    assert answer_on(connection).status == 408
                    break
                connection.sendall(b"x")


def test_a_body_that_nobody_reads_is_given_up_without_a_second_answer(server: Server) -> None:
    """It is small enough that the connection stays; what is missing of it must not hold it for ever."""
    head = b"POST /health HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n"
    with serving(server, body_s=0.3, drain_s=0.3) as listening, closing(listening.connect()) as connection:
        connection.sendall(head)
        assert answer_on(connection).status == 405
        assert connection.recv(1000) == b""


def test_a_client_that_does_not_read_is_given_up(server: Server, tmp_path: Path) -> None:
    """RFC 9293 section 3.8.6.1 lets a window be zero for ever; a server need not."""
    ada = server.user("ada")
    (tmp_path / "a.bin").write_bytes(b"x" * 24 * 2**20)
    key = server.add(tmp_path / "a.bin", ada)
    embed = server.get(f"/records/{key.databox}/{key.number}/embed/", server.token(ada))["embed"]
    link = next(file for file in embed if file["name"] == "document")["permalink"]["url"].removeprefix(
        "http://dam.test"
    )
    with serving(server, response_s=0.5) as listening, closing(listening.connect()) as connection:
        connection.sendall(f"GET {link} HTTP/1.1\r\nHost: dam.test\r\n\r\n".encode())
        guard = server.application.connection_guard
        wait_for(lambda: guard.refused() == {"slow_reader": 1}, 30, "the connection is closed")
        with pytest.raises(ConnectionError):
            answer_on(connection)
        assert listening.ask(f"GET {link} HTTP/1.1\r\nHost: dam.test\r\n\r\n").body == b"x" * 24 * 2**20


# -- number ----------------------------------------------------------------------------------------------------------


@contextmanager
def busy(listening: ListeningServer, count: int, source: str = "127.0.0.1") -> Iterator[None]:
    """*count* connections with requests under way: their bodies are awaited."""
    with ExitStack() as stack:
        for _ in range(count):
            connection = stack.enter_context(closing(listening.connect(source)))
            request = "Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n"
            connection.sendall((POST + request).encode())
            assert answer_on(connection).status == 100
        yield


def test_one_address_has_so_many_connections_and_others_have_theirs(server: Server) -> None:
    with serving(server, per_address=5) as listening:
        with busy(listening, 5):
            refused = listening.ask(HEAD + "\r\n")
            assert (refused.status, refused.headers["connection"]) == (429, "close")
            assert listening.ask(HEAD + "\r\n", source="127.0.0.2").status == 200
        wait_for(lambda: server.application.connection_guard.open == 0, 30, "they are gone")
        assert listening.ask(HEAD + "\r\n").status == 200


def test_there_are_so_many_connections_in_all(server: Server) -> None:
    with serving(server, connections=6, per_address=4) as listening:
        with busy(listening, 3, "127.0.0.1"), busy(listening, 3, "127.0.0.2"):
            assert listening.ask(HEAD + "\r\n", source="127.0.0.3").status == 503
        wait_for(lambda: server.application.connection_guard.open == 0, 30, "they are gone")
        assert listening.ask(HEAD + "\r\n", source="127.0.0.3").status == 200


@pytest.mark.parametrize("begun", [b"", b"GET /health HTTP/1.1\r\nHost:", (HEAD + "\r\n").encode()])
def test_connections_without_a_request_make_room(server: Server, begun: bytes) -> None:
    """Silent ones, half heads, answered ones: nobody is kept out by them."""
    with serving(server, connections=8, per_address=5) as listening, ExitStack() as stack:
        for source in ("127.0.0.1", "127.0.0.2"):
            for _ in range(20):
                connection = stack.enter_context(closing(listening.connect(source)))
                with suppress(ConnectionError):
                    connection.sendall(begun)
        for source in ("127.0.0.1", "127.0.0.2", "127.0.0.3"):
            assert listening.ask(HEAD + "\r\n", source=source).status == 200
        assert server.application.connection_guard.open <= 8


def test_a_trusted_proxy_has_connections_for_many(tmp_path: Path) -> None:
    server = Server(tmp_path / "proxied", trusted_proxies=("127.0.0.1",), connections_per_address=3)
    listening = ListeningServer(server.application)
    try:
        with busy(listening, 6):
            assert listening.ask(HEAD + "\r\n").status == 200
        with busy(listening, 3, "127.0.0.2"):
            assert listening.ask(HEAD + "\r\n", source="127.0.0.2").status == 429
    finally:
        listening.close()
        server.close()


def test_refusals_are_counted(listening: ListeningServer) -> None:
    assert listening.ask("GET /health HTTP/1.1\r\n\r\n").status == 400
    assert listening.ask("hello\r\n\r\n").status == 400
    text = listening.ask("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n").body.decode()
    assert 'vitrine_connections_refused_total{reason="host"} 1.0' in text
    assert 'vitrine_connections_refused_total{reason="malformed"} 1.0' in text
    assert "vitrine_connections 1.0" in text


def test_refusals_are_logged_at_a_bounded_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[tuple[str, str]] = []

    class Log:
        @staticmethod
        def warning(event: str, **values: Any) -> None:
            lines.append((event, values["reason"]))

    monkeypatch.setattr(connection_guard, "log", Log)
    guard = ConnectionGuard()
    for _ in range(1000):
        guard.count("host", "192.0.2.1")
        guard.count("malformed", "192.0.2.1")
    assert lines == [("connection.refused", "host"), ("connection.refused", "malformed")]
    assert guard.refused() == {"host": 1000, "malformed": 1000}
