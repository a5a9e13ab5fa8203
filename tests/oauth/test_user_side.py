"""The user's side: mails about access, what an application may do, forgetting one, and the owner's mismatch page.

Contract 07 P6, 01 §3.1 D, docs/decisions/0065 and 0066.
"""

import email
import re
from email.policy import default
from typing import Any

import pytest

from tests.oauth.flows import (
    AUTHORIZE,
    CALLBACK,
    DEVICE,
    allow,
    ask,
    code_of,
    exchange,
    hidden,
    post,
    set_redirects,
    status_of,
    tokens,
)
from vitrine.accounts import User, Via
from vitrine.applications import Application, Profile, Switch, Switches, store
from vitrine.oauth.redirect_mismatch import explain
from vitrine.testing.server import PASSWORD, Registered, Server, Visitor

PAGE = "/account/security/applications/"
pytestmark = pytest.mark.both_databases


def mails(server: Server) -> list[tuple[str, str, str]]:
    """(to, subject, text) of the mails sent, after the jobs have run."""
    server.work()
    parsed = []
    for file in sorted((server.settings.data_dir / "outbox").glob("*.eml")):
        message = email.message_from_bytes(file.read_bytes(), policy=default)
        parsed.append((message["To"], message["Subject"], message.get_content().replace("\r\n", "\n")))
    return parsed


# -- mails ----------------------------------------------------------------------------------------------------------


def test_a_letter_tells_of_the_first_permission_and_not_of_the_next(
    server: Server, ada: User, strict: Registered
) -> None:
    visitor = server.browser(ada)
    for _ in range(2):
        allow(visitor, ask(visitor, strict, scope="library:read search"))
    ((to, subject, text),) = mails(server)
    assert (to, subject) == ("ada@example.com", "Field Notes may now use Vitrine in your name")
    assert "https://notes.example.com" in text
    assert "- See the documents that you can see, and how they are arranged\n- Search in your documents\n" in text
    assert "testclient" in text, "from where"
    assert re.search(r"20\d\d", text), "when"
    link = f"http://dam.test{PAGE}#application-{strict.application.id}"
    assert link in text.replace("=\n", "")
    assert f'id="application-{strict.application.id}"' in visitor.get(PAGE).text


def test_a_letter_tells_of_more_and_not_of_less(server: Server, ada: User, strict: Registered) -> None:
    visitor = server.browser(ada)
    allow(visitor, ask(visitor, strict, scope="library:read search"))
    allow(visitor, ask(visitor, strict, scope="library:read"))
    assert len(mails(server)) == 1
    allow(visitor, ask(visitor, strict, scope="library:read upload"), without=("upload",))
    assert len(mails(server)) == 1, "what was unticked is not given"
    allow(visitor, ask(visitor, strict, scope="library:read delete"))
    assert "Delete documents" in mails(server)[-1][2]


def test_a_denial_and_a_withdrawal_tell_nobody_and_a_new_yes_does(server: Server, ada: User, old: Registered) -> None:
    visitor = server.browser(ada)
    page = ask(visitor, old)
    visitor.client.post(AUTHORIZE, data={**hidden(page.text), "action_accept": "0"})
    assert mails(server) == []
    allow(visitor, ask(visitor, old))
    assert "- Add, change and delete where you may do so yourself" in mails(server)[0][2]
    visitor.submit(PAGE, f"/account/security/application/{old.application.id}/revoke/", {})
    assert len(mails(server)) == 1
    allow(visitor, ask(visitor, old))
    assert len(mails(server)) == 2


def test_devices_and_the_password_grant_are_told_too(server: Server, ada: User) -> None:
    desktop = server.register(ada, kind="desktop", profile=Profile.DESKTOP)
    code = post(server, desktop, DEVICE, scope="search").json()["user_code"]
    visitor = server.browser(ada)
    page = visitor.submit("/device", "/device", {"user_code": code})
    visitor.client.post("/device", data={**hidden(page.text), "decision": "allow"})
    assert "- Search in your documents" in mails(server)[0][2]
    app = server.register(ada, on=(Switch.PASSWORD_GRANT,), name="Plugin")
    for _ in range(2):
        assert post(server, app, grant_type="password", username="ada", password=PASSWORD).status_code == 200
    assert [subject for _, subject, _ in mails(server)[1:]] == ["Plugin may now use Vitrine in your name"]


