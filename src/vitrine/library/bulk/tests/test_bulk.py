"""Changes of many records at once: rights by record at the time of the change, progress, cancelling, resuming, undo."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from vitrine.accounts import COMMAND, Actor, Right, User, Via
from vitrine.accounts.rights import ALL_RIGHTS, READER
from vitrine.errors import Invalid, Unavailable
from vitrine.jobs.tables import jobs
from vitrine.jobs.tasks import TASKS
from vitrine.library import store, structure_store
from vitrine.library.bulk import BULK, service
from vitrine.library.bulk import store as bulk_store
from vitrine.library.bulk.model import BulkChange, FieldAction, FieldEdit, Operation, State
from vitrine.library.bulk.service import NoSuchOperation, OperationOver, TooManyOperations
from vitrine.library.errors import MayNotChange
from vitrine.library.events import RecordDiscarded
from vitrine.library.model import BIN, CollectionId, FieldId, RecordKey
from vitrine.library.tables import bulk_items, record_changes
from vitrine.oauth.tables import access_tokens
from vitrine.testing import media_factory as make
from vitrine.testing.record_factory import StoredRecord, add_record
from vitrine.testing.server import Server

RECORDS = 7


class Library:
    """Some records, and people who change them."""

    def __init__(self, server: Server, picture: Path) -> None:
        self.server, self.bulk = server, server.services.library.bulk
        files = {"document": StoredRecord(picture, "image/jpeg", 300, 200)}
        with server.services.database.write() as work:
            for bit in (4, 5):
                names = {"label_on": "On", "label_off": "Off", "labels_on": {}, "labels_off": {}}
                structure_store.add_status_bit(work, server.databox.id, {"bit": bit, **names})
            structure_store.increase_version(work)
        self.keys = [
            add_record(server.services, server.photographs, "image", files, title=f"Picture {number}")
            for number in range(RECORDS)
        ]

    def actor(self, work: Any, user: User | None, **more: Any) -> Actor:
        people = self.server.services.accounts.users
        return COMMAND if user is None else people.actor_of(work, people.get(work, user.id), Via.SESSION, **more)

    def do(self, user: User | None, call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        with self.server.services.database.write() as work:
            return call(work, self.actor(work, user), *arguments, **named)

    def begin(self, user: User | None, change: BulkChange, keys: list[RecordKey] | None = None) -> Operation:
        operation: Operation = self.do(user, self.bulk.begin, self.keys if keys is None else keys, change)
        return operation

    def show(self, user: User | None, operation: Operation) -> Operation:
        shown: Operation = self.do(user, self.bulk.get, operation.id)
        return shown

    def run(self, user: User | None, change: BulkChange, keys: list[RecordKey] | None = None) -> Operation:
        operation = self.begin(user, change, keys)
        self.server.work()
        return self.show(user, operation)

    def outcomes(self, user: User | None, operation: Operation) -> list[str | None]:
        items = self.do(user, self.bulk.items, operation.id, after=-1, limit=1000)
        return [item.outcome for item in items]

    def field(self, name: str) -> FieldId:
        with self.server.services.database.read() as work:
            fields = self.server.services.library.records.structure(work).fields[self.server.databox.id]
            return next(field.id for field in fields if field.name == name)

    def texts(self, name: str) -> list[list[str]]:
        field_id = self.field(name)
        texts = []
        with self.server.services.database.read() as work:
            for key in self.keys:
                record_id = store.id_of(work, key)
                values = store.values_of(work, [record_id])[record_id] if record_id is not None else []
                texts.append([value.value for value in values if value.field_id == field_id])
        return texts

    def edit(self, name: str, *values: str, action: FieldAction = FieldAction.SET) -> BulkChange:
        return BulkChange(fields=(FieldEdit(self.field(name), action, values),))


@pytest.fixture
def library(server: Server, tmp_path: Path) -> Library:
    return Library(server, make.jpeg(tmp_path / "harbour.jpg", 300, 200))


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada")


@pytest.mark.both_databases
def test_fields_status_and_collection_of_many_records_change_together(
    server: Server, library: Library, ada: User
) -> None:
    change = BulkChange(
        fields=(
            FieldEdit(library.field("City"), FieldAction.SET, ("Brest",)),
            FieldEdit(library.field("Keywords"), FieldAction.ADD, ("harbour", "quay")),
        ),
        status={4: True, 5: False},
        collection=CollectionId(server.archive.id),
    )
    operation = library.run(ada, change)
    assert (operation.state, operation.total, operation.processed) == (State.DONE, RECORDS, RECORDS)
    assert (operation.changed, operation.refused) == (RECORDS, 0)
    assert library.outcomes(ada, operation) == ["changed"] * RECORDS
    assert library.texts("City") == [["Brest"]] * RECORDS
    assert library.texts("Keywords") == [["harbour", "quay"]] * RECORDS
    with server.services.database.read() as work:
        for key in library.keys:
            record = server.services.library.records.get(work, COMMAND, key)
            assert (record.status, record.collection_id) == (16, server.archive.id)
        assert server.services.library.records.collection_with_count(work, COMMAND, server.archive.id)[1] == RECORDS
        assert server.services.library.records.collection_with_count(work, COMMAND, server.photographs.id)[1] == 0
        kinds = list(work.db.scalars(sa.select(record_changes.c.kind).order_by(record_changes.c.id)))
    assert sorted(kinds) == sorted(["fields", "status", "collection"] * RECORDS)
    token = server.token(ada)
    hits = server.call("GET", "/api/v1/search/?query=Brest", token).json()["response"]
    assert hits["total_results"] == RECORDS, "the index follows"


@pytest.mark.both_databases
def test_the_whole_is_taken_back_but_not_what_was_changed_since(server: Server, library: Library, ada: User) -> None:
    library.run(ada, library.edit("City", "Nantes"))
    operation = library.run(ada, BulkChange(fields=library.edit("City", "Brest").fields, status={4: True}))
    other = library.keys[2]
    library.run(ada, library.edit("City", "Lorient"), [other])
    undo = library.do(ada, library.bulk.begin_undo, operation.id)
    server.work()
    undo = library.show(ada, undo)
    assert (undo.state, undo.total, undo.changed, undo.refused) == (State.DONE, 2 * RECORDS, 2 * RECORDS - 1, 1)
    assert sorted(filter(None, library.outcomes(ada, undo)))[0] == "changed"
    assert library.outcomes(ada, undo).count("changed_since") == 1
    expected = [["Nantes"]] * RECORDS
    expected[2] = ["Lorient"]
    assert library.texts("City") == expected
    with pytest.raises(OperationOver):
        library.do(ada, library.bulk.begin_undo, operation.id)
    with pytest.raises(OperationOver):
        library.do(ada, library.bulk.begin_undo, undo.id)


@pytest.mark.both_databases
def test_records_are_deleted_into_the_bin_first(server: Server, library: Library, ada: User) -> None:
    bin_ = library.do(None, server.services.library.structure.add_collection, server.databox.id, BIN)
    server.regrant(ada, bin_, ALL_RIGHTS)
    discarded: list[RecordDiscarded] = []
    server.services.database.listen(RecordDiscarded, lambda _work, event: discarded.append(event))
    first, second = library.keys[:2]
    library.run(ada, BulkChange(delete=True), [first])
    assert [(event.before, event.after) for event in discarded] == [(server.photographs.id, bin_.id)]
    operation = library.run(ada, BulkChange(delete=True), [first, second])
    assert operation.changed == 2
    with server.services.database.read() as work:
        assert store.by_key(work, first) is None, "in the bin it is final"
        binned = store.by_key(work, second)
    assert binned is not None
    assert (binned.collection_id, binned.public_by_link) == (bin_.id, False)
    undo = library.do(ada, library.bulk.begin_undo, operation.id)
    server.work()
    assert library.show(ada, undo).changed == 2
    with server.services.database.read() as work:
        places = {key: record.collection_id for key in (first, second) if (record := store.by_key(work, key))}
    assert places == {first: bin_.id, second: server.photographs.id}


@pytest.mark.both_databases
def test_records_are_deleted_and_come_back(server: Server, library: Library, ada: User) -> None:
    library.run(ada, library.edit("City", "Brest"))
    operation = library.run(ada, BulkChange(delete=True))
    assert operation.changed == RECORDS
    assert library.texts("City") == [[]] * RECORDS
    undo = library.do(ada, library.bulk.begin_undo, operation.id)
    server.work()
    assert library.show(ada, undo).changed == RECORDS
    assert library.texts("City") == [["Brest"]] * RECORDS


def test_each_record_is_refused_by_itself_and_then_not_changed_at_all(server: Server, library: Library) -> None:
    with server.services.database.write() as work:
        move = server.services.library.changes.move
        for key in library.keys[:2]:
            move(work, COMMAND, key, server.archive.id)
    rights: dict[int, Right] = {server.photographs.id: ALL_RIGHTS, server.archive.id: READER}
    half = server.user("half", rights)
    masked = server.user("masked", rights)
    server.regrant(masked, server.archive, ALL_RIGHTS, mask_and=1 << 4, mask_xor=1 << 4)
    change = BulkChange(fields=library.edit("City", "Brest").fields, status={4: True})
    missing = RecordKey(server.databox.id, 999)
    operation = library.run(half, change, [*library.keys, missing])
    assert library.outcomes(half, operation) == ["may_not_change"] * 2 + ["changed"] * 5 + ["no_such_record"]
    assert (operation.changed, operation.refused) == (5, 3)
    assert library.texts("City")[:2] == [[], []]
    hidden = library.run(masked, change)
    assert library.outcomes(masked, hidden) == ["no_such_record"] * 2 + ["unchanged"] * 5, "as if they were not there"


def test_a_part_that_is_not_allowed_keeps_the_others_from_happening(server: Server, library: Library) -> None:
    editor = server.user("editor", READER | Right.canmodifrecord | Right.chgstatus | Right.candeleterecord)
    into = CollectionId(server.archive.id)
    operation = library.run(editor, BulkChange(fields=library.edit("City", "Brest").fields, collection=into))
    assert set(library.outcomes(editor, operation)) == {"may_not_add"}
    assert library.texts("City") == [[]] * RECORDS
    undefined = library.run(editor, BulkChange(fields=library.edit("City", "Brest").fields, status={7: True}))
    assert set(library.outcomes(editor, undefined)) == {"invalid"}
    for change in (library.edit("FileName", "x"), library.edit("City", "a", "b"), library.edit("City", "x" * 40_000)):
        assert set(library.outcomes(editor, library.run(editor, change))) == {"invalid"}
    unknown = BulkChange(fields=(FieldEdit(FieldId(9999), FieldAction.SET, ("x",)),))
    assert set(library.outcomes(editor, library.run(editor, unknown))) == {"no_such_field"}
    assert library.texts("City") == [[]] * RECORDS


def test_a_right_that_is_lost_before_its_turn_counts(server: Server, library: Library, ada: User) -> None:
    operation = library.begin(ada, library.edit("City", "Brest"))
    server.regrant(ada, server.photographs, READER)
    server.work()
    assert set(library.outcomes(ada, operation)) == {"may_not_change"}
    assert library.texts("City") == [[]] * RECORDS


@pytest.mark.parametrize("how", ["closed", "locked"])
def test_an_operation_ends_with_the_account(server: Server, library: Library, ada: User, how: str) -> None:
    operation = library.begin(ada, library.edit("City", "Brest"))
    column = {"closed": "deleted_at = 1", "locked": "mail_locked = 1"}[how]
    with server.services.database.write() as work:
        work.db.exec_driver_sql(f"UPDATE users SET {column} WHERE id = {ada.id}")
    server.work()
    assert library.show(None, operation).state is State.ENDED
    assert library.texts("City") == [[]] * RECORDS


@pytest.mark.both_databases
def test_a_worker_that_dies_in_a_batch_leaves_no_half_of_it_and_the_next_goes_on(
    server: Server, library: Library, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "BATCH", 3)
    operation = library.begin(ada, library.edit("City", "Brest"))
    assert library.bulk.run_batch(operation.id)
    advance = bulk_store.advance

    def dies(*_arguments: Any) -> None:
        raise Unavailable("The machine was switched off.")

    monkeypatch.setattr(bulk_store, "advance", dies)
    with pytest.raises(Unavailable):
        library.bulk.run_batch(operation.id)
    assert library.texts("City") == [["Brest"]] * 3 + [[]] * 4
    running = library.show(ada, operation)
    assert (running.state, running.processed) == (State.RUNNING, 3)
    monkeypatch.setattr(bulk_store, "advance", advance)
    server.work()
    done = library.show(ada, operation)
    assert (done.state, done.changed) == (State.DONE, RECORDS)
    assert library.texts("City") == [["Brest"]] * RECORDS
    with server.services.database.read() as work:
        assert work.db.scalar(sa.select(sa.func.count()).select_from(record_changes)) == RECORDS, "each once"


def test_a_cancelled_operation_stops_and_can_be_taken_back(
    server: Server, library: Library, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "BATCH", 2)
    operation = library.begin(ada, library.edit("City", "Brest"))
    library.bulk.run_batch(operation.id)
    with pytest.raises(OperationOver):
        library.do(ada, library.bulk.begin_undo, operation.id)
    library.do(ada, library.bulk.cancel, operation.id)
    server.work()
    cancelled = library.show(ada, operation)
    assert (cancelled.state, cancelled.changed) == (State.CANCELLED, 2)
    assert library.outcomes(ada, operation) == ["changed"] * 2 + [None] * 5
    with pytest.raises(OperationOver):
        library.do(ada, library.bulk.cancel, operation.id)
    library.do(ada, library.bulk.begin_undo, operation.id)
    server.work()
    assert library.texts("City") == [[]] * RECORDS


def test_a_stopped_task_does_nothing_until_it_is_started(server: Server, library: Library, ada: User) -> None:
    number = next(task.number for task in TASKS if task.lane == BULK.lane)
    library.do(None, server.services.tasks.stop, number)
    operation = library.begin(ada, library.edit("City", "Brest"))
    server.work()
    assert library.show(ada, operation).state is State.WAITING
    library.do(None, server.services.tasks.start, number)
    server.work()
    assert library.show(ada, operation).state is State.DONE


def test_others_do_not_see_it(server: Server, library: Library, ada: User) -> None:
    operation = library.begin(ada, library.edit("City", "Brest"))
    root = server.user("root", is_admin=True)
    for call in (library.bulk.get, library.bulk.cancel, library.bulk.begin_undo):
        with pytest.raises(NoSuchOperation):
            library.do(root, call, operation.id)
    with pytest.raises(NoSuchOperation):
        library.do(root, library.bulk.items, operation.id, after=-1, limit=10)
    assert library.do(root, library.bulk.page, before=None, limit=10) == []
    assert [operation_.id for operation_ in library.do(ada, library.bulk.page, before=None, limit=10)] == [operation.id]


def test_what_cannot_be_is_refused_at_once(server: Server, library: Library, ada: User) -> None:
    edit = library.edit("City", "Brest")
    for change in (BulkChange(), BulkChange(fields=edit.fields, delete=True)):
        with pytest.raises(Invalid):
            library.begin(ada, change)
    long = library.edit("Keywords", *(f"{number}" + "x" * 1000 for number in range(70)))
    many = library.edit("Keywords", *(str(number) for number in range(101)))
    for change in (long, many):
        with pytest.raises(Invalid):
            library.begin(ada, change)
    with pytest.raises(Invalid):
        library.begin(ada, edit, [])
    with pytest.raises(Invalid):
        library.begin(ada, edit, [RecordKey(server.databox.id, number) for number in range(50_001)])
    reader = server.user("reader", READER)
    for change in (edit, BulkChange(delete=True), BulkChange(status={4: True})):
        with pytest.raises(MayNotChange):
            library.begin(reader, change)
    with server.services.database.write() as work:
        actor = library.actor(work, ada, scope=frozenset({"metadata:edit"}))
        with pytest.raises(MayNotChange):
            library.bulk.begin(work, actor, library.keys, BulkChange(delete=True))
    with server.services.database.read() as work:
        assert work.db.scalar(sa.select(sa.func.count()).select_from(bulk_items)) == 0
        assert work.db.scalar(sa.select(sa.func.count()).where(jobs.c.kind == BULK.name)) == 0


def test_a_record_that_is_named_twice_is_changed_once_and_nothing_new_is_unchanged(library: Library, ada: User) -> None:
    twice = library.run(ada, library.edit("City", "Brest"), [library.keys[0]] * 3)
    assert (twice.total, twice.changed) == (1, 1)
    again = library.run(ada, library.edit("City", "Brest"), library.keys[:2])
    assert library.outcomes(ada, again) == ["unchanged", "changed"]
    assert (again.changed, again.refused) == (1, 0)
    removed = library.run(ada, library.edit("City", "Brest", action=FieldAction.REMOVE))
    assert removed.changed == 2
    assert library.texts("City") == [[]] * RECORDS


def test_a_person_has_a_bounded_number_of_them_waiting(
    library: Library, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_UNFINISHED", 2)
    for _ in range(2):
        library.begin(ada, library.edit("City", "Brest"))
    with pytest.raises(TooManyOperations):
        library.begin(ada, library.edit("City", "Brest"))


def test_a_batch_takes_a_number_of_statements_that_does_not_grow_with_it(
    server: Server, library: Library, ada: User
) -> None:
    """Beside the two of each record for the index."""
    engine = server.services.database.engine

    def statements(records: int) -> int:
        operation = library.begin(ada, library.edit("City", f"Town {records}"), library.keys[:records])
        seen: list[str] = []

        def note(_db: Any, _cursor: Any, statement: str, *_more: Any) -> None:
            seen.append(statement)

        sa.event.listen(engine, "before_cursor_execute", note)
        library.bulk.run_batch(operation.id)
        sa.event.remove(engine, "before_cursor_execute", note)
        return len([statement for statement in seen if "jobs" not in statement])

    statements(RECORDS)  # all have a value then, which is replaced
    assert 0 < statements(1) == statements(RECORDS - 1) < 30


def test_a_move_to_where_records_are_already_does_not_tell_of_hidden_ones(server: Server, library: Library) -> None:
    """Hidden records that stay are refused like those that are not there."""
    guest = server.user("guest", {server.photographs.id: ALL_RIGHTS})
    server.regrant(guest, server.photographs, ALL_RIGHTS, mask_and=1 << 4, mask_xor=1 << 4)
    missing = RecordKey(server.databox.id, 999)
    moved = library.run(guest, BulkChange(collection=CollectionId(server.photographs.id)), [*library.keys, missing])
    assert library.outcomes(guest, moved) == ["no_such_record"] * (RECORDS + 1)


def test_an_operation_ends_with_a_scope_that_its_token_needs(server: Server, library: Library, ada: User) -> None:
    token, change = server.token(ada), library.edit("City", "Brest")
    with server.services.database.write() as work:
        actor = server.services.oauth.server.tokens.check(work, token).actor
        operation = library.bulk.begin(work, actor, library.keys, change)
        work.db.execute(access_tokens.update().values(scope=["library:read"]))
    server.work()
    assert library.show(None, operation).state is State.ENDED
    assert library.texts("City") == [[]] * RECORDS
