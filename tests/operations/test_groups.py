"""Groups from the shell."""

import json

from tests.operations.test_people import command
from vitrine.accounts.rights import CONTRIBUTOR, READER, Right
from vitrine.testing.server import Server


def rights(server: Server, login: str) -> dict[int, Right]:
    users = server.services.accounts.users
    with server.services.database.read() as work:
        user = users.find(work, login)
        grants = users.rights(work, user.id, user.rights_version).collections
        return {base: grant.rights for base, grant in grants.items()}


def test_a_group_is_made_filled_and_deleted_by_the_shell(server: Server) -> None:
    server.user("zoe", {server.photographs.id: READER})
    added = command(server, "group", "add", "Press", "--description", "Writers", "--json")
    assert added.returncode == 0, added.stderr
    assert json.loads(added.stdout)["name"] == "Press"
    base = str(server.archive.id)
    for arguments in (("grant", "press", "--collection", base, "--rights", "contributor"), ("join", "Press", "zoe")):
        done = command(server, "group", *arguments)
        assert done.returncode == 0, done.stderr
    assert rights(server, "zoe") == {server.photographs.id: READER, server.archive.id: CONTRIBUTOR}
    assert command(server, "group", "leave", "Press", "zoe").returncode == 0
    assert command(server, "group", "leave", "Press", "zoe").returncode == 1
    assert rights(server, "zoe") == {server.photographs.id: READER}
    assert command(server, "group", "delete", "Press").returncode == 0
    gone = command(server, "group", "join", "Press", "zoe")
    assert (gone.returncode, gone.stderr) == (1, "vitrine: There is no group called Press.\n")
