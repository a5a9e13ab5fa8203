"""Migrations have ids of Alembic's own and dated names, and form one line."""

import re
from pathlib import Path

import pytest
from alembic.script import Script, ScriptDirectory

from vitrine.platform import migrate

VERSIONS = migrate.SCRIPTS / "versions"
# Databases of release 0.1.0 and before hold these ids: they and their order never change.
NUMBERED = ("0001", "0020", "0010", "0040", "0030", "0060", "0070", "0090", "0080", "0081")
DATED_NAME = re.compile(r"\d{4}_(0[1-9]|1[0-2])_(0[1-9]|[12]\d|3[01])_[a-z0-9]+(_[a-z0-9]+)*\.py")
ALEMBIC_ID = re.compile(r"[0-9a-f]{12}")


def scripts() -> list[Script]:
    """All migrations, the first one first."""
    return list(ScriptDirectory.from_config(migrate._config()).walk_revisions())[::-1]


def test_there_is_one_head_and_one_line_to_it() -> None:
    directory = ScriptDirectory.from_config(migrate._config())
    assert directory.get_heads() == [migrate.newest()]
    assert directory.get_bases() == [NUMBERED[0]]
    revisions = [script.revision for script in scripts()]
    parents = [script.down_revision for script in scripts()]
    assert parents == [None, *revisions[:-1]], "no migration merges two others"


def test_the_numbered_migrations_keep_their_ids_and_their_order() -> None:
    assert tuple(script.revision for script in scripts())[: len(NUMBERED)] == NUMBERED


@pytest.mark.parametrize("path", sorted(VERSIONS.glob("*.py")), ids=lambda path: path.name)
def test_each_file_is_a_migration_with_a_name_of_its_kind(path: Path) -> None:
    if path.name == "__init__.py":
        assert path.read_text(encoding="utf-8") == ""
        return
    script = next((script for script in scripts() if Path(script.path).name == path.name), None)
    assert script is not None, "no migration that Alembic reads"
    if script.revision in NUMBERED:
        assert path.name.startswith(f"{script.revision}_")
    else:
        assert DATED_NAME.fullmatch(path.name), "name it YYYY_MM_DD_slug.py"
        assert ALEMBIC_ID.fullmatch(script.revision), "take the id that `alembic revision` makes"


def test_nothing_else_is_among_the_migrations() -> None:
    assert {Path(script.path).name for script in scripts()} | {"__init__.py"} == {
        path.name for path in VERSIONS.rglob("*") if path.is_file() and path.suffix != ".pyc"
    }


def test_every_migration_says_what_it_changes() -> None:
    undescribed = [script.revision for script in scripts() if not (script.doc or "").strip()]
    assert undescribed == []
