"""deploy/nginx.conf with the names, ports and folders of the test: TLS, and documents sent by nginx."""

import ipaddress
import os
import re
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.browser.conftest import free_port, is_up, wait_for
from vitrine.testing import media_factory as make
from vitrine.testing.server import Server

ROOT = Path(__file__).parents[2]
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or "nginx"
CONTENT = b"\0" + Random(5).randbytes(3 * 2**20)  # of an unknown type, so no renditions are made


@dataclass(frozen=True, slots=True)
class Pair:
    """Clients behind nginx and directly at the server, and the permalinks of two documents."""

    nginx: httpx.Client
    direct: httpx.Client
    large: str
    small: str
    data: Path


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("nginx")
    port, tls = free_port(), free_port()
    base = f"https://127.0.0.1:{tls}"
    large, small = filled(folder)
    certificate(folder)
    (folder / "data" / "vitrine.toml").write_text(configured(base))
    serve = [sys.executable, "-m", "vitrine", "serve", "--no-worker", "--data", str(folder / "data")]
    nginx = [NGINX, "-p", str(folder), "-c", str(configuration(folder, port, tls)), "-g", "daemon off;"]
    trust = ssl.create_default_context(cafile=folder / "fullchain.pem")
    with (
        running([*serve, "--port", str(port)], {}),
        running(nginx, {}),
        httpx.Client(base_url=base, verify=trust) as proxied,
        httpx.Client(base_url=f"http://127.0.0.1:{port}") as direct,
    ):
        wait_for(lambda: is_up(f"http://127.0.0.1:{port}/health"), 30, "the server answers")
        wait_for(lambda: answers(proxied), 10, "nginx answers")
        yield Pair(proxied, direct, large, small, folder / "data")


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/health").status_code == 200
    except httpx.HTTPError:
        return False


def filled(folder: Path) -> tuple[str, str]:
    """Paths of two permalinks: a document of 3 MiB, and a thumbnail."""
    server = Server(folder / "data")
    ada = server.user("ada")
    token = server.token(ada)
    (folder / "large.bin").write_bytes(CONTENT)
    permalinks = []
    for file, name in (folder / "large.bin", "document"), (make.jpeg(folder / "a.jpg", 640, 480), "thumbnail"):
        key = server.add(file, ada)
        embed = server.get(f"/records/{key.databox}/{key.number}/embed/", token)["embed"]
        parts = urlsplit(next(rendition for rendition in embed if rendition["name"] == name)["permalink"]["url"])
        permalinks.append(f"{parts.path}?{parts.query}")
    server.close()
    return permalinks[0], permalinks[1]


def configured(base: str) -> str:
    """The settings that the first lines of deploy/nginx.conf require, with the address of the test."""
    lines = re.findall(r"^#     (\w+ = .+)$", (ROOT / "deploy" / "nginx.conf").read_text(), re.MULTILINE)
    assert len(lines) == 3
    return "\n".join(lines).replace("https://dam.example.org", base) + "\n"


def certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "dam.test")])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    pem = serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, pem, serialization.NoEncryption()))


def configuration(folder: Path, port: int, tls: int) -> Path:
    """deploy/nginx.conf with the values of the test. Each replacement must match."""
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    for pattern, replacement in (
        (r"server 127\.0\.0\.1:8000;", f"server 127.0.0.1:{port};"),
        (r"listen 80;", f"listen 127.0.0.1:{free_port()};"),
        (r"listen 443 ssl http2;", f"listen 127.0.0.1:{tls} ssl http2;"),
        (r"listen \[::\]:\d+[^;]*;", ""),
        (r"/etc/ssl/dam\.example\.org", str(folder)),
        (r"/var/log/nginx/", f"{folder}/"),
        (r"/var/lib/vitrine/", f"{folder}/data/"),
    ):
        text, count = re.subn(pattern, replacement, text)
        assert count, pattern
    for name in ("client", "proxy", "fastcgi", "uwsgi", "scgi"):
        text += (
            f"\n{name}_temp_path {folder}/tmp-{name};" if name != "client" else f"\nclient_body_temp_path {folder}/tmp;"
        )
    user = "user root;\n" if os.getuid() == 0 else ""
    types = "types { text/html html; }\ndefault_type application/octet-stream;"
    config_text = (
        f"{user}pid {folder}/nginx.pid;\nerror_log {folder}/error.log;\nevents {{}}\nhttp {{\n{types}\n{text}\n}}\n"
    )
    (folder / "nginx.conf").write_text(config_text)
    return folder / "nginx.conf"


@contextmanager
def running(command: list[str], environment: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **environment}
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


