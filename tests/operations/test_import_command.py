"""`vitrine import` as a person types it, with the example of the guide."""

import json
import re
import textwrap
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from vitrine.accounts import COMMAND
from vitrine.cli.main import cli
from vitrine.errors import Conflict, DomainError
from vitrine.testing import media_factory as make
from vitrine.testing.server import Server

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "operators.md"


def run(server: Server, *arguments: str | Path) -> Result:
    words = ["import", *map(str, arguments), "--data", str(server.settings.data_dir)]
    return CliRunner().invoke(cli, words)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "files"
    path.mkdir()
    return path


def test_the_example_of_the_guide_works(server: Server, folder: Path) -> None:
    text = GUIDE.read_text(encoding="utf-8").partition("## Importing files")[2]
    blocks = re.findall(r"\n\n((?:    .*\n|\n(?=    ))+)", text)
    mapping, rows = (textwrap.dedent(block) for block in blocks[:2])
    (folder / "2019" / "Regatta").mkdir(parents=True)
    for number, name in enumerate(("start.jpg", "finish.jpg")):
        make.jpeg(folder / "2019" / "Regatta" / name, seed=number)
    (folder / "mapping.toml").write_text(mapping)
    (folder / "list.csv").write_text(rows)
    with server.services.database.write() as work:
        bits = server.services.library.administration.status_bits
        bits.define(work, COMMAND, server.databox.id, 4, {"label_on": "shown", "label_off": "hidden"})
    options = ("--mapping", folder / "mapping.toml", "--csv", folder / "list.csv", "--json")
    dry = run(server, *options, "--dry-run")
    report = folder.parent / "report.jsonl"
    done = run(server, *options, "--report", report)
    assert (dry.exit_code, done.exit_code) == (0, 0), (dry.output, dry.exception, done.output, done.exception)
    foreseen, lines = ([json.loads(line) for line in result.output.splitlines()] for result in (dry, done))
    assert [line["values"] for line in foreseen] == [line["values"] for line in lines]
    assert [line["record_id"] for line in foreseen] == [None, None]
    first = lines[0]
    assert first["state"] == "added"
    assert first["base_id"] == server.photographs.id
    assert first["values"] == {
        "Title": ["The start"], "Keywords": ["sea", "boats"], "Author": ["City archive"], "Date": ["2019-07-14"],
        "Source": ["Regatta"],
    }  # fmt: skip
    assert [json.loads(line)["record_id"] for line in report.read_text().splitlines()] == [
        line["record_id"] for line in lines
    ]


def test_a_refused_row_fails_the_command_after_the_others(server: Server, folder: Path) -> None:
    make.jpeg(folder / "a.jpg")
    (folder / "list.csv").write_text("file;Title\na.jpg;A\nb.jpg;B\n")
    done = run(server, "--csv", folder / "list.csv", "--collection", str(server.photographs.id))
    assert isinstance(done.exception, Conflict)
    assert "1 added, 0 already existed, 0 are in the quarantine, 1 refused." in done.output
    assert "b.jpg (line 3): There is no file b.jpg in the folder." in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Name files or folders, or a CSV"),
        (("{folder}",), "Name the collection"),
        (("{folder}", "--collection", "99"), "99"),
        (("{folder}", "--collection", "1", "--report", "{folder}/r.txt"), ".jsonl or .csv"),
        (("{folder}", "{folder}", "--csv", "{folder}/l.csv", "--collection", "1"), "at most one folder"),
        (("--csv", "{folder}/l.csv", "--collection", "1", "--delimiter", "xx"), "one character, or tab"),
        (("--csv", "{folder}/bad.csv", "--collection", "1"), "Did you mean Title"),
    ],
)
def test_a_call_that_cannot_work_says_why_and_imports_nothing(
    server: Server, folder: Path, arguments: tuple[str, ...], said: str
) -> None:
    make.jpeg(folder / "a.jpg")
    (folder / "l.csv").write_text("file\na.jpg\n")
    (folder / "bad.csv").write_text("file,Titel\na.jpg,x\n")
    done = run(server, *(argument.format(folder=folder) for argument in arguments))
    refusal = done.exception.detail if isinstance(done.exception, DomainError) else done.output
    assert done.exit_code != 0
    assert said in refusal
    with server.services.database.read() as work:
        assert work.db.exec_driver_sql("SELECT count(*) FROM records").scalar() == 0
