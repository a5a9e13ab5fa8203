"""Numbers by name: version stamps, and where something that goes on later has stopped."""

import sqlalchemy as sa

from vitrine.platform.database import UnitOfWork
from vitrine.platform.tables import stamps


def stamp(work: UnitOfWork, name: str) -> int:
    """A stored number by name; 0 when it was never set."""
    return int(work.db.scalar(sa.select(stamps.c.value).where(stamps.c.name == name)) or 0)


def set_stamp(work: UnitOfWork, name: str, value: int) -> None:
    if work.db.execute(stamps.update().where(stamps.c.name == name).values(value=value)).rowcount == 0:
        work.db.execute(stamps.insert().values(name=name, value=value))
