"""hot-folder: folders of the server whose files become records."""

import json
from pathlib import Path
from typing import Any

import click

from vitrine.accounts import COMMAND
from vitrine.cli.instance import data_option, instance
from vitrine.cli.output import json_option, print_result
from vitrine.library.hot_folders import HotFolder


@click.group("hot-folder")
def hot_folder() -> None:
    """Folders of the server whose files become records by themselves."""


def _line(folder: HotFolder) -> dict[str, Any]:
    return {
        "hot_folder_id": folder.id, "path": folder.path, "base_id": folder.collection_id, "mask": folder.mask,
        "sidecar_mask": folder.sidecar_mask, "delete": folder.deletes, "enabled": folder.is_enabled,
        "fault": folder.fault, "taken": folder.taken, "failed": folder.failed,
    }  # fmt: skip


@hot_folder.command("list")
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON for each folder.")
def list_folders(data: Path, as_json: bool) -> None:
    """List the hot folders, with what keeps one from being used."""
    with instance(data) as services, services.database.read() as work:
        folders = services.hot_folders.page(work, COMMAND)
    for folder in folders:
        words = "off" if not folder.is_enabled else folder.fault or "ready"
        plain = f"{folder.id}\t{folder.path}\t{folder.collection_id}\t{folder.taken}\t{folder.failed}\t{words}"
        click.echo(json.dumps(_line(folder)) if as_json else plain)


@hot_folder.command("add")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--collection", "base_id", type=int, required=True, help="base_id of the collection.")
@click.option("--mask", default=None, help="Names of the files that are taken, such as '*.jpg;*.tif'.")
@click.option("--sidecar-mask", default=None, help="Names of XMP files beside them; '' for none.")
@click.option("--delete", "deletes", is_flag=True, help="Delete what was taken instead of moving it to _archived.")
@data_option
@json_option
def add_folder(
    path: Path,
    base_id: int,
    mask: str | None,
    sidecar_mask: str | None,
    deletes: bool,
    data: Path,
    as_json: bool,
) -> None:
    """Make a hot folder. Its path lies inside of a folder of the setting hot_folder_roots."""
    values = {
        "path": str(path), "collection_id": base_id, "mask": mask, "sidecar_mask": sidecar_mask, "deletes": deletes,
    }  # fmt: skip
    with instance(data) as services, services.database.write() as work:
        added = services.hot_folders.add(work, COMMAND, values)
    sentence = f"Hot folder {added.id} was made. Put an empty file called .vitrine into {added.path} to start it."
    print_result(_line(added), as_json=as_json, sentence=sentence)


@hot_folder.command("change")
@click.argument("number", type=int)
@click.option("--path", type=click.Path(path_type=Path), default=None)
@click.option("--collection", "base_id", type=int, default=None, help="base_id of the collection.")
@click.option("--mask", default=None)
@click.option("--sidecar-mask", default=None)
@click.option("--delete/--archive", "deletes", default=None, help="What becomes of files that were taken.")
@click.option("--on/--off", "is_enabled", default=None, help="Whether files are taken.")
@data_option
@json_option
def change_folder(
    number: int,
    path: Path | None,
    base_id: int | None,
    mask: str | None,
    sidecar_mask: str | None,
    deletes: bool | None,
    is_enabled: bool | None,
    data: Path,
    as_json: bool,
) -> None:
    """Change a hot folder."""
    values = {
        "path": None if path is None else str(path), "collection_id": base_id, "mask": mask,
        "sidecar_mask": sidecar_mask, "deletes": deletes, "is_enabled": is_enabled,
    }  # fmt: skip
    with instance(data) as services, services.database.write() as work:
        changed = services.hot_folders.change(work, COMMAND, number, values)
    print_result(_line(changed), as_json=as_json, sentence=f"Hot folder {number} was changed.")


@hot_folder.command("delete")
@click.argument("number", type=int)
@data_option
@json_option
def delete_folder(number: int, data: Path, as_json: bool) -> None:
    """Delete a hot folder. Its files and their records stay."""
    with instance(data) as services, services.database.write() as work:
        services.hot_folders.delete(work, COMMAND, number)
    print_result({"hot_folder_id": number}, as_json=as_json, sentence=f"Hot folder {number} was deleted.")
