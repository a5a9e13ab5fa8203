"""Contract 02 sections 6.4 (substitute) and 6.6: changing, moving and deleting records, with the refusals of each."""

import os
import threading
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from vitrine.accounts import COMMAND, CollectionGrant, Right, User
from vitrine.accounts.rights import ALL_RIGHTS, READER
from vitrine.jobs import Job
from vitrine.library import structure_store
from vitrine.library.model import RecordKey
from vitrine.library.sweep import Sweeper
from vitrine.testing import media_factory as make
from vitrine.testing.server import Server

BITS = range(4, 16)


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada")


@pytest.fixture
def token(server: Server, ada: User) -> str:
    return server.token(ada)


@pytest.fixture
def key(server: Server, ada: User, tmp_path: Path) -> RecordKey:
    with server.services.database.write() as work:
        for bit in BITS:
            names = {"label_on": f"On {bit}", "label_off": f"Off {bit}", "labels_on": {"fr": "Oui"}, "labels_off": {}}
            structure_store.add_status_bit(work, server.databox.id, {"bit": bit, **names})
        structure_store.increase_version(work)
    return server.add(make.jpeg(tmp_path / "harbour.jpg", 900, 600), ada)


def path(key: RecordKey, tail: str = "") -> str:
    return f"/records/{key.databox}/{key.number}/{tail}"


def post(server: Server, token: str, where: str, data: Mapping[str, str]) -> httpx.Response:
    return server.call("POST", f"/api/v1{where}", token, data=data)


def fields(server: Server, token: str) -> dict[str, int]:
    return {field["name"]: field["id"] for field in server.get("/me/structures/", token)["meta_fields"]}


def field_change(place: int, field: object, value: str, meta: object = "") -> dict[str, str]:
    return {
        f"metadatas[{place}][meta_struct_id]": str(field),
        f"metadatas[{place}][meta_id]": str(meta),
        f"metadatas[{place}][value]": value,
    }


