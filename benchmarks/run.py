"""`make bench`: CPU per request of the server, beside what it is measured against, in one interleaved run.

The server is pinned to core 0 and wrk to core 1; rounds go round robin over the targets, so that noise of the machine
falls on all alike; medians are printed with the bar of the design and kept in benchmarks/results/.
"""

import hashlib
import json
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psutil

from benchmarks import memory, oauth
from benchmarks.fixtures import Instance, prepare, render_ratio
from benchmarks.peers import CLIENT, PORT, directus, django, oidc

HERE = Path(__file__).parent
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = int(os.environ.get("BENCH_SECONDS", "3"))
# Peers that are not installed (BENCH_PEERS): CPU milliseconds measured on this kind of machine on 2026-11-23.
RECORDED = {"Django toolkit": 1000 / 448, "Directus": 3.9, "Directus, cache": 1.6, **oauth.RECORDED}
# Everything is counted, nothing refused: a benchmark is a flood from one address.
UNLIMITED = dict.fromkeys(
    ("VITRINE_TOKEN_REQUESTS", "VITRINE_APPLICATION_CALLS", "VITRINE_ACCOUNT_CALLS", "VITRINE_TOKEN_CALLS"),
    "1000000000",
)
EXTENDED = "application/vnd.phraseanet.record-extended+json"


