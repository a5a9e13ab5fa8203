"""What counts as a backup: a manifest of the right form, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from vitrine.errors import Invalid
from vitrine.operations.inventory import Contents
from vitrine.operations.manifest import CopiedDocuments, Manifest, read_manifest

MANIFEST = Manifest(
    version="0.1.0",
    revision="0081",
    created="2026-03-01T12:00:00+00:00",
    contents=Contents("0081", {"records": (3, "a1"), "users": (1, "b2")}, (15, "c3")),
    documents=CopiedDocuments(14, 90_000, ("d4",)),
    files={"vitrine.sqlite3": "e5", "blobs.txt": "f6"},
)


def write(folder: Path, stored: Any) -> Path:
    (folder / "manifest.json").write_text(json.dumps(stored))
    return folder


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert read_manifest(write(tmp_path, MANIFEST.as_dict())) == MANIFEST


def test_scripts_and_older_releases_find_the_same_keys() -> None:
    stored = MANIFEST.as_dict()
    assert list(stored) == ["form", "version", "revision", "made", "contents", "documents", "files"]
    assert stored["documents"] == {"count": 14, "bytes": 90_000, "missing": ["d4"]}
    assert list(stored["contents"]) == ["revision", "tables", "blobs"]


@pytest.mark.parametrize(
    "stored",
    [
        [],
        "text",
        {"form": 1},
        {**MANIFEST.as_dict(), "documents": []},
        {**MANIFEST.as_dict(), "documents": {"count": "many", "bytes": 1, "missing": []}},
        {**MANIFEST.as_dict(), "contents": {"revision": "0081", "tables": {"records": [1]}, "blobs": [0, ""]}},
        {**MANIFEST.as_dict(), "contents": {"revision": "0081", "tables": [], "blobs": [0, ""]}},
        {**MANIFEST.as_dict(), "files": 3},
    ],
)
def test_another_json_file_of_that_name_is_no_backup(tmp_path: Path, stored: Any) -> None:
    with pytest.raises(Invalid, match="is not a backup"):
        read_manifest(write(tmp_path, stored))


def test_a_newer_form_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="the form 2; this program reads 1"):
        read_manifest(write(tmp_path, {**MANIFEST.as_dict(), "form": 2}))


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"\x1f\x8b not a tar"])
def test_a_folder_or_file_without_a_manifest_is_no_backup(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Invalid, match="is not a backup"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(Invalid, match="is not a backup"):
        read_manifest(tmp_path)
    (tmp_path / "copy.tar").write_bytes(content)
    with pytest.raises(Invalid, match="is not a backup"):
        read_manifest(tmp_path / "copy.tar")
