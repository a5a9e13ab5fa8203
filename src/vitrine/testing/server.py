"""A complete server in one process, in a folder of its own, with shorthands for tests."""

import re
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
import httpx2 as httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from vitrine import app, composition
from vitrine.accounts import COMMAND, CollectionGrant, Right, User, Via
from vitrine.accounts.passwords import Passwords
from vitrine.accounts.rights import ALL_RIGHTS
from vitrine.applications import Application, Draft, Profile, Switch
from vitrine.library.ingest import Added
from vitrine.library.model import Collection, CollectionId, Databox, RecordKey
from vitrine.settings import Settings
from vitrine.testing import template
from vitrine.testing.decoders import shared_sandbox

PASSWORD = "correct horse battery"
BASE = "http://dam.test"
CALLBACK = "https://notes.example.com/cb"
SQLITE = "vitrine.sqlite3"


class _Loop:
    """One event loop for all requests of the thread that makes the server, as one serves all requests of a process
    elsewhere; it starts with the first of them. Other threads have one for each request, so that none waits for
    another."""

    def __init__(self) -> None:
        self._owner = threading.current_thread()
        self._running: tuple[BlockingPortal, threading.Thread] | None = None

    @contextmanager
    def portal(self) -> Iterator[BlockingPortal]:
        if threading.current_thread() is not self._owner:
            with start_blocking_portal() as portal:
                yield portal
            return
        if self._running is None:
            started: Future[BlockingPortal] = Future()
            # A server that a test did not close must not keep the process alive.
            thread = threading.Thread(target=anyio.run, args=(_serve, started), name="loop", daemon=True)
            thread.start()
            self._running = started.result(), thread
        yield self._running[0]

    def close(self) -> None:
        if self._running is not None:
            portal, thread = self._running
            self._running = None
            portal.call(portal.stop, True)
            thread.join()


async def _serve(started: "Future[BlockingPortal]") -> None:
    async with BlockingPortal() as portal:
        started.set_result(portal)
        await portal.sleep_until_stopped()


class _Client(TestClient):
    """Starlette's client, whose requests run in *loop*; it follows no redirects."""

    def __init__(self, application: ASGIApp, loop: _Loop, base_url: str) -> None:
        self._loop = loop
        super().__init__(application, base_url=base_url, follow_redirects=False)

    @contextmanager
    def _portal_factory(self) -> Iterator[BlockingPortal]:
        with self._loop.portal() as portal:
            yield portal


@dataclass(frozen=True, slots=True)
class Registered:
    """A registered application with its secrets."""

    application: Application
    client_id: str
    secret: str
    developer_token: str


