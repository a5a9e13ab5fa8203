"""New entries of feeds are mailed to the people who may read them, once."""

import pytest
import sqlalchemy as sa
from tests.operations.test_account_mail import sent_mails

from vitrine.accounts import Right, User
from vitrine.accounts.rights import READER
from vitrine.feeds.tests.test_feeds import remove
from vitrine.jobs import Job
from vitrine.notifications import broadcasts
from vitrine.notifications.broadcasts import TELL
from vitrine.testing.feed_factory import add_feed, picture, publish, publisher
from vitrine.testing.server import Server

pytestmark = pytest.mark.both_databases


@pytest.fixture
def ada(server: Server) -> User:
    return publisher(server, "ada", email="ada@museum.example")


def subjects(server: Server) -> dict[str, str]:
    """By address, of the mails in the outbox."""
    mails = sent_mails(server)
    assert len({mail["To"] for mail in mails}) == len(mails)
    return {str(mail["To"]): str(mail["Subject"]) for mail in mails}


def test_the_people_who_may_read_it_are_told_once(server: Server, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcasts, "PART", 2)
    for number in range(3):
        server.user(f"reader{number}", {server.photographs.id: READER}, email=f"r{number}@museum.example")
    server.user("elsewhere", {server.archive.id: READER}, email="e@museum.example")
    server.user("suspended", {server.photographs.id: Right(0)}, email="s@museum.example")
    server.user("silent", {server.photographs.id: READER})
    server.user("french", {server.photographs.id: READER}, email="f@museum.example", locale="fr")
    feed = add_feed(server, ada, scope=server.photographs, title="Press")
    publish(server, ada, feed.id, [picture(server)], notify=True, title="Boats")
    server.work()
    expected = "New in Press at Vitrine: Boats"
    assert subjects(server) == {
        **{f"r{number}@museum.example": expected for number in range(3)},
        "f@museum.example": "Nouveau dans Press sur Vitrine : Boats",
    }


def test_a_job_that_runs_twice_mails_nobody_twice(server: Server, ada: User) -> None:
    server.user("reader", {server.photographs.id: READER}, email="r@museum.example")
    feed = add_feed(server, ada)
    publish(server, ada, feed.id, [picture(server)], notify=True)
    handler = server.worker.handlers[TELL.name]
    for _ in range(2):
        handler(Job(1, TELL.name, {"broadcast": 1, "after": 0}, 1, 5))
    with server.services.database.read() as work:
        waiting = work.db.scalar(sa.text("SELECT count(*) FROM jobs WHERE kind = 'mail.send'"))
    assert waiting == 1


def test_an_entry_that_is_gone_mails_nobody(server: Server, ada: User) -> None:
    server.user("reader", {server.photographs.id: READER}, email="r@museum.example")
    entry = publish(server, ada, add_feed(server, ada).id, [picture(server)], notify=True)
    remove(server, ada, entry)
    server.work()
    assert subjects(server) == {}
