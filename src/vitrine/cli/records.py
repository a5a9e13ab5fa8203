"""vitrine record: what an administrator does to single records from a shell."""

import json
from pathlib import Path

import click

from vitrine.accounts import COMMAND
from vitrine.cli.opening import data_option, instance
from vitrine.library.model import DataboxId, RecordKey


@click.group()
def record() -> None:
    """Records that were deleted."""


@record.command("removed")
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON a record.")
def removed(data: Path, as_json: bool) -> None:
    """List what was deleted in the last seven days and can come back."""
    with instance(data) as services, services.database.read() as work:
        found = services.removal.removed(work, COMMAND)
    for one in found:
        told = {
            "databox_id": one.key.databox, "record_id": one.key.number, "title": one.title,
            "removed_at": one.removed_at.isoformat(),
        }  # fmt: skip
        click.echo(json.dumps(told) if as_json else f"{one.key}\t{one.removed_at:%Y-%m-%d %H:%M}\t{one.title}")


@record.command("restore")
@click.argument("databox_id", type=int)
@click.argument("record_id", type=int)
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print a machine-readable result.")
def restore(databox_id: int, record_id: int, data: Path, as_json: bool) -> None:
    """Bring a deleted record back, with its number, values, files and links."""
    key = RecordKey(DataboxId(databox_id), record_id)
    with instance(data) as services, services.database.write() as work:
        services.removal.restore(work, COMMAND, key)
    told = {"databox_id": databox_id, "record_id": record_id}
    click.echo(json.dumps(told) if as_json else f"Record {key} is back.")
