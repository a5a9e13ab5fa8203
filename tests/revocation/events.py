"""Every way in which an event of the table can happen: pages, mails, the API and the command line."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from tests.operations.test_account_mail import EMAIL
from tests.operations.test_people import command
from tests.revocation.world import NEW, SECURITY, World
from vitrine.accounts.credential_revocation import Event
from vitrine.accounts.tables import linked_identities, passkeys
from vitrine.testing.server import Visitor

APPLICATIONS, SESSIONS = "/account/security/applications/", "/account/security/sessions/"


@dataclass(frozen=True, slots=True)
class Way:
    event: Event
    by: str
    do: Callable[[World], None]
    role: str = "owner"
    ticked: bool = False

    @property
    def name(self) -> str:
        return f"{self.event.name.lower()}-by-{self.by}"


def _submit(visitor: Visitor, page: str, action: str, **form: str) -> None:
    answer = visitor.submit(page, action, form)
    assert answer.status_code in (200, 303), answer.text
    assert 'class="summary"' not in answer.text, answer.text


def _change_password(world: World, **more: str) -> None:
    page = "/account/reset-password/"
    _submit(world.current, page, page, old=world.password, new=NEW, again=NEW, **more)
    world.password = NEW


def _reset(world: World) -> None:
    world.renew(world.forgotten(), NEW)


def _command(*arguments: str, password: str = "") -> Callable[[World], None]:
    def run(world: World) -> None:
        done = command(world.server, *arguments, VITRINE_NEW_PASSWORD=password)
        assert done.returncode == 0, done.stderr
        world.password = password or world.password

    return run


def _change_address(world: World) -> None:
    _submit(world.current, world.ask_for_address("new@museum.example"), EMAIL)


def _remove_app(world: World) -> None:
    _submit(world.current, SECURITY, f"{SECURITY}app/remove/")


def _remove_passkey(world: World) -> None:
    number = _only(world, passkeys.c.id)
    _submit(world.current, SECURITY, f"{SECURITY}passkeys/{number}/remove/")


def _unlink(world: World) -> None:
    number = _only(world, linked_identities.c.id)
    _submit(world.current, SECURITY, f"{SECURITY}connected/{number}/remove/")


def _only(world: World, column: sa.Column[int]) -> int:
    with world.server.services.database.read() as work:
        return int(work.db.execute(sa.select(column)).scalar_one())


def _end_everything(world: World) -> None:
    _submit(world.current, SESSIONS, f"{SESSIONS}end-everything/")


def _end_tokens(world: World) -> None:
    secret = world.tokens_link.partition("token=")[2]
    _submit(world.server.browser(), world.tokens_link, "/login/developer-tokens/", token=secret)


def _suspend(world: World) -> None:
    _submit(world.current, world.settings, f"{world.settings}state/", do="suspend", reason="Stolen.")


def _suspend_by_administrator(world: World) -> None:
    page = "/admin/applications/"
    keeper = world.server.browser(world.keeper)
    _submit(keeper, page, f"{page}{world.app.application.id}/", do="suspend", reason="Stolen.")


def _delete(world: World) -> None:
    page = f"{world.settings}delete/"
    _submit(world.current, page, page, name=world.app.application.name)


def _end_application_tokens(world: World) -> None:
    _submit(world.current, world.settings, f"{world.settings}tokens/users/")


def _stop_acting(world: World) -> None:
    _submit(world.current, world.settings, f"{world.settings}switch/", switch="acts_as_owner", on="0")


def _act(world: World) -> None:
    _submit(world.current, world.settings, f"{world.settings}switch/", switch="acts_as_owner", on="1")


def _change_kind_and_back(world: World) -> None:
    """Another kind of application never acts as its owner; afterwards everything else is as before."""
    _act(world)
    for kind in ("page", "server"):
        _submit(world.current, f"{world.settings}edit/", f"{world.settings}kind/", kind=kind)


def _import_profile_and_back(world: World) -> None:
    _act(world)
    document = {**world.current.get(f"{world.settings}export/").json(), "switches": {}}
    file = world.server.settings.data_dir / "application.json"
    for profile in ("compatibility", "strict"):
        file.write_text(json.dumps({**document, "profile": profile}))
        _command("app", "import", str(file))(world)


def _consent(action: str) -> Callable[[World], None]:
    def withdraw(world: World) -> None:
        number = world.app.application.id
        _submit(world.current, APPLICATIONS, f"/account/security/application/{number}/{action}/")

    return withdraw


def _people(**form: str) -> Callable[[World], None]:
    def change(world: World) -> None:
        page = f"{world.settings}people/"
        owner = world.current if world.role == "owner" else world.server.browser(world.bob)
        _submit(owner, page, page, **{"person": str(world.ada.id), **form})

    return change


def _api(method: str, path: str) -> Callable[[World], None]:
    def call(world: World) -> None:
        token = world.app.developer_token
        address = f"/api/applications/{world.app.application.id}/{path.format(ada=world.ada.id)}"
        answer = world.server.call(method, address, token)
        assert answer.status_code in (200, 204), answer.text

    return call


WAYS = (
    Way(Event.PASSWORD_CHANGED, "page", _change_password),
    Way(
        Event.PASSWORD_CHANGED, "ticked-page", lambda world: _change_password(world, **{"end-applications": "1"}),
        ticked=True,
    ),
    Way(Event.PASSWORD_RESET, "mail", _reset),
    Way(Event.PASSWORD_GIVEN, "command", _command("user", "password", "ada", password=NEW)),
    Way(Event.ADDRESS_CHANGED, "mail", _change_address),
    Way(Event.ADDRESS_GIVEN, "command", _command("user", "email", "ada", "new@museum.example")),
    Way(Event.SECOND_FACTOR_REMOVED, "page", _remove_app),
    Way(Event.PASSKEY_REMOVED, "page", _remove_passkey),
    Way(Event.PROVIDER_UNLINKED, "page", _unlink),
    Way(Event.PERSON_SUSPENDED, "command", _command("user", "suspend", "ada")),
    Way(Event.ACCOUNT_CLOSED, "command", _command("user", "close", "ada")),
    Way(Event.EVERYTHING_ENDED, "page", _end_everything),
    Way(Event.DEVELOPER_TOKENS_ENDED, "mail", _end_tokens),
    Way(Event.APPLICATION_SUSPENDED, "page", _suspend),
    Way(Event.APPLICATION_SUSPENDED, "administrator", _suspend_by_administrator),
    Way(Event.APPLICATION_DELETED, "page", _delete),
    Way(Event.APPLICATION_TOKENS_ENDED, "page", _end_application_tokens),
    Way(Event.ACTING_WITHDRAWN, "page", _stop_acting),
    Way(Event.ACTING_WITHDRAWN, "kind", _change_kind_and_back),
    Way(Event.ACTING_WITHDRAWN, "import", _import_profile_and_back),
    Way(Event.CONSENT_WITHDRAWN, "page", _consent("revoke"), role="tester"),
    Way(Event.CONSENT_WITHDRAWN, "forgetting", _consent("forget"), role="tester"),
    Way(Event.TESTER_REMOVED, "page", _people(do="remove-tester"), role="tester"),
    Way(Event.TESTER_REMOVED, "api", _api("DELETE", "testers/{ada}/"), role="tester"),
    Way(Event.CO_OWNER_REMOVED, "page", _people(do="remove-owner"), role="co-owner"),
    Way(Event.CO_OWNER_REMOVED, "api", _api("DELETE", "owners/{ada}/"), role="co-owner"),
    Way(Event.OWNER_CHANGED, "page", _people(do="transfer", transfer="bob")),
)  # fmt: skip