class TestSetMetadatas:
    """02 §6.6 setmetadatas, 06 §7."""

    def set(self, server: Server, token: str, key: RecordKey, *changes: dict[str, str]) -> httpx.Response:
        return post(server, token, path(key, "setmetadatas/"), {k: v for change in changes for k, v in change.items()})

    def values(self, answer: httpx.Response, name: str) -> list[tuple[int, str]]:
        assert answer.status_code == 200, answer.text
        listed = answer.json()["response"]["record_metadatas"]
        return [(entry["meta_id"], entry["value"]) for entry in listed if entry["name"] == name]

    def test_a_single_value_is_replaced_and_cleared(self, server: Server, token: str, key: RecordKey) -> None:
        city = fields(server, token)["City"]
        for text, kept in (("  Brest ", ["Brest"]), ("Nantes", ["Nantes"]), ("", [])):
            values = self.values(self.set(server, token, key, field_change(0, city, text)), "City")
            assert [value for _, value in values] == kept

    def test_a_multi_value_is_added_once(self, server: Server, token: str, key: RecordKey) -> None:
        words = fields(server, token)["Keywords"]
        answer = self.set(
            server, token, key, field_change(0, words, "harbour"), field_change(4, words, "dawn"),
            field_change(7, words, "harbour"), field_change(9, words, " "),
        )  # fmt: skip
        assert [value for _, value in self.values(answer, "Keywords")] == ["harbour", "dawn"]

    def test_a_value_is_changed_by_its_id_and_a_twin_goes(self, server: Server, token: str, key: RecordKey) -> None:
        words = fields(server, token)["Keywords"]
        first = self.set(server, token, key, *(field_change(n, words, text) for n, text in enumerate(("a", "b", "c"))))
        (a, _), (b, _), _ = self.values(first, "Keywords")
        changed = self.values(self.set(server, token, key, field_change(0, words, "z", a)), "Keywords")
        assert [value for _, value in changed] == ["z", "b", "c"]
        merged = self.values(self.set(server, token, key, field_change(0, words, "c", b)), "Keywords")
        assert merged == [(a, "z"), (b, "c")]
        emptied = self.values(self.set(server, token, key, field_change(0, words, "", a)), "Keywords")
        assert emptied == [(b, "c")]

    def test_an_unknown_value_id_is_ignored(self, server: Server, token: str, key: RecordKey) -> None:
        names = fields(server, token)
        first = self.set(server, token, key, field_change(0, names["City"], "Brest"))
        (value_id, _) = self.values(first, "City")[0]
        answer = self.set(
            server,
            token,
            key,
            field_change(0, names["City"], "X", 999_999),
            field_change(1, names["Country"], "Y", value_id),
        )
        assert self.values(answer, "City") == [(value_id, "Brest")], "an id of another field is unknown here too"
        assert self.values(answer, "Country") == []

    def test_read_only_fields_are_passed_over(self, server: Server, token: str, key: RecordKey) -> None:
        names = fields(server, token)
        answer = self.set(
            server, token, key, field_change(0, names["FileName"], "other.jpg"), field_change(1, names["City"], "Brest")
        )
        assert [value for _, value in self.values(answer, "FileName")] == ["harbour.jpg"]
        assert [value for _, value in self.values(answer, "City")] == ["Brest"]

    def test_title_and_index_follow(self, server: Server, token: str, key: RecordKey) -> None:
        self.set(server, token, key, field_change(0, fields(server, token)["Title"], "Lighthouse"))
        server.work()
        assert server.get(path(key), token)["record"]["title"] == "Lighthouse"
        assert server.get("/search/?query=lighthouse", token)["total_results"] == 1
        self.set(server, token, key, field_change(0, fields(server, token)["Title"], ""))
        server.work()
        assert server.get(path(key), token)["record"]["title"] == "harbour.jpg"
        assert server.get("/search/?query=lighthouse", token)["total_results"] == 0

    @pytest.mark.parametrize("fault", ["field", "long", "shape", "meta_id", "value", "scalar"])
    def test_nothing_is_changed_when_one_item_is_wrong(
        self, server: Server, token: str, key: RecordKey, fault: str
    ) -> None:
        city = fields(server, token)["City"]
        wrong = {
            "field": (field_change(1, 999_999, "x"), 404),
            "long": (field_change(1, city, "x" * 40_000), 400),
            "shape": ({"metadatas[1]": "x"}, 400),
            "meta_id": ({"metadatas[1][meta_struct_id]": str(city), "metadatas[1][value]": "x"}, 400),
            "value": ({"metadatas[1][meta_struct_id]": str(city), "metadatas[1][meta_id]": ""}, 400),
            "scalar": ({**field_change(1, city, "x"), "metadatas[1][value][0]": "x"}, 400),
        }[fault]
        answer = self.set(server, token, key, field_change(0, city, "Brest"), wrong[0])
        assert answer.status_code == wrong[1], answer.text
        assert answer.json()["meta"]["error_details"]
        assert "Brest" not in str(server.get(path(key, "metadatas/"), token))

    @pytest.mark.parametrize("data", [{}, {"metadatas": "x"}])
    def test_what_is_no_array_is_400(self, server: Server, token: str, key: RecordKey, data: dict[str, str]) -> None:
        assert post(server, token, path(key, "setmetadatas/"), data).status_code == 400

    def test_the_right_is_asked_on_the_records_own_collection(self, server: Server, token: str, key: RecordKey) -> None:
        bob = server.user("bob", {server.photographs.id: READER, server.archive.id: ALL_RIGHTS})
        city = fields(server, token)["City"]
        answer = self.set(server, server.token(bob), key, field_change(0, city, "Brest"))
        assert (answer.status_code, answer.json()["meta"]["error_type"]) == (401, "Unauthorized")

    def test_of_two_at_once_none_is_lost(self, server: Server, token: str, key: RecordKey) -> None:
        words = fields(server, token)["Keywords"]
        racers = [
            threading.Thread(target=self.set, args=(server, token, key, field_change(0, words, f"word {n}")))
            for n in range(6)
        ]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
        listed = server.get(path(key, "metadatas/"), token)["record_metadatas"]
        assert sorted(entry["value"] for entry in listed if entry["name"] == "Keywords") == [
            f"word {n}" for n in range(6)
        ]


