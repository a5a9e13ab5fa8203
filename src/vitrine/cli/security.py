"""vitrine check --security: what an administrator should know before strangers come."""

import json
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import click
import sqlalchemy as sa

from vitrine.accounts import store as people
from vitrine.accounts.passwords import Passwords
from vitrine.applications.profiles import HABITS, Policy, Profile, Switch, Switches
from vitrine.applications.tables import accounts, applications
from vitrine.cli import inventory
from vitrine.cli.doctor import FAULT, OK, WARNING, Finding, tell
from vitrine.cli.opening import CONFIGURATION, data_option, load
from vitrine.errors import Invalid
from vitrine.oauth.habits import everywhere
from vitrine.oauth.tables import access_tokens, habit_uses
from vitrine.platform.database import Database, UnitOfWork
from vitrine.platform.tables import request_log
from vitrine.settings import Settings

UNUSED_AFTER = timedelta(days=90)
SHOWN = timedelta(days=30)
PRIVATE = ("server.key", "demo.json", CONFIGURATION, "vitrine.sqlite3")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def addresses(settings: Settings) -> Iterator[Finding]:
    if not settings.is_https:
        local = urlsplit(settings.base_url).hostname in LOOPBACK
        yield Finding("https", WARNING if local else FAULT, f"{settings.base_url} is not encrypted: use https.")
    if settings.old_habits == "allow":
        yield Finding("policy", FAULT, "old_habits = allow lets every application use them: choose flagged or refuse.")
    for name in ("database_url", "smtp_url"):
        if urlsplit(str(getattr(settings, name, ""))).password and (settings.data_dir / CONFIGURATION).exists():
            yield Finding("secrets", WARNING, f"{name} holds a password: keep {CONFIGURATION} closed to others.")


def providers(settings: Settings) -> Iterator[Finding]:
    """Sign-in providers that let in more people than an operator may have meant."""
    for one in settings.sign_in_providers:
        if one.issuer.startswith("http://"):
            yield Finding("providers", WARNING, f"{one.id}: {one.issuer} is not encrypted: use https.")
        if one.create_accounts and not one.domains:
            text = "create_accounts without domains gives an account to everybody who has one there."
            yield Finding("providers", WARNING, f"{one.id}: {text}")


def modes(settings: Settings) -> Iterator[Finding]:
    mode = stat.S_IMODE(settings.data_dir.stat().st_mode)
    if mode & 0o002:
        yield Finding("modes", FAULT, "Anybody on this machine can write to the data folder: chmod o-w.")
    elif mode & 0o001:
        text = "Anybody on this machine can read the documents: chmod o-rwx the data folder."
        yield Finding("modes", WARNING, text)
    for name in PRIVATE:
        path = settings.data_dir / name
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            strict = name in ("server.key", "demo.json")
            yield Finding("modes", FAULT if strict else WARNING, f"{name} is open to others: chmod 600 {name}.")


def habits(work: UnitOfWork, settings: Settings) -> Iterator[Finding]:
    """Old habits that work now, by application, with the last time that each was seen."""
    rows = work.db.execute(
        sa.select(applications).where(applications.c.deleted_at.is_(None), applications.c.activated).order_by("id")
    ).all()
    counted = {(one, habit): uses for one, habit, uses in everywhere(work, (work.now - SHOWN).date())}
    for row in rows:
        switches = Switches(Profile(row.profile), dict(row.switches))
        on = [one for one in HABITS if switches.is_on(one, Policy(settings.old_habits))]
        for one in sorted(on):
            seen = _last_use(work, row.id, one)
            many = counted.get((row.id, one.value), 0)
            often = f", {many} times in {SHOWN.days} days" if many else ""
            used = f"last seen {seen:%Y-%m-%d}{often}" if seen else "never seen: switch it off"
            yield Finding("habits", WARNING, f"{row.name} ({row.client_id}): {one.value} is on, {used}.")


def _last_use(work: UnitOfWork, application: int, switch: Switch) -> object:
    if switch is Switch.ENDLESS_TOKEN:
        tokens = sa.select(sa.func.max(access_tokens.c.last_used)).join(
            accounts, accounts.c.id == access_tokens.c.account_id
        )
        return work.db.scalar(tokens.where(accounts.c.application_id == application, access_tokens.c.expires.is_(None)))
    counted = work.db.scalar(
        sa.select(sa.func.max(habit_uses.c.last_at)).where(
            habit_uses.c.application_id == application, habit_uses.c.habit == switch.value
        )
    )
    # Before uses were counted, the request log knew of tokens in addresses.
    return counted or work.db.scalar(
        sa.select(sa.func.max(request_log.c.at)).where(
            request_log.c.application_id == application, request_log.c.habits.contains(switch.value)
        )
    )


def tokens(work: UnitOfWork) -> Iterator[Finding]:
    last = sa.func.coalesce(access_tokens.c.last_used, access_tokens.c.created)
    endless = access_tokens.c.expires.is_(None)
    many = work.db.scalar(sa.select(sa.func.count()).select_from(access_tokens).where(endless))
    idle = work.db.scalar(
        sa.select(sa.func.count()).select_from(access_tokens).where(endless, last < work.now - UNUSED_AFTER)
    )
    if many:
        yield Finding(
            "tokens", WARNING if idle else OK, f"{many} tokens have no end; {idle} were not used for 90 days."
        )


def administrators(work: UnitOfWork) -> Iterator[Finding]:
    for one in people.all_users(work):
        if not one.is_admin:
            continue
        if not one.email:
            yield Finding("people", WARNING, f"{one.login} is an administrator without an e-mail address.")
        if work.now - (one.last_connection or one.created) > UNUSED_AFTER:
            yield Finding("people", WARNING, f"{one.login} is an administrator who has not signed in for 90 days.")


def demonstration(database: Database, settings: Settings) -> Iterator[Finding]:
    """The passwords of demo.json, which everybody may know."""
    path = settings.data_dir / "demo.json"
    if not path.exists():
        return
    known = json.loads(path.read_text())
    for name in ("admin", "user"):
        login, password = known.get(name, {}).get("login", ""), known.get(name, {}).get("password", "")
        with database.read() as work:
            found = people.user_by_login(work, login)
            hashed = people.password_hash(work, found.id) if found else None
        if found and Passwords().verify(hashed, password):
            text = f"{login} still has the password of the demonstration: change it and delete demo.json."
            yield Finding("demo", FAULT, text)


def examine(settings: Settings) -> list[Finding]:
    database = inventory.open_as_it_is(settings)
    try:
        inventory.require_newest(database)
        found = [*addresses(settings), *providers(settings), *modes(settings), *demonstration(database, settings)]
        with database.read() as work:
            found += [*habits(work, settings), *tokens(work), *administrators(work)]
    finally:
        database.close()
    return found or [Finding("security", OK, "Nothing was found that should worry you.")]


@click.command()
@click.option("--security", is_flag=True, help="Old habits, open files, endless tokens, demonstration passwords.")
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print a machine-readable result.")
def check(security: bool, data: Path, as_json: bool) -> None:
    """Look at the instance as a stranger would; exits with 1 when something must be mended."""
    if not security:
        raise Invalid("Say what to look at: --security. For damage use vitrine doctor.", field="security")
    tell(examine(load(data)), as_json=as_json)
