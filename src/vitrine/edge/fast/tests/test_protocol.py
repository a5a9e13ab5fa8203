"""Whole answers in one call, over real sockets: the same bytes as the ordinary way, and nothing a client could abuse.

RFC 9112 sections 6 (length of a body), 9.3 (persistence) and 9.3.2 (pipelining); RFC 9110 sections 5.5 and 10.1.1.
"""

import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import uvicorn
from starlette.types import Message, Receive, Scope, Send

from vitrine.edge.fast import encoded_headers
from vitrine.edge.fast.encoded_headers import EncodedHeaders, block_of
from vitrine.edge.fast.protocol import Protocol
from vitrine.edge.fast.responses import COMPLETE, SendComplete

PLAIN = [(b"content-type", b"text/plain"), (b"x-kind", b"plain")]
LARGE = b"x" * 3_000_000


class App:
    """`/whole/…` is answered by the extension when it is there, `/once/…` without a task, `/slow` after `gate`."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.taken: list[bool] = []
        self.tasks: list[str] = []

    paths_without_task = ("/once/",)

    def respond_without_task(self, scope: Scope, whole: SendComplete) -> bool:
        path = scope["path"]
        if path == "/once/broken":
            raise KeyError("a bug")
        if path == "/once/broken-late":
            whole(200, EncodedHeaders([(b"content-length", b"4")], 4), b"late", b"")
            raise KeyError("a bug after the answer")
        body = LARGE if path == "/once/large" else path.encode()
        return whole(200, EncodedHeaders([*PLAIN, (b"content-length", b"%d" % len(body))], len(body)), body, b"")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                await send({"type": message["type"] + ".complete"})
                if message["type"] == "lifespan.shutdown":
                    return
        whole: SendComplete = scope["extensions"].pop(COMPLETE)
        path = scope["path"]
        self.tasks.append(path)
        if path == "/slow":
            while not self.gate.is_set():
                await _pause()
        if path == "/read":
            await receive()
        status, headers, body = answer_of(path)
        if path != "/ordinary":
            done = whole(status, headers, body, block_of([(b"x-always", b"1")]))
            self.taken.append(done)
            if done:
                return
        await send({"type": "http.response.start", "status": status, "headers": [*headers, (b"x-always", b"1")]})
        await send({"type": "http.response.body", "body": body})


async def _pause() -> None:
    import asyncio

    await asyncio.sleep(0.005)


def answer_of(path: str) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    if path == "/unchanged":
        return 304, [(b"etag", b'"a"')], b""
    if path == "/nothing":
        return 204, [], b""
    if path == "/chunked":
        return 200, PLAIN, b"in chunks"
    if path == "/short":
        return 200, [(b"content-length", b"99")], b"too short"
    if path == "/injected":
        return 200, [(b"x-name", b"a\r\nset-cookie: evil=1"), (b"content-length", b"2")], b"ok"
    if path == "/closing":
        return 200, [(b"connection", b"close"), (b"content-length", b"2")], b"ok"
    body = LARGE if path.endswith("/large") else path.encode()
    return 200, [*PLAIN, (b"content-length", b"%d" % len(body))], body


class Quiet(Protocol):
    """The tests' own log handlers make uvicorn believe that somebody reads its access log."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.access_log = False


class Running:
    def __init__(self) -> None:
        self.app = App()
        self.listening = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(
            self.app,
            http=Quiet,
            loop="uvloop",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
        )
        self.server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.listening]})
        self._thread.start()

    def ask(self, *lines: str, method: str = "GET", version: str = "HTTP/1.1", path: str = "/whole") -> "Answer":
        with closing(self.connect()) as line:
            line.send(path, *lines, method=method, version=version)
            return line.answer(has_body=method != "HEAD")

    def connect(self) -> "Line":
        return Line(self.listening.getsockname())

    def close(self) -> None:
        self.app.gate.set()
        self.server.should_exit = True
        self._thread.join(20)
        self.listening.close()


class Answer:
    def __init__(self, head: bytes, body: bytes) -> None:
        first, *rest = head.decode("latin-1").split("\r\n")
        self.status = int(first.split(" ")[1])
        self.headers = [(line.partition(": ")[0], line.partition(": ")[2]) for line in rest]
        self.names = [name for name, _ in self.headers]
        self.body = body

    def __getitem__(self, name: str) -> str:
        return dict(self.headers)[name]


class Line:
    """One connection, read as RFC 9112 says."""

    def __init__(self, address: Any) -> None:
        self._socket = socket.create_connection(address, timeout=20)
        self._read = self._socket.makefile("rb")

    def send(self, path: str, *lines: str, method: str = "GET", version: str = "HTTP/1.1") -> None:
        self.raw("\r\n".join([f"{method} {path} {version}", "Host: here", *lines, "", ""]).encode())

    def raw(self, data: bytes) -> None:
        self._socket.sendall(data)

    def answer(self, *, has_body: bool = True) -> Answer:
        head = []
        while (line := self._read.readline()) not in (b"\r\n", b""):
            head.append(line.rstrip(b"\r\n"))
        answer = Answer(b"\r\n".join(head), b"")
        if has_body and answer.status not in (100, 204, 304):
            if "transfer-encoding" in answer.names:
                while (size := int(self._read.readline(), 16)) > 0:
                    answer.body += self._read.read(size + 2)[:-2]
                self._read.readline()
            else:
                answer.body = self._read.read(int(answer["content-length"]))
        return answer

    def wait_for_bytes(self) -> None:
        assert select.select([self._socket], [], [], 20)[0]

    def is_over(self) -> bool:
        return self._read.read(1) == b""

    def close(self) -> None:
        self._read.close()
        self._socket.close()


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    server = Running()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def _fresh(running: Running) -> None:
    running.app.taken.clear()
    running.app.gate.clear()