class TestSetStatus:
    """02 §6.6 setstatus, acceptance 9.10."""

    def test_9_10_toggling_bits_and_back_restores_the_record(self, server: Server, token: str, key: RecordKey) -> None:
        before = server.get(path(key, "status/"), token)["status"]
        assert before == [{"bit": bit, "state": False} for bit in BITS]
        for value in ("1", "0"):
            data = {f"status[{bit}]": value for bit in BITS}
            answer = post(server, token, path(key, "setstatus/"), data).json()["response"]["status"]
            assert answer == [{"bit": bit, "state": value == "1"} for bit in BITS]
        assert server.get(path(key, "status/"), token)["status"] == before

    def test_other_bits_stay(self, server: Server, token: str, key: RecordKey) -> None:
        post(server, token, path(key, "setstatus/"), {"status[4]": "1"})
        answer = post(server, token, path(key, "setstatus/"), {"status[5]": "1"}).json()["response"]["status"]
        assert [bit["bit"] for bit in answer if bit["state"]] == [4, 5]

    @pytest.mark.parametrize(
        "data",
        [{"status[3]": "1"}, {"status[32]": "1"}, {"status[20]": "1"}, {"status[4]": "2"}, {"status[4]": ""},
         {"status[x]": "1"}, {"status": "1"}, {}],
    )  # fmt: skip
    def test_9_10_what_is_no_bit_is_400_and_changes_nothing(
        self, server: Server, token: str, key: RecordKey, data: dict[str, str]
    ) -> None:
        answer = post(server, token, path(key, "setstatus/"), {"status[5]": "1", **data} if data else data)
        if "status" in data:
            answer = post(server, token, path(key, "setstatus/"), data)
        assert answer.status_code == 400
        assert not any(bit["state"] for bit in server.get(path(key, "status/"), token)["status"])

    def test_the_right_is_asked_on_the_records_own_collection(self, server: Server, key: RecordKey) -> None:
        bob = server.user("bob", {server.photographs.id: READER, server.archive.id: ALL_RIGHTS})
        answer = post(server, server.token(bob), path(key, "setstatus/"), {"status[4]": "1"})
        assert answer.status_code == 401

    def test_masks_in_search_follow(self, server: Server, token: str, key: RecordKey) -> None:
        bob = server.user("bob", READER)
        server.regrant(bob, server.photographs, READER, mask_and=0b10000, mask_xor=0)
        bobs = server.token(bob)
        assert server.get("/search/", bobs)["total_results"] == 1
        post(server, token, path(key, "setstatus/"), {"status[4]": "1"})
        server.work()
        assert server.get("/search/", bobs)["total_results"] == 0


class TestSetCollection:
    """02 §6.6 setcollection."""

    def move(self, server: Server, token: str, key: RecordKey, base: object) -> httpx.Response:
        return post(server, token, path(key, "setcollection/"), {"base_id": str(base)})

    def test_a_record_moves_and_search_follows(self, server: Server, token: str, key: RecordKey) -> None:
        answer = self.move(server, token, key, server.archive.id)
        assert answer.json()["response"]["record"]["base_id"] == server.archive.id
        server.work()
        assert server.get(f"/search/?bases[]={server.archive.id}", token)["total_results"] == 1

    def test_to_where_it_is_already_is_200(self, server: Server, token: str, key: RecordKey) -> None:
        assert self.move(server, token, key, server.photographs.id).status_code == 200

    @pytest.mark.parametrize("base", ["", "x", "999"])
    def test_unknown_bases_are_400(self, server: Server, token: str, key: RecordKey, base: str) -> None:
        assert self.move(server, token, key, base).status_code == 400

    def test_another_databox_is_400(self, server: Server, ada: User, token: str, key: RecordKey) -> None:
        with server.services.database.write() as work:
            box = server.services.library.structure.add_databox(work, COMMAND, "Other")
            base = server.services.library.structure.add_collection(work, COMMAND, box.id, "There")
            server.services.accounts.users.grant(work, COMMAND, ada.id, CollectionGrant(base.id, box.id, ALL_RIGHTS))
        assert self.move(server, token, key, base.id).status_code == 400

    def test_both_ends_ask_for_their_right(self, server: Server, key: RecordKey) -> None:
        source, target = int(server.photographs.id), int(server.archive.id)
        bob = server.token(server.user("bob", {source: ALL_RIGHTS & ~Right.candeleterecord, target: ALL_RIGHTS}))
        assert self.move(server, bob, key, target).status_code == 401
        eve = server.token(server.user("eve", {source: ALL_RIGHTS, target: ALL_RIGHTS & ~Right.canaddrecord}))
        assert self.move(server, eve, key, target).status_code == 403

    def test_who_loses_sight_by_moving_still_gets_the_answer(self, server: Server, key: RecordKey) -> None:
        rights: dict[int, Right] = {
            server.photographs.id: ALL_RIGHTS,
            server.archive.id: Right.actif | Right.canaddrecord,
        }
        bob = server.user("bob", rights)
        server.regrant(bob, server.archive, Right.actif | Right.canaddrecord, mask_and=0b10000, mask_xor=0b10000)
        answer = self.move(server, server.token(bob), key, server.archive.id)
        assert answer.status_code == 200, answer.text


