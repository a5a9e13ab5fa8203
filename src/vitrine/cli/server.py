"""serve, worker, migrate, reindex, sweep, complete, openapi: the running server and its data."""

import contextlib
import ctypes
import errno
import gc
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from datetime import timedelta
from pathlib import Path
from types import FrameType

import click

from vitrine import app, composition
from vitrine.api import openapi as descriptions
from vitrine.cli.instance import data_option, instance, load, refuse_foreign
from vitrine.errors import Unavailable
from vitrine.platform import logging
from vitrine.platform import migrate as migrations
from vitrine.platform.supervision import SupervisedThread
from vitrine.search.indexer import REBUILD

log = logging.get("vitrine.serve")
PR_SET_PDEATHSIG = 1
M_ARENA_MAX, HEAPS = -8, 2  # mallopt(3)
WORKER_LOOK_S = 0.25
WORKER_PATIENCE = timedelta(seconds=20)


class WorkerEnded(Exception):
    """The worker process ended while it should run; the message has its status."""


class WorkerProcess:
    """The worker as a child of the server. It ends with the server, even with a killed one."""

    def __init__(self, data: Path, base_url: str) -> None:
        self._arguments = [sys.executable, "-m", "vitrine", "worker", "--data", str(data)]
        self._environment = {**os.environ, "VITRINE_BASE_URL": base_url}

    def run(self, thread: SupervisedThread) -> None:
        """Supervised: start the process and wait for its end. Raises WorkerEnded."""
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            self._arguments,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - one prctl call, no locks
        )
        try:
            while not thread.wait(WORKER_LOOK_S):
                if process.poll() is not None:
                    raise WorkerEnded(f"status {process.returncode}")
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let a process finish what it does, for at most 15 seconds."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(15)
        process.kill()
    process.wait()


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@click.command()
@data_option
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=int, default=8000, show_default=True)
@click.option("--demo", is_flag=True, help="Fill an empty instance with the demonstration.")
@click.option("--no-worker", is_flag=True, help="Do not run the worker; start `vitrine worker` yourself.")
def serve(data: Path, host: str, port: int, demo: bool, no_worker: bool) -> None:
    """Serve the API and the pages, with a supervised worker."""
    import uvicorn

    from vitrine.edge.http_server import configuration

    refuse_foreign(data)
    share_heaps()
    settings = load(data, otherwise={"base_url": local_url(host, port)}, demo=demo or None)
    sockets = bind_sockets(host, port)  # first: a second server on the same folder must not start a worker
    database = composition.open_database(settings)
    if settings.demo:
        from vitrine.cli.demo import fill

        fill(settings, database)
    services = composition.make_services(settings, database)
    application = app.AsgiApplication(services)
    # Uploads are spooled where they will be kept: the system's temporary folder may be small or in memory.
    tempfile.tempdir = str(settings.data_dir / "blobs" / "incoming")
    if not no_worker:
        services.supervisor.start("worker", WorkerProcess(data, settings.base_url).run)
    _print_welcome(application, settings.base_url)
    _tune_gc()
    allow_open_files(settings.connections_max)
    config = configuration(
        application,
        fast_paths=settings.fast_paths,
        host=host,
        port=port,
        loop="uvloop",
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=10,
    )
    try:
        uvicorn.Server(config).run(sockets)
    finally:
        services.supervisor.stop(patience=WORKER_PATIENCE)


def bind_sockets(host: str, port: int) -> list[socket.socket]:
    """Sockets that are bound but do not listen yet. Raises Unavailable, naming port and host."""
    sockets: list[socket.socket] = []
    try:
        for family, kind, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            bound_socket = socket.socket(family, kind)
            sockets.append(bound_socket)
            bound_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                bound_socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            bound_socket.bind(address)
    except OSError as failure:
        for bound_socket in sockets:
            bound_socket.close()
        if failure.errno == errno.EADDRINUSE:
            raise Unavailable(f"Port {port} of {host} is taken: choose another one with --port.") from failure
        raise Unavailable(f"The server cannot listen at {host}, port {port}: {failure.strerror}.") from failure
    return sockets


