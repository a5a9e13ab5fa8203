"""The history of a record and taking changes back (06 §17.7: each with the right on the very record)."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from vitrine.accounts import COMMAND, Actor, Right, User, Via
from vitrine.accounts.rights import ALL_RIGHTS, READER
from vitrine.errors import DomainError
from vitrine.library import journal, store, structure_store, version_store
from vitrine.library.errors import (
    ChangedMeanwhile,
    ChangedSince,
    MayNotAdd,
    MayNotChange,
    MayNotReplace,
    MayNotSee,
    NoSuchChange,
    NoSuchRecord,
    NoSuchVersion,
    NotUndoable,
)
from vitrine.library.history import MOST_SHOWN, HistoryEntry
from vitrine.library.model import CollectionId, FieldId, RecordKey
from vitrine.library.sweep import Sweeper
from vitrine.library.tables import record_changes
from vitrine.library.value_edits import FieldChange
from vitrine.platform.expiry import delete_expired
from vitrine.testing import media_factory as make
from vitrine.testing.server import Server


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada")


@pytest.fixture
def key(server: Server, ada: User, tmp_path: Path) -> RecordKey:
    with server.services.database.write() as work:
        for bit in (4, 5):
            names = {"label_on": "On", "label_off": "Off", "labels_on": {}, "labels_off": {}}
            structure_store.add_status_bit(work, server.databox.id, {"bit": bit, **names})
        structure_store.increase_version(work)
    return server.add(make.jpeg(tmp_path / "harbour.jpg", 600, 400), ada)


class Editor:
    """A person who changes records, each time in a transaction of its own."""

    def __init__(self, server: Server, user: User | None) -> None:
        self.server, self.user = server, user
        self.library = server.services.library

    def actor(self, work: Any) -> Actor:
        people = self.server.services.accounts.users
        return COMMAND if self.user is None else people.actor_of(work, people.get(work, self.user.id), Via.SESSION)

    def do(self, call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        with self.server.services.database.write() as work:
            return call(work, self.actor(work), *arguments, **named)

    def field(self, name: str) -> FieldId:
        with self.server.services.database.read() as work:
            fields = self.library.records.structure(work).fields[self.server.databox.id]
            return next(field.id for field in fields if field.name == name)

    def set(self, key: RecordKey, **values: str) -> None:
        changes = [FieldChange(self.field(name), None, text) for name, text in values.items()]
        self.do(self.library.changes.set_values, key, changes)

    def texts(self, key: RecordKey, name: str) -> list[str]:
        with self.server.services.database.read() as work:
            record = self.library.records.get(work, COMMAND, key)
            field_id = self.field_id(work, name)
            return [
                value.value for value in store.values_of(work, [record.id])[record.id] if value.field_id == field_id
            ]

    def field_id(self, work: Any, name: str) -> FieldId:
        fields = self.library.records.structure(work).fields[self.server.databox.id]
        return next(field.id for field in fields if field.name == name)

    def history(self, key: RecordKey, **named: Any) -> list[HistoryEntry]:
        entries: list[HistoryEntry] = self.do(self.library.history.page, key, **named)
        return entries

    def undo(self, key: RecordKey, entry: HistoryEntry) -> None:
        self.do(self.library.history.undo, key, entry.change.id)


@pytest.fixture
def editor(server: Server, ada: User) -> Editor:
    return Editor(server, ada)


@pytest.mark.both_databases
def test_a_change_says_who_when_before_and_after(editor: Editor, ada: User, key: RecordKey) -> None:
    editor.set(key, City="Brest", Keywords="harbour")
    editor.set(key, City="Nantes")
    (second, first) = editor.history(key)
    city, words = str(editor.field("City")), str(editor.field("Keywords"))
    assert (first.change.before, first.change.after) == ({city: [], words: []}, {city: ["Brest"], words: ["harbour"]})
    assert (second.change.before, second.change.after) == ({city: ["Brest"]}, {city: ["Nantes"]})
    assert (second.change.kind, second.change.user_id, second.change.application_id) == ("fields", ada.id, None)
    assert not second.is_undone


def test_a_change_that_changes_nothing_is_no_entry(editor: Editor, key: RecordKey) -> None:
    editor.set(key, City="Brest")
    editor.set(key, City="Brest")
    editor.do(editor.library.changes.set_status, key, {4: False})
    editor.do(editor.library.changes.move, key, editor.server.photographs.id)
    assert len(editor.history(key)) == 1


def test_the_application_is_in_it(server: Server, ada: User, key: RecordKey, editor: Editor) -> None:
    registered = server.register(ada)
    path = f"/api/v1/records/{key.databox}/{key.number}/setstatus/"
    assert server.call("POST", path, registered.developer_token, data={"status[4]": "1"}).status_code == 200
    (entry,) = editor.history(key)
    assert (entry.change.kind, entry.change.before, entry.change.after) == ("status", {"4": False}, {"4": True})
    assert entry.change.application_id == registered.application.id


@pytest.mark.both_databases
def test_each_kind_is_taken_back_and_that_is_an_entry_too(editor: Editor, key: RecordKey, tmp_path: Path) -> None:
    library, server = editor.library, editor.server
    new = library.ingest.take(make.jpeg(tmp_path / "quay.jpg", 320, 200, seed=3), "quay.jpg")
    editor.set(key, City="Brest", Keywords="one")
    editor.do(library.changes.set_status, key, {4: True, 5: True})
    editor.do(library.changes.move, key, CollectionId(server.archive.id))
    editor.do(library.originals.correct_type, key, mime="image/png")
    editor.do(library.originals.rotate, key, 90)
    with server.services.database.read() as work:
        before = library.records.get(work, COMMAND, key)
    editor.do(library.substitution.replace_original, key, new)
    entries = editor.history(key)
    assert [entry.change.kind for entry in entries] == [
        "original", "rotation", "type", "collection", "status", "fields",
    ]  # fmt: skip
    for entry in entries:
        editor.undo(key, entry)
    with server.services.database.read() as work:
        record = library.records.get(work, COMMAND, key)
        rotation = library.originals.rotation(work, COMMAND, key)
    assert (record.sha256, record.original_name) == (before.sha256, "harbour.jpg")
    assert (record.mime, record.kind, rotation, record.status) == ("image/jpeg", "image", 0, 0)
    assert (record.collection_id, record.title) == (server.photographs.id, "harbour.jpg")
    assert editor.texts(key, "City") == editor.texts(key, "Keywords") == []
    after = editor.history(key)
    assert len(after) == 12
    assert [entry.is_undone for entry in after] == [False] * 6 + [True] * 6
    assert [entry.change.undoes_id for entry in after[:6]] == [entry.change.id for entry in reversed(entries)]


def test_a_restored_record_has_no_status_bit_that_was_removed_since(editor: Editor, key: RecordKey) -> None:
    editor.do(editor.library.changes.set_status, key, {4: True, 5: True})
    editor.do(editor.library.removal.remove, key)
    with editor.server.services.database.write() as work:
        structure_store.delete_status_bit(work, editor.server.databox.id, 5)
        structure_store.increase_version(work)
    Editor(editor.server, None).do(editor.library.removal.restore, key)
    with editor.server.services.database.read() as work:
        record = store.by_key(work, key)
    assert record is not None
    assert record.status == 1 << 4


def test_what_was_changed_since_is_named_and_nothing_is_changed(editor: Editor, key: RecordKey, tmp_path: Path) -> None:
    library = editor.library
    editor.set(key, City="Brest", Country="France")
    (fields,) = editor.history(key)
    editor.set(key, City="Nantes")
    editor.do(library.changes.set_status, key, {4: True, 5: True})
    status = editor.history(key)[0]
    editor.do(library.changes.set_status, key, {5: False})
    editor.do(library.changes.move, key, editor.server.archive.id)
    moved = editor.history(key)[0]
    editor.do(library.changes.move, key, editor.server.photographs.id)
    for entry, named in ((fields, "City"), (status, "status[5]"), (moved, "base_id")):
        with pytest.raises(ChangedSince) as refusal:
            editor.undo(key, entry)
        assert refusal.value.field == named
        assert named in refusal.value.detail
    assert editor.texts(key, "Country") == ["France"]
    new = library.ingest.take(make.jpeg(tmp_path / "quay.jpg", 320, 200, seed=3), "quay.jpg")
    editor.do(library.originals.rotate, key, 90)
    turned = editor.history(key)[0]
    editor.do(library.substitution.replace_original, key, new)
    with pytest.raises(ChangedSince):
        editor.undo(key, turned)


def test_a_change_is_taken_back_once(editor: Editor, key: RecordKey) -> None:
    editor.set(key, City="Brest")
    (entry,) = editor.history(key)
    editor.undo(key, entry)
    with pytest.raises(ChangedSince):
        editor.undo(key, entry)
    editor.undo(key, editor.history(key)[0])
    assert editor.texts(key, "City") == ["Brest"], "the taking back is taken back"


def test_several_values_come_back_in_their_order(editor: Editor, key: RecordKey) -> None:
    words = editor.field("Keywords")
    for text in ("a", "b", "c"):
        editor.do(editor.library.changes.set_values, key, [FieldChange(words, None, text)])
    with editor.server.services.database.read() as work:
        record = editor.library.records.get(work, COMMAND, key)
        ids = {
            value.value: value.id for value in store.values_of(work, [record.id])[record.id] if value.field_id == words
        }
    editor.do(editor.library.changes.set_values, key, [FieldChange(words, ids["a"], "")])
    editor.undo(key, editor.history(key)[0])
    assert editor.texts(key, "Keywords") == ["a", "b", "c"]


@pytest.mark.parametrize("right", [Right.canmodifrecord, Right.actif])
def test_the_history_is_for_who_may_edit_the_record_and_sees_it(
    editor: Editor, key: RecordKey, right: Right, server: Server
) -> None:
    editor.set(key, City="Brest")
    (entry,) = editor.history(key)
    other = Editor(server, server.user("other", {server.photographs.id: ALL_RIGHTS & ~right}))
    elsewhere = Editor(server, server.user("elsewhere", {server.archive.id: ALL_RIGHTS}))
    masked = server.user("masked")
    server.regrant(masked, server.photographs, ALL_RIGHTS, mask_and=1 << 4, mask_xor=1 << 4)
    for stranger in (other, elsewhere, Editor(server, masked)):
        with pytest.raises(MayNotSee):
            stranger.history(key)
        for number in (entry.change.id, 999):
            with pytest.raises(MayNotSee):
                stranger.do(stranger.library.history.undo, key, number)
    assert editor.texts(key, "City") == ["Brest"]


def test_taking_back_asks_the_right_of_the_change_on_the_record_as_it_is_now(
    editor: Editor, key: RecordKey, server: Server, tmp_path: Path
) -> None:
    library = editor.library
    editor.do(library.changes.set_status, key, {4: True})
    editor.do(library.changes.move, key, server.archive.id)
    new = library.ingest.take(make.jpeg(tmp_path / "quay.jpg", 320, 200, seed=3), "quay.jpg")
    editor.do(library.substitution.replace_original, key, new)
    replaced, moved, status = editor.history(key)
    limited = Editor(server, server.user("limited", READER | Right.canmodifrecord))
    for entry, refusal in ((status, MayNotChange), (moved, MayNotChange), (replaced, MayNotReplace)):
        with pytest.raises(refusal):
            limited.undo(key, entry)
    mover = server.user("mover", READER | Right.canmodifrecord | Right.candeleterecord)
    with pytest.raises(MayNotAdd):
        Editor(server, mover).undo(key, moved)


def test_a_number_of_another_record_is_unknown(editor: Editor, key: RecordKey, ada: User, tmp_path: Path) -> None:
    other = editor.server.add(make.jpeg(tmp_path / "other.jpg", 300, 200, seed=9), ada)
    editor.set(other, City="Brest")
    (entry,) = editor.history(other)
    for number in (entry.change.id, 0, 2**62):
        with pytest.raises(NoSuchChange):
            editor.do(editor.library.history.undo, key, number)
    with pytest.raises(NoSuchRecord):
        editor.history(RecordKey(key.databox, 999))


@pytest.mark.both_databases
def test_two_who_take_back_the_same_change_at_once(editor: Editor, key: RecordKey) -> None:
    editor.set(key, City="Brest")
    (entry,) = editor.history(key)
    outcomes: list[str] = []
    barrier = threading.Barrier(4)

    def undo() -> None:
        barrier.wait()
        try:
            editor.undo(key, entry)
            outcomes.append("undone")
        except DomainError as refusal:
            outcomes.append(refusal.code)
        finally:
            editor.server.services.database.release_thread()

    threads = [threading.Thread(target=undo) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["changed_since"] * 3 + ["undone"]
    assert len(editor.history(key)) == 2


@pytest.mark.both_databases
def test_a_deletion_is_taken_back_by_who_might_do_both(editor: Editor, key: RecordKey, server: Server) -> None:
    editor.set(key, City="Brest")
    editor.do(editor.library.removal.remove, key)
    with pytest.raises(NoSuchRecord):
        editor.history(key)
    root = Editor(server, server.user("root", ALL_RIGHTS, is_admin=True))
    (deleted, _) = root.history(key)
    assert deleted.change.kind == "deletion"
    for rights in (ALL_RIGHTS & ~Right.candeleterecord, ALL_RIGHTS & ~Right.canaddrecord, READER):
        other = Editor(server, server.user(f"other{int(rights)}", rights))
        with pytest.raises(MayNotSee):
            other.undo(key, deleted)
    editor.undo(key, deleted)
    assert editor.texts(key, "City") == ["Brest"]
    assert [entry.change.kind for entry in editor.history(key)] == ["restoration", "deletion", "fields"]
    with pytest.raises(ChangedSince):
        editor.undo(key, deleted)


def test_a_person_who_goes_leaves_the_entry_without_the_name(editor: Editor, key: RecordKey, ada: User) -> None:
    editor.set(key, City="Brest")
    with editor.server.services.database.write() as work:
        work.db.exec_driver_sql(f"DELETE FROM users WHERE id = {ada.id}")
    (entry,) = Editor(editor.server, None).history(key)
    assert (entry.change.user_id, entry.change.after) == (None, {str(editor.field("City")): ["Brest"]})


def test_long_texts_are_shortened_and_then_not_taken_back(editor: Editor, key: RecordKey) -> None:
    words = editor.field("Keywords")
    changes = [FieldChange(words, None, f"{place} " + "x" * 30_000) for place in range(5)]
    editor.do(editor.library.changes.set_values, key, changes)
    (entry,) = editor.history(key)
    assert entry.change.is_cut
    assert len(repr(entry.change.after)) < journal.MOST_BYTES
    with pytest.raises(NotUndoable):
        editor.undo(key, entry)
    assert len(editor.texts(key, "Keywords")) == 5


def test_it_is_paged_and_bounded(editor: Editor, key: RecordKey) -> None:
    for place in range(6):
        editor.set(key, City=f"Town {place}")
    newest = editor.history(key, limit=2)
    older = editor.history(key, before=newest[-1].change.id, limit=2)
    ids = [entry.change.id for entry in (*newest, *older)]
    assert ids == sorted(ids, reverse=True)
    assert len(set(ids)) == 4
    assert len(editor.history(key, limit=10**9)) == 6


@pytest.mark.both_databases
def test_what_is_older_than_the_setting_goes(editor: Editor, key: RecordKey) -> None:
    editor.set(key, City="Brest")
    editor.set(key, City="Nantes")
    with editor.server.services.database.write() as work:
        oldest = sa.select(sa.func.min(record_changes.c.id)).scalar_subquery()
        work.db.execute(
            record_changes.update().where(record_changes.c.id == oldest).values(at=work.now - timedelta(days=10))
        )
    assert delete_expired(editor.server.services.database, journal.expiry(timedelta(days=9)), threading.Event()) == 1
    assert [entry.change.after for entry in editor.history(key)] == [{str(editor.field("City")): ["Nantes"]}]


@pytest.mark.both_databases
def test_an_edit_of_what_somebody_else_changed_is_refused_where_the_caller_says_what_he_saw(
    editor: Editor, key: RecordKey
) -> None:
    with editor.server.services.database.read() as work:
        seen = editor.library.records.get(work, COMMAND, key).updated
    change = [FieldChange(editor.field("City"), None, "Brest")]
    editor.do(editor.library.changes.set_values, key, change, expected=seen)
    for call, argument in (
        (editor.library.changes.set_values, change), (editor.library.changes.set_status, {4: True}),
        (editor.library.changes.move, editor.server.archive.id), (editor.library.originals.rotate, 90),
    ):  # fmt: skip
        with pytest.raises(ChangedMeanwhile):
            editor.do(call, key, argument, expected=seen)
    assert len(editor.history(key)) == 1


class TestCopy:
    def test_values_are_copied_and_written_down(
        self, editor: Editor, key: RecordKey, ada: User, tmp_path: Path
    ) -> None:
        other = editor.server.add(make.jpeg(tmp_path / "other.jpg", 300, 200, seed=9), ada)
        editor.set(key, City="Brest", Country="France")
        editor.set(other, City="Nantes")
        editor.do(editor.library.changes.copy_values, key, other, [editor.field("City"), editor.field("Country")])
        assert (editor.texts(other, "City"), editor.texts(other, "Country")) == (["Brest"], ["France"])
        editor.undo(other, editor.history(other)[0])
        assert (editor.texts(other, "City"), editor.texts(other, "Country")) == (["Nantes"], [])

    def test_it_asks_for_sight_of_one_and_the_right_on_the_other(
        self, editor: Editor, key: RecordKey, server: Server, tmp_path: Path
    ) -> None:
        hidden = server.add(make.jpeg(tmp_path / "other.jpg", 300, 200, seed=9), editor.user or server.user("x"))
        editor.do(editor.library.changes.move, hidden, server.archive.id)
        city = [editor.field("City")]
        blind = Editor(server, server.user("blind", {server.photographs.id: ALL_RIGHTS}))
        with pytest.raises(MayNotSee):
            blind.do(blind.library.changes.copy_values, hidden, key, city)
        reader = Editor(server, server.user("reader", READER))
        with pytest.raises(MayNotChange):
            reader.do(reader.library.changes.copy_values, hidden, key, city)


class TestVersions:
    def replace(self, editor: Editor, key: RecordKey, tmp_path: Path, seed: int) -> str:
        arrival = editor.library.ingest.take(
            make.jpeg(tmp_path / f"new{seed}.jpg", 320, 200, seed=seed), f"new{seed}.jpg"
        )
        editor.do(editor.library.substitution.replace_original, key, arrival)
        return arrival.sha256

    @pytest.mark.both_databases
    def test_earlier_originals_are_listed_and_restored(self, editor: Editor, key: RecordKey, tmp_path: Path) -> None:
        substitution, server = editor.library.substitution, editor.server
        second = self.replace(editor, key, tmp_path, 1)
        self.replace(editor, key, tmp_path, 2)
        versions = editor.do(substitution.versions, key)
        assert [(version.name, version.mime) for version in versions] == [
            ("new1.jpg", "image/jpeg"), ("harbour.jpg", "image/jpeg"),
        ]  # fmt: skip
        assert versions[0].sha256 == second
        editor.do(substitution.restore_version, key, versions[1].id)
        server.work()
        with server.services.database.read() as work:
            record = editor.library.records.get(work, COMMAND, key)
            renditions = store.renditions_of(work, [record.id])[record.id]
        assert (record.original_name, record.width, record.height) == ("harbour.jpg", 600, 400)
        assert {rendition.state for rendition in renditions} == {"ready"}
        assert [version.name for version in editor.do(substitution.versions, key)] == ["new2.jpg", "new1.jpg"]
        with pytest.raises(NoSuchVersion):
            editor.do(substitution.restore_version, key, versions[1].id)

    def test_they_are_for_who_may_have_the_original(self, editor: Editor, key: RecordKey, tmp_path: Path) -> None:
        self.replace(editor, key, tmp_path, 1)
        (version,) = editor.do(editor.library.substitution.versions, key)
        without = Editor(editor.server, editor.server.user("without", ALL_RIGHTS & ~Right.candwnldhd))
        with pytest.raises(MayNotSee):
            without.do(without.library.substitution.versions, key)
        with pytest.raises(MayNotSee):
            without.do(without.library.substitution.version_file, key, version.id)
        no_tools = Editor(editor.server, editor.server.user("no-tools", ALL_RIGHTS & ~Right.imgtools))
        with pytest.raises(MayNotReplace):
            no_tools.do(no_tools.library.substitution.restore_version, key, version.id)

    def test_the_same_file_again_is_no_version_and_they_are_bounded(
        self, editor: Editor, key: RecordKey, tmp_path: Path
    ) -> None:
        for seed in (1, 1):
            self.replace(editor, key, tmp_path, seed)
        assert len(editor.do(editor.library.substitution.versions, key)) == 1
        for seed in range(2, 24):
            self.replace(editor, key, tmp_path, seed)
        assert len(editor.do(editor.library.substitution.versions, key)) == 20

    @pytest.mark.both_databases
    def test_the_sweep_leaves_their_bytes_until_their_time_is_over(
        self, editor: Editor, key: RecordKey, tmp_path: Path
    ) -> None:
        database, media = editor.server.services.database, editor.server.services.media
        with database.read() as work:
            first = editor.library.records.get(work, COMMAND, key).sha256
        assert first is not None
        self.replace(editor, key, tmp_path, 1)
        editor.server.work()
        Sweeper(database, media).sweep(timedelta(0))
        assert first in {blob.sha256 for blob in media.store.listing()}
        assert delete_expired(database, version_store.expiry(timedelta(0)), threading.Event()) == 1
        Sweeper(database, media).sweep(timedelta(0))
        assert first not in {blob.sha256 for blob in media.store.listing()}

    def test_a_deleted_record_comes_back_with_them(self, editor: Editor, key: RecordKey, tmp_path: Path) -> None:
        self.replace(editor, key, tmp_path, 1)
        editor.do(editor.library.removal.remove, key)
        Editor(editor.server, None).do(editor.library.removal.restore, key)
        assert [version.name for version in editor.do(editor.library.substitution.versions, key)] == ["harbour.jpg"]


class TestRotation:
    def test_renditions_turn_and_the_original_stays(self, editor: Editor, key: RecordKey) -> None:
        server, library = editor.server, editor.library

        def sizes() -> dict[str, tuple[int, int, str | None]]:
            with server.services.database.read() as work:
                record = library.records.get(work, COMMAND, key)
                renditions = store.renditions_of(work, [record.id])[record.id]
            return {file.name: (file.width, file.height, file.sha256) for file in renditions}

        before = sizes()
        assert before["thumbnail"][:2] == (384, 256)
        editor.do(library.originals.rotate, key, -90)
        server.work()
        after = sizes()
        assert after["thumbnail"][:2] == (256, 384)
        assert after["document"] == before["document"]
        editor.do(library.originals.rotate, key, 90)
        server.work()
        assert sizes()["thumbnail"] == before["thumbnail"], "nothing was lost on the way"

    def test_it_asks_for_imgtools_on_the_record_and_an_angle(self, editor: Editor, key: RecordKey) -> None:
        without = Editor(editor.server, editor.server.user("without", ALL_RIGHTS & ~Right.imgtools))
        with pytest.raises(MayNotChange):
            without.do(without.library.originals.rotate, key, 90)
        for degrees in (45, 1, 89):
            with pytest.raises(DomainError):
                editor.do(editor.library.originals.rotate, key, degrees)
        editor.do(editor.library.originals.rotate, key, 360)
        assert editor.history(key) == []


class TestType:
    def test_a_type_is_corrected_and_renditions_are_made_anew(self, editor: Editor, key: RecordKey) -> None:
        record = editor.do(editor.library.originals.correct_type, key, mime="Application/PDF")
        assert (record.kind, record.mime) == ("document", "application/pdf")
        with editor.server.services.database.read() as work:
            renditions = store.renditions_of(work, [record.id])[record.id]
        assert {file.name for file in renditions} == {"document", "preview", "thumbnail"}
        record = editor.do(editor.library.originals.correct_type, key, kind="unknown")
        assert (record.kind, record.mime) == ("unknown", "application/pdf")

    def test_only_known_types_and_kinds_with_the_right(self, editor: Editor, key: RecordKey) -> None:
        for named in ({"mime": "text"}, {"mime": "x/y; charset=z"}, {"mime": ""}, {"kind": "story"}):
            with pytest.raises(DomainError):
                editor.do(editor.library.originals.correct_type, key, **named)
        without = Editor(editor.server, editor.server.user("without", ALL_RIGHTS & ~Right.canmodifrecord))
        with pytest.raises(MayNotChange):
            without.do(without.library.originals.correct_type, key, mime="image/png")
        assert editor.history(key) == []


def test_a_full_page_tells_that_there_is_more(server: Server, editor: Editor, key: RecordKey) -> None:
    entry = journal.Entry(key, journal.ChangeKind.STATUS, {"4": False}, {"4": True})
    with server.services.database.write() as work:
        journal.write(work, COMMAND, [entry] * (MOST_SHOWN + 2))
    assert len(editor.history(key, limit=MOST_SHOWN + 1)) == MOST_SHOWN + 1
    assert len(editor.history(key, limit=10_000)) == MOST_SHOWN + 1


def test_the_history_of_a_deleted_record_asks_for_the_right_where_it_was(
    server: Server, editor: Editor, key: RecordKey
) -> None:
    """06 §17.3: an administrator has no right on records by that alone."""
    editor.set(key, City="Brest")
    editor.do(server.services.library.removal.remove, key)
    elsewhere: dict[int, Right] = {server.archive.id: ALL_RIGHTS}
    for login, rights in (("bare", None), ("reading", READER), ("elsewhere", elsewhere)):
        with pytest.raises(NoSuchRecord):
            Editor(server, server.user(login, rights, is_admin=True)).history(key)
    assert len(Editor(server, server.user("root", is_admin=True)).history(key)) == 2