def test_a_whole_answer_has_what_the_ordinary_one_has(running: Running) -> None:
    quick, ordinary = running.ask(path="/whole"), running.ask(path="/ordinary")
    assert running.app.taken == [True]
    assert quick.status == ordinary.status == 200
    assert sorted(set(quick.names)) == sorted(set(ordinary.names)) and "date" in quick.names
    assert (quick.body, ordinary.body) == (b"/whole", b"/ordinary")
    assert quick["content-length"] == "6"


def test_head_has_the_headers_of_get_and_no_body(running: Running) -> None:
    with closing(running.connect()) as line:
        line.send("/whole", method="HEAD")
        head = line.answer(has_body=False)
        line.send("/whole")
        assert line.answer().body == b"/whole", "nothing was left over from the answer before"
    assert head["content-length"] == "6"
    assert running.app.taken == [True, True]


@pytest.mark.parametrize(("path", "status"), [("/unchanged", 304), ("/nothing", 204)])
def test_answers_without_a_body_end_with_their_head(running: Running, path: str, status: int) -> None:
    with closing(running.connect()) as line:
        line.send(path)
        first = line.answer()
        line.send("/whole")
        assert line.answer().body == b"/whole"
    assert first.status == status
    assert "content-length" not in first.names and "transfer-encoding" not in first.names
    assert running.app.taken == [True, True]


def test_a_connection_is_kept_and_closed_when_the_client_says_so(running: Running) -> None:
    with closing(running.connect()) as line:
        for _ in range(3):
            line.send("/whole")
            assert line.answer().body == b"/whole"
        line.send("/whole", "Connection: close")
        last = line.answer()
        assert (last.body, last["connection"]) == (b"/whole", "close")
        assert line.is_over()
    assert running.app.taken == [True, True, True, False], "the one that closes takes the ordinary way"


def test_a_client_of_http_1_0_is_not_kept_waiting(running: Running) -> None:
    with closing(running.connect()) as line:
        line.send("/whole", version="HTTP/1.0")
        assert line.answer().body == b"/whole"
        assert line.is_over()


def test_an_answer_that_closes_its_connection_is_left_to_the_ordinary_way(running: Running) -> None:
    with closing(running.connect()) as line:
        line.send("/closing")
        assert line.answer()["connection"] == "close"
        assert line.is_over()


def test_what_is_answered_at_once_needs_no_task(running: Running) -> None:
    running.app.tasks.clear()
    with closing(running.connect()) as line:
        for _ in range(2):
            line.send("/once/a")
            answer = line.answer()
            assert (answer.status, answer.body, "date" in answer.names) == (200, b"/once/a", True)
        line.send("/once/a", "Connection: close")
        assert line.answer()["connection"] == "close"
    assert running.app.tasks == ["/once/a"], "only the one that closes its connection"


def test_pipelined_requests_are_answered_in_their_order(running: Running) -> None:
    paths = ["/whole", "/once/a", "/ordinary", "/once/b", "/unchanged", "/whole"]
    with closing(running.connect()) as line:
        line.raw(b"".join(f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode() for path in paths))
        got = [line.answer() for _ in paths]
    assert [answer.body.decode() or str(answer.status) for answer in got] == [
        "/whole", "/once/a", "/ordinary", "/once/b", "304", "/whole",
    ]  # fmt: skip


def test_thousands_that_wait_behind_a_slow_one_are_answered_without_end_of_stack(running: Running) -> None:
    many = 3_000
    with closing(running.connect()) as line:
        line.raw(b"GET /slow HTTP/1.1\r\nHost: here\r\n\r\n")
        line.raw(b"GET /once/a HTTP/1.1\r\nHost: here\r\n\r\n" * many)
        running.app.gate.set()
        assert line.answer().body == b"/slow"
        assert all(line.answer().body == b"/once/a" for _ in range(many))


def test_who_expects_to_continue_is_told_to_only_when_the_body_is_read(running: Running) -> None:
    with closing(running.connect()) as line:
        line.send("/read", "Expect: 100-continue", "Content-Length: 2", method="POST")
        assert line.answer().status == 100
        line.raw(b"ab")
        assert line.answer().body == b"/read"
        line.send("/whole", "Expect: 100-continue", "Content-Length: 2", method="POST")
        assert line.answer().status == 200