class TestDelete:
    """02 §6.6 DELETE, design 5.8."""

    def test_it_is_gone_everywhere_at_once(self, server: Server, token: str, key: RecordKey) -> None:
        shown = server.get(path(key), token)["record"]["thumbnail"]
        answer = server.call("DELETE", f"/api/v1{path(key)}", token)
        assert (answer.status_code, answer.json()["response"]) == (200, {})
        assert server.call("GET", f"/api/v1{path(key)}", token).status_code == 404
        assert server.call("DELETE", f"/api/v1{path(key)}", token).status_code == 404
        assert server.get("/search/", token)["results"]["records"] == []
        for address in (shown["url"], shown["permalink"]["url"], shown["permalink"]["page_url"]):
            assert server.http.get(address).status_code == 404

    def test_the_right_is_asked_on_the_records_own_collection(self, server: Server, token: str, key: RecordKey) -> None:
        rights: dict[int, Right] = {
            server.photographs.id: ALL_RIGHTS & ~Right.candeleterecord,
            server.archive.id: ALL_RIGHTS,
        }
        answer = server.call("DELETE", f"/api/v1{path(key)}", server.token(server.user("bob", rights)))
        assert (answer.status_code, answer.json()["meta"]["error_type"]) == (401, "Unauthorized")
        assert server.call("GET", f"/api/v1{path(key)}", token).status_code == 200

    def test_9_4_ids_that_are_no_digits_are_405(self, server: Server, token: str) -> None:
        answer = server.call("DELETE", "/api/v1/records/abc/def/", token)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")

    def test_it_can_come_back_with_its_links(self, server: Server, token: str, key: RecordKey) -> None:
        city = fields(server, token)["City"]
        post(server, token, path(key, "setmetadatas/"), field_change(0, city, "Brest"))
        before = server.get(path(key), token)["record"]
        server.call("DELETE", f"/api/v1{path(key)}", token)
        server.work()
        self.sweep(server, timedelta(days=7))
        with server.services.database.write() as work:
            assert [removed.key for removed in server.services.library.removal.removed(work, COMMAND)] == [key]
            server.services.library.removal.restore(work, COMMAND, key)
        server.work()
        after = server.get(path(key), token)["record"]
        changed = {"updated_on"}
        assert {k: v for k, v in after.items() if k not in {*changed, "thumbnail"}} == {
            k: v for k, v in before.items() if k not in {*changed, "thumbnail"}
        }
        assert server.http.get(before["thumbnail"]["permalink"]["url"]).status_code == 200
        assert "Brest" in str(server.get(path(key, "metadatas/"), token))
        assert server.get("/search/?query=brest", token)["total_results"] == 1

    def test_bytes_go_when_the_time_is_over(self, server: Server, token: str, key: RecordKey) -> None:
        blobs = server.settings.data_dir / "blobs"
        server.call("DELETE", f"/api/v1{path(key)}", token)
        self.sweep(server, timedelta(0))
        assert [blob for blob in blobs.rglob("*") if blob.is_file()] == []
        with server.services.database.read() as work:
            assert work.db.exec_driver_sql("SELECT count(*) FROM removed_records").scalar() == 0

    def test_old_bytes_of_a_record_deleted_today_are_left(self, server: Server, token: str, key: RecordKey) -> None:
        old = time.time() - 30 * 86_400
        files = [blob for blob in (server.settings.data_dir / "blobs").rglob("*") if blob.is_file()]
        for blob in files:
            os.utime(blob, (old, old))
        server.call("DELETE", f"/api/v1{path(key)}", token)
        self.sweep(server, timedelta(days=7))
        assert all(blob.exists() for blob in files)

    def sweep(self, server: Server, grace: timedelta) -> None:
        Sweeper(server.services.database, server.services.media).sweep(grace)


