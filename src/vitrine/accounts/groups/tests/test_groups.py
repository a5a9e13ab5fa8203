"""Rights through groups, who may give them, and templates (06 sections 16 and 17)."""

from datetime import timedelta
from typing import Any

import pytest

from vitrine.accounts import COMMAND, Actor, CollectionGrant, DataboxRight, Right, User, Via, reach
from vitrine.accounts.groups.model import Applied, Group
from vitrine.accounts.rights import CONTRIBUTOR, READER
from vitrine.errors import Conflict, Forbidden, Invalid, NotFound
from vitrine.platform.database import UnitOfWork
from vitrine.testing.server import Server

pytestmark = pytest.mark.both_databases
MANAGER = READER | Right.canadmin


def actor(server: Server, work: UnitOfWork, user: User) -> Actor:
    users = server.services.accounts.users
    return users.actor_of(work, users.get(work, user.id), Via.SESSION)


def grant(base: Any, rights: Right, **limits: object) -> CollectionGrant:
    return CollectionGrant(base.id, base.databox_id, rights, **limits)  # type: ignore[arg-type]  # dates and masks


def effective(server: Server, user: User) -> dict[int, Right]:
    with server.services.database.read() as work:
        return {base: each.rights for base, each in actor(server, work, user).rights.collections.items()}


@pytest.fixture
def readers(server: Server) -> Group:
    """A group that reads the archive."""
    groups = server.services.accounts.groups
    with server.services.database.write() as work:
        group = groups.add(work, COMMAND, "Readers", "They read.")
        groups.set_rights(work, COMMAND, group.id, grant(server.archive, READER))
        return group


def join(server: Server, group: Group, user: User, by: Actor = COMMAND) -> None:
    with server.services.database.write() as work:
        server.services.accounts.groups.join(work, by, group.id, user)


def test_members_have_what_the_group_has_besides_their_own(server: Server, readers: Group) -> None:
    zoe = server.user("zoe", {server.archive.id: READER | Right.canpush, server.photographs.id: CONTRIBUTOR})
    join(server, readers, zoe)
    own = {server.archive.id: READER | Right.canpush, server.photographs.id: CONTRIBUTOR}
    assert effective(server, zoe) == own
    groups = server.services.accounts.groups
    with server.services.database.write() as work:
        groups.set_rights(work, COMMAND, readers.id, grant(server.archive, READER | Right.candwnldhd))
        groups.set_databox_rights(work, COMMAND, readers.id, server.databox.id, DataboxRight.bas_chupub)
    assert effective(server, zoe) == {**own, server.archive.id: READER | Right.canpush | Right.candwnldhd}
    with server.services.database.write() as work:
        assert actor(server, work, zoe).rights.on_databox(server.databox.id, DataboxRight.bas_chupub)
        groups.leave(work, COMMAND, readers.id, zoe)
    assert effective(server, zoe) == own


def test_deleting_a_group_takes_what_it_gave(server: Server, readers: Group) -> None:
    zoe = server.user("zoe", None)
    join(server, readers, zoe)
    assert effective(server, zoe) == {server.archive.id: READER}
    with server.services.database.write() as work:
        server.services.accounts.groups.delete(work, COMMAND, readers.id)
    assert effective(server, zoe) == {}


def test_routes_follow_a_group_at_once(server: Server, readers: Group) -> None:
    zoe = server.user("zoe", None)
    token = server.token(zoe)
    path = f"/collections/{server.archive.id}/"
    assert server.call("GET", f"/api/v1{path}", token).status_code == 401
    join(server, readers, zoe)
    assert server.get(path, token)["collection"]["base_id"] == server.archive.id
    (collection,) = server.get("/me/", token)["collections"]
    assert collection["rights"] == ["actif", "candwnldpreview", "canputinalbum"]
    groups = server.services.accounts.groups
    with server.services.database.write() as work:
        groups.set_rights(work, COMMAND, readers.id, grant(server.archive, Right(0)))
    assert server.call("GET", f"/api/v1{path}", token).status_code == 401


