"""app add, app export, app import: third-party applications from a shell."""

import json
from pathlib import Path
from typing import Any

import click

from vitrine.accounts import COMMAND, UserId, Via
from vitrine.applications import Application, ApplicationId, Draft, Imported, NoSuchApplication, Switch
from vitrine.applications.documents import WrittenApplication
from vitrine.applications.documents import document_of as described
from vitrine.cli.instance import data_option, instance
from vitrine.cli.output import json_option, print_result
from vitrine.edge.services import Services
from vitrine.errors import Invalid
from vitrine.operations.phraseanet_import import profile_of, switch_of
from vitrine.platform.database import UnitOfWork

FILE = click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True)
SECRET = "client_secret"  # noqa: S105 - the name of a key


def _switch_state(text: str) -> tuple[Switch, bool]:
    name, _, word = text.partition("=")
    if word not in ("on", "off"):
        raise Invalid(f"Write --switch {name or 'NAME'}=on or =off.", field="switch")
    return switch_of(name), word == "on"


@click.group()
def app() -> None:
    """Third-party applications."""


@app.command("add")
@click.argument("name")
@click.option("--owner", required=True, help="Login of the person it belongs to.")
@click.option("--description", required=True)
@click.option("--website", required=True)
@click.option("--type", "kind", type=click.Choice(["web", "desktop"]), default="web", show_default=True)
@click.option("--callback", default="")
@click.option("--client-id", default=None, help="Keep its existing id; needs --client-secret.")
@click.option("--client-secret", default=None, help="Keep its existing secret.")
@click.option("--profile", default=None, help="compatibility, strict, desktop or public.")
@click.option("--switch", "switches", multiple=True, metavar="NAME=on|off", help="A switch of the settings page.")
@data_option
@json_option
def add_app(
    name: str,
    owner: str,
    description: str,
    website: str,
    kind: str,
    callback: str,
    client_id: str | None,
    client_secret: str | None,
    profile: str | None,
    switches: tuple[str, ...],
    data: Path,
    as_json: bool,
) -> None:
    """Register an application. With --json its secret is printed; otherwise the portal shows it."""
    draft = Draft(name, description, website, kind, callback)
    chosen_profile = profile_of(profile, desktop=kind == "desktop")
    switch_states = dict(_switch_state(choice) for choice in switches)
    if (client_id is None) != (client_secret is None):
        raise Invalid("--client-id and --client-secret belong together.", field="client_id")
    with instance(data) as services:
        with services.database.write() as work:
            person = services.accounts.users.find(work, owner)
            actor = services.accounts.users.actor_of(work, person, Via.COMMAND)
            if client_id is not None and client_secret is not None:
                imported = Imported(draft, client_id, client_secret, chosen_profile, switch_states)
                application = services.applications.registry.import_application(work, COMMAND, person.id, imported)
            else:
                application = services.applications.registry.create(work, actor, draft, chosen_profile)
                for switch, on in switch_states.items():
                    application = services.applications.registry.set_switch(work, actor, application.id, switch, on=on)
            secret = services.applications.secrets.for_command(work, application)
        result = {
            "id": application.id,
            "client_id": application.client_id,
            "client_secret": secret,
            "redirect_uri": application.callback,
        }
    print_result(
        result, as_json=as_json, sentence=f"Application {name} was registered: client id {application.client_id}."
    )


@app.command("export")
@click.argument("application")
@click.option("--secrets", is_flag=True, help="Include its newest client secret in the document.")
@data_option
def export_app(application: str, secrets: bool, data: Path) -> None:
    """Print the document of an application, found by its client id or its number."""
    with instance(data) as services, services.database.write() as work:
        registered = _find(services, work, application)
        document = described(registered)
        if secrets:
            document[SECRET] = services.applications.secrets.for_command(work, registered)
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


