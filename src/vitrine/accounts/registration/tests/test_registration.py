"""Deciding about requests: who may, what they may give, and two who decide at once (06 section 18)."""

from datetime import timedelta

import pytest

from vitrine.accounts import COMMAND, Actor, CollectionGrant, Right, User, Via
from vitrine.accounts.registration.events import RegistrationGranted, RegistrationRejected, RegistrationRequested
from vitrine.accounts.registration.model import Policy, Rule, State
from vitrine.accounts.registration.store import EXPIRIES
from vitrine.accounts.registration.tables import registration_requests
from vitrine.accounts.rights import CONTRIBUTOR, READER
from vitrine.errors import Forbidden, Invalid, NotFound
from vitrine.platform.database import UnitOfWork
from vitrine.testing.server import Server

pytestmark = pytest.mark.both_databases
MANAGER = READER | Right.canadmin


@pytest.fixture
def zoe(server: Server) -> User:
    """Asks for both collections."""
    user = server.user("zoe", None, email="zoe@museum.example")
    registration = server.services.accounts.registration
    with server.services.database.write() as work:
        registration.set_databox_policy(work, COMMAND, server.databox.id, Policy(True, None))
        registration.request(work, user, None)
    return user


def actor(server: Server, work: UnitOfWork, user: User) -> Actor:
    users = server.services.accounts.users
    return users.actor_of(work, users.get(work, user.id), Via.SESSION)


def rights_of(server: Server, user: User) -> dict[int, CollectionGrant]:
    with server.services.database.read() as work:
        return dict(actor(server, work, user).rights.collections)


def test_a_manager_sees_and_decides_about_their_own_collections(server: Server, zoe: User) -> None:
    mia = server.user("mia", {server.photographs.id: MANAGER, server.archive.id: CONTRIBUTOR})
    registration = server.services.accounts.registration
    with server.services.database.write() as work:
        both = registration.pending(work, COMMAND)
        mine = registration.pending(work, actor(server, work, mia))
        assert [entry.base_id for entry in both] == [server.photographs.id, server.archive.id]
        assert mine == both[:1]
        assert registration.pending(work, actor(server, work, zoe)) == []
        for decide in (registration.accept, registration.reject):
            with pytest.raises(NotFound):
                decide(work, actor(server, work, mia), both[1].id)
            with pytest.raises(NotFound):
                decide(work, actor(server, work, zoe), both[0].id)
        registration.accept(work, actor(server, work, mia), mine[0].id)
        (event,) = [event for event in work.events if isinstance(event, RegistrationGranted)]
        assert event == RegistrationGranted(zoe.id, (server.photographs.id,), mia.id)
        with pytest.raises(NotFound):
            registration.reject(work, COMMAND, mine[0].id)
    assert rights_of(server, zoe)[server.photographs.id].rights == READER


@pytest.mark.parametrize("more", [Right.candwnldhd, Right.nowatermark, Right.canadmin | Right.candwnldhd])
def test_nobody_gives_a_right_that_they_do_not_have(server: Server, zoe: User, more: Right) -> None:
    mia = server.user("mia", {server.photographs.id: MANAGER})
    registration = server.services.accounts.registration
    with server.services.database.write() as work:
        request = registration.pending(work, actor(server, work, mia))[0]
    with server.services.database.write() as work, pytest.raises(Forbidden):
        registration.accept(work, actor(server, work, mia), request.id, more=more)
    assert rights_of(server, zoe) == {}
    server.regrant(mia, server.photographs, MANAGER | more)
    with server.services.database.write() as work:
        waiting = registration.pending(work, actor(server, work, mia))
        registration.accept(work, actor(server, work, mia), waiting[0].id, more=more)
    assert rights_of(server, zoe)[server.photographs.id].rights == READER | more


def test_limits_of_the_giver_go_with_what_they_give(server: Server, zoe: User) -> None:
    mia = server.user("mia", None)
    with server.services.database.read() as work:
        end = work.now + timedelta(days=30)
    limits = {"valid_until": end, "mask_and": 48, "mask_xor": 16, "monthly_downloads": 20}
    server.regrant(mia, server.photographs, MANAGER | Right.restrict_dwnld, **limits)
    registration = server.services.accounts.registration
    with server.services.database.write() as work:
        request = registration.pending(work, actor(server, work, mia))[0]
        registration.accept(work, actor(server, work, mia), request.id)
    base = server.photographs
    given = CollectionGrant(base.id, base.databox_id, READER | Right.restrict_dwnld, None, end, 48, 16, 20)
    assert rights_of(server, zoe) == {base.id: given}


