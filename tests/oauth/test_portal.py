"""What the portal decides about an application holds at the token endpoint."""

from urllib.parse import parse_qs, urlsplit

import pyotp

from tests.oauth.flows import post
from vitrine.accounts import User, Via
from vitrine.applications import ApplicationKind, Draft, Switch
from vitrine.applications import store as application_store
from vitrine.testing.server import PASSWORD, Registered, Server


def machine(server: Server, owner: User) -> Registered:
    with server.services.database.write() as work:
        actor = server.services.accounts.users.actor_of(work, owner, Via.COMMAND)
        draft = Draft("Night shift", "Adds what the scanner made.", "https://notes.example.com", "web", "")
        application = server.services.applications.portal.create(work, actor, draft, ApplicationKind.MACHINE)
        return Registered(
            application,
            application.client_id,
            server.services.applications.secrets.for_command(work, application),
            "",
        )


def test_a_machine_gets_tokens_with_its_secret_alone_from_its_first_minute(server: Server) -> None:
    """RFC 6749 section 4.4."""
    ada = server.user("ada")
    granted = post(server, machine(server, ada), grant_type="client_credentials", scope="account:read").json()
    assert server.get("/me/", granted["access_token"])["user"]["login"] == "ada"


def test_an_application_for_test_users_gives_nobody_else_a_token(server: Server) -> None:
    ada, bob = server.user("ada"), server.user("bob")
    app = server.register(ada, on=(Switch.PASSWORD_GRANT,))
    form = {"grant_type": "password", "password": PASSWORD}
    with server.services.database.write() as work:
        application_store.update(work, app.application.id, {"only_testers": True})
    assert post(server, app, username=ada.login, **form).status_code == 200
    refused = post(server, app, username=bob.login, **form)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


def test_an_account_with_a_second_step_is_never_opened_by_a_password_alone(server: Server) -> None:
    """RFC 9700 section 2.4: the password grant cannot ask for the second step."""
    ada = server.user("ada")
    app = server.register(ada, on=(Switch.PASSWORD_GRANT,))
    services = server.services
    with services.database.write() as work:
        session = services.accounts.sessions.open(work, ada, address="", agent="")[1]
        actor = services.accounts.users.actor_of(work, ada, Via.SESSION, session=session)
        begun = parse_qs(urlsplit(services.accounts.mfa.begin(work, actor)).query)["secret"][0]
        services.accounts.mfa.confirm(work, actor, pyotp.TOTP(begun).at(work.now))
    refused = post(server, app, grant_type="password", username=ada.login, password=PASSWORD)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
