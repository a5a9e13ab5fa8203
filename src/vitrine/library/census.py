"""The numbers and sizes of files, for monitoring: counted in the worker, a bounded number of rows an hour.

A plain count reads every row of the renditions, seconds at a million records, whenever somebody looks. The census walks
them by number instead, remembers where it is and what it has counted, and publishes the sums at the end of each pass. A
killed worker goes on from there. See docs/decisions/0102-metrics-without-scans.md.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event

import sqlalchemy as sa

from vitrine.library.tables import renditions
from vitrine.platform import supervision
from vitrine.platform.database import Database, UnitOfWork
from vitrine.platform.tables import stamps

ROWS_A_STEP = 20_000
STEPS_A_RUN = 25
_NAMES = ("cursor", "files", "bytes", "ready", "published_files", "published_bytes", "published_ready", "published_at")


@dataclass(frozen=True, slots=True)
class Totals:
    """*files*: renditions that have bytes, shared bytes counted each time; *size* in bytes; *ready*: renditions in this
    state; *at*: the end of the pass that counted them."""

    files: int
    size: int
    ready: int
    at: datetime


def totals(work: UnitOfWork) -> Totals | None:
    """What the last complete pass counted; None before the first one."""
    known = _stamps(work)
    if not known["published_at"]:
        return None
    at = datetime.fromtimestamp(known["published_at"], UTC)
    return Totals(known["published_files"], known["published_bytes"], known["published_ready"], at)


def run(database: Database, stop: Event, *, rows: int = ROWS_A_STEP, steps: int = STEPS_A_RUN) -> None:
    """Walk on by *steps* of *rows* at most, or to the end of the pass."""
    is_over = False
    while steps and not is_over and not stop.is_set():
        is_over = _step(database, rows)
        supervision.beat()
        steps -= 1


def _step(database: Database, rows: int) -> bool:
    """Count the next rows outside the write lock; True at the end of a pass."""
    with database.read() as work:
        known = _stamps(work)
        last, looked_at, files, size, ready = _count(work, known["cursor"], rows)
    is_over = looked_at < rows
    counted = {
        "cursor": last or 0,
        "files": known["files"] + files,
        "bytes": known["bytes"] + size,
        "ready": known["ready"] + ready,
    }
    with database.write() as work:
        if _stamps(work)["cursor"] != known["cursor"]:
            return True  # another worker walks
        if is_over:
            published = {f"published_{name}": counted[name] for name in ("files", "bytes", "ready")}
            counted = {**dict.fromkeys(counted, 0), **published, "published_at": round(work.now.timestamp())}
        _set_stamps(work, counted)
    return is_over


def _count(work: UnitOfWork, after: int, rows: int) -> tuple[int | None, int, int, int, int]:
    """The last number, and how many rows, files, bytes and ready ones there are among the next *rows* rows."""
    columns = renditions.c
    part = (
        sa.select(columns.id, columns.state, columns.sha256, columns.size)
        .where(columns.id > after)
        .order_by(columns.id)
        .limit(rows)
        .subquery()
    )
    has_bytes = part.c.sha256.is_not(None)
    row = work.db.execute(
        sa.select(
            sa.func.max(part.c.id),
            sa.func.count(),
            sa.func.sum(sa.case((has_bytes, 1), else_=0)),
            sa.func.sum(sa.case((has_bytes, part.c.size), else_=0)),
            sa.func.sum(sa.case((part.c.state == "ready", 1), else_=0)),
        )
    ).one()
    return row[0], int(row[1]), int(row[2] or 0), int(row[3] or 0), int(row[4] or 0)


def _stamps(work: UnitOfWork) -> dict[str, int]:
    names = {f"census_{name}": name for name in _NAMES}
    known = dict.fromkeys(_NAMES, 0)
    for name, value in work.db.execute(sa.select(stamps.c.name, stamps.c.value).where(stamps.c.name.in_(names))):
        known[names[name]] = int(value)
    return known


def _set_stamps(work: UnitOfWork, values: dict[str, int]) -> None:
    names = [f"census_{name}" for name in values]
    work.db.execute(stamps.delete().where(stamps.c.name.in_(names)))
    work.db.execute(stamps.insert(), [{"name": f"census_{name}", "value": value} for name, value in values.items()])
