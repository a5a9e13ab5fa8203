"""Accounts, rights, groups, templates and registration in API v4."""

from typing import Any

import pytest

from tests.contract.test_02_own_account import scoped
from tests.operations.test_account_mail import link, sent_mails
from tests.v4.conftest import Call
from tests.v4.test_frame import paged, problem
from vitrine.accounts import COMMAND, Right, User
from vitrine.accounts.rights import CONTRIBUTOR, READER
from vitrine.testing.server import PASSWORD, Server

MANAGER = READER | Right.canadmin
READS = {"rights": ["actif", "candwnldpreview", "canputinalbum"]}


@pytest.fixture
def root(server: Server) -> str:
    return server.token(server.user("root", None, is_admin=True))


@pytest.fixture
def mia(server: Server) -> User:
    """Manages the users of the archive."""
    return server.user("mia", {server.archive.id: MANAGER})


@pytest.fixture
def manager(server: Server, mia: User) -> str:
    return server.token(mia)


def done(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


class TestProfile:
    def test_a_change_needs_the_tag_of_what_was_read(self, call: Call) -> None:
        read = call("GET", "/me/profile")
        tag = read.headers["etag"]
        assert done(read)["first_name"] == "Ada"
        changed = call("PATCH", "/me/profile", {"city": "Brest", "first_name": None}, If_Match=tag)
        assert (done(changed)["city"], done(changed)["first_name"], done(changed)["last_name"]) == (
            "Brest",
            "",
            "Martin",
        )
        problem(call("PATCH", "/me/profile", {"city": "Nantes"}), 428)
        refused = problem(call("PATCH", "/me/profile", {"city": "Nantes"}, If_Match=tag), 412)
        assert refused["code"] == "changed_meanwhile"
        assert done(call("GET", "/me/profile"))["city"] == "Brest"

    @pytest.mark.parametrize(
        "wrong",
        [{"gender": 3}, {"gender": True}, {"city": 5}, {"city": "x" * 200}, {"locale": "x" * 9}, {"is_admin": True}],
    )
    def test_a_wrong_value_is_named(self, call: Call, wrong: dict[str, Any]) -> None:
        assert problem(call("PATCH", "/me/profile", wrong, If_Match="*"), 400)["field"] in wrong


class TestUsers:
    def test_a_manager_sees_the_people_of_their_collection(
        self, server: Server, call: Call, root: str, manager: str, mia: User
    ) -> None:
        zoe = server.user("zoe", {server.archive.id: READER})
        carl = server.user("carl", {server.photographs.id: READER})
        path = f"/users?base_id={server.archive.id}"
        listed = done(call("GET", path, token=manager))["data"]
        assert [person["login"] for person in listed] == ["ada", "mia", "zoe"]
        assert len(paged(lambda m, p: call(m, p, token=root), "/users", 2)) == 5
        problem(call("GET", "/users", token=manager), 403)
        problem(call("GET", f"/users?base_id={server.photographs.id}", token=manager), 403)
        assert done(call("GET", f"/users/{zoe.id}", token=manager))["login"] == "zoe"
        for hidden in (carl.id, 10**12):
            problem(call("GET", f"/users/{hidden}", token=manager), 404)
            problem(call("GET", f"/users/{hidden}/rights", token=manager), 404)
        reader = server.token(zoe)
        problem(call("GET", path, token=reader), 403)
        assert done(call("GET", f"/users/{zoe.id}", token=reader))["login"] == "zoe", "themselves"

    def test_rights_are_given_and_taken_where_one_manages(
        self, server: Server, call: Call, root: str, manager: str
    ) -> None:
        zoe = server.user("zoe", {server.photographs.id: READER})
        path = f"/users/{zoe.id}/rights"
        own = f"{path}/{server.archive.id}"
        given = {**READS, "only_status": {"4": True, "5": False}, "valid_until": "2099-03-02T10:15:30+01:00"}
        answer = done(call("PUT", own, given, token=manager))
        assert answer["valid_until"] == "2099-03-02T09:15:30Z"
        rights = done(call("GET", path, token=manager))
        assert rights["own"] == rights["effective"] == [answer], "of the archive alone"
        assert len(done(call("GET", path, token=root))["own"]) == 2
        problem(call("PUT", own, {"rights": ["candeleterecord"]}, token=manager), 403)
        problem(call("PUT", f"{path}/{server.photographs.id}", READS, token=manager), 403)
        problem(call("DELETE", f"{path}/{server.photographs.id}", token=manager), 403)
        done(call("DELETE", own, token=manager), 204)
        problem(call("GET", path, token=manager), 404)
        problem(call("PUT", f"{path}/999", READS, token=root), 404)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"rights": ["everything"]}, {"rights": "actif"}, {"rights": [1]}, {"only_status": {"32": True}},
            {"only_status": {"x": True}}, {"only_status": {"4": 1}}, {"valid_from": "yesterday"},
            {"valid_until": "2026-03-02T10:15:30"}, {"monthly_downloads": -1},
            {"valid_from": "2026-03-02T10:15:30Z", "valid_until": "2026-03-01T10:15:30Z"},
        ],
    )  # fmt: skip
    def test_wrong_rights_are_named(self, server: Server, call: Call, root: str, wrong: dict[str, Any]) -> None:
        answer = call("PUT", f"/users/1/rights/{server.archive.id}", {**READS, **wrong}, token=root)
        assert problem(answer, 400)["field"] in wrong

    def test_databox_rights_are_for_administrators(self, server: Server, call: Call, root: str, manager: str) -> None:
        zoe = server.user("zoe", {server.archive.id: READER})
        path = f"/users/{zoe.id}/databox-rights/{server.databox.id}"
        problem(call("PUT", path, {"rights": ["bas_chupub"]}, token=manager), 403)
        done(call("PUT", path, {"rights": ["bas_chupub"]}, token=root), 204)
        rights = done(call("GET", f"/users/{zoe.id}/rights", token=root))
        assert rights["databoxes"] == [{"databox_id": server.databox.id, "rights": ["bas_chupub"]}]

    def test_a_new_account_gets_its_password_from_its_owner_by_the_mailed_link(
        self, server: Server, call: Call, mia: User
    ) -> None:
        token = scoped(server, mia, "users")
        problem(call("POST", "/users", {"email": "new@museum.example", "password": PASSWORD}, token=token), 400)
        body = {"email": "new@museum.example"}
        created = done(call("POST", "/users", body, token=token, Idempotency_Key="k"), 201)
        assert set(created) == {"user_id", "login"}
        assert done(call("POST", "/users", body, token=token, Idempotency_Key="k"), 201) == created
        (mail,) = sent_mails(server)
        assert mail["To"] == "new@museum.example"
        visitor, address = server.browser(), link(mail)
        assert "You choose a password afterwards." in visitor.get(address).text
        chosen = visitor.submit(address, "/login/confirm/", {"token": address.partition("token=")[2]})
        assert chosen.headers["location"].startswith("/login/renew-password/?token=")
        answer = visitor.submit(
            chosen.headers["location"], "/login/renew-password/",
            {"token": chosen.headers["location"].partition("token=")[2], "new": PASSWORD, "again": PASSWORD},
        )  # fmt: skip
        assert answer.headers["location"] == "/login/?renewed"
        form = {"login": "new@museum.example", "password": PASSWORD}
        assert server.browser().submit("/login/", "/login/", form).status_code == 303
        problem(call("POST", "/users", body, token=token), 409)
        problem(call("POST", "/users", body, token=server.token(server.user("zoe", None))), 403)

    def test_mails_to_one_address_are_bounded(self, server: Server, call: Call, manager: str) -> None:
        body = {"email": "new@museum.example"}
        for number in range(3):
            done(call("POST", "/users", {**body, "login": f"new{number}"}, token=manager), 201)
        refused = problem(call("POST", "/users", {**body, "login": "new3"}, token=manager), 429)
        assert refused["code"] == "too_many_mails"


