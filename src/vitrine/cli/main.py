"""The command group. A refusal is printed as one sentence on standard error, with exit status 1."""

import sys

import click

from vitrine import __version__
from vitrine.cli import (
    applications,
    databox_structure,
    exports,
    feeds,
    groups,
    hot_folders,
    imports,
    journal,
    operations,
    rules,
    server,
    structure,
    tasks,
    users,
)
from vitrine.errors import DomainError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="vitrine")
def cli() -> None:
    """Vitrine: a digital asset management server whose documents can be embedded anywhere."""


for command in (
    server.serve,
    server.worker,
    server.migrate,
    server.reindex,
    server.sweep,
    server.complete,
    server.openapi,
    operations.backup,
    operations.restore,
    operations.doctor,
    operations.check,
    users.user,
    groups.group,
    structure.databox,
    structure.collection,
    structure.grant,
    databox_structure.field,
    databox_structure.status,
    databox_structure.recipe,
    databox_structure.terms,
    databox_structure.structure_task,
    rules.rule,
    feeds.feed,
    applications.app,
    journal.journal,
    operations.keys,
    operations.audit,
    structure.checks,
    imports.import_files,
    imports.import_phraseanet,
    exports.export_everything,
    exports.import_archive,
    hot_folders.hot_folder,
    operations.record,
    tasks.task,
    tasks.maintenance,
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
