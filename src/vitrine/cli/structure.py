"""databox, collection, grant, checks: structure of the library, and rights on it."""

import json
from pathlib import Path
from typing import Any

import click

from vitrine.accounts import COMMAND, CollectionGrant, DataboxRight, Right, User
from vitrine.accounts.rights import ALL_DATABOX_RIGHTS, ALL_RIGHTS, CONTRIBUTOR, READER
from vitrine.cli.attributes import parsed
from vitrine.cli.instance import data_option, instance
from vitrine.cli.output import FILE, json_option, print_result
from vitrine.edge.services import Services
from vitrine.errors import Invalid
from vitrine.library.model import Collection, CollectionId, DataboxId
from vitrine.library.presentation import Presentation
from vitrine.library.sharing.public_links import CollectionSwitch
from vitrine.platform import json_text
from vitrine.platform.database import UnitOfWork
from vitrine.platform.texts import without_bom

SETS = {"reader": READER, "contributor": CONTRIBUTOR, "all": ALL_RIGHTS}


@click.group()
def databox() -> None:
    """Databoxes: self-contained archives."""


@databox.command("add")
@click.argument("name")
@data_option
@json_option
def add_databox(name: str, data: Path, as_json: bool) -> None:
    """Create a databox with the default fields and renditions."""
    with instance(data) as services, services.database.write() as work:
        databox = services.library.structure.add_databox(work, COMMAND, name)
    print_result(
        {"databox_id": databox.id}, as_json=as_json, sentence=f"Databox {databox.name} was created ({databox.id})."
    )


@databox.command("set")
@click.argument("databox_id", type=int)
@click.argument("attributes", nargs=-1, required=True)
@data_option
@json_option
def set_databox(databox_id: int, attributes: tuple[str, ...], data: Path, as_json: bool) -> None:
    """Change what people read of a databox: view_name=…, labels.fr=…, registration_open=true."""
    with instance(data) as services, services.database.write() as work:
        databoxes = services.library.administration.databoxes
        changed = databoxes.change(work, COMMAND, DataboxId(databox_id), parsed(attributes))
    result = {"databox_id": changed.id, "view_name": changed.view_name, "registration_open": changed.registration_open}
    print_result(result, as_json=as_json, sentence=f"Databox {changed.name} was set.")


@databox.command("order")
@click.argument("databox_ids", type=int, nargs=-1, required=True)
@data_option
@json_option
def order_databoxes(databox_ids: tuple[int, ...], data: Path, as_json: bool) -> None:
    """Put all databoxes in this order."""
    with instance(data) as services, services.database.write() as work:
        boxes = services.library.administration.databoxes.order(work, COMMAND, databox_ids)
    print_result(
        {"order": [box.id for box in boxes]}, as_json=as_json, sentence="The databoxes are in their new order."
    )


@click.group()
def collection() -> None:
    """Collections: parts of a databox, to which rights are granted."""


@collection.command("add")
@click.argument("name")
@click.option("--databox", "databox_id", type=int, required=True)
@data_option
@json_option
def add_collection(name: str, databox_id: int, data: Path, as_json: bool) -> None:
    """Create a collection."""
    with instance(data) as services, services.database.write() as work:
        collection = services.library.structure.add_collection(work, COMMAND, DataboxId(databox_id), name)
    result = {"base_id": collection.id, "databox_id": collection.databox_id, "collection_id": collection.number}
    print_result(
        result, as_json=as_json, sentence=f"Collection {collection.name} was created (base_id {collection.id})."
    )


