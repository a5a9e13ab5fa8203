"""vitrine journal: tables for spreadsheets, or JSON."""

import json

import pytest
from click.testing import CliRunner

from vitrine.accounts import Right, User
from vitrine.accounts.rights import READER
from vitrine.cli.main import cli
from vitrine.errors import Invalid
from vitrine.library.reports import searches, views
from vitrine.library.reports.views import ViewRow
from vitrine.testing.basket_world import BasketWorld
from vitrine.testing.server import Server


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada", {server.photographs.id: READER | Right.canpush})


def run(server: Server, *words: str) -> list[str]:
    result = CliRunner().invoke(
        cli, ["journal", *words, "--data", str(server.settings.data_dir)], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def test_views_and_uses_as_csv_and_json(server: Server, ada: User) -> None:
    world = BasketWorld(server)
    keys = world.records(120)
    with server.services.database.write() as work:
        views.write(work, [ViewRow(key, "preview", "news.example", 3) for key in keys])
    world.push(ada, keys, server.user("bob", None))
    lines = run(server, "views", "--collection", str(server.photographs.id))
    assert lines[0] == "databox_id,record_id,day,rendition,referrer,views"
    assert len(lines) == 121, "more than a page"
    assert lines[1].endswith(",preview,news.example,3")
    assert len(run(server, "views", "--collection", str(server.photographs.id), "--limit", "7")) == 8
    (line,) = run(server, "uses", "--record", f"{keys[0]}", "--json")
    assert json.loads(line)["kind"] == "push"


def test_words_cannot_be_formulas_of_a_spreadsheet(server: Server) -> None:
    with server.services.database.write() as work:
        searches.write(work, [((server.databox.id, "=cmd|x"), (1, 1))])
    assert run(server, "searches", "--databox", str(server.databox.id))[1].split(",")[1] == "'=cmd|x"


def test_sessions_and_wrong_options(server: Server, ada: User) -> None:
    server.browser(ada)
    assert run(server, "sessions")[1].split(",")[1] == "session.opened"
    for options in ((), ("--record", "1/1", "--collection", "1"), ("--record", "one")):
        with pytest.raises(Invalid):
            run(server, "views", *options)
