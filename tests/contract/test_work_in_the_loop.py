"""No list that grows is read in the event loop, whatever the route: one slow callback holds up everybody.

Work is measured in steps of SQLite's virtual machine, which are the same on every machine and grow with the rows read.
"""

import threading
from collections import Counter
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.routing import Route

from vitrine import files, web
from vitrine.accounts.tables import collection_rights, sessions
from vitrine.api import oauthv2, root, v1, v4
from vitrine.applications.tables import applications
from vitrine.edge import health
from vitrine.library.events import RecordAdded
from vitrine.library.model import RecordId
from vitrine.library.tables import collections, field_values, quarantine_items, records, renditions
from vitrine.oauth.tables import access_tokens
from vitrine.platform.database import UnitOfWork, inserted_id
from vitrine.testing.server import Server

MANY = 400
STEPS_AT_ONCE = 50
MOST_STEPS = 2_000  # for two requests; a list of MANY rows takes more
FULL_PAGE = {"per_page": "1000", "offset_start": "0", "query": ""}


def _copies(work: UnitOfWork, table: sa.Table, count: int, **changed: Any) -> None:
    """Rows like the last one of *table*; functions in *changed* get the number of the row."""
    row = work.db.execute(sa.select(table).order_by(sa.desc(table.c.id)).limit(1)).mappings().one()
    rows = []
    for number in range(1, count + 1):
        values = {**row, **{name: value(number) if callable(value) else value for name, value in changed.items()}}
        values.pop("id")
        rows.append(values)
    work.db.execute(table.insert(), rows)


@pytest.fixture
def full(server: Server) -> tuple[Server, str, Any]:
    """MANY of everything that one person can list; their token and browser."""
    ada = server.user("ada", is_admin=True, email="ada@museum.example")
    registered = server.register(ada)
    browser = server.browser(ada)
    with server.services.database.write() as work:
        _fill(work, server, ada.id)
    server.work()
    return server, registered.developer_token, browser


def _fill(work: UnitOfWork, server: Server, user: int) -> None:
    box, base = server.databox.id, server.photographs.id
    _copies(work, collections, MANY, name=lambda n: f"c{n}", number=lambda n: 100 + n)
    bases = work.db.scalars(sa.select(collections.c.id)).all()
    work.db.execute(collection_rights.delete())
    work.db.execute(
        collection_rights.insert(), [{"user_id": user, "collection_id": each, "rights": 0xFFFF} for each in bases]
    )
    work.db.execute(sa.text("UPDATE users SET rights_version = rights_version + 1"))
    work.db.execute(sa.text("UPDATE stamps SET value = value + 1 WHERE name = 'structure'"))
    _copies(work, sessions, MANY, digest=lambda n: n.to_bytes(32, "big"))
    _copies(work, applications, MANY, client_id=lambda n: f"client{n}", name=lambda n: f"Application {n}")
    _copies(work, access_tokens, MANY, digest=lambda n: n.to_bytes(32, "big"))
    common = {"created": work.now, "updated": work.now}
    for number in range(1, MANY + 1):
        row = {"databox_id": box, "number": number, "collection_id": base, "kind": "image", "title": f"Boat {number}",
               "uuid": str(number), "sha256": f"{number:064}", "technical": "[]", **common}  # fmt: skip
        record = inserted_id(work.db.execute(records.insert().values(row)))
        work.db.execute(
            renditions.insert().values(
                record_id=record, name="document", state="ready", sha256=f"{number:064}", **common
            )
        )
        work.db.execute(field_values.insert().values(record_id=record, field_id=1, value="Boat"))
        work.emit(RecordAdded(RecordId(record)))
    item = {"collection_id": base, "user_id": user, "session": "s", "original_name": "a.jpg", "sha256": "0" * 64,
            "uuid": "u", "size": 1, "mime": "image/jpeg", "checks": {"Sha256": [1, 2]}, "attributes": {}}  # fmt: skip
    work.db.execute(quarantine_items.insert(), [{**item, **common} for _ in range(MANY)])


class Steps:
    """Counts the steps of statements outside worker threads, by the route under test."""

    def __init__(self, server: Server) -> None:
        self.by_route: Counter[str] = Counter()
        self.route = ""
        sa.event.listen(server.services.database.engine, "connect", self._prepare)
        server.services.database.close()  # each thread opens another connection, which counts

    def _prepare(self, connection: Any, _record: object) -> None:
        connection.set_progress_handler(self._count, STEPS_AT_ONCE)

    def _count(self) -> int:
        if not threading.current_thread().name.startswith("AnyIO worker thread"):
            self.by_route[self.route] += STEPS_AT_ONCE
        return 0


def _paths() -> list[str]:
    routes = [
        *v1.routes(), *oauthv2.routes(), *v4.routes(), *root.ROUTES, *files.ROUTES, *health.ROUTES, *web.routes(),
    ]  # fmt: skip
    return sorted({route.path for route in routes if isinstance(route, Route) and "GET" in (route.methods or ())})


def _address(path: str) -> str:
    known = {"databox_id": "1", "record_id": "1", "base_id": "1", "item": "1", "application": "1", "name": "document"}
    parts = []
    for part in path.split("/"):
        if part.startswith("{"):
            name = part.strip("{}").split(":")[0]
            parts.append(known.get(name, "1"))
        else:
            parts.append(part)
    return "/".join(parts)


def test_no_route_reads_many_rows_in_the_loop(full: tuple[Server, str, Any]) -> None:
    server, token, browser = full
    steps = Steps(server)
    answered: Counter[int] = Counter()
    browser.get("/account/access/")  # the structure and the person's rights are read once, not by each route
    for path in _paths():
        steps.route = path
        for headers in ({}, {"Accept": "application/vnd.phraseanet.record-extended+json"}):
            if path.startswith("/api/"):
                reply = server.call("GET", _address(path), token, params=FULL_PAGE, headers=headers)
            else:
                reply = browser.get(_address(path), params=FULL_PAGE, headers=headers)
            answered[reply.status_code] += 1
    assert {path: count for path, count in steps.by_route.items() if count > MOST_STEPS} == {}
    assert answered[200] > 100, "most routes were really asked"


def test_a_page_of_usual_length_stays_in_the_loop(full: tuple[Server, str, Any]) -> None:
    """The measure measures: what is short runs where it is counted."""
    server, token, _browser = full
    steps = Steps(server)
    server.get("/search/", token)
    steps.route = "search"
    server.get("/search/", token, params={"per_page": "20"})
    assert steps.by_route["search"] > 0


@pytest.mark.parametrize("per_page", ["-1", "none"])
def test_a_page_of_no_possible_length_is_refused_after_the_token(server: Server, per_page: str) -> None:
    token = server.token(server.user("ada"))
    assert server.call("GET", "/api/v1/search/", token, params={"per_page": per_page}).status_code == 400
    assert server.call("GET", "/api/v1/search/", "unknown", params={"per_page": per_page}).status_code == 401