@app.command("import")
@click.argument("file", type=FILE)
@click.option("--owner", default=None, help="Login of the owner of a new application.")
@click.option("--secrets", is_flag=True, help="Use the client secret in the document for a new application.")
@click.option("--dry-run", is_flag=True, help="Print what would change, but change nothing.")
@data_option
@json_option
def import_app(file: Path, owner: str | None, secrets: bool, dry_run: bool, data: Path, as_json: bool) -> None:
    """Create or update an application from its document; `-` reads standard input.

    The client_id in the document selects the application; a new application gets that id. Running it again changes
    nothing.
    """
    document = _document(file)
    secret = document.pop(SECRET, None)
    if secret is not None and not secrets:
        raise Invalid("The document contains a client secret. Use --secrets to import it, or remove it.", field=SECRET)
    if secret is not None and not isinstance(secret, str):
        raise Invalid("client_secret must be a text.", field=SECRET)
    with instance(data) as services:
        try:
            with services.database.write() as work:
                written = _put(services, work, document, owner, secret)
                if dry_run:
                    _roll_back(written)
        except _RolledBack as rolled_back:
            written = rolled_back.written
    _print_change(written, dry_run=dry_run, as_json=as_json)


class _RolledBack(Exception):
    def __init__(self, written: WrittenApplication) -> None:
        super().__init__()
        self.written = written


def _roll_back(written: WrittenApplication) -> None:
    """Leave the transaction by an error: everything was really executed, and nothing is kept."""
    raise _RolledBack(written)


def _document(file: Path) -> dict[str, Any]:
    with click.open_file(str(file)) as source:
        try:
            document = json.load(source)
        except (ValueError, RecursionError) as failure:
            raise Invalid(f"{file} is not well-formed JSON.", field="file") from failure
    if not isinstance(document, dict):
        raise Invalid(f"{file} does not describe an application.", field="file")
    return document


def _put(
    services: Services, work: UnitOfWork, document: Any, owner: str | None, secret: str | None
) -> WrittenApplication:
    """Write the document as the application's owner if there is one, since only they can let it act for them; otherwise
    as the command line."""
    existing = services.applications.registry.by_client_id(work, str(document.get("client_id", "")))
    if existing is None and owner is None:
        raise Invalid("No application has this client_id: use --owner to name the owner of the new one.", field="owner")
    if (
        existing is not None
        and secret is not None
        and not services.applications.secrets.is_right(work, existing, secret)
    ):
        raise Invalid("The application has another secret. Create a new one on its settings page.", field=SECRET)
    person = None
    if existing is None:
        person = services.accounts.users.find(work, str(owner))
    elif existing.creator_id is not None:
        person = services.accounts.users.get(work, UserId(existing.creator_id))
    owner_actor = services.accounts.users.actor_of(work, person, Via.COMMAND) if person else None
    return services.applications.documents.put(work, COMMAND, owner_actor, document, secret=secret)


def _find(services: Services, work: UnitOfWork, name: str) -> Application:
    application = services.applications.registry.by_client_id(work, name)
    if application is None and name.isdecimal():
        application = services.applications.registry.for_protocol(work, ApplicationId(int(name[:15])))
    if application is None:
        raise NoSuchApplication(f"There is no application {name}.")
    return application


def _print_change(written: WrittenApplication, *, dry_run: bool, as_json: bool) -> None:
    application = written.application
    changes = {name: {"before": pair[0], "after": pair[1]} for name, pair in written.changes.items()}
    result = {
        "id": application.id, "client_id": application.client_id, "is_new": written.is_new, "changed": changes,
        "dry_run": dry_run,
    }  # fmt: skip
    verb = "would be" if dry_run else "was"
    if written.is_new:
        sentence = f"Application {application.name} {verb} registered with the client id {application.client_id}."
    elif changes:
        sentence = f"Application {application.name} {verb} changed: {', '.join(sorted(changes))}."
    else:
        sentence = f"Application {application.name} already matches the document."
    print_result(result, as_json=as_json, sentence=sentence)