def test_a_line_end_in_a_value_never_becomes_a_header(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    refused = running.ask(path="/injected")
    assert refused.status == 500
    assert "set-cookie" not in refused.names and b"evil" not in refused.body


def test_a_length_that_does_not_fit_is_not_sent_as_if_it_did(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(running.connect()) as line:
        line.send("/short")
        with pytest.raises((ValueError, IndexError, AssertionError)):
            assert len(line.answer().body) == 99
        assert line.is_over()
    assert running.app.taken == [False]


def test_a_body_without_a_length_goes_in_chunks(running: Running) -> None:
    answer = running.ask(path="/chunked")
    assert (answer["transfer-encoding"], answer.body) == ("chunked", b"in chunks")
    assert running.app.taken == [False]


@pytest.mark.parametrize("path", ["/large", "/once/large"])
def test_a_slow_reader_gets_every_byte(running: Running, path: str) -> None:
    many = 4
    with closing(running.connect()) as line:
        line.raw(f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode() * many)
        line.wait_for_bytes()  # the first answer alone fills the server's buffer: the others wait behind it
        assert all(line.answer().body == LARGE for _ in range(many))


def test_a_bug_before_the_answer_leaves_the_request_to_the_ordinary_way(running: Running) -> None:
    assert running.ask(path="/once/broken").body == b"/once/broken"


def test_a_bug_after_the_answer_does_not_answer_twice(running: Running) -> None:
    with closing(running.connect()) as line:
        line.send("/once/broken-late")
        assert line.answer().body == b"late"
        line.send("/whole")
        assert line.answer().body == b"/whole"


def test_a_client_that_goes_away_harms_nobody(running: Running) -> None:
    with closing(running.connect()) as line:
        line.send("/slow")
    running.app.gate.set()
    assert running.ask(path="/whole").body == b"/whole"


@pytest.mark.parametrize(
    "pair",
    [
        (b"x", b"a\r\nb: c"),
        (b"x", b"a\nb"),
        (b"x\r\ny", b"a"),
        (b"x y", b"a"),
        (b"", b"a"),
        (b"x:", b"a"),
        (b"x", b"\0"),
    ],
)  # fmt: skip
def test_what_no_header_may_be_is_refused_each_time(pair: tuple[bytes, bytes]) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="not a header"):
            block_of([pair])


def test_lines_of_many_values_are_forgotten_again() -> None:
    kept = encoded_headers.encoded_before.cache_info().maxsize
    assert kept is not None
    for number in range(2 * kept):
        assert block_of([(b"x", b"%d" % number)]) == b"x: %d\r\n" % number
    assert encoded_headers.encoded_before.cache_info().currsize <= kept


def test_long_and_changing_lines_are_not_kept() -> None:
    before = encoded_headers.encoded_before.cache_info().currsize
    block_of([(b"x-long", b"a" * 2000), (b"content-length", b"1234567"), (b"ratelimit", b'"token";r=3;t=4')])
    assert encoded_headers.encoded_before.cache_info().currsize == before


def test_the_message_in_one_piece_is_two_for_other_servers() -> None:
    """What serves the application elsewhere (tests, another server) knows nothing of the extension."""
    import asyncio

    from vitrine.edge.middleware import Outermost
    from vitrine.edge.proxies import Proxies

    sent: list[Message] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": COMPLETE, "status": 200, "headers": [(b"a", b"b")], "body": b"c"})

    async def send(message: Message) -> None:
        sent.append(message)

    outermost = Outermost(inner, None, proxies=Proxies(), https=False)  # type: ignore[arg-type]  # no service is asked
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "client": ("127.0.0.1", 1)}
    asyncio.run(outermost(scope, None, send))  # type: ignore[arg-type]  # nothing is received
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert (b"x-content-type-options", b"nosniff") in sent[0]["headers"] and sent[1]["body"] == b"c"


class TestRawTargets:
    """A request line may hold bytes that RFC 9112 has not; nothing behind it is touched."""

    def test_a_raw_target_is_percent_encoded(self, running: Running) -> None:
        for path in ("/whole/Château", "/whole?q=Château"):
            with closing(running.connect()) as line:
                line.raw(b"GET " + path.encode() + b" HTTP/1.1\r\nHost: here\r\n\r\n")
                assert line.answer().status == 200

    def test_a_target_that_arrives_in_pieces_is_too(self, running: Running) -> None:
        request = "GET /whole/Château HTTP/1.1\r\nHost: here\r\n\r\n".encode()
        with closing(running.connect()) as line:
            for start in range(0, len(request), 5):
                line.raw(request[start : start + 5])
                time.sleep(0.005)
            assert line.answer().body == "/whole/Château".encode()

    def test_a_body_of_raw_bytes_keeps_its_length(self, running: Running) -> None:
        """A byte more would make the rest of it the next request."""
        body = "é".encode() * 40
        post = b"POST /read HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n" % len(body)
        with closing(running.connect()) as line:
            line.raw(post + body + post + body[:7])  # the second one begins in the same chunk, and goes on in another
            assert line.answer().body == b"/read"
            line.raw(body[7:])
            assert line.answer().body == b"/read"
            line.raw("GET /whole/é HTTP/1.1\r\nHost: here\r\nX-Name: é\r\n\r\n".encode())
            assert line.answer().body == "/whole/é".encode()
