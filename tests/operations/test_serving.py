"""`vitrine serve` as an operator starts it: its own address, and how it fails."""

import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.browser.conftest import free_port, is_up, wait_for
from vitrine.cli.server import allow_open_files, local_url


def vitrine(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("VITRINE_")}
    return subprocess.Popen(
        [sys.executable, "-m", "vitrine", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**environ, **environment},
    )


@contextmanager
def serving(data: Path, **environment: str) -> Iterator[str]:
    port = free_port()
    process = vitrine("serve", "--no-worker", "--data", str(data), "--port", str(port), **environment)
    try:
        wait_for(lambda: is_up(f"http://127.0.0.1:{port}/health"), 60, "the server answers")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def test_the_address_in_the_settings_file_counts(tmp_path: Path) -> None:
    """design 3: base_url determines every absolute address. If it is https, cookies are secure."""
    (tmp_path / "vitrine.toml").write_text('base_url = "https://dam.example.org"\n')
    with serving(tmp_path) as address:
        issuer = httpx.get(f"{address}/.well-known/oauth-authorization-server").json()["issuer"]
        cookie = httpx.get(f"{address}/setup/").headers["set-cookie"]
    assert issuer == "https://dam.example.org"
    assert "; secure" in cookie.lower()


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("fd00::5", "http://[fd00::5]:80"),
        ("dam.lan", "http://dam.lan:80"),
    ],
)
def test_without_any_setting_the_address_is_one_that_a_browser_here_can_open(host: str, expected: str) -> None:
    assert local_url(host, 80) == expected


def test_a_taken_port_and_an_unusable_folder_end_with_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = str(listener.getsockname()[1])
        process = vitrine("serve", "--data", str(tmp_path / "data"), "--port", port)
        output, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert f"Port {port} of 127.0.0.1 is taken" in output
    (tmp_path / "file").write_text("")
    process = vitrine("serve", "--data", str(tmp_path / "file" / "data"), "--port", str(free_port()))
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "cannot be used as data folder" in output
    assert "Traceback" not in output


def test_a_database_that_is_not_there_ends_with_a_sentence(tmp_path: Path) -> None:
    url = f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/nowhere"
    process = vitrine("serve", "--data", str(tmp_path), "--port", str(free_port()), VITRINE_DATABASE_URL=url)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in output
    assert output.startswith("vitrine: ")


def test_a_server_may_open_as_many_files_as_it_takes_connections() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    low = min(64 + len(list(Path("/proc/self/fd").iterdir())), before[1])
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (low, before[1]))
        allow_open_files(300)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(1156, before[1])
        allow_open_files(100)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(1156, before[1]), "never fewer"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