@dataclass(frozen=True, slots=True)
class Target:
    name: str
    url: str
    token: str | None
    pid: int
    accept: str = "*/*"
    post: oauth.Post | None = None
    is_refused: bool = False  # every answer is to be a 4xx


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the result; *bar* is in words, *ok* whether it was met."""

    name: str
    value: float
    unit: str
    ratio: float
    against: str
    bar: str
    ok: bool


def cpu(pid: int) -> float:
    """Seconds of the process and its children: a peer may have a master."""
    root = psutil.Process(pid)
    times = [one.cpu_times() for one in (root, *root.children(recursive=True))]
    return float(sum(one.user + one.system for one in times))


def load(target: Target, seconds: int) -> float:
    """CPU milliseconds of the server a request."""
    command = ["taskset", "-c", "1", "wrk", "-t1", "-c8", f"-d{seconds}s", "-H", f"Accept: {target.accept}"]
    if target.token:
        command += ["-H", f"Authorization: Bearer {target.token}"]
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ)
        if target.post is not None:
            command += ["-s", str(HERE / "post.lua")]
            environment |= oauth.write_bodies(target.post, Path(folder), seconds)
        before = cpu(target.pid)
        done = subprocess.run([*command, target.url], capture_output=True, text=True, check=True, env=environment)
        spent = cpu(target.pid) - before
    out = done.stdout
    requests = int(next(line for line in out.splitlines() if "requests in" in line).split()[0])
    failed = next((int(line.split()[-1]) for line in out.splitlines() if "Non-2xx" in line), 0)
    if failed != (requests if target.is_refused else 0):
        raise SystemExit(f"{target.name}: {failed} answers of {requests} were refusals; the figure is refused\n{out}")
    return spent / requests * 1000


@contextmanager
def serving(
    arguments: list[str],
    url: str,
    environment: dict[str, str] | None = None,
    program: str = sys.executable,
    folder: Path | None = None,
) -> Iterator[int]:
    command = ["taskset", "-c", "0", program, *arguments]
    quiet = subprocess.DEVNULL
    # A bench makes more calls than anybody may: counted all the same, since the counting is a part of the cost.
    env = {**os.environ, **UNLIMITED, **(environment or {})}
    process = subprocess.Popen(command, env=env, stdout=quiet, stderr=quiet, cwd=folder)
    try:
        for _ in range(600):
            try:
                httpx.get(url, timeout=1)
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        process.wait(15)


def bare_database(folder: Path, token: str) -> Path:
    path = folder / "bare.sqlite3"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE token (digest BLOB PRIMARY KEY, client_id TEXT, user_id INTEGER)")
        rows = [(hashlib.sha256(f"t{n}".encode()).digest(), "c", n) for n in range(20_000)]
        rows.append((hashlib.sha256(token.encode()).digest(), "c", 1))
        db.executemany("INSERT INTO token VALUES (?, ?, ?)", rows)
    return path


def targets(stack: ExitStack, folder: Path, instance: Instance) -> dict[str, Target]:
    database = bare_database(folder, instance.token)
    bare = ["-m", "uvicorn", "--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "error"]
    environment = {"BARE_DB": str(database)}
    small, body, ours = PORT, PORT + 1, PORT + 2
    start = serving
    ids = {
        "bare": stack.enter_context(
            start(
                [*bare, "benchmarks.bare:starlette", "--port", str(small)], f"http://127.0.0.1:{small}/me", environment
            )
        ),
        "body": stack.enter_context(
            start([*bare, "benchmarks.bare:body", "--port", str(body)], f"http://127.0.0.1:{body}/", environment)
        ),
        "ours": stack.enter_context(
            start(
                ["-m", "vitrine", "serve", "--no-worker", "--data", str(instance.data), "--port", str(ours)],
                f"http://127.0.0.1:{ours}/api/",
                UNLIMITED,
            )
        ),
    }
    root = f"http://127.0.0.1:{ours}"
    thumbnail = httpx.get(f"{root}/api/v1/records/1/1/", headers={"Authorization": f"Bearer {instance.token}"}).json()
    picture = thumbnail["response"]["record"]["thumbnail"]["permalink"]["url"]
    search = f"{root}/api/v1/search/?per_page=25"
    found = {
        "bare Starlette": Target("bare Starlette", f"http://127.0.0.1:{small}/me", instance.token, ids["bare"]),
        "bare body": Target("bare body", f"http://127.0.0.1:{body}/", None, ids["body"]),
        "me": Target("me", f"{root}/api/v1/me/", instance.token, ids["ours"]),
        "25 records": Target("25 records", search, instance.token, ids["ours"]),
        "25 extended": Target("25 extended", search, instance.token, ids["ours"], EXTENDED),
        "thumbnail": Target("thumbnail", picture, None, ids["ours"]),
    }
    mistyped = instance.token[:-1] + ("0" if instance.token[-1] != "0" else "1")
    found["bad checksum"] = Target("bad checksum", f"{root}/api/v1/me/", mistyped, ids["ours"], is_refused=True)
    for name, (path, post) in stack.enter_context(oauth.posts(instance)).items():
        found[name] = Target(name, root + path, None, ids["ours"], post=post)
    if "BENCH_PEERS" in os.environ:
        found |= peer_targets(stack, Path(os.environ["BENCH_PEERS"]))
    return found


def peer_targets(stack: ExitStack, peers: Path) -> dict[str, Target]:
    """Those rivals that are installed; each with its token endpoint and introspection when it has them."""
    found = {}
    paths = {
        "Django toolkit": ("/o/token/", "/o/introspect/"),
        "node-oidc-provider": ("/token", "/token/introspection"),
    }
    for url, token, pid, name in (
        *django(stack, serving, peers), *oidc(stack, serving, peers), *directus(stack, serving, peers),
    ):  # fmt: skip
        if token:
            found[name] = Target(name, url, token, pid)
        if name in paths:
            root = url.removesuffix("/me")
            for kind, path, post in zip(
                ("token", "introspection"), paths[name], oauth.peer_posts(root, *paths[name], CLIENT), strict=True
            ):
                found[f"{name}, {kind}"] = Target(f"{name}, {kind}", root + path, None, pid, post=post)
    return found


def measure(found: dict[str, Target]) -> dict[str, float]:
    samples: dict[str, list[float]] = {name: [] for name in found}
    for target in found.values():
        load(target, 1)
    for _ in range(ROUNDS):
        for name, target in found.items():
            samples[name].append(load(target, SECONDS))
    spread = {name: (max(some) - min(some)) / statistics.median(some) for name, some in samples.items()}
    print("noise (spread of the rounds): " + ", ".join(f"{name} {100 * one:.0f} %" for name, one in spread.items()))
    return {name: statistics.median(some) for name, some in samples.items()}


def oauth_rows(ms: dict[str, float]) -> list[Row]:
    """Bars of `token endpoint` in design section 7 and of its anchors: 2,500 requests a CPU second are 0.4 ms."""
    made = []

    def against(name: str, peer: str, least: float) -> None:
        known, label = (ms[peer], peer) if peer in ms else (RECORDED[peer], f"{peer} (recorded)")
        ratio = known / ms[name]
        made.append(Row(name, ms[name], "ms CPU", ratio, label, f"≥ {least:g} ×", ratio >= least))

    def within(name: str, most: float) -> None:
        made.append(Row(name, ms[name], "ms CPU", most / ms[name], f"{most:g} ms", f"≤ {most:g} ms", ms[name] <= most))

    for name in ("token", "token, code", "token, refresh"):
        within(name, 0.4)
    against("token", "node-oidc-provider, token", 0.7)
    against("token", "Django toolkit, token", 7)
    against("introspection", "node-oidc-provider, introspection", 1)
    against("introspection", "Django toolkit, introspection", 14)
    against("bad checksum", "me", 1.5)
    return made


def rows(ms: dict[str, float], renditions: tuple[float, float]) -> list[Row]:
    def peer(name: str) -> tuple[float, str]:
        return (ms[name], name) if name in ms else (RECORDED[name], f"{name} (recorded)")

    small = ms["bare Starlette"] / ms["me"]
    body = ms["bare body"] / ms["thumbnail"]
    ours, bare = renditions
    listed, me, longer = ms["25 records"], ms["me"], ms["25 extended"]
    (toolkit, toolkit_name), (plain, plain_name) = peer("Django toolkit"), peer("Directus")
    cached, cached_name = peer("Directus, cache")
    return [
        Row("small bearer JSON", me, "ms CPU", small, "bare Starlette", "≥ 0.5 ×", small >= 0.5),
        Row("small bearer JSON", me, "ms CPU", toolkit / me, toolkit_name, "≥ 10 ×", toolkit >= 10 * me),
        Row("25 plain records", listed, "ms CPU", 0.7 / listed, "0.7 ms", "≤ 0.7 ms", listed <= 0.7),
        Row("25 plain records", listed, "ms CPU", plain / listed, plain_name, "≥ 6 ×", plain >= 6 * listed),
        Row("25 plain records", listed, "ms CPU", cached / listed, cached_name, "≥ 2.5 ×", cached >= 2.5 * listed),
        Row("25 extended records", longer, "ms CPU", 1.5 / longer, "1.5 ms", "≤ 1.5 ms", longer <= 1.5),
        Row("20 kB thumbnail", ms["thumbnail"], "ms CPU", body, "bare uvicorn body", "≥ 0.5 ×", body >= 0.5),
        Row("three renditions, 24 MP", ours, "ms CPU", ours / bare, "bare libvips", "≤ 1.15 ×", ours / bare <= 1.15),
    ]  # fmt: skip


def memory_rows(mib: dict[str, float]) -> list[Row]:
    huge = f"a file of {memory.HUGE_GB:g} GB"
    return [
        Row("memory at rest", mib["idle"], "MiB", mib["idle"] / 120, "120 MB", "< 120 MB", mib["idle"] < 120),
        Row("ten of 24 MP at once", mib["at once"], "MiB", mib["at once"] / 400, "400 MB", "< 400 MB a worker",
            mib["at once"] < 400),
        Row(huge, mib["huge"], "MiB more", mib["huge"] / 64, "64 MB", "< 64 MB more", mib["huge"] < 64),
    ]  # fmt: skip


def main(call: Callable[[list[Row]], None] | None = None) -> None:
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        folder = Path(scratch)
        instance = prepare(folder / "data")
        found = targets(stack, folder, instance)
        ms = measure(found)
        made = rows(ms, render_ratio(folder)) + oauth_rows(ms)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        made += memory_rows(memory.measure(prepare(folder / "data"), folder, PORT + 3))
    for row in made:
        mark = "ok    " if row.ok else "MISSED"
        print(
            f"{mark} {row.name:<26} {row.value:9.3f} {row.unit:<10} {row.ratio:6.2f} × {row.against:<34} bar {row.bar}"
        )
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    kept = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit,
        "machine": {"cores": os.cpu_count(), "processor": platform.machine(), "python": platform.python_version()},
        "rounds": ROUNDS,
        "seconds": SECONDS,
        "rows": [asdict(row) for row in made],
    }
    (HERE / "results" / f"{datetime.now(UTC):%Y-%m-%d}-{commit}.json").write_text(json.dumps(kept, indent=2) + "\n")
    if call is not None:
        call(made)


if __name__ == "__main__":
    main()
