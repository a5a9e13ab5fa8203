"""Findings of doctor and check: each damage is named, and a sound instance has none."""

import os
import sqlite3
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from vitrine.accounts import User
from vitrine.accounts.tables import users
from vitrine.applications import Profile
from vitrine.errors import Conflict
from vitrine.identity_provider_settings import Provider
from vitrine.jobs.tables import jobs
from vitrine.library.tables import collection_count_deltas, collection_counts
from vitrine.media.storage import LocalStore
from vitrine.oauth.tables import access_tokens
from vitrine.operations import doctor, security
from vitrine.operations.findings import FAULT, OK, WARNING
from vitrine.platform.tables import audit_log
from vitrine.settings import Settings
from vitrine.testing import media_factory as make
from vitrine.testing.server import PASSWORD, Server


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada", email="ada@museum.example")


@pytest.fixture
def filled(server: Server, ada: User, tmp_path: Path) -> Server:
    server.add(make.jpeg(tmp_path / "a.jpg", 320, 240), ada)
    server.token(ada)
    return server


def findings(server: Server, state: str = FAULT, *, deep: bool = False) -> dict[str, str]:
    return {
        finding.check: finding.text for finding in doctor.examine(server.settings, deep=deep) if finding.state == state
    }


def one_blob(server: Server) -> Path:
    store = server.services.media.store
    assert isinstance(store, LocalStore)
    return store.path(next(iter(store.older_than(timedelta(0)))))


@pytest.mark.both_databases
@pytest.mark.both_stores
def test_a_sound_instance_has_no_fault(filled: Server) -> None:
    assert findings(filled, deep=True) == {}
    assert set(findings(filled, OK)) >= {"key", "database", "documents", "orphans", "index", "disk", "clock"}


@pytest.mark.both_databases
def test_a_wrong_number_of_records_is_named_and_repaired(filled: Server) -> None:
    with filled.services.database.write() as work:
        work.db.execute(collection_counts.delete())
        work.db.execute(collection_count_deltas.delete())
        work.db.execute(collection_counts.insert().values(collection_id=filled.archive.id, records=3))
    assert "3 too large" in findings(filled)["counts"]
    assert doctor.repair(filled.settings) == 2
    assert "counts" not in findings(filled)
    assert "counts" in findings(filled, OK)


def test_a_missing_file_a_short_one_and_other_bytes(filled: Server) -> None:
    path = one_blob(filled)
    content = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    assert findings(filled) == {}, "only --deep detects other bytes of the same length"
    assert "other bytes" in findings(filled, deep=True)["documents"]
    path.write_bytes(content[:-1])
    assert "damaged" in findings(filled)["documents"]
    path.unlink()
    assert f"{path.name} is missing" in findings(filled)["documents"]


def test_the_key(filled: Server) -> None:
    key = filled.settings.data_dir / "server.key"
    key.chmod(0o644)
    assert "chmod 600" in findings(filled)["key"]
    key.chmod(0o600)
    key.write_text("11" * 32)
    assert "not the one" in findings(filled)["key"]
    key.unlink()
    assert "missing" in findings(filled)["key"]
    assert not key.exists(), "a check creates no new key"


def test_a_reference_that_leads_nowhere(filled: Server) -> None:
    with sqlite3.connect(filled.settings.data_dir / "vitrine.sqlite3") as connection:
        connection.execute("UPDATE renditions SET record_id = 4711 WHERE name = 'preview'")
    connection.close()
    assert "renditions refers to a row of records" in findings(filled)["database"]


def test_a_damaged_database(filled: Server) -> None:
    filled.services.database.close()
    path = filled.settings.data_dir / "vitrine.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    content = bytearray(path.read_bytes())
    content[8192 : 8192 + 4096 * 20] = b"\xff" * 4096 * 20
    path.write_bytes(bytes(content))
    assert doctor.examine(filled.settings, deep=False)[0].state == FAULT
    assert any(finding.state == FAULT for finding in doctor.examine(filled.settings, deep=False))


def test_an_older_schema_is_told_and_not_touched(filled: Server) -> None:
    with filled.services.database.write() as work:
        work.db.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    assert "run vitrine migrate" in findings(filled)["database"]


def test_jobs_index_clock_orphans_and_address(filled: Server) -> None:
    with filled.services.database.write() as work:
        work.db.execute(
            jobs.insert().values(
                kind="x", lane="media", payload={}, run_after=work.now, created=work.now, dead_at=work.now,
                last_error="the disk was full",
            )
        )  # fmt: skip
        work.db.execute(audit_log.insert().values(at=work.now + timedelta(days=2), action="x", object="y"))
    filled.services.search.index.apply([], [1])
    blobs = filled.settings.data_dir / "blobs" / "00" / "00"
    blobs.mkdir(parents=True)
    (blobs / ("0" * 64)).write_bytes(b"left")
    os.utime(blobs / ("0" * 64), (time.time() - 30 * 86_400,) * 2)
    assert "0 of 1" in findings(filled)["index"]
    assert "went back" in findings(filled)["clock"]
    warnings = findings(filled, WARNING)
    assert "the disk was full" in warnings["jobs"]
    assert warnings["orphans"].startswith("1 files")
    assert "not encrypted" in warnings["base_url"], "dam.test is not a loopback address"
    assert "No worker" in warnings["worker"]


