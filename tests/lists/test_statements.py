"""A page of a list takes as many statements for thirty items as for three, and no more items than a page has."""

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from vitrine.accounts import COMMAND, DataboxRight, User, UserId
from vitrine.accounts.rights import ALL_DATABOX_RIGHTS
from vitrine.accounts.tables import sessions, users
from vitrine.applications.tables import accounts, applications
from vitrine.baskets import ShareTerms
from vitrine.baskets.model import Voter
from vitrine.feeds import EntryDraft
from vitrine.library.model import RecordKey
from vitrine.library.tables import quarantine_items, records, rule_runs, rules
from vitrine.oauth.tables import access_tokens
from vitrine.platform import audit
from vitrine.platform.audit import AuditFilter
from vitrine.platform.database import UnitOfWork
from vitrine.testing.server import Server
from vitrine.testing.statements import recorded

pytestmark = pytest.mark.both_databases
Fill = Callable[[Server, UnitOfWork, User, int], None]
CHECKS = {"Sha256": {"on": True}, "Filename": {"on": True}, "UUID": {"on": True}}


def person(work: UnitOfWork, number: int) -> int:
    row = {"login": f"p{number}", "login_folded": f"p{number}", "created": work.now, "updated": work.now}
    return int(work.db.execute(users.insert().values(**row)).inserted_primary_key[0])  # type: ignore[index]


def quarantined(server: Server, work: UnitOfWork, ada: User, number: int) -> None:
    """A file of another person and another upload, which clashes with a record of its own."""
    base = (server.photographs, server.archive)[number % 2]
    record = {
        "databox_id": server.databox.id, "number": 1000 + number, "collection_id": base.id, "kind": "image",
        "title": "x", "uuid": f"{number:036}", "status": 0, "technical": "[]", "created": work.now, "updated": work.now,
    }  # fmt: skip
    work.db.execute(records.insert().values(**record))
    item = {
        "collection_id": base.id, "user_id": person(work, number), "session": f"s{number}",
        "original_name": f"{number}.jpg", "sha256": f"{number:064}", "uuid": f"{number:036}", "size": 1,
        "mime": "image/jpeg", "checks": {"Sha256": [1000 + number]}, "attributes": {}, "created": work.now,
        "updated": work.now,
    }  # fmt: skip
    work.db.execute(quarantine_items.insert().values(**item))


def application(server: Server, work: UnitOfWork, ada: User, number: int) -> None:
    row = {
        "creator_id": ada.id, "type": "web", "profile": "strict", "name": f"App {number:03}", "description": "x",
        "website": "https://x.example", "client_id": f"client{number}", "switches": {}, "created": work.now,
        "updated": work.now,
    }  # fmt: skip
    result = work.db.execute(applications.insert().values(**row))
    account = {"user_id": ada.id, "application_id": result.inserted_primary_key[0], "created": work.now}  # type: ignore[index]
    work.db.execute(accounts.insert().values(granted_at=work.now, **account))


def deleted_application(server: Server, work: UnitOfWork, ada: User, number: int) -> None:
    application(server, work, ada, number)
    work.db.execute(
        applications.update().where(applications.c.client_id == f"client{number}").values(deleted_at=work.now)
    )


def session(server: Server, work: UnitOfWork, ada: User, number: int) -> None:
    row = {
        "digest": secrets.token_bytes(32), "user_id": ada.id, "created": work.now, "auth_time": work.now,
        "last_seen": work.now, "expires": work.now + timedelta(days=1), "address": "192.0.2.1", "agent": "x",
    }  # fmt: skip
    work.db.execute(sessions.insert().values(**row))


def named_token(server: Server, work: UnitOfWork, ada: User, number: int) -> None:
    account = work.db.scalar(sa.select(accounts.c.id).where(accounts.c.user_id == ada.id).order_by(accounts.c.id))
    row = {
        "digest": secrets.token_bytes(32), "account_id": account, "name": f"t{number}", "last_four": "abcd",
        "created": work.now, "expires": work.now + timedelta(days=1),
    }  # fmt: skip
    work.db.execute(access_tokens.insert().values(**row))


def owner(server: Server, work: UnitOfWork, ada: User, number: int) -> None:
    services = server.services
    (first, *_) = services.applications.registry.own(work, _actor(server, work, ada), limit=1)
    login = services.accounts.users.get(work, person(work, number)).login  # type: ignore[arg-type]  # a row's id
    services.applications.people.add(work, COMMAND, first.id, login, "tester")


def audited(server: Server, work: UnitOfWork, ada: User, number: int) -> None:
    audit.write(work, None, ("rare.action", "frequent.action")[number % 2], f"user {number}")


