"""import, import-phraseanet: documents from this machine, and what another server knew."""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import click

from vitrine.accounts import COMMAND, Actor, Via
from vitrine.cli.instance import data_option, instance
from vitrine.cli.output import FILE, json_option, print_result, progress_bar
from vitrine.edge.services import Services
from vitrine.errors import Conflict
from vitrine.library.model import CollectionId, Field
from vitrine.operations.file_import import (
    FileImport,
    FileResult,
    FileState,
    ImportMapping,
    Plan,
    Source,
    files_in,
    read_mapping,
)
from vitrine.operations.file_import.csv_rows import CsvFile
from vitrine.operations.file_import.listed import listed_files
from vitrine.operations.file_import.report import reporting
from vitrine.operations.phraseanet_import import PhraseanetImport, read
from vitrine.operations.progress import silent
from vitrine.platform.texts import readable_name


@click.command("import")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--collection", "base_id", type=int, default=None, help="base_id of the collection.")
@click.option("--as", "login", default=None, help="Login of the person who adds them.")
@click.option("--mapping", "mapping_file", type=FILE, default=None, help="What goes to which field (TOML).")
@click.option("--csv", "csv_file", type=FILE, default=None, help="Rows that name files and have values for them.")
@click.option("--delimiter", default=None, help="Of the CSV: ';', ',' or 'tab'; found by its header otherwise.")
@click.option("--dry-run", is_flag=True, help="Say what would become of each file, and change nothing.")
@click.option("--update", is_flag=True, help="Give the values to records that exist as well.")
@click.option(
    "--report", type=click.Path(path_type=Path, dir_okay=False), help="Write a line of each file: .jsonl, .csv."
)
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON for each file.")
def import_files(
    paths: tuple[Path, ...],
    base_id: int | None,
    login: str | None,
    mapping_file: Path | None,
    csv_file: Path | None,
    delimiter: str | None,
    dry_run: bool,
    update: bool,
    report: Path | None,
    data: Path,
    as_json: bool,
) -> None:
    """Add files, and the files in folders, to a collection, with the values of their XMP sidecars. With --csv, add the
    files that its rows name, relative to the folder PATHS or else to the CSV. Files that already exist are skipped, so
    an interrupted import can be run again."""
    if not paths and csv_file is None:
        raise click.UsageError("Name files or folders, or a CSV.")
    mapping = read_mapping(mapping_file) if mapping_file else ImportMapping()
    counts: Counter[FileState] = Counter()
    with ExitStack() as stack:
        note = stack.enter_context(reporting(report))
        services = stack.enter_context(instance(data))
        into = None if base_id is None else CollectionId(base_id)
        plan = Plan(into, mapping, updates=update, is_dry=dry_run)
        if csv_file is None:
            sources: Iterable[Source | FileResult] = files_in(paths)
            total = sum(1 for _ in files_in(paths))
        else:
            table = stack.enter_context(closing(CsvFile(csv_file, _delimiter(delimiter) or mapping.csv.delimiter)))
            plan = replace(plan, mapping=_with_columns(services, table, plan))
            sources, total = _listed(table, plan.mapping, paths, mapping_file, report), _lines(csv_file)
        file_import = file_import_of(services)
        actor, progress = _actor(services, login), silent if as_json else progress_bar
        for result in file_import.run(actor, sources, plan, total=total, progress=progress):
            counts[result.state] += 1
            note(result)
            _print_file(result, as_json=as_json, is_dry=dry_run)
    if not as_json:
        click.echo(_summary(counts, is_dry=dry_run))
    if counts[FileState.REFUSED]:
        raise Conflict(f"{counts[FileState.REFUSED]} of {counts.total()} files were refused; the reasons are above.")


def file_import_of(services: Services) -> FileImport:
    library = services.library
    return FileImport(services.database, library.ingest, library.quarantine, library.changes)


def _delimiter(text: str | None) -> str | None:
    if text is None or text == "tab":
        return text and "\t"
    if len(text) != 1 or text in '"\r\n':
        raise click.UsageError("--delimiter is one character, or tab.")
    return text


def _with_columns(services: Services, table: CsvFile, plan: Plan) -> ImportMapping:
    """The mapping, checked against the header. Columns may be called like the fields of the collection."""
    with services.database.read() as work:
        structure = services.library.records.structure(work)
        fields: tuple[Field, ...] = ()
        if plan.into is not None:
            fields = structure.fields[services.library.records.collection(work, plan.into).databox_id]
    return plan.mapping.with_columns(table.columns, fields)


def _listed(
    table: CsvFile, mapping: ImportMapping, paths: tuple[Path, ...], *apart: Path | None
) -> Iterator[Source | FileResult]:
    if len(paths) > 1 or (paths and not paths[0].is_dir()):
        raise click.UsageError("With --csv, name at most one folder.")
    folder = paths[0] if paths else table.path.parent
    names = frozenset(path.resolve() for path in apart if path is not None)
    return listed_files(table, mapping.file_column(table.columns), folder, names)


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def _summary(counts: Counter[FileState], *, is_dry: bool) -> str:
    parts = [
        f"{counts[FileState.ADDED]} {'would be added' if is_dry else 'added'}",
        f"{counts[FileState.EXISTS]} already existed",
        f"{counts[FileState.QUARANTINED]} {'would go to' if is_dry else 'are in'} the quarantine",
        f"{counts[FileState.REFUSED]} refused",
    ]
    if counts[FileState.UPDATED]:
        parts.append(f"{counts[FileState.UPDATED]} {'would get' if is_dry else 'got'} other values")
    if counts[FileState.UNLISTED]:
        parts.append(f"{counts[FileState.UNLISTED]} have no row in the CSV")
    return ", ".join(parts) + "."


def _actor(services: Services, login: str | None) -> Actor:
    if login is None:
        return COMMAND
    with services.database.read() as work:
        return services.accounts.users.actor_of(work, services.accounts.users.find(work, login), Via.COMMAND)


def _print_file(result: FileResult, *, as_json: bool, is_dry: bool) -> None:
    if as_json:
        name = os.fsencode(result.path).decode("utf-8", "replace")
        click.echo(json.dumps({**result.as_members(), "path": name}))
    elif is_dry:
        values = "; ".join(f"{name}: {', '.join(texts)}" for name, texts in result.values.items())
        details = ". ".join(part for part in (result.sentences, values) if part)
        click.echo(f"\n{result.state}\t{readable_name(os.fsencode(result.path))[0]}\t{details}")
    elif result.needs_attention:
        line = "" if result.line is None else f" (line {result.line})"
        click.echo(f"\n  {readable_name(os.fsencode(result.path.name))[0]}{line}: {result.sentences}", err=True)


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
