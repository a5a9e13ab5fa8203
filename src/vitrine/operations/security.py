"""Security report: what to mend before an instance is opened to the public."""

import json
import stat
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import sqlalchemy as sa

from vitrine.accounts import store as people
from vitrine.accounts.passwords import Passwords
from vitrine.applications.profiles import DEPRECATED_FEATURES, Policy, Profile, Switch, Switches
from vitrine.applications.tables import accounts, applications
from vitrine.oauth.deprecated_features import everywhere
from vitrine.oauth.tables import access_tokens, deprecated_feature_uses
from vitrine.operations import inventory
from vitrine.operations.configuration import CONFIGURATION
from vitrine.operations.findings import FAULT, OK, WARNING, Finding
from vitrine.platform.database import Database, UnitOfWork
from vitrine.platform.texts import of_one_line
from vitrine.settings import Settings

UNUSED_AFTER = timedelta(days=90)
TWINS_SHOWN = 50
USES_SHOWN = timedelta(days=30)
PRIVATE = ("server.key", "demo.json", CONFIGURATION, "vitrine.sqlite3")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def addresses(settings: Settings) -> Iterator[Finding]:
    if not settings.is_https:
        is_local = urlsplit(settings.base_url).hostname in LOOPBACK
        yield Finding("https", WARNING if is_local else FAULT, f"{settings.base_url} is not encrypted: use https.")
    if settings.deprecated_features == "allow":
        yield Finding(
            "policy", FAULT, "deprecated_features = allow lets every application use them: choose flagged or refuse."
        )
    for name in ("database_url", "smtp_url"):
        if urlsplit(str(getattr(settings, name, ""))).password and (settings.data_dir / CONFIGURATION).exists():
            yield Finding("secrets", WARNING, f"{name} contains a password: do not let others read {CONFIGURATION}.")


def providers(settings: Settings) -> Iterator[Finding]:
    """Sign-in providers that may let in more people than the operator intended."""
    for provider in settings.sign_in_providers:
        if provider.issuer.startswith("http://"):
            yield Finding("providers", WARNING, f"{provider.id}: {provider.issuer} is not encrypted: use https.")
        if provider.create_accounts and not provider.domains:
            text = "create_accounts without domains gives an account to everybody who has one at the provider."
            yield Finding("providers", WARNING, f"{provider.id}: {text}")


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
            is_secret = name in ("server.key", "demo.json")
            yield Finding("modes", FAULT if is_secret else WARNING, f"Others can read {name}: chmod 600 {name}.")


def deprecated_features(work: UnitOfWork, settings: Settings) -> Iterator[Finding]:
    """Deprecated features that are on, by application, with the last use of each."""
    rows = work.db.execute(
        sa.select(applications).where(applications.c.deleted_at.is_(None), applications.c.activated).order_by("id")
    ).all()
    counted = {
        (application_id, feature): uses
        for application_id, feature, uses in everywhere(work, (work.now - USES_SHOWN).date())
    }
    for row in rows:
        switches = Switches(Profile(row.profile), dict(row.switches))
        on = [switch for switch in DEPRECATED_FEATURES if switches.is_on(switch, Policy(settings.deprecated_features))]
        for switch in sorted(on):
            last_use = _last_use(work, row.id, switch)
            use_count = counted.get((row.id, switch.value), 0)
            count_text = f", {use_count} times in {USES_SHOWN.days} days" if use_count else ""
            use_text = f"last used {last_use:%Y-%m-%d}{count_text}" if last_use else "never used: switch it off"
            text = f"{row.name} ({row.client_id}): {switch.value} is on, {use_text}."
            yield Finding("deprecated features", WARNING, text)


def _last_use(work: UnitOfWork, application: int, switch: Switch) -> object:
    if switch is Switch.ENDLESS_TOKEN:
        tokens = sa.select(sa.func.max(access_tokens.c.last_used)).join(
            accounts, accounts.c.id == access_tokens.c.account_id
        )
        return work.db.scalar(tokens.where(accounts.c.application_id == application, access_tokens.c.expires.is_(None)))
    return work.db.scalar(
        sa.select(sa.func.max(deprecated_feature_uses.c.last_at)).where(
            deprecated_feature_uses.c.application_id == application, deprecated_feature_uses.c.feature == switch.value
        )
    )


def tokens(work: UnitOfWork) -> Iterator[Finding]:
    last = sa.func.coalesce(access_tokens.c.last_used, access_tokens.c.created)
    endless = access_tokens.c.expires.is_(None)
    endless_count = work.db.scalar(sa.select(sa.func.count()).select_from(access_tokens).where(endless))
    idle = work.db.scalar(
        sa.select(sa.func.count()).select_from(access_tokens).where(endless, last < work.now - UNUSED_AFTER)
    )
    if endless_count:
        yield Finding(
            "tokens", WARNING if idle else OK, f"{endless_count} tokens have no end; {idle} were not used for 90 days."
        )


def administrators(work: UnitOfWork) -> Iterator[Finding]:
    for account in people.administrators(work):
        if not account.email:
            yield Finding("people", WARNING, f"{account.login} is an administrator without an e-mail address.")
        if work.now - (account.last_connection or account.created) > UNUSED_AFTER:
            yield Finding("people", WARNING, f"{account.login} is an administrator who has not signed in for 90 days.")


def twins(work: UnitOfWork) -> Iterator[Finding]:
    """Accounts of before RFC 8265 whose logins look the same; each still signs in with its own writing."""
    for group in people.twins(work, TWINS_SHOWN):
        named = ", ".join(f"{of_one_line(login)} (account {user_id})" for user_id, login in group)
        text = f"One login in two writings: {named}. Close one account, or give its owner another one."
        yield Finding("people", WARNING, text)


def demonstration(database: Database, settings: Settings) -> Iterator[Finding]:
    """The passwords in demo.json, which may be public."""
    path = settings.data_dir / "demo.json"
    if not path.exists():
        return
    credentials = json.loads(path.read_text())
    for name in ("admin", "user"):
        login, password = credentials.get(name, {}).get("login", ""), credentials.get(name, {}).get("password", "")
        with database.read() as work:
            account = people.user_by_login(work, login)
            hashed = people.password_hash(work, account.id) if account else None
        if account and Passwords().verify(hashed, password):
            text = f"{login} still has the password of the demonstration: change it and delete demo.json."
            yield Finding("demo", FAULT, text)


def examine(settings: Settings) -> list[Finding]:
    database = inventory.open_existing(settings)
    try:
        inventory.require_newest(database)
        findings = [*addresses(settings), *providers(settings), *modes(settings), *demonstration(database, settings)]
        with database.read() as work:
            findings += [*deprecated_features(work, settings), *tokens(work), *administrators(work), *twins(work)]
    finally:
        database.close()
    return findings or [Finding("security", OK, "No problem was found.")]
