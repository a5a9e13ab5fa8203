"""INSERT with ON CONFLICT, which SQLAlchemy has for each database apart."""

from typing import Any

from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from vitrine.platform.database import UnitOfWork


def insert_of(work: UnitOfWork) -> Any:
    """The `insert` that knows `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return insert_sqlite if work.db.dialect.name == "sqlite" else insert_postgresql
