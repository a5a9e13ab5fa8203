"""Access tokens: issued, checked on every API call, replaced, revoked."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec
import sqlalchemy as sa

from vitrine.accounts import Accounts, Actor, UserId, Via
from vitrine.applications import Application, Policy, Profile, Switch, Switches, provenance
from vitrine.errors import Conflict, Invalid
from vitrine.oauth import refresh, store
from vitrine.oauth.errors import TokenRefused
from vitrine.oauth.liveness import TokenState, is_open, is_over
from vitrine.oauth.openid import AuthenticationContext
from vitrine.platform.cache import Cache
from vitrine.platform.crypto import Vault, digest, is_mistyped, last_four, new_secret
from vitrine.platform.database import UnitOfWork
from vitrine.platform.prepared import one_row

IDLE_LIMIT = timedelta(days=90)
ACCESS_TOKEN_LIFETIME = timedelta(hours=1)
LONGEST_BROUGHT = 128

_COLUMNS = """
    t.expires, t.idle_limit_s, t.last_used, t.created, a.revoked_at, p.activated, p.deleted_at, u.deleted_at,
    u.mail_locked, t.id, a.id, p.id, p.profile, p.switches, p.list_shapes, u.id, u.login, u.first_name, u.last_name,
    u.email, u.is_admin, u.url_key, u.locale, u.rights_version, t.scope
"""
_STATE = len(TokenState._fields)  # the first columns decide; the others say what the token stands for
_REMEMBERED = 10_000
_JOINS = """
    FROM access_tokens t
    JOIN accounts a ON a.id = t.account_id
    JOIN applications p ON p.id = a.application_id
    JOIN users u ON u.id = a.user_id
    WHERE t.digest =
