"""Developer tokens after a new password, secrets seen by people who left, and actions of administrators."""

import threading
from collections.abc import Callable

import httpx2 as httpx
import pytest
import sqlalchemy as sa

from tests.oauth.flows import code_of, exchange, status_of
from tests.operations.test_account_mail import FORGOT, RENEW, link, sent_mails
from tests.operations.test_people import NEW, command
from vitrine.accounts import COMMAND, NOBODY, User, store
from vitrine.accounts.administration import AccountAdministration
from vitrine.accounts.passwords import Passwords
from vitrine.accounts.tables import sessions
from vitrine.applications import Profile
from vitrine.errors import Conflict, Forbidden, Invalid
from vitrine.testing.server import PASSWORD, Registered, Server, Visitor, hidden

TOKENS = "/login/developer-tokens/"
OFFER = "Somebody who no longer has access knows the client secret"


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada", email="ada@museum.example")


@pytest.fixture
def bob(server: Server) -> User:
    return server.user("bob", email="bob@museum.example")


@pytest.fixture
def app(server: Server, ada: User) -> Registered:
    return server.register(ada, profile=Profile.STRICT)


@pytest.fixture
def administration(server: Server) -> AccountAdministration:
    return server.services.accounts.administration


def renew(server: Server) -> str:
    """ada renews her password through a mail. Returns the page that she sees."""
    server.browser().submit(FORGOT, FORGOT, {"login": "ada"})
    address = link(sent_mails(server)[-1])
    answer = server.browser().submit(address, RENEW, {"new": NEW, "again": NEW})
    return answer.text if answer.status_code == 200 else answer.headers["location"]


# -- developer tokens ----------------------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_the_page_and_the_letter_list_developer_tokens_and_end_them_once(
    server: Server, ada: User, app: Registered
) -> None:
    shown = renew(server)
    told = sent_mails(server)[-1]
    for text in (shown, told.get_content()):
        assert "Field Notes" in text
        assert f"…{app.developer_token[-4:]}" in text
    assert app.developer_token not in shown + told.get_content()
    assert status_of(server, app.developer_token) == 200
    address = link(told)
    assert address.startswith(TOKENS)
    assert server.browser().get(address).status_code == 200, "opening it ends nothing: programs follow links"
    assert status_of(server, app.developer_token) == 200
    answer = server.browser().submit(address, TOKENS, {})
    assert "Your developer tokens have ended." in answer.text
    assert status_of(server, app.developer_token) == 401
    assert server.browser().get(address).status_code == 404, "it works once"


def test_the_button_of_the_page_ends_them_too(server: Server, ada: User, app: Registered) -> None:
    shown, visitor = renew(server), server.browser()
    form = {**visitor.form("/login/"), "token": hidden(shown)["token"]}
    assert visitor.client.post(TOKENS, data=form).status_code == 200
    assert status_of(server, app.developer_token) == 401


def test_without_developer_tokens_nothing_is_listed(server: Server, ada: User) -> None:
    assert renew(server) == "/login/?renewed"
    assert TOKENS not in sent_mails(server)[-1].get_content()


def test_a_link_for_tokens_is_none_for_a_password(server: Server, ada: User, app: Registered) -> None:
    renew(server)
    secret = link(sent_mails(server)[-1]).partition("token=")[2]
    assert server.browser().get(f"{RENEW}?token={secret}").status_code == 404
    assert server.browser().get(f"{TOKENS}?token=").status_code == 404
    form = {**server.browser().form("/login/"), "token": secret}
    assert server.browser().client.post(TOKENS, data=form).status_code == 403, "a form of somebody else's page"


def test_the_page_and_the_letter_of_a_new_password_name_what_stays(server: Server, ada: User) -> None:
    page = server.browser().get(renew(server)).text
    mails = [sent_mails(server)[-1]]
    server.register(ada, profile=Profile.STRICT)  # from now on there is a developer token: another page and letter
    pages = [page, renew(server)]
    mails.append(sent_mails(server)[-1])
    stays = "Passkeys, the authenticator app and connected sign-ins stay as they were"
    assert [stays in text for text in pages] == [True, True]
    for mail in mails:
        assert stays in mail.get_content()
        assert "http://dam.test/account/security/" in mail.get_content().split()


# -- secrets that were seen ----------------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_a_new_secret_is_offered_when_a_co_owner_leaves_who_saw_it(
    server: Server, ada: User, bob: User, app: Registered
) -> None:
    page = f"/developers/application/{app.application.id}/"
    owner, people = server.browser(ada), f"{page}people/"
    owner.submit(people, people, {"do": "owner", "owner": "bob"})
    assert app.secret in server.browser(bob).submit(page, f"{page}reveal/", {}).text
    assert OFFER not in owner.get(people).text
    owner.submit(people, people, {"do": "remove-owner", "person": str(bob.id)})
    for where in (page, people):
        assert OFFER in owner.get(where).text
        assert f"••••••••{app.secret[-4:]}" in owner.get(where).text
    assert owner.submit(page, f"{page}secrets/", {"overlap": "24"}).status_code == 200
    assert OFFER not in owner.get(people).text


