"""A backup made by release 0.1.0 is restored by this one, on either database, and doctor finds no fault."""

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.upgrade import release_0_1_0
from tests.upgrade.release_0_1_0 import IDS
from vitrine.accounts.tables import linked_identities
from vitrine.errors import Conflict
from vitrine.operations import doctor, findings, inventory
from vitrine.operations.backup import create
from vitrine.operations.manifest import BLOBS, KEY, MANIFEST, ROWS
from vitrine.operations.restore import restore_into
from vitrine.platform.crypto import Vault
from vitrine.platform.database import Database
from vitrine.settings import Settings
from vitrine.testing.postgresql import PostgreSQL


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """What `vitrine backup` of 0.1.0 wrote: its own keys in the manifest, its own tables in the database."""
    folder = tmp_path / "backup"
    folder.mkdir()
    database = Database(f"sqlite:///{folder / ROWS}")
    release_0_1_0.fill(database)
    database.close()
    (folder / BLOBS).write_text("")
    Vault.in_folder(folder)
    digests = {name: inventory.file_digest(folder / name) for name in (ROWS, BLOBS, KEY)}
    manifest = {
        "form": 1, "version": "0.1.0", "revision": "0081", "made": "2026-01-02T03:04:05+00:00",
        "contents": {"revision": "0081", "tables": {"habit_uses": [2, "0" * 64]}, "blobs": [0, "0" * 64]},
        "documents": {"count": 0, "bytes": 0, "missing": []}, "files": digests,
    }  # fmt: skip
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
    return folder


def restored(backup: Path, data: Path, database_url: str) -> Settings:
    settings = Settings(data_dir=data, database_url=database_url)
    restore_into(settings, backup)
    return settings


@pytest.mark.both_databases
def test_it_is_restored_and_upgraded(
    backup: Path, tmp_path: Path, database_url: str, request: pytest.FixtureRequest
) -> None:
    server: PostgreSQL | None = request.getfixturevalue("postgresql") if database_url else None
    settings = restored(backup, tmp_path / "data", server.empty() if server else "")
    assert findings.faults(doctor.examine(settings, deep=True)) == []
    database = inventory.open_existing(settings)
    with database.write() as work:
        assert tuple(work.db.scalars(sa.select(linked_identities.c.id).order_by("id"))) == IDS["external_identities"]
        number = release_0_1_0.add(
            work, linked_identities, user_id=1, issuer="https://i", subject="s", created=work.now
        )
        assert number > max(IDS["external_identities"])
    database.close()


def test_it_cannot_be_compared_since_its_tables_are_others(backup: Path, tmp_path: Path) -> None:
    settings = restored(backup, tmp_path / "data", "")
    (finding,) = doctor.compare(settings, backup)
    assert finding.state == findings.FAULT
    assert "the schemas differ" in finding.text
    assert "0081 there" in finding.text


def test_the_backup_itself_is_not_changed(backup: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in backup.iterdir() if path.is_file()}
    restored(backup, tmp_path / "data", "")
    assert {path.name: path.read_bytes() for path in backup.iterdir() if path.is_file()} == before


def test_an_instance_of_it_is_not_backed_up_before_the_upgrade(tmp_path: Path) -> None:
    database = Database.in_folder(tmp_path / "data")
    release_0_1_0.fill(database)
    database.close()
    with pytest.raises(Conflict, match="run vitrine migrate first"):
        create(Settings(data_dir=tmp_path / "data"), tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
