"""Signing in through another organisation's OpenID provider (contract 01 section 7.3, docs/decisions/0064)."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
import sqlalchemy as sa

from tests.oauth.conftest import Make
from tests.oauth.flows import AUTHORIZE, PKCE, allow, ask, post, query_of
from tests.oauth.provider import SECURITY, START, FakeProvider, go, reason
from vitrine.accounts import User, UserId, Via
from vitrine.accounts.tables import linked_identities, sessions, users
from vitrine.applications import Profile, Switch
from vitrine.errors import Invalid
from vitrine.platform.tables import audit_log
from vitrine.settings import load
from vitrine.testing.server import CALLBACK, PASSWORD, Server, Visitor, hidden

OWN = "/account/security/applications/"
CONNECT = f"{SECURITY}connected/museum/"


def signed_in(visitor: Visitor) -> str:
    """The login of the signed-in person."""
    page = visitor.get("/account/")
    return page.text.partition("<b>")[2].partition("</b>")[0] if page.status_code == 200 else ""


def linked(server: Server) -> list[Any]:
    with server.services.database.read() as work:
        return list(work.db.execute(linked_identities.select()).all())


def link(server: Server, user: User, provider: FakeProvider, subject: str = "sub-1") -> None:
    """Link the identity as its owner would, without the pages."""
    with server.services.database.write() as work:
        values = {"user_id": user.id, "issuer": provider.issuer, "subject": subject, "created": work.now}
        work.db.execute(linked_identities.insert().values(**values))


def change(server: Server, user: User, **values: Any) -> None:
    with server.services.database.write() as work:
        work.db.execute(users.update().where(users.c.id == user.id).values(**values))


def actions(server: Server) -> list[str]:
    with server.services.database.read() as work:
        return list(work.db.scalars(sa.select(audit_log.c.action).order_by(audit_log.c.id)))


# -- whose account it is -------------------------------------------------------------------------------------------


def test_a_verified_address_finds_the_account_the_first_time_and_the_subject_ever_after(
    make: Make, provider: FakeProvider
) -> None:
    server = make(link_by_email=True)
    server.user("ada", email="Ada@museum.example")
    visitor, answer = go(server, provider, start=f"{START}?redirect=/upload/")
    assert (answer.status_code, answer.headers["location"]) == (302, "/upload/")
    assert signed_in(visitor) == "ada"
    provider.claims |= {"email": "somebody.else@museum.example"}
    visitor, _ = go(server, provider)
    assert signed_in(visitor) == "ada"
    assert [action for action in actions(server) if action.startswith("external")] == [
        "external.linked", "external.used", "external.used",
    ]  # fmt: skip


def test_a_byte_order_mark_before_the_answers_of_a_provider_is_ignored(make: Make, provider: FakeProvider) -> None:
    """RFC 8259 section 8.1; some servers send a file that an editor saved with one."""
    provider.mark = b"\xef\xbb\xbf"
    server = make(link_by_email=True)
    server.user("ada", email="ada@museum.example")
    visitor, _ = go(server, provider)
    assert signed_in(visitor) == "ada"


def test_the_person_is_told_by_letter_that_a_sign_in_was_connected(make: Make, provider: FakeProvider) -> None:
    server = make(link_by_email=True)
    server.user("ada", email="ada@museum.example")
    go(server, provider)
    server.work()
    (letter,) = [file.read_text() for file in (server.settings.data_dir / "outbox").glob("*.eml")]
    assert "Signing in at Museum SSO now opens your account ada" in letter.replace("=\n", "")


def test_by_default_an_address_finds_nobody_and_no_account_is_made(make: Make, provider: FakeProvider) -> None:
    server = make()
    server.user("ada", email="ada@museum.example")
    visitor, answer = go(server, provider)
    assert reason(answer) == "taken"
    assert "There is an account with your e-mail address here." in visitor.get(answer.headers["location"]).text
    provider.claims |= {"email": "bob@museum.example"}
    assert reason(go(server, provider)[1]) == "unknown"
    assert linked(server) == []


def test_somebody_else_who_has_the_address_now_does_not_get_the_account(make: Make, provider: FakeProvider) -> None:
    """Core section 5.7: an address may be given to another person, a subject never is."""
    server = make(link_by_email=True, create_accounts=True)
    server.user("ada", email="ada@museum.example")
    go(server, provider)
    provider.claims |= {"sub": "sub-2"}
    assert reason(go(server, provider)[1]) == "taken"
    assert len(linked(server)) == 1


@pytest.mark.parametrize("kind", ["administrator", "second step", "guest", "locked", "two of them"])
def test_accounts_that_matter_more_are_never_found_by_an_address(make: Make, provider: FakeProvider, kind: str) -> None:
    server = make(link_by_email=True, create_accounts=True)
    ada = server.user("ada", email="ada@museum.example", is_admin=kind == "administrator")
    if kind == "second step":
        with_app(server, ada)
    if kind == "two of them":
        server.user("eve", email="ada@museum.example")
    change(server, ada, is_guest=kind == "guest", mail_locked=kind == "locked")
    assert reason(go(server, provider)[1]) == "taken"


@pytest.mark.parametrize("closed", ["is_guest", "mail_locked"])
def test_a_connected_account_that_was_closed_stays_closed(make: Make, provider: FakeProvider, closed: str) -> None:
    server = make()
    ada = server.user("ada")
    link(server, ada, provider)
    assert go(server, provider)[1].headers["location"] == "/"
    change(server, ada, **{closed: True})
    assert reason(go(server, provider)[1]) == "closed"


def test_a_new_account_has_no_password_and_no_rights(make: Make, provider: FakeProvider) -> None:
    server = make(create_accounts=True)
    provider.claims |= {"given_name": "Ada", "family_name": "Martin", "locale": "fr-FR"}
    visitor, answer = go(server, provider)
    assert answer.headers["location"] == "/"
    with server.services.database.read() as work:
        user = server.services.accounts.users.find(work, "ada@museum.example")
        rights = server.services.accounts.users.rights(work, user.id, user.rights_version)
        assert not server.services.accounts.users.has_password(work, user.id)
    assert (user.login, user.email, user.display_name, user.locale, user.is_admin) == (
        "ada@museum.example", "ada@museum.example", "Ada Martin", "fr", False,
    )  # fmt: skip
    assert not rights.collections
    assert signed_in(visitor) == "ada@museum.example"
    again, _ = go(server, provider)
    assert signed_in(again) == "ada@museum.example"
    assert len(linked(server)) == 1


def test_a_name_that_the_provider_made_up_takes_nobodys_login_or_address(make: Make, provider: FakeProvider) -> None:
    server = make(create_accounts=True)
    server.user("root", email="victim@museum.example", is_admin=True)
    names = {
        "root": "root-2", "victim@museum.example": "victim", "a b": "ab", "r\u202eoot": "museum", "": "museum-2",
    }  # fmt: skip
    for number, (name, login) in enumerate(names.items()):
        provider.claims = {"sub": f"sub-{number}", "preferred_username": name}
        provider.userinfo = {"sub": f"sub-{number}", "preferred_username": name}
        assert signed_in(go(server, provider)[0]) == login
    with server.services.database.read() as work:
        assert server.services.accounts.users.find(work, "victim@museum.example").login == "root"


def test_a_stranger_does_not_become_the_first_account_of_an_instance(make: Make, provider: FakeProvider) -> None:
    server = make(create_accounts=True)
    with server.services.database.write() as work:
        work.db.execute(users.delete())
    assert reason(go(server, provider)[1]) == "unknown"
    assert server.browser().get("/login/").headers["location"] == "/setup/"


def test_only_verified_addresses_of_the_allowed_domains_may_come(make: Make, provider: FakeProvider) -> None:
    server = make(create_accounts=True, link_by_email=True, domains=("museum.example",))
    for address in ("ada@museum.example.evil.example", "ada@evil.example", "ada@MUSEUM.example@evil.example"):
        provider.claims |= {"email": address}
        assert reason(go(server, provider)[1]) == "domain"
    provider.claims |= {"email": "ada@Museum.Example", "email_verified": False}
    assert reason(go(server, provider)[1]) == "domain"
    provider.claims |= {"email_verified": True}
    assert go(server, provider)[1].headers["location"] == "/"
    provider.claims |= {"email": "ada@elsewhere.example"}
    assert reason(go(server, provider)[1]) == "domain", "also for who came before"


@pytest.mark.both_databases
def test_two_first_sign_ins_at_once_make_one_account(make: Make, provider: FakeProvider) -> None:
    server = make(create_accounts=True)
    visitors = [server.browser() for _ in range(6)]
    answers = [provider.visit(visitor.get(START).headers["location"]) for visitor in visitors]
    responses: list[Any] = []
    threads = [
        threading.Thread(target=lambda visitor=visitor, back=back: responses.append(visitor.get(back)))
        for visitor, back in zip(visitors, answers, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [response.headers["location"] for response in responses] == ["/"] * 6
    with server.services.database.read() as work:
        assert len(list(work.db.execute(users.select()))) == 2, "the keeper and one more"
    assert len(linked(server)) == 1


# -- second step and fresh sign-ins ---------------------------------------------------------------------------------


def with_app(server: Server, user: User) -> pyotp.TOTP:
    """An authenticator app of *user*."""
    second = server.services.accounts.mfa
    with server.services.database.write() as work:
        _, session = server.services.accounts.sessions.open(work, user, address="", agent="")
        actor = server.services.accounts.users.actor_of(work, user, Via.SESSION, session=session)
        app = pyotp.parse_uri(second.begin(work, actor))
        assert isinstance(app, pyotp.TOTP)
        second.confirm(work, actor, app.generate_otp(int(work.now.timestamp()) // 30 - 1))
    return app


def test_our_second_step_comes_after_the_providers_unless_the_operator_trusts_it(
    make: Make, provider: FakeProvider
) -> None:
    server = make()
    ada = server.user("ada")
    link(server, ada, provider)
    app = with_app(server, ada)
    visitor, page = go(server, provider, start=f"{START}?redirect=/upload/")
    assert page.status_code == 200
    assert signed_in(visitor) == ""
    answer = visitor.client.post("/login/second/", data={**hidden(page.text), "code": app.now()})
    assert answer.headers["location"] == "/upload/"
    assert signed_in(visitor) == "ada"


def test_a_provider_that_is_trusted_with_the_second_step_spares_ours(make: Make, provider: FakeProvider) -> None:
    server = make(trust_second_step=True)
    ada = server.user("ada")
    link(server, ada, provider)
    with_app(server, ada)
    assert signed_in(go(server, provider)[0]) == "ada"


def reveal(server: Server, visitor: Visitor, application: int) -> Any:
    page = f"/developers/application/{application}/"
    return visitor.submit(page, f"{page}reveal/", {})


@pytest.mark.parametrize("said", ["an hour ago", None])
def test_an_old_sign_in_at_the_provider_shows_no_secrets_here(
    make: Make, provider: FakeProvider, said: str | None
) -> None:
    """Design 5.4: secrets are shown for 15 minutes after an authentication, here or at a provider."""
    server = make()
    ada = server.user("ada")
    app = server.register(ada)
    link(server, ada, provider)
    change(server, ada, password_hash=None)
    now = provider_time(server)
    provider.claims |= {"auth_time": None if said is None else now - 3600}
    visitor, _ = go(server, provider)
    page = reveal(server, visitor, app.application.id)
    assert app.secret not in page.text
    assert "Sign in again with Museum SSO" in page.text
    assert 'name="proof-password"' not in page.text
    prove = f"/login/provider/museum/prove/?redirect=/developers/application/{app.application.id}/"
    there = visitor.get(prove)
    assert query_of(there.headers["location"])["prompt"] == "login"
    assert query_of(there.headers["location"])["max_age"] == "0"
    back = visitor.get(provider.visit(there.headers["location"]))
    assert reason(back) == "not-proved", "the provider did not ask"
    assert "does not say that you signed in" in visitor.get(back.headers["location"]).text
    provider.claims |= {"auth_time": provider_time(server)}
    go(server, provider, visitor, prove)
    assert app.secret in reveal(server, visitor, app.application.id).text


def provider_time(server: Server) -> int:
    with server.services.database.read() as work:
        return int(work.now.timestamp())


def test_somebody_elses_sign_in_proves_nothing(make: Make, provider: FakeProvider) -> None:
    server = make(create_accounts=True)
    ada, eve = server.user("ada"), server.user("eve")
    link(server, ada, provider, "sub-ada")
    link(server, eve, provider)
    visitor = server.browser(ada)
    assert reason(go(server, provider, visitor, "/login/provider/museum/prove/")[1]) == "other"
    provider.claims |= {"sub": "sub-nobody"}
    assert reason(go(server, provider, visitor, "/login/provider/museum/prove/")[1]) == "other"
    assert signed_in(visitor) == "ada"
    assert server.browser().get("/login/provider/museum/prove/").headers["location"].startswith("/login/?redirect=")


# -- connecting -----------------------------------------------------------------------------------------------------


def test_a_person_connects_and_removes_a_sign_in(make: Make, provider: FakeProvider) -> None:
    server = make()
    visitor = server.browser(server.user("ada", email="ada@museum.example"))
    assert "Connect Museum SSO" in visitor.get(SECURITY).text
    _, page = go(server, provider, visitor, CONNECT)
    assert linked(server) == [], "the page asks first"
    assert "ada@museum.example" in page.text
    answer = visitor.client.post(f"{SECURITY}connected/", data=hidden(page.text))
    assert answer.headers["location"].startswith(SECURITY)
    assert signed_in(go(server, provider)[0]) == "ada"
    (mine,) = linked(server)
    removed = visitor.submit(SECURITY, f"{SECURITY}connected/{mine.id}/remove/", {})
    assert removed.status_code == 303
    assert linked(server) == []
    assert [action for action in actions(server) if "link" in action] == ["external.linked", "external.unlinked"]


def test_connecting_needs_a_fresh_sign_in_and_ones_own_browser(make: Make, provider: FakeProvider) -> None:
    server = make()
    ada, eve = server.user("ada"), server.user("eve")
    visitor = server.browser(ada)
    _, page = go(server, provider, visitor, CONNECT)
    form = hidden(page.text)
    other = server.browser(eve)
    theirs = {**form, "csrf": other.form(SECURITY)["csrf"]}
    assert other.client.post(f"{SECURITY}connected/", data=theirs).status_code == 400, "made for somebody else"
    broken = {**form, "identity": form["identity"][:-4]}
    assert visitor.client.post(f"{SECURITY}connected/", data=broken).status_code == 400
    assert visitor.client.post(f"{SECURITY}connected/", data={**form, "csrf": ""}).status_code == 403
    with server.services.database.write() as work:
        work.db.execute(sessions.update().values(auth_time=work.now - timedelta(hours=1)))
    stale = visitor.client.post(f"{SECURITY}connected/", data=form)
    assert 'name="proof-password"' in stale.text
    assert linked(server) == []
    assert visitor.get(CONNECT).headers["location"] == f"/login/prove/?redirect={CONNECT.replace('/', '%2F')}"
    proved = visitor.client.post(f"{SECURITY}connected/", data={**hidden(stale.text), "proof-password": PASSWORD})
    assert proved.status_code == 303
    assert len(linked(server)) == 1


def test_what_is_connected_with_one_account_is_not_connected_with_another(make: Make, provider: FakeProvider) -> None:
    server = make()
    ada, eve = server.user("ada"), server.user("eve")
    link(server, ada, provider)
    visitor = server.browser(eve)
    _, page = go(server, provider, visitor, CONNECT)
    assert visitor.client.post(f"{SECURITY}connected/", data=hidden(page.text)).status_code == 409
    (theirs,) = linked(server)
    assert visitor.submit(SECURITY, f"{SECURITY}connected/{theirs.id}/remove/", {}).status_code == 404
    assert [identity.user_id for identity in linked(server)] == [ada.id]


def test_the_last_way_in_cannot_be_removed(make: Make, provider: FakeProvider) -> None:
    server = make(create_accounts=True)
    visitor, _ = go(server, provider)
    (mine,) = linked(server)
    assert visitor.submit(SECURITY, f"{SECURITY}connected/{mine.id}/remove/", {}).status_code == 409
    assert len(linked(server)) == 1


def test_an_account_without_a_password_can_get_one_and_no_guess_opens_it(make: Make, provider: FakeProvider) -> None:
    server = make(create_accounts=True)
    visitor, _ = go(server, provider)
    owner = server.user("owner")
    app = server.register(owner, on=(Switch.PASSWORD_GRANT,))
    for password in ("", "None", PASSWORD):
        answer = post(server, app, grant_type="password", username="ada@museum.example", password=password or " ")
        assert answer.json()["error"] == "invalid_grant"
    page = visitor.get("/account/reset-password/").text
    assert 'name="old"' not in page
    assert "/login/forgot-password/" in page
    page = visitor.get("/account/reset-email/").text
    assert 'name="password"' not in page
    form = {"email": "ada@new.example"}
    assert "An e-mail is on its way" in visitor.submit("/account/reset-email/", "/account/reset-email/", form).text
    with server.services.database.write() as work:
        work.db.execute(sessions.update().values(auth_time=work.now - timedelta(hours=1)))
    stale = visitor.submit("/account/reset-email/", "/account/reset-email/", form)
    assert "Sign in again with Museum SSO" in stale.text


# -- with an application that waits ---------------------------------------------------------------------------------


def test_01_7_3_the_request_of_an_application_goes_on_afterwards(make: Make, provider: FakeProvider) -> None:
    server = make(link_by_email=True)
    ada = server.user("ada", email="ada@museum.example")
    app = server.register(server.user("owner"), profile=Profile.STRICT)
    visitor = server.browser()
    page = ask(visitor, app, state="a state/with ?=+", scope="openid library:read", nonce="n")
    start = page.text.partition('href="/api/oauthv2/provider/museum/authorize/')[2].partition('"')[0]
    _, answer = go(server, provider, visitor, f"/api/oauthv2/provider/museum/authorize/{start.replace('&amp;', '&')}")
    assert answer.headers["location"].startswith(f"{AUTHORIZE}?")
    location = allow(visitor, visitor.get(answer.headers["location"]))
    assert location.startswith(CALLBACK)
    assert query_of(location)["state"] == "a state/with ?=+"
    assert ada.login == signed_in(visitor)


def test_01_7_3_a_failure_goes_back_to_the_sign_in_step_with_everything(make: Make, provider: FakeProvider) -> None:
    server = make()
    app = server.register(server.user("owner"), profile=Profile.STRICT)
    start = f"/api/oauthv2/provider/museum/authorize/?client_id={app.client_id}&response_type=code&state=s"
    start += f"&redirect_uri={CALLBACK}&" + "&".join(f"{name}={value}" for name, value in PKCE.items())
    provider.answer = {"error": "access_denied", "code": None}
    visitor, answer = go(server, provider, start=start)
    where = answer.headers["location"]
    assert where.startswith(f"{AUTHORIZE}?error=login&")
    assert {"reason": "cancelled", "state": "s", "client_id": app.client_id}.items() <= query_of(where).items()
    page = visitor.get(where)
    assert "You did not sign in at Museum SSO." in page.text
    assert hidden(page.text)["state"] == "s"


def test_01_7_3_who_is_asked_for_a_new_sign_in_gets_one(make: Make, provider: FakeProvider) -> None:
    server = make()
    ada = server.user("ada")
    link(server, ada, provider)
    app = server.register(ada, profile=Profile.STRICT)
    for wanted in ("prompt=login", "max_age=0"):
        visitor = server.browser(ada)
        query = f"client_id={app.client_id}&response_type=code&redirect_uri={CALLBACK}&{wanted}&" + "&".join(
            f"{name}={value}" for name, value in PKCE.items()
        )
        start = f"/api/oauthv2/provider/museum/authorize/?{query}"
        provider.claims |= {"auth_time": provider_time(server) - 3600}
        _, answer = go(server, provider, visitor, start)
        assert reason(answer) == "not-proved"
        assert query_of(answer.headers["location"])["prompt"] == "login"
        provider.claims |= {"auth_time": provider_time(server)}
        _, answer = go(server, provider, visitor, start)
        assert "prompt" not in query_of(answer.headers["location"])
        assert visitor.get(answer.headers["location"]).status_code == 200, "the consent page"


def test_01_7_3_the_parameters_are_checked_and_an_unknown_provider_is_404(make: Make, provider: FakeProvider) -> None:
    server = make()
    ada = server.user("ada")
    app = server.register(ada, profile=Profile.STRICT)
    there = "/api/oauthv2/provider/museum/authorize/"
    query = f"?client_id={app.client_id}&response_type=code&redirect_uri="
    for wrong, status in (("", 400), ("?client_id=x", 400), (f"{query}https://evil.example/", 400)):
        answer = server.browser().get(there + wrong)
        assert answer.status_code == status
        assert "location" not in answer.headers
    unsafe = server.browser().get(f"{there}{query}{CALLBACK}")
    assert query_of(unsafe.headers["location"])["error"] == "invalid_request", "no PKCE"
    for unknown in (
        "/login/provider/x/", "/api/oauthv2/provider/x/authorize/", "/api/oauthv2/provider/x/callback/?state=1",
    ):  # fmt: skip
        assert server.browser().get(unknown).status_code == 404
    assert server.browser(ada).get(f"{SECURITY}connected/x/").status_code == 404


def test_01_1_without_the_api_people_still_sign_in_but_no_application_begins(
    make: Make, provider: FakeProvider
) -> None:
    server = make({"api_enabled": False})
    link(server, server.user("ada"), provider)
    assert server.browser().get("/api/oauthv2/provider/museum/authorize/?client_id=1").status_code == 404
    assert signed_in(go(server, provider)[0]) == "ada"


def test_not_you_lets_the_person_choose_at_the_provider(make: Make, provider: FakeProvider) -> None:
    server = make()
    ada = server.user("ada")
    app = server.register(ada, profile=Profile.STRICT)
    visitor = server.browser(ada)
    form = {**hidden(ask(visitor, app).text), "switch_account": "1"}
    page = visitor.get(visitor.client.post(AUTHORIZE, data=form).headers["location"])
    start = page.text.partition('href="/api/oauthv2/provider/museum/authorize/')[2].partition('"')[0]
    assert "choose=1" in start
    there = visitor.get(f"/api/oauthv2/provider/museum/authorize/{start.replace('&amp;', '&')}")
    assert query_of(there.headers["location"])["prompt"] == "select_account"
    assert "prompt" not in query_of(visitor.get(START).headers["location"])


def test_a_wrong_password_does_not_spare_a_new_sign_in(make: Make) -> None:
    """OpenID Connect Core section 3.1.2.1: the parameters that require it are still there after a failure."""
    server = make()
    ada = server.user("ada")
    app = server.register(ada, profile=Profile.STRICT)
    visitor = server.browser(ada)
    page = ask(visitor, app, prompt="login")
    address = f"{AUTHORIZE}?{page.request.url.query.decode()}"
    form = {**hidden(page.text), "login": "ada", "password": "wrong", "action_login": "1"}
    answer = visitor.client.post(address, data=form)
    again = visitor.get(answer.headers["location"])
    assert again.status_code == 200
    assert 'name="password"' in again.text


# -- settings -------------------------------------------------------------------------------------------------------

GOOD = """
[[sign_in_providers]]
id = "museum"
label = "Museum SSO"
issuer = "https://sso.museum.example/realms/staff/.well-known/openid-configuration"
client_id = "vitrine"
client_secret_file = "@FILE@"
domains = ["Museum.example"]
link_by_email = true
"""


def written(folder: Path, text: str) -> Path:
    secret = folder / "secret"
    secret.write_text("s3cret\n")
    file = folder / "vitrine.toml"
    file.write_text(text.replace("@FILE@", str(secret)))
    return file


def test_a_provider_is_described_in_the_file_with_its_secret_elsewhere(tmp_path: Path) -> None:
    configured = load({}, written(tmp_path, GOOD)).sign_in_providers[0]
    assert configured.issuer == "https://sso.museum.example/realms/staff"
    assert configured.discovery == "https://sso.museum.example/realms/staff/.well-known/openid-configuration"
    assert (configured.client_secret, configured.domains, configured.link_by_email) == (
        "s3cret",
        ("museum.example",),
        True,
    )
    assert not (configured.create_accounts or configured.internal or configured.trust_second_step), (
        "nothing is open by itself"
    )
    assert "s3cret" not in repr(configured)
    by_name = GOOD.replace('client_secret_file = "@FILE@"', 'client_secret_env = "VITRINE_SECRET_MUSEUM"')
    loaded = load({"VITRINE_SECRET_MUSEUM": "other"}, written(tmp_path, by_name))
    assert loaded.sign_in_providers[0].client_secret == "other"
    as_json = '[{"id":"a","label":"A","issuer":"https://a.example","client_id":"x"}]'
    assert load({"VITRINE_SIGN_IN_PROVIDERS": as_json}).sign_in_providers[0].label == "A"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('id = "museum"', 'id = "Mu seum"', "id must be"),
        ('label = "Museum SSO"', "", "label is missing"),
        ('"https://sso', '"http://sso', "https:// unless"),
        ('"https://sso', '"https://user:pw@sso', "issuer must be"),
        ('"https://sso', '"sso', "issuer must be"),
        ("@FILE@", "/nowhere/at/all", "cannot be read"),
        ('client_secret_file = "@FILE@"', 'client_secret = "s3cret"', "client_secret is not known"),
        ('client_secret_file = "@FILE@"', 'client_secret_env = "VITRINE_TITLE"', "must begin with VITRINE_SECRET_"),
        ('client_secret_file = "@FILE@"', 'client_secret_env = "MUSEUM_SECRET"', "MUSEUM_SECRET is empty"),
        ('["Museum.example"]', '"museum.example"', "domains must be"),
        ("link_by_email = true", 'link_by_email = "yes"', "true or false"),
        ("link_by_email = true", "link_by_mail = true", "link_by_mail is not known"),
        ("link_by_email = true", 'ca_file = "/nowhere"', "ca_file"),
        ("[[sign_in_providers]]", "[sign_in_providers]", "[[sign_in_providers]]"),
        ('"vitrine"', '"vitrine"\nclient_secret_env = "X"', "keep one"),
        (GOOD, GOOD + GOOD, "two providers have the id museum"),
    ],
)
def test_every_fault_of_a_provider_is_told_at_start(tmp_path: Path, old: str, new: str, fault: str) -> None:
    with pytest.raises(Invalid) as refusal:
        load({}, written(tmp_path, GOOD.replace(old, new)))
    assert fault in refusal.value.detail
    assert "s3cret" not in refusal.value.detail


def test_the_sign_in_pages_have_a_button_for_each_provider(make: Make) -> None:
    assert "Sign in with Museum SSO" in make().browser().get("/login/").text


def test_without_a_provider_no_page_speaks_of_one(server: Server) -> None:
    assert "Sign in with" not in server.browser().get("/login/").text
    assert "connected" not in server.browser(server.user("ada")).get(SECURITY).text


def test_people_without_an_account_here_are_counted_by_nobody(make: Make, provider: FakeProvider) -> None:
    """Starting a flow needs no account, so it is limited by address, like the authorize page."""
    server = make({"authorize_requests": 2})
    visitor = server.browser()
    answers = [visitor.get(START).status_code for _ in range(3)]
    assert answers == [302, 302, 429]


def test_ids_of_people_are_no_subjects(make: Make, provider: FakeProvider) -> None:
    """A subject that equals the id of an account does not open that account."""
    server = make(create_accounts=True)
    ada = server.user("ada", is_admin=True)
    provider.claims = {"sub": str(ada.id)}
    provider.userinfo = {"sub": str(ada.id)}
    visitor, _ = go(server, provider)
    assert UserId(linked(server)[0].user_id) != ada.id
    with server.services.database.read() as work:
        assert server.services.accounts.users.get(work, ada.id).is_admin
    assert signed_in(visitor) == "museum"
