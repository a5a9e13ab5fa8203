"""Rivals in the same run, where `tools/peers.sh` installed them (BENCH_PEERS names the folder)."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import httpx

from benchmarks.rows import IN_MEMORY, ON_SQLITE, TOOLKIT

HERE = Path(__file__).parent
PORT = int(os.environ.get("BENCH_PORT", "17310"))  # and the next fourteen
DJANGO_PORT, OIDC_PORT, OIDC_SQLITE_PORT = PORT + 10, PORT + 13, PORT + 14
DIRECTUS_PORTS = {"Directus": PORT + 11, "Directus, cache": PORT + 12}
TOKEN = "peer-static-token"
CLIENT = ("bench", "a-secret-of-the-benchmark-and-of-nobody-else")
Serving = Callable[..., AbstractContextManager[int]]
Peer = tuple[str, str, int, str]  # address, token, process, name


def django(stack: ExitStack, serving: Serving, peers: Path) -> Iterator[Peer]:
    """django-oauth-toolkit, one gunicorn worker of four threads."""
    programs = peers / "django" / "bin"
    if not programs.exists():
        return
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    environment = {"PEER_DJANGO_DB": f"{folder}/peer.sqlite3"}
    seed = [str(programs / "python"), str(HERE / "peer_django.py"), TOKEN, *CLIENT]
    subprocess.run(seed, check=True, env={**os.environ, **environment})
    address = f"http://127.0.0.1:{DJANGO_PORT}/me"
    arguments = ["-k", "gthread", "-w", "1", "--threads", "4", "--keep-alive", "30", "-b", f"127.0.0.1:{DJANGO_PORT}"]
    pid = stack.enter_context(
        serving(
            [*arguments, "--log-level", "error", "peer_django:application"],
            address,
            environment,
            program=str(programs / "gunicorn"),
            folder=HERE,
        )
    )
    yield address, TOKEN, pid, TOOLKIT


def oidc(stack: ExitStack, serving: Serving, peers: Path) -> Iterator[Peer]:
    """node-oidc-provider, with its in-memory store, and with a SQLite file where better-sqlite3 is installed."""
    modules = peers / "oidc" / "node_modules"
    if not (modules / "oidc-provider").exists():
        return
    stores = {IN_MEMORY: (OIDC_PORT, "")}
    if (modules / "better-sqlite3").exists():
        stores[ON_SQLITE] = (OIDC_SQLITE_PORT, f"{stack.enter_context(tempfile.TemporaryDirectory())}/peer.sqlite3")
    for name, (port, file) in stores.items():
        root = f"http://127.0.0.1:{port}"
        arguments = [str(HERE / "peer_oidc.mjs"), str(modules.parent), str(port), *CLIENT, *([file] if file else [])]
        address = f"{root}/.well-known/openid-configuration"
        pid = stack.enter_context(serving(arguments, address, {"NODE_ENV": "production"}, program="node"))
        yield root, "", pid, name


def directus(stack: ExitStack, serving: Serving, peers: Path) -> Iterator[Peer]:
    """Directus on SQLite with 200 rows of the size of our records, without and with its cache."""
    program = peers / "directus" / "node_modules" / "directus" / "cli.js"
    if not program.exists():
        return
    for name, port in DIRECTUS_PORTS.items():
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        environment = {
            "DB_CLIENT": "sqlite3", "DB_FILENAME": f"{folder}/peer.db", "SECRET": "benchmark", "KEY": "benchmark",
            "HOST": "127.0.0.1", "PORT": str(port), "PUBLIC_URL": f"http://127.0.0.1:{port}", "TELEMETRY": "false",
            "ADMIN_EMAIL": "admin@example.com", "ADMIN_PASSWORD": "benchmark", "ADMIN_TOKEN": TOKEN,
            "LOG_LEVEL": "warn", "RATE_LIMITER_ENABLED": "false", "PRESSURE_LIMITER_ENABLED": "false",
            "STORAGE_LOCATIONS": "local", "STORAGE_LOCAL_ROOT": folder,
            "CACHE_ENABLED": str("cache" in name).lower(),
        }  # fmt: skip
        subprocess.run(
            ["node", str(program), "bootstrap"], check=True, capture_output=True, env={**os.environ, **environment}
        )
        root = f"http://127.0.0.1:{port}"
        pid = stack.enter_context(
            serving([str(program), "start"], f"{root}/server/ping", environment, program="node", folder=program.parent)
        )
        _fill(root)
        yield f"{root}/items/records?limit=25&sort=-id", TOKEN, pid, name


def _fill(root: str) -> None:
    texts = ("title", "caption", "keywords", "city", "country", "credit", "sha256", "mime")
    key = {"field": "id", "type": "integer", "schema": {"is_primary_key": True, "has_auto_increment": True}, "meta": {}}
    fields: list[dict[str, Any]] = [key, *({"field": name, "type": "text", "schema": {}, "meta": {}} for name in texts)]
    row = {name: f"{name} " * 20 for name in texts}
    with httpx.Client(base_url=root, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as http:
        created = http.post("/collections", json={"collection": "records", "schema": {}, "meta": {}, "fields": fields})
        created.raise_for_status()
        http.post("/items/records", json=[row] * 200).raise_for_status()
