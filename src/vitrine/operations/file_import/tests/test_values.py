"""What CSV, sidecar and mapping say of a file becomes values of its record, on a first run and on later ones."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from vitrine.accounts import COMMAND, Actor, Right, Via
from vitrine.errors import Invalid
from vitrine.library import store
from vitrine.library.ingest import Ingest
from vitrine.library.model import CollectionId, RecordKey
from vitrine.library.tables import records
from vitrine.operations.file_import import FileImport, FileResult, FileState, Plan, files_in
from vitrine.operations.file_import.csv_rows import CsvFile
from vitrine.operations.file_import.listed import listed_files
from vitrine.operations.file_import.mapping_file import parse_mapping
from vitrine.testing import media_factory as make
from vitrine.testing.faults import InjectedFault
from vitrine.testing.server import Server

XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title><rdf:Alt><rdf:li xml:lang="x-default">'
    "{title}</rdf:li></rdf:Alt></dc:title><dc:subject><rdf:Bag><rdf:li>sea</rdf:li><rdf:li>boat</rdf:li></rdf:Bag>"
    "</dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "files"
    path.mkdir()
    return path


class World:
    def __init__(self, server: Server, folder: Path) -> None:
        library = server.services.library
        self.server, self.folder = server, folder
        self.imports = FileImport(server.services.database, library.ingest, library.quarantine, library.changes)
        self.plan = Plan(CollectionId(server.photographs.id))

    def sidecar(self, name: str, title: str = "From the sidecar") -> Path:
        path = self.folder / name
        path.write_text(XMP.format(title=title))
        return path

    def run(self, mapping: dict[str, Any] | None = None, *, actor: Actor = COMMAND, **plan: Any) -> list[FileResult]:
        parsed = parse_mapping(mapping or {})
        chosen = replace(self.plan, mapping=parsed, **plan)
        return list(self.imports.run(actor, files_in((self.folder,)), chosen))

    def rows(self, text: str, mapping: dict[str, Any] | None = None, **plan: Any) -> list[FileResult]:
        path = self.folder / "list.csv"
        path.write_text(text)
        table = CsvFile(path)
        try:
            with self.server.services.database.read() as work:
                fields = self.server.services.library.records.structure(work).fields[self.server.databox.id]
            parsed = parse_mapping(mapping or {}).with_columns(table.columns, fields)
            sources = listed_files(table, parsed.file_column(table.columns), self.folder, frozenset())
            return list(self.imports.run(COMMAND, sources, replace(self.plan, mapping=parsed, **plan)))
        finally:
            table.close()

    def values(self, key: RecordKey | None) -> dict[str, list[str]]:
        assert key is not None
        services = self.server.services
        with services.database.read() as work:
            record = services.library.records.get(work, COMMAND, key)
            structure = services.library.records.structure(work)
            values: dict[str, list[str]] = {}
            for value in store.values_of(work, [record.id])[record.id]:
                values.setdefault(structure.field_by_id[value.field_id].name, []).append(value.value)
        return values

    def count(self) -> int:
        with self.server.services.database.read() as work:
            return work.db.scalar(sa.select(sa.func.count()).select_from(records)) or 0


@pytest.fixture
def world(server: Server, folder: Path) -> World:
    return World(server, folder)


def test_a_sidecar_comes_before_what_is_embedded_and_the_mapping_before_both(world: World) -> None:
    make.jpeg(world.folder / "a.jpg")
    world.sidecar("a.jpg.xmp")
    (result,) = world.run({"fields": {"Title": {"value": "From the mapping"}}})
    assert (result.state, result.sidecar, result.warnings) == (FileState.ADDED, "a.jpg.xmp", ())
    values = world.values(result.record)
    assert values["Title"] == ["From the mapping"]
    assert values["Keywords"] == ["sea", "boat"]
    assert values["FileName"] == ["a.jpg"], "what nothing else is said of comes from the file"


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["a.xmp"], "a.xmp"),
        (["a.XMP"], "a.XMP"),
        (["A.jpg.Xmp"], "A.jpg.Xmp"),
        (["a.xmp", "a.jpg.xmp"], "a.jpg.xmp"),
        (["A.xmp", "a.xmp"], "a.xmp"),
        (["b.xmp", "a.png.xmp"], ""),
    ],
)
def test_the_sidecar_of_a_file(world: World, names: list[str], chosen: str) -> None:
    make.jpeg(world.folder / "a.jpg")
    for name in names:
        world.sidecar(name)
    results = {result.path.name: result for result in world.run()}
    assert results["a.jpg"].sidecar == chosen
    assert results["a.jpg"].state is FileState.ADDED
    others = [result for name, result in results.items() if name != "a.jpg"]
    assert all(result.state is FileState.REFUSED and "sidecar" in result.detail for result in others)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"no xml", b"<a>",
        b'<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;&c;</a' + b">" * 2,
        b"x" * (4 * 2**20 + 1),
    ],
    ids=["empty", "text", "open", "entities", "large"],
)  # fmt: skip
def test_a_sidecar_that_is_broken_costs_only_its_values(world: World, content: bytes) -> None:
    make.jpeg(world.folder / "a.jpg")
    (world.folder / "a.xmp").write_bytes(content)
    (result,) = world.run()
    assert result.state is FileState.ADDED
    assert result.needs_attention
    assert "the sidecar a.xmp is left out" in result.sentences


def test_entities_of_a_sidecar_are_not_resolved(world: World, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret words")
    make.jpeg(world.folder / "a.jpg")
    entity = f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{tmp_path}/secret">]>'
    (world.folder / "a.xmp").write_text(entity + XMP.format(title="&e;"))
    (result,) = world.run()
    assert "secret words" not in json.dumps(result.as_members())
    assert world.values(result.record).get("Title") is None


def test_a_link_is_no_sidecar(world: World, tmp_path: Path) -> None:
    make.jpeg(world.folder / "a.jpg")
    (tmp_path / "other.xmp").write_text(XMP.format(title="Elsewhere"))
    (world.folder / "a.xmp").symlink_to(tmp_path / "other.xmp")
    (result,) = world.run()
    assert result.state is FileState.ADDED
    assert result.record is not None
    assert "Title" not in world.values(result.record)


@pytest.mark.both_databases
def test_rows_give_values_and_say_what_they_do_not_find(world: World) -> None:
    for number, name in enumerate(("a.jpg", "b.jpg", "c.jpg")):
        make.jpeg(world.folder / name, seed=number)
    results = world.rows('file;Title;Keywords\na.jpg;One;sea\nx.jpg;;\n./a.jpg;Two;\n../a.jpg;;\nb.jpg;"Two\nlines";\n')
    assert [(result.state, result.line, result.path.name) for result in results] == [
        (FileState.ADDED, 2, "a.jpg"), (FileState.REFUSED, 3, "x.jpg"), (FileState.REFUSED, 4, "a.jpg"),
        (FileState.REFUSED, 5, "a.jpg"), (FileState.ADDED, 6, "b.jpg"), (FileState.UNLISTED, None, "c.jpg"),
    ]  # fmt: skip
    assert "no file x.jpg" in results[1].detail
    assert results[2].detail == "Line 4 names the same file as line 2, which counts."
    assert "outside" in results[3].detail
    assert world.values(results[0].record)["Title"] == ["One"]
    assert world.values(results[4].record)["Title"] == ["Two\nlines"]
    assert world.count() == 2


def test_rows_reach_no_link_and_nothing_outside(world: World, tmp_path: Path) -> None:
    make.jpeg(tmp_path / "secret.jpg")
    (world.folder / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (world.folder / "way").symlink_to(tmp_path)
    names = ("link.jpg", "way/secret.jpg", str(tmp_path / "secret.jpg"), "../secret.jpg", ".", "")
    results = world.rows("file,Title\n" + "".join(f'"{name}",x\n' for name in names))
    assert [result.state for result in results] == [FileState.REFUSED] * len(names)
    assert world.count() == 0


def test_a_name_may_be_written_with_backslashes_and_composed_otherwise(world: World) -> None:
    (world.folder / "é").mkdir()
    make.jpeg(world.folder / "é" / "a.jpg")
    (result,) = world.rows("file,Title\ne\u0301\\a.jpg,One\n")
    assert result.state is FileState.ADDED


@pytest.mark.both_databases
def test_values_reach_a_record_that_exists_only_with_update(world: World) -> None:
    make.jpeg(world.folder / "a.jpg")
    (added,) = world.rows("file,Title\na.jpg,First\n")
    (known,) = world.rows("file,Title\na.jpg,Second\n")
    assert (known.state, known.record) == (FileState.EXISTS, added.record)
    assert world.values(added.record)["Title"] == ["First"]
    (foreseen,) = world.rows("file,Title\na.jpg,Second\n", updates=True, is_dry=True)
    assert foreseen.state is FileState.UPDATED
    assert world.values(added.record)["Title"] == ["First"], "a dry run changes nothing"
    (updated,) = world.rows("file,Title\na.jpg,Second\n", updates=True)
    assert (updated.state, updated.record) == (FileState.UPDATED, added.record)
    assert world.values(added.record)["Title"] == ["Second"]
    (again,) = world.rows("file,Title\na.jpg,Second\n", updates=True)
    assert again.state is FileState.EXISTS, "nothing was left to do"
    (empty,) = world.rows("file,Title\na.jpg,\n", updates=True)
    assert empty.state is FileState.EXISTS, "an empty cell says nothing"
    assert world.values(added.record)["Title"] == ["Second"]


def test_who_may_not_change_the_record_is_refused(world: World) -> None:
    make.jpeg(world.folder / "a.jpg")
    (added,) = world.run()
    adder = world.server.user("bob", Right.actif | Right.canaddrecord)
    with world.server.services.database.read() as work:
        actor = world.server.services.accounts.users.actor_of(work, adder, Via.SESSION)
    (refused,) = world.run({"fields": {"Title": {"value": "x"}}}, actor=actor, updates=True)
    assert refused.state is FileState.REFUSED
    assert "Title" not in world.values(added.record)


def test_status_bits_and_collection_come_from_the_mapping(world: World) -> None:
    make.jpeg(world.folder / "a.jpg")
    with world.server.services.database.write() as work:
        bits = world.server.services.library.administration.status_bits
        bits.define(work, COMMAND, world.server.databox.id, 4, {"label_on": "shown", "label_off": "hidden"})
    (world.folder / "Archive").mkdir()
    make.jpeg(world.folder / "Archive" / "b.jpg", seed=2)
    plain, archived = world.run(
        {"status": {"4": True}, "path": {"folders": "{collection}"}, "collection": {"path": "collection"}}
    )
    assert (plain.base_id, archived.base_id) == (world.server.photographs.id, world.server.archive.id)
    services = world.server.services
    with services.database.read() as work:
        assert archived.record is not None
        assert services.library.records.get(work, COMMAND, archived.record).status & 16


def test_a_dry_run_says_what_would_happen_and_changes_nothing(world: World) -> None:
    make.jpeg(world.folder / "a.jpg")
    (known,) = world.run()
    make.jpeg(world.folder / "b.jpg", seed=2)
    (world.folder / "c.jpg").write_bytes((world.folder / "b.jpg").read_bytes())
    (world.folder / "d.jpg").write_bytes(b"")
    make.jpeg(world.folder / "small.jpg", 40, 30, seed=3)
    with world.server.services.database.write() as work:
        world.server.services.library.quarantine.set_policy(work, COMMAND, {"Dimension": {"on": True, "width": 80}})
    before = sorted(path.name for path in (world.server.settings.data_dir / "blobs").rglob("*") if path.is_file())
    there, added, twin, empty, small = world.run({"fields": {"Title": {"value": "T"}}}, is_dry=True)
    assert (there.state, there.record) == (FileState.EXISTS, known.record)
    assert (added.state, added.record, added.values) == (FileState.ADDED, None, {"Title": ["T"]})
    assert (twin.state, "same file as" in twin.detail) == (FileState.EXISTS, True)
    assert empty.state is FileState.REFUSED
    assert (small.state, small.detail) == (FileState.QUARANTINED, "in the quarantine: Dimension")
    assert world.count() == 1
    after = sorted(path.name for path in (world.server.settings.data_dir / "blobs").rglob("*") if path.is_file())
    assert after == before


@pytest.mark.both_databases
def test_the_quarantine_keeps_the_values_for_the_record(world: World) -> None:
    make.jpeg(world.folder / "small.jpg", 40, 30)
    quarantine, database = world.server.services.library.quarantine, world.server.services.database
    with database.write() as work:
        quarantine.set_policy(work, COMMAND, {"Dimension": {"on": True, "width": 80}})
    (waiting,) = world.run({"fields": {"Title": {"value": "Kept"}}})
    assert (waiting.state, waiting.record) == (FileState.QUARANTINED, None)
    assert waiting.item is not None
    with database.read() as work:
        arrival = quarantine.arrival(quarantine.get(work, COMMAND, waiting.item).item)
    with database.write() as work:
        key = quarantine.accept(work, COMMAND, waiting.item, arrival)
    assert world.values(key)["Title"] == ["Kept"]


def test_a_file_whose_values_cannot_be_used_is_refused_whole(world: World) -> None:
    make.jpeg(world.folder / "a.jpg")
    mapping = {"fields": {"Date": {"column": "d", "formats": ["%d/%m/%Y"]}}}
    (refused,) = world.rows("file,d\na.jpg,soon\n", mapping)
    assert (refused.state, "fits none of" in refused.detail) == (FileState.REFUSED, True)
    assert world.count() == 0
    (added,) = world.rows("file,d\na.jpg,14/07/2009\n", mapping)
    assert world.values(added.record)["Date"] == ["2009-07-14"]


def test_an_import_without_any_collection_is_refused_at_once(world: World) -> None:
    make.jpeg(world.folder / "a.jpg")
    with pytest.raises(Invalid, match="Name the collection"):
        world.run(into=None)


STEPS = ("take", "permit", "add", "commit")


@pytest.mark.parametrize("step", STEPS)
def test_an_import_that_was_killed_goes_on_where_it_was(
    world: World, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is doubled and nothing lost, wherever it died: before or after the bytes are stored, in the middle of
    the transaction, or after its commit with the report unwritten."""
    for number, name in enumerate(("a.jpg", "b.jpg", "c.jpg")):
        make.jpeg(world.folder / name, seed=number)
    text = "file,Title\na.jpg,A\nb.jpg,B\nc.jpg,C\n"
    calls = 0

    def dying(original: Any, *, is_after: bool) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            answer = original(*arguments, **options) if calls != 2 or is_after else None
            if calls == 2:
                raise InjectedFault
            return answer

        return call

    with monkeypatch.context() as patched:
        if step == "commit":
            patched.setattr(FileImport, "add", dying(FileImport.add, is_after=True))
        else:
            patched.setattr(Ingest, step, dying(getattr(Ingest, step), is_after=True))
        with pytest.raises(InjectedFault):
            world.rows(text)
    results = world.rows(text)
    assert world.count() == 3
    assert {result.state for result in results} <= {FileState.ADDED, FileState.EXISTS}
    assert [world.values(result.record)["Title"] for result in results] == [["A"], ["B"], ["C"]]
