"""vitrine import: many files from a folder, with a progress bar; can be interrupted and run again."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click

from vitrine.accounts import COMMAND, Actor, Via
from vitrine.cli.opening import data_option, instance
from vitrine.edge.services import Services
from vitrine.errors import Conflict, DomainError, Invalid, Unavailable
from vitrine.library.errors import AlreadyThere
from vitrine.library.ingest import Quarantined
from vitrine.library.model import CollectionId
from vitrine.platform.texts import readable_name

NAME_GUESSED = "its name is not UTF-8 and may be wrong"


@click.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--collection", "base_id", type=int, required=True, help="base_id of the collection.")
@click.option("--as", "login", default=None, help="Login of the person who adds them.")
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON a file.")
def import_files(paths: tuple[Path, ...], base_id: int, login: str | None, data: Path, as_json: bool) -> None:
    """Add files, and the files of folders, to a collection. A file that is there already is passed over, so that an
    interrupted import can simply be run again."""
    files = list(_files(paths))
    counts: Counter[str] = Counter()
    with instance(data) as services:
        actor = _actor(services, login)
        with services.database.read() as work:
            services.ingest.permit(work, actor, CollectionId(base_id))
        with click.progressbar(files, label="Adding", show_pos=True, hidden=as_json) as bar:
            for path in bar:
                state, detail = add_one(services, actor, path, CollectionId(base_id))
                counts[state] += 1
                if as_json:
                    click.echo(
                        json.dumps(
                            {"path": os.fsencode(path).decode("utf-8", "replace"), "state": state, "detail": detail}
                        )
                    )
                elif state == "refused" or detail == NAME_GUESSED:
                    click.echo(f"\n  {readable_name(os.fsencode(path.name))[0]}: {detail}", err=True)
    if not as_json:
        click.echo(
            f"{counts['added']} added, {counts['there']} were there already, {counts['waits']} wait in the "
            f"quarantine, {counts['refused']} refused."
        )
    if counts["refused"]:
        raise Conflict(f"{counts['refused']} of {len(files)} files were refused; the reasons are above.")


def add_one(services: Services, actor: Actor, path: Path, into: CollectionId) -> tuple[str, str]:
    """(state, detail) of one file: added, there, waits (in the quarantine) or refused. A full disk ends the import."""
    try:
        name, is_guessed = readable_name(os.fsencode(path.name))  # names on a disk are bytes
        arrival = services.ingest.take(path, name, is_name_guessed=is_guessed)
        with services.database.write() as work:
            services.ingest.refuse_duplicate(work, actor, arrival, into)
            if services.quarantine.holds(work, into, arrival.sha256):
                return "waits", "in the quarantine since an earlier import"
            outcome = services.ingest.add(work, actor, arrival, into)
    except AlreadyThere as twin:
        return "there", twin.detail
    except Unavailable:
        raise
    except DomainError as refusal:
        return "refused", refusal.detail
    if isinstance(outcome, Quarantined):
        return "waits", "in the quarantine: " + ", ".join(outcome.checks)
    return "added", NAME_GUESSED if is_guessed else ""


def _actor(services: Services, login: str | None) -> Actor:
    if login is None:
        return COMMAND
    with services.database.read() as work:
        return services.accounts.actor_of(work, services.accounts.find(work, login), Via.COMMAND)


def _files(paths: tuple[Path, ...]) -> Iterator[Path]:
    """Files in order, those of folders recursively; hidden ones and links that lead elsewhere are left out."""
    found = False
    for path in paths:
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        for one in inside:
            if one.is_file() and not one.is_symlink() and not one.name.startswith("."):
                found = True
                yield one
    if not found:
        raise Invalid("There are no files in these folders.", field="paths")
