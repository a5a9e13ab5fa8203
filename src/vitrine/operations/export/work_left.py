"""Queues the work that imported rows ask for: jobs do not go along in an export."""

from datetime import timedelta

import sqlalchemy as sa

from vitrine.accounts.mail import SEND
from vitrine.accounts.revokers import PASSWORD
from vitrine.accounts.tables import users
from vitrine.jobs import store as jobs
from vitrine.library.jobs import MAKE_RENDITIONS
from vitrine.library.structure import task_store
from vitrine.library.structure.tasks import STRUCTURE_TASK
from vitrine.library.tables import renditions, structure_tasks
from vitrine.operations import inventory
from vitrine.platform.database import UnitOfWork

NOW = timedelta(0)


def queue(work: UnitOfWork) -> None:
    """Make the renditions that records wait for, and go on with changes of the structure. Renditions that are there
    are not made again."""
    waiting = sa.select(renditions.c.record_id).where(renditions.c.state == "waiting").distinct()
    for row in inventory.stream(work, waiting.order_by(renditions.c.record_id)):
        jobs.add(work, MAKE_RENDITIONS, {"record_id": row.record_id}, key=str(row.record_id), after=NOW)
    unfinished = sa.select(structure_tasks.c.id).where(structure_tasks.c.state.in_(task_store.UNFINISHED))
    for row in inventory.stream(work, unfinished.order_by(structure_tasks.c.id)):
        jobs.add(work, STRUCTURE_TASK, {"task_id": row.id}, key=str(row.id), after=NOW)


def invite(work: UnitOfWork) -> None:
    """Send each person without a password a link to choose one: whoever may sign in and has an address."""
    may_sign_in = sa.and_(users.c.deleted_at.is_(None), sa.not_(users.c.is_guest), sa.not_(users.c.mail_locked))
    without = sa.select(users.c.id, users.c.email, users.c.locale).where(
        users.c.password_hash.is_(None), users.c.email.is_not(None), may_sign_in
    )
    for row in inventory.stream(work, without.order_by(users.c.id)):
        payload = {"letter": PASSWORD, "user": row.id, "to": row.email, "language": row.locale or ""}
        jobs.add(work, SEND, payload, key=f"{PASSWORD}:{row.id}", after=NOW)
