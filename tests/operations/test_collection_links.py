"""`vitrine collection links`: the links of all records that a collection has, in batches."""

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from tests.database.plans import plan_of, scans_of
from vitrine.accounts import COMMAND, NOBODY
from vitrine.cli.main import cli
from vitrine.errors import Forbidden
from vitrine.library import store
from vitrine.library.errors import NoSuchCollection
from vitrine.library.model import Collection, CollectionId, RecordId
from vitrine.library.sharing import permalink_store, public_links
from vitrine.library.sharing.public_links import CollectionSwitch
from vitrine.library.tables import records
from vitrine.platform import audit
from vitrine.platform.audit import AuditFilter
from vitrine.platform.database import UnitOfWork
from vitrine.testing.server import Server


def fill(server: Server, into: Collection, count: int) -> list[RecordId]:
    """Records without files. All were created at the same instant, as an import may do it."""
    with server.services.database.write() as work:
        return [_add(work, into) for _ in range(count)]


def _add(work: UnitOfWork, into: Collection) -> RecordId:
    number = store.next_number(work, into.databox_id)
    values = {
        "databox_id": into.databox_id, "number": number, "collection_id": into.id, "kind": "image", "title": "Quay",
        "uuid": f"00000000-0000-4000-8000-{number:012}", "technical": "[]", "created": work.now, "updated": work.now,
    }  # fmt: skip
    return store.add_record(work, values)


def closed(server: Server) -> set[RecordId]:
    with server.services.database.read() as work:
        return {
            RecordId(number) for number in work.db.scalars(sa.select(records.c.id).where(~records.c.public_by_link))
        }


@pytest.mark.both_databases
def test_every_record_of_the_collection_is_switched_and_no_other(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public_links, "BATCH", 3)
    own = [*fill(server, server.photographs, 7), *fill(server, server.photographs, 3)]
    fill(server, server.archive, 2)
    with server.services.database.write() as work:
        permalink_store.switch_records(work, own[2:4], on=False)
    change = CollectionSwitch(server.services.database, server.services.library.records)
    base = CollectionId(server.photographs.id)
    assert change.run(COMMAND, base, on=False, dry_run=True) == 8
    assert closed(server) == set(own[2:4])
    assert change.run(COMMAND, base, on=False) == 8
    assert closed(server) == set(own)
    assert change.run(COMMAND, base, on=False) == 0
    assert change.run(COMMAND, base, on=True) == 10
    assert closed(server) == set()
    with server.services.database.read() as work:
        lines = list(audit.lines(work, AuditFilter(action="collection.links")))
    switched_off = [line.details for line in lines if line.action == "collection.links_off"]
    assert sum(details["records"] for details in switched_off if details) == 8


@pytest.mark.both_databases
def test_a_batch_is_found_by_index(server: Server) -> None:
    ids = fill(server, server.photographs, 3)
    with server.services.database.read() as work:
        first = permalink_store.switches_of(work, CollectionId(server.photographs.id), None, 2)
        assert [row[0] for row in first] == ids[:2]
        after = (first[-1][1], first[-1][0])
        rest = permalink_store.switches_of(work, CollectionId(server.photographs.id), after, 2)
        assert [row[0] for row in rest] == ids[2:]
        page = sa.select(records.c.id).where(records.c.collection_id == 1, records.c.created >= after[0])
        assert scans_of(plan_of(work, page.order_by(records.c.created, records.c.id).limit(2)), "records") == []


def test_only_the_command_line_switches_a_collection(server: Server) -> None:
    change = CollectionSwitch(server.services.database, server.services.library.records)
    with pytest.raises(Forbidden):
        change.run(NOBODY, CollectionId(server.photographs.id), on=False)
    with pytest.raises(NoSuchCollection):
        change.run(COMMAND, CollectionId(999), on=False)


def test_the_command_counts_and_switches(server: Server, tmp_path: Path) -> None:
    own = fill(server, server.photographs, 2)
    runner = CliRunner()

    def run(*words: str) -> dict[str, object]:
        done = runner.invoke(cli, [*words, "--data", str(server.settings.data_dir), "--json"])
        assert done.exit_code == 0, done.output
        answer: dict[str, object] = json.loads(done.output.splitlines()[-1])
        return answer

    base = str(server.photographs.id)
    counted = run("collection", "links", base, "off", "--dry-run")
    assert counted == {"base_id": server.photographs.id, "public_by_link": False, "records": 2, "dry_run": True}
    assert closed(server) == set()
    assert run("collection", "links", base, "off")["records"] == 2
    assert closed(server) == set(own)
    assert run("collection", "set", base, "--not-public-by-link")["public_by_link"] is False
    with server.services.database.read() as work:
        assert not server.services.library.records.collection(work, CollectionId(server.photographs.id)).public_by_link
    assert run("collection", "set", base, "--public-by-link")["public_by_link"] is True
