"""checks show, checks set: the checks that a file must pass to become a record."""

import json
from pathlib import Path
from typing import Any

import click

from vitrine.accounts import COMMAND
from vitrine.cli.administration import FILE, json_option, print_result
from vitrine.cli.opening import data_option, instance
from vitrine.errors import Invalid
from vitrine.library.model import CollectionId


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
    definition = None if policy is None else _read(policy)
    with instance(data) as services, services.database.write() as work:
        services.library.quarantine.set_policy(work, COMMAND, definition, databox=databox, base=base_id)
    print_result(
        {"policy": definition},
        as_json=as_json,
        sentence="The checks were set." if definition is not None else "The setting was removed.",
    )


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text())
    except ValueError as fault:
        raise Invalid(f"{file.name} is not JSON: {fault}.", field="policy") from fault