class TestRightBeforeBody:
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "/groups"), ("PATCH", "/groups/1"), ("PUT", "/groups/1/databox-rights/1"),
            ("PUT", "/groups/1/rights/{photographs}"), ("PUT", "/users/1/rights/{photographs}"),
            ("PUT", "/users/1/databox-rights/1"),
        ],
    )  # fmt: skip
    def test_a_wrong_body_of_who_may_not_is_not_looked_at(
        self, server: Server, call: Call, root: str, manager: str, method: str, path: str
    ) -> None:
        done(call("POST", "/groups", {"name": "Press"}, token=root), 201)
        done(call("PUT", f"/groups/1/rights/{server.archive.id}", READS, token=root))  # so that the manager knows it
        answer = call(method, path.format(photographs=server.photographs.id), {"wrong": 1}, token=manager)
        problem(answer, 403)


class TestGroups:
    def test_a_group_gives_its_members_rights(self, server: Server, call: Call, root: str, manager: str) -> None:
        problem(call("POST", "/groups", {"name": "Press"}, token=manager), 403)
        group = done(call("POST", "/groups", {"name": "Press"}, token=root), 201)
        path = f"/groups/{group['group_id']}"
        problem(call("GET", path, token=manager), 404)
        done(call("PUT", f"{path}/rights/{server.archive.id}", READS, token=manager))
        assert done(call("GET", "/groups", token=manager))["data"][0]["name"] == "Press"
        zoe = server.user("zoe", None)
        done(call("PUT", f"{path}/members/{zoe.id}", token=manager), 204)
        assert [member["login"] for member in done(call("GET", f"{path}/members", token=manager))["data"]] == ["zoe"]
        rights = done(call("GET", f"/users/{zoe.id}/rights", token=manager))
        assert (rights["own"], [grant["base_id"] for grant in rights["effective"]]) == ([], [server.archive.id])
        assert rights["groups"] == [{"group_id": group["group_id"], "name": "Press"}]
        mine = done(call("GET", "/collections", token=server.token(zoe)))["data"]
        assert [(entry["base_id"], entry["mine"]["rights"]) for entry in mine] == [(server.archive.id, READS["rights"])]
        done(call("PUT", f"{path}/rights/{server.photographs.id}", READS, token=root))
        problem(call("DELETE", f"{path}/members/{zoe.id}", token=manager), 403)
        assert len(done(call("GET", f"{path}/rights", token=manager))["collections"]) == 1
        assert len(done(call("GET", f"{path}/rights", token=root))["collections"]) == 2
        done(call("DELETE", f"{path}/members/{zoe.id}", token=root), 204)
        problem(call("DELETE", f"{path}/members/{zoe.id}", token=root), 404)

    def test_the_longest_page_tells_of_what_follows(self, server: Server, call: Call, root: str) -> None:
        with server.services.database.write() as work:
            for number in range(101):
                server.services.accounts.groups.add(work, COMMAND, f"Group {number}")
        assert len(paged(lambda method, path: call(method, path, token=root), "/groups", 100)) == 101

    def test_two_editors_do_not_overwrite_each_other(self, call: Call, root: str, server: Server) -> None:
        group = done(call("POST", "/groups", {"name": "Press"}, token=root), 201)
        path = f"/groups/{group['group_id']}"
        tag = call("GET", path, token=root).headers["etag"]
        done(call("PATCH", path, {"description": "Writers"}, token=root, If_Match=tag))
        problem(call("PATCH", path, {"name": "Others"}, token=root, If_Match=tag), 412)
        problem(call("PUT", f"{path}/rights/{server.archive.id}", READS, token=root, If_Match=tag), 412)
        problem(call("DELETE", path, token=root, If_Match=tag), 412)
        done(call("DELETE", path, token=root), 204)
        problem(call("GET", path, token=root), 404)

    def test_a_template_is_applied(self, server: Server, call: Call, root: str, manager: str) -> None:
        template = done(call("POST", "/rights-templates", {"name": "Readers"}, token=manager), 201)
        path = f"/rights-templates/{template['template_id']}"
        grant = done(call("PUT", f"{path}/rights/{server.archive.id}", READS, token=manager))
        problem(call("PUT", f"{path}/rights/{server.photographs.id}", READS, token=manager), 403)
        assert done(call("GET", path, token=manager))["collections"] == [grant]
        problem(call("GET", path, token=root), 404)
        zoe = server.user("zoe", None)
        body = {"template_id": template["template_id"]}
        problem(call("POST", f"/users/{zoe.id}/template", body, token=root), 404)
        applied = done(call("POST", f"/users/{zoe.id}/template", body, token=manager))
        assert applied == {"given": [server.archive.id], "left_out": []}
        done(call("DELETE", path, token=manager), 204)
        assert done(call("GET", "/rights-templates", token=manager))["data"] == []


