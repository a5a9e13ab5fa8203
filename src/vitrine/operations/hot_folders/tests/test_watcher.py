"""Files of hot folders become records once, whatever happens in between."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from vitrine.accounts import COMMAND, Via
from vitrine.errors import Unavailable
from vitrine.jobs import store as job_store
from vitrine.jobs import task_store
from vitrine.jobs.tables import workers
from vitrine.jobs.tasks import HOT_FOLDERS
from vitrine.library import structure_store
from vitrine.library.errors import MayNotAdd
from vitrine.library.hot_folders import HotFolder
from vitrine.library.ingest import Ingest
from vitrine.library.tables import collections, field_values, records
from vitrine.operations.file_import import FileImport
from vitrine.operations.hot_folders import Watcher
from vitrine.operations.hot_folders.tree import Tree
from vitrine.testing import media_factory as make
from vitrine.testing.faults import InjectedFault
from vitrine.testing.server import Server

XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:City="Brest"/></rdf:RDF>'
    "</x:xmpmeta>"
)


class World:
    """A hot folder with a marker, and a worker that looks at it."""

    def __init__(self, server: Server) -> None:
        self.path = Path(server.settings.hot_folder_roots[0]) / "press"
        self.path.mkdir(parents=True)
        (self.path / ".vitrine").touch()
        self.server = server
        self.hot_folder = self.add(self.path)
        self.watcher = self.worker("a")

    def add(self, path: Path, **values: Any) -> HotFolder:
        given = {"path": str(path), "collection_id": int(self.server.photographs.id), **values}
        with self.server.services.database.write() as work:
            return self.server.services.hot_folders.add(work, COMMAND, given)

    def change(self, **values: Any) -> None:
        with self.server.services.database.write() as work:
            self.server.services.hot_folders.change(work, COMMAND, self.hot_folder.id, values)

    def worker(self, name: str) -> Watcher:
        owner = f"machine:{name}:1"
        self.show_itself(owner)
        services, library = self.server.services, self.server.services.library
        files = FileImport(services.database, library.ingest, library.quarantine, library.changes)
        return Watcher(services.database, files, services.hot_folders, services.settings.hot_folder_roots, 10, owner)

    def show_itself(self, owner: str, ago: timedelta = timedelta()) -> None:
        with self.server.services.database.write() as work:
            job_store.record_heartbeat(work, owner, work.now)
            work.db.execute(workers.update().where(workers.c.owner == owner).values(seen=work.now - ago))

    def put(self, name: str = "a.jpg", seed: int = 0) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return make.jpeg(path, seed=seed)

    def looks(self, count: int = 2, watcher: Watcher | None = None) -> int:
        return sum((watcher or self.watcher).look() for _ in range(count))

    def names(self) -> list[str]:
        with self.server.services.database.read() as work:
            return sorted(work.db.scalars(sa.select(records.c.original_name)))

    def now(self) -> HotFolder:
        with self.server.services.database.read() as work:
            return self.server.services.hot_folders.get(work, COMMAND, self.hot_folder.id)

    def files(self) -> list[str]:
        return sorted(path.relative_to(self.path).as_posix() for path in self.path.rglob("*") if path.is_file())


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[Server]:
    roots = (str((tmp_path / "incoming").resolve()),)
    instance = Server(tmp_path / "data", database_url=database_url, hot_folder_roots=roots)
    yield instance
    instance.close()


@pytest.fixture
def world(server: Server) -> World:
    return World(server)


@pytest.mark.both_databases
def test_a_file_is_taken_when_two_looks_see_it_unchanged(world: World) -> None:
    path = world.put()
    assert world.looks(1) == 0
    with path.open("ab") as file:  # it is still being written
        file.write(b"more")
    assert world.looks(1) == 0
    make.jpeg(path, seed=7)
    assert (world.looks(1), world.looks(1)) == (0, 1)
    assert world.names() == ["a.jpg"]
    assert world.files() == [".vitrine", "_archived/a.jpg"]
    assert (world.now().taken, world.now().failed, world.now().fault) == (1, 0, "")
    assert world.looks(3) == 0


def test_masks_say_which_files_are_taken_and_folders_are_kept(world: World) -> None:
    world.change(mask="*.JPG; *.png")
    world.put("2020/a.jpg", 1)
    world.put(".hidden.jpg", 2)
    world.put(".hidden/b.jpg", 3)
    (world.path / "notes.txt").write_text("kept")
    assert world.looks() == 1
    assert world.files() == [
        ".hidden.jpg", ".hidden/b.jpg", ".vitrine", "_archived/2020/a.jpg", "notes.txt",
    ]  # fmt: skip


def test_a_sidecar_gives_values_and_goes_with_its_file(world: World) -> None:
    world.put("a.jpg")
    world.put("a.png.jpg", 2)
    (world.path / "a.xmp").write_text(XMP)
    (world.path / "b.xmp").write_text(XMP)
    assert world.looks() == 2
    assert world.files() == [".vitrine", "_archived/a.jpg", "_archived/a.png.jpg", "_archived/a.xmp", "b.xmp"]
    with world.server.services.database.read() as work:
        assert "Brest" in set(work.db.scalars(sa.select(field_values.c.value)))


def test_a_sidecar_of_two_files_stays_for_the_second(world: World) -> None:
    world.put("a.jpg")
    (world.path / "a.xmp").write_text(XMP)
    world.looks(1)
    make.png(world.path / "a.png", 300, 200, seed=4)
    assert world.looks(1) == 1
    assert "a.xmp" in world.files()
    assert world.looks(1) == 1
    assert world.files() == [".vitrine", "_archived/a.jpg", "_archived/a.png", "_archived/a.xmp"]


def test_a_sidecar_that_is_broken_is_explained_and_the_file_is_taken(world: World) -> None:
    world.put()
    (world.path / "a.xmp").write_text("<broken")
    assert world.looks() == 1
    assert world.files() == [".vitrine", "_archived/a.jpg", "_error/a.xmp", "_error/a.xmp.txt"]
    assert "not XMP" in (world.path / "_error/a.xmp.txt").read_text()


def test_a_file_that_cannot_be_used_is_explained_beside(world: World) -> None:
    (world.path / "sub").mkdir()
    (world.path / "sub" / "a.jpg").write_bytes(b"")
    assert world.looks() == 1
    assert world.files() == [".vitrine", "_error/sub/a.jpg", "_error/sub/a.jpg.txt"]
    assert (world.path / "_error/sub/a.jpg.txt").read_text() == "a.jpg is empty.\n"
    assert (world.now().taken, world.now().failed) == (0, 1)
    (world.path / "sub" / "a.jpg").write_bytes(b"")
    assert world.looks() == 1
    assert (world.path / "_error/sub/a (2).jpg").exists(), "nothing is overwritten"


def test_what_was_taken_is_deleted_if_so_set_but_never_what_failed(world: World) -> None:
    world.change(deletes=True)
    world.put()
    (world.path / "b.jpg").write_bytes(b"")
    assert world.looks() == 2
    assert world.files() == [".vitrine", "_error/b.jpg", "_error/b.jpg.txt"]


def test_a_file_that_is_there_already_is_moved_and_makes_no_record(world: World) -> None:
    world.put("a.jpg")
    world.put("b.jpg")  # the same bytes
    assert world.looks() == 2
    assert world.names() == ["a.jpg"]
    assert world.files() == [".vitrine", "_archived/a.jpg", "_archived/b.jpg"]


def test_names_that_are_not_utf8_are_taken(world: World) -> None:
    name = os.fsdecode(b"Ch\xe2teau.jpg")
    world.put().rename(world.path / name)
    (world.path / os.fsdecode(b"Ch\xe2teau.xmp")).write_text(XMP)
    (world.path / os.fsdecode(b"\xff.jpg")).write_bytes(b"")
    assert world.looks() == 2
    assert world.names() == ["Château.jpg"]
    assert (world.path / "_archived" / name).exists()
    assert (world.path / "_error" / os.fsdecode(b"\xff.jpg.txt")).exists()


def test_links_lead_nowhere(world: World, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    make.jpeg(outside / "secret.jpg")
    (world.path / "link.jpg").symlink_to(outside / "secret.jpg")
    (world.path / "way").symlink_to(outside)
    assert world.looks(3) == 0
    world.put("a.jpg")
    (world.path / "_archived").symlink_to(outside)
    assert world.looks() == 1
    assert world.now().fault == "a.jpg was taken and cannot be moved away (Not a directory)."
    assert sorted(path.name for path in outside.iterdir()) == ["secret.jpg"]
    (world.path / "_archived").unlink()
    world.looks(4)
    assert world.files() == [".vitrine", "_archived/a.jpg", "link.jpg"]
    assert (world.names(), world.now().fault) == (["a.jpg"], "")


def test_a_folder_that_became_a_link_is_left_alone(world: World, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    world.path.rename(elsewhere)
    world.path.symlink_to(elsewhere)
    make.jpeg(elsewhere / "a.jpg")
    assert world.looks(3) == 0
    assert "cannot be opened" in world.now().fault


def test_a_folder_without_marker_is_left_alone_until_it_has_one(world: World) -> None:
    world.put()
    (world.path / ".vitrine").unlink()
    assert world.looks() == 0
    assert "no marker" in world.now().fault
    (world.path / ".phrasea.xml").write_text("<x/>")
    world.looks(4)
    assert (world.names(), world.now().fault) == (["a.jpg"], "")


def test_a_folder_that_is_away_is_told_and_goes_on_later(world: World) -> None:
    world.put()
    away = world.path.with_name("away")
    world.path.rename(away)
    assert world.looks() == 0
    assert "cannot be opened (No such file or directory)" in world.now().fault
    away.rename(world.path)
    world.looks(4)
    assert (world.names(), world.now().fault) == (["a.jpg"], "")


def test_a_full_disk_is_told_and_the_file_waits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.put()

    def full(*_arguments: object, **_options: object) -> None:
        raise Unavailable("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(Ingest, "take", full)
        assert world.looks() == 0
        assert world.now().fault == "The disk is full."
    assert world.files() == [".vitrine", "a.jpg"]
    world.looks(4)
    assert (world.names(), world.now().fault) == (["a.jpg"], "")


def test_pauses_grow_while_a_folder_cannot_be_used(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (world.path / ".vitrine").unlink()
    looks: list[int] = []
    number = 0
    original = Tree.require_usable

    def noted(tree: Tree) -> None:
        looks.append(number)
        original(tree)

    monkeypatch.setattr(Tree, "require_usable", noted)
    while number < 20:
        world.looks(1)
        number += 1
    assert looks == [0, 2, 5, 10, 19]


def test_a_collection_that_is_switched_off_takes_nothing_and_loses_nothing(world: World) -> None:
    world.put()
    with world.server.services.database.write() as work:
        work.db.execute(
            collections.update().where(collections.c.id == world.server.photographs.id).values(enabled=False)
        )
        structure_store.increase_version(work)
    assert world.looks() == 0
    assert world.now().fault
    assert world.files() == [".vitrine", "a.jpg"]


def test_a_root_that_is_not_allowed_any_more_is_not_looked_at(world: World) -> None:
    world.put()
    watcher = replace(world.watcher, roots=("/elsewhere",))
    assert world.looks(watcher=watcher) == 0
    assert "no folder that the operator allows" in world.now().fault


def test_a_file_that_cannot_be_read_does_not_keep_the_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.put("a.jpg", 1)
    world.put("b.jpg", 2)
    original = os.open

    def refusing(path: Any, *arguments: Any, **options: Any) -> int:
        if path == "a.jpg":
            raise PermissionError(13, "Permission denied")
        return original(path, *arguments, **options)

    monkeypatch.setattr(os, "open", refusing)
    assert world.looks() == 1
    assert world.names() == ["b.jpg"]
    assert world.now().fault == "a.jpg cannot be read (Permission denied)."


@pytest.mark.both_databases
def test_two_workers_take_no_file_twice(world: World) -> None:
    other = world.worker("b")
    for number in range(3):
        world.put(f"{number}.jpg", number)
    world.looks(1)
    assert world.looks(2, other) == 0, "the first one looks after it"
    assert world.looks(1) == 3
    assert len(world.names()) == 3


@pytest.mark.both_databases
def test_a_worker_that_is_gone_is_followed_by_another(world: World) -> None:
    other = world.worker("b")
    world.put()
    world.looks(1)
    world.show_itself("machine:a:1", ago=timedelta(minutes=1))
    assert world.looks(2, other) == 1
    assert world.names() == ["a.jpg"]


@pytest.mark.both_databases
def test_a_worker_that_lost_the_folder_in_the_middle_adds_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hung so long that another one took over: that is asked in the transaction."""
    world.put()
    other = world.worker("b")
    original = Ingest.take

    def slow(*arguments: Any, **options: Any) -> Any:
        arrival = original(*arguments, **options)
        monkeypatch.setattr(Ingest, "take", original)
        world.show_itself("machine:a:1", ago=timedelta(minutes=1))
        assert world.looks(2, other) == 1
        return arrival

    world.looks(1)
    monkeypatch.setattr(Ingest, "take", slow)
    assert world.looks(1) == 0
    assert world.names() == ["a.jpg"]
    assert world.now().taken == 1


