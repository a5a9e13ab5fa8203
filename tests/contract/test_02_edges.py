"""Contract 02: the unhappy sides of objects and parameters, and both list profiles."""

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract import shapes
from vitrine.accounts import COMMAND, CollectionGrant, DataboxRight, Right, User
from vitrine.accounts.rights import ALL_DATABOX_RIGHTS, ALL_RIGHTS, READER
from vitrine.library import structure_store
from vitrine.library.model import RecordKey
from vitrine.library.records import Records
from vitrine.library.tables import records
from vitrine.platform.fetch import Fetcher
from vitrine.testing import media_factory as make
from vitrine.testing import media_kinds as kinds
from vitrine.testing.basket_world import BasketWorld
from vitrine.testing.feed_factory import add_feed, publish
from vitrine.testing.server import Server

SDK = {"User-Agent": "Phraseanet SDK Player/4.1"}


@pytest.fixture
def ada(server: Server) -> User:
    user = server.user("ada", email="ada@museum.example")
    with server.services.database.write() as work:
        rights = DataboxRight(ALL_DATABOX_RIGHTS)
        server.services.accounts.users.grant_databox(work, COMMAND, user.id, server.databox.id, rights)
        return server.services.accounts.users.get(work, user.id)


@pytest.fixture
def token(server: Server, ada: User) -> str:
    return server.token(ada)


@pytest.fixture
def key(server: Server, ada: User, tmp_path: Path) -> RecordKey:
    return server.add(make.jpeg(tmp_path / "harbour.jpg", 640, 480), ada)


class TestErrors:
    """02 §3."""

    def test_what_breaks_is_500_without_details_also_under_a_callback(
        self, server: Server, token: str, key: RecordKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_arguments: Any, **_named: Any) -> None:
            raise ValueError("hush")

        monkeypatch.setattr(Records, "structure", broken)
        for query, kind in (("", "application/json"), ("?callback=f", "text/javascript")):
            # Not by `request`, which holds answers against the document: nothing promises a failure.
            request = server.http.build_request(
                "GET", f"/api/v1/databoxes/list/{query}", headers={"Authorization": f"Bearer {token}"}
            )
            answer = server.http.send(request)
            assert answer.status_code == 500
            assert answer.headers["content-type"].startswith(kind)
            assert "Internal Server Error" in answer.text
            assert "hush" not in answer.text

    @pytest.mark.parametrize("accept", ["application/json", "application/yaml"])
    def test_an_error_has_an_empty_object(self, server: Server, token: str, accept: str) -> None:
        answer = server.call("GET", "/api/v1/records/1/99/", token, headers={"Accept": accept})
        body = answer.json() if accept.endswith("json") else yaml.safe_load(answer.content)
        assert (body["meta"]["http_code"], body["response"]) == (404, {})


