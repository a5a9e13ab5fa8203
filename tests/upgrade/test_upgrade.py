"""Old data under new code: each migration runs on a database with data."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.migration import MigrationContext

from tests.upgrade.release_0_1_0 import instant
from vitrine.accounts import store as people
from vitrine.accounts.tables import sessions, users
from vitrine.applications import store
from vitrine.applications.tables import application_secret_views
from vitrine.library import counts
from vitrine.library.model import CollectionId
from vitrine.platform import migrate
from vitrine.platform.database import Database
from vitrine.schema import metadata
from vitrine.testing.postgresql import PostgreSQL

ADDRESSES = {
    "https://Notes.example.com/cb": "https://notes.example.com",
    "http://127.0.0.1:8001/callback": "http://127.0.0.1:8001",
    "https://notes.example.com:443/x": "https://notes.example.com",
    "http://[::1]:80/cb": "http://[::1]",
    "urn:ietf:wg:oauth:2.0:oob": "",
    "https://broken:port/": "",
}


def as_of(database: Database, revision: str) -> None:
    """Upgrade an empty database to an old schema, like `migrate.upgrade`."""
    with database.read() as work:
        assert MigrationContext.configure(work.db).get_current_revision() is None
    with database.write() as work:
        config = migrate._config()
        config.attributes["connection"] = work.db
        command.upgrade(config, revision)


def test_0020_gives_every_address_its_origin(tmp_path: Path) -> None:
    database = Database.in_folder(tmp_path)
    as_of(database, "0001")
    with database.write() as work:
        work.db.exec_driver_sql(
            "INSERT INTO applications (id, type, profile, name, description, website, client_id, switches, created,"
            " updated) VALUES (1, 'web', 'compatibility', 'Old', 'Old.', 'https://x', 'id', '{}', 0, 0)"
        )
        for uri in ADDRESSES:
            work.db.exec_driver_sql("INSERT INTO redirect_addresses (application_id, uri) VALUES (1, ?)", (uri,))
    migrate.upgrade(database)
    with database.read() as work:
        origins: dict[str, str] = dict(work.db.exec_driver_sql("SELECT uri, origin FROM redirect_addresses").all())
        assert origins == ADDRESSES
        assert store.is_origin(work, "https://notes.example.com", 1)
        assert migrate.differences(work.db, metadata) == []
    database.close()


def test_rows_that_refer_to_a_recreated_table_stay(tmp_path: Path) -> None:
    """SQLite cascades deletes if a table is dropped while foreign keys are enforced."""
    database = Database.in_folder(tmp_path)
    as_of(database, "0001")
    with database.write() as work:
        for statement in (
            "INSERT INTO users (id, login, login_folded, created, updated) VALUES (1, 'ada', 'ada', 0, 0)",
            "INSERT INTO applications (id, creator_id, type, profile, name, description, website, client_id, switches,"
            " created, updated) VALUES (1, 1, 'web', 'compatibility', 'Old', 'Old.', 'https://x', 'id', '{}', 0, 0)",
            "INSERT INTO application_secrets (application_id, digest, sealed, last_four, created)"
            " VALUES (1, x'00', '', 'abcd', 0)",
            "INSERT INTO accounts (id, user_id, application_id, created) VALUES (1, 1, 1, 0)",
            "INSERT INTO access_tokens (digest, account_id, last_four, created) VALUES (x'01', 1, 'wxyz', 0)",
        ):
            work.db.exec_driver_sql(statement)
    migrate.upgrade(database)
    with database.read() as work:
        for table in ("users", "applications", "application_secrets", "accounts", "access_tokens"):
            assert work.db.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 1, table
        assert work.db.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    database.close()


def test_what_existed_before_provenance_belongs_to_its_owner(tmp_path: Path) -> None:
    """Tokens, secrets and addresses without a recorded maker do not end with one, and machines keep working."""
    database = Database.in_folder(tmp_path)
    as_of(database, "0081")
    with database.write() as work:
        for statement in (
            "INSERT INTO users (id, login, login_folded, created, updated) VALUES (1, 'ada', 'ada', 0, 0)",
            "INSERT INTO applications (id, creator_id, type, profile, name, description, website, client_id, switches,"
            " created, updated) VALUES (1, 1, 'web', 'strict', 'Old', 'Old.', 'https://x', 'id', '{}', 0, 0)",
            "INSERT INTO application_secrets (application_id, digest, sealed, last_four, created)"
            " VALUES (1, x'00', '', 'abcd', 0)",
            "INSERT INTO redirect_addresses (application_id, uri) VALUES (1, 'https://x/cb')",
            "INSERT INTO accounts (id, user_id, application_id, created) VALUES (1, 1, 1, 0)",
            "INSERT INTO access_tokens (digest, account_id, last_four, created) VALUES (x'01', 1, 'wxyz', 0)",
        ):
            work.db.exec_driver_sql(statement)
    migrate.upgrade(database)
    with database.read() as work:
        assert migrate.differences(work.db, metadata) == []
        for table in ("access_tokens", "application_secrets", "redirect_addresses"):
            rows = work.db.exec_driver_sql(f"SELECT made_by_account_id, made_by_token_id FROM {table}").all()
            assert [tuple(row) for row in rows] == [(None, None)], table
        assert work.db.exec_driver_sql("SELECT is_shared FROM application_secrets").scalar() == 0
    database.close()


@pytest.mark.both_databases
def test_who_saw_a_secret_is_taken_from_the_audit_log(
    tmp_path: Path, database_url: str, request: pytest.FixtureRequest
) -> None:
    """A secret that existed when somebody was shown one counts as seen. Later secrets and deleted people do not."""
    server: PostgreSQL | None = request.getfixturevalue("postgresql") if database_url else None
    database = Database(server.empty()) if server else Database.in_folder(tmp_path)
    migrate.upgrade(database, "0081")
    with database.write() as work:
        for statement in (_USER, _APPLICATION, _SESSION):
            work.db.execute(sa.text(statement), {"at": instant(work, 0)})
        for number, created in ((1, 0), (2, 20)):
            values = {"id": number, "created": instant(work, created), "digest": b"\0" * 32}
            work.db.execute(sa.text(_SECRET), values)
        for action, user, when in (
            ("application.secret_shown", 1, 10), ("application.secret_shown", 1, 12), ("application.edited", 1, 30),
            ("application.secret_shown", 99, 30), ("application.secret_shown", None, 30),
        ):  # fmt: skip
            work.db.execute(sa.text(_LINE), {"at": instant(work, when), "user": user, "action": action})
    migrate.upgrade(database)
    with database.read() as work:
        views = work.db.execute(sa.select(application_secret_views)).all()
        assert [(view.secret_id, view.user_id, view.seen.second, view.offered) for view in views] == [(1, 1, 12, None)]
        session = work.db.execute(sa.select(sessions)).one()
        assert (session.opened_by, session.authenticator_id, session.second_factor) == (None, None, False)
        assert work.db.scalar(sa.select(users.c.auth_version)) == 1
        assert migrate.differences(work.db, metadata) == []
    database.close()


_USER = "INSERT INTO users (id, login, login_folded, created, updated) VALUES (1, 'ada', 'ada', :at, :at)"
_APPLICATION = (
    "INSERT INTO applications (id, creator_id, type, profile, name, description, website, client_id, switches, created,"
    " updated) VALUES (7, 1, 'web', 'strict', 'Old', 'Old.', 'https://x', 'id', '{}', :at, :at)"
)
_SESSION = (
    "INSERT INTO sessions (id, digest, user_id, created, proved_at, last_seen, expires)"
    " VALUES (1, 'x', 1, :at, :at, :at, :at)"
)
_SECRET = (
    "INSERT INTO application_secrets (id, application_id, digest, sealed, last_four, created)"
    " VALUES (:id, 7, :digest, '', 'abcd', :created)"
)
_LINE = "INSERT INTO audit_log (at, user_id, action, object) VALUES (:at, :user, :action, 'application 7')"


@pytest.mark.both_databases
def test_the_records_of_old_collections_are_counted(
    tmp_path: Path, database_url: str, request: pytest.FixtureRequest
) -> None:
    server: PostgreSQL | None = request.getfixturevalue("postgresql") if database_url else None
    database = Database(server.empty()) if server else Database.in_folder(tmp_path)
    migrate.upgrade(database, "7d2e90b4c1a8")
    with database.write() as work:
        at = {"at": instant(work, 0)}
        work.db.execute(
            sa.text("INSERT INTO databoxes (id, name, view_name, labels, created) VALUES (1, 'a', 'a', '{}', :at)"), at
        )
        for base in (1, 2, 3):
            work.db.execute(
                sa.text(
                    "INSERT INTO collections (id, databox_id, number, name, labels, created)"
                    " VALUES (:base, 1, :base, 'a', '{}', :at)"
                ),
                {**at, "base": base},
            )
        for number, base in enumerate((1, 1, 1, 2), start=1):
            work.db.execute(
                sa.text(
                    "INSERT INTO records (databox_id, number, collection_id, kind, title, uuid, technical, created,"
                    " updated) VALUES (1, :number, :base, 'image', 'a', 'a', '[]', :at, :at)"
                ),
                {**at, "number": number, "base": base},
            )
    migrate.upgrade(database)
    with database.read() as work:
        assert counts.of(work, [CollectionId(1), CollectionId(2), CollectionId(3)]) == {1: 3, 2: 1, 3: 0}
        assert counts.differences(work) == {}
        assert migrate.differences(work.db, metadata) == []
    database.close()


@pytest.mark.both_databases
def test_older_logins_get_their_mapped_form_and_twins_stay_two(
    tmp_path: Path, database_url: str, request: pytest.FixtureRequest
) -> None:
    """RFC 8265: accounts of before are found by every writing, twins by their own alone."""
    server: PostgreSQL | None = request.getfixturevalue("postgresql") if database_url else None
    database = Database(server.empty()) if server else Database.in_folder(tmp_path)
    migrate.upgrade(database, "7d2e90b4c1a8")
    logins = {1: "Ad\u00e9le", 2: "\uff42ob", 3: "ada\u2665", 4: "ren\u00e9", 5: "rene\u0301"}
    with database.write() as work:
        insert = sa.text(
            "INSERT INTO users (id, login, login_folded, created, updated) VALUES (:id, :login, :folded, :at, :at)"
        )
        for number, login in logins.items():
            values = {"id": number, "login": login, "folded": login.casefold(), "at": instant(work, 0)}
            work.db.execute(insert, values)
    migrate.upgrade(database)
    with database.read() as work:
        looked_up = {
            typed: account.id if (account := people.user_by_login(work, typed)) else None
            for typed in (*logins.values(), "ADE\u0301LE", "bob", "REN\u00c9")
        }
        assert looked_up == {
            **{login: number for number, login in logins.items()}, "ADE\u0301LE": 1, "bob": 2, "REN\u00c9": 4,
        }  # fmt: skip
        assert [[user_id for user_id, _ in group] for group in people.twins(work, 10)] == [[4, 5]]
        assert migrate.differences(work.db, metadata) == []
    database.close()
