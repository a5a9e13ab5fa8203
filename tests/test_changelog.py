"""`make changelog`: every fragment reaches the release, under the heading of its kind."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.test_house import KINDS, ROOT

CONFIGURATION = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["towncrier"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository of two fragments with the configuration of this one."""
    for name in ("pyproject.toml", CONFIGURATION["template"]):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "CHANGELOG.md").write_text(f"# Changelog\n\n{CONFIGURATION['start_string']}\n## 0.0.1 (2020-01-01)\n")
    (tmp_path / "changelog.d").mkdir()
    (tmp_path / "changelog.d" / "README.md").write_text("Not a fragment.")
    fragment(tmp_path, "long-names.fixed.md", "A name of\n72 characters is kept.")
    fragment(tmp_path, "wire-2.wire.md", "An answer has `iss`.")
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    return tmp_path


def fragment(checkout: Path, name: str, text: str) -> None:
    (checkout / "changelog.d" / name).write_text(f"{text}\n")


def build(checkout: Path, version: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "towncrier", "build", "--yes", "--version", version, "--date", "2026-12-01"]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)


def test_a_release_takes_the_fragments_and_keeps_what_was_there(checkout: Path) -> None:
    assert build(checkout, "0.2.0").returncode == 0
    assert (checkout / "CHANGELOG.md").read_text() == (
        "# Changelog\n\n<!-- releases -->\n\n## 0.2.0 (2026-12-01)\n\n### On the wire\n\n- An answer has `iss`.\n\n"
        "### Fixed\n\n- A name of\n  72 characters is kept.\n\n## 0.0.1 (2020-01-01)\n"
    )
    assert [path.name for path in (checkout / "changelog.d").iterdir()] == ["README.md"]


def test_a_version_is_cut_once(checkout: Path) -> None:
    assert build(checkout, "0.2.0").returncode == 0
    before = (checkout / "CHANGELOG.md").read_text()
    fragment(checkout, "late.added.md", "Too late.")
    assert build(checkout, "0.2.0").returncode != 0
    assert (checkout / "CHANGELOG.md").read_text() == before
    assert (checkout / "changelog.d" / "late.added.md").exists()


def test_the_release_has_every_kind_and_the_changelog_its_place() -> None:
    assert {kind["directory"] for kind in CONFIGURATION["type"]} == set(KINDS)
    assert (ROOT / "CHANGELOG.md").read_text().count(CONFIGURATION["start_string"]) == 1