class TestListsOrObjects:
    """02 §7, in both list profiles."""

    def lists_of(self, server: Server, token: str, *, is_sdk: bool) -> dict[str, Any]:
        headers = SDK if is_sdk else {}
        box = server.databox.id
        paths = {
            "databoxes": "/databoxes/list/", "collections": f"/databoxes/{box}/collections/",
            "document_metadatas": f"/databoxes/{box}/metadatas/",
        }  # fmt: skip
        values = {name: server.get(path, token, headers=headers)[name] for name, path in paths.items()}
        (item,) = server.get("/quarantine/list/", token, headers=headers)["quarantine_items"]
        return {**values, "checks": item["checks"]}

    @pytest.fixture
    def waiting(self, server: Server, token: str, key: RecordKey, tmp_path: Path) -> None:
        """A file that clashes with the record."""
        content = (tmp_path / "harbour.jpg").read_bytes()
        answer = server.call("POST", "/api/v1/records/add/", token, data={"base_id": "1"},
                             files={"file": ("harbour.jpg", content)})  # fmt: skip
        assert answer.json()["response"]["entity"] == "1"

    @pytest.mark.usefixtures("waiting")
    def test_objects_by_id_or_lists_with_the_same_items(self, server: Server, token: str) -> None:
        objects, lists = (self.lists_of(server, token, is_sdk=is_sdk) for is_sdk in (False, True))
        assert {name: type(value) for name, value in objects.items()} == dict.fromkeys(objects, dict)
        assert {name: type(value) for name, value in lists.items()} == dict.fromkeys(lists, list)
        for name in objects:
            assert list(objects[name].values()) == lists[name], name
        assert set(objects["databoxes"]) == {str(server.databox.id)}
        assert set(objects["collections"]) == {str(server.photographs.number), str(server.archive.number)}
        assert set(objects["document_metadatas"]) == {str(field["id"]) for field in lists["document_metadatas"]}
        assert "Sha256" in objects["checks"]

    def test_empty_ones_are_an_empty_object_and_an_empty_list(self, server: Server) -> None:
        token = server.token(server.user("eve", None))
        assert server.get("/databoxes/list/", token)["databoxes"] == {}
        assert server.get("/databoxes/list/", token, headers=SDK)["databoxes"] == []

    @pytest.mark.parametrize("headers", [{}, SDK], ids=["4.1", "sdk"])
    def test_what_is_a_list_everywhere(
        self, server: Server, token: str, key: RecordKey, headers: dict[str, str]
    ) -> None:
        record = f"/records/{key.databox}/{key.number}/"
        for path, name in (
            (record + "caption/", "caption_metadatas"), (record + "metadatas/", "record_metadatas"),
            (record + "status/", "status"), (record + "embed/", "embed"), (record + "related/", "baskets"),
            (record + "related/", "stories"), ("/baskets/list/", "baskets"), ("/feeds/list/", "feeds"),
            ("/feeds/content/", "entries"), ("/me/", "collections"), ("/me/", "databoxes"),
            ("/me/structures/", "meta_fields"), ("/me/collections/", "collections"),
            (f"/databoxes/{key.databox}/status/", "status"), (f"/databoxes/{key.databox}/termsOfUse/", "termsOfUse"),
        ):  # fmt: skip
            assert isinstance(server.get(path, token, headers=headers)[name], list), path


