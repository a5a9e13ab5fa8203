"""Which addresses a kind may register (RFC 8252 sections 7 and 8, RFC 9700 section 4.1; docs/decisions/0070)."""

import pytest
from click.testing import CliRunner

from tests.oauth.flows import PKCE, allow, ask, query_of
from vitrine.accounts import User, Via
from vitrine.applications import OUT_OF_BAND, Application, ApplicationKind, Profile
from vitrine.applications.redirects import fault_of
from vitrine.cli.main import cli
from vitrine.testing.server import Registered, Server, Visitor

S, C, P, D = Profile.STRICT, Profile.COMPATIBILITY, Profile.PUBLIC, Profile.DESKTOP
SERVER, PAGE, DEVICE, MACHINE = (
    ApplicationKind.SERVER,
    ApplicationKind.PAGE,
    ApplicationKind.DEVICE,
    ApplicationKind.MACHINE,
)
NEW, MADE = "/developers/application/new/", "/developers/application/"
FORM = {"name": "Kit", "description": "Fills folders.", "website": "https://kit.example.com"}


@pytest.mark.parametrize(
    ("address", "kind", "profile", "words"),
    [
        ("https://kit.example.com/cb", SERVER, S, ""),
        ("https://kit.example.com/cb", PAGE, P, ""),
        ("https://kit.example.com/cb", DEVICE, D, ""),  # claimed by the program: RFC 8252 section 7.2
        ("http://127.0.0.1:8000/cb", SERVER, S, ""),
        ("http://localhost/cb", PAGE, P, ""),
        ("http://[::1]/cb", DEVICE, D, ""),
        ("http://kit.example.com/cb", SERVER, S, "Write https://"),
        ("http://kit.example.com/cb", PAGE, P, "Write https://"),
        ("http://127.0.0.1.evil.example/cb", DEVICE, D, "Write https://"),
        ("http://localhost.evil.example/cb", DEVICE, D, "Write https://"),
        ("http://kit.example.com/cb", SERVER, C, ""),  # contract 07 P4
        ("com.example.kit:/cb", PAGE, P, ""),
        ("com.example.kit://host/cb", DEVICE, D, ""),
        ("com.example.kit:/cb", SERVER, S, "beginning with https://"),
        ("com.example.kit:/cb", SERVER, C, "beginning with https://"),
        ("kit:/cb", PAGE, P, "backwards"),
        ("localhost:3000", PAGE, P, "such as http://localhost:3000/"),
        ("kit.example.com:8443/cb", SERVER, S, "Write http:// or https:// before it"),
        ("javascript:alert(1)", PAGE, P, "backwards"),
        ("data:text/html,x", DEVICE, D, "backwards"),
        ("file:///etc/passwd", DEVICE, D, "backwards"),
        ("com.example.kit:/cb#part", DEVICE, D, "after #"),
        ("com.example.kit:/c b", DEVICE, D, "backwards"),
        ("https://kit.example.com/cb#part", PAGE, P, "after #"),
        ("https://user@kit.example.com/", SERVER, S, "login"),
        ("https://*.example.com/", PAGE, P, "host name"),
        (OUT_OF_BAND, DEVICE, D, ""),
        (OUT_OF_BAND, SERVER, S, "Only desktop"),
        ("https://kit.example.com/cb", MACHINE, S, "needs no address"),
        ("http://[", SERVER, S, "not a web address"),
        ("", PAGE, P, "Enter a callback"),
    ],
)
def test_each_kind_has_its_addresses_and_a_refusal_its_remedy(
    address: str, kind: ApplicationKind, profile: Profile, words: str
) -> None:
    fault = fault_of(address, kind, profile)
    assert (fault is None) if not words else (fault is not None and words in fault), fault


def registered(server: Server, visitor: Visitor, **form: str) -> Application:
    answer = visitor.submit(NEW, MADE, {**FORM, **form})
    assert answer.status_code == 302, answer.text
    with server.services.database.read() as work:
        person = server.services.accounts.users.find(work, "ada")
        actor = server.services.accounts.users.actor_of(work, person, Via.COMMAND)
        return server.services.applications.registry.own(work, actor, limit=50)[-1]