@pytest.mark.both_databases
def test_a_new_secret_is_offered_for_every_application_when_an_account_is_closed_that_saw_it(
    server: Server, ada: User, bob: User, app: Registered, administration: AccountAdministration
) -> None:
    seen, unseen = server.register(ada, profile=Profile.STRICT), server.register(ada, profile=Profile.STRICT)
    owner, co_owner = server.browser(ada), server.browser(bob)
    pages = [f"/developers/application/{each.application.id}/" for each in (app, seen, unseen)]
    for page in pages:
        owner.submit(f"{page}people/", f"{page}people/", {"do": "owner", "owner": "bob"})
    for page in pages[:2]:
        assert co_owner.submit(page, f"{page}reveal/", {}).status_code == 200
    assert [OFFER in owner.get(page).text for page in pages] == [False, False, False]
    with server.services.database.write() as work:
        administration.close(work, COMMAND, "bob")
    assert [OFFER in owner.get(page).text for page in pages] == [True, True, False]


def test_nothing_is_offered_when_somebody_leaves_who_saw_nothing(
    server: Server, ada: User, bob: User, app: Registered
) -> None:
    people = f"/developers/application/{app.application.id}/people/"
    owner = server.browser(ada)
    owner.submit(people, people, {"do": "owner", "owner": "bob"})
    owner.submit(people, people, {"do": "remove-owner", "person": str(bob.id)})
    assert OFFER not in owner.get(people).text


def test_an_owner_who_withdraws_consent_still_owns_the_secret(server: Server, ada: User, app: Registered) -> None:
    page = f"/developers/application/{app.application.id}/"
    owner = server.browser(ada)
    owner.submit(page, f"{page}reveal/", {})
    code_of(owner, app)
    listed = "/account/security/applications/"
    owner.submit(listed, f"/account/security/application/{app.application.id}/revoke/", {})
    assert OFFER not in owner.get(page).text


def test_the_first_owner_who_gave_it_away_is_told_like_everybody(
    server: Server, ada: User, bob: User, app: Registered
) -> None:
    page = f"/developers/application/{app.application.id}/"
    owner = server.browser(ada)
    owner.submit(page, f"{page}reveal/", {})
    owner.submit(f"{page}people/", f"{page}people/", {"do": "transfer", "transfer": "bob"})
    assert OFFER in server.browser(bob).get(page).text


def test_a_test_user_who_owns_it_besides_keeps_what_owners_have(
    server: Server, ada: User, bob: User, app: Registered
) -> None:
    people = f"/developers/application/{app.application.id}/people/"
    owner = server.browser(ada)
    for role in ("owner", "tester"):
        owner.submit(people, people, {"do": role, role: "bob"})
    token = exchange(server, app, code_of(server.browser(bob), app)).json()["access_token"]
    owner.submit(people, people, {"do": "remove-tester", "person": str(bob.id)})
    assert status_of(server, token) == 200


# -- administrators ------------------------------------------------------------------------------------------------


def test_a_suspended_person_comes_back_with_what_they_had(server: Server, ada: User, app: Registered) -> None:
    inside = server.browser(ada)
    assert command(server, "user", "suspend", "ada").returncode == 0
    assert inside.get("/account/").status_code == 302
    assert status_of(server, app.developer_token) == 401
    assert command(server, "user", "resume", "ada").returncode == 0
    assert inside.get("/account/").status_code == 200
    assert status_of(server, app.developer_token) == 200


def test_an_administrator_ends_everything_of_somebody(server: Server, ada: User, app: Registered) -> None:
    inside = server.browser(ada)
    done = command(server, "user", "end", "ada")
    assert done.returncode == 0, done.stderr
    assert inside.get("/account/").status_code == 302
    assert status_of(server, app.developer_token) == 401


def test_a_given_password_names_the_developer_tokens_and_ends_them_on_request(
    server: Server, ada: User, app: Registered
) -> None:
    done = command(server, "user", "password", "ada", VITRINE_NEW_PASSWORD=NEW)
    assert f"Field Notes: developer token …{app.developer_token[-4:]}" in done.stdout
    assert app.developer_token not in done.stdout
    assert status_of(server, app.developer_token) == 200
    assert sent_mails(server)[-1]["To"] == "ada@museum.example"
    done = command(server, "user", "password", "ada", "--end-developer-tokens", VITRINE_NEW_PASSWORD=PASSWORD)
    assert "still work" not in done.stdout
    assert status_of(server, app.developer_token) == 401


def test_the_old_address_is_told_of_one_that_an_administrator_gave(server: Server, ada: User) -> None:
    assert command(server, "user", "email", "ada", "new@museum.example").returncode == 0
    (letter,) = sent_mails(server)
    assert letter["To"] == "ada@museum.example"
    assert command(server, "user", "email", "ada", "no address").returncode == 1


