"""Maintenance mode (contract 06 §1, 02 §3): who is refused, in which shape, and who gets in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.oauth.provider import FakeProvider, go
from tests.oauth.test_external import link
from vitrine.accounts import COMMAND, NOBODY, User
from vitrine.errors import Forbidden
from vitrine.library.model import RecordKey
from vitrine.operations.maintenance import Maintenance
from vitrine.platform.supervision import SupervisedThread
from vitrine.testing import media_factory as make
from vitrine.testing.server import PASSWORD, Server

HOUR = "3600"


@pytest.fixture
def root(server: Server) -> User:
    return server.user("root", is_admin=True)


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada")


@pytest.fixture
def key(server: Server, ada: User, tmp_path: Path) -> RecordKey:
    return server.add(make.jpeg(tmp_path / "harbour.jpg", 640, 480), ada)


def switch(server: Server, *, on: bool = True) -> None:
    with server.services.database.write() as work:
        server.services.maintenance.switch(work, COMMAND, on=on)


@pytest.mark.both_paths
def test_each_api_refuses_in_its_own_shape(server: Server, ada: User) -> None:
    token = server.token(ada)
    switch(server)
    for path in ("/api/v1/me/", "/api/v1/nothinghere", "/api/v2/anything/", "/api/"):
        answer = server.call("GET", path, token)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, HOUR), path
        assert answer.json()["meta"]["error_type"] == "Service Temporarily Unavailable"
        assert answer.json()["response"] == {}
    padded = server.call("GET", "/api/v1/me/?callback=f", token)
    assert padded.status_code == 200
    assert '"http_code":503' in padded.text, "JSONP: the true status is in meta"
    problem = server.call("GET", "/api/applications/", token)
    assert (problem.status_code, problem.headers["content-type"]) == (503, "application/problem+json")
    assert (problem.json()["code"], problem.headers["retry-after"]) == ("maintenance", HOUR)
    answer = server.call("POST", "/api/oauthv2/token", data={"grant_type": "password"})
    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    assert answer.headers["retry-after"] == HOUR
    authorize = server.call("GET", "/api/oauthv2/authorize?client_id=x&response_type=code")
    assert authorize.status_code == 503
    assert "<h1>" in authorize.text, "a browser gets a page"


def test_nothing_is_written_by_a_refused_call(server: Server, ada: User, key: RecordKey) -> None:
    token = server.token(ada)
    switch(server)
    answer = server.call("DELETE", f"/api/v1/records/{key.databox}/{key.number}/", token)
    assert answer.status_code == 503
    switch(server, on=False)
    assert server.call("GET", f"/api/v1/records/{key.databox}/{key.number}/", token).status_code == 200


def test_pages_have_a_page_in_the_language_of_the_reader(server: Server, ada: User) -> None:
    browser = server.browser(ada)
    switch(server)
    for visitor, words in ((server.browser(), "being worked on"), (browser, "being worked on")):
        answer = visitor.get("/")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, HOUR)
        assert words in answer.text
    french = server.browser().get("/", headers={"Accept-Language": "fr"})
    assert "en cours de maintenance" in french.text
    assert 'href="/login/"' in french.text, "the way for administrators"
    scripted = browser.get("/account/", headers={"Accept": "application/json", "X-Requested-With": "XMLHttpRequest"})
    assert (scripted.status_code, scripted.json()["success"]) == (503, False)


@pytest.mark.both_paths
def test_documents_elsewhere_are_closed_too(server: Server, ada: User, key: RecordKey) -> None:
    token = server.token(ada)
    files = server.get(f"/records/{key.databox}/{key.number}/embed/", token)["embed"]
    addresses = [file["permalink"]["url"] for file in files] + [files[0]["url"]]
    assert {server.http.get(address).status_code for address in addresses} == {200}
    switch(server)
    assert {server.http.get(address).status_code for address in addresses} == {503}
    switch(server, on=False)
    assert {server.http.get(address).status_code for address in addresses} == {200}


def test_health_goes_on(server: Server) -> None:
    switch(server)
    assert server.http.get("/health").status_code == 200
    assert server.http.get("/ready").status_code == 200


def test_an_administrator_signs_in_and_switches_it_off(server: Server, root: User, ada: User) -> None:
    switch(server)
    browser = server.browser(root)
    assert browser.get("/").status_code == 200
    shown = browser.get("/admin/maintenance/")
    assert "Maintenance is on" in shown.text
    person = server.browser()
    signed_in = person.submit("/login/", "/login/", {"login": ada.login, "password": PASSWORD})
    assert signed_in.status_code == 303
    assert person.get("/").status_code == 503, "signing in opens nothing to others"
    answer = browser.submit("/admin/maintenance/", "/admin/maintenance/", {"state": "off"})
    assert answer.status_code == 303
    assert person.get("/").status_code == 200


def test_an_administrators_token_works_and_sees_it(server: Server, root: User) -> None:
    token = server.token(root)
    switch(server)
    for answer in (
        server.call("GET", "/api/v1/monitor/phraseanet/", token),
        server.call("GET", f"/api/v1/monitor/phraseanet/?oauth_token={token}"),
    ):
        assert answer.status_code == 200
        assert answer.json()["response"]["phraseanet"]["maintenance"] is True
    assert server.call("GET", "/api/v1/me/", "nonsense").status_code == 503
    assert server.call("GET", "/api/v1/me/").status_code == 503


def test_only_administrators_switch_it(server: Server, ada: User) -> None:
    browser = server.browser(ada)
    assert browser.get("/admin/maintenance/").status_code == 403
    form = {"csrf": browser.form("/account/")["csrf"], "state": "on"}
    assert browser.client.post("/admin/maintenance/", data=form).status_code == 403
    assert server.services.maintenance.is_on is False
    with server.services.database.write() as work, pytest.raises(Forbidden):
        server.services.maintenance.switch(work, NOBODY, on=True)


@pytest.fixture
def other(server: Server, database_url: str) -> Iterator[Server]:
    """Another process on the same database."""
    instance = Server.of(server.settings.data_dir, database_url=database_url)
    yield instance
    instance.close()


@pytest.mark.both_databases
def test_another_process_follows_without_a_statement_for_each_request(server: Server, other: Server) -> None:
    switch(server)
    assert other.http.get("/").status_code in (200, 302), "it has not looked yet"

    class Once(SupervisedThread):
        def __init__(self) -> None:
            pass

        def wait(self, seconds: float) -> bool:
            assert seconds <= 5
            return True

    other.services.maintenance.watch(Once())
    assert other.http.get("/").status_code == 503
    switch(server, on=False)
    other.services.maintenance.watch(Once())
    assert other.http.get("/").status_code in (200, 302)


def test_an_administrator_signs_in_by_identity_provider(tmp_path: Path) -> None:
    provider = FakeProvider()
    server = Server(tmp_path / "provided", sign_in_providers=(provider.described(),))
    try:
        link(server, server.user("root", is_admin=True), provider)
        switch(server)
        browser, answer = go(server, provider)
        assert answer.status_code in (302, 303), answer.text
        assert browser.get("/admin/maintenance/").status_code == 200
    finally:
        server.close()
        provider.close()


@pytest.mark.parametrize("path", ["/login/register/", "/login/register", "/login/confirm/?token=x", "/login/confirm"])
def test_nobody_joins_meanwhile(server: Server, path: str) -> None:
    switch(server)
    answer = server.browser().get(path)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, HOUR)


def test_a_process_that_starts_knows_before_its_first_request(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only when its thread has looked."""
    switch(server)
    monkeypatch.setattr(Maintenance, "watch", lambda _self, thread: thread.wait(60))
    late = Server.of(server.settings.data_dir, database_url=server.settings.database_url)
    with late.http:  # starts it, and closes it after that
        assert late.http.get("/").status_code == 503
