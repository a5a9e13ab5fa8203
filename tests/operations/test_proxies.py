"""Who asks, by which scheme and host, when proxies speak for others: over real sockets, since a proxy may add a line of
its own, and both protocols must read all of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from vitrine.testing.listening import ListeningServer
from vitrine.testing.server import Server

OPERATOR, STRANGER = "10.1.2.3", "198.51.100.7"


@pytest.fixture(params=[True, False], ids=["fast", "ordinary"])
def listening(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ListeningServer]:
    server = Server(
        tmp_path / "data",
        fast_paths=request.param,
        trusted_proxies=("127.0.0.1", "127.0.0.2"),
        metrics_from=(OPERATOR,),
        api_require_https=True,
        base_url="http://dam.test",
    )
    running = ListeningServer(server.application)
    yield running
    running.close()
    server.close()


def metrics(listening: ListeningServer, *lines: str, source: str = "127.0.0.1") -> int:
    """The status of /metrics, which is there for the operator's address only."""
    return listening.ask("\r\n".join(["GET /metrics HTTP/1.1", "Host: dam.test", *lines, "", ""]), source).status


def test_a_line_sent_by_the_client_does_not_hide_the_line_of_the_proxy(listening: ListeningServer) -> None:
    """HAProxy adds a line of its own; the client's is the first."""
    assert metrics(listening, f"X-Forwarded-For: {OPERATOR}", f"X-Forwarded-For: {STRANGER}") == 404
    assert metrics(listening, f"X-Forwarded-For: {STRANGER}", f"X-Forwarded-For: {OPERATOR}") == 200


def test_ports_brackets_and_two_proxies(listening: ListeningServer) -> None:
    assert metrics(listening, f"X-Forwarded-For: {OPERATOR}:4711") == 200
    assert metrics(listening, f"X-Forwarded-For: ::ffff:{OPERATOR}") == 200
    assert metrics(listening, f"X-Forwarded-For: {STRANGER}, {OPERATOR}", "X-Forwarded-For: 127.0.0.2:80") == 200
    assert metrics(listening, f"X-Forwarded-For: {OPERATOR}, {STRANGER}", "X-Forwarded-For: 127.0.0.2") == 404


def test_forwarded_is_read_where_no_x_forwarded_for_is(listening: ListeningServer) -> None:
    assert metrics(listening, f'Forwarded: for="{OPERATOR}:4711";proto=https') == 200
    assert metrics(listening, f"Forwarded: for={OPERATOR}", f"Forwarded: for={STRANGER}") == 404
    assert metrics(listening, f"Forwarded: for={OPERATOR}", f"X-Forwarded-For: {STRANGER}") == 404


def test_a_peer_that_is_no_proxy_has_its_headers_ignored(listening: ListeningServer) -> None:
    for line in (f"X-Forwarded-For: {OPERATOR}", f"Forwarded: for={OPERATOR}"):
        assert metrics(listening, line, source="127.0.0.9") == 404


def test_the_scheme_is_the_proxys_word(listening: ListeningServer) -> None:
    """The token endpoint refuses http here."""

    def token(*lines: str, source: str = "127.0.0.1") -> bytes:
        head = ["POST /api/oauthv2/token HTTP/1.1", "Host: dam.test", *lines, "Content-Length: 0", "", ""]
        return listening.ask("\r\n".join(head), source).body

    refusal = b"must be called over https"
    assert refusal in token("X-Forwarded-Proto: http", f"X-Forwarded-For: {STRANGER}")
    assert refusal not in token("X-Forwarded-Proto: https", f"X-Forwarded-For: {STRANGER}")
    assert refusal in token("X-Forwarded-Proto: https", "X-Forwarded-Proto: http", f"X-Forwarded-For: {STRANGER}")
    assert refusal not in token(f"Forwarded: for={STRANGER};proto=https")
    assert refusal in token("X-Forwarded-Proto: https", source="127.0.0.9")


def test_lock_outs_count_by_the_address_of_the_client(listening: ListeningServer) -> None:
    """A client that names another address in each request stays one client."""
    limits = []
    for attempt in range(3):
        head = [
            "POST /api/oauthv2/token HTTP/1.1",
            "Host: dam.test",
            f"X-Forwarded-For: 10.9.9.{attempt}",
            f"X-Forwarded-For: {STRANGER}",
            "X-Forwarded-Proto: https",
            "Content-Length: 0",
        ]
        limits.append(listening.ask("\r\n".join([*head, "", ""])).headers["ratelimit"])
    assert len({limit.partition("r=")[2].partition(";")[0] for limit in limits}) == 3