def test_only_administrators_help_and_the_last_one_stays(
    server: Server, ada: User, administration: AccountAdministration
) -> None:
    keeper = server.user("keeper", is_admin=True)
    with server.services.database.write() as work:
        for call in (
            administration.suspend,
            administration.resume,
            administration.close,
            administration.end_everything,
        ):
            with pytest.raises(Forbidden):
                call(work, NOBODY, "ada")
        with pytest.raises(Forbidden):
            administration.give_address(work, NOBODY, "ada", "a@b.example")
        with pytest.raises(Invalid):
            administration.give_address(work, COMMAND, "ada", "no address")
        for call in (administration.suspend, administration.close):
            with pytest.raises(Conflict):
                call(work, COMMAND, keeper.login)
        administration.close(work, COMMAND, "ada")
    assert server.browser().submit("/login/", "/login/", {"login": "ada", "password": PASSWORD}).status_code == 200


@pytest.mark.both_databases
def test_of_a_code_that_is_redeemed_while_everything_ends_nothing_is_left(
    server: Server, ada: User, app: Registered, administration: AccountAdministration
) -> None:
    """In either order: the code is refused, or the tokens that it gave end."""
    code = code_of(server.browser(ada), app)
    together, given = threading.Barrier(2), []

    def redeem() -> None:
        together.wait()
        given.append(exchange(server, app, code).json())

    thread = threading.Thread(target=redeem)
    thread.start()
    together.wait()
    with server.services.database.write() as work:
        administration.end_everything(work, COMMAND, "ada")
    thread.join(60)
    token = given[0].get("access_token")
    assert token is None or status_of(server, token) == 401
    with server.services.database.read() as work:
        assert work.db.scalar(sa.select(sa.func.count()).select_from(sessions)) == 0


# -- passwords that are hashed at the same time --------------------------------------------------------------------


class Interrupted(Passwords):
    """Something happens just before a password is hashed anew, outside any transaction."""

    def __init__(self, happen: Callable[[], None]) -> None:
        super().__init__(memory_kib=64, passes=1)
        self._happen = happen

    def hash(self, password: str) -> str:
        self._happen()
        return super().hash(password)

    def rehashed(self, password: str) -> str:
        self._happen()
        return super().rehashed(password)


def interrupt(server: Server, happen: Callable[[], None]) -> None:
    """Let *happen* take place once, while the next password is hashed."""
    users = server.services.accounts.users
    usual = users.passwords

    def once() -> None:
        users.passwords = usual
        happen()

    users.passwords = Interrupted(once)


def signs_in(server: Server, password: str) -> bool:
    answer = server.browser().submit("/login/", "/login/", {"login": "ada", "password": password})
    return answer.status_code == 303


@pytest.mark.both_databases
def test_a_sign_in_under_way_does_not_bring_an_old_password_back(
    server: Server, ada: User, administration: AccountAdministration
) -> None:
    """The hash is of an old kind, so the sign-in replaces it; meanwhile an administrator gives a password."""
    with server.services.database.write() as work:
        store.set_password_hash(work, ada.id, Passwords(memory_kib=32, passes=1).hash(PASSWORD))
    interrupt(server, lambda: administration.give_password(COMMAND, "ada", NEW) and None)
    assert not signs_in(server, PASSWORD)
    assert (signs_in(server, PASSWORD), signs_in(server, NEW)) == (False, True)


def test_a_hash_of_an_old_kind_is_replaced_by_a_sign_in(server: Server, ada: User) -> None:
    old = Passwords(memory_kib=32, passes=1).hash(PASSWORD)
    with server.services.database.write() as work:
        store.set_password_hash(work, ada.id, old)
    assert signs_in(server, PASSWORD)
    with server.services.database.read() as work:
        assert store.password_hash(work, ada.id) != old
    assert signs_in(server, PASSWORD)


def change(visitor: Visitor, new: str) -> httpx.Response:
    """Change the password on the page, which answers 303 if it was changed."""
    page = "/account/reset-password/"
    return visitor.submit(page, page, {"old": PASSWORD, "new": new, "again": new})


@pytest.mark.both_databases
def test_of_two_changes_of_a_password_the_first_to_finish_counts(server: Server, ada: User) -> None:
    """The second one was checked with a password that is no longer right, in a session that has ended."""
    inside, thief = server.browser(ada), server.browser(ada)
    answers: list[httpx.Response] = []
    interrupt(server, lambda: answers.append(change(inside, NEW)))
    refused = change(thief, "the password of a thief")
    assert answers[0].status_code == 303
    assert refused.status_code == 200
    assert "The current password is not right." in refused.text
    assert (signs_in(server, "the password of a thief"), signs_in(server, NEW)) == (False, True)
    assert inside.get("/account/").status_code == 200
    assert thief.get("/account/").status_code == 302


def test_a_session_that_was_ended_meanwhile_changes_no_password(server: Server, ada: User) -> None:
    """Nothing but the session ends, so the check of the password itself is still good."""
    inside, thief = server.browser(ada), server.browser(ada)
    with server.services.database.read() as work:
        number = work.db.scalar(sa.select(sa.func.max(sessions.c.id)))
    page = "/account/security/sessions/"

    def end() -> None:
        assert inside.submit(page, f"/session/delete/{number}", {}).status_code == 303

    interrupt(server, end)
    assert change(thief, "the password of a thief").status_code == 200
    assert thief.get("/account/").status_code == 302
    assert signs_in(server, PASSWORD)