def test_a_change_in_the_middle_ends_the_taking(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.put()
    original = Ingest.take

    def during(*arguments: Any, **options: Any) -> Any:
        monkeypatch.setattr(Ingest, "take", original)
        world.change(is_enabled=False)
        return original(*arguments, **options)

    world.looks(1)
    monkeypatch.setattr(Ingest, "take", during)
    assert world.looks(3) == 0
    assert world.names() == []
    assert world.files() == [".vitrine", "a.jpg"]


def test_a_file_that_is_replaced_while_it_is_read_waits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    path = world.put()
    original = Ingest.take

    def during(*arguments: Any, **options: Any) -> Any:
        arrival = original(*arguments, **options)
        monkeypatch.setattr(Ingest, "take", original)
        make.jpeg(path.with_name(".new"), seed=9).rename(path)
        return arrival

    world.looks(1)
    monkeypatch.setattr(Ingest, "take", during)
    assert world.looks(1) == 0
    assert world.names() == []
    assert world.looks(2) == 1


STEPS: tuple[tuple[type, str], ...] = (
    (Ingest, "take"), (FileImport, "place"), (Watcher, "_place"), (Tree, "move"), (Watcher, "_put_away"),
    (Watcher, "_clear_away"), (Tree, "write_text"),
)  # fmt: skip


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("holder", "step"), STEPS, ids=[step for _, step in STEPS])
def test_a_worker_that_dies_anywhere_loses_and_doubles_nothing(
    world: World, holder: type, step: str, is_after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.put("a.jpg", 1)
    (world.path / "a.jpg.xmp").write_text(XMP)
    (world.path / "b.jpg").write_bytes(b"")
    world.put("c.jpg", 3)
    original = getattr(holder, step)

    def dying(*arguments: Any, **options: Any) -> Any:
        if is_after:
            original(*arguments, **options)
        raise InjectedFault

    with monkeypatch.context() as patched:
        patched.setattr(holder, step, dying)
        with pytest.raises(InjectedFault):
            world.looks(2)
    world.show_itself("machine:a:1", ago=timedelta(minutes=1))
    world.looks(4, world.worker("b"))
    assert world.names() == ["a.jpg", "c.jpg"]
    left = [name for name in world.files() if not name.startswith("_")]
    assert left == [".vitrine"]
    assert {"_archived/a.jpg", "_archived/a.jpg.xmp", "_archived/c.jpg", "_error/b.jpg"} <= set(world.files())


@pytest.mark.both_databases
def test_a_stopped_task_takes_nothing_until_it_is_started(world: World) -> None:
    world.put()
    tasks = world.server.services.tasks
    with world.server.services.database.write() as work:
        number = next(task.number for task in tasks.all(work, COMMAND) if task.lane == HOT_FOLDERS)
        tasks.stop(work, COMMAND, number)
    assert world.looks(3) == 0
    with world.server.services.database.write() as work:
        tasks.start(work, COMMAND, number)
    assert world.looks(2) == 1
    with world.server.services.database.read() as work:
        assert task_store.rows(work)[HOT_FOLDERS].last_run is not None


def test_a_task_that_is_stopped_in_the_middle_finishes_its_file(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.put("a.jpg", 1)
    world.put("b.jpg", 2)
    original = Ingest.take

    def during(*arguments: Any, **options: Any) -> Any:
        with world.server.services.database.write() as work:
            world.server.services.tasks.stop(work, COMMAND, 12)
        return original(*arguments, **options)

    world.looks(1)
    monkeypatch.setattr(Ingest, "take", during)
    assert world.looks(2) == 1
    assert world.files() == [".vitrine", "_archived/a.jpg", "b.jpg"]


def test_an_idle_look_writes_nothing(world: World) -> None:
    world.looks(2)
    before = world.now()
    world.looks(3)
    assert world.now() == before


def test_hot_folders_of_a_deleted_collection_go_with_it(world: World) -> None:
    world.put()
    with world.server.services.database.write() as work:
        work.db.execute(collections.delete().where(collections.c.id == world.server.photographs.id))
    assert world.looks(3) == 0
    assert world.files() == [".vitrine", "a.jpg"]


def test_a_folder_acts_in_the_name_of_who_changed_it_last(world: World) -> None:
    """What is made with a token outranks it no more than it outlives its person."""
    services, ada = world.server.services, world.server.user("ada", is_admin=True)
    world.server.user("root", is_admin=True)

    def change(mask: str, **who: Any) -> None:
        with services.database.write() as work:
            actor = services.accounts.users.actor_of(work, ada, **who)
            services.hot_folders.change(work, actor, world.hot_folder.id, {"mask": mask})

    with pytest.raises(MayNotAdd):
        change("*.jpg", via=Via.TOKEN, scope=frozenset({"administration"}))
    change("*.jpg", via=Via.SESSION)
    world.put("a.jpg", 1)
    assert world.looks(2) == 1
    with services.database.write() as work:
        services.accounts.administration.suspend(work, COMMAND, "ada")
    world.put("b.jpg", 2)
    assert world.looks(3) == 0
    assert world.now().fault
    world.change(mask="*")
    assert world.looks(2) == 1
