"""import, import-phraseanet: documents from this machine, and what another server knew."""

import json
import os
from collections import Counter
from pathlib import Path

import click

from vitrine.accounts import COMMAND, Actor, Via
from vitrine.cli.instance import data_option, instance
from vitrine.cli.output import FILE, json_option, print_result, progress_bar
from vitrine.edge.services import Services
from vitrine.errors import Conflict
from vitrine.library.model import CollectionId
from vitrine.operations.file_import import FileImport, FileResult, FileState, files_in
from vitrine.operations.phraseanet_import import PhraseanetImport, read
from vitrine.operations.progress import silent
from vitrine.platform.texts import readable_name


@click.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--collection", "base_id", type=int, required=True, help="base_id of the collection.")
@click.option("--as", "login", default=None, help="Login of the person who adds them.")
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON for each file.")
def import_files(paths: tuple[Path, ...], base_id: int, login: str | None, data: Path, as_json: bool) -> None:
    """Add files, and the files in folders, to a collection. Files that already exist are skipped, so an interrupted
    import can be run again."""
    files = files_in(paths)
    counts: Counter[FileState] = Counter()
    progress = silent if as_json else progress_bar
    with instance(data) as services:
        file_import = FileImport(services.database, services.library.ingest, services.library.quarantine)
        for result in file_import.run(_actor(services, login), files, CollectionId(base_id), progress=progress):
            counts[result.state] += 1
            _print_file(result, as_json=as_json)
    if not as_json:
        click.echo(
            f"{counts[FileState.ADDED]} added, {counts[FileState.EXISTS]} already existed, "
            f"{counts[FileState.QUARANTINED]} are in the quarantine, {counts[FileState.REFUSED]} refused."
        )
    if counts[FileState.REFUSED]:
        raise Conflict(f"{counts[FileState.REFUSED]} of {len(files)} files were refused; the reasons are above.")


def _actor(services: Services, login: str | None) -> Actor:
    if login is None:
        return COMMAND
    with services.database.read() as work:
        return services.accounts.users.actor_of(work, services.accounts.users.find(work, login), Via.COMMAND)


def _print_file(result: FileResult, *, as_json: bool) -> None:
    name = os.fsencode(result.path)
    if as_json:
        line = {"path": name.decode("utf-8", "replace"), "state": result.state, "detail": result.detail}
        click.echo(json.dumps(line))
    elif result.needs_attention:
        click.echo(f"\n  {readable_name(os.fsencode(result.path.name))[0]}: {result.detail}", err=True)


@click.command("import-phraseanet")
@click.argument("file", type=FILE)
@data_option
@json_option
def import_phraseanet(file: Path, data: Path, as_json: bool) -> None:
    """Import applications, people, access tokens and permalinks from another server, completely or not at all."""
    entries = read(file)
    with instance(data) as services:
        counts = phraseanet_import(services).run(entries)
    summary = ", ".join(f"{count} {part.replace('_', ' ')}" for part, count in counts.items())
    print_result(counts, as_json=as_json, sentence=f"Imported {summary}.")


def phraseanet_import(services: Services) -> PhraseanetImport:
    return PhraseanetImport(
        services.database,
        services.accounts.users,
        services.applications.registry,
        services.oauth.server,
        services.library.records,
    )
