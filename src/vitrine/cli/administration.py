"""user add, databox add, collection add, grant: administration from a shell."""

import json
from pathlib import Path
from typing import Any

import click

from vitrine.accounts import COMMAND, CollectionGrant, DataboxRight, Right, User
from vitrine.accounts.rights import ALL_DATABOX_RIGHTS, ALL_RIGHTS, CONTRIBUTOR, READER
from vitrine.cli.opening import data_option, instance
from vitrine.edge.services import Services
from vitrine.errors import Invalid
from vitrine.library.model import Collection, CollectionId, DataboxId
from vitrine.library.presentation import Presentation
from vitrine.platform.database import UnitOfWork

SETS = {"reader": READER, "contributor": CONTRIBUTOR, "all": ALL_RIGHTS}
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
json_option = click.option("--json", "as_json", is_flag=True, help="Print a machine-readable result.")


def print_result(result: dict[str, Any], *, as_json: bool, sentence: str) -> None:
    click.echo(json.dumps(result) if as_json else sentence)


@click.group()
def user() -> None:
    """Accounts of people."""


@user.command("add")
@click.argument("login")
@click.option("--password", prompt=True, hide_input=True, confirmation_prompt=True, envvar="VITRINE_NEW_PASSWORD")
@click.option("--email", default="")
@click.option("--first-name", default="")
@click.option("--last-name", default="")
@click.option("--admin", is_flag=True, help="Make this person an administrator.")
@data_option
@json_option
def add_user(
    login: str, password: str, email: str, first_name: str, last_name: str, admin: bool, data: Path, as_json: bool
) -> None:
    """Create an account."""
    with instance(data) as services, services.database.write() as work:
        account = services.accounts.users.add(
            work,
            COMMAND,
            login=login,
            password=password,
            email=email,
            first_name=first_name,
            last_name=last_name,
            is_admin=admin,
        )
    print_result(
        {"id": account.id, "login": account.login},
        as_json=as_json,
        sentence=f"Account {account.login} was created ({account.id}).",
    )


@user.command("password")
@click.argument("login")
@click.option("--password", prompt=True, hide_input=True, confirmation_prompt=True, envvar="VITRINE_NEW_PASSWORD")
@click.option("--forget-second-step", is_flag=True, help="Forget authenticator, recovery codes and passkeys too.")
@click.option("--end-developer-tokens", is_flag=True, help="End their developer tokens too.")
@data_option
@json_option
def give_password(
    login: str, password: str, forget_second_step: bool, end_developer_tokens: bool, data: Path, as_json: bool
) -> None:
    """Set somebody's password. Their sign-ins end, and the codes and tokens of applications; developer tokens stay."""
    with instance(data) as services:
        user, left = services.accounts.administration.give_password(
            COMMAND,
            login,
            password,
            forget_second_step=forget_second_step,
            end_developer_tokens=end_developer_tokens,
        )
    lines = [f"{user.login} has a new password and is signed out."]
    if left:
        lines += ["These developer tokens still work (end them with --end-developer-tokens):"]
        lines += [f"- {one.words}" for one in left]
    result = {"login": user.login, "developer_tokens": [one.words for one in left]}
    print_result(result, as_json=as_json, sentence="\n".join(lines))


@user.command("email")
@click.argument("login")
@click.argument("address")
@data_option
@json_option
def give_address(login: str, address: str, data: Path, as_json: bool) -> None:
    """Set somebody's e-mail address. Links sent to the old one end, and the old one is told."""
    with instance(data) as services, services.database.write() as work:
        found = services.accounts.administration.give_address(work, COMMAND, login, address)
    print_result({"login": found.login}, as_json=as_json, sentence=f"{found.login} has a new e-mail address.")


@user.command("suspend")
@click.argument("login")
@data_option
@json_option
def suspend_user(login: str, data: Path, as_json: bool) -> None:
    """Refuse somebody everything until `user resume`: sign-ins, tokens, codes, signed addresses."""
    with instance(data) as services, services.database.write() as work:
        found = services.accounts.administration.suspend(work, COMMAND, login)
    print_result({"login": found.login}, as_json=as_json, sentence=f"{found.login} is suspended.")


@user.command("resume")
@click.argument("login")
@data_option
@json_option
def resume_user(login: str, data: Path, as_json: bool) -> None:
    """Let a suspended person in again."""
    with instance(data) as services, services.database.write() as work:
        found = services.accounts.administration.resume(work, COMMAND, login)
    print_result({"login": found.login}, as_json=as_json, sentence=f"{found.login} may sign in again.")


@user.command("close")
@click.argument("login")
@data_option
@json_option
def close_user(login: str, data: Path, as_json: bool) -> None:
    """Close an account for good. Its applications stay with their co-owners and administrators."""
    with instance(data) as services, services.database.write() as work:
        found = services.accounts.administration.close(work, COMMAND, login)
    print_result({"login": found.login}, as_json=as_json, sentence=f"The account {found.login} is closed.")


@user.command("end")
@click.argument("login")
@data_option
@json_option
def end_everything(login: str, data: Path, as_json: bool) -> None:
    """Sign somebody out everywhere and end every code and token that acts for them, developer tokens included."""
    with instance(data) as services, services.database.write() as work:
        found = services.accounts.administration.end_everything(work, COMMAND, login)
    print_result(
        {"login": found.login}, as_json=as_json, sentence=f"Everything that acted for {found.login} has ended."
    )


@click.group()
def databox() -> None:
    """Databoxes: self-contained archives."""


