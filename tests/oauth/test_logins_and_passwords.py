"""Logins and passwords that are written with other code points are the same (RFC 8265), on every path that takes them;
and nobody who could sign in before is locked out."""

import json
import unicodedata
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from tests.oauth.flows import CALLBACK, ask
from vitrine.accounts import COMMAND, User, precis, store
from vitrine.accounts.errors import LoginTaken, WeakPassword
from vitrine.accounts.tables import users
from vitrine.applications import Profile, Switch
from vitrine.cli.main import cli
from vitrine.errors import Invalid
from vitrine.operations import security
from vitrine.testing.server import PASSWORD, Server

# The same word composed and decomposed, and a password with another blank in it.
NFC, NFD = "r\u00e9n\u00e9e", "re\u0301ne\u0301e"
PASSWORD_NFC, PASSWORD_NFD = "caf\u00e9 au lait", "cafe\u0301\u00a0au lait"
WRITINGS = (NFC, NFD, NFC.upper(), "\uff52" + NFD[1:])


def add(server: Server, login: str, password: str = PASSWORD_NFC) -> User:
    with server.services.database.write() as work:
        return server.services.accounts.users.add(work, COMMAND, login=login, password=password)


def insert(server: Server, login: str, password: str = PASSWORD_NFC) -> User:
    """An account as releases before these rules stored it."""
    folded = login.casefold()
    hashed = server.services.accounts.users.passwords._hasher.hash(password)
    with server.services.database.write() as work:
        mapped = precis.mapped_login(login)
        values = {"login": login, "login_folded": folded, "login_mapped": mapped, "password_hash": hashed}
        return server.services.accounts.users.get(work, store.add_user(work, values))


def signs_in(server: Server, login: str, password: str) -> bool:
    answer = server.browser().submit("/login/", "/login/", {"login": login, "password": password})
    return answer.status_code == 303


@pytest.mark.both_databases
@pytest.mark.parametrize("login", WRITINGS)
def test_rfc8265_3_every_writing_of_a_login_and_a_password_signs_in(server: Server, login: str) -> None:
    user = add(server, NFC)
    for password in (PASSWORD_NFC, PASSWORD_NFD):
        assert signs_in(server, login, password)
        app = server.register(user, on=(Switch.PASSWORD_GRANT,))
        form = {"grant_type": "password", "client_id": app.client_id, "client_secret": app.secret}
        answer = server.http.post("/api/oauthv2/token", data={**form, "username": login, "password": password})
        assert answer.status_code == 200, answer.text
    assert not signs_in(server, login, PASSWORD_NFC.upper()), "letter case counts in a password"


@pytest.mark.parametrize("login", WRITINGS)
def test_rfc8265_3_a_login_that_is_written_otherwise_is_taken(server: Server, login: str) -> None:
    add(server, NFD)
    with pytest.raises(LoginTaken):
        add(server, login)


@pytest.mark.parametrize(
    "login",
    [
        "ada\u202e", "a\u200bda", "\u3164", "ada\u0007", "ad\u2028a", "a b", "\u24d0da", "ada\u2665", "\u05d0da",
        "a\ufe0f", "\u1100", "\ufdfa",
    ],
)  # fmt: skip
def test_rfc8264_4_2_a_new_login_has_only_characters_of_identifiers(server: Server, login: str) -> None:
    with pytest.raises(Invalid) as refused:
        add(server, login)
    assert refused.value.field == "login"
    done = CliRunner().invoke(
        cli, ["user", "add", login, "--password", "correct horse", "--data", str(server.settings.data_dir)]
    )
    assert isinstance(done.exception, Invalid)


@pytest.mark.parametrize(
    "login",
    ["ada", "Ada.Martin", NFD, "\u05d0\u05d3\u05d4", "\u0434\u0430", "\u30a2", "a+b_c!"],
)
def test_what_people_are_called_may_be_a_login(server: Server, login: str) -> None:
    assert add(server, login).login == login, "it is shown as it was typed"


def test_an_old_hash_of_the_raw_password_still_opens_and_is_hashed_anew(server: Server) -> None:
    user = insert(server, "ada", PASSWORD_NFD)
    assert not signs_in(server, "ada", PASSWORD_NFC), "the old hash knows one spelling"
    assert signs_in(server, "ada", PASSWORD_NFD)
    assert signs_in(server, "ada", PASSWORD_NFC), "the new one knows all"
    with server.services.database.read() as work:
        hashed = store.password_hash(work, user.id)
    assert hashed is not None
    assert signs_in(server, "ada", PASSWORD_NFD)
    with server.services.database.read() as work:
        assert store.password_hash(work, user.id) == hashed, "hashed anew once"


