"""Deletes tokens without an end that were unused for too long. They are refused anyway; this gives their room back."""

from functools import partial
from threading import Event

from vitrine.oauth import store
from vitrine.platform import supervision
from vitrine.platform.database import Database
from vitrine.platform.stamps import set_stamp, stamp

ROWS_A_STEP, ROWS_A_RUN = 1_000, 100_000
_CURSOR = "idle_tokens"


def delete_idle(database: Database, stop: Event, *, rows: int = ROWS_A_RUN, rows_a_step: int = ROWS_A_STEP) -> None:
    """Look at *rows* tokens at most, after those of the last call. Raises Unavailable."""
    for _ in range(0, rows, rows_a_step):
        if stop.is_set():
            return
        after = database.reading(lambda work: stamp(work, _CURSOR))
        idle, last = database.reading(partial(store.idle, after=after, rows=rows_a_step))
        if idle or last != after:
            with database.write() as work:
                store.delete_idle(work, idle)
                set_stamp(work, _CURSOR, last)
        supervision.beat()
        if last == 0:
            return