def test_the_letters_can_be_stopped_and_begun_again(server: Server, ada: User, strict: Registered) -> None:
    visitor = server.browser(ada)
    assert "Stop these e-mails" in visitor.get(PAGE).text
    for on, sent in (("0", 0), ("1", 1)):
        visitor.submit(PAGE, f"{PAGE}letters/", {"on": on})
        app = server.register(ada, profile=Profile.STRICT)
        allow(visitor, ask(visitor, app))
        assert len(mails(server)) == sent
    assert visitor.client.post(f"{PAGE}letters/", data={"on": "0"}).status_code == 403


def test_a_name_with_line_ends_and_braces_writes_no_letter_of_its_own(server: Server, ada: User) -> None:
    """Such a name is refused today; an older application may have one."""
    app = server.register(ada, profile=Profile.STRICT)
    with server.services.database.write() as work:
        store.update(work, app.application.id, {"name": "Notes\r\nBcc: eve@evil.example {login}"})
    visitor = server.browser(ada)
    allow(visitor, ask(visitor, app))
    ((to, subject, _),) = mails(server)
    assert to == "ada@example.com"
    assert subject == "Notes Bcc: eve@evil.example {login} may now use Vitrine in your name"


def test_the_letter_speaks_the_language_of_its_reader(server: Server, strict: Registered) -> None:
    eve = server.user("eve", email="eve@example.com", locale="fr")
    visitor = server.browser(eve)
    allow(visitor, ask(visitor, strict, scope="search"))
    ((_, subject, text),) = mails(server)
    assert subject == "Field Notes peut désormais utiliser Vitrine en votre nom"
    assert "- Chercher" in text


# -- the list and forgetting ----------------------------------------------------------------------------------------


def test_the_list_says_in_words_what_was_allowed(server: Server, ada: User, strict: Registered) -> None:
    visitor = server.browser(ada)
    allow(visitor, ask(visitor, strict, scope="library:read search"), without=("search",))
    page = visitor.get(PAGE).text
    assert "See the documents that you can see, and how they are arranged" in page
    assert "Search in your documents" not in page


def test_forgetting_takes_it_off_the_list_and_asks_for_everything_anew(
    server: Server, ada: User, strict: Registered
) -> None:
    visitor = server.browser(ada)
    granted = tokens(server, ada, strict, "library:read account:read")
    where = f"/account/security/application/{strict.application.id}"
    assert "Forget it" not in visitor.get(PAGE).text, "only what was withdrawn has the button"
    visitor.submit(PAGE, f"{where}/revoke/", {})
    assert "Forget it" in visitor.get(PAGE).text
    visitor.submit(PAGE, f"{where}/forget/", {})
    assert "Field Notes" not in visitor.get(PAGE).text
    assert status_of(server, granted["access_token"]) == 401
    assert ask(visitor, strict, scope="library:read").status_code == 200
    allow(visitor, ask(visitor, strict, scope="library:read"))
    assert "Read your profile" not in visitor.get(PAGE).text, "nothing of before came back"


def test_forgetting_what_is_allowed_withdraws_it_first(server: Server, ada: User, strict: Registered) -> None:
    visitor = server.browser(ada)
    granted = tokens(server, ada, strict)
    visitor.submit(PAGE, f"/account/security/application/{strict.application.id}/forget/", {})
    assert status_of(server, granted["access_token"]) == 401
    assert "Field Notes" not in visitor.get(PAGE).text


def test_a_forgotten_application_gets_nothing_by_a_password_that_it_kept(server: Server, ada: User) -> None:
    app = server.register(ada, on=(Switch.PASSWORD_GRANT,))
    assert post(server, app, grant_type="password", username="ada", password=PASSWORD).status_code == 200
    visitor = server.browser(ada)
    visitor.submit(PAGE, f"/account/security/application/{app.application.id}/forget/", {})
    again = post(server, app, grant_type="password", username="ada", password=PASSWORD)
    assert again.json()["error"] == "invalid_grant"


