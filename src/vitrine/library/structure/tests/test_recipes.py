"""Rendition recipes (contract 06 section 9): who may change them, and what becomes of the files."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from vitrine.accounts import Actor, DataboxRight
from vitrine.errors import Conflict, Invalid
from vitrine.library import store
from vitrine.library.errors import ChangedMeanwhile, InUse, MayNotAdminister, NoSuchRecipe
from vitrine.library.model import Recipe, RecordKey, Rendition
from vitrine.library.structure import task_store
from vitrine.library.structure.task_runner import TaskRunner
from vitrine.library.structure.task_store import Task
from vitrine.library.structure.tests.people import MANAGES, STRUCTURE, actor, person
from vitrine.library.tables import renditions
from vitrine.testing import media_factory as make
from vitrine.testing.server import Server

NEW = {"klass": "preview", "mediatype": "image", "options": {"size": 90}}


@pytest.fixture
def ada(server: Server) -> Actor:
    return actor(server, person(server, "ada", STRUCTURE))


@pytest.fixture
def key(server: Server, tmp_path: Path) -> RecordKey:
    return server.add(make.jpeg(tmp_path / "harbour.jpg"), server.user("eve"))


def add(server: Server, who: Actor, name: str, **given: Any) -> tuple[Recipe, Task | None]:
    with server.services.database.write() as work:
        recipes = server.services.library.administration.recipes
        return recipes.add(work, who, server.databox.id, "image", name, {**NEW, **given})


def change(
    server: Server, who: Actor, name: str, expected: int | None = None, **given: Any
) -> tuple[Recipe, Task | None]:
    with server.services.database.write() as work:
        recipes = server.services.library.administration.recipes
        return recipes.change(work, who, server.databox.id, "image", name, given, expected=expected)


def rendition(server: Server, key: RecordKey, name: str) -> Rendition | None:
    with server.services.database.read() as work:
        record = store.by_key(work, key)
        assert record is not None
        return store.rendition(work, record.id, name)


def task(server: Server, number: int) -> Task:
    with server.services.database.read() as work:
        present = task_store.by_id(work, number)
    assert present is not None
    return present


@pytest.mark.both_databases
def test_a_new_recipe_makes_the_files_of_records_that_are_there(server: Server, ada: Actor, key: RecordKey) -> None:
    recipe, begun = add(server, ada, "tiny")
    assert begun is not None
    assert recipe.klass == "preview"
    server.work()
    created = rendition(server, key, "tiny")
    assert created is not None
    assert created.is_ready
    assert max(created.width, created.height) == 90
    assert created.permalink is not None
    done = task(server, begun.id)
    assert (done.state, done.total, done.done, done.changed, done.failed) == ("done", 1, 1, 1, 0)


def test_a_changed_recipe_makes_them_again_and_the_old_one_stays_until_then(
    server: Server, ada: Actor, key: RecordKey
) -> None:
    before = rendition(server, key, "preview")
    _, begun = change(server, ada, "preview", options={"size": 120})
    assert begun is not None
    waiting = rendition(server, key, "preview")
    assert before is not None
    assert waiting is not None
    assert waiting.sha256 == before.sha256
    server.work()
    after = rendition(server, key, "preview")
    assert after is not None
    assert max(after.width, after.height) == 120
    assert after.permalink is not None
    assert before.permalink is not None
    assert after.permalink.token == before.permalink.token


def test_words_and_rights_make_nothing_again(server: Server, ada: Actor) -> None:
    recipe, begun = change(server, ada, "preview", labels={"de": "Vorschau"}, klass="document", downloadable=False)
    assert begun is None
    assert (recipe.klass, recipe.labels["de"], recipe.downloadable) == ("document", "Vorschau", False)


def test_what_a_person_put_in_is_left_alone(server: Server, ada: Actor, key: RecordKey) -> None:
    with server.services.database.write() as work:
        work.db.execute(renditions.update().where(renditions.c.name == "preview").values(substituted=True))
    before = rendition(server, key, "preview")
    change(server, ada, "preview", options={"size": 120})
    server.work()
    after = rendition(server, key, "preview")
    assert before is not None
    assert after is not None
    assert after.sha256 == before.sha256


def test_a_file_that_cannot_be_made_is_told_and_the_others_are_made(
    server: Server, ada: Actor, key: RecordKey, tmp_path: Path
) -> None:
    lost = server.add(make.jpeg(tmp_path / "lost.jpg", seed=7), server.user("carl"))
    with server.services.database.write() as work:
        record = store.by_key(work, lost)
        assert record is not None
        assert record.sha256 is not None
        server.services.media.delete_blob(record.sha256)
    before = rendition(server, lost, "preview")
    _, begun = change(server, ada, "preview", options={"size": 120})
    assert begun is not None
    server.work()
    done = task(server, begun.id)
    assert (done.state, done.done, done.changed, done.failed) == ("done", 2, 1, 1)
    assert [failure["record"] for failure in done.failures] == [str(lost)]
    after = rendition(server, lost, "preview")
    assert before is not None
    assert after is not None
    assert after.sha256 == before.sha256


@pytest.mark.both_databases
def test_a_deleted_recipe_takes_its_files_along(server: Server, ada: Actor, key: RecordKey) -> None:
    with server.services.database.write() as work:
        recipes = server.services.library.administration.recipes
        begun = recipes.delete(work, ada, server.databox.id, "image", "preview_mobile")
    server.work()
    assert rendition(server, key, "preview_mobile") is None
    assert rendition(server, key, "preview") is not None
    assert task(server, begun.id).changed == 1
    with server.services.database.write() as work, pytest.raises(NoSuchRecipe):
        recipes.delete(work, ada, server.databox.id, "image", "preview_mobile")


@pytest.mark.parametrize("name", ["thumbnail", "preview"])
def test_two_names_must_exist(server: Server, ada: Actor, name: str) -> None:
    with server.services.database.write() as work, pytest.raises(InUse):
        server.services.library.administration.recipes.delete(work, ada, server.databox.id, "image", name)


@pytest.mark.parametrize("rights", [DataboxRight(0), MANAGES], ids=str)
def test_others_may_not(server: Server, rights: DataboxRight) -> None:
    with pytest.raises(MayNotAdminister):
        add(server, actor(server, person(server, "bob", rights)), "tiny")


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("document", {}), ("", {}), ("Tiny", {}), ("a/b", {}), ("x" * 65, {}), ("tiny", {"klass": "secret"}),
        ("tiny", {"mediatype": "hologram"}), ("tiny", {"devices": []}), ("tiny", {"devices": ["watch"]}),
        ("tiny", {"options": {"size": 19}}), ("tiny", {"options": {"size": True}}), ("tiny", {"options": {"fps": 9}}),
        ("tiny", {"options": {"icodec": "bmp"}}), ("tiny", {"options": []}), ("tiny", {"tobuild": 1}),
        ("tiny", {"mediatype": "flexpaper", "options": {}, "tobuild": True}), ("tiny", {"presets": 7}),
        ("tiny", {"size": 9}),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(server: Server, ada: Actor, name: str, given: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        add(server, ada, name, **given)


def test_the_thumbnail_is_for_whoever_sees_the_record(server: Server, ada: Actor) -> None:
    with pytest.raises(Invalid):
        change(server, ada, "thumbnail", klass="preview")


def test_names_belong_to_one_recipe_and_two_editors_notice_each_other(server: Server, ada: Actor) -> None:
    with pytest.raises(Conflict):
        add(server, ada, "preview")
    recipe, _ = change(server, ada, "preview", orderable=False)
    change(server, ada, "preview", recipe.revision, orderable=True)
    with pytest.raises(ChangedMeanwhile):
        change(server, ada, "preview", recipe.revision, orderable=False)


def test_a_task_that_was_interrupted_goes_on_where_it_was(server: Server, ada: Actor, tmp_path: Path) -> None:
    eve = server.user("eve")
    for number in range(3):
        server.add(make.jpeg(tmp_path / f"{number}.jpg", seed=number), eve)
    _, begun = add(server, ada, "tiny")
    assert begun is not None
    with server.services.database.write() as work:
        halfway = task_store.Outcome(cursor=2, looked_at=2, changed=2)
        task_store.advance(work, begun, halfway)
    server.work()
    done = task(server, begun.id)
    assert (done.state, done.done, done.changed) == ("done", 3, 3)
    with server.services.database.read() as work:
        count = sa.select(sa.func.count()).select_from(renditions).where(renditions.c.name == "tiny")
        assert work.db.scalar(count) == 1, "only what was left"


def test_the_same_work_begun_anew_replaces_the_earlier(server: Server, ada: Actor, key: RecordKey) -> None:
    _, first = change(server, ada, "preview", options={"size": 120})
    _, second = change(server, ada, "preview", options={"size": 130})
    assert first is not None
    assert second is not None
    server.work()
    assert (task(server, first.id).state, task(server, second.id).state) == ("replaced", "done")
    created = rendition(server, key, "preview")
    assert created is not None
    assert max(created.width, created.height) == 130
    assert isinstance(server.worker.handlers["structure.task"], TaskRunner)
