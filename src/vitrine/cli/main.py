"""The command group. A refusal is printed as one sentence on standard error, with exit status 1."""

import sys

import click

from vitrine import __version__
from vitrine.cli import (
    administration,
    applications,
    auditing,
    backup,
    checking,
    doctor,
    importing,
    phraseanet,
    records,
    restore,
    security,
    serving,
)
from vitrine.errors import DomainError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="vitrine")
def cli() -> None:
    """Vitrine: a digital asset management server whose documents can be embedded anywhere."""


for command in (
    serving.serve,
    serving.worker,
    serving.migrate,
    serving.reindex,
    serving.sweep,
    serving.complete,
    serving.openapi,
    backup.backup,
    restore.restore,
    doctor.doctor,
    security.check,
    administration.user,
    administration.databox,
    administration.collection,
    administration.grant,
    applications.app,
    administration.keys,
    auditing.audit,
    checking.checks,
    importing.import_files,
    phraseanet.import_phraseanet,
    records.record,
):
    cli.add_command(command)


def main() -> None:
    try:
        cli(standalone_mode=False)
    except DomainError as refusal:
        print(f"vitrine: {refusal.detail}", file=sys.stderr)
        sys.exit(1)
    except click.ClickException as failure:
        failure.show()
        sys.exit(failure.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
