"""Contract 02 section 6.11: accounts of other people. Whoever sets a password can act as its owner, so a manager of
users reaches only accounts that can do no more than they can."""

from datetime import timedelta
from threading import Event
from typing import Any

import httpx2 as httpx
import pytest

from tests.contract.test_02_own_account import scoped
from tests.operations.test_account_mail import sent_mails
from vitrine.accounts import COMMAND, CollectionGrant, DataboxRight, Right, User, record_grants
from vitrine.accounts.record_grants import GrantSource, SourceKind
from vitrine.accounts.registration.model import Policy, Rule
from vitrine.accounts.rights import CONTRIBUTOR, READER
from vitrine.accounts.tables import mailed_links
from vitrine.housekeeping import purge
from vitrine.library.model import Collection
from vitrine.testing import media_factory
from vitrine.testing.server import PASSWORD, Server

NEW = "quite another password"
MANAGER = READER | Right.canadmin
pytestmark = pytest.mark.both_databases


@pytest.fixture
def manager(server: Server) -> User:
    """Manages the users of the photographs, where she is a reader."""
    return server.user("mia", {server.photographs.id: MANAGER})


@pytest.fixture
def token(server: Server, manager: User) -> str:
    return server.token(manager)


def post(server: Server, token: str | None, tail: str, **options: Any) -> httpx.Response:
    return server.call("POST", f"/api/v1/accounts/{tail}", token, **options)


def reset(server: Server, token: str, name: str) -> httpx.Response:
    return post(server, token, f"reset-password/{name}/")


def update(server: Server, token: str, secret: str, password: str = NEW) -> bool:
    answer = post(server, token, f"update-password/{secret}/", data={"password": password})
    assert answer.status_code == 200, answer.text
    success = answer.json()["response"]["success"]
    assert isinstance(success, bool)
    return success


def signs_in(server: Server, login: str, password: str) -> bool:
    return server.browser().submit("/login/", "/login/", {"login": login, "password": password}).status_code == 303