def test_somebody_who_has_the_collection_by_now_keeps_what_they_have(server: Server, zoe: User) -> None:
    server.regrant(zoe, server.photographs, CONTRIBUTOR)
    registration = server.services.accounts.registration
    with server.services.database.write() as work:
        registration.accept(work, COMMAND, registration.pending(work, COMMAND)[0].id)
    assert rights_of(server, zoe)[server.photographs.id].rights == CONTRIBUTOR


def test_a_rejection_stands_until_the_request_ends(server: Server, zoe: User) -> None:
    registration = server.services.accounts.registration
    with server.services.database.write() as work:
        request = registration.pending(work, COMMAND)[0]
        registration.reject(work, COMMAND, request.id)
        assert RegistrationRejected(zoe.id, (request.base_id,), None) in work.events
    with server.services.database.write() as work:
        states = {demand.base_id: demand.state for demand in registration.request(work, zoe, None)}
        assert states == {server.photographs.id: State.REJECTED, server.archive.id: State.PENDING}
        assert not [event for event in work.events if isinstance(event, RegistrationRequested)]
        work.db.execute(registration_requests.update().values(created=work.now - timedelta(days=32)))
    with server.services.database.write() as work:
        assert len(EXPIRIES[0].find(work, 10)) == 2
        EXPIRIES[0].delete(work, EXPIRIES[0].find(work, 10))
        states = {demand.base_id: demand.state for demand in registration.request(work, zoe, None)}
        assert set(states.values()) == {State.PENDING}


def test_pages_of_requests_go_on_after_a_number(server: Server, zoe: User) -> None:
    registration = server.services.accounts.registration
    with server.services.database.read() as work:
        first = registration.pending(work, COMMAND, limit=1)
        second = registration.pending(work, COMMAND, after=first[0].id, limit=1)
        assert [entry.base_id for entry in (*first, *second)] == [server.photographs.id, server.archive.id]
        assert registration.pending(work, COMMAND, after=second[0].id) == []


class TestPolicies:
    def test_a_rule_gives_at_most_what_its_author_has(self, server: Server) -> None:
        mia = server.user("mia", {server.photographs.id: MANAGER})
        registration = server.services.accounts.registration
        with server.services.database.write() as work:
            who, base = actor(server, work, mia), server.photographs.id
            registration.set_collection_policy(work, who, base, Policy(True, (Rule("*", READER),)))
            assert registration.collection_policy(work, who, base) == Policy(True, (Rule("*", READER),))
            with pytest.raises(Forbidden):
                registration.set_collection_policy(work, who, base, Policy(True, (Rule("*", CONTRIBUTOR),)))
            with pytest.raises(NotFound):
                registration.set_collection_policy(work, who, server.archive.id, Policy(True, None))
            with pytest.raises(Forbidden):
                registration.set_databox_policy(work, who, server.databox.id, Policy(True, None))

    def test_a_rule_is_no_way_around_a_mask_or_an_end(self, server: Server) -> None:
        mia = server.user("mia", None)
        server.regrant(mia, server.photographs, MANAGER, mask_and=16)
        registration = server.services.accounts.registration
        with server.services.database.write() as work, pytest.raises(Forbidden):
            policy = Policy(True, (Rule("*", READER),))
            registration.set_collection_policy(work, actor(server, work, mia), server.photographs.id, policy)

    @pytest.mark.parametrize(
        "rules",
        [(Rule("", READER),), (Rule("x" * 255, READER),), (Rule("*", Right.candwnldhd),), (Rule("*", READER),) * 51],
    )
    def test_wrong_rules_are_refused(self, server: Server, rules: tuple[Rule, ...]) -> None:
        registration = server.services.accounts.registration
        with server.services.database.write() as work, pytest.raises(Invalid):
            registration.set_collection_policy(work, COMMAND, server.photographs.id, Policy(True, rules))

    def test_a_guest_asks_for_nothing(self, server: Server) -> None:
        guest = server.user("guest", None, is_guest=True)
        with server.services.database.write() as work, pytest.raises(Forbidden):
            server.services.accounts.registration.request(work, guest, None)
