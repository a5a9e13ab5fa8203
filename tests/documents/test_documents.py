"""A bounded run of both documents for each kind of caller; `make load` runs a long one (tests/load)."""

from pathlib import Path

import pytest

from tests.documents.callers import CALLERS, PARTS, call_every_operation
from tests.documents.world import World

# For each operation.
EXAMPLES = {"user": 7, "administrator": 4, "nobody": 1}


@pytest.mark.slow
@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("part", PARTS)
def test_no_answer_fails_or_surprises_or_holds_what_is_closed(tmp_path: Path, part: str, caller: str) -> None:
    world = World(tmp_path)
    try:
        call_every_operation(world, part, caller, EXAMPLES[caller])
    finally:
        world.close()


def test_what_is_closed_is_noticed(tmp_path: Path) -> None:
    """The keeper sees it, so an answer to the keeper is what no answer to the others may be."""
    world = World(tmp_path)
    try:
        token, reader = world.server.token(world.keeper), world.tokens["user"]
        for path in ("/api/v1/search/", "/api/v4/records", "/api/v1/quarantine/list/"):
            seen, hidden = (world.server.call("GET", path, who) for who in (token, reader))
            assert seen.status_code == hidden.status_code == 200
            assert world.leaks(seen.text, seen.json()), path
            assert world.leaks(hidden.text, hidden.json()) == [], path
    finally:
        world.close()
