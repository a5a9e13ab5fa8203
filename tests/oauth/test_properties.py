"""For random applications, switches, redirect addresses and requests: no redirect leaves the registered set, and no
token is given that the switches forbid (design sections 5.3 and 8; RFC 9700 sections 2.1 and 4.1)."""

from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oauth.flows import AUTHORIZE, CHALLENGE, TOKEN, VERIFIER, allow, query_of
from vitrine.accounts import User
from vitrine.applications import OUT_OF_BAND, Profile, Switch, Switches
from vitrine.applications import store as applications
from vitrine.testing.server import PASSWORD, Server, Visitor

REGISTERED = (
    "https://notes.example.com/cb", "https://notes.example.com/cb?a=1", "http://127.0.0.1/cb", "http://localhost/cb",
    "http://[::1]/cb", "com.example.notes:/cb", "https://other.example/",
)  # fmt: skip
HOSTS = ("notes.example.com", "notes.example.com.evil.example", "evil.example", "127.0.0.1", "localhost", "[::1]")
ADDRESSES = st.one_of(
    st.sampled_from([*REGISTERED, OUT_OF_BAND, "javascript:alert(1)", "//evil.example/cb", ""]),
    st.builds(
        "{}://{}{}{}/{}".format,
        st.sampled_from(["https", "http", "HTTPS", "com.example.notes"]),
        st.sampled_from(["", "user@", "evil.example\\@", "evil.example#@"]),
        st.sampled_from(HOSTS),
        st.sampled_from(["", ":80", ":443", ":4711", ":99999"]),
        st.sampled_from(["cb", "CB", "cb/x", "cbx", "cb?a=1", "cb?a=1&b=2", "cb#x", "cb/../x", "cb/%2e%2e/x", "", "x"]),
    ),
)


class Place:
    def __init__(self, server: Server) -> None:
        self.server = server
        self.ada: User = server.user("ada")
        self.visitor: Visitor = server.browser(self.ada)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    server = Server(tmp_path_factory.mktemp("properties"))
    yield Place(server)
    server.close()


def is_of(location: str, registered: list[str], profile: Profile) -> bool:
    """Written down again from design 5.3, by parts: what a redirect may look like."""
    to = urlsplit(location)
    for address in registered:
        at = urlsplit(address)
        loopback = at.hostname in ("127.0.0.1", "localhost", "::1") and profile in (Profile.DESKTOP, Profile.PUBLIC)
        same = (to.scheme, to.hostname, to.username) == (at.scheme, at.hostname, None)
        if not same or (to.port != at.port and not (loopback and at.scheme == "http")):
            continue
        if to.path == at.path:
            return True
        root = at.path.lower() if at.path.endswith("/") else at.path.lower() + "/"
        longer = to.path.lower() == at.path.lower() or to.path.lower().startswith(root)
        if profile is Profile.COMPATIBILITY and longer and ".." not in to.path:
            return True
    return False


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_redirect_leaves_the_registered_set_and_no_switch_is_got_around(place: Place, data: st.DataObject) -> None:
    profile = data.draw(st.sampled_from(list(Profile)))
    registered = data.draw(st.lists(st.sampled_from(REGISTERED), min_size=1, max_size=3, unique=True))
    switches = Switches(profile, {})
    on = tuple(
        switch
        for switch in Switch
        if switches.can_choose(switch) and switch is not Switch.ACTS_AS_OWNER and data.draw(st.booleans())
    )
    server = place.server
    app = server.register(place.ada, kind="desktop" if profile is Profile.DESKTOP else "web", profile=profile, on=on)
    with server.services.database.write() as work:
        applications.set_redirects(work, app.application.id, registered)
        applications.update(work, app.application.id, {})
        chosen = server.services.applications.registry.by_client_id(work, app.client_id)
    assert chosen is not None
    parameters = {
        "client_id": app.client_id,
        "redirect_uri": data.draw(ADDRESSES),
        "response_type": data.draw(st.sampled_from(["code", "token", "code-and-token", "id_token", ""])),
        "state": data.draw(st.sampled_from(["", "s", "a&b=c#d"])),
        "scope": data.draw(st.sampled_from(["", "library:read", "openid", "nonsense"])),
        "code_challenge": data.draw(st.sampled_from(["", CHALLENGE, "short"])),
        "code_challenge_method": data.draw(st.sampled_from(["", "S256", "plain"])),
        "prompt": data.draw(st.sampled_from(["", "none", "consent"])),
    }
    page = place.visitor.get(f"{AUTHORIZE}?{urlencode({name: value for name, value in parameters.items() if value})}")
    assert page.status_code in (200, 302, 400)
    if page.status_code == 400:
        assert "location" not in page.headers
        return
    if page.status_code == 200 and "action_accept" not in page.text:
        return  # a page of an out-of-band refusal
    location = allow(place.visitor, page)
    assert is_of(location, registered, profile), location
    query, fragment = query_of(location), urlsplit(location).fragment
    if "access_token=" in fragment:
        assert chosen.switches.is_on(Switch.IMPLICIT)
        assert parameters["response_type"] in ("token", "code-and-token")
    if "code" not in query:
        return
    if chosen.switches.is_on(Switch.PKCE_REQUIRED):
        assert (parameters["code_challenge"], parameters["code_challenge_method"]) == (CHALLENGE, "S256")
    with_secret, with_verifier = data.draw(st.booleans()), data.draw(st.booleans())
    form = {
        "grant_type": "authorization_code", "client_id": app.client_id, "code": query["code"],
        "redirect_uri": parameters["redirect_uri"] or registered[0],
        **({"client_secret": app.secret} if with_secret else {}),
        **({"code_verifier": VERIFIER} if with_verifier else {}),
    }  # fmt: skip
    answer = server.http.post(TOKEN, data=form)
    assert answer.status_code in (200, 400)
    if answer.status_code == 200:
        assert with_secret or not chosen.switches.is_on(Switch.SECRET_REQUIRED)
        assert with_verifier is bool(parameters["code_challenge"])
        granted = answer.json()
        assert ("expires_in" in granted) is not chosen.switches.is_on(Switch.ENDLESS_TOKEN)
        assert ("refresh_token" in granted) is ("expires_in" in granted)
    password = {"grant_type": "password", "username": "ada", "password": PASSWORD, "client_id": app.client_id}
    granted = server.http.post(TOKEN, data={**password, "client_secret": app.secret})
    assert (granted.status_code == 200) is chosen.switches.is_on(Switch.PASSWORD_GRANT)
    assert "refresh_token" not in granted.json()
