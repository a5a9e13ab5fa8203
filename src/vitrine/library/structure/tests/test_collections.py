"""Collections (contract 06 section 3): use, order, default status, bin, empty, delete; and databoxes (section 2)."""

import base64
from pathlib import Path
from typing import Any

import pytest

from vitrine.accounts import COMMAND, Actor, DataboxRight, Right, User, Via
from vitrine.accounts.credential_revocation import Event, Occurrence
from vitrine.accounts.record_grants import GrantSource, SourceKind, give
from vitrine.accounts.rights import ALL_RIGHTS, READER
from vitrine.accounts.tables import users
from vitrine.errors import Conflict, Forbidden, Invalid
from vitrine.library import journal, store
from vitrine.library.errors import (
    ChangedMeanwhile,
    InUse,
    MayNotAdminister,
    MayNotSee,
    NoSuchCollection,
    NoSuchRecord,
)
from vitrine.library.journal import RecordChange
from vitrine.library.model import BIN, Collection, CollectionId, Record, RecordKey
from vitrine.library.sharing import public_links
from vitrine.library.stories.model import ChildDraft, StoryDraft
from vitrine.library.structure import task_store
from vitrine.library.structure.task_store import Task
from vitrine.library.structure.tests.people import MANAGES, STRUCTURE, actor, person
from vitrine.testing import media_factory as make
from vitrine.testing.server import Server


@pytest.fixture
def ada(server: Server) -> User:
    return person(server, "ada", MANAGES)


@pytest.fixture
def key(server: Server, tmp_path: Path) -> RecordKey:
    return server.add(make.jpeg(tmp_path / "harbour.jpg"), server.user("eve"))


def change(server: Server, who: User, base: CollectionId, expected: int | None = None, **given: Any) -> Collection:
    acting = actor(server, who)
    with server.services.database.write() as work:
        collections = server.services.library.administration.collections
        return collections.change(work, acting, base, given, expected=expected)


def delete(server: Server, who: User, base: CollectionId) -> None:
    acting = actor(server, who)
    with server.services.database.write() as work:
        server.services.library.administration.collections.delete(work, acting, base)


def empty(server: Server, who: User, base: CollectionId) -> Task:
    acting = actor(server, who)
    with server.services.database.write() as work:
        return server.services.library.administration.collections.empty(work, acting, base)


def add(server: Server, who: Actor, name: str) -> Collection:
    with server.services.database.write() as work:
        return server.services.library.structure.add_collection(work, who, server.databox.id, name)


def record(server: Server, key: RecordKey) -> Record | None:
    with server.services.database.read() as work:
        return store.by_key(work, key)


def sees(server: Server, user: User, key: RecordKey) -> bool:
    acting = actor(server, user)
    with server.services.database.read() as work:
        try:
            server.services.library.records.get(work, acting, key)
        except MayNotSee:
            return False
    return True


@pytest.mark.both_databases
def test_a_disabled_collection_is_invisible_and_nothing_is_deleted(server: Server, ada: User, key: RecordKey) -> None:
    bob, carl = server.user("bob"), server.user("carl", None)
    token = server.token(bob)
    present = record(server, key)
    assert present is not None
    with server.services.database.write() as work:
        give(work, carl.id, [present.id], GrantSource(SourceKind.BASKET, 1), giver_id=ada.id, document=True)
        link = store.rendition(work, present.id, "thumbnail")
    assert link is not None
    assert link.permalink is not None
    public = f"/permalink/v1/{key.databox}/{key.number}/thumbnail/a.jpg?token={link.permalink.token}"
    caption = f"/permalink/v1/{key.databox}/{key.number}/caption/?token={link.permalink.token}"
    page = f"/permalink/v1/{key.databox}/{key.number}/thumbnail/?token={link.permalink.token}"
    (shown,) = server.get("/search/", token)["results"]["records"]
    addresses = (public, caption, page, shown["thumbnail"]["url"].removeprefix(server.settings.base_url))
    assert [server.http.get(address).status_code for address in addresses] == [200] * 4
    assert sees(server, bob, key)
    assert sees(server, carl, key)
    change(server, ada, server.photographs.id, enabled=False)
    assert not sees(server, bob, key)
    assert not sees(server, carl, key), "a grant does not open it either"
    assert server.get("/search/", token)["results"]["records"] == []
    assert [server.http.get(address).status_code for address in addresses] == [404] * 4
    mine = server.get("/me/collections/", token)["collections"]
    assert [entry["base_id"] for entry in mine] == [server.archive.id]
    assert server.call("GET", f"/api/v1/collections/{server.photographs.id}/", token).status_code == 401
    change(server, ada, server.photographs.id, enabled=True)
    assert sees(server, bob, key)
    assert [server.http.get(address).status_code for address in addresses] == [200] * 4


