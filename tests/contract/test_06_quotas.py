"""Download quotas (06 section 17.4): counted by whichever way somebody fetches a document, never exceeded."""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vitrine.accounts import Actor, Right, User, UserId, Via
from vitrine.accounts.rights import READER
from vitrine.library import store
from vitrine.library.model import RecordKey
from vitrine.library.sharing import quotas
from vitrine.library.sharing.quotas import DownloadQuotas, DownloadQuotaUsed
from vitrine.library.sharing.tables import counted_downloads, download_counts
from vitrine.testing import media_factory as make
from vitrine.testing.record_factory import StoredRecord, add_record
from vitrine.testing.server import Server, Visitor

pytestmark = pytest.mark.both_databases
DOWNLOADS = READER | Right.candwnldhd | Right.nowatermark
LIMITED = DOWNLOADS | Right.restrict_dwnld


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    return make.jpeg(tmp_path / "harbour.jpg", 90, 60)


def records(server: Server, picture: Path, count: int) -> list[RecordKey]:
    files = {
        "document": StoredRecord(picture, "image/jpeg", 90, 60),
        "preview": StoredRecord(picture, "image/jpeg", 90, 60),
    }
    return [add_record(server.services, server.photographs, "image", files, title=f"Boat {n}") for n in range(count)]


@pytest.fixture
def ida(server: Server) -> User:
    """She may download two documents a month from the photographs."""
    person = server.user("ida", DOWNLOADS)
    server.regrant(person, server.photographs, LIMITED, monthly_downloads=2)
    return person


def take(server: Server, person: User, keys: Sequence[RecordKey], at: datetime | None = None) -> None:
    people = server.services.accounts.users
    with server.services.database.write() as work:
        work.now = at or work.now
        actor: Actor = people.actor_of(work, people.get(work, person.id), Via.SESSION)
        by_key = store.by_keys(work, keys)
        server.services.library.quotas.take(work, actor, [by_key[key] for key in keys])


def left(server: Server, person: User) -> dict[int, int]:
    answer = server.call("GET", "/api/v4/me/download-quotas", server.token(person)).json()
    return {quota["base_id"]: quota["remaining"] for quota in answer["quotas"]}


def fetch(visitor: Visitor, key: RecordKey, name: str = "document", **headers: str) -> Any:
    return visitor.get(f"/datafiles/{key.databox}/{key.number}/{name}/", headers=headers)


def selected(visitor: Visitor, *keys: RecordKey) -> Any:
    form = visitor.form("/account/")
    chosen = {"record[]": [f"{key.databox}/{key.number}" for key in keys]}
    return visitor.client.post("/library/download", data={**form, **chosen})


def test_documents_count_and_previews_do_not(server: Server, picture: Path, ida: User) -> None:
    first, second, third = records(server, picture, 3)
    visitor = server.browser(ida)
    assert fetch(visitor, first, "preview").status_code == 200
    assert left(server, ida) == {server.photographs.id: 2}
    assert fetch(visitor, first).status_code == 200
    assert fetch(visitor, second).status_code == 200
    refused = fetch(visitor, third)
    assert refused.status_code == 403
    assert "Photographs" in refused.text and "2" in refused.text
    assert fetch(visitor, third, "preview").status_code == 200
    assert left(server, ida) == {server.photographs.id: 0}


def test_the_same_document_again_and_in_parts_counts_once_a_day(server: Server, picture: Path, ida: User) -> None:
    first, second = records(server, picture, 2)
    visitor = server.browser(ida)
    assert visitor.client.head(f"/datafiles/{first.databox}/{first.number}/document/").status_code == 200
    assert left(server, ida) == {server.photographs.id: 2}
    for part in ("bytes=5-20", "bytes=0-4", "bytes=21-"):
        assert fetch(visitor, first, Range=part).status_code == 206
    assert left(server, ida) == {server.photographs.id: 1}
    now = datetime.now(UTC)
    with server.services.database.write() as work:
        # A day later it is another download.
        work.db.execute(counted_downloads.update().values(at=now - timedelta(days=1, minutes=1)))
    take(server, ida, [first])
    with pytest.raises(DownloadQuotaUsed):
        take(server, ida, [second])


def test_an_address_signed_for_somebody_counts_as_theirs(server: Server, picture: Path, ida: User) -> None:
    token = server.token(ida)
    keys = records(server, picture, 3)
    addresses = []
    for key in keys:
        shown = server.get(f"/records/{key.databox}/{key.number}/embed/", token)
        addresses += [file["url"] for file in shown["embed"] if file["name"] == "document"]
    assert len(addresses) == 3
    assert [server.http.get(address).status_code for address in addresses] == [200, 200, 403]
    assert left(server, ida) == {server.photographs.id: 0}


def test_a_permalink_is_nobodys_download(server: Server, picture: Path, ida: User) -> None:
    (key,) = records(server, picture, 1)
    token = server.token(ida)
    shown = server.get(f"/records/{key.databox}/{key.number}/embed/", token)
    (link,) = [file["permalink"]["url"] for file in shown["embed"] if file["name"] == "document"]
    assert server.http.get(link).status_code == 200
    assert left(server, ida) == {server.photographs.id: 2}