def test_a_changed_given_or_renewed_password_is_stored_in_its_form(server: Server) -> None:
    add(server, "ada", "correct horse")
    visitor = server.browser()
    visitor.submit("/login/", "/login/", {"login": "ada", "password": "correct horse"})
    page = "/account/reset-password/"
    form = {"old": "correct horse", "new": PASSWORD_NFD, "again": PASSWORD_NFD}
    assert visitor.submit(page, page, form).status_code == 303
    assert signs_in(server, "ada", PASSWORD_NFC)
    server.services.accounts.administration.give_password(COMMAND, "ada", "e\u0301" * 8)
    assert signs_in(server, "ada", "\u00e9" * 8)


def test_a_new_password_has_no_control_characters_and_is_counted_in_its_form(server: Server) -> None:
    for wrong in ("correct\x00horse", "correct\thorse", "e\u0301" * 7):
        with pytest.raises(WeakPassword):
            server.services.accounts.users.passwords.hash(wrong)
    server.services.accounts.users.passwords.hash("\U0001f469\u200d\U0001f52c" * 3)


@pytest.mark.both_databases
def test_twins_of_before_keep_their_accounts_and_are_reported(server: Server) -> None:
    composed, decomposed = insert(server, NFC, "password of one"), insert(server, NFD, "password of two")
    for login, password, user in ((NFC, "password of one", composed), (NFD, "password of two", decomposed)):
        assert signs_in(server, login, password)
        with server.services.database.read() as work:
            assert server.services.accounts.users.find(work, login).id == user.id
    assert not signs_in(server, NFC, "password of two")
    with server.services.database.read() as work:
        assert store.user_by_login(work, "\uff52" + NFC[1:]) is None, "nobody knows which of them is meant"
        findings = [finding for finding in security.twins(work) if finding.check == "people"]
    assert len(findings) == 1
    assert f"{composed.id}" in findings[0].text and f"{decomposed.id}" in findings[0].text


def test_the_security_report_names_twins(server: Server) -> None:
    insert(server, NFC)
    insert(server, NFD)
    done = CliRunner().invoke(cli, ["check", "--security", "--json", "--data", str(server.settings.data_dir)])
    assert "One login in two writings" in json.dumps(json.loads(done.output)), done.output


def test_logins_of_before_that_no_identifier_class_allows_still_sign_in(server: Server) -> None:
    for login in ("ada\u2665", "stra\u00dfe", "\u0130z", "\u05d0da", "a\u200bda"):
        insert(server, login)
        assert signs_in(server, login, PASSWORD_NFC), ascii(login)
    assert signs_in(server, "STRASSE", PASSWORD_NFC), "as before"
    with server.services.database.read() as work:
        assert work.db.scalar(sa.select(sa.func.count()).select_from(users)) == 5


MARKS = "a" + "\u0301" * 30_000 + "\u0316" * 30_000  # to bring them into order takes time in the square of their number


def test_a_text_that_is_too_long_is_refused_before_it_is_mapped(
    server: Server, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    longest = 0
    normalize = unicodedata.normalize

    def measured(form: Any, text: str) -> str:
        nonlocal longest
        longest = max(longest, len(text))
        return normalize(form, text)

    monkeypatch.setattr(unicodedata, "normalize", measured)
    visitor, prefix = server.browser(), server.register(ada, profile=Profile.COMPATIBILITY)
    visitor.submit("/login/", "/login/", {"login": MARKS, "password": PASSWORD})
    visitor.submit("/login/", "/login/", {"login": "ada", "password": MARKS})
    assert ask(visitor, prefix, redirect_uri=f"{CALLBACK}/{MARKS}"[:9_000]).status_code == 400
    assert ask(visitor, prefix, redirect_uri=f"https://{MARKS}"[:9_000]).status_code == 400
    server.call("POST", "/api/v1/search/", prefix.developer_token, data={"query": MARKS})
    with pytest.raises(WeakPassword):
        server.services.accounts.users.passwords.hash(MARKS)
    assert longest <= 10_000


def test_a_password_of_letters_with_marks_of_their_own_is_usable_up_to_the_bound(server: Server) -> None:
    passwords = server.services.accounts.users.passwords
    decomposed = "e\u0301" * 1_000
    assert passwords.verify(passwords.hash(decomposed), decomposed)
