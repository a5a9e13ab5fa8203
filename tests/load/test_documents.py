"""Many cases of every operation of both documents, by each kind of caller. DOCUMENT_EXAMPLES sends another number for
each operation; HYPOTHESIS' seed (`--hypothesis-seed`) draws others."""

import os
from pathlib import Path

import pytest

from tests.documents.callers import CALLERS, PARTS, call_every_operation
from tests.documents.world import World

EXAMPLES = int(os.environ.get("DOCUMENT_EXAMPLES", "150"))


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.both_databases
@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("part", PARTS)
def test_no_answer_fails_or_surprises_or_holds_what_is_closed(
    tmp_path: Path, database_url: str, part: str, caller: str
) -> None:
    world = World(tmp_path, database_url=database_url)
    try:
        call_every_operation(world, part, caller, EXAMPLES)
    finally:
        world.close()
