"""`vitrine feed`: add, list, publisher, remove."""

import json
from typing import Any

from tests.operations.test_people import command
from vitrine.testing.server import Server


def run(server: Server, *arguments: str) -> Any:
    done = command(server, "feed", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_feed_from_the_command_line(server: Server) -> None:
    server.user("ada")
    server.user("bob")
    added = run(server, "add", "Press", "--owner", "ada", "--public", "--subtitle", "Daily")
    number = str(added["feed_id"])
    assert added["rss"].endswith(f"/feeds/feed/{number}/rss/")
    assert server.http.get(f"/feeds/feed/{number}/rss/").status_code == 200
    assert run(server, "publisher", number, "bob", "--owner")["state"] == "owns it"
    assert run(server, "publisher", number, "ada", "--remove")["state"] == "publishes in it no longer"
    assert [feed["title"] for feed in run(server, "list")["feeds"]] == ["Press"]
    refused = command(server, "feed", "publisher", number, "bob", "--remove")
    assert refused.returncode == 1 and "owner" in refused.stderr
    run(server, "remove", number)
    assert run(server, "list")["feeds"] == []
