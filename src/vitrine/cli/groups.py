"""group: people who have rights together."""

from pathlib import Path

import click

from vitrine.accounts import COMMAND, CollectionGrant, Right
from vitrine.accounts.groups.model import Group
from vitrine.cli.instance import data_option, instance
from vitrine.cli.output import json_option, print_result
from vitrine.cli.structure import rights_of
from vitrine.edge.services import Services
from vitrine.errors import NotFound
from vitrine.library.model import CollectionId
from vitrine.platform.database import UnitOfWork


@click.group()
def group() -> None:
    """Groups of people: what a group may do its members may do too."""


def _group(services: Services, work: UnitOfWork, name: str) -> Group:
    known = services.accounts.groups.by_name(work, COMMAND, name)
    if known is None:
        raise NotFound(f"There is no group called {name}.", field="name")
    return known


@group.command("add")
@click.argument("name")
@click.option("--description", default="")
@data_option
@json_option
def add_group(name: str, description: str, data: Path, as_json: bool) -> None:
    """Make a group."""
    with instance(data) as services, services.database.write() as work:
        created = services.accounts.groups.add(work, COMMAND, name, description)
    sentence = f"Group {created.name} was made ({created.id})."
    print_result({"group_id": created.id, "name": created.name}, as_json=as_json, sentence=sentence)


@group.command("delete")
@click.argument("name")
@data_option
@json_option
def delete_group(name: str, data: Path, as_json: bool) -> None:
    """Delete a group. Its members lose what it gave them."""
    with instance(data) as services, services.database.write() as work:
        known = _group(services, work, name)
        services.accounts.groups.delete(work, COMMAND, known.id)
    print_result({"name": known.name}, as_json=as_json, sentence=f"Group {known.name} was deleted.")


@group.command("join")
@click.argument("name")
@click.argument("login")
@data_option
@json_option
def join_group(name: str, login: str, data: Path, as_json: bool) -> None:
    """Let somebody into a group."""
    with instance(data) as services, services.database.write() as work:
        user = services.accounts.users.find(work, login)
        services.accounts.groups.join(work, COMMAND, _group(services, work, name).id, user)
    print_result({"name": name, "login": user.login}, as_json=as_json, sentence=f"{user.login} is in {name}.")


@group.command("leave")
@click.argument("name")
@click.argument("login")
@data_option
@json_option
def leave_group(name: str, login: str, data: Path, as_json: bool) -> None:
    """Take somebody out of a group."""
    with instance(data) as services, services.database.write() as work:
        user = services.accounts.users.find(work, login)
        services.accounts.groups.leave(work, COMMAND, _group(services, work, name).id, user)
    print_result({"name": name, "login": user.login}, as_json=as_json, sentence=f"{user.login} is no longer in {name}.")


@group.command("grant")
@click.argument("name")
@click.option("--collection", "base_id", type=int, required=True, help="base_id of the collection.")
@click.option(
    "--rights", default="reader", show_default=True, help="reader, contributor, all, none, or names with commas."
)
@data_option
@json_option
def grant_group(name: str, base_id: int, rights: str, data: Path, as_json: bool) -> None:
    """Grant a group rights on a collection, which replace the previous ones. `none` removes all rights."""
    with instance(data) as services, services.database.write() as work:
        target = services.library.records.collection(work, CollectionId(base_id))
        wanted = Right(0) if rights == "none" else rights_of(rights)
        grant = CollectionGrant(target.id, target.databox_id, wanted)
        services.accounts.groups.set_rights(work, COMMAND, _group(services, work, name).id, grant)
    print_result(
        {"name": name, "base_id": base_id}, as_json=as_json, sentence=f"{name} now has {rights} on {target.name}."
    )
