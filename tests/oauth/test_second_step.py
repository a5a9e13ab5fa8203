"""Attempts to bypass the password or the second step, and to lock out a person."""

import html
import threading
from dataclasses import replace
from functools import partial

import pyotp
import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from tests.oauth.flows import AUTHORIZE, TOKEN, allow, ask, post, query_of
from tests.operations.test_account_mail import link, sent_mails
from vitrine.accounts import User, Via
from vitrine.accounts.tables import recovery_codes, second_factors
from vitrine.applications import Profile, Switch
from vitrine.platform.addresses import rate_limit_key
from vitrine.testing.server import PASSWORD, Registered, Server, Visitor, hidden


@pytest.fixture(autouse=True)
def _without_puzzles(server: Server) -> None:
    """The lock-outs are looked at here; puzzles after failures have tests of their own."""
    users = server.services.accounts.users
    users.policy = replace(users.policy, failures_before_puzzle=10**6)


def switch_on(server: Server, user: User) -> tuple[pyotp.TOTP, list[str]]:
    """An authenticator app for *user*, and the recovery codes."""
    services = server.services
    with services.database.write() as work:
        _, session = services.accounts.sessions.open(work, user, address="", agent="")
        actor = services.accounts.users.actor_of(work, user, Via.SESSION, session=session)
        totp = pyotp.parse_uri(services.accounts.mfa.begin(work, actor))
        assert isinstance(totp, pyotp.TOTP)
        codes = services.accounts.mfa.confirm(work, actor, totp.now())
        work.db.execute(second_factors.update().values(last_step=None))
    return totp, codes


def at(server: Server, address: str) -> Visitor:
    """A browser at another address."""
    client = TestClient(
        server.application, base_url=server.settings.base_url, follow_redirects=False, client=(address, 1)
    )
    return Visitor(client)


def sign_in(visitor: Visitor, password: str = PASSWORD, login: str = "ada") -> str:
    """The response of the sign-in page: its redirect or its text."""
    answer = visitor.submit("/login/", "/login/", {"login": login, "password": password})
    return answer.headers.get("location", answer.text)


def fail(server: Server, address: str, login: str = "ada", times: int = 8) -> None:
    visitor = at(server, address)
    for _ in range(times):
        assert "<form" in sign_in(visitor, "wrong", login)


@pytest.mark.both_databases
def test_strangers_do_not_lock_out_who_is_signed_in_from_here(server: Server, ada: User) -> None:
    assert sign_in(at(server, "192.0.2.1")) == "/"
    fail(server, "198.51.100.9")
    assert "Too many failed sign-ins" in sign_in(at(server, "198.51.100.9")), "there the right one is refused too"
    assert "Too many failed sign-ins" in sign_in(at(server, "203.0.113.5")), "and everywhere else"
    assert sign_in(at(server, "192.0.2.1")) == "/"


def test_guesses_from_the_usual_address_are_counted_as_ever(server: Server, ada: User) -> None:
    assert sign_in(at(server, "192.0.2.1")) == "/"
    fail(server, "192.0.2.1")
    assert "Too many failed sign-ins" in sign_in(at(server, "192.0.2.1"))
    assert "Too many failed sign-ins" in sign_in(at(server, "203.0.113.5"))


@pytest.mark.both_databases
def test_nobody_fills_the_counter_of_a_second_step_from_the_sign_in_page(server: Server, ada: User) -> None:
    totp, _ = switch_on(server, ada)
    for name in (f"second step of user {ada.id}", f"\x00second step of {ada.id}", f"Second Step of user {ada.id} "):
        fail(server, "198.51.100.9", name, times=9)
    visitor = at(server, "192.0.2.1")
    page = visitor.submit("/login/", "/login/", {"login": "ada", "password": PASSWORD})
    answer = visitor.client.post("/login/second/", data={**hidden(page.text), "code": totp.now()})
    assert answer.headers["location"] == "/"


