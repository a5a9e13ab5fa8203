"""The one MetaData on which every capability declares its tables, and the column types they share.

Tables live with the capability that owns them (`<capability>/tables.py`); foreign keys between capabilities name the
table as text, so no import breaks the layering. See docs/decisions/0002-data-model.md.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import TIMESTAMP, BigInteger, MetaData, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# A foreign key to the same table. Rows that are copied in order may refer to later ones: a copy lets the check wait for
# its end. Everybody else's statements are checked at once.
WITHIN_ONE_TABLE: Any = {"deferrable": True, "initially": "IMMEDIATE"}

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(instant: datetime) -> int:
    """An aware instant as whole microseconds since 1970, exactly (floats would lose the last digits)."""
    return (instant - EPOCH) // _MICROSECOND


@lru_cache(maxsize=65_536)
def from_micros(micros: int) -> datetime:
    """The inverse of `to_micros`, aware and in UTC. Cached, since a page of records repeats the same instants hundreds
    of times, and a shared object keeps its hash for the cache of formatted dates."""
    return EPOCH + timedelta(microseconds=micros)


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant: integer microseconds on SQLite (which has no time type), timestamptz elsewhere.

    Binding a naive value raises ValueError: a missing zone is a bug that would show only in another country.
    """

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(BigInteger())
        return dialect.type_descriptor(TIMESTAMP(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return to_micros(value) if dialect.name == "sqlite" else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if dialect.name == "sqlite":
            return from_micros(value)
        return value.astimezone(UTC) if isinstance(value, datetime) else None


class Json(TypeDecorator[Any]):
    """A small JSON document in a text column, read and written by msgspec; NULL stays None."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else msgspec.json.decode(value)
