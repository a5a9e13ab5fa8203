"""What each fast path is worth: CPU per request with it and without, in one process, interleaved (docs/decisions/0087).

    python -m benchmarks.fast_paths [ROUNDS]

All variants answer from the same data folder, through uvicorn's protocol object and without a socket, so figures are
lower than those of `make bench`; the differences count.
"""

import base64
import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvloop

from benchmarks.fixtures import Instance, prepare
from vitrine.testing.server import Server
from vitrine.testing.wire import WireServer

REQUESTS = 150  # of one kind in a round
PLENTY: dict[str, Any] = {"application_calls": 0, "account_calls": 0, "token_calls": 0}


class Forgetful:
    """Stands for a cache that keeps nothing."""

    def get(self, _key: object) -> None:
        return None

    def keep(self, _work: object, _key: object, _value: object) -> None:
        return None

    def put(self, _key: object, _value: object) -> None:
        return None


def everything(server: Server) -> WireServer:
    return WireServer(server.application)


def without_protocol(server: Server) -> WireServer:
    return WireServer(server.application, http="httptools")


def without_dispatcher(server: Server) -> WireServer:
    cors: Any = server.application._app.app
    cors.app = cors.app._rest
    return WireServer(server.application)


def without_shortcut(server: Server) -> WireServer:
    server.application.paths_without_task = ()
    return WireServer(server.application)


def without_rows(server: Server) -> WireServer:
    """Neither remembered rows nor writes without waiting, which belong together (`Database.has_fast_paths`)."""
    server.services.database.has_fast_paths = False
    return WireServer(server.application)


def without_bearers(server: Server) -> WireServer:
    tokens: Any = server.services.oauth.server.tokens
    tokens._bearers = Forgetful()
    return WireServer(server.application)


def without_records(server: Server) -> WireServer:
    records: Any = server.services.library.records
    records._shown = records._files = Forgetful()
    return WireServer(server.application)


def without_signed(server: Server) -> WireServer:
    signed: Any = server.services.library.signed_addresses
    signed._signed = Forgetful()
    return WireServer(server.application)


Variant = Callable[[Server], WireServer]
VARIANTS: dict[str, Variant] = {
    "all": everything, "no protocol": without_protocol, "no dispatcher": without_dispatcher,
    "no shortcut": without_shortcut, "no rows": without_rows, "no bearers": without_bearers,
    "no records": without_records, "no signed": without_signed,
}  # fmt: skip


def requests(instance: Instance, thumbnail: str) -> dict[str, bytes]:
    basic = base64.b64encode(f"{instance.client_id}:{instance.client_secret}".encode()).decode()

    def get(path: str, accept: str = "*/*") -> bytes:
        head = f"GET {path} HTTP/1.1\r\nHost: dam.test\r\nAccept: {accept}\r\n"
        return f"{head}Authorization: Bearer {instance.token}\r\n\r\n".encode()

    def post(path: str, form: str) -> bytes:
        head = f"POST {path} HTTP/1.1\r\nHost: dam.test\r\nAuthorization: Basic {basic}\r\n"
        kind = f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(form)}"
        return f"{head}{kind}\r\n\r\n{form}".encode()

    search = "/api/v1/search/?query=&per_page=25"
    return {
        "me": get("/api/v1/me/"),
        "record": get("/api/v1/records/1/1/"),
        "25 records": get(search),
        "25 extended": get(search, "application/vnd.phraseanet.record-extended+json"),
        "thumbnail": f"GET {thumbnail} HTTP/1.1\r\nHost: dam.test\r\n\r\n".encode(),
        "token": post("/api/oauthv2/token", "grant_type=client_credentials&scope=library%3Aread"),
        "introspect": post("/api/oauthv2/introspect", f"token={instance.own_token}"),
    }


async def measure(variants: dict[str, WireServer], sent: dict[str, bytes], rounds: int) -> dict[tuple[str, str], float]:
    """Microseconds of CPU by kind of request and variant: medians."""
    connections = {name: server.open() for name, server in variants.items()}
    times: dict[tuple[str, str], list[float]] = {}
    gc.disable()
    for turn in range(rounds + 1):
        for kind, request in sent.items():
            order = list(variants)[:: 1 if turn % 2 else -1]
            for name in order:
                spent = await _spent(variants[name], connections[name], request)
                if turn:  # the first round fills what is filled once
                    times.setdefault((kind, name), []).append(spent)
        gc.collect()
    return {key: statistics.median(values) for key, values in times.items()}


async def _spent(server: WireServer, connection: Any, request: bytes) -> float:
    answer = await server.answer(request, connection)
    if not answer.startswith(b"HTTP/1.1 200"):
        raise SystemExit(answer.decode("latin-1"))
    start = time.process_time()
    for _ in range(REQUESTS):
        await server.answer(request, connection)
    return (time.process_time() - start) / REQUESTS * 1e6


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    with tempfile.TemporaryDirectory() as name:
        instance = prepare(Path(name) / "data")
        servers = {variant: Server.of(instance.data, log_level="warning", **PLENTY) for variant in VARIANTS}
        servers["off"] = Server.of(instance.data, log_level="warning", fast_paths=False, **PLENTY)
        record = servers["all"].get("/records/1/1/", instance.token)["record"]
        address = urlsplit(record["thumbnail"]["permalink"]["url"])
        sent = requests(instance, f"{address.path}?{address.query}")
        wires = {variant: VARIANTS.get(variant, everything)(server) for variant, server in servers.items()}
        medians = uvloop.run(measure(wires, sent, rounds))
        print(f"{'µs CPU a request':14}", *(f"{variant:>13}" for variant in wires))
        for kind in sent:
            print(f"{kind:14}", *(f"{medians[kind, variant]:13.1f}" for variant in wires))
        for server in servers.values():
            server.close()


if __name__ == "__main__":
    main()
