"""Rights on single records (06 section 17.5): asked for the records of a request, and exact in the search."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from vitrine.accounts import Right, User, Via
from vitrine.accounts import record_grants as grants
from vitrine.accounts.rights import READER
from vitrine.accounts.store import bump_rights
from vitrine.accounts.tables import record_grants
from vitrine.library.events import RecordAdded
from vitrine.library.model import RecordId
from vitrine.library.tables import records
from vitrine.platform.database import UnitOfWork, inserted_id
from vitrine.testing.server import Server

pytestmark = pytest.mark.both_databases


def fill(server: Server, count: int, seed: int = 0) -> list[int]:
    chosen = random.Random(seed)
    ids = []
    with server.services.database.write() as work:
        for number in range(1, count + 1):
            row = {
                "databox_id": server.databox.id, "number": number, "kind": "image", "title": f"Boat {number}",
                "collection_id": chosen.choice((server.photographs.id, server.archive.id)), "uuid": str(number),
                "technical": "[]", "status": chosen.choice((0, 16)), "created": work.now, "updated": work.now,
            }  # fmt: skip
            ids.append(inserted_id(work.db.execute(records.insert().values(row))))
            work.emit(RecordAdded(RecordId(ids[-1])))
    server.work()
    return ids


def give(work: UnitOfWork, user: User, record: int, *, document: bool = False, until: datetime | None = None) -> None:
    row: dict[str, Any] = {"user_id": user.id, "record_id": record, "document": document, "expires": until}
    source = {"source_kind": "push", "source_id": record, "reason": "push"}
    row |= {name: value for name, value in source.items() if name in record_grants.c}
    work.db.execute(record_grants.insert().values(created=work.now, **row))


def search(server: Server, token: str) -> tuple[set[int], int]:
    answer = server.get("/search/", token, params={"per_page": "1000", "query": "boat"})
    return {record["record_id"] for record in answer["results"]["records"]}, answer["total_results"]


@pytest.mark.parametrize("seed", range(3))
def test_the_search_finds_exactly_what_each_record_shows(server: Server, seed: int) -> None:
    """Collections with a mask, grants of all kinds, among them expired ones, against the record's own address."""
    chosen = random.Random(seed)
    ids = fill(server, 40, seed)
    bob = server.user("bob", {})
    server.regrant(bob, server.photographs, READER, mask_and=16, mask_xor=chosen.choice((0, 16)))
    now = datetime.now(UTC)
    with server.services.database.write() as work:
        for record in chosen.sample(ids, 15):
            until = chosen.choice((None, now + timedelta(days=1), now - timedelta(seconds=1)))
            give(work, bob, record, until=until)
        bump_rights(work, bob.id)
    token = server.token(bob)
    seen = {
        number
        for number in range(1, 41)
        if server.call("GET", f"/api/v1/records/{server.databox.id}/{number}/", token).status_code == 200
    }
    assert search(server, token) == (seen, len(seen))
    assert 0 < len(seen) < 40


def test_a_grant_ends_at_its_instant(server: Server) -> None:
    """What is remembered of a person's grants is read again when the first of them expires."""
    ids = fill(server, 3)
    bob = server.user("bob", {})
    soon = datetime.now(UTC) + timedelta(hours=1)
    with server.services.database.write() as work:
        give(work, bob, ids[0], until=soon)
        give(work, bob, ids[1])
        bump_rights(work, bob.id)
    token = server.token(bob)
    assert search(server, token) == ({1, 2}, 2)
    with server.services.database.read() as work:
        user = server.services.accounts.users.get(work, bob.id)
        actor = server.services.accounts.users.actor_of(work, user, Via.TOKEN)
        work.now = soon
        scope = server.services.search.scope(work, actor)
        assert list(scope.granted.rids) == [ids[1]]
        assert grants.on_records(work, actor, ids) == {ids[1]: False}


def test_a_grant_given_and_taken_counts_at_once(server: Server) -> None:
    ids = fill(server, 3)
    bob = server.user("bob", {server.photographs.id: Right.actif})
    token = server.token(bob)
    before = search(server, token)[0]
    hidden = next(number for number in (1, 2, 3) if number not in before)
    for change in ("given", "taken"):
        with server.services.database.write() as work:
            if change == "given":
                give(work, bob, ids[hidden - 1])
            else:
                work.db.execute(record_grants.delete())
            bump_rights(work, bob.id)
        expected = before | {hidden} if change == "given" else before
        assert search(server, token) == (expected, len(expected)), change


def test_rights_are_the_same_size_whatever_is_granted(server: Server) -> None:
    """Nothing of a grant is loaded with the rights; a record's own grant is one row."""
    ids = fill(server, 30)
    bob = server.user("bob", {})
    with server.services.database.write() as work:
        for record in ids:
            give(work, bob, record, document=record == ids[0])
        bump_rights(work, bob.id)
    selected: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "record_grants" in statement:
            selected.append(statement)

    sa.event.listen(server.services.database.engine, "before_cursor_execute", note)
    with server.services.database.read() as work:
        rights = server.services.accounts.users.rights(work, bob.id, 1_000)
        assert rights.has_grants
        assert all("LIMIT" in statement for statement in selected), "one row tells whether there is any"
    assert not any(isinstance(getattr(rights, name), dict) and getattr(rights, name) for name in rights.__slots__)
    token = server.token(bob)
    path = f"/api/v1/records/{server.databox.id}/1/"
    assert server.call("GET", path, token).status_code == 200


def test_many_granted_records_leave_the_loop(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """More grants than a short search may read: the same answer, from a worker thread."""
    monkeypatch.setattr("vitrine.api.v1.search.QUICK_GRANTS", 2)
    ids = fill(server, 6)
    bob = server.user("bob", {})
    with server.services.database.write() as work:
        for record in ids[:4]:
            give(work, bob, record)
        bump_rights(work, bob.id)
    token = server.token(bob)
    for _ in range(2):
        answer = server.get("/search/", token, params={"query": "boat"})
        assert answer["total_results"] == 4


def test_a_right_on_the_collection_does_not_make_up_for_an_original(server: Server) -> None:
    """A grant shows the preview; the original only if it says so."""
    ids = fill(server, 2)
    bob = server.user("bob", {})
    with server.services.database.write() as work:
        give(work, bob, ids[0], document=True)
        give(work, bob, ids[1])
        bump_rights(work, bob.id)
    with server.services.database.read() as work:
        user = server.services.accounts.users.get(work, bob.id)
        actor = server.services.accounts.users.actor_of(work, user, Via.TOKEN)
        assert grants.on_records(work, actor, [*ids, 10**9]) == {ids[0]: True, ids[1]: False}
        assert grants.on_records(work, actor, range(1, 2_000)) == {ids[0]: True, ids[1]: False}