def test_a_grant_that_begins_or_ends_counts_from_then_on(server: Server, readers: Group) -> None:
    zoe = server.user("zoe", {server.archive.id: READER})
    join(server, readers, zoe)
    groups, users = server.services.accounts.groups, server.services.accounts.users
    with server.services.database.write() as work:
        begin, end = work.now + timedelta(hours=1), work.now + timedelta(hours=2)
        limited = grant(server.archive, CONTRIBUTOR, valid_from=begin, valid_until=end)
        groups.set_rights(work, COMMAND, readers.id, limited)
    for hours, right in ((0, False), (1, True), (1.5, True), (2, True), (2.1, False)):
        with server.services.database.read() as work:
            user = users.get(work, zoe.id)
            work.now += begin - timedelta(hours=1) - work.now + timedelta(hours=hours)
            rights = users.rights(work, user.id, user.rights_version)
            assert rights.on(server.archive.id, Right.canaddrecord, work.now) is right, hours
            assert rights.on(server.archive.id, Right.candwnldpreview, work.now)


@pytest.mark.parametrize("change", ["begins", "ends"])
def test_a_token_follows_a_grant_that_begins_or_ends(server: Server, readers: Group, change: str) -> None:
    zoe = server.user("zoe", {server.archive.id: READER})
    join(server, readers, zoe)
    tokens, secret = server.services.oauth.server.tokens, server.token(zoe)
    groups = server.services.accounts.groups
    with server.services.database.write() as work:
        moment = work.now + timedelta(minutes=5)
        limits = {"valid_from": moment} if change == "begins" else {"valid_until": moment}
        groups.set_rights(work, COMMAND, readers.id, grant(server.archive, CONTRIBUTOR, **limits))
    for minutes, is_inside in ((0, change == "ends"), (6, change == "begins")):
        with server.services.database.read() as work:
            work.now += timedelta(minutes=minutes)
            rights = tokens.check(work, secret).actor.rights
            assert rights.on(server.archive.id, Right.canaddrecord, work.now) is is_inside
            assert rights.on(server.archive.id, Right.candwnldpreview, work.now)


def test_a_suspended_row_of_ones_own_suspends_there_whatever_groups_give(server: Server, readers: Group) -> None:
    zoe = server.user("zoe", {server.archive.id: READER})
    join(server, readers, zoe)
    with server.services.database.write() as work:
        managing = grant(server.archive, READER | Right.canadmin)
        server.services.accounts.groups.set_rights(work, COMMAND, readers.id, managing)
    managers = server.services.accounts.users.managers_of
    with server.services.database.read() as work:
        assert managers(work, server.archive.id, 5) == [zoe.id]
    server.regrant(zoe, server.archive, READER & ~Right.actif)
    with server.services.database.read() as work:
        assert not actor(server, work, zoe).rights.on(server.archive.id, Right.candwnldpreview, work.now)
        assert managers(work, server.archive.id, 5) == []


def test_disabling_a_collection_takes_it_from_members(server: Server, readers: Group) -> None:
    zoe, root = server.user("zoe", None), server.user("root", None, is_admin=True)
    join(server, readers, zoe)
    assert effective(server, zoe) == {server.archive.id: READER}
    with server.services.database.write() as work:
        collections = server.services.library.administration.collections
        collections.change(work, actor(server, work, root), server.archive.id, {"enabled": False})
    assert effective(server, zoe) == {}


