"""field, status, recipe, terms, task: the structure of a databox and its terms of use."""

from pathlib import Path
from typing import Any

import click

from vitrine.accounts import COMMAND
from vitrine.cli.attributes import parsed
from vitrine.cli.instance import data_option, instance
from vitrine.cli.output import FILE, json_option, print_result
from vitrine.edge.services import Services
from vitrine.errors import Invalid, NotFound
from vitrine.library.model import DataboxId, Field, Recipe
from vitrine.library.structure.task_store import Task
from vitrine.platform.database import UnitOfWork

databox_option = click.option("--databox", "databox_id", type=int, required=True, help="Number of the databox.")
attributes_argument = click.argument("attributes", nargs=-1)


def _field(services: Services, work: UnitOfWork, databox: int, name: str) -> Field:
    fields = services.library.records.structure(work).fields.get(DataboxId(databox), ())
    for field in fields:
        if name in (field.name, str(field.id)):
            return field
    raise NotFound(f"Databox {databox} has no field {name}.", field="name")


def _shown(task: Task | None) -> dict[str, Any] | None:
    if task is None:
        return None
    return {
        "task_id": task.id, "kind": task.kind, "state": task.state, "total": task.total, "done": task.done,
        "changed": task.changed, "failed": task.failed,
    }  # fmt: skip


@click.group()
def field() -> None:
    """Fields of a databox. ATTRIBUTES are name=value pairs, such as type=date, multi=true or labels.fr=Lieu."""


@field.command("add")
@click.argument("name")
@attributes_argument
@databox_option
@data_option
@json_option
def add_field(name: str, attributes: tuple[str, ...], databox_id: int, data: Path, as_json: bool) -> None:
    """Add a field after the others; its name in queries is made from NAME."""
    given = {"name": name, **parsed(attributes)}
    with instance(data) as services, services.database.write() as work:
        added = services.library.administration.fields.add(work, COMMAND, DataboxId(databox_id), given)
    print_result(
        {"field_id": added.id, "name": added.name},
        as_json=as_json,
        sentence=f"Field {added.name} was added ({added.id}).",
    )


@field.command("set")
@click.argument("name")
@attributes_argument
@databox_option
@data_option
@json_option
def set_field(name: str, attributes: tuple[str, ...], databox_id: int, data: Path, as_json: bool) -> None:
    """Change attributes of the field NAME, its name too. The worker indexes and titles records again."""
    with instance(data) as services, services.database.write() as work:
        known = _field(services, work, databox_id, name)
        fields = services.library.administration.fields
        changed = fields.change(work, COMMAND, DataboxId(databox_id), known.id, parsed(attributes))
    result = {"field_id": changed.id, "name": changed.name, "revision": changed.revision}
    print_result(result, as_json=as_json, sentence=f"Field {changed.name} was set.")


@field.command("order")
@click.argument("names", nargs=-1, required=True)
@databox_option
@data_option
@json_option
def order_fields(names: tuple[str, ...], databox_id: int, data: Path, as_json: bool) -> None:
    """Put the fields in the order of NAMES, which has each once."""
    with instance(data) as services, services.database.write() as work:
        ids = [_field(services, work, databox_id, name).id for name in names]
        fields = services.library.administration.fields.order(work, COMMAND, DataboxId(databox_id), ids)
    result = {"order": [entry.name for entry in fields]}
    print_result(result, as_json=as_json, sentence="The fields are in their new order.")


@field.command("delete")
@click.argument("name")
@databox_option
@data_option
@json_option
def delete_field(name: str, databox_id: int, data: Path, as_json: bool) -> None:
    """Delete the field NAME; the worker deletes its values."""
    with instance(data) as services, services.database.write() as work:
        known = _field(services, work, databox_id, name)
        task = services.library.administration.fields.delete(work, COMMAND, DataboxId(databox_id), known.id)
    print_result({"task": _shown(task)}, as_json=as_json, sentence=f"Field {known.name} was deleted (task {task.id}).")


@field.command("list")
@databox_option
@data_option
@json_option
def list_fields(databox_id: int, data: Path, as_json: bool) -> None:
    """The fields of a databox, in order."""
    with instance(data) as services, services.database.read() as work:
        box = services.library.records.databox(work, COMMAND, DataboxId(databox_id))
        fields = services.library.records.structure(work).fields[box.id]
    rows = [{"field_id": entry.id, "name": entry.name, "type": entry.type, "multi": entry.multi} for entry in fields]
    print_result(
        {"fields": rows}, as_json=as_json, sentence="\n".join(f"{row['field_id']} {row['name']}" for row in rows)
    )


@click.group()
def status() -> None:
    """Status bits of a databox, 4 to 31. ATTRIBUTES are label_on, label_off, labels_on.fr, searchable …"""


@status.command("set")
@click.argument("bit", type=int)
@attributes_argument
@databox_option
@click.option("--icon-on", type=FILE, help="Small picture of the on state.")
@click.option("--icon-off", type=FILE, help="Small picture of the off state.")
@data_option
@json_option
def set_status_bit(
    bit: int, attributes: tuple[str, ...], databox_id: int, icon_on: Path | None, icon_off: Path | None, data: Path,
    as_json: bool,
) -> None:  # fmt: skip
    """Define a bit, or change its definition."""
    box = DataboxId(databox_id)
    with instance(data) as services:
        administration = services.library.administration
        icons = {
            on: administration.pictures.keep(icon, icon.name, field="icon")
            for on, icon in ((True, icon_on), (False, icon_off))
            if icon is not None
        }
        with services.database.write() as work:
            defined = administration.status_bits.define(work, COMMAND, box, bit, parsed(attributes))
            for on, picture in icons.items():
                administration.status_bits.set_icon(work, COMMAND, box, bit, picture, on=on)
    print_result(
        {"bit": bit, "label_on": defined.label_on}, as_json=as_json, sentence=f"Bit {bit} is {defined.label_on}."
    )