def test_nobody_forgets_for_somebody_else(server: Server, ada: User, strict: Registered) -> None:
    granted = tokens(server, ada, strict)
    eve = server.browser(server.user("eve"))
    answer = eve.submit(PAGE, f"/account/security/application/{strict.application.id}/forget/", {})
    assert answer.status_code == 404
    assert status_of(server, granted["access_token"]) != 401
    visitor = server.browser(ada)
    where = f"/account/security/application/{strict.application.id}/forget/"
    assert visitor.client.post(where, data={}).status_code == 403


# -- the mismatch page ----------------------------------------------------------------------------------------------

REGISTERED = "https://notes.example.com/cb"
SENT = {
    "scheme": "http://notes.example.com/cb",
    "host": "https://note.example.com/cb",
    "port": "https://notes.example.com:8443/cb",
    "path": "https://notes.example.com/callback",
    "letter case": "https://notes.example.com/CB",
    "trailing slash": "https://notes.example.com/cb/",
    "query": "https://notes.example.com/cb?a=1",
    "fragment": "https://notes.example.com/cb#a",
    "login": "https://me:pw@notes.example.com/cb",
    "characters": "https://notes.example.com:x/cb",
}


def application(*redirects: str) -> Application:
    values: Any = dict.fromkeys(Application.__dataclass_fields__, "")
    values |= {"id": 7, "name": "Notes", "switches": Switches(Profile.STRICT, {}), "redirects": redirects}
    return Application(**values)


@pytest.mark.parametrize("part", SENT)
def test_01_3_1_each_part_that_differs_is_named(part: str) -> None:
    mismatch = explain(application(REGISTERED), SENT[part])
    assert [difference.part for difference in mismatch.differences] == [part]
    assert mismatch.registered == REGISTERED
    assert "pw" not in str(mismatch.differences)


def test_the_nearest_address_is_the_one_with_the_smallest_difference() -> None:
    listed = ("https://other.example/cb/", "http://localhost:3000/cb", REGISTERED, "urn:ietf:wg:oauth:2.0:oob")
    mismatch = explain(application(*listed), "https://notes.example.com/cb/")
    assert mismatch.registered == REGISTERED
    assert [difference.part for difference in mismatch.differences] == ["trailing slash"]
    mismatch = explain(application(*listed), "http://localhost:3001/cb")
    assert (mismatch.registered, mismatch.differences[0].given) == ("http://localhost:3000/cb", "3001")
    assert explain(application("urn:ietf:wg:oauth:2.0:oob"), "https://x.example/").registered == ""
    usual = explain(application("https://notes.example.com:443/cb"), "https://notes.example.com/cb/")
    assert [difference.part for difference in usual.differences] == ["trailing slash"]


def refusal(visitor: Visitor, app: Registered, sent: str) -> str:
    answer = ask(visitor, app, redirect_uri=sent)
    assert answer.status_code == 400
    assert "location" not in answer.headers
    return answer.text


def test_01_3_1_owners_see_which_part_differs_and_nobody_else_learns_an_address(server: Server, ada: User) -> None:
    app = server.register(ada, profile=Profile.STRICT)
    set_redirects(server, app, CALLBACK, "http://127.0.0.1:3000/inside")
    sent = f"{CALLBACK}/"
    page = refusal(server.browser(ada), app, sent)
    assert f'<dd class="mono">{CALLBACK}</dd>' in page
    assert "slash at the end" in page
    assert f'href="/developers/application/{app.application.id}/#redirects"' in page
    co_owner, user, boss = server.user("co"), server.user("user"), server.user("boss", is_admin=True)
    with server.services.database.write() as work:
        actor = server.services.accounts.users.actor_of(work, ada, Via.COMMAND)
        server.services.applications.people.add(work, actor, app.application.id, "co", "owner")
    assert "slash at the end" in refusal(server.browser(co_owner), app, sent)
    exchange(server, app, code_of(server.browser(user), app))
    strangers = [server.browser(), server.browser(user), server.browser(boss)]
    for stranger in strangers:
        page = refusal(stranger, app, "https://elsewhere.example/cb")
        assert "What differs" not in page
        assert "https://elsewhere.example/cb" in page, "what was sent is no secret: it is in the address of the page"
        assert not re.search(r"notes\.example\.com|127\.0\.0\.1|inside", page)
    unknown = refusal(server.browser(ada), app, "https://evil.example/<script>")
    assert "&lt;script&gt;" in unknown