class TestGiving:
    @pytest.fixture
    def mia(self, server: Server) -> User:
        """Manages the users of the archive."""
        return server.user("mia", {server.archive.id: MANAGER})

    def test_a_manager_lets_people_join_what_they_could_give(self, server: Server, mia: User, readers: Group) -> None:
        zoe = server.user("zoe", None)
        with server.services.database.read() as work:
            by = actor(server, work, mia)
        join(server, readers, zoe, by)
        assert effective(server, zoe) == {server.archive.id: READER}
        with server.services.database.write() as work:
            server.services.accounts.groups.leave(work, by, readers.id, zoe)
        assert effective(server, zoe) == {}

    @pytest.mark.parametrize("more", ["right", "elsewhere", "databox", "sight"])
    def test_a_group_is_no_way_to_give_more(self, server: Server, mia: User, readers: Group, more: str) -> None:
        groups = server.services.accounts.groups
        with server.services.database.write() as work:
            if more == "right":
                groups.set_rights(work, COMMAND, readers.id, grant(server.archive, CONTRIBUTOR))
            elif more == "elsewhere":
                groups.set_rights(work, COMMAND, readers.id, grant(server.photographs, READER))
            elif more == "databox":
                groups.set_databox_rights(work, COMMAND, readers.id, server.databox.id, DataboxRight.bas_chupub)
        if more == "sight":
            server.regrant(mia, server.archive, MANAGER, mask_and=16)
        zoe = server.user("zoe", None)
        with server.services.database.read() as work:
            by = actor(server, work, mia)
        for person in (zoe, mia):
            with pytest.raises(Forbidden):
                join(server, readers, person, by)
        assert effective(server, zoe) == {}

    def test_a_manager_sets_the_rights_of_a_group_where_they_manage(
        self, server: Server, mia: User, readers: Group
    ) -> None:
        groups = server.services.accounts.groups
        with server.services.database.write() as work:
            by = actor(server, work, mia)
            groups.set_rights(work, by, readers.id, grant(server.archive, Right.actif))
            for wrong in (grant(server.archive, CONTRIBUTOR), grant(server.photographs, READER)):
                with pytest.raises(Forbidden):
                    groups.set_rights(work, by, readers.id, wrong)
            groups.set_rights(work, COMMAND, readers.id, grant(server.archive, CONTRIBUTOR))
            with pytest.raises(Forbidden):  # what is there is more than she could give
                groups.set_rights(work, by, readers.id, grant(server.archive, READER))
            for call in (
                lambda: groups.add(work, by, "Others"),
                lambda: groups.delete(work, by, readers.id),
                lambda: groups.rename(work, by, readers.id, name="Mine"),
            ):
                with pytest.raises(Forbidden):
                    call()

    def test_groups_elsewhere_are_not_there(self, server: Server, mia: User, readers: Group) -> None:
        groups = server.services.accounts.groups
        with server.services.database.write() as work:
            other = groups.add(work, COMMAND, "Others")
            groups.set_rights(work, COMMAND, other.id, grant(server.photographs, READER))
            by = actor(server, work, mia)
            assert [group.id for group in groups.page(work, by)] == [readers.id]
            assert [group.id for group in groups.page(work, COMMAND, after=readers.id)] == [other.id]
            with pytest.raises(NotFound):
                groups.get(work, by, other.id)
            with pytest.raises(NotFound):
                groups.members(work, by, other.id)

    def test_only_administrators_decide_about_the_guest(self, server: Server, mia: User, readers: Group) -> None:
        guest = server.user("guest", {server.archive.id: READER}, is_guest=True)
        accounts, given = server.services.accounts, grant(server.archive, READER)
        with server.services.database.write() as work:
            by = actor(server, work, mia)
            template = accounts.templates.add(work, by, "Readers")
            accounts.templates.set_grant(work, by, template.id, given)
            accounts.groups.set_rights(work, by, readers.id, given)
            with pytest.raises(Forbidden):
                accounts.groups.join(work, by, readers.id, guest)
            accounts.groups.join(work, COMMAND, readers.id, guest)
            for call in (
                lambda: accounts.users.grant(work, by, guest.id, given),
                lambda: accounts.administration.take_rights(work, by, guest.id, server.archive.id, 1),
                lambda: accounts.templates.apply(work, by, template.id, guest),
                lambda: accounts.groups.set_rights(work, by, readers.id, given),
                lambda: accounts.groups.leave(work, by, readers.id, guest),
            ):
                with pytest.raises(Forbidden):
                    call()
            accounts.users.grant(work, COMMAND, guest.id, given)
            accounts.groups.leave(work, COMMAND, readers.id, guest)

    def test_a_right_on_ones_own_collection_opens_no_list_of_members(
        self, server: Server, mia: User, readers: Group
    ) -> None:
        groups, zoe = server.services.accounts.groups, server.user("zoe", None)
        with server.services.database.write() as work:
            by = actor(server, work, mia)
            board, empty = groups.add(work, COMMAND, "Board"), groups.add(work, COMMAND, "Empty")
            groups.set_rights(work, COMMAND, board.id, grant(server.photographs, READER))
            for group in (board, empty, readers):
                groups.join(work, COMMAND, group.id, zoe)
            groups.set_rights(work, by, board.id, grant(server.archive, READER))
            with pytest.raises(Forbidden):
                groups.members(work, by, board.id)
            with pytest.raises(Forbidden):
                groups.set_rights(work, by, empty.id, grant(server.archive, READER))
            assert [member.user_id for member in groups.members(work, by, readers.id)] == [zoe.id]
            assert [member.user_id for member in groups.members(work, COMMAND, board.id)] == [zoe.id]

    def test_a_right_given_to_a_group_shows_none_of_its_members(
        self, server: Server, mia: User, readers: Group
    ) -> None:
        groups, zoe = server.services.accounts.groups, server.user("zoe", None)
        with server.services.database.write() as work:
            board = groups.add(work, COMMAND, "Board")
            groups.set_rights(work, COMMAND, board.id, grant(server.photographs, READER))
            groups.join(work, COMMAND, board.id, zoe)
            groups.set_rights(work, actor(server, work, mia), board.id, grant(server.archive, READER))
            assert not reach.may_know(work, actor(server, work, mia), zoe)
            groups.join(work, COMMAND, readers.id, zoe)
            assert reach.may_know(work, actor(server, work, mia), zoe), "of a group whose members she sees"
            assert not reach.may_know(work, actor(server, work, zoe), mia)

    def test_nobody_changes_rights_of_somebody_who_has_more(self, server: Server, mia: User) -> None:
        bob = server.user("bob", {server.archive.id: CONTRIBUTOR})
        users = server.services.accounts.users
        with server.services.database.write() as work:
            by = actor(server, work, mia)
            with pytest.raises(Forbidden):
                users.grant(work, by, bob.id, grant(server.archive, READER))
            with pytest.raises(Forbidden):
                server.services.accounts.administration.take_rights(work, by, bob.id, server.archive.id, 1)
        assert effective(server, bob) == {server.archive.id: CONTRIBUTOR}

    @pytest.mark.parametrize("limit", ["mask", "end", "quota"])
    def test_limits_are_checked_on_the_collection_itself(self, server: Server, limit: str) -> None:
        mia = server.user("mia", {server.photographs.id: MANAGER})
        zoe = server.user("zoe", None)
        with server.services.database.read() as work:
            end = work.now + timedelta(days=1)
        own = {
            "mask": grant(server.archive, MANAGER, mask_and=16, mask_xor=16),
            "end": grant(server.archive, MANAGER, valid_until=end),
            "quota": grant(server.archive, MANAGER | Right.restrict_dwnld, monthly_downloads=5),
        }[limit]
        wider = {
            "mask": [grant(server.archive, READER), grant(server.archive, READER, mask_and=16)],
            "end": [grant(server.archive, READER), grant(server.archive, READER, valid_until=end + timedelta(1))],
            "quota": [
                grant(server.archive, READER, monthly_downloads=5),
                grant(server.archive, READER | Right.restrict_dwnld, monthly_downloads=6),
            ],
        }[limit]
        users = server.services.accounts.users
        with server.services.database.write() as work:
            users.grant(work, COMMAND, mia.id, own)
        with server.services.database.write() as work:
            by = actor(server, work, mia)
            for wrong in wider:
                with pytest.raises(Forbidden):
                    users.grant(work, by, zoe.id, wrong)
            users.grant(work, by, zoe.id, CollectionGrant(own.base_id, own.databox_id, own.rights & ~Right.canadmin,
                None, own.valid_until, own.mask_and, own.mask_xor, own.monthly_downloads))  # fmt: skip


