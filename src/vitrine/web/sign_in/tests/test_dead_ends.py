"""After an error each page of signing in leads on: to the same form, a new link, or the address where cookies count."""

import pytest

from vitrine.testing.server import BASE, PASSWORD, Server, Visitor, hidden

HTML = {"Accept": "text/html,*/*"}


@pytest.fixture
def visitor(server: Server) -> Visitor:
    server.user("ada")
    return server.browser()


def sign_in(visitor: Visitor, form: dict[str, str], **headers: str) -> int:
    values = {**form, "login": "ada", "password": PASSWORD}
    return visitor.client.post("/login/", data=values, headers=headers).status_code


def test_a_tab_that_was_loaded_before_the_sign_in_in_another_one_still_signs_in(visitor: Visitor) -> None:
    first, second = visitor.form("/login/"), visitor.form("/login/")
    assert sign_in(visitor, first) == 303
    assert sign_in(visitor, second) == 303


def test_a_lost_cookie_shows_the_form_again_with_the_login(visitor: Visitor) -> None:
    form = visitor.form("/login/?redirect=/upload/")
    visitor.client.cookies.clear()
    answer = visitor.client.post("/login/", data={**form, "login": "ada", "password": PASSWORD})
    assert answer.status_code == 403
    assert 'value="ada"' in answer.text
    assert "allow cookies for this site" in answer.text
    assert hidden(answer.text)["redirect"] == "/upload/"
    assert sign_in(visitor, hidden(answer.text)) == 303, "the form shown now has the cookie of this visitor"


def test_a_form_of_another_visitor_or_site_opens_no_session(server: Server, visitor: Visitor) -> None:
    foreign = server.browser().form("/login/")
    visitor.form("/login/")
    assert sign_in(visitor, foreign) == 403
    own = visitor.form("/login/")
    assert sign_in(visitor, own, Origin="https://evil.example") == 403
    assert visitor.get("/account/").status_code == 302, "nobody is signed in"


def test_a_stale_form_leads_back_to_its_page(server: Server, visitor: Visitor) -> None:
    browser = server.browser(server.user("bob"))
    headers = {"Referer": f"{BASE}/account/?tab=1"}
    answer = browser.client.post("/account/", data={"csrf": "old"}, headers=headers)
    assert answer.status_code == 403
    assert 'href="/account/?tab=1"' in answer.text
    foreign = browser.client.post("/account/", data={"csrf": "old"}, headers={"Referer": "https://evil.example/trap"})
    assert "evil.example" not in foreign.text
    broken = browser.client.post("/account/", data={"csrf": "old"}, headers={"Referer": "http://["})
    assert (broken.status_code, 'href="/"' in broken.text) == (403, True)


def test_an_old_link_of_an_e_mail_leads_to_a_new_one(visitor: Visitor) -> None:
    answer = visitor.get("/login/renew-password/?token=old")
    assert answer.status_code == 404
    assert 'href="/login/forgot-password/"' in answer.text


def test_an_old_link_that_confirms_an_account_leads_to_the_sign_in(visitor: Visitor) -> None:
    answer = visitor.get("/login/confirm/?token=old")
    assert answer.status_code == 404
    assert 'class="button primary" href="/login/"' in answer.text, "whoever followed it twice is confirmed"


@pytest.mark.parametrize(
    ("address", "right"),
    [
        ("/login?redirect=%2Fupload%2F", "/login/?redirect=%2Fupload%2F"),
        ("/device/?user_code=BCDF", "/device?user_code=BCDF"),
        ("/developers/applications", "/developers/applications/"),
        ("/records/1/1", "/records/1/1/"),
    ],
)
def test_pages_are_found_with_and_without_the_slash(visitor: Visitor, address: str, right: str) -> None:
    answer = visitor.get(address)
    assert (answer.status_code, answer.headers["location"]) == (307, right)


@pytest.mark.parametrize("path", ["//evil.example/login", "/login//evil.example"])
def test_no_address_leads_to_another_site_through_its_slash(visitor: Visitor, path: str) -> None:
    answer = visitor.client.request("GET", f"{BASE}{path}")
    assert "evil" not in answer.headers.get("location", "")


def test_oembed_answers_with_the_slash_too(server: Server) -> None:
    assert server.http.get("/oembed/").status_code == server.http.get("/oembed").status_code == 400


@pytest.mark.parametrize("base", ["http://127.0.0.1:8000"])
@pytest.mark.parametrize("fast_paths", [True, False])
def test_pages_under_another_name_lead_to_the_base_address(
    tmp_path_factory: pytest.TempPathFactory, base: str, fast_paths: bool
) -> None:
    server = Server(tmp_path_factory.mktemp("named"), base_url=base, fast_paths=fast_paths)
    server.user("ada")
    elsewhere = {**HTML, "Host": "localhost:8000"}
    answer = server.http.get("/login/?redirect=%2Fupload%2F", headers=elsewhere)
    assert answer.headers["location"] == f"{base}/login/?redirect=%2Fupload%2F"
    stays = [
        ("/login/", {**HTML, "Host": "localhost:9000"}),  # another port: a proxy
        ("/login/", {**elsewhere, "X-Forwarded-For": "10.0.0.1"}),
        ("/login/", {**elsewhere, "Via": "1.1 front"}),
        ("/login/", {"Host": "localhost:8000", "Accept": "application/json"}),
        ("/health", elsewhere), ("/embed/?url=x", elsewhere), ("/metrics", elsewhere), ("/oembed?url=x", elsewhere),
        ("/api/v1/me/", elsewhere), ("/static/mark.svg", elsewhere), ("/permalink/v1/1/1/preview/", elsewhere),
    ]  # fmt: skip
    for path, headers in stays:
        assert "location" not in server.http.get(path, headers=headers).headers, path
    server.close()


@pytest.mark.parametrize(
    ("base", "host"),
    [
        ("http://dam.example:80", "dam.example"), ("http://m\u00fcller.example", "xn--mller-kva.example"),
        ("http://[0:0:0:0:0:0:0:1]:8000", "[::1]:8000"),
    ],
)  # fmt: skip
def test_other_spellings_of_the_base_address_are_the_same_place(
    tmp_path_factory: pytest.TempPathFactory, base: str, host: str
) -> None:
    server = Server(tmp_path_factory.mktemp("named"), base_url=base)
    server.user("ada")
    server.http.base_url = f"http://{host}"
    assert server.http.get("/login/", headers=HTML).status_code == 200
    server.close()


def test_the_redirect_to_the_base_address_can_be_switched_off(tmp_path_factory: pytest.TempPathFactory) -> None:
    server = Server(tmp_path_factory.mktemp("named"), base_url="http://127.0.0.1:8000", redirect_to_base_url=False)
    server.user("ada")
    assert server.http.get("/login/", headers={**HTML, "Host": "localhost:8000"}).status_code == 200
    server.close()


def test_a_form_from_another_name_of_the_server_says_where_it_works(visitor: Visitor) -> None:
    form = visitor.form("/login/")
    answer = visitor.client.post("/login/", data=form, headers={"Origin": "http://localhost:8000"})
    assert answer.status_code == 403
    assert f'href="{BASE}/"' in answer.text
    assert "http://localhost:8000" in answer.text