class TestObjects:
    def test_5_2_numbers_are_numbers_and_texts_stay(
        self, server: Server, ada: User, token: str, tmp_path: Path
    ) -> None:
        """Digits alone are int, with a point float; 02 §9.6: no text of digits is left."""
        key = server.add(kinds.film(tmp_path / "film.webm"), ada)
        facts = server.get(f"/records/{key.databox}/{key.number}/", token)["record"]["technical_informations"]
        values = {fact["name"]: fact["value"] for fact in facts}
        assert isinstance(values["Duration"], float | int)
        assert isinstance(values["FrameRate"], float | int)
        assert isinstance(values["VideoCodec"], str)
        assert not [value for value in values.values() if isinstance(value, str) and re.fullmatch(r"\d*\.?\d+", value)]
        assert not [value for value in values.values() if isinstance(value, bool)]

    def test_5_1_a_record_without_files_has_no_thumbnail(self, server: Server, token: str) -> None:
        key = BasketWorld(server).record()
        record = server.get(f"/records/{key.databox}/{key.number}/", token)["record"]
        assert (record["thumbnail"], record["sha256"], record["original_name"]) == (None, None, f"{key.number}.jpg")
        assert server.get(f"/records/{key.databox}/{key.number}/embed/", token)["embed"] == []

    @pytest.mark.parametrize(("number", "name"), [(0, "Miss"), (1, "Mrs"), (2, "Mr")])
    def test_5_13_gender_and_position_have_their_words(self, server: Server, number: int, name: str) -> None:
        token = server.token(server.user("eve", gender=number, job="Curator", activity="Archives", city=""))
        user = server.get("/me/", token)["user"]
        assert (user["gender"], user["job"], user["position"], user["city"]) == (name, "Curator", "Archives", None)
        assert shapes.faults(shapes.USER, user) == []

    def test_5_20_every_right_has_its_name_and_a_mask_its_restriction(self, server: Server) -> None:
        """02 §4.7: eighteen of a collection and four of a databox."""
        user = server.user("eve", {})
        with server.services.database.write() as work:
            bit = {"bit": 4, "label_on": "On", "label_off": "Off", "labels_on": {}, "labels_off": {}}
            structure_store.add_status_bit(work, server.databox.id, {**bit, "searchable": True, "printable": True})
            structure_store.increase_version(work)
            everything = ~Right(0)
            grant = CollectionGrant(
                server.photographs.id, server.databox.id, everything, mask_and=0b110000, mask_xor=0b10000
            )
            server.services.accounts.users.grant(work, COMMAND, user.id, grant)
            rights = DataboxRight(ALL_DATABOX_RIGHTS)
            server.services.accounts.users.grant_databox(work, COMMAND, user.id, server.databox.id, rights)
        me = server.get("/me/", server.token(user))
        (held,) = me["collections"]
        assert set(held["rights"]) == {
            "actif", "canaddrecord", "canadmin", "cancmd", "candeleterecord", "candwnldhd", "candwnldpreview",
            "canmodifrecord", "canpush", "canputinalbum", "canreport", "chgstatus", "imgtools", "manage",
            "modify_struct", "nowatermark", "order_master", "restrict_dwnld",
        }  # fmt: skip
        assert set(me["databoxes"][0]["rights"]) == {"bas_modif_th", "bas_modify_struct", "bas_manage", "bas_chupub"}
        by_bit = {status["position"]: status for status in held["statuses"]}
        assert (by_bit[4]["restricted"], by_bit[4]["restriction_flag"]) == (True, True)
        assert by_bit[4]["labels"]["on"]["fr"] == "On"
        assert by_bit[5] == {
            "position": 5, "labels": {"on": None, "off": None}, "restricted": True, "restriction_flag": False,
        }  # fmt: skip

    def test_6_10_a_suspended_link_is_listed_without_rights(self, server: Server) -> None:
        token = server.token(server.user("eve", {int(server.photographs.id): Right.canputinalbum}))
        held = server.get("/me/", token)["collections"]
        assert [(grant["base_id"], grant["rights"]) for grant in held] in ([(server.photographs.id, [])], [])

    def test_5_9_only_granted_databoxes_are_told(self, server: Server, token: str) -> None:
        """02 §6.2: where 4.1 lists all."""
        with server.services.database.write() as work:
            other = server.services.library.structure.add_databox(work, COMMAND, "Depot")
        assert str(other.id) not in server.get("/databoxes/list/", token)["databoxes"]
        assert server.call("GET", f"/api/v1/databoxes/{other.id}/collections/", token).status_code == 401

    def test_5_10_labels_fall_back_unless_they_are_empty(self, server: Server, token: str) -> None:
        path = f"/api/v4/collections/{server.photographs.id}/settings"
        changed = server.call("PATCH", path, token, json={"labels": {"fr": "Photos"}}, headers={"If-Match": "*"})
        assert changed.status_code == 200, changed.text
        labels = server.get(f"/collections/{server.photographs.id}/", token)["collection"]["labels"]
        assert labels == {"fr": "Photos", "en": "Photographs", "de": "Photographs", "nl": "Photographs"}


class TestExtended:
    """02 §9.12: wherever a record appears."""

    def test_each_place(self, server: Server, ada: User, token: str, key: RecordKey) -> None:
        headers = {"Accept": "application/vnd.phraseanet.record-extended+json"}
        created = server.call("POST", "/api/v1/stories", token, json={"stories": [
            {"base_id": server.photographs.id, "title": "S",
             "story_records": [{"databox_id": key.databox, "record_id": key.number}]}]})  # fmt: skip
        story = created.json()["response"]["stories"][0]
        world = BasketWorld(server)
        basket = world.create(ada, [key])
        entry = publish(server, ada, add_feed(server, ada, public=True).id, [key])
        server.work()

        def shown(path: str) -> Any:
            return server.get(path, token, headers=headers)

        places: dict[str, Any] = {
            "alone": shown(f"/records/{key.databox}/{key.number}/")["record"],
            "child": shown(story)["story"]["records"][0],
            "element": shown(f"/baskets/{basket}/content/")["basket_elements"][0]["record"],
            "item": shown(f"/feeds/entry/{entry.id}/")["entry"]["items"][0]["record"],
            "feed": shown(f"/feeds/{entry.feed_id}/content/")["entries"][0]["items"][0]["record"],
            "feeds": shown("/feeds/content/")["entries"][0]["items"][0]["record"],
            "search": shown("/search/")["results"]["records"][0],
            "older search": shown("/records/search/")["results"][0],
        }
        for place, record in places.items():
            assert shapes.faults(shapes.EXTENDED, record) == [], place
            assert record == places["alone"], place