def test_nothing_is_made_where_no_instance_is(tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="no instance"):
        doctor.examine(Settings(data_dir=tmp_path / "none"), deep=False)
    assert not (tmp_path / "none").exists()


class TestSecurity:
    @staticmethod
    def findings(server: Server, state: str = FAULT, **settings: object) -> dict[str, str]:
        instance_settings = Settings(
            data_dir=server.settings.data_dir, database_url=server.settings.database_url,
            **{"base_url": "https://dam.example", **settings},  # type: ignore[arg-type]
        )  # fmt: skip
        return {
            finding.check: finding.text for finding in security.examine(instance_settings) if finding.state == state
        }

    @pytest.mark.both_databases
    def test_a_careful_instance_has_nothing(self, filled: Server) -> None:
        assert self.findings(filled) == {}

    def test_an_open_address_and_an_open_policy(self, filled: Server) -> None:
        assert "use https" in self.findings(filled, base_url="http://dam.example")["https"]
        assert "https" not in self.findings(filled, base_url="http://127.0.0.1:8000"), (
            "on one machine a warning is enough"
        )
        assert "every application" in self.findings(filled, deprecated_features="allow")["policy"]

    def test_providers_that_let_in_everybody(self, filled: Server) -> None:
        open_provider = Provider("sso", "SSO", "http://sso.lan", "x", create_accounts=True, internal=True)
        instance_settings = Settings(data_dir=filled.settings.data_dir, sign_in_providers=(open_provider,))
        texts = [finding.text for finding in security.examine(instance_settings) if finding.check == "providers"]
        assert len(texts) == 2
        assert "not encrypted" in texts[0]
        assert "without domains" in texts[1]
        careful = replace(open_provider, issuer="https://sso.lan", domains=("museum.example",))
        assert "providers" not in self.findings(filled, WARNING, sign_in_providers=(careful,))

    @pytest.mark.both_databases
    def test_old_habits_by_application_with_their_last_use(self, filled: Server, ada: User) -> None:
        old = filled.register(ada, name="Old site", profile=Profile.COMPATIBILITY)
        before = self.findings(filled, WARNING)["deprecated features"]
        assert "Old site" in before
        filled.http.get(f"/api/v1/me/?oauth_token={old.developer_token}")
        filled.services.deferred_writes.flush()
        texts = [
            finding.text for finding in security.examine(filled.settings) if finding.check == "deprecated features"
        ]
        assert any("parameter_token is on, last used 20" in text for text in texts)
        assert any("implicit is on, never used" in text for text in texts)

    def test_open_files(self, filled: Server) -> None:
        (filled.settings.data_dir / "server.key").chmod(0o640)
        assert "chmod 600 server.key" in self.findings(filled)["modes"]

    def test_folder_and_database_that_others_can_read(self, filled: Server) -> None:
        """They contain password hashes and all texts."""
        data = filled.settings.data_dir
        data.chmod(0o755)
        assert "chmod o-rwx" in self.findings(filled, WARNING)["modes"]
        data.chmod(0o750)
        (data / "vitrine.sqlite3").chmod(0o644)
        assert "chmod 600 vitrine.sqlite3" in self.findings(filled, WARNING)["modes"]
        (data / "vitrine.sqlite3").chmod(0o600)
        assert "modes" not in self.findings(filled, WARNING)

    @pytest.mark.both_databases
    def test_tokens_without_end_and_administrators_who_are_away(self, filled: Server) -> None:
        with filled.services.database.write() as work:
            long_ago = work.now - timedelta(days=200)
            work.db.execute(access_tokens.update().values(created=long_ago))
            work.db.execute(users.update().values(is_admin=True, created=long_ago, email=None))
        texts = [finding.text for finding in security.examine(filled.settings) if finding.state == WARNING]
        assert any("1 tokens have no end; 1 were not used" in text for text in texts)
        assert any("without an e-mail address" in text for text in texts)
        assert any("not signed in for 90 days" in text for text in texts)

    def test_the_passwords_of_the_demonstration(self, filled: Server) -> None:
        demo = filled.settings.data_dir / "demo.json"
        demo.touch(mode=0o600)
        demo.write_text('{"admin": {"login": "nobody", "password": "x"}}')
        assert "demo" not in self.findings(filled)
        demo.write_text('{"user": {"login": "ada", "password": "' + PASSWORD + '"}}')
        assert "change it" in self.findings(filled)["demo"]
