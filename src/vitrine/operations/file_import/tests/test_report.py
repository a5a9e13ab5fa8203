"""The report of an import is whole or not there, and harmless."""

import csv
import json
import stat
from pathlib import Path

import pytest

from vitrine.errors import Invalid, Unavailable
from vitrine.library.model import CollectionId, DataboxId, RecordKey
from vitrine.operations.file_import.model import FileResult, FileState
from vitrine.operations.file_import.report import COLUMNS, reporting

RESULTS = (
    FileResult(
        Path("/x/a.jpg"), FileState.ADDED, record=RecordKey(DataboxId(1), 12), base_id=CollectionId(3), line=2,
        sidecar="a.xmp", values={"Title": ["Été"]},
    ),
    FileResult(Path("/x/\udcff.jpg"), FileState.REFUSED, "=cmd()", warnings=("and more",)),
)  # fmt: skip


@pytest.mark.parametrize("name", ["r.jsonl", "r.csv", "R.CSV", "r.ndjson"])
def test_every_file_has_a_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with reporting(path) as note:
        for result in RESULTS:
            note(result)
        assert not path.exists(), "not before the import has ended"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text(encoding="utf-8")
    if path.suffix.lower() == ".csv":
        first, second = csv.DictReader(text.splitlines())
        assert (first["record_id"], json.loads(first["values"])) == ("12", {"Title": ["Été"]})
        assert second["detail"] == "'=cmd(); and more", "no spreadsheet calculates it"
        assert list(first) == list(COLUMNS)
    else:
        lines = [json.loads(line) for line in text.splitlines()]
        assert [list(line) for line in lines] == [list(COLUMNS)] * 2
        assert lines[0]["values"] == {"Title": ["Été"]}
        assert lines[1]["path"] == "/x/\\xff.jpg"
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_the_report_of_an_import_that_died_is_beside_and_the_older_one_stays(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text("older")
    with pytest.raises(KeyError), reporting(path) as note:
        note(RESULTS[0])
        raise KeyError
    assert path.read_text() == "older"
    assert len((tmp_path / "r.jsonl.part").read_text().splitlines()) == 1
    with reporting(path) as note:
        note(RESULTS[0])
    assert len(path.read_text().splitlines()) == 1


def test_a_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("kept")
    (tmp_path / "r.csv.part").symlink_to(tmp_path / "precious")
    with reporting(tmp_path / "r.csv") as note:
        note(RESULTS[0])
    assert (tmp_path / "precious").read_text() == "kept"


def test_other_names_and_places_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"\.jsonl or \.csv"), reporting(tmp_path / "r.txt"):
        pytest.fail("nothing is imported")
    with pytest.raises(Unavailable, match="cannot be written"), reporting(tmp_path / "none" / "r.csv"):
        pytest.fail("nothing is imported")
    with reporting(None) as note:
        note(RESULTS[0])