def test_who_manages_a_collection_does_not_disable_it(server: Server) -> None:
    bob = server.user("bob", {server.photographs.id: Right.actif | Right.manage, server.archive.id: READER})
    with pytest.raises(MayNotAdminister):
        change(server, bob, server.photographs.id, enabled=False)
    assert change(server, bob, server.photographs.id, labels={"de": "Fotos"}).labels["de"] == "Fotos"
    with pytest.raises(MayNotAdminister):
        change(server, bob, server.archive.id, labels={"de": "Archiv"})


@pytest.mark.parametrize("given", [
    {"name": ""}, {"name": "a/b"}, {"labels": {"xx": "a"}}, {"default_status": 1 << 4}, {"default_status": -1},
    {"default_status": 2**32}, {"registration_open": 1}, {"enabled": None}, {"colour": "red"},
], ids=str)  # fmt: skip
def test_what_cannot_be_is_refused(server: Server, ada: User, given: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        change(server, ada, server.photographs.id, **given)


def test_registration_is_that_of_the_collection_else_of_the_databox(server: Server, ada: User) -> None:
    acting = actor(server, ada)
    administration = server.services.library.administration
    for box, own, is_open in ((True, None, True), (True, False, False), (False, None, False), (False, True, True)):
        with server.services.database.write() as work:
            administration.databoxes.change(work, acting, server.databox.id, {"registration_open": box})
            changed = administration.collections.change(work, acting, server.photographs.id, {"registration_open": own})
            structure = server.services.library.records.structure(work)
            assert structure.is_registration_open(changed) is is_open


def test_two_editors_notice_each_other(server: Server, ada: User) -> None:
    seen = change(server, ada, server.photographs.id, name="Photos")
    change(server, ada, seen.id, seen.revision, name="Pictures")
    with pytest.raises(ChangedMeanwhile):
        change(server, ada, seen.id, seen.revision, name="Images")
    with pytest.raises(Conflict):
        change(server, ada, seen.id, name="Archive")


@pytest.mark.both_databases
def test_empty_deletes_every_record_and_only_there(server: Server, ada: User, key: RecordKey, tmp_path: Path) -> None:
    kept = server.add(make.jpeg(tmp_path / "kept.jpg", seed=3), ada, server.archive)
    with pytest.raises(InUse):
        delete(server, ada, server.photographs.id)
    task = empty(server, ada, server.photographs.id)
    assert task.total == 1
    server.work()
    assert record(server, key) is None
    assert record(server, kept) is not None
    with server.services.database.write() as work:
        assert [entry.key for entry in server.services.library.removal.removed(work, COMMAND)] == [key]
    bob = server.user("bob")
    delete(server, ada, server.photographs.id)
    assert server.photographs.id not in actor(server, bob).rights.collections
    assert server.get("/me/collections/", server.token(bob))["collections"][0]["name"] == "Archive"
    with pytest.raises(NoSuchCollection):
        delete(server, ada, server.photographs.id)


def test_an_administrator_without_the_right_deletes_no_records(server: Server, key: RecordKey) -> None:
    root = server.user("root", None, is_admin=True)
    with pytest.raises(MayNotAdminister):
        empty(server, root, server.photographs.id)
    assert record(server, key) is not None
    for rights in (DataboxRight(0), STRUCTURE):
        with pytest.raises(MayNotAdminister):
            empty(server, person(server, f"bob{int(rights)}", rights), server.photographs.id)


def test_collections_take_a_whole_order(server: Server, ada: User) -> None:
    acting = actor(server, ada)
    collections = server.services.library.administration.collections
    order = [server.archive.id, server.photographs.id]
    with server.services.database.write() as work:
        assert [entry.id for entry in collections.order(work, acting, server.databox.id, order)] == order
    with server.services.database.write() as work, pytest.raises(Invalid):
        collections.order(work, acting, server.databox.id, order[:1])


def test_a_new_collection_is_for_who_makes_it(server: Server, ada: User) -> None:
    with pytest.raises(MayNotAdminister):
        add(server, actor(server, person(server, "bob", STRUCTURE)), "Films")
    created = add(server, actor(server, ada), "Films")
    assert actor(server, ada).rights.collections[created.id].rights == ALL_RIGHTS
    root = server.user("root", None, is_admin=True)
    with server.services.database.write() as work:
        acting = server.services.accounts.users.actor_of(work, root, Via.SESSION)
        box = server.services.library.structure.add_databox(work, acting, "Annexe")
    assert box.id in actor(server, root).rights.databoxes


# -- the bin -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def bin_(server: Server, ada: User) -> Collection:
    return add(server, actor(server, ada), BIN)


def discard(server: Server, who: User, key: RecordKey) -> CollectionId | None:
    acting = actor(server, who)
    with server.services.database.write() as work:
        return server.services.library.removal.discard(work, acting, key)


@pytest.mark.both_databases
@pytest.mark.parametrize("public", [True, False])
def test_a_discarded_record_is_in_the_bin_without_links_and_comes_back_as_it_was(
    server: Server, ada: User, bin_: Collection, key: RecordKey, public: bool
) -> None:
    before = record(server, key)
    assert before is not None
    with server.services.database.write() as work:
        store.update_record(work, before.id, {"public_by_link": public})
    assert discard(server, ada, key) == bin_.id
    binned = record(server, key)
    assert binned is not None
    assert (binned.collection_id, binned.public_by_link) == (bin_.id, False)
    assert not sees(server, server.user("bob"), key), "who has no right on the bin does not see what is in it"
    with server.services.database.write() as work, pytest.raises(Conflict):
        server.services.accounts.users.grant_databox(
            work, COMMAND, ada.id, server.databox.id, MANAGES | DataboxRight.bas_chupub
        )
        acting = server.services.accounts.users.actor_of(
            work, server.services.accounts.users.get(work, ada.id), Via.SESSION
        )
        structure = server.services.library.records.structure(work)
        public_links.switch(work, acting, structure, binned, on=True)
    with server.services.database.write() as work:
        server.services.library.changes.move(work, actor_in(server, work, ada), key, server.archive.id)
    after = record(server, key)
    assert after is not None
    assert (after.collection_id, after.public_by_link) == (server.archive.id, public)


def actor_in(server: Server, work: Any, user: User) -> Actor:
    users = server.services.accounts.users
    return users.actor_of(work, users.get(work, user.id), Via.SESSION)


def test_deleting_in_the_bin_and_without_one_is_final(
    server: Server, ada: User, key: RecordKey, tmp_path: Path
) -> None:
    assert discard(server, ada, key) is None
    assert record(server, key) is None
    bin_ = add(server, actor(server, ada), BIN)
    other = server.add(make.jpeg(tmp_path / "b.jpg", seed=2), ada)
    assert discard(server, ada, other) == bin_.id
    assert discard(server, ada, other) is None
    assert record(server, other) is None
    with pytest.raises(NoSuchRecord):
        discard(server, ada, other)


def test_v4_discards_into_the_bin(server: Server, ada: User, bin_: Collection, key: RecordKey) -> None:
    token = server.token(ada)
    assert server.call("DELETE", f"/api/v4/records/{key.databox}/{key.number}", token).status_code == 204
    binned = record(server, key)
    assert binned is not None
    assert binned.collection_id == bin_.id


def test_v4_discards_a_story_into_the_bin_with_its_records(
    server: Server, ada: User, bin_: Collection, key: RecordKey
) -> None:
    stories, acting = server.services.library.stories, actor(server, ada)
    with server.services.database.write() as work:
        children = [ChildDraft(key)]
        story = stories.create(work, acting, StoryDraft(CollectionId(server.photographs.id), children=children))
    address = f"/api/v4/stories/{story.databox}/{story.number}"
    answer = server.call("DELETE", f"{address}?with_children=true", server.token(ada))
    assert answer.json() == {"deleted": [key.number, story.number]}
    for each in (key, story):
        binned = record(server, each)
        assert binned is not None
        assert (binned.collection_id, binned.public_by_link) == (bin_.id, False)
    with server.services.database.write() as work:
        stories.delete(work, acting, story)
    assert record(server, story) is None, "in the bin it is final"


@pytest.mark.both_databases
def test_a_story_made_in_the_bin_is_public_only_after_it_leaves(server: Server, ada: User, bin_: Collection) -> None:
    with server.services.database.write() as work:
        story = server.services.library.stories.create(work, COMMAND, StoryDraft(bin_.id))
    in_bin = record(server, story)
    assert in_bin is not None
    assert not in_bin.public_by_link
    with server.services.database.write() as work:
        server.services.library.changes.move(work, COMMAND, story, server.archive.id)
    moved = record(server, story)
    assert moved is not None
    assert moved.public_by_link == bin_.public_by_link


@pytest.mark.both_databases
def test_a_private_record_of_which_nothing_is_kept_leaves_the_bin_as_it_is(
    server: Server, ada: User, bin_: Collection, key: RecordKey
) -> None:
    before = record(server, key)
    assert before is not None
    with server.services.database.write() as work:
        unknown = {"collection_id": bin_.id, "public_by_link": False, "public_before_bin": None}
        store.update_record(work, before.id, unknown)
        server.services.library.changes.move(work, COMMAND, key, server.archive.id)
    after = record(server, key)
    assert after is not None
    assert not after.public_by_link


def test_v1_deletes_at_once(server: Server, ada: User, bin_: Collection, key: RecordKey) -> None:
    token = server.token(ada)
    assert server.call("DELETE", f"/api/v1/records/{key.databox}/{key.number}/", token).status_code == 200
    assert record(server, key) is None


def test_a_collection_with_records_neither_becomes_the_bin_nor_stops_being_it(
    server: Server, ada: User, key: RecordKey
) -> None:
    with pytest.raises(InUse):
        change(server, ada, server.photographs.id, name=BIN)
    assert change(server, ada, server.archive.id, name=BIN).is_bin
    discard(server, ada, key)
    with pytest.raises(InUse):
        change(server, ada, server.archive.id, name="Archive")


# -- suggested values --------------------------------------------------------------------------------------------------


def test_suggested_values_of_a_collection(server: Server) -> None:
    bob = server.user("bob", {server.photographs.id: READER | Right.modify_struct, server.archive.id: READER})
    acting = actor(server, bob)
    collections = server.services.library.administration.collections
    with server.services.database.read() as work:
        fields = server.services.library.records.structure(work).fields[server.databox.id]
    city, comments = (next(field for field in fields if field.name == name) for name in ("City", "Comments"))
    with server.services.database.write() as work:
        assert collections.suggest(work, acting, server.photographs.id, city.id, ["Genoa", " Nice ", "Genoa"]) == [
            "Genoa", "Nice",
        ]  # fmt: skip
        collections.suggest(work, acting, server.photographs.id, comments.id, ["secret"])
        for base, values in ((server.archive.id, ["a"]), (server.photographs.id, [""]), (server.photographs.id, "a")):
            with pytest.raises((MayNotAdminister, Invalid)):
                collections.suggest(work, acting, base, city.id, values)
    with server.services.database.read() as work:
        assert collections.suggested(work, acting, server.photographs.id) == [(city, ["Genoa", "Nice"])]
        with pytest.raises(MayNotSee):
            collections.suggested(work, acting, CollectionId(99))


# -- databoxes ---------------------------------------------------------------------------------------------------------


def test_a_databox_is_shown_under_another_name(server: Server, ada: User) -> None:
    acting = actor(server, ada)
    databoxes = server.services.library.administration.databoxes
    with server.services.database.write() as work:
        box = databoxes.change(work, acting, server.databox.id, {"view_name": "The museum", "labels": {"fr": "Musée"}})
        assert (box.name, box.view_name, box.labels["fr"]) == ("Museum", "The museum", "Musée")
        with pytest.raises(Invalid):
            databoxes.change(work, acting, server.databox.id, {"name": "Other"})
        with pytest.raises(Forbidden):
            databoxes.order(work, acting, [server.databox.id])
    for rights in (DataboxRight(0), STRUCTURE):
        bob = actor(server, person(server, f"bob{int(rights)}", rights))
        with server.services.database.write() as work, pytest.raises(MayNotAdminister):
            databoxes.change(work, bob, server.databox.id, {"view_name": "Mine"})


def test_a_logo_reaches_v1_in_base64(server: Server, ada: User, tmp_path: Path) -> None:
    administration = server.services.library.administration
    logo = administration.pictures.keep(make.png(tmp_path / "logo.png", 30, 30), "logo.png", field="logo")
    acting = actor(server, ada)
    with server.services.database.write() as work:
        administration.collections.set_logo(work, acting, server.photographs.id, logo)
    shown = {entry["name"]: entry["logo"] for entry in server.get("/me/collections/", server.token(ada))["collections"]}
    assert base64.b64decode(shown["Photographs"]) == (tmp_path / "logo.png").read_bytes()
    assert shown["Archive"] == ""


def changes_of(server: Server, key: RecordKey) -> list[RecordChange]:
    with server.services.database.read() as work:
        return journal.page(work, key, before=None, limit=10)


@pytest.mark.both_databases
def test_emptying_is_written_into_the_history_and_spares_what_comes_meanwhile(
    server: Server, ada: User, key: RecordKey, tmp_path: Path
) -> None:
    empty(server, ada, server.photographs.id)
    late = server.add(make.jpeg(tmp_path / "late.jpg", seed=9), ada)  # and the worker runs then
    server.work()
    assert record(server, key) is None
    (deletion,) = changes_of(server, key)
    assert (deletion.kind, deletion.user_id) == ("deletion", ada.id)
    assert deletion.before["base_id"] == server.photographs.id
    assert record(server, late) is not None


@pytest.mark.parametrize("how", ["closed", "right", "password"])
def test_emptying_ends_with_what_it_was_begun_with(server: Server, ada: User, key: RecordKey, how: str) -> None:
    task = empty(server, ada, server.photographs.id)
    with server.services.database.write() as work:
        people = server.services.accounts.users
        if how == "closed":
            work.db.execute(users.update().where(users.c.id == ada.id).values(deleted_at=work.now))
        elif how == "right":
            people.grant_databox(work, COMMAND, ada.id, server.databox.id, DataboxRight(0))
        else:
            people.revocation.end_credentials(work, Occurrence(Event.PASSWORD_RESET, ada.id))
    server.work()
    assert record(server, key) is not None
    with server.services.database.read() as work:
        ended = task_store.by_id(work, task.id)
    assert ended is not None
    assert (ended.is_finished, ended.changed) == (True, 0)
    (failure,) = ended.failures
    assert failure["code"] == ("may_not_administer" if how == "right" else "authority_ended")
