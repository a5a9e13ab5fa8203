"""Contract 06 sections 6, 8, 9: the structure of a databox changes while records are added, edited and deleted."""

import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from vitrine.accounts import COMMAND
from vitrine.errors import Conflict, Invalid, NotFound
from vitrine.library import counts
from vitrine.library.arrivals import Arrival
from vitrine.library.ingest import Added
from vitrine.library.model import CollectionId, FieldId, RecordKey
from vitrine.library.structure import task_store
from vitrine.library.tables import field_values, fields, records
from vitrine.library.value_edits import FieldChange
from vitrine.media.probe import Probe
from vitrine.testing.server import Server

ROUNDS = 12
EXPECTED = (Invalid, NotFound, Conflict)  # of a field, bit or record that the other side has just removed


def add(server: Server, number: int) -> RecordKey:
    with server.services.database.write() as work:
        arrival = Arrival(f"{number}.txt", f"{number:064x}", 1, Probe("unknown", "text/plain"))
        base = CollectionId(server.photographs.id)
        outcome = server.services.library.ingest.add(work, COMMAND, arrival, base, force=True)
    assert isinstance(outcome, Added)
    return outcome.key


@pytest.mark.both_databases
def test_nothing_is_lost_or_left_behind(server: Server) -> None:
    administration, box = server.services.library.administration, server.databox.id
    keys = [add(server, number) for number in range(6)]
    with server.services.database.read() as work:
        structure = server.services.library.records.structure(work).fields[box]
    keywords = next(field.id for field in structure if field.name == "Keywords")
    refused: list[str] = []
    broken: list[BaseException] = []
    current: dict[str, FieldId] = {"Extra": keywords}
    start = threading.Barrier(3)

    def several_times(step: Callable[[int], None]) -> None:
        start.wait()
        for number in range(ROUNDS):
            try:
                step(number)
            except EXPECTED as refusal:
                refused.append(refusal.code)
            except BaseException as bug:
                broken.append(bug)

    def edit(number: int) -> None:
        with server.services.database.write() as work:
            changes = [FieldChange(keywords, None, f"word {number}"), FieldChange(current["Extra"], None, f"{number}")]
            server.services.library.changes.set_values(work, COMMAND, keys[number % len(keys)], changes)
        with server.services.database.write() as work:
            server.services.library.changes.set_status(work, COMMAND, keys[number % len(keys)], {4: True})

    def restructure(number: int) -> None:
        with server.services.database.write() as work:
            current["Extra"] = administration.fields.add(
                work, COMMAND, box, {"name": f"Extra{number}", "multi": True}
            ).id
        with server.services.database.write() as work:
            administration.status_bits.define(work, COMMAND, box, 4, {"label_on": "Checked"})
        with server.services.database.write() as work:
            administration.fields.change(work, COMMAND, box, keywords, {"multi": number % 2 == 0})
        with server.services.database.write() as work:
            administration.status_bits.remove(work, COMMAND, box, 4)
        with server.services.database.write() as work:
            administration.fields.delete(work, COMMAND, box, current["Extra"])

    def come_and_go(number: int) -> None:
        key = add(server, 100 + number)
        with server.services.database.write() as work:
            server.services.library.removal.remove(work, COMMAND, key)

    threads = [threading.Thread(target=several_times, args=(step,)) for step in (edit, restructure, come_and_go)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert broken == []
    server.work()
    with server.services.database.read() as work:
        known = server.services.library.records.structure(work)
        removed = sa.select(fields.c.id).where(fields.c.removed)
        assert work.db.execute(removed).all() == [], "every deleted field went with its values"
        orphans = sa.select(field_values.c.id).where(field_values.c.field_id.not_in(list(known.field_by_id)))
        assert work.db.execute(orphans).all() == []
        if not known.field_by_id[keywords].multi:
            several = sa.select(field_values.c.record_id).where(field_values.c.field_id == keywords)
            several = several.group_by(field_values.c.record_id).having(sa.func.count() > 1)
            assert work.db.execute(several).all() == []
        defined = {bit.bit for bit in known.status_bits[box]}
        if 4 not in defined:
            on = sa.select(records.c.id).where(records.c.status.op("&")(1 << 4) != 0)
            assert work.db.execute(on).all() == []
        assert counts.of(work, [CollectionId(server.photographs.id)]) == {server.photographs.id: len(keys)}
        assert [task for task in task_store.page(work, box, None, 100) if not task.is_finished] == []
