"""Contract 02 section 6.10: what people change of their own account, with the refusals of each."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from tests.operations.test_account_mail import EMAIL, link, sent_mails
from vitrine.accounts import COMMAND, Right, User, Via
from vitrine.accounts.registration.model import Policy
from vitrine.accounts.rights import READER
from vitrine.applications import Profile
from vitrine.testing.server import PASSWORD, Server

NEW = "quite another password"


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada", email="ada@museum.example")


@pytest.fixture
def token(server: Server, ada: User) -> str:
    return server.token(ada)


def post(server: Server, token: str | None, tail: str, body: Any, **options: Any) -> httpx.Response:
    return server.call("POST", f"/api/v1/me/{tail}/", token, json=body, **options)


def scoped(server: Server, user: User, *scopes: str) -> str:
    """A token of *user* with these scopes alone."""
    application = server.register(user, profile=Profile.STRICT, callback="https://strict.example.com/cb").application
    services = server.services
    with services.database.write() as work:
        actor = services.accounts.users.actor_of(work, user, Via.COMMAND)
        return services.oauth.personal_tokens.add(work, actor, application, "scoped", "90", scope=frozenset(scopes))


def said(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()["response"]


def profile(server: Server, token: str) -> dict[str, Any]:
    return dict(server.get("/me/", token)["user"])


class TestUpdateAccount:
    """02 §6.10 update-account, 02 §5.13."""

    def test_each_key_lands_in_its_field(self, server: Server, token: str) -> None:
        sent = {
            "gender": 2, "firstname": "Ada ", "lastname": "Martin", "zip_code": 29200, "city": "Brest", "tel": "02 98",
            "company": "Museum", "job": "Curator", "unknown": [1],
        }  # fmt: skip
        assert said(post(server, token, "update-account", sent)) == {"success": True}
        user = profile(server, token)
        assert user["gender"] == "Mr"
        assert [user[name] for name in ("first_name", "last_name", "zip_code", "city", "phone", "company", "job")] == [
            "Ada", "Martin", "29200", "Brest", "02 98", "Museum", "Curator",
        ]  # fmt: skip

    def test_absent_and_null_leave_what_is_there(self, server: Server, token: str) -> None:
        said(post(server, token, "update-account", {"firstname": "Ada", "city": "Brest"}))
        assert said(post(server, token, "update-account", {"firstname": None})) == {"success": True}
        assert said(post(server, token, "update-account", {})) == {"success": True}
        user = profile(server, token)
        assert (user["first_name"], user["city"]) == ("Ada", "Brest")
        assert said(post(server, token, "update-account", {"city": ""})) == {"success": True}
        assert profile(server, token)["city"] is None

    @pytest.mark.parametrize(
        "wrong",
        [
            {"firstname": "x" * 129}, {"firstname": "a\u0007b"}, {"gender": 3}, {"gender": True}, {"city": ["Brest"]},
            {"notifications": "perhaps"}, {"email": "nobody"}, {"email": "a@b.example\r\nBcc: c@d.example"},
            {"tel": 10**30},
        ],
    )  # fmt: skip
    def test_a_wrong_value_changes_nothing(self, server: Server, token: str, wrong: dict[str, Any]) -> None:
        answer = said(post(server, token, "update-account", {"company": "Other", **wrong}))
        assert answer["success"] is False
        assert answer["message"]
        assert profile(server, token)["company"] is None

    def test_bodies_that_are_no_object(self, server: Server, token: str) -> None:
        assert post(server, token, "update-account", [1]).status_code == 400
        path = "/api/v1/me/update-account/"
        assert server.call("POST", path, token, content=b"{").status_code == 422
        plain = {"Content-Type": "text/plain"}
        assert server.call("POST", path, token, content=b"{}", headers=plain).status_code == 406
        assert server.call("POST", path, token, content=b"{}").status_code == 200, "no type at all, as the SDK sends it"

    def test_a_new_address_counts_once_its_link_was_followed(self, server: Server, ada: User, token: str) -> None:
        assert said(post(server, token, "update-account", {"email": "new@museum.example"})) == {"success": True}
        assert profile(server, token)["email"] == "ada@museum.example"
        mail = sent_mails(server)[-1]
        assert mail["To"] == "new@museum.example"
        page = server.browser(ada)
        assert page.submit(link(mail), EMAIL, {"token": link(mail).partition("=")[2]}).status_code == 303
        assert profile(server, token)["email"] == "new@museum.example"
        assert sent_mails(server)[-1]["To"] == "ada@museum.example", "the old address is told"

    def test_the_present_address_needs_no_link(self, server: Server, token: str) -> None:
        said(post(server, token, "update-account", {"email": " ada@museum.example"}))
        assert sent_mails(server) == []

    def test_the_token_of_somebody_else_cannot_confirm(self, server: Server, token: str) -> None:
        said(post(server, token, "update-account", {"email": "new@museum.example"}))
        bob = server.browser(server.user("bob"))
        assert (
            bob.submit("/account/", EMAIL, {"token": link(sent_mails(server)[-1]).partition("=")[2]}).status_code == 404
        )
        assert profile(server, token)["email"] == "ada@museum.example"

    def test_mails_are_bounded(self, server: Server, token: str) -> None:
        answers = [said(post(server, token, "update-account", {"email": f"n{n}@museum.example"})) for n in range(4)]
        assert [answer["success"] for answer in answers] == [True, True, True, False]

    def test_without_a_token_the_body_is_not_read(self, server: Server) -> None:
        assert post(server, None, "update-account", {}).status_code == 400
        assert post(server, "nonsense", "update-account", {}).status_code == 401


class TestUpdatePassword:
    """02 §6.10 update-password."""

    def body(self, old: str = PASSWORD, new: str = NEW, again: str | None = None) -> dict[str, Any]:
        return {"oldPassword": old, "password": {"password": new, "confirm": new if again is None else again}}

    def test_the_new_password_opens_and_sign_ins_end(self, server: Server, ada: User, token: str) -> None:
        browser = server.browser(ada)
        assert said(post(server, token, "update-password", self.body())) == {"success": True}
        assert browser.get("/account/").status_code == 302, "a session from before has ended"
        signed = server.browser()
        assert signed.submit("/login/", "/login/", {"login": "ada", "password": NEW}).status_code == 303
        assert server.call("GET", "/api/v1/me/", token).status_code == 200

    @pytest.mark.parametrize(
        "wrong",
        [
            {"oldPassword": "wrong one", "password": {"password": NEW, "confirm": NEW}},
            {"oldPassword": PASSWORD, "password": {"password": NEW, "confirm": "another"}},
            {"oldPassword": PASSWORD, "password": {"password": "four", "confirm": "four"}},
            {"oldPassword": PASSWORD, "password": NEW},
            {"oldPassword": PASSWORD, "password": {"password": [NEW], "confirm": [NEW]}},
            {"password": {"password": NEW, "confirm": NEW}},
            {},
        ],
    )
    def test_a_refusal_is_200_and_changes_nothing(self, server: Server, token: str, wrong: dict[str, Any]) -> None:
        answer = said(post(server, token, "update-password", wrong))
        assert answer["success"] is False
        assert answer["message"]
        signed = server.browser()
        assert signed.submit("/login/", "/login/", {"login": "ada", "password": PASSWORD}).status_code == 303

    def test_wrong_passwords_lock_the_account_as_sign_ins_do(self, server: Server, token: str) -> None:
        for _ in range(server.settings.sign_in_failures):
            said(post(server, token, "update-password", self.body(old="wrong one")))
        assert said(post(server, token, "update-password", self.body()))["success"] is False


class TestRequestCollections:
    """02 §6.10 request-collections, 06 §18."""

    @pytest.fixture
    def bob(self, server: Server) -> str:
        """A token of somebody who has the photographs and not the archive."""
        return server.token(server.user("bob", {server.photographs.id: READER}))

    def open(self, server: Server, **collections: bool | None) -> None:
        registration = server.services.accounts.registration
        with server.services.database.write() as work:
            registration.set_databox_policy(work, COMMAND, server.databox.id, Policy(collections.get("databox"), None))
            for name in ("photographs", "archive"):
                policy = Policy(collections.get(name), None)
                registration.set_collection_policy(work, COMMAND, getattr(server, name).id, policy)

    def ask(self, server: Server, token: str, *bases: int) -> list[Any]:
        answer = said(post(server, token, "request-collections", list(bases)))
        assert list(answer) == ["demands"]
        return list(answer["demands"])

    def test_a_pending_request_is_told_with_real_ids(self, server: Server, bob: str) -> None:
        self.open(server, archive=True)
        both = (server.archive.id, server.photographs.id)
        pending = {
            "databox_id": server.databox.id, "base_id": server.archive.id, "collection_id": server.archive.number,
            "status": "pending",
        }  # fmt: skip
        accepted = {**pending, "base_id": server.photographs.id, "collection_id": server.photographs.number}
        expected = [pending, {**accepted, "status": "accepted"}]
        assert self.ask(server, bob, *both) == expected
        assert self.ask(server, bob, *both, *both) == expected, "asking again changes nothing"

    def test_only_open_collections_take_requests(self, server: Server, bob: str) -> None:
        self.open(server)
        assert self.ask(server, bob, server.archive.id, 999_999, 2**62) == []
        self.open(server, databox=True, archive=False)
        assert self.ask(server, bob, server.archive.id) == []
        self.open(server, databox=True)
        assert self.ask(server, bob, server.archive.id)[0]["status"] == "pending"

    def test_a_disabled_collection_takes_none(self, server: Server, bob: str) -> None:
        self.open(server, archive=True)
        with server.services.database.write() as work:
            work.db.exec_driver_sql(f"UPDATE collections SET enabled = 0 WHERE id = {server.archive.id:d}")
        assert self.ask(server, bob, server.archive.id) == []

    def test_a_rejected_request_stays_rejected(self, server: Server, bob: str) -> None:
        self.open(server, archive=True)
        self.ask(server, bob, server.archive.id)
        registration = server.services.accounts.registration
        with server.services.database.write() as work:
            (request,) = registration.pending(work, COMMAND)
            registration.reject(work, COMMAND, request.id)
        assert self.ask(server, bob, server.archive.id)[0]["status"] == "rejected"

    @pytest.mark.parametrize(
        "body", [{}, ["x"], ["1.5"], [True], [0], [-1], [2**70], [1.5], "12", list(range(1, 1002))]
    )
    def test_what_is_no_list_of_ids_is_400(self, server: Server, bob: str, body: Any) -> None:
        assert post(server, bob, "request-collections", body).status_code == 400

    def test_any_content_type_is_read(self, server: Server, bob: str) -> None:
        path = "/api/v1/me/request-collections/"
        answer = server.call("POST", path, bob, content=b"[]", headers={"Content-Type": "text/plain"})
        assert said(answer) == {"demands": []}


class TestClose:
    """02 §6.10 DELETE /me/: irreversible, so a setting must allow it (D)."""

    @pytest.fixture
    def closing(self, tmp_path: Path) -> Iterator[Server]:
        server = Server(tmp_path / "closing", account_closing=True)
        yield server
        server.close()

    def delete(self, server: Server, token: str) -> Any:
        return said(server.call("DELETE", "/api/v1/me/", token))

    def test_without_the_setting_nothing_happens(self, server: Server, token: str) -> None:
        assert self.delete(server, token) == {"success": False}
        assert server.call("GET", "/api/v1/me/", token).status_code == 200

    def test_the_account_and_what_acts_for_it_end(self, closing: Server) -> None:
        server = closing
        server.user("root", is_admin=True)
        ada = server.user("ada", email="ada@museum.example")
        application = server.register(ada)
        registration = server.services.accounts.registration
        with server.services.database.write() as work:
            registration.set_databox_policy(work, COMMAND, server.databox.id, Policy(True, None))
        bob = server.user("bob", None)
        token = server.token(bob)
        said(post(server, token, "request-collections", [server.archive.id]))
        for each in (application.developer_token, token):
            assert self.delete(server, each) == {"success": True}
            assert server.call("GET", "/api/v1/me/", each).status_code == 401
        assert sent_mails(server)[-1]["To"] == "ada@museum.example"
        with server.services.database.read() as work:
            assert registration.pending(work, COMMAND) == []
            kept = server.services.applications.registry.for_protocol(work, application.application.id)
        assert kept is not None, "the application stays for its co-owners and administrators"
        page = server.browser().submit("/login/", "/login/", {"login": "ada", "password": PASSWORD})
        assert page.status_code != 303

    def test_the_last_administrator_stays(self, closing: Server) -> None:
        server = closing
        root = server.user("root", is_admin=True)
        token = server.token(root)
        assert self.delete(server, token) == {"success": False}
        server.user("other", is_admin=True)
        assert self.delete(server, token) == {"success": True}

    def test_a_token_that_may_change_the_profile_may_not_close(self, closing: Server) -> None:
        server = closing
        ada = server.user("ada")
        edits, closes = (scoped(server, ada, scope) for scope in ("account:edit", "account:close"))
        assert server.call("DELETE", "/api/v1/me/", edits).status_code == 403
        assert post(server, closes, "update-account", {}).status_code == 403
        assert self.delete(server, closes) == {"success": True}


def test_the_rights_of_me_follow_a_decision(server: Server) -> None:
    """02 §6.10 /me/: an accepted request is a right at once."""
    bob = server.user("bob", None)
    token = server.token(bob)
    registration = server.services.accounts.registration
    with server.services.database.write() as work:
        registration.set_collection_policy(work, COMMAND, server.archive.id, Policy(True, None))
    said(post(server, token, "request-collections", [server.archive.id]))
    assert server.get("/me/", token)["collections"] == []
    with server.services.database.write() as work:
        (request,) = registration.pending(work, COMMAND)
        registration.accept(work, COMMAND, request.id, more=Right.candwnldhd)
    (collection,) = server.get("/me/", token)["collections"]
    assert collection["rights"] == ["actif", "candwnldhd", "candwnldpreview", "canputinalbum"]
