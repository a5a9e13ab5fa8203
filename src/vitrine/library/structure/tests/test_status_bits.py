"""Status bits of a databox (contract 06 section 8)."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from vitrine.accounts import COMMAND, Actor, CollectionGrant, DataboxRight, Via
from vitrine.accounts.rights import READER
from vitrine.errors import Conflict, Invalid, NotFound
from vitrine.library import store, structure_store
from vitrine.library.errors import ChangedMeanwhile, InUse, MayNotAdminister, NoSuchStatusBit
from vitrine.library.model import StatusBit
from vitrine.library.structure.task_store import Task
from vitrine.library.structure.tests.people import MANAGES, STRUCTURE, actor, person
from vitrine.library.sweep import Sweeper
from vitrine.testing import media_factory as make
from vitrine.testing.server import Server


@pytest.fixture
def ada(server: Server) -> Actor:
    return actor(server, person(server, "ada", STRUCTURE))


def define(server: Server, who: Actor, bit: int, expected: int | None = None, **given: Any) -> StatusBit:
    with server.services.database.write() as work:
        bits = server.services.library.administration.status_bits
        return bits.define(work, who, server.databox.id, bit, given, expected=expected)


def remove(server: Server, who: Actor, bit: int) -> Task:
    with server.services.database.write() as work:
        return server.services.library.administration.status_bits.remove(work, who, server.databox.id, bit)


def test_a_bit_is_defined_and_changed(server: Server, ada: Actor) -> None:
    created = define(server, ada, 4, label_on="Checked", labels_on={"fr": "Vu"}, searchable=True)
    assert (created.label_on, dict(created.labels_on), created.searchable, created.printable) == (
        "Checked",
        {"fr": "Vu"},
        True,
        False,
    )
    changed = define(server, ada, 4, created.revision, printable=True)
    assert (changed.label_on, changed.searchable, changed.printable) == ("Checked", True, True)
    with pytest.raises(ChangedMeanwhile):
        define(server, ada, 4, created.revision, printable=False)


@pytest.mark.parametrize("bit", [-1, 0, 3, 32, 10**9])
def test_only_4_to_31_are_free(server: Server, ada: Actor, bit: int) -> None:
    with pytest.raises(Invalid) as refusal:
        define(server, ada, bit, label_on="Checked")
    assert refusal.value.field == "bit"


@pytest.mark.parametrize(
    "given", [{}, {"label_on": ""}, {"label_on": "a", "searchable": "yes"}, {"label_on": "a", "icon": 1}], ids=str
)
def test_definitions_that_cannot_be(server: Server, ada: Actor, given: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        define(server, ada, 4, **given)


@pytest.mark.parametrize("rights", [DataboxRight(0), MANAGES], ids=str)
def test_others_may_not(server: Server, rights: DataboxRight) -> None:
    with pytest.raises(MayNotAdminister):
        define(server, actor(server, person(server, "bob", rights)), 4, label_on="Checked")


@pytest.mark.both_databases
def test_a_removed_bit_is_off_everywhere(server: Server, ada: Actor, tmp_path: Path) -> None:
    bob = server.user("bob")
    define(server, ada, 4, label_on="Checked")
    define(server, ada, 5, label_on="Printed")
    key = server.add(make.jpeg(tmp_path / "a.jpg"), bob, status=1 << 4 | 1 << 5)
    with server.services.database.write() as work:
        structure_store.update_collection(work, server.archive.id, {"default_status": 1 << 4})
        structure_store.increase_version(work)
    task = remove(server, ada, 4)
    with pytest.raises(Conflict):
        define(server, ada, 4, label_on="Again")
    server.work()
    with server.services.database.read() as work:
        record = store.by_key(work, key)
        structure = server.services.library.records.structure(work)
        done = server.services.library.administration.tasks.get(work, ada, server.databox.id, task.id)
    assert record is not None
    assert record.status == 1 << 5
    assert structure.collections[server.archive.id].default_status == 0
    assert (done.state, done.done, done.changed, done.total) == ("done", 1, 1, 1)
    assert define(server, ada, 4, label_on="Again").label_on == "Again"


def test_a_bit_on_which_sight_depends_stays(server: Server, ada: Actor) -> None:
    """Without it a person whose mask hides checked records would see them."""
    define(server, ada, 4, label_on="Secret")
    bob = server.user("bob", READER)
    server.regrant(bob, server.photographs, READER, mask_and=1 << 4)
    with pytest.raises(InUse):
        remove(server, ada, 4)
    server.regrant(bob, server.photographs, READER, mask_and=0)
    remove(server, ada, 4)
    with pytest.raises(NoSuchStatusBit):
        remove(server, ada, 4)


@pytest.mark.parametrize("holder", ["group", "template"])
def test_masks_of_groups_and_templates_keep_a_bit(server: Server, ada: Actor, holder: str) -> None:
    """A group without members too: who joins it later would see hidden records."""
    define(server, ada, 4, label_on="Secret")
    accounts, photographs = server.services.accounts, server.photographs
    masked = CollectionGrant(photographs.id, photographs.databox_id, READER, mask_and=1 << 4)
    with server.services.database.write() as work:
        if holder == "group":
            group = accounts.groups.add(work, COMMAND, "Readers")
            accounts.groups.set_rights(work, COMMAND, group.id, masked)
        else:
            root = accounts.users.add(work, COMMAND, login="root", password=None, is_admin=True)
            owner = accounts.users.actor_of(work, root, Via.SESSION)
            template = accounts.templates.add(work, owner, "Readers")
            accounts.templates.set_grant(work, owner, template.id, masked)
    with pytest.raises(InUse):
        remove(server, ada, 4)


def test_icons_are_looked_at_and_shown(server: Server, ada: Actor, tmp_path: Path) -> None:
    define(server, ada, 4, label_on="Checked")
    pictures = server.services.library.administration.pictures
    icon = pictures.keep(make.png(tmp_path / "on.png", 16, 16), "on.png", field="icon_on")
    with server.services.database.write() as work:
        bits = server.services.library.administration.status_bits
        bits.set_icon(work, ada, server.databox.id, 4, icon, on=True)
    token = server.token(person(server, "bob", STRUCTURE))
    (shown,) = server.get(f"/databoxes/{server.databox.id}/status/", token)["status"]
    assert shown["img_off"] is None
    answer = server.http.get(shown["img_on"])
    assert answer.status_code == 200
    assert answer.content == (tmp_path / "on.png").read_bytes()
    assert answer.headers["content-type"] == "image/png"
    assert server.http.get("/custom/status/" + "0" * 32 + "-stat_4_1.png").status_code == 404
    assert server.http.get("/custom/status/x").status_code == 404


def test_pictures_that_browsers_might_run_or_that_are_large_are_refused(server: Server, tmp_path: Path) -> None:
    pictures = server.services.library.administration.pictures
    (tmp_path / "a.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script/></svg>')
    make.png(tmp_path / "wide.png", 1100, 2)
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "large.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"0" * 70_000)
    for name in ("a.svg", "wide.png", "text.png", "large.png"):
        with pytest.raises(Invalid):
            pictures.keep(tmp_path / name, name, field="logo")


def test_the_sweep_leaves_pictures_that_are_in_use(server: Server, ada: Actor, tmp_path: Path) -> None:
    define(server, ada, 4, label_on="Checked")
    pictures = server.services.library.administration.pictures
    used = pictures.keep(make.png(tmp_path / "used.png", 16, 16), "used.png", field="icon_on")
    unused = pictures.keep(make.png(tmp_path / "unused.png", 18, 18), "unused.png", field="icon_on")
    with server.services.database.write() as work:
        bits = server.services.library.administration.status_bits
        bits.set_icon(work, ada, server.databox.id, 4, used, on=False)
    assert Sweeper(server.services.database, server.services.media).sweep(timedelta(0)) == 1
    with server.services.media.store.open(used["sha256"]) as file:
        assert file.read() == (tmp_path / "used.png").read_bytes()
    with pytest.raises(NotFound):
        server.services.media.store.open(unused["sha256"])
