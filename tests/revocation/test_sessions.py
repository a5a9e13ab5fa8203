"""Sessions store how they were opened, and pending sign-ins end like open sessions."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.oauth.flows import post
from tests.oauth.provider import SECURITY, FakeProvider, go
from tests.oauth.test_external import link as link_provider
from tests.oauth.test_second_step import switch_on
from tests.operations.test_account_mail import EMAIL, NEW_PASSWORD, link, sent_mails
from tests.revocation.authenticator import Authenticator
from vitrine.accounts import COMMAND, User
from vitrine.accounts.credential_revocation import CredentialRevocation, Event, Occurrence
from vitrine.accounts.errors import WrongCode
from vitrine.accounts.tables import linked_identities, passkeys, sessions
from vitrine.applications import Profile, Switch
from vitrine.testing.server import PASSWORD, Server, Visitor, hidden

PASSWORD_PAGE = "/account/reset-password/"


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    provider_server = FakeProvider()
    yield provider_server
    provider_server.close()


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada", email="ada@museum.example")


def change_password(visitor: Visitor, old: str = PASSWORD, new: str = NEW_PASSWORD) -> None:
    form = {"old": old, "new": new, "again": new}
    assert visitor.submit(PASSWORD_PAGE, PASSWORD_PAGE, form).status_code == 303


def is_in(visitor: Visitor) -> bool:
    return visitor.get("/account/").status_code == 200


def add_passkey(server: Server, visitor: Visitor) -> Authenticator:
    key = Authenticator(server.settings.origin)
    options = visitor.xhr("POST", f"{SECURITY}passkeys/options/").json()["options"]
    form = {"answer": key.register(options), "name": "key"}
    assert visitor.submit(SECURITY, f"{SECURITY}passkeys/", form).status_code in (200, 303)
    return key


def by_passkey(server: Server, key: Authenticator) -> Visitor:
    visitor = server.browser()
    options = visitor.xhr("POST", "/login/passkey/options/").json()["options"]
    answer = visitor.xhr("POST", "/login/passkey/", {"answer": key.sign_in(options)})
    assert answer.json()["success"], answer.text
    return visitor


def test_a_passkey_takes_its_own_sessions_along_and_no_others(server: Server, ada: User) -> None:
    inside = server.browser(ada)
    lost = add_passkey(server, inside)
    at_work = by_passkey(server, lost)
    with server.services.database.read() as work:
        number = work.db.execute(sa.select(passkeys.c.id)).scalar_one()
    # One site has one key a device: a second device is another authenticator.
    other = Authenticator(server.settings.origin)
    other._id = b"another device".ljust(32, b"\0")
    options = inside.xhr("POST", f"{SECURITY}passkeys/options/").json()["options"]
    inside.submit(SECURITY, f"{SECURITY}passkeys/", {"answer": other.register(options), "name": "other"})
    elsewhere = by_passkey(server, other)
    assert inside.submit(SECURITY, f"{SECURITY}passkeys/{number}/remove/", {}).status_code == 303
    assert (is_in(inside), is_in(at_work), is_in(elsewhere)) == (True, False, True)


def test_the_person_is_told_of_a_passkey_that_was_added(server: Server, ada: User) -> None:
    inside = server.browser(ada)
    key = add_passkey(server, inside)
    (letter,) = sent_mails(server)
    assert (letter["To"], letter["Subject"]) == ("ada@museum.example", "Another way to sign in to Vitrine")
    assert "A passkey was added to your account ada" in letter.get_content()
    assert "/account/security/#passkeys" in letter.get_content()
    options = inside.xhr("POST", f"{SECURITY}passkeys/options/").json()["options"]
    inside.submit(SECURITY, f"{SECURITY}passkeys/", {"answer": key.register(options), "name": "again"})
    assert len(sent_mails(server)) == 1, "a refused passkey is no news"


def test_who_removes_the_passkey_that_opened_this_session_signs_in_again(server: Server, ada: User) -> None:
    visitor = by_passkey(server, add_passkey(server, server.browser(ada)))
    with server.services.database.read() as work:
        number = work.db.execute(sa.select(passkeys.c.id)).scalar_one()
    assert visitor.submit(SECURITY, f"{SECURITY}passkeys/{number}/remove/", {}).status_code == 303
    assert not is_in(visitor)


def test_who_removes_the_app_that_opened_this_session_signs_in_again(server: Server, ada: User) -> None:
    _, codes = switch_on(server, ada)
    visitor = server.browser()
    page = visitor.submit("/login/", "/login/", {"login": "ada", "password": PASSWORD})
    visitor.client.post("/login/second/", data={**hidden(page.text), "code": codes[0]})
    assert is_in(visitor)
    assert visitor.submit(SECURITY, f"{SECURITY}app/remove/", {}).status_code == 303
    assert not is_in(visitor)


@pytest.mark.parametrize("trusted", [True, False])
def test_a_provider_takes_its_sessions_along_also_after_our_own_second_step(
    tmp_path: Path, provider: FakeProvider, trusted: bool
) -> None:
    server = Server(tmp_path / "data", sign_in_providers=(provider.described(trust_second_step=trusted),))
    try:
        ada = server.user("ada")
        inside = server.browser(ada)
        link_provider(server, ada, provider)
        _, codes = switch_on(server, ada)
        visitor, answer = go(server, provider)
        if not trusted:
            visitor.client.post("/login/second/", data={**hidden(answer.text), "code": codes[0]})
        assert is_in(visitor)
        with server.services.database.read() as work:
            number = work.db.execute(sa.select(linked_identities.c.id)).scalar_one()
        assert inside.submit(SECURITY, f"{SECURITY}connected/{number}/remove/", {}).status_code == 303
        assert (is_in(inside), is_in(visitor)) == (True, False)
    finally:
        server.close()


def test_a_session_of_yesterday_ends_as_if_it_had_been_opened_by_what_was_removed(server: Server, ada: User) -> None:
    inside, yesterdays = server.browser(ada), server.browser(ada)
    add_passkey(server, inside)
    with server.services.database.write() as work:
        work.db.execute(sessions.update().values(opened_by=None))
        number = work.db.execute(sa.select(passkeys.c.id)).scalar_one()
    assert inside.submit(SECURITY, f"{SECURITY}passkeys/{number}/remove/", {}).status_code == 303
    assert (is_in(inside), is_in(yesterdays)) == (True, False)


@pytest.mark.both_databases
def test_a_sign_in_that_began_with_the_old_password_opens_nothing(server: Server, ada: User) -> None:
    """The password is changed while the old one is being hashed."""
    accounts, inside = server.services.accounts, server.browser(ada)
    began = accounts.users.check_password("ada", PASSWORD, "")
    change_password(inside)
    with server.services.database.write() as work, pytest.raises(WrongCode):
        accounts.sessions.open(work, began, address="", agent="")
    assert is_in(inside)


def test_a_password_grant_that_began_with_the_old_password_gives_nothing(server: Server, ada: User) -> None:
    app = server.register(ada, profile=Profile.STRICT, on=(Switch.PASSWORD_GRANT,))
    accounts, inside = server.services.accounts, server.browser(ada)
    form = {"grant_type": "password", "username": "ada", "password": PASSWORD}
    assert "access_token" in post(server, app, **form).json()
    passwords = accounts.users.passwords

    class Slow(type(passwords)):  # type: ignore[misc]
        """Accept the password, after it was changed."""

        def verify(self, hashed: str | None, password: str) -> bool:
            right = passwords.verify(hashed, password)
            accounts.users.passwords = passwords
            change_password(inside)
            return right

    accounts.users.passwords = Slow(memory_kib=64, passes=1)
    assert post(server, app, **form).json()["error"] == "invalid_grant"


def test_a_letter_that_was_asked_for_with_the_old_password_is_not_sent(server: Server, ada: User) -> None:
    visitor = server.browser(ada)
    visitor.submit(EMAIL, EMAIL, {"email": "thief@elsewhere.example", "password": PASSWORD})
    change_password(visitor)
    assert [mail["To"] for mail in sent_mails(server)] == []


@pytest.mark.both_databases
def test_a_letter_that_was_asked_for_before_a_new_address_was_given_is_not_sent(server: Server, ada: User) -> None:
    visitor, administration = server.browser(ada), server.services.accounts.administration
    visitor.submit(EMAIL, EMAIL, {"email": "thief@elsewhere.example", "password": PASSWORD})
    with server.services.database.write() as work:
        administration.give_address(work, COMMAND, "ada", "given@museum.example")
    assert [mail["To"] for mail in sent_mails(server)] == ["ada@museum.example"], "only the notice"


def test_a_letter_that_was_asked_for_before_the_address_was_changed_is_not_sent(server: Server, ada: User) -> None:
    visitor = server.browser(ada)
    visitor.submit(EMAIL, EMAIL, {"email": "new@museum.example", "password": PASSWORD})
    confirmation = link(sent_mails(server)[-1])
    visitor.submit(EMAIL, EMAIL, {"email": "thief@elsewhere.example", "password": PASSWORD})
    assert visitor.submit(confirmation, EMAIL, {}).status_code == 303
    assert "thief@elsewhere.example" not in [mail["To"] for mail in sent_mails(server)]


def test_a_letter_asked_for_again_does_not_wait_behind_one_that_is_not_sent(server: Server, ada: User) -> None:
    visitor = server.browser(ada)
    form = {"email": "new@museum.example", "password": PASSWORD}
    visitor.submit(EMAIL, EMAIL, form)
    change_password(visitor)
    visitor.submit(EMAIL, EMAIL, {**form, "password": NEW_PASSWORD})
    visitor.submit(EMAIL, EMAIL, {"email": "other@museum.example", "password": NEW_PASSWORD})
    addresses = sorted(mail["To"] for mail in sent_mails(server))
    assert addresses == ["new@museum.example", "other@museum.example"]


def test_what_breaks_off_ends_nothing(server: Server, ada: User) -> None:
    inside, revocation = server.browser(ada), server.services.accounts.users.revocation

    def broken() -> None:
        with server.services.database.write() as work:
            assert sum(revocation.end_credentials(work, Occurrence(Event.PASSWORD_RESET, ada.id)).values()) > 0
            raise RuntimeError("the power fails")

    with pytest.raises(RuntimeError, match="power"):
        broken()
    assert is_in(inside)


def test_a_credential_that_nothing_ends_does_not_start() -> None:
    with pytest.raises(RuntimeError, match="nothing ends these credentials: access token"):
        CredentialRevocation({}, lambda _work, _user: [])


def test_everything_but_this_session_is_ended_by_its_owner_shortly_after_signing_in(server: Server, ada: User) -> None:
    page = "/account/security/sessions/"
    inside, other, token = server.browser(ada), server.browser(ada), server.token(ada)
    with server.services.database.write() as work:
        work.db.execute(sessions.update().values(auth_time=work.now.replace(year=2020)))
    answer = inside.submit(page, f"{page}end-everything/", {})
    assert 'name="proof-password"' in answer.text
    assert is_in(other)
    form = {**hidden(answer.text), "proof-password": PASSWORD}
    assert inside.client.post(f"{page}end-everything/", data=form).headers["location"] == f"{page}?ended"
    assert (is_in(inside), is_in(other)) == (True, False)
    assert server.call("GET", "/api/v1/me/", token).status_code == 401