@collection.command("set")
@click.argument("base_id", type=int)
@click.option("--public-presentation", type=click.Choice(["none", "wm", "stamp"]), help="What visitors get: pub_wm.")
@click.option("--watermark", type=FILE, help="Picture placed over previews; a PNG with transparency is best.")
@click.option("--no-watermark", is_flag=True, help="Remove the picture; show diagonals and a name instead.")
@click.option("--stamp", type=FILE, help="JSON definition of the stamp; its logos are files beside it.")
@click.option("--no-stamp", is_flag=True, help="Remove the stamp.")
@click.option(
    "--public-by-link/--not-public-by-link",
    "public_by_link",
    default=None,
    help="What records that are added from now on get; for those that are there see `links`.",
)
@data_option
@json_option
def set_collection(
    base_id: int,
    public_presentation: str | None,
    watermark: Path | None,
    no_watermark: bool,
    stamp: Path | None,
    no_stamp: bool,
    public_by_link: bool | None,
    data: Path,
    as_json: bool,
) -> None:
    """Set how a collection presents its records: watermark, stamp, and what anonymous visitors get."""
    with instance(data) as services:
        presentation = services.library.presentation
        changes: dict[str, Any] = {}
        if public_presentation is not None:
            changes["public_presentation"] = public_presentation
        if watermark is not None or no_watermark:
            changes["watermark"] = presentation.keep_picture(watermark, watermark.name) if watermark else None
        if stamp is not None or no_stamp:
            changes["stamp"] = _stamp(presentation, stamp) if stamp else None
        if public_by_link is not None:
            changes["public_by_link"] = public_by_link
        if not changes:
            raise Invalid("Name at least one setting; see vitrine collection set --help.")
        with services.database.write() as work:
            changed = presentation.set(work, COMMAND, CollectionId(base_id), changes)
    result = {"base_id": changed.id, "public_presentation": changed.public_presentation, "watermark": changed.watermark}
    print_result(
        {**result, "stamp": changed.stamp, "public_by_link": changed.public_by_link},
        as_json=as_json,
        sentence=f"Collection {changed.name} was set: {changed.id}.",
    )


@collection.command("change")
@click.argument("base_id", type=int)
@click.argument("attributes", nargs=-1, required=True)
@data_option
@json_option
def change_collection(base_id: int, attributes: tuple[str, ...], data: Path, as_json: bool) -> None:
    """Change name=…, labels.fr=…, enabled=false, default_status=…, registration_open=true (null: as the databox)."""
    with instance(data) as services, services.database.write() as work:
        collections = services.library.administration.collections
        changed = collections.change(work, COMMAND, CollectionId(base_id), parsed(attributes))
    result = {"base_id": changed.id, "name": changed.name, "enabled": changed.enabled}
    print_result(
        {**result, "default_status": changed.default_status, "registration_open": changed.registration_open},
        as_json=as_json,
        sentence=f"Collection {changed.name} was changed.",
    )


@collection.command("order")
@click.argument("base_ids", type=int, nargs=-1, required=True)
@click.option("--databox", "databox_id", type=int, required=True)
@data_option
@json_option
def order_collections(base_ids: tuple[int, ...], databox_id: int, data: Path, as_json: bool) -> None:
    """Put all collections of a databox in this order."""
    with instance(data) as services, services.database.write() as work:
        ordered = services.library.administration.collections.order(work, COMMAND, DataboxId(databox_id), base_ids)
    result = {"order": [entry.id for entry in ordered]}
    print_result(result, as_json=as_json, sentence="The collections are in their new order.")


@collection.command("empty")
@click.argument("base_id", type=int)
@click.confirmation_option("--yes", prompt="Delete all records of this collection?")
@data_option
@json_option
def empty_collection(base_id: int, data: Path, as_json: bool) -> None:
    """Delete all records of a collection; the worker does it. `vitrine record restore` brings one back for a week."""
    with instance(data) as services, services.database.write() as work:
        task = services.library.administration.collections.empty(work, COMMAND, CollectionId(base_id))
    result = {"base_id": base_id, "task": {"task_id": task.id, "state": task.state, "total": task.total}}
    print_result(result, as_json=as_json, sentence=f"Collection {base_id} is being emptied (task {task.id}).")


@collection.command("delete")
@click.argument("base_id", type=int)
@data_option
@json_option
def delete_collection(base_id: int, data: Path, as_json: bool) -> None:
    """Delete an empty collection."""
    with instance(data) as services, services.database.write() as work:
        services.library.administration.collections.delete(work, COMMAND, CollectionId(base_id))
    print_result({"base_id": base_id}, as_json=as_json, sentence=f"Collection {base_id} was deleted.")


@collection.command("links")
@click.argument("base_id", type=int)
@click.argument("state", type=click.Choice(["on", "off"]))
@click.option("--dry-run", is_flag=True, help="Count the records that would be switched; change nothing.")
@data_option
@json_option
def switch_links(base_id: int, state: str, dry_run: bool, data: Path, as_json: bool) -> None:
    """Switch "public by link" on or off for each record that a collection has now.

    Works in batches beside a running server; can be stopped and run again. Records that are added later get what
    `collection set` says. Switches of single files stay as they are.
    """
    with instance(data) as services:
        change = CollectionSwitch(services.database, services.library.records)
        records = change.run(COMMAND, CollectionId(base_id), on=state == "on", dry_run=dry_run)
    result = {"base_id": base_id, "public_by_link": state == "on", "records": records, "dry_run": dry_run}
    verb = "would be" if dry_run else "were"
    print_result(result, as_json=as_json, sentence=f"{records} records {verb} switched {state}.")