@status.command("remove")
@click.argument("bit", type=int)
@databox_option
@data_option
@json_option
def remove_status_bit(bit: int, databox_id: int, data: Path, as_json: bool) -> None:
    """Remove a definition; the worker switches the bit off in every record."""
    with instance(data) as services, services.database.write() as work:
        task = services.library.administration.status_bits.remove(work, COMMAND, DataboxId(databox_id), bit)
    print_result({"task": _shown(task)}, as_json=as_json, sentence=f"Bit {bit} was removed (task {task.id}).")


@click.group()
def recipe() -> None:
    """Rendition recipes. ATTRIBUTES are klass, mediatype, options.size …, downloadable, tobuild …"""


@recipe.command("add")
@click.argument("group")
@click.argument("name")
@attributes_argument
@databox_option
@data_option
@json_option
def add_recipe(group: str, name: str, attributes: tuple[str, ...], databox_id: int, data: Path, as_json: bool) -> None:
    """Add the recipe NAME for a kind of record (GROUP: image, video …); the worker makes its files."""
    with instance(data) as services, services.database.write() as work:
        recipes = services.library.administration.recipes
        added, task = recipes.add(work, COMMAND, DataboxId(databox_id), group, name, _recipe_attributes(attributes))
    _print_recipe(added, task, "added", as_json=as_json)


@recipe.command("set")
@click.argument("group")
@click.argument("name")
@attributes_argument
@databox_option
@data_option
@json_option
def set_recipe(group: str, name: str, attributes: tuple[str, ...], databox_id: int, data: Path, as_json: bool) -> None:
    """Change a recipe; the worker makes its files again if they become others."""
    with instance(data) as services, services.database.write() as work:
        recipes = services.library.administration.recipes
        changed, task = recipes.change(
            work, COMMAND, DataboxId(databox_id), group, name, _recipe_attributes(attributes)
        )
    _print_recipe(changed, task, "set", as_json=as_json)


@recipe.command("delete")
@click.argument("group")
@click.argument("name")
@databox_option
@data_option
@json_option
def delete_recipe(group: str, name: str, databox_id: int, data: Path, as_json: bool) -> None:
    """Delete a recipe; the worker deletes its files."""
    with instance(data) as services, services.database.write() as work:
        task = services.library.administration.recipes.delete(work, COMMAND, DataboxId(databox_id), group, name)
    print_result({"task": _shown(task)}, as_json=as_json, sentence=f"{group}/{name} was deleted (task {task.id}).")


def _recipe_attributes(pairs: tuple[str, ...]) -> dict[str, Any]:
    """`options.size=800` is a number: options are no texts, unlike labels."""
    given = parsed(pairs)
    options = given.get("options")
    if isinstance(options, dict):
        given["options"] = parsed(tuple(f"{name}={value}" for name, value in options.items()))
    return given


def _print_recipe(recipe: Recipe, task: Task | None, verb: str, *, as_json: bool) -> None:
    tail = f" (task {task.id})" if task else ""
    result = {"group": recipe.group, "name": recipe.name, "revision": recipe.revision, "task": _shown(task)}
    print_result(result, as_json=as_json, sentence=f"{recipe.group}/{recipe.name} was {verb}{tail}.")


@click.group()
def terms() -> None:
    """Terms of use of a databox."""


@terms.command("publish")
@click.argument("texts", nargs=-1, required=True)
@databox_option
@click.option("--must-accept", is_flag=True, help="Everybody has to accept them anew.")
@data_option
@json_option
def publish_terms(texts: tuple[str, ...], databox_id: int, must_accept: bool, data: Path, as_json: bool) -> None:
    """Publish a new version. TEXTS are files of HTML by language, such as en=terms.html fr=conditions.html."""
    files = {language: Path(str(name)) for language, name in parsed(texts).items()}
    for language, file in files.items():
        if not file.is_file():
            raise NotFound(f"There is no file {file} for {language}.", field="texts")
    content = {language: _text_of(file) for language, file in files.items()}
    with instance(data) as services, services.database.write() as work:
        service = services.library.terms
        version = service.publish(work, COMMAND, DataboxId(databox_id), content, must_accept=must_accept)
    result = {"number": version.number, "must_accept": version.must_accept, "languages": sorted(version.texts)}
    print_result(result, as_json=as_json, sentence=f"Version {version.number} of the terms of use is in force.")


def _text_of(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as fault:
        raise Invalid(f"The file {file} is not written in UTF-8.", field="texts") from fault


@click.group("structure-task")
def structure_task() -> None:
    """Work on many records that follows from a change of the structure."""


@structure_task.command("list")
@databox_option
@data_option
@json_option
def list_tasks(databox_id: int, data: Path, as_json: bool) -> None:
    """The newest tasks of a databox, and how far they are."""
    with instance(data) as services, services.database.read() as work:
        tasks = services.library.administration.tasks.listed(work, COMMAND, DataboxId(databox_id))
    lines = [f"{entry.id:6} {entry.kind:20} {entry.state:9} {entry.done} of {entry.total or '?'}" for entry in tasks]
    print_result(
        {"tasks": [_shown(entry) for entry in tasks]}, as_json=as_json, sentence="\n".join(lines) or "No task."
    )