def test_all_addresses_of_one_ipv6_network_are_one_place(server: Server, ada: User) -> None:
    for number in range(8):
        fail(server, f"2001:db8::{number:x}", times=1)
    assert "Too many failed sign-ins" in sign_in(at(server, "203.0.113.5"))
    assert sign_in(server.browser(), login="nobody") != "/"
    for number in range(32):
        fail(server, f"2001:db8::1:{number:x}", login=f"nobody-{number}", times=1)
    server.user("bob")
    assert "Too many failed sign-ins" in sign_in(at(server, "2001:db8::ffff"), login="bob")
    assert sign_in(at(server, "2001:db8:0:1::ffff"), login="bob") == "/", "the network beside it"
    assert rate_limit_key("::ffff:192.0.2.1") == "192.0.2.1"
    assert rate_limit_key("fe80::1%eth0") == rate_limit_key("fe80::2") != rate_limit_key("fe80:0:0:1::1")
    assert rate_limit_key("7") == "7"


def test_a_proof_of_the_password_is_worth_nothing_in_another_browser(server: Server, ada: User) -> None:
    totp, _ = switch_on(server, ada)
    page = at(server, "192.0.2.1").submit("/login/", "/login/", {"login": "ada", "password": PASSWORD})
    thief = at(server, "192.0.2.1")
    form = {**thief.form("/login/"), "pending": hidden(page.text)["pending"], "code": totp.now()}
    assert "too long ago" in thief.client.post("/login/second/", data=form).text
    for forged in (
        "",
        "x",
        f"{ada.id}.99999999999.x",
        f"{ada.id}.99999999999",
        "\N{SNOWMAN}.1.2",
        f"{ada.id}.\N{SUPERSCRIPT TWO}.x",
    ):
        answer = thief.client.post("/login/second/", data={**form, "pending": forged})
        assert "too long ago" in answer.text