class TestSearch:
    """02 §6.5: the parameters that are no part of the search language."""

    @pytest.fixture
    def many(self, server: Server, ada: User, tmp_path: Path) -> list[RecordKey]:
        return [server.add(make.jpeg(tmp_path / f"{n}.jpg", 60 + n, 40, seed=n), ada) for n in range(12)]

    def test_pages_are_ten_and_bounded(self, server: Server, token: str, many: list[RecordKey]) -> None:
        for query, per_page, count in (("", 10, 10), ("?per_page=0", 10, 10), ("?per_page=7", 7, 7),
                                       ("?per_page=5000", 1000, 12), ("?offset_start=10", 10, 2)):  # fmt: skip
            for path in ("/search/", "/records/search/"):
                answer = server.get(path + query, token)
                results = answer["results"] if path.startswith("/rec") else answer["results"]["records"]
                assert (answer["per_page"], answer["available_results"], len(results)) == (per_page, count, count)
                assert answer["total_results"] == len(many)
                assert isinstance(answer["offset_start"], int)
        for query in ("per_page=-1", "offset_start=-1", "per_page=x"):
            assert server.call("GET", f"/api/v1/search/?{query}", token).status_code == 400

    def test_bases_are_those_that_the_caller_may_search(self, server: Server, many: list[RecordKey]) -> None:
        token = server.token(server.user("eve", {int(server.archive.id): READER}))
        assert server.get("/search/", token)["total_results"] == 0
        both = f"bases[]={server.archive.id}&bases[]={server.photographs.id}"
        assert server.get(f"/search/?{both}", token)["total_results"] == 0
        for query in (f"bases[]={server.photographs.id}", "bases[]=999"):
            assert server.call("GET", f"/api/v1/search/?{query}", token).status_code == 400

    def test_kinds_and_methods(self, server: Server, token: str, many: list[RecordKey]) -> None:
        for kind, count in (("image", 12), ("video", 0), ("anything", 12), ("", 12)):
            assert server.get(f"/search/?record_type={kind}", token)["total_results"] == count, kind
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            answer = server.call(method, "/api/v1/records/search/?per_page=1", token)
            assert len(answer.json()["response"]["results"]) == 1, method
        assert server.get("/search/?search_type=2", token)["results"] == {"stories": [], "records": []}

    @pytest.mark.parametrize("path", ["/search/", "/records/search/"])
    def test_the_life_of_addresses_comes_from_the_query_alone(
        self, server: Server, token: str, many: list[RecordKey], path: str
    ) -> None:
        """02 §5.3: and a negative one is given back as it was sent."""

        def ttl(query: str, form: dict[str, str]) -> int:
            answer = server.call("POST", f"/api/v1{path}{query}", token, data=form).json()["response"]["results"]
            first = answer[0] if isinstance(answer, list) else answer["records"][0]
            return int(first["thumbnail"]["url_ttl"])

        assert ttl("", {"subdef_url_ttl": "60"}) == 7200
        assert ttl("?subdef_url_ttl=60", {}) == 60
        assert ttl("?subdef_url_ttl=-5", {}) == -5


class TestQuarantineList:
    """02 §6.3."""

    @pytest.mark.parametrize(
        ("query", "offset", "size"),
        [("", 0, 10), ("?per_page=0", 0, 1), ("?per_page=5000&offset_start=3", 3, 1000), ("?offset_start=-4", 0, 10)],
    )
    def test_pages_are_clamped_and_numbers(
        self, server: Server, token: str, query: str, offset: int, size: int
    ) -> None:
        answer = server.get(f"/quarantine/list/{query}", token)
        assert answer == {"offset_start": offset, "per_page": size, "quarantine_items": []}


