"""vitrine record: administration of single records from a shell."""

import json
from pathlib import Path

import click

from vitrine.accounts import COMMAND
from vitrine.cli.opening import data_option, instance
from vitrine.library.model import DataboxId, RecordKey


@click.group()
def record() -> None:
    """Deleted records."""


@record.command("removed")
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON for each record.")
def removed(data: Path, as_json: bool) -> None:
    """List the records deleted in the last seven days, which can be restored."""
    with instance(data) as services, services.database.read() as work:
        removed_records = services.library.removal.removed(work, COMMAND)
    for record in removed_records:
        line = {
            "databox_id": record.key.databox, "record_id": record.key.number, "title": record.title,
            "removed_at": record.removed_at.isoformat(),
        }  # fmt: skip
        click.echo(json.dumps(line) if as_json else f"{record.key}\t{record.removed_at:%Y-%m-%d %H:%M}\t{record.title}")


@record.command("restore")
@click.argument("databox_id", type=int)
@click.argument("record_id", type=int)
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print a machine-readable result.")
def restore(databox_id: int, record_id: int, data: Path, as_json: bool) -> None:
    """Restore a deleted record with its number, values, files and links."""
    key = RecordKey(DataboxId(databox_id), record_id)
    with instance(data) as services, services.database.write() as work:
        services.library.removal.restore(work, COMMAND, key)
    result = {"databox_id": databox_id, "record_id": record_id}
    click.echo(json.dumps(result) if as_json else f"Record {key} was restored.")
