"""Commands that change the structure of databoxes, with results for programs."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from vitrine.cli.main import cli
from vitrine.errors import DomainError, Invalid, NotFound
from vitrine.testing.media_factory import png
from vitrine.testing.server import Server


@pytest.fixture
def folder(server: Server) -> Path:
    return server.settings.data_dir


def run(folder: Path, *arguments: str) -> Any:
    done = CliRunner().invoke(cli, [*arguments, "--data", str(folder), "--json"])
    if isinstance(done.exception, DomainError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return json.loads(done.output.splitlines()[-1])


def test_fields(folder: Path) -> None:
    added = run(folder, "field", "add", "Lieu", "multi=true", "labels.en=Place", "--databox", "1")
    assert added["name"] == "Lieu"
    assert run(folder, "field", "set", "Lieu", "name=Place", "required=true", "--databox", "1")["name"] == "Place"
    names = [entry["name"] for entry in run(folder, "field", "list", "--databox", "1")["fields"]]
    assert names[-1] == "Place"
    assert run(folder, "field", "order", *reversed(names), "--databox", "1")["order"] == names[::-1]
    assert run(folder, "field", "delete", "Place", "--databox", "1")["task"]["kind"] == "field.delete_values"
    assert [task["state"] for task in run(folder, "structure-task", "list", "--databox", "1")["tasks"]] == ["waiting"]
    with pytest.raises(NotFound):
        run(folder, "field", "delete", "Place", "--databox", "1")
    for wrong in ("required", "required=maybe", "colour=red"):
        with pytest.raises(Invalid):
            run(folder, "field", "set", "City", wrong, "--databox", "1")
    for twice in (("type=date", "type=string"), ("labels.en=a", "labels.en=b"), ("labels=a", "labels.en=b")):
        with pytest.raises(Invalid, match="given twice"):
            run(folder, "field", "set", "City", *twice, "--databox", "1")


def test_status_bits_recipes_and_terms(folder: Path, tmp_path: Path) -> None:
    icon = str(png(tmp_path / "on.png", 16, 16))
    defined = run(folder, "status", "set", "4", "label_on=Checked", "--icon-on", icon, "--databox", "1")
    assert defined == {"bit": 4, "label_on": "Checked"}
    assert run(folder, "status", "remove", "4", "--databox", "1")["task"]["kind"] == "status.clear"
    attributes = ("klass=preview", "mediatype=image", "options.size=900")
    assert run(folder, "recipe", "add", "image", "web", *attributes, "--databox", "1")["task"]["state"] == "waiting"
    assert run(folder, "recipe", "set", "image", "web", "downloadable=false", "--databox", "1")["task"] is None
    assert run(folder, "recipe", "delete", "image", "web", "--databox", "1")["task"]["kind"] == "renditions.delete"
    text = tmp_path / "terms.html"
    text.write_text("<p>Use</p>")
    assert run(folder, "terms", "publish", f"en={text}", "--databox", "1")["number"] == 1
    with pytest.raises(NotFound):
        run(folder, "terms", "publish", "en=nowhere.html", "--databox", "1")
    text.write_bytes("<p>Utilisé</p>".encode("latin-1"))
    with pytest.raises(Invalid, match="UTF-8"):
        run(folder, "terms", "publish", f"en={text}", "--databox", "1")


def test_databoxes_and_collections(folder: Path) -> None:
    assert run(folder, "databox", "set", "1", "view_name=The museum", "registration_open=true")["registration_open"]
    second = run(folder, "databox", "add", "Annexe")["databox_id"]
    assert run(folder, "databox", "order", str(second), "1")["order"] == [second, 1]
    changed = run(folder, "collection", "change", "1", "labels.fr=Photos", "enabled=false", "registration_open=null")
    assert (changed["enabled"], changed["registration_open"]) == (False, None)
    assert run(folder, "collection", "order", "2", "1", "--databox", "1")["order"] == [2, 1]
    assert run(folder, "collection", "empty", "2", "--yes")["task"]["total"] == 0
    assert run(folder, "collection", "delete", "2") == {"base_id": 2}


def test_rules(folder: Path) -> None:
    criteria = 'criteria={"base_ids":[1]}'
    added = run(folder, "rule", "add", "Tidy up", criteria, 'action={"base_id":2}', "--databox", "1")
    assert (added["rule_id"], added["enabled"], added["last_run"]) == (1, False, None)
    tried = run(folder, "rule", "dry-run", "1", "--databox", "1")
    assert (tried["matched"], tried["is_complete"]) == (0, True)
    assert run(folder, "rule", "set", "1", "enabled=true", "interval_minutes=60", "--databox", "1")["enabled"]
    started = run(folder, "rule", "run", "1", "--databox", "1")
    (listed,) = run(folder, "rule", "list", "--databox", "1")["rules"]
    assert listed["last_run"]["run_id"] == started["run_id"]
    assert listed["interval_minutes"] == 60
    with pytest.raises(Invalid):
        run(folder, "rule", "set", "1", "interval_minutes=1", "--databox", "1")
    with pytest.raises(NotFound):
        run(folder, "rule", "undo", "1", str(started["run_id"]), "--databox", "1")
    run(folder, "rule", "delete", "1", "--databox", "1")
    assert run(folder, "rule", "list", "--databox", "1")["rules"] == []