def local_url(host: str, port: int) -> str:
    """The address of a server without a `base_url`, for people on this machine."""
    name = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def allow_open_files(connections: int) -> None:
    """Raise the number of files that this process may open, as far as the system lets it: a connection takes one, and
    a request may read a document and write another besides."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 3 * connections + 256
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def share_heaps() -> None:
    """Let all threads share two heaps. The GNU library gives each thread one of its own, up to eight for each core, and
    memory that was freed in one is of no use to the others (docs/decisions/0098). Other libraries have no such thing;
    what the environment says counts more."""
    if "MALLOC_ARENA_MAX" not in os.environ:
        with contextlib.suppress(AttributeError):
            ctypes.CDLL(None).mallopt(M_ARENA_MAX, HEAPS)


def _tune_gc() -> None:
    """Exclude the objects created so far from garbage collection: they live as long as the server. Objects of requests
    are freed by reference counts, so cycles need to be searched less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _print_welcome(application: app.AsgiApplication, base_url: str) -> None:
    services = application.services
    demo = services.settings.data_dir / "demo.json"
    with services.database.read() as work:
        is_empty = services.accounts.users.is_empty(work)
    click.echo(f"\n  Vitrine is at {base_url}")
    if is_empty:
        click.echo(f"  Make the first administrator at {base_url}/setup/")
    elif demo.exists():
        credentials = json.loads(demo.read_text())
        for name in ("user", "admin"):
            click.echo(f"  Sign in as {credentials[name]['login']} with the password {credentials[name]['password']}")
    click.echo("  Stop it with Ctrl-C.\n")


@click.command()
@data_option
def worker(data: Path) -> None:
    """Make renditions and maintain the search index. An embedded instance has exactly one worker."""
    refuse_foreign(data)
    share_heaps()
    settings = load(data)
    services = composition.make_services(settings, decoders=settings.worker_media_children)
    services.media.clear_scratch()
    stop = threading.Event()

    def request_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, request_stop)
    signal.signal(signal.SIGINT, request_stop)
    worker = app.start_worker(services)
    stop.wait()
    worker.stop(timedelta(seconds=10))  # first: decoders end with the thread that starts them
    services.supervisor.stop(patience=timedelta(seconds=10))
    services.media.close()
    services.search.index.close()


@click.command()
@data_option
def migrate(data: Path) -> None:
    """Upgrade the database to the newest schema."""
    refuse_foreign(data)
    database = composition.open_database(load(data))
    click.echo(f"The schema is at revision {migrations.upgrade(database)}.")


@click.command()
@data_option
def reindex(data: Path) -> None:
    """Let the worker rebuild the search index beside the one in use."""
    with instance(data) as services, services.database.write() as work:
        services.jobs.add(work, REBUILD, {}, key="all")
    click.echo("The worker will rebuild the index; searches use the old one until then.")


@click.command()
@click.option("--grace-hours", type=float, default=168.0, show_default=True, help="Keep younger files.")
@data_option
def sweep(grace_hours: float, data: Path) -> None:
    """Delete files that nothing refers to. Use a grace of 0 only while nobody uploads."""
    from vitrine.library.sweep import Sweeper

    with instance(data) as services:
        deleted = Sweeper(services.database, services.media).sweep(timedelta(hours=grace_hours))
    click.echo(f"{deleted} files without a record were deleted.")


@click.command()
@data_option
def complete(data: Path) -> None:
    """Make renditions that records lack because their recipes were added later."""
    from vitrine.library.missing_renditions import MissingRenditions

    with instance(data) as services:
        completion = MissingRenditions(services.database, services.library.records, services.media, services.jobs)
        count = completion.complete()
    click.echo(f"Renditions of {count} records will be made by the worker.")


@click.command()
@data_option
def openapi(data: Path) -> None:
    """Print the OpenAPI document of this server."""
    click.echo(descriptions.encode(descriptions.document(load(data))).decode())
