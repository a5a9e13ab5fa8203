"""backup, restore, doctor, check, audit, record, keys: running an instance."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from vitrine.accounts import COMMAND
from vitrine.cli.instance import data_option, instance, load, refuse_foreign
from vitrine.cli.output import FILE, json_option, print_findings, print_result, progress_bar
from vitrine.errors import Conflict, Invalid
from vitrine.library.model import DataboxId, RecordKey
from vitrine.operations import backup as backups
from vitrine.operations import doctor as damage
from vitrine.operations import inventory
from vitrine.operations import restore as restoring
from vitrine.operations import security as weaknesses
from vitrine.operations.configuration import CONFIGURATION
from vitrine.operations.export.encryption import read_passphrase
from vitrine.operations.progress import silent
from vitrine.platform.audit import AuditFilter, lines

DAY = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--link", is_flag=True, help="Link documents instead of copying them (same file system only).")
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print the manifest.")
def backup(target: Path, link: bool, data: Path, as_json: bool) -> None:
    """Write a checked copy of a running instance to TARGET: a folder, or one file if the name ends in .tar."""
    manifest = backups.create(load(data), target, link=link, progress=silent if as_json else progress_bar)
    documents = manifest.documents
    if as_json:
        click.echo(json.dumps(manifest.as_dict()))
    else:
        click.echo(f"{documents.count} documents ({documents.bytes} bytes) and all rows are in {target}.")
        click.echo("It contains the server key: anyone who reads it can decrypt the secrets. Protect it.", err=True)
    if documents.missing:
        raise Conflict(f"{len(documents.missing)} documents are missing or damaged; vitrine doctor names them.")


@click.command()
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print the manifest.")
def restore(source: Path, data: Path, as_json: bool) -> None:
    """Restore the backup SOURCE into an empty folder, after checking all of it."""
    manifest = restoring.restore_into(load(data), source, progress=silent if as_json else progress_bar)
    if as_json:
        click.echo(json.dumps(manifest.as_dict()))
        return
    click.echo(f"The instance is in {data}; its worker builds the search index when it first starts.")
    if CONFIGURATION in manifest.files:
        click.echo(f"Its settings are in {restoring.KEPT_CONFIGURATION}: read them, then rename the file.")
    if manifest.documents.missing:
        click.echo(f"{len(manifest.documents.missing)} documents were missing when it was made.", err=True)


@click.command()
@data_option
@click.option("--deep", is_flag=True, help="Check the digest of every document; reads all bytes.")
@click.option(
    "--compare",
    "other",
    type=click.Path(exists=True, path_type=Path),
    help="Compare with another instance, a backup or an export.",
)
@click.option("--passphrase-file", type=FILE, help="Compare the credentials of an export too.")
@click.option("--repair", is_flag=True, help="First put right what can be computed again: the numbers of records.")
@json_option
def doctor(
    data: Path, deep: bool, other: Path | None, passphrase_file: Path | None, repair: bool, as_json: bool
) -> None:
    """Check an instance for damage; exits with 1 if there are faults."""
    refuse_foreign(data)
    settings = load(data)
    if repair:
        repaired = damage.repair(settings)
        click.echo(f"The numbers of records of {repaired} collections were put right.", err=True)
    findings = damage.examine(settings, deep=deep)
    if other is not None:
        passphrase = read_passphrase(passphrase_file) if passphrase_file is not None else None
        findings += damage.compare(settings, other, passphrase)
    print_findings(findings, as_json=as_json)


@click.command()
@click.option(
    "--security", is_flag=True, help="Deprecated features, file modes, endless tokens, demonstration passwords."
)
@data_option
@json_option
def check(security: bool, data: Path, as_json: bool) -> None:
    """Check the security of an instance; exits with 1 if something must be fixed."""
    if not security:
        raise Invalid("Use --security. To check for damage, use vitrine doctor.", field="security")
    print_findings(weaknesses.examine(load(data)), as_json=as_json)


@click.command("audit")
@click.option("--since", type=DAY, help="From this date or time on (UTC).")
@click.option("--until", type=DAY, help="Before this date or time (UTC).")
@click.option("--action", default="", help="Only actions with this prefix, for example consent or application.secret.")
@data_option
def audit(since: datetime | None, until: datetime | None, action: str, data: Path) -> None:
    """Print the audit log as JSON Lines, newest first. It contains no secrets and no tokens."""
    database = inventory.open_existing(load(data))
    try:
        with database.read() as work:
            for line in lines(work, AuditFilter(_utc(since), _utc(until), action)):
                click.echo(msgspec.json.encode(line).decode())
    finally:
        database.close()


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)


@click.group()
def record() -> None:
    """Deleted records."""


@record.command("removed")
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON for each record.")
def list_removed(data: Path, as_json: bool) -> None:
    """List the records deleted in the last seven days, which can be restored."""
    with instance(data) as services, services.database.read() as work:
        removed_records = services.library.removal.removed(work, COMMAND)
    for removed_record in removed_records:
        key, title = removed_record.key, removed_record.title
        line = {
            "databox_id": key.databox, "record_id": key.number, "title": title,
            "removed_at": removed_record.removed_at.isoformat(),
        }  # fmt: skip
        click.echo(json.dumps(line) if as_json else f"{key}\t{removed_record.removed_at:%Y-%m-%d %H:%M}\t{title}")


@record.command("restore")
@click.argument("databox_id", type=int)
@click.argument("record_id", type=int)
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print a machine-readable result.")
def restore_record(databox_id: int, record_id: int, data: Path, as_json: bool) -> None:
    """Restore a deleted record with its number, values, files and links."""
    key = RecordKey(DataboxId(databox_id), record_id)
    with instance(data) as services, services.database.write() as work:
        services.library.removal.restore(work, COMMAND, key)
    result = {"databox_id": databox_id, "record_id": record_id}
    click.echo(json.dumps(result) if as_json else f"Record {key} was restored.")


@click.group()
def keys() -> None:
    """Keys that sign id_tokens."""


@keys.command("rotate")
@data_option
@json_option
def rotate_keys(data: Path, as_json: bool) -> None:
    """Start signing with the key published last time, and publish the next one."""
    with instance(data) as services:
        kid = services.oauth.server.keys.rotate(COMMAND)
    print_result(
        {"kid": kid},
        as_json=as_json,
        sentence=f"Key {kid} signs from now on; the previous key stays published for two days.",
    )