class TestRegistration:
    def test_a_request_is_made_seen_and_decided(self, server: Server, call: Call, root: str, manager: str) -> None:
        policy = f"/collections/{server.archive.id}/registration"
        problem(
            call("PUT", f"/collections/{server.photographs.id}/registration", {"is_open": True}, token=manager), 404
        )
        problem(call("GET", f"/databoxes/{server.databox.id}/registration", token=manager), 403)
        too_much = {"is_open": True, "rules": [{"pattern": "*", "rights": ["actif", "candeleterecord"]}]}
        problem(call("PUT", policy, too_much, token=manager), 403)
        done(call("PUT", policy, {"is_open": True}, token=manager))
        zoe = server.token(server.user("zoe", None))
        assert done(call("GET", "/me/access-requests", token=zoe))["data"][0]["state"] == "open"
        created = done(call("POST", "/me/access-requests", {}, token=zoe), 201)
        assert [entry["state"] for entry in created["data"]] == ["pending"]
        (request,) = done(call("GET", "/registrations", token=manager))["data"]
        assert (request["login"], request["base_id"]) == ("zoe", server.archive.id)
        path = f"/registrations/{request['request_id']}"
        problem(call("POST", f"{path}/accept", {"rights": ["candeleterecord"]}, token=manager), 403)
        problem(call("POST", f"{path}/accept", {}, token=zoe), 403)
        done(call("POST", f"{path}/accept", {}, token=manager), 204)
        problem(call("POST", f"{path}/reject", token=manager), 404)
        assert done(call("GET", "/me/access-requests", token=zoe))["data"][0]["state"] == "accepted"
        assert done(call("GET", "/registrations", token=manager))["data"] == []

    @pytest.mark.parametrize("rules", [[{"pattern": "*"}], ["*"], [{"pattern": 1, "rights": []}], [{}] * 60])
    def test_wrong_rules_are_refused(self, server: Server, call: Call, root: str, rules: list[Any]) -> None:
        path = f"/collections/{server.archive.id}/registration"
        assert problem(call("PUT", path, {"rules": rules}, token=root), 400)["field"] == "rules"


