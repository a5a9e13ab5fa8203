"""What is counted of the use of documents, how much of it is kept, and who may read it (06 sections 17.7 and 25)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from vitrine.accounts import COMMAND, Actor, Right, User, Via
from vitrine.accounts.rights import READER
from vitrine.accounts.sessions import SESSION_ACTIONS
from vitrine.errors import Forbidden
from vitrine.library import store
from vitrine.library.errors import MayNotReport, MayNotSee
from vitrine.library.model import RecordKey
from vitrine.library.reports import UseKind, searches, uses, views
from vitrine.library.reports.searches import SearchCounts, kept_words
from vitrine.library.reports.tables import permalink_views, record_uses, search_counts
from vitrine.library.reports.views import FURTHER, MOST_REFERRERS, NO_REFERRER, ViewBuffer, ViewRow, host_of
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork
from vitrine.platform.expiry import delete_expired
from vitrine.platform.tables import audit_log
from vitrine.testing import media_factory
from vitrine.testing.basket_world import BasketWorld
from vitrine.testing.server import Server

REPORTER = READER | Right.canreport


@pytest.fixture
def world(server: Server) -> BasketWorld:
    return BasketWorld(server)


@pytest.fixture
def reporter(server: Server) -> User:
    return server.user("reporter", {server.photographs.id: REPORTER})


def ask(server: Server, user: User, call: Callable[[UnitOfWork, Actor], Any]) -> Any:
    accounts = server.services.accounts.users
    with server.services.database.read() as work:
        return call(work, accounts.actor_of(work, accounts.get(work, user.id), Via.TOKEN))


def write(server: Server, *rows: ViewRow) -> None:
    with server.services.database.write() as work:
        views.write(work, rows)


def written(server: Server) -> list[tuple[str, str, int]]:
    """(rendition, referrer, views), of all records."""
    columns = permalink_views.c
    with server.services.database.read() as work:
        query = sa.select(columns.rendition, columns.referrer, columns.views)
        return sorted((row[0], row[1], row[2]) for row in work.db.execute(query))


class TestReferrers:
    @pytest.mark.parametrize(
        ("header", "host"),
        [
            (None, NO_REFERRER),
            (b"", NO_REFERRER),
            (b"https://News.Example/story?id=7&who=ada#top", "news.example"),
            (b"http://news.example:8080", "news.example"),
            (b"https://ada:secret@news.example/", FURTHER),
            (b"https://[2001:db8::1]/", FURTHER),
            (b"android-app://org.example/", FURTHER),
            (b"https://" + b"a" * 254 + b".example/", FURTHER),
            (b"https://news.example\x00/", FURTHER),
            ("https://müsli.example/".encode(), FURTHER),
        ],
    )
    def test_nothing_but_the_host_is_kept(self, header: bytes | None, host: str) -> None:
        assert host_of(header) == host

    @given(st.binary(max_size=400))
    def test_whatever_comes_fits_its_column_and_holds_no_path(self, header: bytes) -> None:
        host = host_of(header)
        assert len(host) <= 253
        assert not set(host) & set("/?#@: ")

    @given(st.lists(st.tuples(st.integers(1, 3), st.sampled_from("ab"), st.integers(0, 80)), max_size=300))
    def test_the_buffer_loses_no_view_and_keeps_few_hosts(self, seen: list[tuple[int, str, int]]) -> None:
        buffer = ViewBuffer()
        for number, rendition, host in seen:
            buffer.add(RecordKey(1, number), rendition, f"h{host}.example")  # type: ignore[arg-type]
        rows = buffer.take()
        assert sum(row.views for row in rows) == len(seen)
        for number in (1, 2, 3):
            hosts = {row.referrer for row in rows if row.key.number == number}
            assert len(hosts - {FURTHER}) <= MOST_REFERRERS
        buffer.put_back(rows)
        assert sorted(buffer.take()) == sorted(rows)

    def test_a_full_buffer_refuses_and_counts(self) -> None:
        buffer = ViewBuffer(capacity=2)
        for number in range(4):
            buffer.add(RecordKey(1, number), "preview", "")  # type: ignore[arg-type]
        assert (len(buffer.take()), buffer.refused) == (2, 2)


@pytest.mark.both_databases
class TestViews:
    def test_views_of_a_day_add_up_by_rendition_and_host(self, server: Server, world: BasketWorld) -> None:
        key = world.record()
        write(server, ViewRow(key, "preview", "news.example", 2), ViewRow(key, "document", "news.example", 1))
        write(server, ViewRow(key, "preview", "news.example", 3), ViewRow(key, "preview", "", 1))
        assert written(server) == [
            ("document", "news.example", 1), ("preview", "", 1), ("preview", "news.example", 5),
        ]  # fmt: skip

    def test_a_record_has_a_bounded_number_of_hosts_on_a_day(self, server: Server, world: BasketWorld) -> None:
        key = world.record()
        for start in (0, MOST_REFERRERS):
            hosts = (f"h{start + number}.example" for number in range(MOST_REFERRERS))
            write(server, *(ViewRow(key, "preview", host, 1) for host in hosts), ViewRow(key, "preview", "", 1))
        rows = written(server)
        assert len(rows) == MOST_REFERRERS + 2
        assert ("preview", FURTHER, MOST_REFERRERS) in rows
        assert ("preview", NO_REFERRER, 2) in rows
        assert sum(row[2] for row in rows) == 2 * MOST_REFERRERS + 2

    def test_views_of_a_record_that_is_gone_are_dropped(self, server: Server, world: BasketWorld) -> None:
        key = world.record()
        write(server, ViewRow(key, "preview", "", 1), ViewRow(RecordKey(key.databox, 999), "preview", "", 1))
        assert len(written(server)) == 1
        with server.services.database.write() as work:
            server.services.library.removal.remove(work, COMMAND, key)
        assert written(server) == []

    def test_they_end_with_their_time_and_are_bounded_in_number(self, server: Server, world: BasketWorld) -> None:
        for key in world.records(5):
            write(server, ViewRow(key, "preview", "", 1))
        old, newest = views.expiries(365, 3)
        with server.services.database.write() as work:
            assert old.find(work, 10) == []
            assert newest.find(work, 10) == [(1,), (2,)]
            first = permalink_views.c.id == 1
            long_ago = (work.now - timedelta(days=400)).date()
            work.db.execute(permalink_views.update().where(first).values(day=long_ago))
            assert old.find(work, 10) == [(1,)]


class TestCounting:
    @pytest.fixture
    def shared(self, server: Server, tmp_path: Path) -> dict[str, str]:
        """The addresses of the files of a record, by rendition."""
        ada = server.user("ada", {server.photographs.id: READER | Right.canaddrecord | Right.candwnldhd})
        server.add(media_factory.jpeg(tmp_path / "boat.jpg", 1600, 1200), ada)
        with server.services.database.read() as work:
            record = store.by_key(work, RecordKey(server.databox.id, 1))
            assert record is not None
            links = {
                rendition.name: rendition.permalink
                for rendition in store.renditions_of(work, [record.id])[record.id]
                if rendition.is_ready
            }
        return {
            name: f"/permalink/v1/{server.databox.id}/1/{name}/x.jpg?token={link.token}"
            for name, link in links.items()
            if link is not None
        }

    @staticmethod
    def flushed(server: Server) -> list[tuple[str, str, int]]:
        server.services.deferred_writes.flush()
        return written(server)

    @pytest.mark.both_paths
    def test_a_file_by_its_link_counts_and_a_thumbnail_does_not(self, server: Server, shared: dict[str, str]) -> None:
        visitor = server.browser()
        for name in ("preview", "thumbnail", "document"):
            answer = visitor.get(shared[name], headers={"Referer": "https://news.example/story?who=ada"})
            assert answer.status_code == 200
        assert visitor.get(shared["preview"]).status_code == 200
        assert visitor.get(shared["preview"] + "&download=1").status_code == 200
        assert self.flushed(server) == [
            ("document", "news.example", 1), ("preview", "", 2), ("preview", "news.example", 1),
        ]  # fmt: skip

    def test_parts_heads_refusals_and_our_own_pages_do_not_count(self, server: Server, shared: dict[str, str]) -> None:
        visitor, address = server.browser(), shared["preview"]
        assert visitor.get(address, headers={"Range": "bytes=100-199"}).status_code == 206
        assert visitor.client.head(address).status_code == 200
        assert visitor.get(address.replace("token=", "token=x")).status_code == 404
        assert visitor.get(address, headers={"Referer": server.settings.base_url}).status_code == 200
        assert self.flushed(server) == []
        assert visitor.get(address, headers={"Range": "bytes=0-99"}).status_code == 206
        assert self.flushed(server) == [("preview", "", 1)]

    def test_an_embedded_document_counts_once_with_the_site_that_shows_it(
        self, server: Server, shared: dict[str, str]
    ) -> None:
        visitor = server.browser()
        page = visitor.get("/embed/", params={"url": shared["preview"]}, headers={"Referer": "https://news.example/"})
        assert page.status_code == 200
        assert (
            visitor.get(shared["preview"], headers={"Referer": server.settings.base_url + "/embed/"}).status_code == 200
        )
        assert self.flushed(server) == [("preview", "news.example", 1)]


@pytest.mark.both_databases
class TestUses:
    def test_a_push_a_vote_and_a_publication_are_written_down(self, server: Server, world: BasketWorld) -> None:
        everything = READER | Right.canpush | Right.canputinalbum
        ada, bob = server.user("ada", {server.photographs.id: everything}), server.user("bob", None)
        keys = world.records(2)
        world.push(ada, keys, bob)
        basket = world.create(ada, keys[:1])
        world.start_vote(ada, basket, bob)
        columns = record_uses.c
        with server.services.database.read() as work:
            rows = work.db.execute(sa.select(columns.number, columns.kind, columns.user_id).order_by(columns.id)).all()
        assert [tuple(row) for row in rows] == [(1, "push", ada.id), (2, "push", ada.id), (1, "vote", ada.id)]

    def test_they_end_with_time_and_name_nobody_whose_account_is_closed(
        self, server: Server, world: BasketWorld
    ) -> None:
        ada, key = server.user("ada", {server.photographs.id: READER}), world.record()
        record = world.act(ada, lambda work, _actor: store.by_key(work, key))
        assert record is not None
        world.act(ada, lambda work, actor: uses.write(work, actor, UseKind.PRINT, [record.id]))
        with server.services.database.write() as work:
            assert work.db.scalar(sa.select(record_uses.c.user_id)) == ada.id
            server.services.accounts.administration.close(work, COMMAND, "ada")
        with server.services.database.write() as work:
            assert work.db.scalar(sa.select(record_uses.c.user_id)) is None
            assert uses.expiry(365).find(work, 10) == []
            work.db.execute(record_uses.update().values(at=work.now - timedelta(days=366)))
            assert uses.expiry(365).find(work, 10) == [(1,)]


class TestSearches:
    @pytest.mark.parametrize(
        ("text", "kept"),
        [
            ("  Old   BOATS ", "old boats"),
            ("", ""),
            ("ada@museum.example", FURTHER),
            ("+33 1 23 45 67 89", FURTHER),
            ("a" * 101, FURTHER),
            ("1944", "1944"),
        ],
    )
    def test_what_may_name_a_person_is_not_kept(self, text: str, kept: str) -> None:
        assert kept_words(text) == kept

    @pytest.mark.both_databases
    def test_words_add_up_and_are_bounded(self, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(searches, "MOST_WORDS", 3)
        counts, box = SearchCounts(), server.databox.id
        for words in ("boats", "boats", "quay", "harbour", "lighthouse", "mole"):
            counts.count([box], words, 0 if words == "quay" else 7)
        with server.services.database.write() as work:
            searches.write(work, counts.buffer.take())
            counts.count([box], "Boats", 0)
            counts.count([box], "pier", 1)
            searches.write(work, counts.buffer.take())
            rows = {row.words: (row.searches, row.without_result) for row in searches.page(work, box, None, 10)}
        assert rows == {"boats": (3, 1), "quay": (1, 1), "harbour": (1, 0), FURTHER: (3, 0)}

    def test_a_search_is_counted_once_and_nothing_when_it_is_switched_off(
        self, server: Server, reporter: User, world: BasketWorld
    ) -> None:
        token = server.token(reporter)
        for _ in range(2):
            assert server.call("GET", "/api/v4/records?query=Boats", token).status_code == 200
        server.services.deferred_writes.flush()
        with server.services.database.read() as work:
            rows = work.db.execute(sa.select(search_counts.c.words, search_counts.c.searches)).all()
        assert [tuple(row) for row in rows] == [("boats", 2)]
        silent = SearchCounts(is_on=False)
        silent.count([server.databox.id], "boats", 1)
        assert silent.buffer.take() == []


@pytest.mark.both_databases
class TestWhoMayReport:
    def test_a_report_needs_the_right_on_this_very_collection(
        self, server: Server, world: BasketWorld, reporter: User
    ) -> None:
        key, other = world.record(), world.record(server.archive)
        reader = server.user("reader", {server.photographs.id: READER})
        masked = server.user("masked", None)
        server.regrant(masked, server.photographs, REPORTER, mask_and=16, mask_xor=16)
        past = server.user("past", None)
        server.regrant(past, server.photographs, REPORTER, valid_until=datetime.now(UTC) - timedelta(days=1))
        write(server, ViewRow(key, "preview", "news.example", 4), ViewRow(other, "preview", "", 1))
        reports = server.services.library.reports
        for person in (reporter, masked):  # statistics do not look at masks
            (row,) = ask(server, person, lambda work, who: reports.views_of_record(work, who, key))
            assert (row.number, row.referrer, row.views) == (key.number, "news.example", 4)
            rows = ask(server, person, lambda work, who: reports.views_of_collection(work, who, server.photographs.id))
            assert [row.number for row in rows] == [key.number]
            with pytest.raises(MayNotReport):
                ask(server, person, lambda work, who: reports.views_of_collection(work, who, server.archive.id))
            with pytest.raises(MayNotReport):
                ask(server, person, lambda work, who: reports.uses_of_collection(work, who, server.archive.id))
        with pytest.raises(MayNotSee):
            ask(server, reporter, lambda work, who: reports.views_of_record(work, who, other))
        for person, refusal in ((reader, MayNotReport), (past, Forbidden)):
            with pytest.raises(refusal):
                ask(server, person, lambda work, who: reports.views_of_record(work, who, key))
            with pytest.raises(refusal):
                ask(server, person, lambda work, who: reports.uses_of_record(work, who, key))

    def test_searches_need_it_on_every_collection_of_the_databox(self, server: Server, reporter: User) -> None:
        reports = server.services.library.reports
        with pytest.raises(MayNotReport):
            ask(server, reporter, lambda work, who: reports.searches(work, who, server.databox.id))
        with server.services.database.read() as work:
            every = [base.id for base in server.services.library.records.structure(work).collections.values()]
        both = server.user("both", dict.fromkeys(every, REPORTER))
        assert ask(server, both, lambda work, who: reports.searches(work, who, server.databox.id)) == []

    def test_sign_ins_end_with_their_time_and_other_lines_stay(self, server: Server) -> None:
        server.browser(server.user("ada", None))
        with server.services.database.write() as work:
            work.db.execute(audit_log.update().values(at=work.now - timedelta(days=400)))
        server.browser(server.user("bob", None))
        for expiry in audit.expiries(SESSION_ACTIONS, timedelta(days=365)):
            delete_expired(server.services.database, expiry, Event())
        with server.services.database.read() as work:
            opened = audit_log.c.action == "session.opened"
            assert work.db.scalar(sa.select(sa.func.count()).where(opened)) == 1
            old = audit_log.c.at < work.now - timedelta(days=399)
            assert work.db.execute(sa.select(audit_log.c.id).where(old)).all() != []