class TestGroups:
    def test_names_are_given_once(self, server: Server, readers: Group) -> None:
        groups = server.services.accounts.groups
        with server.services.database.write() as work:
            other = groups.add(work, COMMAND, "Others")
            for wrong, kind in ((" READERS ", Conflict), ("", Invalid), ("x" * 129, Invalid), ("a\u0007", Invalid)):
                with pytest.raises(kind):
                    groups.add(work, COMMAND, wrong)
                with pytest.raises(kind):
                    groups.rename(work, COMMAND, other.id, name=wrong)

    def test_a_change_for_an_older_version_is_refused(self, server: Server, readers: Group) -> None:
        groups = server.services.accounts.groups
        with server.services.database.write() as work:
            current = groups.get(work, COMMAND, readers.id)
            renamed = groups.rename(work, COMMAND, readers.id, name="People", version=current.version)
            assert (renamed.name, renamed.description) == ("People", "They read.")
            with pytest.raises(Conflict):
                groups.delete(work, COMMAND, readers.id, version=current.version)
            groups.delete(work, COMMAND, readers.id, version=renamed.version)

    def test_members_are_paged(self, server: Server, readers: Group) -> None:
        people = [server.user(f"person{number}", None) for number in range(3)]
        for person in people:
            join(server, readers, person)
            join(server, readers, person)
        groups = server.services.accounts.groups
        with server.services.database.read() as work:
            first = groups.members(work, COMMAND, readers.id, limit=2)
            rest = groups.members(work, COMMAND, readers.id, after=first[-1].user_id)
        assert [member.user_id for member in (*first, *rest)] == [person.id for person in people]

    def test_a_closed_account_leaves(self, server: Server, readers: Group) -> None:
        zoe = server.user("zoe", None)
        join(server, readers, zoe)
        with server.services.database.write() as work:
            server.services.accounts.administration.close(work, COMMAND, "zoe")
            assert server.services.accounts.groups.members(work, COMMAND, readers.id) == []


