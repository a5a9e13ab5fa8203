"""Access tokens: issued, checked on every API call, replaced, revoked."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec
import sqlalchemy as sa

from vitrine.accounts import Accounts, Actor, UserId, Via
from vitrine.applications import Application, Policy, Profile, Switch, Switches
from vitrine.errors import Conflict, Invalid
from vitrine.oauth import refresh, store
from vitrine.oauth.errors import TokenRefused
from vitrine.oauth.lifetimes import ACCESS_TOKEN_LIFETIME, IDLE_LIMIT
from vitrine.oauth.liveness import TokenState, is_open, is_over
from vitrine.oauth.openid import AuthenticationContext
from vitrine.platform.cache import Cache
from vitrine.platform.crypto import Vault, digest, is_mistyped, last_four, new_secret
from vitrine.platform.database import UnitOfWork
from vitrine.platform.prepared import one_row

LONGEST_IMPORTED = 128

_COLUMNS = """
    t.expires, t.idle_limit_s, t.last_used, t.created, a.revoked_at, p.activated, p.deleted_at, u.deleted_at,
    u.mail_locked, t.id, a.id, p.id, p.profile, p.switches, p.list_shapes, u.id, u.login, u.first_name, u.last_name,
    u.email, u.is_admin, u.url_key, u.locale, u.rights_version, t.scope
"""
_STATE = len(TokenState._fields)  # the first columns decide; the others describe the token
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
    """The actor and the properties of a valid token. *until*: the last moment at which the actor's rights are these,
    where several grants on a collection come together."""

    actor: Actor
    token_id: int
    list_shapes: str
    allows_parameter_token: bool
    until: datetime | None


class TokenChecker:
    """Checks access tokens with one statement through the driver, since this runs before every API request."""

    def __init__(self, accounts: Accounts, policy: Policy) -> None:
        self._accounts = accounts
        self._policy = policy
        # The key is the row itself, so a changed row never finds an old entry.
        self._bearers: Cache[tuple[Any, str], Bearer] = Cache("bearers", _REMEMBERED)

    def check(self, work: UnitOfWork, secret: str, address: str = "", *, is_well_typed: bool = False) -> Bearer:
        """Raises TokenRefused: `invalid_token`, or `expired_token`. *is_well_typed*: the checksum has been verified
        before."""
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
        if bearer is None or (bearer.until is not None and work.now > bearer.until):
            bearer = self._bearer(work, facts, address)
            self._bearers.keep(work, memo, bearer)
        return bearer

    def _bearer(self, work: UnitOfWork, facts: tuple[Any, ...], address: str) -> Bearer:
        (token, account, application, profile, chosen, shapes, user, login, first, last, email, admin, url_key, locale,
         rights_version, scope) = facts  # fmt: skip
        known = self._accounts.known_rights(work, UserId(user), rights_version)
        actor = Actor(
            via=Via.TOKEN,
            user_id=UserId(user),
            login=login,
            display_name=f"{first} {last}".strip() or email or login,
            is_admin=bool(admin),
            url_key=url_key,
            locale=locale,
            rights=known.rights,
            rights_version=rights_version,
            application_id=application,
            account_id=account,
            token_id=token,
            scope=None if scope is None else frozenset(msgspec.json.decode(scope, type=list[str])),
            address=address,
        )
        return Bearer(actor, token, shapes, _allows_parameter(profile, chosen, self._policy), known.until)

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
    """A new access token; its value is not stored."""

    token_id: int
    secret: str
    expires_in: timedelta | None
    refresh: str | None = None
    scope: frozenset[str] | None = None
    identity: AuthenticationContext | None = None


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
        """A token with the lifetime of the application's profile (design 5.3), and its refresh token."""
        # The scope limit may have changed since the code was issued.
        scope = None if scope is None else application.within(scope)
        endless = application.switches.is_on(Switch.ENDLESS_TOKEN, self.policy)
        family = refresh.new_family() if refreshable and not endless else None
        secret = new_secret("at")
        token_id = store.add_token(
            work,
            {
                "digest": digest(secret),
                "account_id": account_id,
                # The first refresh token of a family stores the code, which is enough to end them all.
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

    def issue_without_refresh(self, work: UnitOfWork, account_id: int, scope: frozenset[str]) -> Issued:
        """A token for an hour without a refresh token; the client can request a new one (RFC 6749 section 4.4.3)."""
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
        """Import a token of another server: no expiry, as there, but an idle limit unless it is a developer token."""
        if not 0 < len(secret) <= LONGEST_IMPORTED or not secret.isprintable() or " " in secret:
            raise Invalid(f"A token has 1 to {LONGEST_IMPORTED} printable characters and no blanks.", field="token")
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
