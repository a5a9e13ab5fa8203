"""Each foreign key has an index, and statements that run often find their rows by one."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.database.plans import plan_of, scans_of
from vitrine.accounts.tables import mailed_links, passkey_challenges, sessions, sign_in_failures
from vitrine.library.quarantine import store as quarantine
from vitrine.library.tables import quarantine_items, records
from vitrine.oauth.tables import deprecated_feature_uses
from vitrine.platform import audit
from vitrine.platform.database import Database, UnitOfWork
from vitrine.platform.tables import request_log
from vitrine.schema import metadata

# Foreign keys without an index: "table.column" and why a deletion of the parent may read the whole table.
WITHOUT_INDEX: dict[str, str] = {}
FOREIGN_KEYS = [
    (table.name, tuple(column.name for column in key.columns))
    for table in metadata.sorted_tables
    for key in table.foreign_key_constraints
]


@pytest.mark.both_databases
def test_each_foreign_key_has_an_index_that_begins_with_its_columns(database: Database) -> None:
    """Deleting the parent looks up its children: without an index it reads their whole table, under the write lock."""
    with database.read() as work:
        inspector = sa.inspect(work.db)
        missing = []
        for table, columns in FOREIGN_KEYS:
            keys: list[list[str | None]] = [index["column_names"] for index in inspector.get_indexes(table)]
            keys += [[*key["column_names"]] for key in inspector.get_unique_constraints(table)]
            keys.append([*inspector.get_pk_constraint(table)["constrained_columns"]])
            if not any(tuple(key[: len(columns)]) == columns for key in keys):
                missing.append(f"{table}.{','.join(columns)}")
    assert sorted(missing) == sorted(WITHOUT_INDEX)


def test_a_partial_index_of_a_foreign_key_leaves_out_only_rows_without_a_parent() -> None:
    for table, columns in FOREIGN_KEYS:
        for index in metadata.tables[table].indexes:
            condition = index.dialect_options["sqlite"]["where"]
            if condition is not None and tuple(column.name for column in index.columns) == columns:
                assert str(condition) == f"{table}.{columns[0]} IS NOT NULL", index.name


def test_no_unique_key_contains_a_column_that_may_be_empty() -> None:
    """NULL differs from NULL on both databases: such a key allows any number of equal rows. A key of one column, or one
    whose condition leaves the empty ones out, says what it means."""
    loose = []
    for table in metadata.sorted_tables:
        keys = [key for key in table.constraints if isinstance(key, sa.UniqueConstraint)]
        keys += [index for index in table.indexes if index.unique]  # type: ignore[misc]
        for key in keys:
            condition = str(key.dialect_options["sqlite"].get("where", ""))
            empty = [column.name for column in key.columns if column.nullable]
            if len(key.columns) > 1 and any(f"{name} IS NOT NULL" not in condition for name in empty):
                loose.append(f"{table.name}: {', '.join(empty)}")
    assert loose == []


def test_a_deletion_reads_no_table_whole(database: Database) -> None:
    """SQLite shows what its foreign keys do in the plan of the deletion."""
    parents = [table for table in metadata.sorted_tables if "id" in table.primary_key.columns]
    with database.read() as work:
        plans = {table.name: plan_of(work, table.delete().where(table.c.id == 1)) for table in parents}
    assert "ix_records_cover_record_id" in plans["records"]
    assert {name: plan for name, plan in plans.items() if "SCAN" in plan or "SEARCH" not in plan} == {}


@pytest.mark.both_databases
def test_children_of_a_deleted_row_are_found_by_index(database: Database) -> None:
    """PostgreSQL does not show what its foreign keys do; they look their children up like this."""
    with database.read() as work:
        for name, columns in FOREIGN_KEYS:
            table = metadata.tables[name]
            plan = plan_of(work, sa.select(sa.literal(1)).where(*(table.c[column] == 1 for column in columns)))
            assert scans_of(plan, name) == [], plan


def _statements(work: UnitOfWork) -> dict[str, tuple[sa.ClauseElement, str]]:
    """Statements of services, with the table that they must not read whole."""
    item = quarantine_items.alias("item")
    return {
        "the first item of an upload": (
            sa.select(sa.func.min(item.c.id)).where(item.c.session == "s"), "item"
        ),
        "an item of the quarantine": (quarantine._SELECT.where(quarantine_items.c.id == 1), "quarantine_items"),
        "records with a file name": (
            sa.select(records.c.id).where(records.c.databox_id == 1, records.c.original_name_folded == "a.jpg"),
            "records",
        ),
        "ended sessions": (sa.select(sessions.c.id).where(sessions.c.expires < work.now).limit(1000), "sessions"),
        "old challenges": (passkey_challenges.delete().where(passkey_challenges.c.expires < work.now),
                           "passkey_challenges"),
        "old failures": (sa.select(sign_in_failures.c.id).where(sign_in_failures.c.at < work.now - timedelta(days=1)),
                         "sign_in_failures"),
        "old links": (mailed_links.delete().where(mailed_links.c.expires < work.now), "mailed_links"),
        "old uses of deprecated features": (
            sa.select(deprecated_feature_uses.c.id).where(deprecated_feature_uses.c.day < work.now.date()),
            "deprecated_feature_uses",
        ),
        "calls of an application": (
            sa.select(request_log).where(request_log.c.application_id == 7, request_log.c.id < 9)
            .order_by(request_log.c.id.desc()).limit(100),
            "request_log",
        ),
    }  # fmt: skip


@pytest.mark.both_databases
def test_frequent_statements_read_no_table_whole(database: Database) -> None:
    with database.write() as work:
        for name, (statement, table) in _statements(work).items():
            plan = plan_of(work, statement)
            assert scans_of(plan, table) == [], f"{name}: {plan}"


def test_the_calls_of_an_application_come_in_the_order_of_the_index(database: Database) -> None:
    with database.read() as work:
        plan = plan_of(work, _statements(work)["calls of an application"][0])
    assert "SEARCH request_log USING INDEX ix_request_log_application_id_id (application_id=? AND id<?)" in plan
    assert "ORDER BY" not in plan


@pytest.fixture
def audited(database: Database) -> Database:
    with database.write() as work:
        for number in range(30):
            for action in ("record.removed", "record.restored", "recording.made", "Record.odd", "token.issued"):
                audit.write(work, None, action, f"{action} {number}")
    return database


def _lines(work: UnitOfWork, limit: int | None = None, **criteria: Any) -> list[str]:
    return [line.object for line in audit.lines(work, audit.AuditFilter(**criteria), limit)]


@pytest.mark.both_databases
def test_audit_lines_by_action_are_the_newest_of_every_action_that_begins_so(audited: Database) -> None:
    with audited.read() as work:
        assert _lines(work, 4, action="record.") == [
            "Record.odd 29", "record.restored 29", "record.removed 29", "Record.odd 28",
        ]  # fmt: skip
        assert _lines(work, 2, action="record.removed") == ["record.removed 29", "record.removed 28"]
        assert len(_lines(work, action="record")) == 120
        assert _lines(work, 5, action="nothing") == []
        assert _lines(work, 5, action="record_") == []  # no wildcard
        lines = list(audit.lines(work, audit.AuditFilter(action="token"), 3))
        older = audit.AuditFilter(action="token", before=lines[-1].id)
        assert [line.object for line in audit.lines(work, older, 2)] == ["token.issued 26", "token.issued 25"]
        assert _lines(work, 5, action="token", since=work.now + timedelta(days=1)) == []


@pytest.mark.both_databases
def test_audit_lines_by_action_read_no_more_than_what_they_show(audited: Database) -> None:
    with audited.read() as work:
        statements: list[sa.ClauseElement] = []
        sa.event.listen(work.db, "before_execute", lambda _db, statement, *_: statements.append(statement))
        _lines(work, 10, action="record.")
        plans = [plan_of(work, statement) for statement in list(statements)]
        assert len(plans) == 4, "the actions, and the lines of each of three"
        for plan in plans:
            assert scans_of(plan, "audit_log") == [], plan
        assert all("ix_audit_log_action_id" in plan for plan in plans)
