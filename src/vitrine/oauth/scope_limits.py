"""Which capabilities an application holds and which it really uses, and what follows when its owner narrows it.

Use is read from the request log: a route stands for one capability, said by the route tables above this room. What the
log cannot show (which files were fetched, whether an id_token was read) is never called unused.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from vitrine.accounts import Actor
from vitrine.applications import Account, Application, Applications, Switch, usage
from vitrine.applications.events import ScopesLimited
from vitrine.oauth import scopes
from vitrine.oauth.tables import access_tokens
from vitrine.platform.database import UnitOfWork
from vitrine.platform.schema import metadata

# By method and route pattern: the capability, None for a route that needs none.
Capability = Callable[[str, str], str | None]
UNSEEN = frozenset({"originals"}) | scopes.IDENTITY


@dataclass(frozen=True, slots=True)
class ScopeUse:
    """A row of the page: *people* allow it, *uses* calls in 30 days needed it; *uses* None: no call can show it."""

    scope: scopes.Scope
    people: int
    uses: int | None
    last: datetime | None
    is_left: bool

    @property
    def can_go(self) -> bool:
        """Unused, as far as calls tell."""
        return self.is_left and self.uses == 0


@dataclass(frozen=True, slots=True)
class ScopeLimits:
    applications: Applications

    def uses(self, work: UnitOfWork, actor: Actor, application: Application, capability: Capability) -> list[ScopeUse]:
        """Every scope that somebody allows the application now or that it used, in the order of the table. Empty for
        the compatible profile, which has none. Raises NoSuchApplication."""
        application = self.applications.get(work, actor, application.id)
        if not application.switches.has_scopes:
            return []
        people = _people(work, application)
        used = self.calls(work, actor, application, capability)
        alone = application.switches.is_on(Switch.ACTS_AS_OWNER)
        names = set(people) | set(used) | set(scopes.EVERYTHING if alone else ()) | set(application.scope_limit or ())
        rows = []
        for name in scopes.ordered(names):
            uses, last = used.get(name, (0, None))
            seen = None if name in UNSEEN and not uses else uses
            left = application.scope_limit is None or name in application.scope_limit
            rows.append(ScopeUse(scopes.described([name])[0], people.get(name, 0), seen, last, left))
        return rows

    def calls(
        self, work: UnitOfWork, actor: Actor, application: Application, capability: Capability
    ) -> dict[str, tuple[int, datetime | None]]:
        """Calls that were answered in 30 days and the last of them, by capability."""
        application = self.applications.get(work, actor, application.id)
        uses_by_scope: dict[str, tuple[int, datetime | None]] = {}
        for call in usage.answered(work, application.id):
            name = capability(call.method, call.route)
            if name is not None:
                uses, last = uses_by_scope.get(name, (0, None))
                uses_by_scope[name] = (uses + call.count, call.last if last is None else max(last, call.last))
        return uses_by_scope


def apply_limit(work: UnitOfWork, happening: ScopesLimited) -> None:
    """Take from the live tokens of people what their application may not have any more, and from what was made with
    them. Refresh tokens keep what was granted, so that taking the narrowing back gives it back. Developer tokens that
    their owners made are their owners' own."""
    if happening.limit is None:
        return
    accounts, columns = metadata.tables["accounts"].c, access_tokens.c
    theirs = sa.select(accounts.id).where(accounts.application_id == happening.application_id)
    _leave(
        work,
        sa.and_(columns.account_id.in_(theirs), columns.name == "", sa.not_(columns.is_developer)),
        happening.limit,
    )
    _leave(work, columns.id.in_(_made_by(theirs)), happening.limit)


def apply_consent(work: UnitOfWork, account: Account) -> None:
    """What was made with tokens of a consent has no scope that the person does not allow any more."""
    if account.granted_scope is not None:
        _leave(work, access_tokens.c.id.in_(_made_by([account.id])), account.granted_scope)


def _leave(work: UnitOfWork, wanted: sa.ColumnElement[bool], limit: list[str]) -> None:
    """Take every scope but those of *limit* from tokens that have scopes."""
    wanted, text = sa.and_(wanted, access_tokens.c.scope.is_not(None)), sa.type_coerce(access_tokens.c.scope, sa.Text)
    for written in list(work.db.scalars(sa.select(text).where(wanted).distinct())):
        had = msgspec.json.decode(written, type=list[str])
        left = sorted(set(had) & set(limit))
        if left != had:
            work.db.execute(access_tokens.update().where(wanted, text == written).values(scope=left))


def _made_by(account_ids: Any) -> sa.Select[Any]:
    """The tokens that were made with these accounts' consents, with what those made, and so on."""
    columns = access_tokens.c
    line = sa.select(columns.id).where(columns.made_by_account_id.in_(account_ids)).cte("line", recursive=True)
    line = line.union(sa.select(columns.id).where(columns.made_by_token_id == line.c.id))
    return sa.select(line.c.id)


def _people(work: UnitOfWork, application: Application) -> dict[str, int]:
    """How many people allow each scope now."""
    columns = metadata.tables["accounts"].c
    rows = work.db.execute(
        sa.select(columns.granted_scope, sa.func.count())
        .where(
            columns.application_id == application.id, columns.granted_at.is_not(None), columns.revoked_at.is_(None),
            columns.granted_scope.is_not(None),
        )
        .group_by(columns.granted_scope)
    )  # fmt: skip
    people_by_scope: dict[str, int] = {}
    for granted, many in rows:
        for name in granted:
            people_by_scope[name] = people_by_scope.get(name, 0) + many
    return people_by_scope