@pytest.mark.both_databases
def test_of_parallel_uses_of_one_code_one_counts(server: Server, ada: User) -> None:
    totp, codes = switch_on(server, ada)
    for code in (codes[0], totp.now()):
        visitors = [at(server, f"192.0.2.{number}") for number in range(6)]
        forms = []
        for visitor in visitors:
            page = visitor.submit("/login/", "/login/", {"login": "ada", "password": PASSWORD})
            forms.append({**hidden(page.text), "code": code})
        together = threading.Barrier(len(visitors))
        places: list[str] = []
        send = partial(_send, together, places)
        threads = [threading.Thread(target=send, args=pair) for pair in zip(visitors, forms, strict=True)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(places) == ["", "", "", "", "", "/"]
        with server.services.database.write() as work:
            server.services.accounts.users.note_attempt(work, f"second step of user {ada.id}", "", right=True)
    with server.services.database.read() as work:
        left = sa.select(sa.func.count()).select_from(recovery_codes).where(recovery_codes.c.used_at.is_(None))
        assert work.db.scalar(left) == 9


def _send(together: threading.Barrier, places: list[str], visitor: Visitor, form: dict[str, str]) -> None:
    together.wait()
    places.append(visitor.client.post("/login/second/", data=form).headers.get("location", ""))


def test_a_new_password_by_letter_leaves_the_second_step_where_it_is(server: Server, ada: User) -> None:
    switch_on(server, ada)
    visitor = at(server, "192.0.2.1")
    visitor.submit("/login/forgot-password/", "/login/forgot-password/", {"login": "ada@example.com"})
    server.work()
    where = link(sent_mails(server)[-1])
    token = where.partition("token=")[2]
    new = {"token": token, "new": "another long one", "again": "another long one"}
    answer = visitor.submit(where, "/login/renew-password/", new)
    assert answer.headers["location"] == "/login/?renewed", "nobody is signed in by a letter alone"
    page = visitor.submit("/login/", "/login/", {"login": "ada", "password": "another long one"})
    assert 'name="pending"' in page.text


def test_the_authorize_page_asks_for_the_second_step_and_prompt_login_asks_again(
    server: Server, ada: User, strict: Registered
) -> None:
    _, codes = switch_on(server, ada)
    visitor = at(server, "192.0.2.1")
    for code, more in ((codes[0], {}), (codes[1], {"prompt": "login"}), (codes[2], {"max_age": "0"})):
        form = {**hidden(ask(visitor, strict, **more).text), "login": "ada", "password": PASSWORD, "action_login": "1"}
        page = visitor.client.post(AUTHORIZE, data=form)
        assert page.status_code == 200
        assert 'name="pending"' in page.text
        step = {name: html.unescape(value) for name, value in hidden(page.text).items()}
        wrong = visitor.client.post("/login/second/", data={**step, "code": "aaaaa-aaaaa-aaaaa"})
        again = {name: html.unescape(value) for name, value in hidden(wrong.text).items()}
        answer = visitor.client.post("/login/second/", data={**again, "code": code})
        assert answer.status_code == 303
        assert "code" in query_of(allow(visitor, visitor.get(answer.headers["location"])))


def test_answers_do_not_tell_which_accounts_there_are(server: Server, ada: User) -> None:
    """Sign-in page, password grant and forgotten password: same texts and statuses, whether the account exists or
    not."""
    app = server.register(ada, profile=Profile.STRICT, on=(Switch.PASSWORD_GRANT,))
    grants = [
        post(server, app, grant_type="password", username=name, password="wrong").json() for name in ("ada", "nobody")
    ]
    assert grants[0] == grants[1]
    without = [re_token(sign_in(server.browser(), "wrong", name)).replace(name, "X") for name in ("ada", "nobody")]
    assert without[0] == without[1]
    answers = [
        server.browser().submit("/login/forgot-password/", "/login/forgot-password/", {"login": name})
        for name in ("ada@example.com", "nobody@example.com")
    ]
    assert len({(answer.status_code, re_token(answer.text)) for answer in answers}) == 1


def re_token(text: str) -> str:
    """A page without the tokens of its forms and the id of its request."""
    for value in hidden(text).values():
        text = text.replace(value, "T") if len(value) > 20 else text
    return text


def test_no_secret_of_a_flow_is_written_to_the_log_or_the_audit(
    server: Server, ada: User, strict: Registered, visitor: Visitor, capfd: pytest.CaptureFixture[str]
) -> None:
    """Design section 8: after whole flows, refusals and a failure, everything written is searched for secrets."""
    from tests.oauth.flows import INTROSPECT, REVOKE, code_of, exchange, refresh
    from vitrine.platform.tables import audit_log, request_log

    code = code_of(visitor, strict, scope="openid account:read")
    granted = exchange(server, strict, code).json()
    fresh = refresh(server, strict, granted["refresh_token"]).json()
    exchange(server, strict, code)
    for path in (INTROSPECT, REVOKE):
        post(server, strict, path, token=fresh["access_token"])
    server.http.get(f"/api/v1/me/?oauth_token={strict.developer_token}")
    server.http.post(TOKEN, data={"grant_type": "password", "username": "ada", "password": PASSWORD})
    sign_in(server.browser(), "hunter2 hunter2")
    _, recovery = switch_on(server, ada)
    server.services.deferred_writes.flush()
    said = capfd.readouterr()
    with server.services.database.read() as work:
        kept = [str(tuple(row)) for table in (audit_log, request_log) for row in work.db.execute(sa.select(table))]
    secrets = [
        code, *(granted[name] for name in ("access_token", "refresh_token", "id_token")), fresh["access_token"],
        fresh["refresh_token"], strict.secret, strict.developer_token, PASSWORD, "hunter2", *recovery,
        visitor.client.cookies["vitrine"],
    ]  # fmt: skip
    written = said.out + said.err + "\n".join(kept)
    assert [secret for secret in secrets if secret in written] == []
    assert any("code.replayed" in row for row in kept)
