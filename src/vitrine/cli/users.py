"""user: accounts of people."""

from pathlib import Path

import click

from vitrine.accounts import COMMAND
from vitrine.cli.instance import data_option, instance
from vitrine.cli.output import json_option, print_result


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
        account, remaining_tokens = services.accounts.administration.give_password(
            COMMAND,
            login,
            password,
            forget_second_step=forget_second_step,
            end_developer_tokens=end_developer_tokens,
        )
    lines = [f"{account.login} has a new password and is signed out."]
    if remaining_tokens:
        lines += ["These developer tokens still work (end them with --end-developer-tokens):"]
        lines += [f"- {token.words}" for token in remaining_tokens]
    result = {"login": account.login, "developer_tokens": [token.words for token in remaining_tokens]}
    print_result(result, as_json=as_json, sentence="\n".join(lines))


@user.command("email")
@click.argument("login")
@click.argument("address")
@data_option
@json_option
def give_address(login: str, address: str, data: Path, as_json: bool) -> None:
    """Set somebody's e-mail address. Links sent to the old one end, and the old one is told."""
    with instance(data) as services, services.database.write() as work:
        account = services.accounts.administration.give_address(work, COMMAND, login, address)
    print_result({"login": account.login}, as_json=as_json, sentence=f"{account.login} has a new e-mail address.")


@user.command("suspend")
@click.argument("login")
@data_option
@json_option
def suspend_user(login: str, data: Path, as_json: bool) -> None:
    """Refuse somebody everything until `user resume`: sign-ins, tokens, codes, signed addresses."""
    with instance(data) as services, services.database.write() as work:
        account = services.accounts.administration.suspend(work, COMMAND, login)
    print_result({"login": account.login}, as_json=as_json, sentence=f"{account.login} is suspended.")


@user.command("resume")
@click.argument("login")
@data_option
@json_option
def resume_user(login: str, data: Path, as_json: bool) -> None:
    """Let a suspended person in again."""
    with instance(data) as services, services.database.write() as work:
        account = services.accounts.administration.resume(work, COMMAND, login)
    print_result({"login": account.login}, as_json=as_json, sentence=f"{account.login} may sign in again.")


@user.command("inactive")
@click.option("--days", type=int, default=None, help="Time without use; the setting account_inactive_days, else 90.")
@click.option("--after", type=int, default=0, help="Go on after this number: `next` of the page before.")
@data_option
@json_option
def list_inactive(days: int | None, after: int, data: Path, as_json: bool) -> None:
    """Accounts that nobody uses by sign-in or token, at most 100 at a time. Nothing is changed."""
    with instance(data) as services, services.database.read() as work:
        unused, following = services.accounts.inactive.page(work, COMMAND, days, after=after, limit=100)
    rows = [
        {
            "user_id": row.user.id, "login": row.user.login, "last_active": row.last.isoformat(timespec="seconds"),
            "warned": None if row.warned is None else row.warned.isoformat(timespec="seconds"),
            "is_admin": row.user.is_admin,
        }
        for row in unused
    ]  # fmt: skip
    lines = [f"{row['user_id']} {row['login']}: last used {row['last_active']}" for row in rows]
    more = [] if following is None else [f"There may be more: --after {following}"]
    print_result({"accounts": rows, "next": following}, as_json=as_json, sentence="\n".join([*lines, *more]))


@user.command("close")
@click.argument("login")
@data_option
@json_option
def close_user(login: str, data: Path, as_json: bool) -> None:
    """Close an account for good. Its applications stay with their co-owners and administrators."""
    with instance(data) as services, services.database.write() as work:
        account = services.accounts.administration.close(work, COMMAND, login)
    print_result({"login": account.login}, as_json=as_json, sentence=f"The account {account.login} is closed.")


@user.command("end")
@click.argument("login")
@data_option
@json_option
def end_everything(login: str, data: Path, as_json: bool) -> None:
    """Sign somebody out everywhere and end every code and token that acts for them, developer tokens included."""
    with instance(data) as services, services.database.write() as work:
        account = services.accounts.administration.end_everything(work, COMMAND, login)
    print_result(
        {"login": account.login}, as_json=as_json, sentence=f"Everything that acted for {account.login} has ended."
    )
