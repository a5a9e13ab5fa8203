"""export, import-archive: everything of an instance in an open layout."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from vitrine.cli.instance import data_option, load, refuse_foreign
from vitrine.cli.output import json_option, print_result, progress_bar
from vitrine.errors import Conflict, Invalid
from vitrine.operations.export import import_bag, write_bag
from vitrine.operations.export.encryption import LEAST_LENGTH, checked_passphrase, read_passphrase
from vitrine.operations.progress import silent

passphrase_option = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Read the passphrase of the credentials from the first line of this file instead of asking for it.",
)


def _passphrase(file: Path | None, *, is_new: bool) -> str:
    if file is not None:
        return read_passphrase(file)
    text = f"Passphrase (at least {LEAST_LENGTH} characters)"
    return checked_passphrase(click.prompt(text, hide_input=True, confirmation_prompt=is_new))


@click.command("export")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--with-credentials", is_flag=True, help="Add passwords, secrets and tokens, encrypted by a passphrase.")
@passphrase_option
@click.option("--link", is_flag=True, help="Link files instead of copying them (same file system only).")
@data_option
@json_option
def export_everything(
    target: Path, with_credentials: bool, passphrase_file: Path | None, link: bool, data: Path, as_json: bool
) -> None:
    """Write everything of a running instance to the folder TARGET, in an open layout that other programs can read. An
    interrupted export goes on when the same command is run again."""
    if passphrase_file is not None and not with_credentials:
        raise Invalid("A passphrase is used with --with-credentials only.", field="passphrase_file")
    passphrase = _passphrase(passphrase_file, is_new=True) if with_credentials else None
    progress = silent if as_json else progress_bar
    exported = write_bag(load(data), target, passphrase=passphrase, link=link, progress=progress)
    if as_json:
        click.echo(json.dumps(asdict(exported)))
    else:
        click.echo(f"{exported.lines} lines and {exported.files} files ({exported.bytes} bytes) are in {target}.")
    if exported.missing:
        raise Conflict(f"{exported.missing} files are missing or damaged; vitrine doctor --deep names them.")


@click.command("import-archive")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option("--with-credentials", is_flag=True, help="Import the credentials of the export too.")
@passphrase_option
@click.option("--invite", is_flag=True, help="Send each person without a password a link to choose one.")
@data_option
@json_option
def import_archive(
    source: Path, with_credentials: bool, passphrase_file: Path | None, invite: bool, data: Path, as_json: bool
) -> None:
    """Import the export SOURCE into an empty instance, completely or not at all. Numbers, addresses and files stay as
    they are. An interrupted import goes on when the same command is run again."""
    if passphrase_file is not None and not with_credentials:
        raise Invalid("A passphrase is used with --with-credentials only.", field="passphrase_file")
    if data.is_dir():
        refuse_foreign(data)
    passphrase = _passphrase(passphrase_file, is_new=False) if with_credentials else None
    progress = silent if as_json else progress_bar
    imported = import_bag(load(data), source, passphrase=passphrase, invite=invite, progress=progress)
    sentence = f"{imported.lines} lines and {imported.files} files are in {data}."
    print_result(asdict(imported), as_json=as_json, sentence=sentence)
    if imported.missing:
        click.echo(f"{imported.missing} files were missing when it was written.", err=True)
    if not as_json and not imported.has_credentials and not invite:
        click.echo("People have no passwords yet: each chooses one by the link for a forgotten password.", err=True)
