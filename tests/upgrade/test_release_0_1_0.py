"""An instance of release 0.1.0: every row is there after the upgrade, under today's names and with its number."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.upgrade import release_0_1_0
from tests.upgrade.release_0_1_0 import DAY, IDS
from vitrine.accounts.tables import identity_provider_flows, linked_identities, sessions, users
from vitrine.applications.tables import usage_hours, usage_people, usage_routes
from vitrine.oauth.tables import deprecated_feature_uses
from vitrine.platform import migrate
from vitrine.platform.database import Database, UnitOfWork
from vitrine.platform.tables import request_log
from vitrine.schema import metadata
from vitrine.testing.postgresql import PostgreSQL

RENAMED = {"habit_uses": deprecated_feature_uses, "external_identities": linked_identities}
NUMBERED = {**RENAMED, "sessions": sessions, "request_log": request_log}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A filled database of 0.1.0, upgraded. Tests only read it, or undo what they write."""
    database = empty_database(request, tmp_path_factory)
    release_0_1_0.fill(database)
    migrate.upgrade(database)
    yield database
    database.close()


def empty_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Database:
    if request.param == "sqlite":
        return Database.in_folder(tmp_path_factory.mktemp("data"))
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return Database(server.empty())


class _Undone(Exception):
    """Ends a transaction without a commit."""


@contextmanager
def undone(database: Database) -> Iterator[UnitOfWork]:
    with suppress(_Undone), database.write() as work:
        yield work
        raise _Undone


def at(second: int) -> datetime:
    return datetime(2026, 1, 1, 12, 0, second, tzinfo=UTC)


def rows_in(work: UnitOfWork, table: sa.Table) -> list[Any]:
    return list(work.db.execute(sa.select(table).order_by(*table.primary_key.columns)))


def rows_of(database: Database, table: sa.Table) -> list[Any]:
    with database.read() as work:
        return rows_in(work, table)


def test_the_tables_are_those_of_the_code(database: Database) -> None:
    with database.read() as work:
        assert migrate.differences(work.db, metadata) == []
        names = set(sa.inspect(work.db).get_table_names())
    assert names.isdisjoint({"habit_uses", "external_identities", "provider_flows"})


@pytest.mark.parametrize("old_name", NUMBERED)
def test_rows_keep_their_numbers(database: Database, old_name: str) -> None:
    assert tuple(row.id for row in rows_of(database, NUMBERED[old_name])) == IDS[old_name]


def test_sessions_know_when_the_password_was_given(database: Database) -> None:
    rows = rows_of(database, sessions)
    assert [(row.id, row.auth_time, row.user_id, row.agent) for row in rows] == [
        (3, at(3), 1, "Firefox"), (11, at(11), 1, "Firefox"),
    ]  # fmt: skip
    assert [row.digest for row in rows] == [b"\3" * 32, b"\13" * 32]


def test_uses_of_deprecated_features_are_counted_on(database: Database) -> None:
    assert [row.deprecated_features for row in rows_of(database, request_log)] == ["parameter_token", ""]
    uses = [
        (row.application_id, row.feature, row.day, row.uses, row.last_at, row.last_address)
        for row in rows_of(database, deprecated_feature_uses)
    ]
    assert uses == [
        (7, "parameter_token", DAY, 40, at(4), "192.0.2.7"), (7, "implicit", DAY, 90, at(9), "192.0.2.7"),
    ]  # fmt: skip


def test_people_stay_linked_to_their_identity_providers(database: Database) -> None:
    identities = [
        (row.user_id, row.issuer, row.subject, row.label, row.created, row.last_used)
        for row in rows_of(database, linked_identities)
    ]
    assert identities == [
        (1, "https://sso.example", "s2", "ada@sso.example", at(2), at(2)),
        (1, "https://sso.example", "s13", "ada@sso.example", at(2), None),
    ]


def test_whoever_is_at_an_identity_provider_comes_back(database: Database) -> None:
    flows = [
        (
            row.digest,
            row.provider,
            row.visitor,
            row.purpose,
            row.user_id,
            row.back,
            row.forced,
            row.started,
            row.expires,
        )
        for row in rows_of(database, identity_provider_flows)
    ]
    assert flows == [
        (b"\1" * 32, "sso", b"\3" * 32, "link", 1, "/account/", True, at(4), at(50)),
        (b"\2" * 32, "sso", b"\3" * 32, "sign-in", None, "/account/", False, at(4), at(50)),
    ]


def test_the_next_row_gets_a_new_number(database: Database) -> None:
    """On PostgreSQL a copied row does not advance the sequence of its table."""
    with undone(database) as work:
        use = release_0_1_0.add(
            work, deprecated_feature_uses, application_id=7, feature="endless_token", day=DAY, uses=1, last_at=work.now
        )
        assert use > max(IDS["habit_uses"])
        identity = release_0_1_0.add(
            work, linked_identities, user_id=1, issuer="https://other.example", subject="s1", created=work.now
        )
        assert identity > max(IDS["external_identities"])


def test_rows_still_end_with_what_they_belong_to(database: Database) -> None:
    with undone(database) as work:
        for owner in ("applications", "users"):
            work.db.execute(metadata.tables[owner].delete())
        for table in RENAMED.values():
            assert rows_in(work, table) == [], table.name


@pytest.mark.both_databases
def test_an_instance_without_such_rows_begins_with_number_one(tmp_path: Path, database_url: str) -> None:
    database = Database(database_url) if database_url else Database.in_folder(tmp_path)
    migrate.upgrade(database)
    with database.write() as work:
        user_id = release_0_1_0.add(work, users, login="ada", login_folded="ada", created=work.now, updated=work.now)
        identity = release_0_1_0.add(
            work, linked_identities, user_id=user_id, issuer="https://i", subject="s", created=work.now
        )
    assert identity == 1
    database.close()


def test_usage_of_the_request_log_is_counted(database: Database) -> None:
    at = [row.at for row in rows_of(database, request_log)]
    hours, routes = rows_of(database, usage_hours), rows_of(database, usage_routes)
    assert sum(row.calls for row in hours) == sum(row.calls for row in routes) == len(at)
    assert {row.hour for row in hours} == {instant.replace(minute=0, second=0, microsecond=0) for instant in at}
    assert {row.day for row in routes} == {instant.date() for instant in at}
    assert max(row.last_at for row in hours) == max(at)
    assert [(row.application_id, row.failures, row.longest_us) for row in hours[:1]] == [(7, 0, 900)]
    assert rows_of(database, usage_people) == [], "nobody is known in these lines"