def basket(server: Server, work: UnitOfWork, ada: User, number: int) -> None:
    """One of ada's with a vote, and an element and a participant of her first basket."""
    services, actor, someone = server.services.baskets, _actor(server, work, ada), UserId(person(work, number))
    owned = services.baskets.create(work, actor, f"B{number}").basket.id
    services.votes.start(work, actor, owned, [Voter(someone)])
    first = services.baskets.page(work, actor, is_owner=True, is_archived=False, after=0, limit=1)[0].basket.id
    record = {
        "databox_id": server.databox.id, "number": 2000 + number, "collection_id": server.photographs.id,
        "kind": "image", "title": "x", "uuid": f"{number:036}", "status": 0, "technical": "[]", "created": work.now,
        "updated": work.now,
    }  # fmt: skip
    work.db.execute(records.insert().values(**record))
    services.elements.add(work, actor, first, [RecordKey(server.databox.id, 2000 + number)])
    services.sharing.share(work, actor, first, someone, ShareTerms())


def _actor(server: Server, work: UnitOfWork, user: User) -> Any:
    from vitrine.accounts import Via

    return server.services.accounts.users.actor_of(work, user, Via.COMMAND)


def feed(server: Server, work: UnitOfWork, ada: User, number: int) -> None:
    """A feed with an entry of two records."""
    feeds, entries = server.services.feeds.registry, server.services.feeds.entries
    added = feeds.add(work, COMMAND, title=f"Feed {number}", is_public=True, owner_id=ada.id)
    for place in range(2):
        row = {
            "databox_id": server.databox.id, "number": 1000 + 2 * number + place, "uuid": f"{2 * number + place:036}",
            "collection_id": server.photographs.id, "kind": "image", "title": "x", "status": 0, "technical": "[]",
            "created": work.now, "updated": work.now,
        }  # fmt: skip
        work.db.execute(records.insert().values(**row))
    keys = [RecordKey(server.databox.id, 1000 + 2 * number + place) for place in range(2)]
    entries.publish(work, COMMAND, added.id, EntryDraft(title=f"Entry {number}", records=keys))


def rule(server: Server, work: UnitOfWork, ada: User, number: int) -> None:
    """A rule with a run; the first one, 100, comes with the right to see them."""
    if number == 100:
        every = DataboxRight(ALL_DATABOX_RIGHTS)
        server.services.accounts.users.grant_databox(work, COMMAND, ada.id, server.databox.id, every)
    row = {
        "databox_id": server.databox.id, "name": f"Rule {number}", "criteria": {"status": {"4": True}},
        "action": {"delete": True}, "interval_minutes": 60, "created": work.now, "updated": work.now,
    }  # fmt: skip
    result = work.db.execute(rules.insert().values(**row))
    run = {"rule_id": result.inserted_primary_key[0], "by_hand": True, "created": work.now}  # type: ignore[index]
    work.db.execute(rule_runs.insert().values(**run))


def unused_account(_server: Server, work: UnitOfWork, _ada: User, number: int) -> None:
    used = work.now - timedelta(days=500)
    work.db.execute(users.update().where(users.c.id == person(work, number)).values(created=used))


