"""Accounts that nobody uses: told, then suspended (contract 06 section 16).

An account is in use by a sign-in, by a request in a signed-in browser, and by each use of a token, so that one of a
program lives as long as its tokens are used. Administrators and the guest are never suspended by this.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from threading import Event

import sqlalchemy as sa

from vitrine.accounts import COMMAND, Actor, User, Via
from vitrine.accounts.administration import AccountAdministration
from vitrine.accounts.events import AccountUnused
from vitrine.accounts.tables import sessions, users
from vitrine.applications.tables import accounts
from vitrine.errors import Forbidden, Invalid
from vitrine.platform import audit, supervision
from vitrine.platform.database import Database, UnitOfWork
from vitrine.platform.stamps import set_stamp, stamp

ROWS_A_STEP, ROWS_A_RUN = 200, 2_000
ROWS_A_PAGE = 1_000  # that a page of the list looks at
USUAL_DAYS, MOST_DAYS = 90, 3_650
RECORDED_EVERY = timedelta(days=1)
_CURSOR = "inactive_accounts"
_USER = tuple(users.c[name] for name in User.__dataclass_fields__)
_LAST_SESSION = sa.select(sa.func.max(sessions.c.last_seen)).where(sessions.c.user_id == users.c.id).scalar_subquery()
_LAST_TOKEN = sa.select(sa.func.max(accounts.c.last_used)).where(accounts.c.user_id == users.c.id).scalar_subquery()
_OPEN = sa.and_(users.c.deleted_at.is_(None), ~users.c.mail_locked, ~users.c.is_guest)


@dataclass(frozen=True, slots=True)
class Activity:
    """When an open account was last in use, as far as is known; *recorded* is what the account itself keeps of it, and
    *warned* when its owner was told."""

    user: User
    last: datetime
    recorded: datetime | None
    warned: datetime | None


@dataclass(frozen=True, slots=True)
class InactiveAccounts:
    """*limit* is the time without use after which an account is suspended, None for never; its owner is told
    *warning* before."""

    administration: AccountAdministration
    limit: timedelta | None
    warning: timedelta

    def page(
        self, work: UnitOfWork, actor: Actor, days: int | None = None, *, after: int = 0, limit: int
    ) -> tuple[list[Activity], int | None]:
        """Open accounts that nobody has used for *days*, by number, and where the next page goes on (None: that was
        all). A page looks at a bounded number of accounts, so it may hold few. For administrators."""
        if actor.via is not Via.COMMAND and not actor.administers:
            raise Forbidden("Only administrators may see who does not use their account.")
        wanted = days if days is not None else (self.limit.days if self.limit else USUAL_DAYS)
        if not 1 <= wanted <= MOST_DAYS:
            raise Invalid(f"days must be a whole number from 1 to {MOST_DAYS}.", field="days")
        looked_at = _activities(work, after=after, limit=ROWS_A_PAGE)
        unused = [row for row in looked_at if row.last <= work.now - timedelta(days=wanted)]
        if len(unused) > limit:
            return unused[:limit], unused[limit - 1].user.id
        return unused, looked_at[-1].user.id if len(looked_at) == ROWS_A_PAGE else None

    # -- regular work --------------------------------------------------------------------------------------------

    def run(self, database: Database, stop: Event, *, rows: int = ROWS_A_RUN, rows_a_step: int = ROWS_A_STEP) -> None:
        """Look at *rows* accounts at most, after those of the last call: warn and suspend. Raises Unavailable."""
        if self.limit is None:
            return
        for _ in range(0, rows, rows_a_step):
            if stop.is_set():
                return
            after = database.reading(lambda work: stamp(work, _CURSOR))
            batch = database.reading(partial(_activities, after=after, limit=rows_a_step))
            last = batch[-1].user.id if len(batch) == rows_a_step else 0
            with database.write() as work:
                due = [row.user.id for row in batch if self._is_due(work, row)]
                for row in _activities(work, ids=due):  # as they are now: who has just signed in stays
                    self._treat(work, row)
                if last != after:
                    set_stamp(work, _CURSOR, last)
            supervision.beat()
            if last == 0:
                return

    def _is_due(self, work: UnitOfWork, row: Activity) -> bool:
        is_news = row.recorded is None or row.last - row.recorded >= RECORDED_EVERY
        return is_news or row.warned is not None or self._is_to_be_told(work, row)

    def _is_to_be_told(self, work: UnitOfWork, row: Activity) -> bool:
        assert self.limit is not None
        return not row.user.is_admin and row.last <= work.now - self.limit + self.warning

    def _treat(self, work: UnitOfWork, row: Activity) -> None:
        """Record the last use, since sessions are deleted when they end; then warn or suspend."""
        assert self.limit is not None
        warned = row.warned if row.warned is None or row.warned >= row.last else None
        columns = {"last_active": row.last, "inactivity_warned": warned}
        if self._is_to_be_told(work, row):
            ends = max(row.last + self.limit, (warned or work.now) + self.warning)
            if ends <= work.now:
                self._suspend(work, row)
            elif warned is None:
                columns["inactivity_warned"] = work.now
                mail = self.administration.account_mail
                mail.send(work, "account-unused", row.user, {"at": int(ends.timestamp())})
                work.emit(AccountUnused(row.user.id, row.last, is_suspended=False))
        work.db.execute(users.update().where(users.c.id == row.user.id).values(columns))

    def _suspend(self, work: UnitOfWork, row: Activity) -> None:
        self.administration.suspend(work, COMMAND, row.user.login)
        audit.write(work, None, "user.unused", f"user {row.user.id}", {"last_active": row.last.isoformat()})
        work.emit(AccountUnused(row.user.id, row.last, is_suspended=True))


def _activities(
    work: UnitOfWork, *, after: int = 0, limit: int | None = None, ids: Sequence[int] | None = None
) -> list[Activity]:
    """Open accounts by number, after the number *after*; or those of *ids*."""
    wanted = users.c.id > after if ids is None else users.c.id.in_(ids)
    statement = sa.select(users.c.last_active, users.c.inactivity_warned, _LAST_SESSION, _LAST_TOKEN, *_USER)
    rows = work.db.execute(statement.where(wanted, _OPEN).order_by(users.c.id).limit(limit))
    return [_activity(row) for row in rows]


def _activity(row: Iterable[object]) -> Activity:
    recorded, warned, session, token, *columns = row
    user = User(*columns)  # type: ignore[arg-type]  # the columns in their order
    known = (user.created, user.last_connection, recorded, session, token)
    last = max(instant for instant in known if isinstance(instant, datetime))
    return Activity(
        user,
        last,
        recorded if isinstance(recorded, datetime) else None,
        warned if isinstance(warned, datetime) else None,
    )