class TestTemplates:
    def apply(self, server: Server, owner: User, grants: list[CollectionGrant], user: User) -> Applied:
        templates = server.services.accounts.templates
        with server.services.database.write() as work:
            by = actor(server, work, owner)
            template = templates.add(work, by, f"Template {len(templates.own(work, by))}")
            for each in grants:
                templates.set_grant(work, by, template.id, each)
            return templates.apply(work, by, template.id, user)

    def own(self, server: Server, user: User) -> dict[int, CollectionGrant]:
        with server.services.database.read() as work:
            return dict(actor(server, work, user).rights.collections)

    def test_rights_are_added_and_limits_only_tighten(self, server: Server) -> None:
        root, zoe = server.user("root", None, is_admin=True), server.user("zoe", None)
        with server.services.database.read() as work:
            soon, later = work.now + timedelta(days=1), work.now + timedelta(days=9)
        server.regrant(zoe, server.archive, READER | Right.canpush, valid_until=soon, mask_and=16, mask_xor=16)
        given = grant(server.archive, CONTRIBUTOR | Right.restrict_dwnld, valid_until=later, mask_and=48,
            monthly_downloads=3)  # fmt: skip
        applied = self.apply(server, root, [given, grant(server.photographs, READER)], zoe)
        assert applied == Applied((server.photographs.id, server.archive.id), ())
        assert self.own(server, zoe) == {
            server.photographs.id: grant(server.photographs, READER),
            server.archive.id: grant(
                server.archive, CONTRIBUTOR | Right.canpush | Right.restrict_dwnld, valid_until=soon, mask_and=48,
                mask_xor=16, monthly_downloads=3,
            ),
        }  # fmt: skip

    def test_a_template_without_dates_lifts_none(self, server: Server) -> None:
        root, zoe = server.user("root", None, is_admin=True), server.user("zoe", None)
        with server.services.database.read() as work:
            past = work.now - timedelta(days=1)
        server.regrant(zoe, server.archive, READER, valid_until=past)
        self.apply(server, root, [grant(server.archive, CONTRIBUTOR)], zoe)
        assert self.own(server, zoe)[server.archive.id].valid_until == past

    def test_a_suspension_stays(self, server: Server) -> None:
        root, zoe = server.user("root", None, is_admin=True), server.user("zoe", None)
        server.regrant(zoe, server.archive, READER & ~Right.actif)
        self.apply(server, root, [grant(server.archive, CONTRIBUTOR)], zoe)
        assert self.own(server, zoe)[server.archive.id].rights == CONTRIBUTOR & ~Right.actif

    def test_what_its_owner_may_not_give_any_more_is_left_out_and_named(self, server: Server) -> None:
        mia = server.user("mia", {server.archive.id: MANAGER, server.photographs.id: MANAGER})
        zoe = server.user("zoe", None)
        templates = server.services.accounts.templates
        with server.services.database.write() as work:
            by = actor(server, work, mia)
            template = templates.add(work, by, "Readers")
            for base in (server.archive, server.photographs):
                templates.set_grant(work, by, template.id, grant(base, READER))
            with pytest.raises(Forbidden):
                templates.set_grant(work, by, template.id, grant(server.archive, CONTRIBUTOR))
        server.regrant(mia, server.archive, READER)
        with server.services.database.write() as work:
            applied = templates.apply(work, actor(server, work, mia), template.id, zoe)
        assert applied == Applied((server.photographs.id,), (server.archive.id,))
        bob = server.user("bob", {server.photographs.id: CONTRIBUTOR})
        with server.services.database.write() as work:
            applied = templates.apply(work, actor(server, work, mia), template.id, bob)
        assert applied.given == ()

    def test_nobody_else_sees_or_uses_a_template(self, server: Server) -> None:
        root, mia = server.user("root", None, is_admin=True), server.user("mia", {server.archive.id: MANAGER})
        templates = server.services.accounts.templates
        with server.services.database.write() as work:
            template = templates.add(work, actor(server, work, mia), "Mine")
            other = actor(server, work, root)
            assert templates.own(work, other) == []
            for call in (
                lambda: templates.get(work, other, template.id),
                lambda: templates.apply(work, other, template.id, mia),
                lambda: templates.delete(work, other, template.id),
            ):
                with pytest.raises(NotFound):
                    call()
            with pytest.raises(Forbidden):
                templates.add(work, Actor(Via.SESSION, mia.id), "without rights")
