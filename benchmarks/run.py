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
from benchmarks.rows import BARE, BARE_MS, IN_MEMORY, ON_SQLITE, TOOLKIT, Row, memory_rows, rendition_row, request_rows

HERE = Path(__file__).parent
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = int(os.environ.get("BENCH_SECONDS", "3"))
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


def cpu(pid: int) -> float:
    """Seconds of the process and its children: a peer may have a master."""
    root = psutil.Process(pid)
    times = [process.cpu_times() for process in (root, *root.children(recursive=True))]
    return float(sum(process.user + process.system for process in times))


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


def thumbnail(root: str, token: str) -> str:
    """The permalink of the first record's thumbnail."""
    answer = httpx.get(f"{root}/api/v1/records/1/1/", headers={"Authorization": f"Bearer {token}"}).json()
    return str(answer["response"]["record"]["thumbnail"]["permalink"]["url"])


def kept_body(folder: Path, picture: str) -> Path:
    """What our server sends for *picture*, for the bare one to send. It is refused if it is not of 20 kB."""
    content = httpx.get(picture).raise_for_status().content
    if not 19_000 <= len(content) <= 21_000:
        raise SystemExit(f"The thumbnail has {len(content)} bytes, the line is about 20 kB.")
    path = folder / "body"
    path.write_bytes(content)
    return path


def targets(stack: ExitStack, folder: Path, instance: Instance) -> dict[str, Target]:
    bare = ["-m", "uvicorn", "--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "error"]
    small, body, ours = PORT, PORT + 1, PORT + 2
    root, plain = f"http://127.0.0.1:{ours}", f"http://127.0.0.1:{body}/"
    serve = ["-m", "vitrine", "serve", "--no-worker", "--data", str(instance.data), "--port", str(ours)]
    server = stack.enter_context(serving(serve, f"{root}/api/", UNLIMITED))
    picture = thumbnail(root, instance.token)
    environment = {
        "BARE_DB": str(bare_database(folder, instance.token)),
        "BARE_BODY": str(kept_body(folder, picture)),
    }
    looks_up = f"http://127.0.0.1:{small}/me"
    starlette = stack.enter_context(
        serving([*bare, "benchmarks.bare:starlette", "--port", str(small)], looks_up, environment)
    )
    sends = stack.enter_context(serving([*bare, "benchmarks.bare:body", "--port", str(body)], plain, environment))
    search = f"{root}/api/v1/search/?per_page=25"
    targets_by_name = {
        BARE: Target(BARE, looks_up, instance.token, starlette),
        "bare body": Target("bare body", plain, None, sends),
        "me": Target("me", f"{root}/api/v1/me/", instance.token, server),
        "25 records": Target("25 records", search, instance.token, server),
        "25 extended": Target("25 extended", search, instance.token, server, EXTENDED),
        "thumbnail": Target("thumbnail", picture, None, server),
    }
    mistyped = instance.token[:-1] + ("0" if instance.token[-1] != "0" else "1")
    targets_by_name["bad checksum"] = Target("bad checksum", f"{root}/api/v1/me/", mistyped, server, is_refused=True)
    for name, path in instance.paths.items():
        targets_by_name[name] = Target(name, root + path, instance.token, server)
    for name, (path, post) in stack.enter_context(oauth.posts(instance)).items():
        targets_by_name[name] = Target(name, root + path, None, server, post=post)
    if "BENCH_PEERS" in os.environ:
        targets_by_name |= peer_targets(stack, Path(os.environ["BENCH_PEERS"]))
    return targets_by_name


def peer_targets(stack: ExitStack, peers: Path) -> dict[str, Target]:
    """Those rivals that are installed; each with its token endpoint and introspection when it has them."""
    targets_by_name = {}
    node = ("/token", "/token/introspection")
    paths = {TOOLKIT: ("/o/token/", "/o/introspect/"), IN_MEMORY: node, ON_SQLITE: node}
    for url, token, pid, name in (
        *django(stack, serving, peers), *oidc(stack, serving, peers), *directus(stack, serving, peers),
    ):  # fmt: skip
        if token:
            targets_by_name[name] = Target(name, url, token, pid)
        if name in paths:
            root = url.removesuffix("/me")
            for kind, path, post in zip(
                ("token", "introspection"), paths[name], oauth.peer_posts(root, *paths[name], CLIENT), strict=True
            ):
                targets_by_name[f"{name}, {kind}"] = Target(f"{name}, {kind}", root + path, None, pid, post=post)
    return targets_by_name


def measure(targets_by_name: dict[str, Target]) -> dict[str, float]:
    samples: dict[str, list[float]] = {name: [] for name in targets_by_name}
    for target in targets_by_name.values():
        load(target, 1)
    for _ in range(ROUNDS):
        for name, target in targets_by_name.items():
            samples[name].append(load(target, SECONDS))
    spread = {name: (max(some) - min(some)) / statistics.median(some) for name, some in samples.items()}
    print("noise (spread of the rounds): " + ", ".join(f"{name} {100 * share:.0f} %" for name, share in spread.items()))
    return {name: statistics.median(some) for name, some in samples.items()}


def main(call: Callable[[list[Row]], None] | None = None) -> None:
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        folder = Path(scratch)
        instance = prepare(folder / "data")
        measured = targets(stack, folder, instance)
        ms = measure(measured)
        rows = [*request_rows(ms), rendition_row(*render_ratio(folder))]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        rows += memory_rows(memory.measure(prepare(folder / "data"), folder, PORT + 3), memory.HUGE_GB)
    print(f"bare Starlette's look-up: {ms[BARE]:.4f} ms, {ms[BARE] / BARE_MS:.2f} times that of the bars")
    for row in rows:
        print(row)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    kept = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit,
        "machine": {"cores": os.cpu_count(), "processor": platform.machine(), "python": platform.python_version()},
        "rounds": ROUNDS,
        "seconds": SECONDS,
        "bare_ms": ms[BARE],
        "rows": [asdict(row) for row in rows],
    }
    (HERE / "results" / f"{datetime.now(UTC):%Y-%m-%d}-{commit}.json").write_text(json.dumps(kept, indent=2) + "\n")
    if call is not None:
        call(rows)


if __name__ == "__main__":
    main()