"""
_DRIVER_SQL = f"SELECT {_COLUMNS} {_JOINS} ?"
_PORTABLE_SQL = sa.text(f"SELECT {_COLUMNS} {_JOINS} :digest")


@dataclass(frozen=True, slots=True)
class Bearer:
    """What a valid token stands for."""

    actor: Actor
    token_id: int
    list_shapes: str
    allows_parameter_token: bool


class TokenChecker:
    """One statement a call, through the driver: this runs before every API request."""

    def __init__(self, accounts: Accounts, policy: Policy) -> None:
        self._accounts = accounts
        self._policy = policy
        # What a row stands for, by the row itself: a changed row is another key, so nothing here grows old.
        self._bearers: Cache[tuple[Any, str], Bearer] = Cache("bearers", _REMEMBERED)

    def check(self, work: UnitOfWork, secret: str, address: str = "", *, is_well_typed: bool = False) -> Bearer:
        """Raises TokenRefused: `invalid_token`, or `expired_token` for one whose time is over. *is_well_typed*: its
        checksum was looked at already."""
        if len(secret) > 256 or (not is_well_typed and is_mistyped(secret)):
            raise TokenRefused("invalid_token")
        row = self._row(work, digest(secret))
        if row is None:
            raise TokenRefused("invalid_token")
        state, facts = row[:_STATE], row[_STATE:]
        if not is_open(state):
            raise TokenRefused("invalid_token")
        if is_over(state, work.now):
            raise TokenRefused("expired_token")
        memo = (facts, address)
        bearer = self._bearers.get(memo)
        if bearer is None:
            bearer = self._bearer(work, facts, address)
            self._bearers.keep(work, memo, bearer)
        return bearer

    def _bearer(self, work: UnitOfWork, facts: tuple[Any, ...], address: str) -> Bearer:
        (token, account, application, profile, chosen, shapes, user, login, first, last, email, admin, url_key, locale,
         rights_version, scope) = facts  # fmt: skip
        actor = Actor(
            via=Via.TOKEN,
            user_id=UserId(user),
            login=login,
            display_name=f"{first} {last}".strip() or email or login,
            is_admin=bool(admin),
            url_key=url_key,
            locale=locale,
            rights=self._accounts.rights(work, UserId(user), rights_version),
            application_id=application,
            account_id=account,
            token_id=token,
            scope=None if scope is None else frozenset(msgspec.json.decode(scope, type=list[str])),
            address=address,
        )
        return Bearer(actor, token, shapes, _allows_parameter(profile, chosen, self._policy))

    @staticmethod
    def _row(work: UnitOfWork, key: bytes) -> Any:
        if work.driver is not None:
            return one_row(work, work.driver, _DRIVER_SQL, (key,))
        row = work.db.execute(_PORTABLE_SQL, {"digest": key}).first()
        return None if row is None else tuple(row)


@lru_cache(maxsize=1024)
def _allows_parameter(profile: str, chosen: str, policy: Policy) -> bool:
    switches = Switches(Profile(profile), msgspec.json.decode(chosen))
    return switches.is_on(Switch.PARAMETER_TOKEN, policy)


@dataclass(frozen=True, slots=True)
class Issued:
    """A fresh access token; the value is nowhere else."""

    token_id: int
    secret: str
    expires_in: timedelta | None
    refresh: str | None = None
    scope: frozenset[str] | None = None
    identity: AuthenticationContext | None = None


@dataclass(frozen=True, slots=True)
class DeveloperToken:
    """The developer token of a settings page, without its value."""

    id: int
    last_four: str
    created: datetime
    last_used: datetime | None
    last_address: str


@dataclass(frozen=True, slots=True)
class Tokens:
    vault: Vault
    policy: Policy
    idle_limit: timedelta = IDLE_LIMIT  # of tokens that have no end

    def issue(
        self,
        work: UnitOfWork,
        application: Application,
        account_id: int,
        code_id: int | None,
        scope: frozenset[str] | None = None,
        *,
        refreshable: bool = True,
        identity: AuthenticationContext | None = None,
    ) -> Issued:
        """A token of the life that design 5.3 gives to the application's profile, with its refresh token."""
        scope = None if scope is None else application.within(scope)  # narrowed since the code was given
        endless = application.switches.is_on(Switch.ENDLESS_TOKEN, self.policy)
        family = refresh.new_family() if refreshable and not endless else None
        secret = new_secret("at")
        token_id = store.add_token(
            work,
            {
                "digest": digest(secret),
                "account_id": account_id,
                # Of a code's family the first refresh token knows the code, which is enough to end them all.
                "code_id": code_id if family is None else None,
                "family": family,
                "scope": None if scope is None else sorted(scope),
                "last_four": secret[-4:],
                "expires": None if endless else work.now + ACCESS_TOKEN_LIFETIME,
                "idle_limit_s": round(self.idle_limit.total_seconds()) if endless else None,
            },
        )
        again = None if family is None else refresh.start(work, account_id, code_id, family, scope or frozenset())
        return Issued(token_id, secret, None if endless else ACCESS_TOKEN_LIFETIME, again, scope, identity)

    def issue_alone(self, work: UnitOfWork, account_id: int, scope: frozenset[str]) -> Issued:
        """A token for an hour and nothing besides: who has the client secret can ask again (RFC 6749 section 4.4.3)."""
        secret = new_secret("at")
        token_id = store.add_token(
            work,
            {
                "digest": digest(secret),
                "account_id": account_id,
                "scope": sorted(scope),
                "last_four": secret[-4:],
                "expires": work.now + ACCESS_TOKEN_LIFETIME,
            },
        )
        return Issued(token_id, secret, ACCESS_TOKEN_LIFETIME, None, scope)

    def import_token(self, work: UnitOfWork, account_id: int, secret: str, *, developer: bool) -> None:
        """Keep a token made elsewhere: no end, like there, but an idle limit unless it is a developer token."""
        if not 0 < len(secret) <= LONGEST_BROUGHT or not secret.isprintable() or " " in secret:
            raise Invalid(f"A token has 1 to {LONGEST_BROUGHT} printable characters and no blanks.", field="token")
        if is_mistyped(secret):
            raise Invalid("A token that begins with vit_ and is not ours can never be used.", field="token")
        if store.knows_token(work, digest(secret)):
            raise Conflict("This token is known already.", field="token")
        values = {
            "digest": digest(secret),
            "account_id": account_id,
            "is_developer": developer,
            "last_four": last_four(secret),
            "sealed": self.vault.encrypt(secret) if developer else None,
            "idle_limit_s": None if developer else round(self.idle_limit.total_seconds()),
        }
        store.add_token(work, values)

    def developer(self, work: UnitOfWork, account_id: int) -> DeveloperToken | None:
        row = store.developer_token(work, account_id)
        if row is None:
            return None
        return DeveloperToken(row.id, row.last_four, row.created, row.last_used, row.last_address)

    def renew_developer(self, work: UnitOfWork, account_id: int) -> str:
        """Make the developer token, or replace its value in place: the old one dies at once (01 section 9), and what
        was made with it."""
        secret = new_secret("pat")
        values = {
            "digest": digest(secret),
            "sealed": self.vault.encrypt(secret),
            "last_four": secret[-4:],
            "last_used": None,
            "last_address": "",
        }
        row = store.developer_token(work, account_id)
        if row is None:
            store.add_token(work, {"account_id": account_id, "is_developer": True, **values})
        else:
            store.replace_token(work, row.id, values)
            provenance.end_made_by_tokens(work, [row.id], f"account {account_id}")
        return secret

    def reveal_developer(self, work: UnitOfWork, account_id: int) -> str | None:
        row = store.developer_token(work, account_id)
        return self.vault.decrypt(row.sealed) if row is not None and row.sealed else None

    def revoke_developer(self, work: UnitOfWork, account_id: int) -> None:
        row = store.developer_token(work, account_id)
        if row is not None:
            store.delete_token(work, row.id)
