"""Maintenance mode: everybody but administrators is told to come back later (contract 06 section 1, 02 section 3).

The switch is a number in the database. Each server process reads it every second in a thread of its own, so that a
request costs no statement, and another process follows within seconds.
"""

from dataclasses import dataclass, field

from vitrine.accounts import Actor
from vitrine.errors import Unavailable
from vitrine.operations.tasks import require_administrator
from vitrine.platform import audit, logging
from vitrine.platform.database import Database, UnitOfWork
from vitrine.platform.stamps import set_stamp, stamp
from vitrine.platform.supervision import SupervisedThread

log = logging.get("vitrine.maintenance")
STAMP = "maintenance_mode"
LOOK_EVERY_S = 1.0
RETRY_AFTER_S = 3600


class UnderMaintenance(Unavailable):
    code = "maintenance"

    def __init__(self) -> None:
        super().__init__("This library is being worked on. Please come back later.", retry_after_s=RETRY_AFTER_S)


@dataclass(slots=True)
class Maintenance:
    """*is_on* is what this process knows: never older than a second while `watch` runs."""

    database: Database
    is_on: bool = field(default=False)

    def refresh(self) -> None:
        """Read the switch. Raises Unavailable."""
        self.is_on = self.database.reading(lambda work: bool(stamp(work, STAMP)))

    def watch(self, thread: SupervisedThread) -> None:
        """Supervised: follow the switch as other processes set it."""
        is_over = False
        while not is_over:
            try:
                self.refresh()
            except Unavailable as failure:  # a locked database: what was known stays
                log.warning("maintenance.not_read", why=failure.why)
            is_over = thread.wait(LOOK_EVERY_S)

    def switch(self, work: UnitOfWork, actor: Actor, *, on: bool) -> None:
        """Raises NotAdministrator. This process follows with the commit."""
        require_administrator(actor)
        set_stamp(work, STAMP, int(on))
        audit.write(work, actor, "maintenance.on" if on else "maintenance.off", "server")
        work.after_commit(lambda: setattr(self, "is_on", on))
