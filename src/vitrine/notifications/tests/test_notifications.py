"""Who is told of what, and by mail only if they like (06 section 24)."""

from datetime import timedelta

import pytest
from tests.operations.test_account_mail import sent_mails

from vitrine.accounts import COMMAND, Actor, CollectionGrant, Right, User, Via
from vitrine.accounts.registration.model import Policy, Rule
from vitrine.accounts.rights import READER
from vitrine.notifications import NotificationKind
from vitrine.notifications.store import EXPIRIES, MOST_UNREAD
from vitrine.notifications.tables import notifications
from vitrine.platform.database import UnitOfWork
from vitrine.testing.server import Server

pytestmark = pytest.mark.both_databases
MANAGER = READER | Right.canadmin


def actor(server: Server, work: UnitOfWork, user: User) -> Actor:
    users = server.services.accounts.users
    return users.actor_of(work, users.get(work, user.id), Via.SESSION)


def kinds(server: Server, user: User) -> list[tuple[str, dict[str, int]]]:
    with server.services.database.read() as work:
        page = server.services.notifications.page(work, actor(server, work, user))
        return [(entry.kind, dict(entry.payload)) for entry in page.shown]


def ask(server: Server, user: User) -> None:
    registration = server.services.accounts.registration
    with server.services.database.write() as work:
        registration.set_collection_policy(work, COMMAND, server.archive.id, Policy(True, ()))
        registration.request(work, user, None)


def decide(server: Server, *, accept: bool) -> None:
    registration = server.services.accounts.registration
    with server.services.database.write() as work:
        (request,) = registration.pending(work, COMMAND)
        (registration.accept if accept else registration.reject)(work, COMMAND, request.id)


def test_those_who_decide_are_told_of_a_request(server: Server) -> None:
    mia = server.user("mia", {server.archive.id: MANAGER}, email="mia@museum.example")
    suspended = server.user("suspended", {server.archive.id: MANAGER & ~Right.actif})
    elsewhere = server.user("elsewhere", {server.photographs.id: MANAGER})
    root = server.user("root", None, is_admin=True)
    member = server.user("member", None)
    groups = server.services.accounts.groups
    with server.services.database.write() as work:
        group = groups.add(work, COMMAND, "Managers")
        groups.set_rights(work, COMMAND, group.id, CollectionGrant(server.archive.id, server.databox.id, MANAGER))
        groups.join(work, COMMAND, group.id, member)
    zoe = server.user("zoe", None)
    ask(server, zoe)
    told = [("registration_requested", {"base_id": server.archive.id, "user_id": zoe.id})]
    assert kinds(server, mia) == kinds(server, member) == told
    assert kinds(server, suspended) == kinds(server, elsewhere) == kinds(server, root) == []
    (mail,) = sent_mails(server)
    assert mail["To"] == "mia@museum.example"
    assert "zoe" not in mail.get_content()


def test_a_request_for_many_collections_is_one_mail(server: Server) -> None:
    mia = server.user("mia", {server.archive.id: MANAGER, server.photographs.id: MANAGER}, email="mia@museum.example")
    with server.services.database.write() as work:
        server.services.accounts.registration.set_collection_policy(
            work, COMMAND, server.photographs.id, Policy(True, ())
        )
    ask(server, server.user("zoe", None))
    assert [kind for kind, _ in kinds(server, mia)] == ["registration_requested"] * 2
    assert len(sent_mails(server)) == 1


def test_administrators_are_told_where_nobody_manages(server: Server) -> None:
    root = server.user("root", None, is_admin=True)
    ask(server, server.user("zoe", None))
    assert [kind for kind, _ in kinds(server, root)] == ["registration_requested"]


@pytest.mark.parametrize("accept", [True, False])
def test_the_person_is_told_of_the_decision(server: Server, accept: bool) -> None:
    server.user("root", None, is_admin=True)
    zoe = server.user("zoe", None, email="zoe@museum.example")
    ask(server, zoe)
    decide(server, accept=accept)
    name = "registration_granted" if accept else "registration_rejected"
    assert kinds(server, zoe) == [(name, {"base_id": server.archive.id})]
    (mail,) = sent_mails(server)
    assert "Archive" in mail.get_content(), "one mail, which names the collection"