class Server:
    """The services, an HTTP client without cookies for the API, and one databox with two collections."""

    databox: Databox
    photographs: Collection
    archive: Collection

    def __init__(self, folder: Path, **settings: Any) -> None:
        is_new = not (folder / SQLITE).exists()
        if is_new:
            without = {SQLITE} if settings.get("database_url") else set()
            template.write({name: content for name, content in _furnished().items() if name not in without}, folder)
        self._open(folder, **settings)
        if not is_new or not self._find_collections():
            self.furnish()

    def furnish(self) -> None:
        structure = self.services.library.structure
        with self.services.database.write() as work:
            self.databox = structure.add_databox(work, COMMAND, "Museum")
            self.photographs = structure.add_collection(work, COMMAND, self.databox.id, "Photographs")
            self.archive = structure.add_collection(work, COMMAND, self.databox.id, "Archive")
        self.work()

    def _find_collections(self) -> bool:
        """Take those of the template; False where the database has none."""
        with self.services.database.read() as work:
            structure = self.services.library.records.structure(work)
        if not structure.databoxes:
            return False
        (self.databox,) = structure.databoxes.values()
        self.photographs, self.archive = sorted(structure.collections.values(), key=lambda base: base.id)
        return True

    @classmethod
    def of(cls, folder: Path, **settings: Any) -> "Server":
        """A server on the existing instance in *folder*."""
        server = cls.__new__(cls)
        server._open(folder, **settings)
        return server

    def _open(self, folder: Path, **settings: Any) -> None:
        limits = {"token_requests": 1_000_000, "authorize_requests": 1_000_000}
        settings = {**limits, **settings}
        self._loop = _Loop()
        self.settings = Settings(data_dir=folder, base_url=settings.pop("base_url", BASE), **settings)
        passwords = Passwords(memory_kib=64, passes=1)
        sandbox = shared_sandbox(self.settings.media_memory_bytes)
        self.services = composition.make_services(self.settings, passwords=passwords, sandbox=sandbox)
        self.application = app.AsgiApplication(self.services)
        self.worker = app.make_worker(self.services)
        self.http = self.client()

    def close(self) -> None:
        self.http.close()
        self._loop.close()
        self.services.media.close()
        self.services.search.index.close()
        self.services.database.close()

    def client(self, application: ASGIApp | None = None) -> TestClient:
        """A client without cookies, of *application* if it is another process on the same database."""
        return _Client(application or self.application, self._loop, self.settings.base_url)

    # -- people --------------------------------------------------------------------------------------------------

    def user(self, login: str, rights: Mapping[int, Right] | Right | None = ALL_RIGHTS, **profile: Any) -> User:
        """Create an account with *rights* on both collections, or with rights by base_id."""
        bases = [self.photographs, self.archive]
        rights_by_base = (
            rights if isinstance(rights, Mapping) else {base.id: rights for base in bases if rights is not None}
        )
        with self.services.database.write() as work:
            user = self.services.accounts.users.add(work, COMMAND, login=login, password=PASSWORD, **profile)
            for base, right in rights_by_base.items():
                grant = CollectionGrant(int(base), self.databox.id, right)
                self.services.accounts.users.grant(work, COMMAND, user.id, grant)
            return self.services.accounts.users.get(work, user.id)

    def regrant(self, user: User, base: Collection, rights: Right, **limits: Any) -> None:
        with self.services.database.write() as work:
            grant = CollectionGrant(base.id, base.databox_id, rights, **limits)
            self.services.accounts.users.grant(work, COMMAND, user.id, grant)

    def browser(self, user: User | None = None) -> "Visitor":
        visitor = Visitor(self.client())
        if user is not None:
            answer = visitor.submit("/login/", "/login/", {"login": user.login, "password": PASSWORD})
            assert answer.status_code == 303, answer.text
        return visitor

    # -- applications --------------------------------------------------------------------------------------------

    def register(
        self,
        user: User,
        *,
        kind: str = "web",
        profile: Profile | None = None,
        on: tuple[Switch, ...] = (),
        **draft: Any,
    ) -> Registered:
        values = {"name": "Field Notes", "description": "Notes.", "website": "https://notes.example.com", **draft}
        with self.services.database.write() as work:
            actor = self.services.accounts.users.actor_of(work, user, Via.COMMAND)
            new_draft = Draft(type=kind, callback=values.pop("callback", CALLBACK), **values)
            # Most tests are about old clients.
            default_profile = Profile.DESKTOP if kind == "desktop" else Profile.COMPATIBILITY
            application = self.services.applications.registry.create(work, actor, new_draft, profile or default_profile)
            for switch in on:
                application = self.services.applications.registry.set_switch(
                    work, actor, application.id, switch, on=True
                )
            secret = self.services.applications.secrets.for_command(work, application)
            token = self.services.oauth.developer_tokens.renew(work, actor, application)
        return Registered(application, application.client_id, secret, token)

    def token(self, user: User) -> str:
        """A developer token of *user*, for a new application of theirs."""
        return self.register(user).developer_token

    # -- API -----------------------------------------------------------------------------------------------------

    def call(self, method: str, path: str, token: str | None = None, **options: Any) -> httpx.Response:
        headers = {**({"Authorization": f"Bearer {token}"} if token else {}), **options.pop("headers", {})}
        return self.http.request(method, path, headers=headers, **options)

    def get(self, path: str, token: str, **options: Any) -> Any:
        """The `response` of a successful v1 call."""
        answer = self.call("GET", f"/api/v1{path}", token, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()["response"]

    # -- documents -----------------------------------------------------------------------------------------------

    def add(self, path: Path, user: User, into: Collection | None = None, *, status: int | None = None) -> RecordKey:
        """Add a file as *user*, and make its renditions and index entry at once."""
        base = CollectionId((into or self.photographs).id)
        arrival = self.services.library.ingest.take(path, path.name)
        with self.services.database.write() as work:
            actor = self.services.accounts.users.actor_of(
                work, self.services.accounts.users.get(work, user.id), Via.COMMAND
            )
            outcome = self.services.library.ingest.add(work, actor, arrival, base, force=True, status=status)
        assert isinstance(outcome, Added)
        self.work()
        return outcome.key

    def work(self) -> int:
        """Run all ready jobs."""
        return self.worker.run_ready()


def furnish_database(address: str) -> None:
    """Add to an empty database what a new server has in its own; other backends copy it as SQLite's file is copied."""
    with TemporaryDirectory(prefix="vitrine-template-") as folder:
        _furnish(Path(folder), database_url=address)


@cache
def _furnished() -> template.Files:
    return template.take(_furnish)


def _furnish(folder: Path, **settings: Any) -> None:
    server = Server.of(folder, **settings)
    server.furnish()
    server.close()


class Visitor:
    """A browser without scripts: it keeps cookies, follows no redirects, and submits forms with the page's token."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def get(self, address: str, **options: Any) -> httpx.Response:
        return self.client.get(address, **options)

    def form(self, address: str) -> dict[str, str]:
        """The hidden and checked inputs of a page."""
        text = self.client.get(address).text
        return hidden(text)

    def submit(self, page: str, action: str, values: Mapping[str, str]) -> httpx.Response:
        return self.client.post(action, data={**self.form(page), **values})

    def xhr(self, method: str, address: str, data: Mapping[str, str] | None = None, **headers: str) -> httpx.Response:
        defaults = {
            "X-Requested-With": "XMLHttpRequest",
            "Accept": "application/json",
            "Origin": str(self.client.base_url),
        }
        return self.client.request(method, address, data=data, headers={**defaults, **headers})


def hidden(text: str) -> dict[str, str]:
    ticked = re.findall(r'<input type="checkbox" name="([^"]+)" value="([^"]*)" checked', text)
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', text) + ticked)


def query_of(location: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query, keep_blank_values=True).items()}
