"""Numbers that can grow have 64 bits on PostgreSQL; SQLite's integers always have."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from tests.database.rows import insert_minimal
from vitrine.accounts.tables import collection_rights
from vitrine.library.tables import collections, records, renditions
from vitrine.oauth import deprecated_features
from vitrine.oauth.tables import deprecated_feature_uses
from vitrine.platform.database import Database
from vitrine.platform.deferred_writes import DeferredWrites, RequestLine
from vitrine.platform.tables import request_log
from vitrine.schema import metadata

LARGE = 1 << 40
ALL_BITS = (1 << 32) - 1  # of a record's status: 32 bits, the highest of which is the sign of a 32-bit number
# Columns of 32 bits: what bounds them. Everything else counts, measures or numbers something that grows.
BOUNDED = {
    "device_codes.interval_s": "seconds between polls, within the ten minutes of a device code",
    "field_values.position": "the place of a value among those of one field of one record",
    "fields.sort_slot": "a slot of the index, of which there are a few",
    "idempotency_keys.status": "a status code of HTTP",
    "jobs.attempts": "at most max_attempts",
    "jobs.max_attempts": "a constant of each kind of job",
    "jobs.priority": "a constant of each kind of job",
    "request_log.status": "a status code of HTTP",
    "status_bits.bit": "4 to 31",
    "usage_routes.status": "a status code of HTTP",
    "users.gender": "0, 1 or 2",
}
NUMBERS = [
    column for table in metadata.sorted_tables for column in table.columns if isinstance(column.type, sa.Integer)
]


def test_each_number_is_64_bits_wide_or_bounded() -> None:
    narrow = {f"{column.table.name}.{column.name}" for column in NUMBERS if not isinstance(column.type, sa.BigInteger)}
    assert narrow == set(BOUNDED)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_columns_have_the_width_that_the_code_declares(database: Database) -> None:
    """SQLite stores every integer in up to 64 bits, whatever the column is called."""
    with database.read() as work:
        inspector = sa.inspect(work.db)
        kinds = {
            f"{table.name}.{column['name']}": isinstance(column["type"], sa.BigInteger)
            for table in metadata.sorted_tables
            for column in inspector.get_columns(table.name)
        }
    names = [f"{column.table.name}.{column.name}" for column in NUMBERS]
    assert {name for name in names if not kinds[name]} == set(BOUNDED)


@pytest.mark.both_databases
def test_a_call_of_many_minutes_is_logged_with_the_others(database: Database) -> None:
    """An upload of 36 minutes has more microseconds than 32 bits hold. It ended the thread of deferred writes."""
    deferred_writes = DeferredWrites(database, lambda _work, _uses: None, lambda _work, _uses: None)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for duration_us in (900, LARGE):
        deferred_writes.request(RequestLine(at, "r", None, 7, "POST", "api_v1", 200, duration_us))
    deferred_writes.flush()
    with database.read() as work:
        assert list(work.db.scalars(sa.select(request_log.c.duration_us).order_by("id"))) == [900, LARGE]


@pytest.mark.both_databases
def test_uses_of_a_deprecated_feature_are_counted_past_32_bits(database: Database) -> None:
    day = datetime(2026, 1, 1, tzinfo=UTC)
    with database.write() as work:
        application = insert_minimal(work, "applications")
        for _ in range(2):
            deprecated_features.add(work, {(application, "implicit", day.date()): (LARGE, day, "")})
        assert work.db.scalar(sa.select(deprecated_feature_uses.c.uses)) == 2 * LARGE


@pytest.mark.both_databases
def test_every_status_bit_can_be_a_default_and_a_mask(database: Database) -> None:
    with database.write() as work:
        base = insert_minimal(work, "collections", default_status=ALL_BITS)
        user = insert_minimal(work, "users")
        mask = {"mask_and": ALL_BITS, "mask_xor": 1 << 31, "monthly_downloads": LARGE}
        insert_minimal(work, "collection_rights", user_id=user, collection_id=base, **mask)
        assert work.db.scalar(sa.select(collections.c.default_status)) == ALL_BITS
        assert work.db.execute(sa.select(collection_rights)).mappings().one()["mask_xor"] == 1 << 31


@pytest.mark.both_databases
def test_a_drawing_may_be_as_large_as_its_file_says(database: Database) -> None:
    with database.write() as work:
        record = insert_minimal(work, "records", width=LARGE, height=LARGE)
        insert_minimal(work, "renditions", record_id=record, width=LARGE, height=LARGE)
        assert work.db.scalar(sa.select(records.c.width)) == LARGE
        assert work.db.scalar(sa.select(renditions.c.height)) == LARGE