class TestSubstitute:
    """02 §6.4 /embed/substitute/, 04 §7."""

    def put(self, server: Server, token: str, key: RecordKey, file: Path | None, **form: str) -> httpx.Response:
        data = {"databox_id": str(key.databox), "record_id": str(key.number), **form}
        files = {"file": (file.name, file.read_bytes())} if file else None
        chosen = {name: value for name, value in data.items() if value}
        return server.call("POST", "/api/v1/embed/substitute/", token, data=chosen, files=files)

    def test_adapt_fits_the_file_into_the_recipe(
        self, server: Server, token: str, key: RecordKey, tmp_path: Path
    ) -> None:
        before = {file["name"]: file for file in server.get(path(key, "embed/"), token)["embed"]}
        answer = self.put(server, token, key, make.png(tmp_path / "new.png", 2000, 1000), name="preview")
        assert answer.status_code == 200, answer.text
        response = answer.json()["response"]
        assert list(response) == ["adapt", "0"]
        assert (response["adapt"], response["0"]["name"], response["0"]["substituted"]) == (True, "preview", True)
        assert (response["0"]["width"], response["0"]["mime_type"]) == (1280, "image/jpeg")
        assert response["0"]["permalink"]["url"] == before["preview"]["permalink"]["url"]
        assert server.http.get(response["0"]["permalink"]["url"]).status_code == 200

    def test_without_adapt_the_file_is_taken_as_it_is(
        self, server: Server, token: str, key: RecordKey, tmp_path: Path
    ) -> None:
        file = make.png(tmp_path / "new.png", 500, 400)
        response = self.put(server, token, key, file, name="thumbnail", adapt="0").json()["response"]
        assert (response["adapt"], response["0"]["width"], response["0"]["mime_type"]) == (False, 500, "image/png")
        shown = server.get(path(key), token)["record"]["thumbnail"]
        assert server.http.get(shown["permalink"]["url"]).content == file.read_bytes()

    def test_the_original_is_replaced_and_the_rest_made_again(
        self, server: Server, token: str, key: RecordKey, tmp_path: Path
    ) -> None:
        before = server.get(path(key), token)["record"]
        self.put(server, token, key, make.jpeg(tmp_path / "t.jpg", 300, 300, seed=8), name="thumbnail", adapt="0")
        answer = self.put(server, token, key, make.jpeg(tmp_path / "new.jpg", 800, 1200, seed=9), name="document")
        assert answer.json()["response"]["0"]["name"] == "document"
        server.work()
        after = server.get(path(key), token)["record"]
        assert after["sha256"] != before["sha256"]
        assert (after["original_name"], after["uuid"], after["record_id"]) == (
            "new.jpg",
            before["uuid"],
            before["record_id"],
        )
        facts = {fact["name"]: fact["value"] for fact in after["technical_informations"]}
        assert (facts["Width"], facts["Height"]) == (800, 1200)
        assert (after["thumbnail"]["width"], after["thumbnail"]["height"]) == (256, 384)
        assert after["thumbnail"]["substituted"] is False
        assert after["thumbnail"]["permalink"]["url"] == before["thumbnail"]["permalink"]["url"]

    @pytest.mark.parametrize(
        ("form", "status"),
        [({"name": ""}, 400), ({"name": "nothing"}, 404), ({"databox_id": ""}, 400), ({"record_id": "x"}, 400),
         ({"record_id": "99"}, 404)],
    )  # fmt: skip
    def test_refusals_of_the_form(
        self, server: Server, token: str, key: RecordKey, tmp_path: Path, form: dict[str, str], status: int
    ) -> None:
        file = make.jpeg(tmp_path / "n.jpg", seed=4)
        assert self.put(server, token, key, file, **{"name": "preview", **form}).status_code == status

    def test_no_file_or_two_are_400(self, server: Server, token: str, key: RecordKey) -> None:
        assert self.put(server, token, key, None, name="preview").status_code == 400
        two: Any = [("file", ("a.jpg", b"x")), ("file", ("b.jpg", b"y"))]
        data = {"databox_id": "1", "record_id": str(key.number), "name": "preview"}
        answer = server.call("POST", "/api/v1/embed/substitute/", token, data=data, files=two)
        assert answer.status_code == 400

    def test_a_bad_file_changes_nothing(self, server: Server, token: str, key: RecordKey, tmp_path: Path) -> None:
        before = server.get(path(key, "embed/"), token)["embed"]
        cut = make.truncated(make.jpeg(tmp_path / "w.jpg", seed=5), tmp_path / "cut.jpg")
        film = make.mp4(tmp_path / "film.mp4")
        for name in ("document", "preview"):
            assert self.put(server, token, key, cut, name=name).status_code == 400
        assert self.put(server, token, key, film, name="preview", adapt="0").status_code == 400
        assert server.get(path(key, "embed/"), token)["embed"] == before

    @pytest.mark.parametrize("missing", [Right.canaddrecord, Right.imgtools])
    def test_both_rights_are_asked_on_the_records_own_collection(
        self, server: Server, key: RecordKey, tmp_path: Path, missing: Right
    ) -> None:
        rights: dict[int, Right] = {server.photographs.id: ALL_RIGHTS & ~missing, server.archive.id: ALL_RIGHTS}
        bob = server.token(server.user("bob", rights))
        answer = self.put(server, bob, key, make.jpeg(tmp_path / "n.jpg", seed=6), name="preview")
        assert answer.status_code == 403

    def test_a_worker_in_the_middle_does_not_undo_it(
        self, server: Server, token: str, key: RecordKey, tmp_path: Path
    ) -> None:
        maker: Any = server.worker.handlers["renditions.make"]
        with server.services.database.write() as work:
            work.db.exec_driver_sql("UPDATE renditions SET state = 'waiting' WHERE name <> 'document'")
            rid = work.db.exec_driver_sql("SELECT id FROM records").scalar()
        wanted = maker._waiting_recipes(rid)
        assert wanted is not None
        self.put(server, token, key, make.jpeg(tmp_path / "new.jpg", 640, 480, seed=7), name="document")
        with server.services.database.write() as work:
            maker._store_results(work, wanted[0], 0, [], [(recipe.name, LateFailure()) for recipe in wanted[1]])
            states = set(work.db.exec_driver_sql("SELECT state FROM renditions WHERE name <> 'document'").scalars())
        assert states == {"waiting"}, "the failure of the old original is not stored"
        maker(Job(0, "renditions.make", {"record_id": rid}, 1, 4))
        assert server.get(path(key), token)["record"]["thumbnail"]["width"] == 384


class LateFailure(Exception):
    """A failure of the old file that comes too late to count."""

    code, detail, why = "undecodable", "Too late.", ""


def test_6_6_and_5_7_status_and_related(server: Server, token: str, key: RecordKey) -> None:
    assert server.get(path(key, "related/"), token) == {"baskets": [], "stories": []}
    stranger = server.token(server.user("eve", None))
    for tail in ("status/", "related/"):
        assert server.call("GET", f"/api/v1{path(key, tail)}", stranger).status_code == 401
        assert server.call("GET", f"/api/v1/records/x/y/{tail}", token).status_code == 400
        assert server.call("GET", f"/api/v1/records/1/999/{tail}", token).status_code == 404


@pytest.mark.parametrize("tail", ["setmetadatas/", "setstatus/", "setcollection/"])
def test_6_13_twins_of_changes_are_400_and_get_is_405(server: Server, token: str, key: RecordKey, tail: str) -> None:
    assert server.call("POST", f"/api/v1/records/x/y/{tail}", token).status_code == 400
    assert server.call("GET", f"/api/v1{path(key, tail)}", token).status_code == 405
    assert server.call("POST", f"/api/v1{path(key, tail)}").status_code == 400, "no token"
