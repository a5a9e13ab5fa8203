"""vitrine import: import files and folders, with a progress bar. It can be interrupted and run again."""

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
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON for each file.")
def import_files(paths: tuple[Path, ...], base_id: int, login: str | None, data: Path, as_json: bool) -> None:
    """Add files, and the files in folders, to a collection. Files that already exist are skipped, so an interrupted
    import can be run again."""
    files = list(_files(paths))
    counts: Counter[str] = Counter()
    with instance(data) as services:
        actor = _actor(services, login)
        with services.database.read() as work:
            services.library.ingest.permit(work, actor, CollectionId(base_id))
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
            f"{counts['added']} added, {counts['there']} already existed, {counts['waits']} are in the "
            f"quarantine, {counts['refused']} refused."
        )
    if counts["refused"]:
        raise Conflict(f"{counts['refused']} of {len(files)} files were refused; the reasons are above.")


def add_one(services: Services, actor: Actor, path: Path, into: CollectionId) -> tuple[str, str]:
    """Add one file and return (state, detail): added, there, waits (in the quarantine) or refused. A full disk ends the
    import."""
    try:
        name, is_guessed = readable_name(os.fsencode(path.name))  # names on a disk are bytes
        arrival = services.library.ingest.take(path, name, is_name_guessed=is_guessed)
        with services.database.write() as work:
            services.library.ingest.refuse_duplicate(work, actor, arrival, into)
            if services.library.quarantine.holds(work, into, arrival.sha256):
                return "waits", "in the quarantine since an earlier import"
            outcome = services.library.ingest.add(work, actor, arrival, into)
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
        return services.accounts.users.actor_of(work, services.accounts.users.find(work, login), Via.COMMAND)


def _files(paths: tuple[Path, ...]) -> Iterator[Path]:
    """Files in order, in folders recursively. Hidden files and symbolic links are skipped."""
    has_files = False
    for path in paths:
        entries = sorted(path.rglob("*")) if path.is_dir() else [path]
        for entry in entries:
            if entry.is_file() and not entry.is_symlink() and not entry.name.startswith("."):
                has_files = True
                yield entry
    if not has_files:
        raise Invalid("There are no files in these folders.", field="paths")
