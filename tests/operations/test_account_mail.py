"""A forgotten password, a new e-mail address, and sessions that stay open while they are used (contract 07 P10)."""

import email
import re
from datetime import timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from vitrine.accounts import User
from vitrine.accounts.mail import BY_ADDRESS, BY_CALLER
from vitrine.accounts.mail_texts import TEXTS
from vitrine.accounts.tables import mailed_links, sessions
from vitrine.app import mail_handler
from vitrine.errors import Unavailable
from vitrine.jobs.tables import jobs
from vitrine.platform.mail import Email, Outbox
from vitrine.testing.server import PASSWORD, Server

pytestmark = pytest.mark.both_databases
FORGOT, RENEW, EMAIL = "/login/forgot-password/", "/login/renew-password/", "/account/reset-email/"
NEW_PASSWORD = "a wholly new password"


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada", email="ada@museum.example")


def sent_mails(server: Server) -> list[EmailMessage]:
    """The mails sent, after the jobs have run."""
    server.work()
    folder = server.settings.data_dir / "outbox"
    paths = sorted(folder.glob("*.eml")) if folder.exists() else []
    assert all(path.stat().st_mode & 0o077 == 0 for path in [folder, *paths] if path.exists())
    return [email.message_from_bytes(path.read_bytes(), policy=default) for path in paths]


def link(mail: EmailMessage) -> str:
    match = re.search(r"http://dam\.test(/\S+token=\S+)", mail.get_content())
    assert match
    return match[1]


def ask(server: Server, name: str) -> str:
    answer = server.browser().submit(FORGOT, FORGOT, {"login": name})
    assert answer.status_code == 200
    return re.sub(r'(name="csrf" value|request_id)[^>]*', "", answer.text)


def renew(server: Server, address: str, password: str = NEW_PASSWORD) -> int:
    return server.browser().submit(address, RENEW, {"new": password, "again": password}).status_code


def test_a_forgotten_password_is_renewed_by_a_mail_once(server: Server, ada: User) -> None:
    before = server.browser(ada)
    ask(server, "ada@museum.example")
    (mail,) = sent_mails(server)
    assert mail["To"] == "ada@museum.example"
    assert mail["From"] == "vitrine@dam.test"
    address = link(mail)
    assert server.browser().get(address).headers["referrer-policy"] == "no-referrer"
    assert renew(server, address, "short") == 200, "a weak password does not use up the link"
    assert renew(server, address) == 303
    assert server.browser().get(address).status_code == 404, "it works once"
    assert before.get("/account/").status_code == 302, "every session has ended"
    visitor = server.browser()
    assert visitor.submit("/login/", "/login/", {"login": "ada", "password": PASSWORD}).status_code == 200
    assert visitor.submit("/login/", "/login/", {"login": "ada", "password": NEW_PASSWORD}).status_code == 303
    assert sent_mails(server)[-1]["Subject"] == "Your password for Vitrine was changed"


def test_nobody_learns_whether_an_address_is_known(server: Server, ada: User) -> None:
    assert ask(server, "ada@museum.example") == ask(server, "nobody@museum.example")
    assert len(sent_mails(server)) == 1


def test_a_locked_out_person_gets_in_again(server: Server, ada: User) -> None:
    visitor = server.browser()
    for _ in range(server.settings.sign_in_failures + 1):
        visitor.submit("/login/", "/login/", {"login": "ada", "password": "wrong"})
    ask(server, "ada")
    renew(server, link(sent_mails(server)[0]))
    assert visitor.submit("/login/", "/login/", {"login": "ada", "password": NEW_PASSWORD}).status_code == 303


def test_an_old_link_and_a_link_for_something_else_are_refused(server: Server, ada: User) -> None:
    ask(server, "ada")
    address = link(sent_mails(server)[0])
    assert server.browser(ada).get(address.replace(RENEW, EMAIL)).status_code == 404
    with server.services.database.write() as work:
        work.db.execute(mailed_links.update().values(expires=work.now - timedelta(seconds=1)))
    assert server.browser().get(address).status_code == 404
    assert server.browser().get(RENEW + "?token=").status_code == 404


def test_the_link_is_kept_as_a_digest_only(server: Server, ada: User) -> None:
    ask(server, "ada")
    secret = link(sent_mails(server)[0]).rpartition("=")[2]
    with server.services.database.read() as work:
        for table in (mailed_links, jobs):
            assert secret not in str(work.db.execute(table.select()).all())


def test_account_mail_is_limited(server: Server, ada: User) -> None:
    for _ in range(BY_ADDRESS + 2):
        ask(server, "ada")
        sent_mails(server)
    assert len(sent_mails(server)) == BY_ADDRESS
    pages = [ask(server, f"x{n}@example.com") for n in range(BY_CALLER)]
    assert "Too many e-mails" in pages[-1]