def test_a_desktop_program_registers_its_loopback_on_the_form_and_chooses_the_port(
    server: Server, ada: User, visitor: Visitor
) -> None:
    """RFC 8252 section 7.3."""
    application = registered(server, visitor, kind="device", callback="http://127.0.0.1/done")
    assert application.redirects == (OUT_OF_BAND, "http://127.0.0.1/done")
    app = Registered(application, application.client_id, "", "")
    location = allow(visitor, ask(visitor, app, redirect_uri="http://127.0.0.1:51004/done"))
    assert location.startswith("http://127.0.0.1:51004/done?")
    assert "code" in query_of(location)
    wrong = visitor.get(
        f"/api/oauthv2/authorize?client_id={application.client_id}&response_type=code"
        f"&redirect_uri=http://127.0.0.1:51004/else&code_challenge={PKCE['code_challenge']}&code_challenge_method=S256"
    )
    assert wrong.status_code == 400


def test_a_desktop_program_may_have_none_and_the_old_form_always_has(server: Server, visitor: Visitor) -> None:
    assert registered(server, visitor, kind="device", callback="").redirects == (OUT_OF_BAND,)
    old = registered(server, visitor, type="desktop", callback="https://ignored.example/", name="Old")
    assert old.redirects == (OUT_OF_BAND,), "contract 01 section 2"
    assert registered(server, visitor, kind="machine", callback="https://x.example/", name="Robot").redirects == ()


@pytest.mark.parametrize(
    ("kind", "callback", "words"),
    [
        ("device", "http://far.example/", "Write https://"), ("page", "kit:/x", "backwards"),
        ("server", "com.example.kit:/x", "beginning with https://"), ("page", "", "Enter a callback"),
    ],
)  # fmt: skip
def test_the_form_says_what_is_wrong_beside_the_field(visitor: Visitor, kind: str, callback: str, words: str) -> None:
    page = visitor.submit(NEW, MADE, {**FORM, "kind": kind, "callback": callback})
    assert page.status_code == 200
    assert words in page.text
    assert 'id="callback-fault"' in page.text


def test_another_kind_is_refused_while_an_address_would_not_fit(server: Server, visitor: Visitor) -> None:
    application = registered(server, visitor, kind="page", callback="com.example.kit:/cb")
    page = f"/developers/application/{application.id}/"
    refused = visitor.submit(f"{page}edit/", f"{page}kind/", {"kind": "server"})
    assert "The address com.example.kit:/cb is not for this kind" in refused.text
    visitor.submit(page, f"{page}redirects/", {"old": "com.example.kit:/cb", "new": "https://kit.example.com/cb"})
    assert visitor.submit(f"{page}edit/", f"{page}kind/", {"kind": "server"}).status_code == 303
    assert visitor.submit(f"{page}edit/", f"{page}kind/", {"kind": "machine"}).status_code == 303
    document = visitor.get(f"{page}export/").json()
    assert (document["kind"], document["redirect_uris"]) == ("machine", [])


def test_the_old_script_route_follows_the_same_rules(server: Server, visitor: Visitor) -> None:
    """01 section 9: `callback/` answers success false."""
    application = registered(server, visitor, kind="page", callback="https://kit.example.com/cb")
    page = f"/developers/application/{application.id}/callback/"
    assert visitor.xhr("POST", page, {"callback": "http://far.example/"}).json()["success"] is False
    assert visitor.xhr("POST", page, {"callback": "com.example.kit:/cb"}).json()["success"] is True


@pytest.mark.parametrize(
    ("callback", "profile", "fits"),
    [
        ("http://far.example/", "strict", False), ("http://far.example/", "compatibility", True),
        ("com.example.kit:/cb", "public", True), ("com.example.kit:/cb", "strict", False),
    ],
)  # fmt: skip
def test_the_command_follows_the_same_rules(server: Server, ada: User, callback: str, profile: str, fits: bool) -> None:
    folder = str(server.settings.data_dir)
    options = ["--owner", "ada", "--description", "D", "--website", "https://x.example", "--data", folder]
    done = CliRunner().invoke(cli, ["app", "add", "Kit", *options, "--callback", callback, "--profile", profile])
    assert (done.exit_code == 0) is fits, done.output
    assert fits or getattr(done.exception, "field", "") == "callback"
