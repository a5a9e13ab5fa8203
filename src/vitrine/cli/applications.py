"""app add, app export, app import: third-party applications from a shell."""

import json
from pathlib import Path
from typing import Any

import click

from vitrine.accounts import COMMAND, UserId, Via
from vitrine.applications import Application, ApplicationId, Draft, Imported, NoSuchApplication, Switch
from vitrine.applications.descriptions import Written
from vitrine.applications.descriptions import told as described
from vitrine.cli.administration import json_option, told
from vitrine.cli.opening import data_option, instance
from vitrine.cli.phraseanet import profile_of, switch_of
from vitrine.edge.services import Services
from vitrine.errors import Invalid
from vitrine.platform.database import UnitOfWork

FILE = click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True)
SECRET = "client_secret"  # noqa: S105 - the name of a key


def _choice(text: str) -> tuple[Switch, bool]:
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
@click.option("--client-id", default=None, help="Keep the id it has elsewhere, with --client-secret.")
@click.option("--client-secret", default=None, help="Keep the secret it has elsewhere.")
@click.option("--profile", default=None, help="compatibility, strict, desktop or public.")
@click.option("--switch", "switches", multiple=True, metavar="NAME=on|off", help="A choice of the settings page.")
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
    """Register an application; with --json its secret is printed, otherwise the portal shows it."""
    draft = Draft(name, description, website, kind, callback)
    wanted = profile_of(profile, desktop=kind == "desktop")
    chosen = dict(_choice(one) for one in switches)
    if (client_id is None) != (client_secret is None):
        raise Invalid("--client-id and --client-secret belong together.", field="client_id")
    with instance(data) as services:
        with services.database.write() as work:
            person = services.accounts.find(work, owner)
            actor = services.accounts.actor_of(work, person, Via.COMMAND)
            if client_id is not None and client_secret is not None:
                imported = Imported(draft, client_id, client_secret, wanted, chosen)
                made = services.applications.bring(work, COMMAND, person.id, imported)
            else:
                made = services.applications.create(work, actor, draft, wanted)
                for switch, on in chosen.items():
                    made = services.applications.set_switch(work, actor, made.id, switch, on=on)
            secret = services.applications.secret_for_command(work, made)
        result = {"id": made.id, "client_id": made.client_id, "client_secret": secret, "redirect_uri": made.callback}
    told(result, as_json=as_json, sentence=f"Application {name} was registered: client id {made.client_id}.")


@app.command("export")
@click.argument("application")
@click.option("--secrets", is_flag=True, help="Write its newest client secret into the document, too.")
@data_option
def export_app(application: str, secrets: bool, data: Path) -> None:
    """Print the document of an application, found by its client id or its number."""
    with instance(data) as services, services.database.write() as work:
        found = _find(services, work, application)
        document = described(found)
        if secrets:
            document[SECRET] = services.applications.secret_for_command(work, found)
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


@app.command("import")
@click.argument("file", type=FILE)
@click.option("--owner", default=None, help="Login of the person to whom a new application belongs.")
@click.option("--secrets", is_flag=True, help="Take the client secret of the document for a new application.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@data_option
@json_option
def import_app(file: Path, owner: str | None, secrets: bool, dry_run: bool, data: Path, as_json: bool) -> None:
    """Make the application of a document what the document says; `-` reads standard input.

    The client_id of the document decides which one: a new application gets that id. A second time nothing changes.
    """
    document = _document(file)
    secret = document.pop(SECRET, None)
    if secret is not None and not secrets:
        raise Invalid("The document has a client secret in it. Say --secrets to take it, or remove it.", field=SECRET)
    if secret is not None and not isinstance(secret, str):
        raise Invalid("client_secret must be a text.", field=SECRET)
    with instance(data) as services:
        try:
            with services.database.write() as work:
                written = _put(services, work, document, owner, secret)
                if dry_run:
                    _undo(written)
        except _Undone as undone:
            written = undone.written
    _tell(written, dry_run=dry_run, as_json=as_json)


class _Undone(Exception):
    def __init__(self, written: Written) -> None:
        super().__init__()
        self.written = written


def _undo(written: Written) -> None:
    """Leave the transaction by an error: everything was tried for true, and nothing is kept."""
    raise _Undone(written)


def _document(file: Path) -> dict[str, Any]:
    with click.open_file(str(file)) as source:
        try:
            found = json.load(source)
        except (ValueError, RecursionError) as failure:
            raise Invalid(f"{file} is not well-formed JSON.", field="file") from failure
    if not isinstance(found, dict):
        raise Invalid(f"{file} does not describe an application.", field="file")
    return found


def _put(services: Services, work: UnitOfWork, document: Any, owner: str | None, secret: str | None) -> Written:
    """As its owner where there is one, since only they can let it act for them; else as the command line."""
    found = services.applications.by_client_id(work, str(document.get("client_id", "")))
    if found is None and owner is None:
        raise Invalid("No application has this client_id: say with --owner to whom the new one belongs.", field="owner")
    if found is not None and secret is not None and not services.applications.secret_is_right(work, found, secret):
        raise Invalid("It exists already with another secret. Make a new one on its settings page.", field=SECRET)
    person = None
    if found is None:
        person = services.accounts.find(work, str(owner))
    elif found.creator_id is not None:
        person = services.accounts.get(work, UserId(found.creator_id))
    acting = services.accounts.actor_of(work, person, Via.COMMAND) if person else None
    return services.descriptions.put(work, COMMAND, acting, document, secret=secret)


def _find(services: Services, work: UnitOfWork, name: str) -> Application:
    found = services.applications.by_client_id(work, name)
    if found is None and name.isdecimal():
        found = services.applications.for_protocol(work, ApplicationId(int(name[:15])))
    if found is None:
        raise NoSuchApplication(f"There is no application {name}.")
    return found


def _tell(written: Written, *, dry_run: bool, as_json: bool) -> None:
    one = written.application
    changes = {name: {"before": pair[0], "after": pair[1]} for name, pair in written.changes.items()}
    result = {
        "id": one.id, "client_id": one.client_id, "is_new": written.is_new, "changed": changes, "dry_run": dry_run,
    }  # fmt: skip
    would = "would be" if dry_run else "was"
    if written.is_new:
        sentence = f"Application {one.name} {would} registered with the client id {one.client_id}."
    elif changes:
        sentence = f"Application {one.name} {would} changed: {', '.join(sorted(changes))}."
    else:
        sentence = f"Application {one.name} is as the document says."
    told(result, as_json=as_json, sentence=sentence)
