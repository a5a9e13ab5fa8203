"""Rules of the house that no tool checks by itself."""

import re
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest
from tools import clauses, reference

from vitrine.cli.demo.media import composed_entries, manifest
from vitrine.platform import migrate
from vitrine.platform.database import Database
from vitrine.schema import metadata
from vitrine.settings import Settings
from vitrine.testing.postgresql import PostgreSQL

ROOT = Path(__file__).parents[1]
KINDS = ("added", "changed", "fixed", "removed", "security", "wire")
# Written in pieces, so that this file does not name what it looks for.
HOSTS = re.compile("|".join(("pypi" + r"\.org", "python" + "hosted", "registry" + r"\.npmjs", "deb" + r"\.debian")))
PLACES = re.compile(r"(?:^|[^A-Za-z0-9_.-])/(?:wo" + "rk|ro" + "ot)/")


def tracked() -> list[Path]:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in names.split("\0") if name and (ROOT / name).is_file()]


def test_migrations_and_tables_agree(tmp_path: Path) -> None:
    database = Database.in_folder(tmp_path)
    assert migrate.upgrade(database) == migrate.upgrade(database)
    with database.read() as work:
        assert migrate.differences(work.db, metadata) == []
    database.close()


def test_every_setting_is_described_and_the_page_is_current() -> None:
    assert all(field.metadata["sentence"].endswith(".") for field in fields(Settings))
    assert reference.PAGE.read_text() == reference.settings_page(), "run make docs"


def test_the_page_of_credentials_is_current() -> None:
    assert reference.CREDENTIALS.read_text() == reference.credentials_page(), "run make docs"


def test_the_page_of_clauses_is_current() -> None:
    assert clauses.PAGE.read_text() == clauses.clauses_page(), "run make docs"


def test_every_statement_of_the_contract_of_v1_has_its_tests() -> None:
    """Those of contract 02, but what is named as not built, with its reason."""
    assert clauses.unproved_statements() == []


def test_every_route_of_v1_is_called_by_a_test() -> None:
    assert not [line for line in clauses.routes_page(list(clauses.tests())) if "**nothing**" in line]


def test_no_file_names_an_index_host_or_a_place_of_one_machine() -> None:
    for path in tracked():
        if path.suffix not in (".png", ".jpg", ".lock"):
            text = path.read_text(errors="replace")
            assert not HOSTS.search(text), path
            assert not PLACES.search(text), path


def test_nothing_large_is_kept() -> None:
    assert [path for path in tracked() if path.stat().st_size > 400_000] == []


def test_the_readmes_commands_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md"):
        assert set(re.findall(r"`?\bmake ([a-z-]+)", page.read_text())) <= targets


def test_fragments_are_well_named() -> None:
    for path in (path for path in (ROOT / "changelog.d").iterdir() if path.name != "README.md"):
        assert re.fullmatch(rf"[a-z0-9-]+\.({'|'.join(KINDS)})\.md", path.name)


@pytest.mark.parametrize(
    "page", sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md")), ids=lambda path: path.name
)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_the_demonstration_is_complete() -> None:
    files = manifest()
    assert sum(not entry["member"].endswith(".mp4") for entry in files) >= 20
    assert any(entry["member"].endswith(".mp4") for entry in files)
    assert {entry["language"] for entry in files} == {"en", "fr"}
    composed = composed_entries()
    assert {Path(entry["name"]).suffix for entry in composed} == {".pdf", ".mp3"}
    assert {part for entry in composed for part in entry["of"]} <= {Path(entry["member"]).name for entry in files}
    for entry in (*files, *composed):
        for name in ("title", "title_other", "caption", "caption_other", "author", "rights", "licence", "date"):
            assert entry[name], (entry.get("member"), name)
        assert len(entry["keywords"]) >= 3


def test_postgresql_has_the_same_tables(postgresql: PostgreSQL) -> None:
    database = Database(postgresql.empty())
    assert migrate.upgrade(database) == migrate.upgrade(database)
    with database.read() as work:
        assert migrate.differences(work.db, metadata) == []
    database.close()


@pytest.mark.both_databases
def test_what_the_first_schema_held_is_there_after_the_upgrade(
    tmp_path: Path, database_url: str, request: pytest.FixtureRequest
) -> None:
    server: PostgreSQL | None = request.getfixturevalue("postgresql") if database_url else None
    database = Database(server.empty()) if server else Database.in_folder(tmp_path)
    migrate.upgrade(database, "0001")
    with database.write() as work:
        assert migrate.revision(work.db) == "0001"
        work.db.exec_driver_sql(
            "INSERT INTO databoxes (name, view_name, labels, created) VALUES ('Museum', 'Museum', '{}', "
            + ("now())" if server else "1)")
        )
    migrate.upgrade(database)
    with database.read() as work:
        assert work.db.exec_driver_sql("SELECT name FROM databoxes").scalar() == "Museum"
        assert migrate.differences(work.db, metadata) == []
    database.close()
