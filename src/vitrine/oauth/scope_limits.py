"""Which scopes an application has and which it uses, and what follows when its owner limits them.

Use is read from the request log: the route tables of the adapters map each route to a scope. Scopes whose use the log
cannot show (fetched files, a read id_token) are never called unused.
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

# The scope that a route needs, by method and route pattern; None if it needs none.
Capability = Callable[[str, str], str | None]
UNSEEN = frozenset({"originals"}) | scopes.IDENTITY
_OF_APPLICATIONS = sa.and_(access_tokens.c.name == "", sa.not_(access_tokens.c.is_developer))
# The strict profile alone may act alone; its other tokens have refresh tokens, and those of an earlier profile are idle
# after a while.
_BY_CLIENT_CREDENTIALS = sa.and_(
    access_tokens.c.family.is_(None), access_tokens.c.scope.is_not(None), access_tokens.c.idle_limit_s.is_(None)
)


@dataclass(frozen=True, slots=True)
class ScopeUse:
    """One scope: how many *people* allow it, and how many calls in 30 days needed it. *uses* None: calls cannot show
    it."""

    scope: scopes.Scope
    people: int
    uses: int | None
    last: datetime | None
    is_left: bool

    @property
    def can_go(self) -> bool:
        """True if it is unused, as far as calls show."""
        return self.is_left and self.uses == 0


@dataclass(frozen=True, slots=True)
class ScopeLimits:
    applications: Applications

    def uses(self, work: UnitOfWork, actor: Actor, application: Application, capability: Capability) -> list[ScopeUse]:
        """Every scope that a person allows the application or that it used, in the order of the table. Empty for the
        compatibility profile, which has none. Raises NoSuchApplication."""
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
        """Successful calls in 30 days and the time of the last one, by scope."""
        application = self.applications.get(work, actor, application.id)
        uses_by_scope: dict[str, tuple[int, datetime | None]] = {}
        for call in usage.answered(work, application.id):
            name = capability(call.method, call.route)
            if name is not None:
                uses, last = uses_by_scope.get(name, (0, None))
                uses_by_scope[name] = (uses + call.count, call.last if last is None else max(last, call.last))
        return uses_by_scope


def apply_limit(work: UnitOfWork, event: ScopesLimited) -> None:
    """Remove the scopes outside a limit from people's live tokens and from what was made with them. Refresh tokens keep
    what was granted, so removing the limit restores it. Developer tokens that owners made themselves are not
    limited."""
    if event.limit is None:
        return
    accounts = metadata.tables["accounts"].c
    theirs = sa.select(accounts.id).where(accounts.application_id == event.application_id)
    _restrict(work, sa.and_(access_tokens.c.account_id.in_(theirs), _OF_APPLICATIONS), event.limit)
    _restrict(work, access_tokens.c.id.in_(_made_by(theirs)), event.limit)


def apply_consent(work: UnitOfWork, account: Account) -> None:
    """Remove the scopes that a person does not allow from live tokens of the consent and from what was made with them.
    Tokens of client credentials come from the switch, not from a consent, and stay."""
    if account.granted_scope is None:
        return
    own = sa.and_(access_tokens.c.account_id == account.id, _OF_APPLICATIONS)
    if account.acts_alone_since is not None:
        own = sa.and_(own, sa.not_(_BY_CLIENT_CREDENTIALS))
    _restrict(work, own, account.granted_scope)
    _restrict(work, access_tokens.c.id.in_(_made_by([account.id])), account.granted_scope)


def _restrict(work: UnitOfWork, wanted: sa.ColumnElement[bool], limit: list[str]) -> None:
    """Remove all scopes except *limit* from tokens. A token without scopes, from before the application had any, means
    everything; it gets the limit."""
    unscoped = access_tokens.c.scope.is_(None)
    work.db.execute(access_tokens.update().where(wanted, unscoped).values(scope=sorted(limit)))
    wanted, text = sa.and_(wanted, sa.not_(unscoped)), sa.type_coerce(access_tokens.c.scope, sa.Text)
    for written in list(work.db.scalars(sa.select(text).where(wanted).distinct())):
        had = msgspec.json.decode(written, type=list[str])
        left = sorted(set(had) & set(limit))
        if left != had:
            work.db.execute(access_tokens.update().where(wanted, text == written).values(scope=left))


def _made_by(account_ids: Any) -> sa.Select[Any]:
    """The tokens that were made with these accounts' consents, directly or through other tokens."""
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
