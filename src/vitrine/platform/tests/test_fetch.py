"""The address guard: no internal address is ever reached."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from vitrine.platform.fetch import CannotFetch, Fetcher, is_public


class RemoteHandler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", self.path.partition("?")[2])
            self.end_headers()
            return
        self.send_response(200 if self.path.startswith("/good") else 404)
        self.end_headers()
        secret = self.headers["Authorization"] or ""
        self.wfile.write(b"x" * 5000 + self.headers["Host"].encode() + secret.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Tests print nothing of their own."""


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), RemoteHandler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def fetcher(port: int, **overrides: object) -> Fetcher:
    """Names under example.com resolve to the server of this test, the only public address."""

    def names(host: str, _port: int) -> list[str]:
        return ["127.0.0.1"] if host.endswith("example.com") else [host]

    values: dict[str, object] = {
        "max_bytes": 10_000,
        "resolve": names,
        "allowed": lambda address: address == "127.0.0.1",
        "ports": (port, 80),
    }
    return Fetcher(**{**values, **overrides})  # type: ignore[arg-type]  # test shorthand


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
     "::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "255.255.255.255"],
)  # fmt: skip
def test_inner_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"])
def test_public_ones_are(address: str) -> None:
    assert is_public(address)


def test_a_document_is_fetched_with_its_name_and_host(port: int, tmp_path: Path) -> None:
    name = fetcher(port).fetch(f"http://pictures.example.com:{port}/good/mon%20port.jpg?x=1", tmp_path / "f")
    assert name == "mon port.jpg"
    assert (tmp_path / "f").read_bytes().endswith(f"pictures.example.com:{port}".encode())


@pytest.mark.parametrize(
    "url",
    ["http://10.0.0.1/good", "http://[::1]/good", "ftp://pictures.example.com/", "http://u:p@pictures.example.com/good",
     "file:///etc/passwd", "http://pictures.example.com:22/good", "nothing", "http://[broken/"],
)  # fmt: skip
def test_what_may_not_be_fetched_is_refused(port: int, tmp_path: Path, url: str) -> None:
    with pytest.raises(CannotFetch) as refusal:
        fetcher(port).fetch(url, tmp_path / "f")
    assert refusal.value.field == "url"
    assert not (tmp_path / "f").exists()


def test_headers_stay_with_the_origin_that_they_are_for(port: int, tmp_path: Path) -> None:
    root, headers = f"http://pictures.example.com:{port}", {"Authorization": "hush"}
    elsewhere = f"http://others.example.com:{port}"
    for url, is_sent in (
        (f"{root}/good", True), (f"{root}/moved?/good", True), (f"{root}/moved?{elsewhere}/good", False),
        (f"{root}/moved?{elsewhere}/moved?{root}/good", False),
    ):  # fmt: skip
        fetcher(port).fetch(url, tmp_path / "f", headers)
        assert (tmp_path / "f").read_bytes().endswith(b"hush") is is_sent, url


def test_a_redirect_is_checked_like_the_first_address(port: int, tmp_path: Path) -> None:
    root = f"http://pictures.example.com:{port}"
    assert fetcher(port).fetch(f"{root}/moved?/good/a.jpg", tmp_path / "f") == "a.jpg"
    with pytest.raises(CannotFetch):
        fetcher(port).fetch(f"{root}/moved?http://169.254.169.254/", tmp_path / "f")
    with pytest.raises(CannotFetch, match="too often"):
        fetcher(port).fetch(f"{root}/moved?/moved?/moved?/moved?/moved?/good", tmp_path / "f")


def test_large_and_missing_documents_are_refused(port: int, tmp_path: Path) -> None:
    with pytest.raises(CannotFetch, match="too large"):
        fetcher(port, max_bytes=1000).fetch(f"http://pictures.example.com:{port}/good", tmp_path / "f")
    with pytest.raises(CannotFetch, match="404"):
        fetcher(port).fetch(f"http://pictures.example.com:{port}/missing", tmp_path / "f")


def test_a_name_with_one_inner_address_among_public_ones_is_refused(port: int, tmp_path: Path) -> None:
    with pytest.raises(CannotFetch):
        fetcher(port, resolve=lambda _host, _port: ["127.0.0.1", "10.0.0.1"]).fetch(
            "http://a.example.com/good", tmp_path / "f"
        )