class TestAddingByAddress:
    """02 §6.4: `url` in place of a file."""

    @pytest.fixture
    def place(self, tmp_path: Path) -> Iterator[Callable[[str], str]]:
        content = make.jpeg(tmp_path / "quay.jpg", 320, 240, seed=5).read_bytes()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(404 if "gone" in self.path else 200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_arguments: object) -> None:
                return

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
            thread = threading.Thread(target=http.serve_forever)
            thread.start()
            yield lambda name: f"http://files.example.org:{http.server_port}/{name}"
            http.shutdown()
            thread.join()

    @pytest.fixture
    def fetching(self, server: Server, place: Callable[[str], str]) -> Server:
        """Names resolve to the server of this test, the only public address."""
        port = int(re.findall(r":(\d+)/", place(""))[0])
        fetcher = Fetcher(
            10_000_000, lambda _host, _port: ["127.0.0.1"], lambda address: address == "127.0.0.1", (port,)
        )
        library = server.services.library
        object.__setattr__(library, "ingest", replace(library.ingest, fetcher=fetcher))
        return server

    def test_it_is_fetched_and_one_that_fails_is_400(
        self, fetching: Server, token: str, place: Callable[[str], str], tmp_path: Path
    ) -> None:
        def add(url: str, **more: Any) -> Any:
            return fetching.call("POST", "/api/v1/records/add/", token, data={"base_id": "1", "url": url}, **more)

        url = add(place("quay.jpg")).json()["response"]["url"]
        assert fetching.get(url, token)["record"]["original_name"] == "quay.jpg"
        assert add(place("gone.jpg")).status_code == 400
        other = make.jpeg(tmp_path / "other.jpg", 100, 90, seed=6)
        answer = add(place("gone.jpg"), files={"file": ("other.jpg", other.read_bytes())})
        assert answer.json()["response"]["entity"] == "0", "a file goes before an address"


@pytest.mark.parametrize(("flag", "is_made"), [("1", False), ("oui", False), ("", False), ("0", True), (None, True)])
def test_6_4_renditions_are_left_out_on_demand(
    server: Server, token: str, tmp_path: Path, flag: str | None, is_made: bool
) -> None:
    form = {"base_id": "1"} if flag is None else {"base_id": "1", "nosubdefs": flag}
    files = {"file": ("a.jpg", make.jpeg(tmp_path / "a.jpg", 300, 200).read_bytes())}
    url = server.call("POST", "/api/v1/records/add/", token, data=form, files=files).json()["response"]["url"]
    server.work()
    names = {file["name"] for file in server.get(f"{url}embed/", token)["embed"]}
    assert ("thumbnail" in names) is is_made
    assert "document" in names


def test_6_6_a_story_has_its_record_and_a_record_no_story(server: Server, token: str, key: RecordKey) -> None:
    created = server.call("POST", "/api/v1/stories", token, json={"stories": [{"base_id": server.photographs.id}]})
    story = created.json()["response"]["stories"][0]
    record = server.get(story.replace("stories", "records"), token)["record"]
    assert (record["mime_type"], record["sha256"]) == (None, None)
    assert server.call("GET", f"/api/v1/stories/{key.databox}/{key.number}/", token).status_code == 404


def test_4_8_sight_is_a_live_link_whose_mask_passes_or_a_grant(server: Server, ada: User, key: RecordKey) -> None:
    """02 §4.8, on every route of a record."""
    hidden = CollectionGrant(server.photographs.id, server.databox.id, ALL_RIGHTS, mask_and=0b10000, mask_xor=0b10000)
    bob = server.user("bob", {})
    with server.services.database.write() as work:
        server.services.accounts.users.grant(work, COMMAND, bob.id, hidden)
    token = server.token(bob)
    tails = ("", "caption/", "metadatas/", "status/", "related/", "embed/")
    path = f"/api/v1/records/{key.databox}/{key.number}/"
    assert {server.call("GET", path + tail, token).status_code for tail in tails} == {401}
    form = {"base_id": "2", "status[4]": "1", "metadatas[0][meta_struct_id]": "1", "metadatas[0][meta_id]": "",
            "metadatas[0][value]": "x"}  # fmt: skip
    for tail in ("setmetadatas/", "setstatus/", "setcollection/"):
        assert server.call("POST", path + tail, token, data=form).status_code == 401, tail
    assert server.call("DELETE", path, token).status_code == 401
    BasketWorld(server).push(ada, [key], bob)
    assert {server.call("GET", path + tail, token).status_code for tail in tails} == {200}
    with server.services.database.write() as work:
        work.db.execute(records.update().values(status=0b10000))
    assert server.call("GET", path, token).status_code == 200