class TestPasswords:
    """02 §6.11 reset-password and update-password."""

    @pytest.fixture
    def bob(self, server: Server) -> User:
        return server.user("bob", {server.photographs.id: READER}, email="bob@museum.example")

    @pytest.mark.parametrize("name", ["bob@museum.example", "bob"])
    def test_a_token_sets_the_password_once(self, server: Server, token: str, bob: User, name: str) -> None:
        browser, application = server.browser(bob), server.register(bob)
        with server.services.database.write() as work:  # not the owner of an application any more
            work.db.exec_driver_sql("UPDATE applications SET creator_id = NULL")
        answer = reset(server, token, name)
        assert answer.headers["cache-control"] == "no-store"
        secret = answer.json()["response"]["reset_token"]
        assert sent_mails(server) == [], "no mail is sent"
        assert update(server, token, secret)
        assert not update(server, token, secret, "and another one")
        assert signs_in(server, "bob", NEW)
        assert browser.get("/account/").status_code == 302, "sign-ins have ended"
        assert application.developer_token
        assert sent_mails(server)[-1]["To"] == "bob@museum.example", "the owner is told"

    def test_a_newer_token_replaces_the_older(self, server: Server, token: str, bob: User) -> None:
        first, second = (reset(server, token, "bob").json()["response"]["reset_token"] for _ in range(2))
        assert not update(server, token, first)
        assert update(server, token, second)

    def test_a_token_lives_three_days(self, server: Server, token: str, bob: User) -> None:
        secret = reset(server, token, "bob").json()["response"]["reset_token"]
        with server.services.database.write() as work:
            (expires,) = work.db.scalars(mailed_links.select().with_only_columns(mailed_links.c.expires))
            assert timedelta(days=2, hours=23) < expires - work.now <= timedelta(days=3)
            work.db.execute(mailed_links.update().values(expires=work.now - timedelta(seconds=1)))
        assert not update(server, token, secret)

    def test_the_page_does_not_take_it(self, server: Server, token: str, bob: User) -> None:
        secret = reset(server, token, "bob").json()["response"]["reset_token"]
        assert server.browser().get(f"/login/renew-password/?token={secret}").status_code == 404

    def test_a_weak_or_missing_password_is_false_and_uses_nothing_up(
        self, server: Server, token: str, bob: User
    ) -> None:
        secret = reset(server, token, "bob").json()["response"]["reset_token"]
        assert not update(server, token, secret, "short")
        answer = post(server, token, f"update-password/{secret}/")
        assert (answer.status_code, answer.json()["response"]) == (200, {"success": False})
        assert update(server, token, secret)

    def test_an_unknown_name_is_404(self, server: Server, token: str) -> None:
        assert reset(server, token, "nobody@museum.example").status_code == 404
        assert not update(server, token, "unknown")

    def test_who_manages_nobody_gets_401(self, server: Server, bob: User) -> None:
        reader = server.token(bob)
        assert reset(server, reader, "mia").status_code == 401
        assert post(server, reader, "update-password/x/", data={"password": NEW}).status_code == 401
        assert post(server, reader, "access-demand/", json={}).status_code == 401
        assert post(server, reader, "unlock/x/").status_code == 401

    def test_a_suspended_or_ended_link_manages_nobody(self, server: Server, manager: User, token: str) -> None:
        server.user("bob", {server.photographs.id: READER})
        server.regrant(manager, server.photographs, MANAGER & ~Right.actif)
        assert reset(server, token, "bob").status_code == 401
        past = server.services.database
        with past.read() as work:
            yesterday = work.now - timedelta(days=1)
        server.regrant(manager, server.photographs, MANAGER, valid_until=yesterday)
        assert reset(server, token, "bob").status_code == 401

    def test_an_account_elsewhere_is_like_an_unknown_one(self, server: Server, token: str) -> None:
        server.user("carl", {server.archive.id: READER})
        server.user("dora", None)
        assert reset(server, token, "carl").status_code == 404
        assert reset(server, token, "dora").status_code == 404

    @pytest.mark.parametrize(
        "more",
        ["right", "elsewhere", "databox", "mask", "end", "quota", "admin", "application", "grant", "disabled",
         "tomorrow", "suspended", "feed"],
    )  # fmt: skip
    def test_an_account_that_can_do_more_is_refused(
        self, server: Server, manager: User, token: str, bob: User, more: str, tmp_path: Any
    ) -> None:
        assert reset(server, token, "bob").status_code == 200
        secret = reset(server, token, "bob").json()["response"]["reset_token"]
        self.reach_further(server, manager, bob, more, tmp_path)
        assert reset(server, token, "bob").status_code == 401
        assert not update(server, token, secret), "a token from before does not outlive the right"
        assert signs_in(server, "bob", PASSWORD)

    def reach_further(self, server: Server, manager: User, bob: User, more: str, tmp_path: Any) -> None:
        services = server.services
        users, base = services.accounts.users, server.photographs
        if more == "grant":
            key = server.add(media_factory.jpeg(tmp_path / "a.jpg"), server.user("eve"), server.archive)
        with services.database.write() as work:
            if more == "right":
                users.grant(work, COMMAND, bob.id, CollectionGrant(base.id, base.databox_id, CONTRIBUTOR))
            elif more in ("elsewhere", "disabled"):
                users.grant(work, COMMAND, bob.id, CollectionGrant(server.archive.id, base.databox_id, READER))
                if more == "disabled":
                    work.db.exec_driver_sql(f"UPDATE collections SET enabled = false WHERE id = {server.archive.id:d}")
            elif more == "databox":
                users.grant_databox(work, COMMAND, bob.id, base.databox_id, DataboxRight.bas_chupub)
            elif more == "mask":
                grant = CollectionGrant(base.id, base.databox_id, MANAGER, mask_and=16)
                users.grant(work, COMMAND, manager.id, grant)
            elif more == "end":
                end = work.now + timedelta(days=1)
                users.grant(work, COMMAND, manager.id, CollectionGrant(base.id, base.databox_id, MANAGER, None, end))
            elif more == "quota":
                grant = CollectionGrant(base.id, base.databox_id, MANAGER | Right.restrict_dwnld)
                users.grant(work, COMMAND, manager.id, grant)
            elif more == "admin":
                work.db.exec_driver_sql("UPDATE users SET is_admin = true WHERE login = 'bob'")
            elif more == "grant":
                record = services.library.records.get(work, COMMAND, key)
                source = GrantSource(SourceKind.PUSH, 1)
                record_grants.give(work, bob.id, [record.id], source, giver_id=None)
        if more == "application":
            server.register(bob)
        elif more in ("tomorrow", "suspended", "feed"):
            self.keep_more_for_later(server, bob, more)

    def keep_more_for_later(self, server: Server, bob: User, more: str) -> None:
        """What does nothing now, and would when somebody has taken the account over."""
        base, accounts, registry = server.photographs, server.services.accounts, server.services.feeds.registry
        with server.services.database.write() as work:
            if more == "feed":
                registry.add_publisher(work, COMMAND, registry.add(work, COMMAND, title="News").id, bob.id)
                return
            begin = work.now + timedelta(days=1) if more == "tomorrow" else None
            rights = CONTRIBUTOR if more == "tomorrow" else READER
            group = accounts.groups.add(work, COMMAND, "Others")
            grant = CollectionGrant(base.id, base.databox_id, rights, begin)
            accounts.groups.set_rights(work, COMMAND, group.id, grant)
            accounts.groups.join(work, COMMAND, group.id, bob)
            if more == "suspended":
                suspended = CollectionGrant(base.id, base.databox_id, CONTRIBUTOR & ~Right.actif)
                accounts.users.grant(work, COMMAND, bob.id, suspended)

    def test_a_record_that_alternative_masks_may_hide_is_more(
        self, server: Server, manager: User, token: str, bob: User, tmp_path: Any
    ) -> None:
        """Two masks that have no bit in common are not the same as none."""
        base, accounts = server.photographs, server.services.accounts
        whole = MANAGER | CONTRIBUTOR
        key = server.add(media_factory.jpeg(tmp_path / "a.jpg"), server.user("eve"), base)
        server.regrant(manager, base, whole, mask_and=16)
        server.regrant(bob, base, READER, mask_and=16)
        with server.services.database.write() as work:
            group = accounts.groups.add(work, COMMAND, "Others")
            other = CollectionGrant(base.id, base.databox_id, whole, mask_and=32)
            accounts.groups.set_rights(work, COMMAND, group.id, other)
            accounts.groups.join(work, COMMAND, group.id, manager)
        assert reset(server, token, "bob").status_code == 200
        with server.services.database.write() as work:
            record = server.services.library.records.get(work, COMMAND, key)
            record_grants.give(work, bob.id, [record.id], GrantSource(SourceKind.PUSH, 1), giver_id=None)
        assert reset(server, token, "bob").status_code == 401

    def test_nobody_sets_their_own_password_without_the_old_one(
        self, server: Server, manager: User, token: str
    ) -> None:
        assert reset(server, token, manager.login).status_code == 401

    def test_an_administrator_reaches_everybody_but_administrators(self, server: Server, bob: User) -> None:
        root, other = server.user("root", None, is_admin=True), server.user("other", is_admin=True)
        token = server.token(root)
        assert reset(server, token, "bob").status_code == 200
        server.register(bob)
        assert reset(server, token, "bob").status_code == 200
        assert reset(server, token, other.login).status_code == 401
        assert reset(server, token, "root").status_code == 401

    def test_a_scope_without_administration_reaches_nobody(self, server: Server, bob: User) -> None:
        root = server.user("root", None, is_admin=True)
        assert reset(server, scoped(server, root, "users"), "bob").status_code == 401
        assert reset(server, scoped(server, root, "users", "administration"), "bob").status_code == 200
        assert reset(server, scoped(server, root, "administration"), "bob").status_code == 403

    def test_a_token_with_scopes_gives_nobody_a_password(
        self, server: Server, manager: User, token: str, bob: User
    ) -> None:
        """A password opens sessions that have no scope and that no consent ends."""
        narrow = scoped(server, manager, "users")
        secret = reset(server, token, "bob").json()["response"]["reset_token"]
        demanded = {"email": "new@museum.example", "password": PASSWORD}
        unlock = post(server, token, "access-demand/", json=demanded).json()["response"]["token"]
        assert reset(server, narrow, "bob").status_code == 401
        assert post(server, narrow, f"update-password/{secret}/", data={"password": NEW}).status_code == 401
        assert post(server, narrow, "access-demand/", json={**demanded, "login": "other"}).status_code == 401
        assert post(server, narrow, f"unlock/{unlock}/").status_code == 401
        assert signs_in(server, "bob", PASSWORD)
        assert update(server, token, secret), "nothing was used up"

    def test_a_locked_account_gets_no_password(self, server: Server, token: str, bob: User) -> None:
        secret = reset(server, token, "bob").json()["response"]["reset_token"]
        with server.services.database.write() as work:
            server.services.accounts.administration.suspend(work, COMMAND, "bob")
        assert not update(server, token, secret)