def test_a_grant_by_rule_is_told_to_those_who_manage(server: Server) -> None:
    mia, zoe = server.user("mia", {server.archive.id: MANAGER}), server.user("zoe", None, email="zoe@museum.example")
    rules = (Rule("*@museum.example", READER),)
    registration = server.services.accounts.registration
    with server.services.database.write() as work:
        registration.set_collection_policy(work, COMMAND, server.archive.id, Policy(True, rules))
        registration.request(work, zoe, None)
        object.__setattr__(registration, "is_automatic", True)
        registration.confirmed(work, zoe, is_proven=True)
    assert kinds(server, mia)[0] == ("user_registered", {"base_id": server.archive.id, "user_id": zoe.id})


class TestService:
    @pytest.fixture
    def zoe(self, server: Server) -> User:
        return server.user("zoe", None, email="zoe@museum.example")

    def tell(self, server: Server, *people: User, kind: NotificationKind = NotificationKind.EXPORT_FAILED) -> int:
        with server.services.database.write() as work:
            numbers = [user.id for user in people]
            return server.services.notifications.notify(work, kind, numbers, {"operation_id": 7})

    def test_each_person_is_told_once_and_closed_accounts_are_not(self, server: Server, zoe: User) -> None:
        gone, guest = server.user("gone", None), server.user("guest", None, is_guest=True)
        with server.services.database.write() as work:
            server.services.accounts.administration.suspend(work, COMMAND, "gone")
        assert self.tell(server, zoe, zoe, gone, guest) == 1
        assert kinds(server, zoe) == [("export_failed", {"operation_id": 7})]
        assert kinds(server, gone) == []

    def test_reading_marks_what_was_there(self, server: Server, zoe: User) -> None:
        for _ in range(3):
            self.tell(server, zoe)
        service = server.services.notifications
        with server.services.database.write() as work:
            who = actor(server, work, zoe)
            newest = service.page(work, who, limit=1).shown[0]
            assert service.unread(work, who) == 3
            assert service.mark_read(work, who, newest.id - 1) == 2
            assert service.unread(work, who) == 1
            assert [entry.read_at is None for entry in service.page(work, who).shown] == [True, False, False]
            older = service.page(work, who, before=newest.id, limit=1).shown
            assert [entry.id for entry in older] == [newest.id - 1]

    def test_nobody_reads_or_marks_those_of_others(self, server: Server, zoe: User) -> None:
        bob = server.user("bob", None)
        self.tell(server, zoe)
        service = server.services.notifications
        with server.services.database.write() as work:
            assert service.page(work, actor(server, work, bob)).shown == []
            assert service.mark_read(work, actor(server, work, bob), 10**9) == 0
            assert service.unread(work, actor(server, work, zoe)) == 1

    def test_the_counter_is_bounded(self, server: Server, zoe: User) -> None:
        for _ in range(MOST_UNREAD + 5):
            self.tell(server, zoe)
        with server.services.database.read() as work:
            assert server.services.notifications.unread(work, actor(server, work, zoe)) == MOST_UNREAD

    @pytest.mark.parametrize("choice", ["export_failed", "all"])
    def test_mails_can_be_switched_off(self, server: Server, zoe: User, choice: str) -> None:
        service = server.services.notifications
        with server.services.database.write() as work:
            service.set_mails(work, actor(server, work, zoe), {choice: False})
            assert service.mails(work, actor(server, work, zoe))[choice] is False
        self.tell(server, zoe)
        assert sent_mails(server) == []
        assert len(kinds(server, zoe)) == 1
        with server.services.database.write() as work:
            service.set_mails(work, actor(server, work, zoe), {choice: True})
        self.tell(server, zoe)
        assert len(sent_mails(server)) == 1

    def test_they_end_with_time_and_with_the_account(self, server: Server, zoe: User) -> None:
        self.tell(server, zoe)
        with server.services.database.write() as work:
            expiry = EXPIRIES[0]
            assert expiry.find(work, 10) == []
            work.db.execute(notifications.update().values(created=work.now - timedelta(days=91)))
            assert len(expiry.find(work, 10)) == 1
            server.services.accounts.administration.close(work, COMMAND, "zoe")
        with server.services.database.read() as work:
            assert work.db.execute(notifications.select()).all() == []
