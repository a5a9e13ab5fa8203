"""vitrine audit: print the audit log as JSON Lines for other programs."""

from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from vitrine.cli import inventory
from vitrine.cli.opening import data_option, load
from vitrine.platform.audit import AuditFilter, lines

DAY = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])


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