class TestNewAccounts:
    """02 §6.11 access-demand and unlock."""

    def demand(self, server: Server, token: str, **more: Any) -> httpx.Response:
        body = {"email": "new@museum.example", "password": PASSWORD, **more}
        return post(server, token, "access-demand/", json=body)

    def open(self, server: Server, *bases: Collection, rules: tuple[Rule, ...] | None = None) -> None:
        with server.services.database.write() as work:
            for base in bases:
                policy = Policy(True, rules)
                server.services.accounts.registration.set_collection_policy(work, COMMAND, base.id, policy)

    def pending(self, server: Server) -> list[int]:
        with server.services.database.read() as work:
            return [entry.base_id for entry in server.services.accounts.registration.pending(work, COMMAND)]

    def test_an_account_is_locked_until_it_is_unlocked(self, server: Server, token: str) -> None:
        self.open(server, server.photographs)
        answer = self.demand(server, token, firstname="Zoë", position="Curator", job="Editor", geonameid=3017382)
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        body = answer.json()["response"]
        user = body["user"]
        assert (user["login"], user["email"]) == ("new@museum.example", "new@museum.example")
        assert (user["first_name"], user["job"], user["position"]) == ("Zoë", "Editor", "Curator")
        assert user["geoname_id"] == 3017382
        assert not signs_in(server, "new@museum.example", PASSWORD)
        assert self.pending(server) == [], "nobody decides about an account that is not confirmed"
        assert post(server, token, f"unlock/{body['token']}/").json()["response"] == {"success": True}
        assert signs_in(server, "new@museum.example", PASSWORD)
        assert self.pending(server) == [server.photographs.id]
        assert post(server, token, f"unlock/{body['token']}/").status_code == 400, "already unlocked"
        assert post(server, token, "unlock/nothing/").status_code == 400

    @pytest.mark.parametrize("named", [None, "both", "archive", "none"])
    def test_it_asks_for_the_open_ones_among_those_named(self, server: Server, token: str, named: str | None) -> None:
        self.open(server, server.photographs)
        bases = {"both": [server.photographs.id, server.archive.id, 999], "archive": [server.archive.id], "none": []}
        more = {} if named is None else {"collections": bases[named]}
        secret = self.demand(server, token, **more).json()["response"]["token"]
        post(server, token, f"unlock/{secret}/")
        assert self.pending(server) == ([server.photographs.id] if named in (None, "both") else [])

    def test_no_rule_by_address_counts_since_nobody_proved_it(self, server: Server, token: str, tmp_path: Any) -> None:
        self.open(server, server.photographs, rules=(Rule("*@museum.example", CONTRIBUTOR),))
        secret = self.demand(server, token).json()["response"]["token"]
        post(server, token, f"unlock/{secret}/")
        assert self.pending(server) == [server.photographs.id]

    @pytest.mark.parametrize(
        "wrong",
        [
            {"email": None}, {"email": "nobody"}, {"password": None}, {"password": ""}, {"password": "short"},
            {"password": 12345678}, {"login": "two words"}, {"firstname": "x" * 200}, {"gender": 9},
            {"geonameid": "x"}, {"collections": "12"}, {"notifications": 7},
        ],
    )  # fmt: skip
    def test_what_is_wrong_is_400_and_makes_nothing(self, server: Server, token: str, wrong: dict[str, Any]) -> None:
        answer = self.demand(server, token, **{"login": "newcomer", **wrong})
        assert answer.status_code == 400, answer.text
        assert answer.json()["meta"]["error_details"]
        assert self.demand(server, token, login="newcomer").status_code == 200, "the login is still there to be had"

    def test_a_login_in_use_is_400(self, server: Server, token: str) -> None:
        assert self.demand(server, token, login="MIA").status_code == 400

    def test_a_suspension_is_not_lifted_by_the_token(self, server: Server, token: str) -> None:
        secret = self.demand(server, token).json()["response"]["token"]
        with server.services.database.write() as work:
            server.services.accounts.administration.suspend(work, COMMAND, "new@museum.example")
        assert post(server, token, f"unlock/{secret}/").status_code == 400
        assert not signs_in(server, "new@museum.example", PASSWORD)

    def test_an_account_that_nobody_unlocks_goes_and_its_login_with_it(self, server: Server, token: str) -> None:
        secret = self.demand(server, token).json()["response"]["token"]
        with server.services.database.write() as work:
            work.db.exec_driver_sql("UPDATE users SET confirm_by = created WHERE confirm_by IS NOT NULL")
        assert post(server, token, f"unlock/{secret}/").status_code == 400
        purge(server.services, Event())
        assert self.demand(server, token).status_code == 200
