"""What happens in baskets, feeds and the quarantine is told to the people concerned, once, and while they may know."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from tests.operations.test_account_mail import sent_mails

from vitrine.accounts import COMMAND, Right, User
from vitrine.accounts.rights import READER
from vitrine.baskets.events import VoteReminderDue
from vitrine.baskets.model import ChoiceChange, Voter
from vitrine.baskets.tables import basket_votes
from vitrine.jobs import Job
from vitrine.jobs.tables import jobs
from vitrine.library.model import Collection
from vitrine.notifications import broadcasts
from vitrine.notifications.events import TOLD
from vitrine.notifications.tables import notification_broadcasts, notifications
from vitrine.notifications.tests.test_notifications import actor, kinds
from vitrine.testing import media_factory
from vitrine.testing.basket_world import BasketWorld
from vitrine.testing.feed_factory import add_feed, picture, publish, publisher
from vitrine.testing.server import Server

pytestmark = pytest.mark.both_databases
OWNER = READER | Right.canpush | Right.canputinalbum
CONTRIBUTOR = READER | Right.canaddrecord


@pytest.fixture
def world(server: Server) -> BasketWorld:
    return BasketWorld(server)


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada", {server.photographs.id: OWNER}, email="ada@museum.example")


@pytest.fixture
def bob(server: Server) -> User:
    return server.user("bob", {server.photographs.id: READER}, email="bob@museum.example", locale="fr")


def unread(server: Server, user: User) -> int:
    with server.services.database.read() as work:
        return server.services.notifications.unread(work, actor(server, work, user))


def names(server: Server, user: User) -> list[str]:
    return [kind for kind, _ in kinds(server, user)]


def run_jobs_of_later(server: Server) -> None:
    """As if the time of every waiting job had come."""
    with server.services.database.write() as work:
        work.db.execute(jobs.update().values(run_after=work.now - timedelta(seconds=1)))
    server.work()


class TestBaskets:
    def test_a_push_is_told_to_each_receiver(self, server: Server, world: BasketWorld, ada: User, bob: User) -> None:
        eve = server.user("eve", None)
        baskets = world.push(ada, world.records(2), bob, eve)
        assert kinds(server, bob) == [("push_received", {"basket_id": baskets[bob.id], "user_id": ada.id})]
        assert kinds(server, eve) == [("push_received", {"basket_id": baskets[eve.id], "user_id": ada.id})]
        assert kinds(server, ada) == []
        (mail,) = sent_mails(server)
        assert mail["To"] == "bob@museum.example"
        assert mail["Subject"] == "Vitrine: Quelqu’un vous a envoyé des documents."

    def test_a_share_is_told_once_and_not_when_its_terms_change(
        self, server: Server, world: BasketWorld, ada: User, bob: User
    ) -> None:
        basket = world.create(ada, world.records(1))
        world.share(ada, basket, bob)
        world.share(ada, basket, bob, can_modify=True)
        assert kinds(server, bob) == [("basket_shared", {"basket_id": basket, "user_id": ada.id})]

    def test_a_share_that_ended_says_nothing_and_is_not_counted(
        self, server: Server, world: BasketWorld, ada: User, bob: User
    ) -> None:
        basket, other = world.create(ada, world.records(1)), world.create(ada, world.records(1))
        world.share(ada, basket, bob, expires=datetime.now(UTC) + timedelta(days=1))
        world.share(ada, other, bob)
        world.leave(bob, basket)
        assert kinds(server, bob) == [("basket_shared", {"basket_id": other, "user_id": ada.id})]
        assert unread(server, bob) == 1
        world.act(ada, lambda work, who: server.services.baskets.baskets.delete(work, who, other))
        assert (kinds(server, bob), unread(server, bob)) == ([], 0)

    def test_a_vote_from_its_request_to_its_report(
        self, server: Server, world: BasketWorld, ada: User, bob: User
    ) -> None:
        basket = world.create(ada, world.records(2))
        world.start_vote(ada, basket, bob, can_agree=True)
        world.act(
            ada,
            lambda work, who: server.services.baskets.votes.ask(
                work, who, basket, [Voter(bob.id, can_see_others=True)]
            ),
        )
        assert names(server, bob) == ["vote_requested"], "once, whatever is changed about it"
        first = world.element_ids(bob, basket)[0]
        world.act(
            bob,
            lambda work, who: server.services.baskets.votes.cast(work, who, basket, [ChoiceChange(first, True, True)]),
        )
        world.act(bob, lambda work, who: server.services.baskets.votes.confirm(work, who, basket))
        told = {"basket_id": basket, "user_id": bob.id, "agreed": 1, "disagreed": 0, "undecided": 1}
        assert kinds(server, ada) == [("vote_done", told)]

    def test_the_reminder_goes_out_when_a_fifth_of_the_time_is_left_and_once(
        self, server: Server, world: BasketWorld, ada: User, bob: User
    ) -> None:
        basket, begin = world.create(ada, world.records(1)), datetime.now(UTC)
        world.start_vote(ada, basket, bob, expires=begin + timedelta(days=10), can_agree=True)
        world.moment = begin + timedelta(days=7, hours=23)
        world.maintain()
        assert names(server, bob) == ["vote_requested"]
        world.moment = begin + timedelta(days=8, minutes=1)
        for _ in range(2):  # two workers
            world.maintain()
        assert names(server, bob) == ["vote_reminder", "vote_requested"]
        with server.services.database.write() as work:  # as when both had found the vote before one was done
            work.db.execute(basket_votes.update().values(remind_at=begin))
        world.maintain()
        assert names(server, bob) == ["vote_reminder", "vote_requested"]

    def test_every_event_of_the_table_is_heard(self, server: Server) -> None:
        assert VoteReminderDue in TOLD
        assert set(TOLD) <= set(server.services.database._listeners)


class TestFeeds:
    def test_readers_are_told_and_mailed_only_where_the_publisher_says_so(self, server: Server) -> None:
        ada = publisher(server, "ada", email="ada@museum.example")
        bob = server.user("bob", {server.photographs.id: READER}, email="bob@museum.example")
        eve = server.user("eve", {server.archive.id: READER}, email="eve@museum.example")
        silent = server.user("silent", {server.photographs.id: READER})
        feed = add_feed(server, ada, scope=server.photographs)
        quiet = publish(server, ada, feed.id, [picture(server)])
        server.work()
        told = [("entry_published", {"feed_id": feed.id, "entry_id": quiet.id})]
        assert kinds(server, bob) == kinds(server, silent) == told
        assert kinds(server, eve) == kinds(server, ada) == []
        assert sent_mails(server) == []
        publish(server, ada, feed.id, [picture(server)], notify=True)
        assert [mail["To"] for mail in sent_mails(server)] == ["bob@museum.example"]
        assert names(server, bob) == ["entry_published"] * 2
        server.regrant(bob, server.photographs, Right(0))
        assert (kinds(server, bob), unread(server, bob)) == ([], 0)

    def test_the_request_writes_one_row_however_many_read(
        self, server: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(broadcasts, "PART", 3)
        ada = publisher(server, "ada")
        people = [server.user(f"reader{number}", None) for number in range(7)]
        feed = add_feed(server, ada)
        publish(server, ada, feed.id, [picture(server)])
        with server.services.database.read() as work:
            count = sa.select(sa.func.count())
            assert work.db.scalar(count.select_from(notifications)) == 0
            assert work.db.scalar(count.select_from(notification_broadcasts)) == 1
        server.work()
        assert [names(server, person) for person in people] == [["entry_published"]] * 7
        with server.services.database.read() as work:
            assert work.db.scalar(sa.select(sa.func.count()).select_from(notification_broadcasts)) == 0

    def test_a_mail_goes_to_the_address_and_the_person_of_the_moment_when_it_is_sent(self, server: Server) -> None:
        ada = publisher(server, "ada")
        moved = server.user("moved", None, email="old@museum.example")
        closed = server.user("closed", None, email="closed@museum.example")
        suspended = server.user("suspended", None, email="suspended@museum.example")
        muted = server.user("muted", None, email="muted@museum.example")
        feed = add_feed(server, ada)
        publish(server, ada, feed.id, [picture(server)], notify=True, title="Boats")
        handler = server.worker.handlers[broadcasts.TELL.name]
        with server.services.database.read() as work:
            row = work.db.execute(sa.select(jobs).where(jobs.c.kind == broadcasts.TELL.name)).one()
        handler(Job(row.id, row.kind, row.payload, 1, 5))
        administration = server.services.accounts.administration
        with server.services.database.write() as work:
            work.db.execute(sa.text("UPDATE users SET email = 'new@museum.example' WHERE id = :id"), {"id": moved.id})
            administration.close(work, COMMAND, closed.login)
            administration.suspend(work, COMMAND, suspended.login)
            server.services.accounts.users.stop_mails(work, muted.id, "entry_published")
        to = {str(mail["To"]): str(mail["Subject"]) for mail in sent_mails(server)}
        assert "new@museum.example" in to
        assert not set(to) & {"old@museum.example", "suspended@museum.example", "muted@museum.example"}
        assert "Boats" not in to.get("closed@museum.example", "")


class TestQuarantine:
    def send(self, server: Server, who: User, into: Collection, seed: int) -> None:
        ingest = server.services.library.ingest
        path = media_factory.jpeg(server.settings.data_dir / f"{seed}.jpg", seed=seed)
        arrival = ingest.take(path, "boat.jpg")
        with server.services.database.write() as work:
            ingest.add(work, actor(server, work, who), arrival, into.id, force=False)

    def test_those_who_decide_are_told_once_of_a_batch(self, server: Server, bob: User) -> None:
        sender = server.user("sender", {server.photographs.id: CONTRIBUTOR})
        mia = server.user("mia", {server.photographs.id: CONTRIBUTOR}, email="mia@museum.example")
        elsewhere = server.user("elsewhere", {server.archive.id: CONTRIBUTOR})
        for seed in range(3):
            self.send(server, sender, server.photographs, seed)
        server.work()
        assert kinds(server, mia) == [], "the batch may go on"
        run_jobs_of_later(server)
        assert kinds(server, mia) == [("file_quarantined", {"base_id": server.photographs.id})]
        assert kinds(server, bob) == kinds(server, elsewhere) == []
        assert [mail["To"] for mail in sent_mails(server)] == ["mia@museum.example"]
        self.send(server, sender, server.photographs, 4)
        run_jobs_of_later(server)
        assert names(server, mia) == ["file_quarantined"] * 2
        server.regrant(mia, server.photographs, READER)
        assert (kinds(server, mia), unread(server, mia)) == ([], 0)

    def test_nobody_is_told_of_files_that_were_decided_meanwhile(self, server: Server) -> None:
        mia = server.user("mia", {server.photographs.id: CONTRIBUTOR})
        self.send(server, mia, server.photographs, 1)
        with server.services.database.write() as work:
            server.services.library.quarantine.delete(work, actor(server, work, mia), 1)
        run_jobs_of_later(server)
        assert kinds(server, mia) == []


class TestStopping:
    def address(self, server: Server, world: BasketWorld, ada: User, bob: User) -> str:
        world.push(ada, world.records(1), bob)
        mail = sent_mails(server)[-1]
        header = str(mail["List-Unsubscribe"])
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        address = header.strip("<>").removeprefix(server.settings.base_url.rstrip("/"))
        assert address in mail.get_content(), "the text has the same link"
        return address

    def test_one_click_stops_mails_of_the_kind_and_looking_stops_nothing(
        self, server: Server, world: BasketWorld, ada: User, bob: User
    ) -> None:
        address = self.address(server, world, ada, bob)
        stranger = server.browser()
        assert stranger.get(address).status_code == 200
        assert self.mails(server, bob)["push_received"] is True
        assert stranger.client.post(address, data={"List-Unsubscribe": "One-Click"}).status_code == 200
        assert self.mails(server, bob)["push_received"] is False
        assert self.mails(server, bob)["basket_shared"] is True
        world.push(ada, world.records(1), bob)
        assert len(sent_mails(server)) == 1
        assert len(kinds(server, bob)) == 2

    @pytest.mark.parametrize("change", [lambda token: token[:-4] + "AAAA", lambda _token: "", lambda _token: "a.b.c"])
    def test_a_changed_link_is_refused(
        self, server: Server, world: BasketWorld, ada: User, bob: User, change: object
    ) -> None:
        path, _, token = self.address(server, world, ada, bob).partition("?token=")
        assert callable(change)
        for method in ("GET", "POST"):
            answer = server.browser().client.request(method, f"{path}?token={change(token)}")
            assert answer.status_code == 404
        assert self.mails(server, bob)["push_received"] is True

    @staticmethod
    def mails(server: Server, user: User) -> dict[str, bool]:
        with server.services.database.read() as work:
            return server.services.notifications.mails(work, actor(server, work, user))