@databox.command("add")
@click.argument("name")
@data_option
@json_option
def add_databox(name: str, data: Path, as_json: bool) -> None:
    """Create a databox with the default fields and renditions."""
    with instance(data) as services, services.database.write() as work:
        databox = services.library.structure.add_databox(work, COMMAND, name)
    print_result(
        {"databox_id": databox.id}, as_json=as_json, sentence=f"Databox {databox.name} was created ({databox.id})."
    )


@click.group()
def collection() -> None:
    """Collections: parts of a databox, to which rights are granted."""


@collection.command("add")
@click.argument("name")
@click.option("--databox", "databox_id", type=int, required=True)
@data_option
@json_option
def add_collection(name: str, databox_id: int, data: Path, as_json: bool) -> None:
    """Create a collection."""
    with instance(data) as services, services.database.write() as work:
        collection = services.library.structure.add_collection(work, COMMAND, DataboxId(databox_id), name)
    result = {"base_id": collection.id, "databox_id": collection.databox_id, "collection_id": collection.number}
    print_result(
        result, as_json=as_json, sentence=f"Collection {collection.name} was created (base_id {collection.id})."
    )


@collection.command("set")
@click.argument("base_id", type=int)
@click.option("--public-presentation", type=click.Choice(["none", "wm", "stamp"]), help="What visitors get: pub_wm.")
@click.option("--watermark", type=FILE, help="Picture placed over previews; a PNG with transparency is best.")
@click.option("--no-watermark", is_flag=True, help="Remove the picture; show diagonals and a name instead.")
@click.option("--stamp", type=FILE, help="JSON definition of the stamp; its logos are files beside it.")
@click.option("--no-stamp", is_flag=True, help="Remove the stamp.")
@data_option
@json_option
def set_collection(
    base_id: int,
    public_presentation: str | None,
    watermark: Path | None,
    no_watermark: bool,
    stamp: Path | None,
    no_stamp: bool,
    data: Path,
    as_json: bool,
) -> None:
    """Set how a collection presents its pictures: watermark, stamp, and what anonymous visitors get."""
    with instance(data) as services:
        presentation = services.library.presentation
        changes: dict[str, Any] = {}
        if public_presentation is not None:
            changes["public_presentation"] = public_presentation
        if watermark is not None or no_watermark:
            changes["watermark"] = presentation.keep_picture(watermark, watermark.name) if watermark else None
        if stamp is not None or no_stamp:
            changes["stamp"] = _stamp(presentation, stamp) if stamp else None
        if not changes:
            raise Invalid("Name at least one setting; see vitrine collection set --help.")
        with services.database.write() as work:
            changed = presentation.set(work, COMMAND, CollectionId(base_id), changes)
    result = {"base_id": changed.id, "public_presentation": changed.public_presentation, "watermark": changed.watermark}
    print_result(
        {**result, "stamp": changed.stamp},
        as_json=as_json,
        sentence=f"Collection {changed.name} was set: {changed.id}.",
    )


def _stamp(presentation: Presentation, file: Path) -> Any:
    try:
        definition = json.loads(file.read_text())
    except ValueError as fault:
        raise Invalid(f"{file.name} is not JSON: {fault}.", field="stamp") from fault

    def keep(name: str) -> str:
        logo = file.parent / name
        if not logo.is_file():
            raise Invalid(f"The stamp's logo {name} is not beside {file.name}.", field="stamp")
        return presentation.keep_picture(logo, logo.name)

    return presentation.with_logos(definition, keep)


@click.command()
@click.argument("login")
@click.option("--collection", "base_id", type=int, required=True, help="base_id of the collection.")
@click.option(
    "--rights", default="reader", show_default=True, help="reader, contributor, all, none, or names with commas."
)
@data_option
@json_option
def grant(login: str, base_id: int, rights: str, data: Path, as_json: bool) -> None:
    """Grant a person rights on a collection, which replace the previous ones. `none` removes all rights."""
    with instance(data) as services, services.database.write() as work:
        target = services.library.records.collection(work, CollectionId(base_id))
        person = services.accounts.users.find(work, login)
        if rights == "none":
            services.accounts.administration.take_rights(work, COMMAND, person.id, target.id, target.databox_id)
        else:
            _give(services, work, person, target, _rights(rights))
    print_result(
        {"login": login, "base_id": base_id}, as_json=as_json, sentence=f"{login} now has {rights} on {target.name}."
    )


def _give(services: Services, work: UnitOfWork, person: User, target: Collection, wanted: Right) -> None:
    services.accounts.users.grant(work, COMMAND, person.id, CollectionGrant(target.id, target.databox_id, wanted))
    if wanted == ALL_RIGHTS:
        services.accounts.users.grant_databox(
            work, COMMAND, person.id, target.databox_id, DataboxRight(ALL_DATABOX_RIGHTS)
        )


def _rights(text: str) -> Right:
    if text in SETS:
        return SETS[text]
    unknown = [name for name in text.split(",") if name not in Right.__members__]
    if unknown:
        raise Invalid(f"There is no right called {unknown[0]}.", field="rights")
    return Right(sum(Right[name] for name in dict.fromkeys(text.split(","))))


@click.group()
def keys() -> None:
    """Keys that sign id_tokens."""


@keys.command("rotate")
@data_option
@json_option
def rotate_keys(data: Path, as_json: bool) -> None:
    """Start signing with the key published last time, and publish the next one."""
    with instance(data) as services:
        kid = services.oauth.server.keys.rotate(COMMAND)
    print_result(
        {"kid": kid},
        as_json=as_json,
        sentence=f"Key {kid} signs from now on; the previous key stays published for two days.",
    )