def test_the_scope_users_alone_does_not_make_an_administrator(server: Server, call: Call) -> None:
    root = server.user("root", {server.archive.id: CONTRIBUTOR}, is_admin=True)
    narrow, whole = scoped(server, root, "users"), scoped(server, root, "users", "administration")
    problem(call("POST", "/groups", {"name": "Press"}, token=narrow), 403)
    done(call("POST", "/groups", {"name": "Press"}, token=whole), 201)


class TestNotifications:
    def test_they_are_read_and_counted(self, server: Server, call: Call, manager: str) -> None:
        done(call("PUT", f"/collections/{server.archive.id}/registration", {"is_open": True}, token=manager))
        people = [server.user(f"person{number}", None) for number in range(3)]
        for person in people:
            done(call("POST", "/me/access-requests", {}, token=server.token(person)), 201)
        listed = paged(lambda method, path: call(method, path, token=manager), "/notifications", 2)
        about = [{"base_id": server.archive.id, "user_id": person.id} for person in reversed(people)]
        assert [(entry["kind"], entry["about"]) for entry in listed] == [("registration_requested", a) for a in about]
        assert done(call("GET", "/notifications/unread", token=manager)) == {"unread": 3}
        done(call("POST", "/notifications/read", {"up_to": listed[1]["notification_id"]}, token=manager), 204)
        assert done(call("GET", "/notifications/unread", token=manager)) == {"unread": 1}
        problem(call("POST", "/notifications/read", {}, token=manager), 400)

    def test_mails_are_chosen(self, call: Call) -> None:
        assert set(done(call("GET", "/me/notification-mails")).values()) == {True}
        changed = done(call("PATCH", "/me/notification-mails", {"vote_done": False, "all": False}))
        assert [name for name, wanted in changed.items() if not wanted] == ["all", "vote_done"]
        problem(call("PATCH", "/me/notification-mails", {"nothing": False}), 400)