def _stamp(presentation: Presentation, file: Path) -> Any:
    try:
        definition = json_text.parse(without_bom(file.read_bytes()))
    except json_text.NotJson as fault:
        raise Invalid(f"{file.name} is not JSON: {fault}.", field="stamp") from fault

    def keep_logo(name: str) -> str:
        logo = file.parent / name
        if not logo.is_file():
            raise Invalid(f"The stamp's logo {name} is not beside {file.name}.", field="stamp")
        return presentation.keep_picture(logo, logo.name)

    return presentation.with_logos(definition, keep_logo)


@click.command()
@click.argument("login")
@click.option("--collection", "base_id", type=int, required=True, help="base_id of the collection.")
@click.option(
    "--rights", default="reader", show_default=True, help="reader, contributor, all, none, or names with commas."
)
@data_option
@json_option
def grant(login: str, base_id: int, rights: str, data: Path, as_json: bool) -> None:
    """Grant a person rights on a collection, which replace the previous ones. `none` removes all rights."""
    with instance(data) as services, services.database.write() as work:
        target = services.library.records.collection(work, CollectionId(base_id))
        person = services.accounts.users.find(work, login)
        if rights == "none":
            services.accounts.administration.take_rights(work, COMMAND, person.id, target.id, target.databox_id)
        else:
            _grant(services, work, person, target, rights_of(rights))
    print_result(
        {"login": login, "base_id": base_id}, as_json=as_json, sentence=f"{login} now has {rights} on {target.name}."
    )


def _grant(services: Services, work: UnitOfWork, person: User, target: Collection, rights: Right) -> None:
    services.accounts.users.grant(work, COMMAND, person.id, CollectionGrant(target.id, target.databox_id, rights))
    if rights == ALL_RIGHTS:
        services.accounts.users.grant_databox(
            work, COMMAND, person.id, target.databox_id, DataboxRight(ALL_DATABOX_RIGHTS)
        )


def rights_of(text: str) -> Right:
    if text in SETS:
        return SETS[text]
    unknown = [name for name in text.split(",") if name not in Right.__members__]
    if unknown:
        raise Invalid(f"There is no right called {unknown[0]}.", field="rights")
    return Right(sum(Right[name] for name in dict.fromkeys(text.split(","))))


@click.group()
def checks() -> None:
    """Checks that a file must pass to become a record. Files that fail go to the quarantine."""


@checks.command("show")
@click.argument("base_id", type=int)
@data_option
def show_checks(base_id: int, data: Path) -> None:
    """Print the checks that apply to a collection, as JSON."""
    with instance(data) as services, services.database.read() as work:
        collection = services.library.records.collection(work, CollectionId(base_id))
        click.echo(json.dumps(services.library.quarantine.policy(work, collection), indent=2))


@checks.command("set")
@click.argument("policy", type=FILE, required=False)
@click.option("--databox", type=int, help="Set them for a databox; its collections may override them.")
@click.option("--collection", "base_id", type=int, help="Set them for a collection.")
@click.option("--forget", is_flag=True, help="Remove the setting there.")
@data_option
@json_option
def set_checks(
    policy: Path | None, databox: int | None, base_id: int | None, forget: bool, data: Path, as_json: bool
) -> None:
    """Set the checks from a JSON file, for the whole instance unless a databox or a collection is given.

    For example {"Dimension": {"on": true, "width": 800}, "MediaType": {"on": true, "media_types": ["Image"]}}.
    """
    if (policy is None) == (not forget) or (databox is not None and base_id is not None):
        raise Invalid("Give a file or --forget, and at most one of --databox and --collection.")
    definition = None if policy is None else _read_policy(policy)
    with instance(data) as services, services.database.write() as work:
        services.library.quarantine.set_policy(work, COMMAND, definition, databox=databox, base=base_id)
    print_result(
        {"policy": definition},
        as_json=as_json,
        sentence="The checks were set." if definition is not None else "The setting was removed.",
    )


def _read_policy(file: Path) -> Any:
    try:
        return json_text.parse(without_bom(file.read_bytes()))
    except json_text.NotJson as fault:
        raise Invalid(f"{file.name} is not JSON: {fault}.", field="policy") from fault