KEPT = (
    "content-type", "content-disposition", "cache-control", "etag", "last-modified", "link", "accept-ranges",
    "x-content-type-options", "content-security-policy", "cross-origin-resource-policy",
    "access-control-allow-origin", "strict-transport-security",
)  # fmt: skip


def offloaded(pair: Pair) -> httpx.Response:
    """The server's response to nginx, as seen by a direct client at a trusted address."""
    return pair.direct.get(pair.large)


def test_the_server_hands_the_document_over(pair: Pair) -> None:
    answer = offloaded(pair)
    assert re.fullmatch(r"/_documents/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{64}", answer.headers["x-accel-redirect"])
    assert (answer.status_code, answer.headers["content-length"], answer.content) == (200, "0", b"")


def test_nginx_sends_it_with_the_headers_of_the_server(pair: Pair) -> None:
    answer, direct = pair.nginx.get(pair.large), offloaded(pair)
    assert answer.content == CONTENT
    assert answer.headers["content-length"] == str(len(CONTENT))
    for name in KEPT:
        expected = ["bytes"] if name == "accept-ranges" else direct.headers.get_list(name)
        assert answer.headers.get_list(name) == expected, name
    assert "x-accel-redirect" not in answer.headers
    assert "x-request-id" in answer.headers


def test_ranges_and_their_conditions(pair: Pair) -> None:
    tag = pair.nginx.head(pair.large).headers["etag"]
    part = pair.nginx.get(pair.large, headers={"Range": "bytes=1000-1999"})
    assert (part.status_code, part.content) == (206, CONTENT[1000:2000])
    assert part.headers["content-range"] == f"bytes 1000-1999/{len(CONTENT)}"
    resumed = pair.nginx.get(pair.large, headers={"Range": "bytes=3000000-", "If-Range": tag})
    assert (resumed.status_code, resumed.content) == (206, CONTENT[3_000_000:])
    mismatched = pair.nginx.get(pair.large, headers={"Range": "bytes=3000000-", "If-Range": '"another"'})
    assert (mismatched.status_code, mismatched.content) == (200, CONTENT)
    assert pair.nginx.get(pair.large, headers={"Range": "bytes=9999999-"}).status_code == 416
    multiple = pair.nginx.get(pair.large, headers={"Range": "bytes=0-1,5-6"})
    assert (multiple.status_code, multiple.content) == (200, CONTENT)


def test_head_and_not_modified(pair: Pair) -> None:
    head = pair.nginx.head(pair.large)
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(CONTENT)), b"")
    unchanged = pair.nginx.get(pair.large, headers={"If-None-Match": head.headers["etag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    changed = pair.nginx.get(pair.large, headers={"If-None-Match": '"old"', "If-Modified-Since": head.headers["date"]})
    assert (changed.status_code, changed.content) == (200, CONTENT)


def test_a_small_file_comes_from_the_servers_memory(pair: Pair) -> None:
    answer = pair.nginx.get(pair.small)
    assert answer.status_code == 200
    assert answer.content[:2] == b"\xff\xd8"
    assert pair.direct.get(pair.small).content == answer.content


def test_nobody_asks_nginx_for_a_document_by_itself(pair: Pair) -> None:
    internal_path = offloaded(pair).headers["x-accel-redirect"]
    assert pair.nginx.get(internal_path).status_code == 404
    assert pair.nginx.get(pair.large.replace("token=", "token=x")).status_code == 404
    for path in ("/_documents/..%2f..%2fserver.key", "/_documents/../server.key", "/_documents../server.key"):
        assert pair.nginx.get(path).status_code in (400, 404)


def test_a_request_past_the_proxy_gets_the_bytes_themselves(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", accel_prefix="/_documents", trusted_proxies=("10.0.0.1",))
    try:
        ada = server.user("ada")
        (tmp_path / "a.bin").write_bytes(CONTENT)
        key = server.add(tmp_path / "a.bin", ada)
        embed = server.get(f"/records/{key.databox}/{key.number}/embed/", server.token(ada))["embed"]
        answer = server.http.get(
            next(rendition for rendition in embed if rendition["name"] == "document")["permalink"]["url"]
        )
        assert answer.content == CONTENT
        assert "x-accel-redirect" not in answer.headers
    finally:
        server.close()


def test_a_document_that_is_missing_is_refused_in_our_words(pair: Pair) -> None:
    path = pair.data / "blobs" / offloaded(pair).headers["x-accel-redirect"].removeprefix("/_documents/")
    path.rename(path.with_name("away"))
    try:
        answer = pair.nginx.get(pair.large)
        assert answer.status_code == 404
        assert "missing from the store" in answer.text
    finally:
        path.with_name("away").rename(path)