def test_a_mail_server_that_is_down_is_tried_again_and_leaves_no_link(server: Server, ada: User) -> None:
    class Down:
        def send(self, message: EmailMessage) -> None:
            raise Unavailable("The mail server does not take mails now.")

    working = mail_handler(server.services)
    ask(server, "ada")
    server.worker.handlers["mail.send"] = type(working)(  # type: ignore[index]
        working.database, working.composer, Down(), working.sender, working.translate, working.vault
    )
    assert server.work() == 1
    with server.services.database.write() as work:
        assert work.db.execute(mailed_links.select()).all() == []
        row = work.db.execute(jobs.select()).one()
        assert row.dead_at is None
        work.db.execute(jobs.update().values(run_after=work.now))
    server.worker.handlers["mail.send"] = working  # type: ignore[index]
    assert len(sent_mails(server)) == 1


def test_an_address_is_changed_by_a_mail_to_the_new_one(server: Server, ada: User) -> None:
    visitor = server.browser(ada)
    refused = visitor.submit(EMAIL, EMAIL, {"email": "new@museum.example", "password": "wrong"})
    assert "not right" in refused.text
    invalid = visitor.submit(EMAIL, EMAIL, {"email": "a@b.example\r\nBcc: x@y.example", "password": PASSWORD})
    assert "not an e-mail address" in invalid.text
    assert sent_mails(server) == []
    visitor.submit(EMAIL, EMAIL, {"email": "new@museum.example", "password": PASSWORD})
    (mail,) = sent_mails(server)
    assert mail["To"] == "new@museum.example"
    address = link(mail)
    other = server.browser(server.user("eve"))
    assert other.submit(address, EMAIL, {}).status_code == 404, "somebody else's link"
    assert visitor.get(address).status_code == 200
    assert "ada@museum.example" in visitor.get("/account/").text, "opening the link changes nothing yet"
    assert visitor.submit(address, EMAIL, {}).status_code == 303
    assert "new@museum.example" in visitor.get("/account/").text
    assert visitor.get(address).status_code == 404
    assert sent_mails(server)[-1]["To"] == "ada@museum.example", "the old address is notified"


def test_account_mail_is_written_in_the_language_of_their_reader(server: Server) -> None:
    server.user("zoe", email="zoe@museum.example", locale="fr")
    ask(server, "zoe")
    (mail,) = sent_mails(server)
    assert mail["Subject"] == "Choisissez un nouveau mot de passe pour Vitrine"
    assert "pendant trois jours" in mail.get_content()
    words = mail_handler(server.services).translate
    values = {"provider": "SSO", "collection": "Photographs", "application": "Notes", "application_id": 7, "website": "https://notes.example",
            "address": "192.0.2.1", "at": 1_800_000_000, "lines": ["Search in your documents"],
            "author": "Ada", "feed": "News", "title": "Boats", "sender": "Ada", "note": "Look."}  # fmt: skip
    for name in TEXTS:
        for language in ("en", "fr", "de"):
            rendered = server.services.accounts.mail.composer.compose(
                name, words, language, "a@b.example", "ada", "s3cret", values
            )
            assert "{" not in rendered.text + rendered.subject
    assert words("fr", TEXTS["email"][0]) != TEXTS["email"][0]


def test_a_sign_in_stays_open_while_it_is_used(server: Server, ada: User) -> None:
    visitor = server.browser(ada)

    def set_age(since_seen: timedelta, until_end: timedelta) -> None:
        with server.services.database.write() as work:
            work.db.execute(sessions.update().values(last_seen=work.now - since_seen, expires=work.now + until_end))

    def remaining() -> timedelta:
        with server.services.database.read() as work:
            duration: timedelta = work.db.execute(sessions.select()).one().expires - work.now
            return duration

    set_age(timedelta(minutes=1), timedelta(hours=1))
    assert "set-cookie" not in visitor.get("/account/").headers
    server.services.deferred_writes.flush()
    assert remaining() < timedelta(hours=2), "at most every few minutes"
    set_age(timedelta(minutes=6), timedelta(hours=1))
    answer = visitor.get("/account/")
    assert "Max-Age=1209600" in answer.headers["set-cookie"], "the browser keeps the cookie as long"
    assert remaining() < timedelta(hours=2), "a read writes nothing"
    server.services.deferred_writes.flush()
    assert remaining() > timedelta(days=13)
    set_age(timedelta(days=20), timedelta(seconds=-1))
    assert visitor.get("/account/").status_code == 302, "an expired session stays expired"


def test_a_mail_has_one_line_of_address(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="single line"):
        Outbox(tmp_path).send(Email("a@b.example\nBcc: c@d.example", "x", "y").message("v@dam.test"))