PAGES: dict[str, tuple[Fill, str]] = {
    "feeds, v1": (feed, "/api/v1/feeds/list/"),
    "entries of all feeds, v1": (feed, "/api/v1/feeds/content/?per_page=20"),
    "feeds, v4": (feed, "/api/v4/feeds"),
    "all feeds, RSS": (feed, "/feeds/aggregated/rss/"),
    "baskets, v4": (basket, "/api/v4/baskets?limit=100"),
    "elements of a basket, v4": (basket, "/api/v4/baskets/1/elements?limit=100"),
    "participants of a basket, v4": (basket, "/api/v4/baskets/1/participants?limit=100"),
    "vote of a basket, v4": (basket, "/api/v4/baskets/1/vote"),
    "quarantine, v1": (quarantined, "/api/v1/quarantine/list/?per_page=100"),
    "quarantine, v4": (quarantined, "/api/v4/quarantine?limit=100"),
    "quarantine, page": (quarantined, "/library/quarantine/"),
    "dashboard": (application, "/developers/applications/"),
    "dashboard, deleted": (deleted_application, "/developers/applications/"),
    "administrators' applications": (application, "/admin/applications/"),
    "administrators' applications, words": (application, "/admin/applications/?q=app"),
    "portal API, own": (application, "/api/applications/"),
    "v4, own applications": (application, "/api/v4/applications?limit=100"),
    "portal API, all": (application, "/api/applications/?all=1"),
    "portal API, deleted": (deleted_application, "/api/applications/?deleted=1"),
    "authorised applications": (application, "/account/security/applications/"),
    "sessions": (session, "/account/security/sessions/"),
    "named tokens": (named_token, "/developers/application/{application}/"),
    "named tokens, API": (named_token, "/api/applications/{application}/tokens/"),
    "limits, API": (named_token, "/api/applications/{application}/limits/"),
    "usage": (named_token, "/developers/application/{application}/usage/"),
    "people": (owner, "/developers/application/{application}/people/"),
    "people, API": (owner, "/api/applications/{application}/people/"),
    "v4, rules": (rule, "/api/v4/databoxes/1/rules?limit=100"),
    "v4, unused accounts": (unused_account, "/api/v4/users/inactive?limit=100"),
    "audit": (audited, "/admin/audit/"),
    "audit, action": (audited, "/admin/audit/?action=rare"),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_takes_as_many_statements_for_thirty_items_as_for_three(server: Server, name: str) -> None:
    fill, path = PAGES[name]
    ada = server.user("ada", is_admin=True)
    app = server.register(ada, name="AAA first")
    path = path.format(application=app.application.id)
    visitor = server.browser(ada)

    if fill in (basket, rule):
        with server.services.database.write() as work:
            fill(server, work, ada, 100)

    def look() -> None:
        is_api = path.startswith("/api/")
        answer = server.call("GET", path, app.developer_token) if is_api else visitor.get(path)
        assert answer.status_code == 200, answer.text

    look()
    counts = {}
    with recorded(server.services.database) as statements:
        for start, stop in ((0, 3), (3, 30)):
            with server.services.database.write() as work:
                if fill is quarantined and start == 0:
                    server.services.library.quarantine.set_policy(work, COMMAND, CHECKS)
                for number in range(start, stop):
                    fill(server, work, ada, number)
            server.services.deferred_writes.flush()
            statements.clear()
            look()
            counts[stop] = list(statements)
    assert len(counts[30]) <= len(counts[3]), "\n".join(counts[30])


@pytest.mark.parametrize(
    ("fill", "path", "least", "most"),
    [
        (application, "/developers/applications/", 40, 50),
        (deleted_application, "/developers/applications/", 40, 50),
        (application, "/account/security/applications/", 40, 50),
        (application, "/admin/applications/", 40, 50),
    ],
    ids=("own", "deleted", "authorised", "all"),
)
def test_a_list_of_applications_has_pages(server: Server, fill: Fill, path: str, least: int, most: int) -> None:
    ada = server.user("ada", is_admin=True)
    with server.services.database.write() as work:
        for number in range(120):
            fill(server, work, ada, number)
    visitor = server.browser(ada)
    seen: set[str] = set()
    for page in (1, 2, 3):
        text = visitor.get(f"{path}?page={page}").text
        names = {f"App {number:03}" for number in range(120) if f"App {number:03}" in text}
        assert least <= len(names) <= most if page < 3 else len(names) == 20
        assert ("page=4" in text, f"page={page + 1}" in text) == (False, page < 3)
        seen |= names
    assert len(seen) == 120


def test_words_are_found_in_any_case_and_on_any_page(server: Server) -> None:
    ada = server.user("ada", is_admin=True)
    token = server.token(ada)
    with server.services.database.write() as work:
        for number in range(5):
            application(server, work, ada, number)
        work.db.execute(applications.update().where(applications.c.client_id == "client4").values(name="ÉTÉ à Paris"))
    for more in ("", "&all=1"):
        answer = server.call("GET", f"/api/applications/?q=été{more}", token).json()
        assert [row["document"]["name"] for row in answer["applications"]] == ["ÉTÉ à Paris"], more


def test_audit_lines_by_action_are_those_of_a_plain_look(server: Server) -> None:
    with server.services.database.write() as work:
        for number in range(60):
            audit.write(work, None, ("z.b", "z.c", "zb", "zz")[number % 4], f"user {number}")
    with server.services.database.read() as work:
        every = [line for line in audit.lines(work, AuditFilter()) if line.action in ("z.b", "z.c", "zb", "zz")]
        assert len(every) == 60
        assert [line.id for line in every] == sorted((line.id for line in every), reverse=True)
        for prefix in ("z", "z.", "z.c", "zz", "zy"):
            plain = [line for line in every if line.action.startswith(prefix)]
            criteria = AuditFilter(action=prefix)
            assert [line for line in audit.lines(work, criteria) if line in every] == plain
            assert (
                list(audit.lines(work, AuditFilter(action=prefix, before=every[9].id), 7))
                == [line for line in plain if line.id < every[9].id][:7]
            )
        now = every[0].at
        assert list(audit.lines(work, AuditFilter(since=now + timedelta(seconds=1)), 5)) == []
        assert list(audit.lines(work, AuditFilter(until=now), 500)) == [
            line for line in audit.lines(work, AuditFilter()) if line.at < now
        ]