def test_a_selection_is_counted_as_a_whole_or_refused(server: Server, picture: Path, ida: User) -> None:
    keys = records(server, picture, 3)
    visitor = server.browser(ida)
    refused = selected(visitor, *keys)
    assert refused.status_code == 403 and "Photographs" in refused.text
    assert left(server, ida) == {server.photographs.id: 2}
    assert selected(visitor, *keys[:2]).headers["content-type"] == "application/zip"
    assert left(server, ida) == {server.photographs.id: 0}
    assert selected(visitor, *keys[:2]).status_code == 200  # the same again


def test_two_at_once_never_get_more_than_is_left(server: Server, picture: Path, ida: User) -> None:
    keys = records(server, picture, 6)
    outcomes: list[bool] = []

    def fetch_one(key: RecordKey) -> None:
        try:
            take(server, ida, [key])
            outcomes.append(True)
        except DownloadQuotaUsed:
            outcomes.append(False)

    threads = [threading.Thread(target=fetch_one, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False] * 4 + [True] * 2
    assert left(server, ida) == {server.photographs.id: 0}


def test_a_new_month_begins_at_nothing_and_so_does_the_same_month_of_another_year(
    server: Server, picture: Path, ida: User
) -> None:
    keys = records(server, picture, 6)
    may = datetime(2026, 5, 31, 23, 59, tzinfo=UTC)
    take(server, ida, keys[:2], may)
    with pytest.raises(DownloadQuotaUsed, match="renewed on 2026-06-01"):
        take(server, ida, keys[2:3], may)
    take(server, ida, keys[2:4], may + timedelta(minutes=1))
    take(server, ida, keys[4:], datetime(2027, 6, 2, tzinfo=UTC))


def test_months_are_those_of_the_instance(server: Server) -> None:
    counting = DownloadQuotas(server.services.library.records, ZoneInfo("Pacific/Auckland"))
    with server.services.database.read() as work:
        work.now = datetime(2026, 12, 31, 12, tzinfo=UTC)
        assert counting._renews(work).isoformat() == "2027-02-01T00:00:00+13:00"


def test_who_has_no_quota_pays_no_statement(server: Server, picture: Path) -> None:
    (key,) = records(server, picture, 1)
    free = server.user("bea", DOWNLOADS)
    people = server.services.accounts.users
    with server.services.database.write() as work:
        actor = people.actor_of(work, people.get(work, free.id), Via.SESSION)
        record = store.by_key(work, key)
        assert record is not None
        seen: list[str] = []
        sa.event.listen(work.db, "before_cursor_execute", lambda *call: seen.append(call[2]))
        server.services.library.quotas.take(work, actor, [record])
        assert server.services.library.quotas.mine(work, actor) == []
        assert seen == []
    assert left(server, free) == {}


def test_a_limit_without_a_number_is_nothing_and_one_of_other_people_is_not_mine(
    server: Server, picture: Path, ida: User
) -> None:
    (key,) = records(server, picture, 1)
    none = server.user("kim", None)
    server.regrant(none, server.photographs, LIMITED)
    assert fetch(server.browser(none), key).status_code == 403
    assert left(server, none) == {server.photographs.id: 0}
    assert left(server, ida) == {server.photographs.id: 2}


def test_what_was_counted_ends_with_the_account(server: Server, picture: Path, ida: User) -> None:
    take(server, ida, records(server, picture, 1))
    with server.services.database.write() as work:
        quotas.forget_person(work, ida.id)
        assert work.db.scalar(sa.select(sa.func.count()).select_from(counted_downloads)) == 0
        assert work.db.scalar(sa.select(sa.func.count()).select_from(download_counts)) == 0


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(st.integers(0, 7), min_size=1, max_size=5), max_size=8), most=st.integers(0, 8))
def test_whatever_is_fetched_the_count_is_that_of_the_documents(
    server: Server, picture: Path, batches: list[list[int]], most: int
) -> None:
    """Against a set: a batch passes if what it adds fits, and changes nothing if not."""
    with server.services.database.read() as work:
        known = server.services.accounts.users.known(work, UserId(1))
    keys = [RecordKey(server.databox.id, number) for number in range(1, 9)]
    if known is None or known.login != "max":
        records(server, picture, 8)
        known = server.user("max", None)
    server.regrant(known, server.photographs, LIMITED, monthly_downloads=most)
    with server.services.database.write() as work:
        quotas.forget_person(work, known.id)
    fetched: set[int] = set()
    for batch in batches:
        fits = len(fetched | set(batch)) <= most
        try:
            take(server, known, [keys[number] for number in batch])
            assert fits
            fetched |= set(batch)
        except DownloadQuotaUsed:
            assert not fits
    with server.services.database.read() as work:
        people = server.services.accounts.users
        actor = people.actor_of(work, people.get(work, known.id), Via.SESSION)
        (quota,) = server.services.library.quotas.mine(work, actor)
    assert quota.remaining == most - len(fetched)
