"""A whole server in one process, on a folder of its own, with shorthands for what tests ask of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2 as httpx
from starlette.testclient import TestClient

from vitrine import app
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


@dataclass(frozen=True, slots=True)
class Registered:
    """An application as a test needs it."""

    application: Application
    client_id: str
    secret: str
    developer_token: str


class Server:
    """Services, an HTTP client without cookies for the API, and one databox with two collections."""

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
        upkeep = self.services.upkeep
        with self.services.database.write() as work:
            self.databox = upkeep.add_databox(work, COMMAND, "Museum")
            self.photographs = upkeep.add_collection(work, COMMAND, self.databox.id, "Photographs")
            self.archive = upkeep.add_collection(work, COMMAND, self.databox.id, "Archive")
        self.work()

    def _find_collections(self) -> bool:
        """Take those of the template; False where the database has none."""
        with self.services.database.read() as work:
            structure = self.services.records.structure(work)
        if not structure.databoxes:
            return False
        (self.databox,) = structure.databoxes.values()
        self.photographs, self.archive = sorted(structure.collections.values(), key=lambda base: base.id)
        return True

    @classmethod
    def of(cls, folder: Path, **settings: Any) -> "Server":
        """A server on what is in *folder* already: its collections are those of the test."""
        made = cls.__new__(cls)
        made._open(folder, **settings)
        return made

    def _open(self, folder: Path, **settings: Any) -> None:
        plenty = {"token_requests": 1_000_000, "authorize_requests": 1_000_000}
        settings = {**plenty, **settings}
        self.settings = Settings(data_dir=folder, base_url=settings.pop("base_url", BASE), **settings)
        fast = Passwords(memory_kib=64, passes=1)
        sandbox = shared_sandbox(self.settings.media_memory_bytes)
        self.services = app.make_services(self.settings, passwords=fast, sandbox=sandbox)
        self.application = app.Application(self.services)
        self.worker = app.make_worker(self.services)
        self.http = TestClient(self.application, base_url=self.settings.base_url, follow_redirects=False)

    def close(self) -> None:
        self.http.close()
        self.services.media.close()
        self.services.search.index.close()
        self.services.database.close()

    # -- people --------------------------------------------------------------------------------------------------

    def user(self, login: str, rights: Mapping[int, Right] | Right | None = ALL_RIGHTS, **profile: Any) -> User:
        """An account with *rights* on both collections, or by base_id."""
        bases = [self.photographs, self.archive]
        given = rights if isinstance(rights, Mapping) else {one.id: rights for one in bases if rights is not None}
        with self.services.database.write() as work:
            made = self.services.accounts.add(work, COMMAND, login=login, password=PASSWORD, **profile)
            for base, right in given.items():
                grant = CollectionGrant(int(base), self.databox.id, right)
                self.services.accounts.grant(work, COMMAND, made.id, grant)
            return self.services.accounts.get(work, made.id)

    def regrant(self, user: User, base: Collection, rights: Right, **more: Any) -> None:
        with self.services.database.write() as work:
            grant = CollectionGrant(base.id, base.databox_id, rights, **more)
            self.services.accounts.grant(work, COMMAND, user.id, grant)

    def browser(self, user: User | None = None) -> "Visitor":
        visitor = Visitor(TestClient(self.application, base_url=self.settings.base_url, follow_redirects=False))
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
            actor = self.services.accounts.actor_of(work, user, Via.COMMAND)
            wanted = Draft(type=kind, callback=values.pop("callback", CALLBACK), **values)
            # Most tests are about what old clients meet.
            usual = Profile.DESKTOP if kind == "desktop" else Profile.COMPATIBILITY
            made = self.services.applications.create(work, actor, wanted, profile or usual)
            for switch in on:
                made = self.services.applications.set_switch(work, actor, made.id, switch, on=True)
            secret = self.services.applications.secret_for_command(work, made)
            token = self.services.oauth.renew_developer_token(work, actor, made)
        return Registered(made, made.client_id, secret, token)

    def token(self, user: User) -> str:
        """A developer token of *user*, of an application of theirs."""
        return self.register(user).developer_token

    # -- API -----------------------------------------------------------------------------------------------------

    def call(self, method: str, path: str, token: str | None = None, **more: Any) -> httpx.Response:
        headers = {**({"Authorization": f"Bearer {token}"} if token else {}), **more.pop("headers", {})}
        return self.http.request(method, path, headers=headers, **more)

    def get(self, path: str, token: str, **more: Any) -> Any:
        """The `response` of a successful v1 call."""
        answer = self.call("GET", f"/api/v1{path}", token, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()["response"]

    # -- documents -----------------------------------------------------------------------------------------------

    def add(self, path: Path, user: User, into: Collection | None = None, *, status: int | None = None) -> RecordKey:
        """Add a file as *user* and make its renditions and index entry at once."""
        base = CollectionId((into or self.photographs).id)
        arrival = self.services.ingest.take(path, path.name)
        with self.services.database.write() as work:
            actor = self.services.accounts.actor_of(work, self.services.accounts.get(work, user.id), Via.COMMAND)
            outcome = self.services.ingest.add(work, actor, arrival, base, force=True, status=status)
        assert isinstance(outcome, Added)
        self.work()
        return outcome.key

    def work(self) -> int:
        """Run every job that is ready."""
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
    """A browser without script: keeps cookies, follows nothing, sends forms with the token of the page."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def get(self, address: str, **more: Any) -> httpx.Response:
        return self.client.get(address, **more)

    def form(self, address: str) -> dict[str, str]:
        """The hidden and ticked inputs of the first form with a token on a page."""
        text = self.client.get(address).text
        return hidden(text)

    def submit(self, page: str, action: str, values: Mapping[str, str]) -> httpx.Response:
        return self.client.post(action, data={**self.form(page), **values})

    def xhr(self, method: str, address: str, data: Mapping[str, str] | None = None, **headers: str) -> httpx.Response:
        marks = {
            "X-Requested-With": "XMLHttpRequest",
            "Accept": "application/json",
            "Origin": str(self.client.base_url),
        }
        return self.client.request(method, address, data=data, headers={**marks, **headers})


def hidden(text: str) -> dict[str, str]:
    ticked = re.findall(r'<input type="checkbox" name="([^"]+)" value="([^"]*)" checked', text)
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', text) + ticked)


def query_of(location: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query, keep_blank_values=True).items()}
