"""Contract 02: the envelope, and every object of section 5 field by field."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from vitrine.accounts import Right, User
from vitrine.accounts.rights import ALL_RIGHTS, READER
from vitrine.library.model import RecordKey
from vitrine.media.metadata.write import EmbeddedFacts, write_metadata
from vitrine.testing import media_factory as make
from vitrine.testing.server import Server

DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
LABELS = ["fr", "en", "de", "nl"]
FACTS = EmbeddedFacts(
    title="Harbour at dawn", caption="Boats before the first light.", keywords=("harbour", "dawn", "boats"),
    author="Ada Martin", rights="© Museum", city="Brest", country="France", date="2026-02-10", title_other="Le port",
)  # fmt: skip

pytestmark = [pytest.mark.both_databases, pytest.mark.both_paths]


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada", first_name="Ada", last_name="Martin", email="ada@museum.example")


@pytest.fixture
def token(server: Server, ada: User) -> str:
    return server.token(ada)


@pytest.fixture
def key(server: Server, ada: User, tmp_path: Path) -> RecordKey:
    write_metadata(make.jpeg(tmp_path / "raw.jpg", 1600, 1000), tmp_path / "harbour.jpg", FACTS)
    return server.add(tmp_path / "harbour.jpg", ada)


def path(key: RecordKey, tail: str = "") -> str:
    return f"/records/{key.databox}/{key.number}/{tail}"


def test_1_and_9_1_the_envelope_has_eight_keys(server: Server, token: str) -> None:
    meta = server.call("GET", "/api/v1/me/?x=1", token).json()["meta"]
    assert list(meta) == [
        "api_version", "request", "response_time", "http_code", "error_type", "error_message", "error_details",
        "charset",
    ]  # fmt: skip
    assert (meta["api_version"], meta["request"], meta["charset"]) == ("2.0.0", "GET /api/v1/me/", "UTF-8")
    assert DATE.fullmatch(meta["response_time"])
    assert (meta["http_code"], meta["error_type"], meta["error_details"]) == (200, None, None)


@pytest.mark.parametrize(
    ("method", "where", "status", "kind"),
    [
        ("GET", "/records/1234567890/1/", 404, "Not Found"),
        ("GET", "/records/abc/def/", 400, "Bad Request"),
        ("GET", "/records/1/99/", 404, "Not Found"),
        ("GET", f"/records/1/{9**30}/", 404, "Not Found"),
        ("GET", f"/records/{9**30}/1/embed/", 404, "Not Found"),
        ("GET", "/records/1/99/caption/", 404, "Not Found"),
        ("GET", "/databoxes/9/collections/", 404, "Not Found"),
        ("GET", "/databoxes/x/collections/", 400, "Bad Request"),
        ("GET", "/search/?per_page=-1", 400, "Bad Request"),
        ("GET", "/search/?offset_start=-1", 400, "Bad Request"),
        ("GET", "/search/?offset_start=x", 400, "Bad Request"),
        ("GET", "/search/?bases[]=99", 400, "Bad Request"),
        ("GET", "/search/?bases[]=" + "9" * 5000, 400, "Bad Request"),
        ("GET", "/search/?ord=up", 400, "Bad Request"),
        ("POST", "/records/add/", 400, "Bad Request"),
    ],
)
def test_3_errors_are_in_the_envelope(
    server: Server, token: str, method: str, where: str, status: int, kind: str
) -> None:
    answer = server.call(method, f"/api/v1{where}", token)
    assert (answer.status_code, answer.json()["meta"]["error_type"]) == (status, kind)
    assert answer.json()["meta"]["http_code"] == status
    assert answer.json()["response"] == {}


def test_9_2_unknown_routes_and_methods_need_no_token(server: Server) -> None:
    unknown = server.call("GET", "/api/v1/nothinghere")
    assert (unknown.status_code, unknown.json()["meta"]["http_code"]) == (404, 404)
    wrong = server.call("POST", "/api/v1/me/")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "DELETE, GET, HEAD")
    assert wrong.json()["meta"]["error_type"] == "Method Not Allowed"


def test_9_3_a_callback_makes_javascript_and_always_200(server: Server, token: str) -> None:
    answer = server.call("GET", "/api/v1/records/1/99/?callback=app.on", token)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert answer.text.startswith("/**/app.on({")
    assert answer.text.endswith(");")
    assert '"http_code":404' in answer.text
    assert server.call("GET", "/api/v1/me/?callback=alert(1)", token).status_code == 400


def test_4_1_a_missing_slash_is_301_for_get_and_404_for_post(server: Server, token: str) -> None:
    moved = server.call("GET", "/api/v1/me?x=1")
    assert (moved.status_code, moved.headers["location"]) == (301, "/api/v1/me/?x=1")
    assert server.call("POST", "/api/v1/search", token).status_code == 404
    assert server.call("HEAD", "/api/v1/me/", token).status_code == 200


def test_2_an_accept_that_allows_nothing_is_406(server: Server, token: str) -> None:
    assert server.call("GET", "/api/v1/me/", token, headers={"Accept": "image/png"}).status_code == 406


def test_6_0_the_root_needs_no_token(server: Server) -> None:
    root = server.call("GET", "/api/").json()["response"]
    assert root["type"] == "phraseanet"
    assert root["versions"]["1"] == {
        "number": "2.0.0", "uri": "/api/v1/", "authenticationProtocol": "OAuth2", "authenticationVersion": "draft#v9",
        "authenticationEndPoints": {
            "authorization_token": "/api/oauthv2/authorize", "access_token": "/api/oauthv2/token",
        },
    }  # fmt: skip


def test_5_1_and_9_6_record(server: Server, token: str, key: RecordKey) -> None:
    record = server.get(path(key), token)["record"]
    assert list(record) == [
        "databox_id", "record_id", "resource_id", "mime_type", "title", "original_name", "updated_on", "created_on",
        "collection_id", "base_id", "sha256", "thumbnail", "technical_informations", "phrasea_type", "uuid",
    ]  # fmt: skip
    assert record["resource_id"] == f"{server.services.instance_id}_{key.databox}_{key.number}"
    assert (record["mime_type"], record["title"], record["original_name"]) == (
        "image/jpeg",
        "Harbour at dawn",
        "harbour.jpg",
    )
    assert (record["collection_id"], record["base_id"]) == (server.photographs.number, server.photographs.id)
    assert re.fullmatch(r"[0-9a-f]{64}", record["sha256"])
    assert DATE.fullmatch(record["created_on"])
    assert DATE.fullmatch(record["updated_on"])
    assert UUID.fullmatch(record["uuid"])
    assert record["phrasea_type"] == "image"


def test_5_2_technical(server: Server, token: str, key: RecordKey) -> None:
    facts = server.get(path(key), token)["record"]["technical_informations"]
    assert all(list(fact) == ["name", "value"] for fact in facts)
    values = {fact["name"]: fact["value"] for fact in facts}
    assert (values["Width"], values["Height"], values["ThumbnailOrientation"]) == (1600, 1000, "L")
    assert isinstance(values["FileSize"], int)
    assert not [value for value in values.values() if isinstance(value, str) and value.isdigit()]


def check_subdef(subdef: dict[str, Any]) -> None:
    assert list(subdef) == [
        "name", "permalink", "height", "width", "filesize", "devices", "player_type", "mime_type", "substituted",
        "created_on", "updated_on", "url", "url_ttl",
    ]  # fmt: skip
    typed = ("height", "width", "filesize", "devices", "substituted", "url_ttl")
    assert {name: type(subdef[name]) for name in typed} == {
        "height": int, "width": int, "filesize": int, "devices": list, "substituted": bool, "url_ttl": int,
    }  # fmt: skip
    assert set(subdef["permalink"]) == {
        "created_on", "updated_on", "id", "is_activated", "label", "page_url", "url", "download_url",
    }  # fmt: skip


def test_5_3_and_5_4_subdef_and_permalink(server: Server, token: str, key: RecordKey) -> None:
    files = server.get(path(key, "embed/"), token)["embed"]
    assert files[0]["name"] == "document"
    assert {file["name"] for file in files} == {
        "document",
        "preview",
        "thumbnail",
        "preview_mobile",
        "thumbnail_mobile",
    }
    for file in files:
        check_subdef(file)
        link = file["permalink"]
        matched = re.fullmatch(
            rf"{server.settings.base_url}/permalink/v1/{key.databox}/{key.number}/{file['name']}/Harbour-at-dawn\.jpg\?token=([0-9a-zA-Z]{{64}})",
            link["url"],
        )
        assert matched, link["url"]
        assert link["download_url"] == link["url"] + "&download=1"
        assert link["page_url"].endswith(f"/{file['name']}/?token={matched[1]}")
        assert file["url"].startswith(f"{server.settings.base_url}/medias/ey")
        assert server.http.get(file["url"]).status_code == 200
        assert server.http.get(link["url"]).status_code == 200
    by_name = {file["name"]: file for file in files}
    assert by_name["document"]["devices"] == ["all"]
    assert by_name["thumbnail"]["devices"] == ["screen"]
    assert (by_name["preview"]["width"], by_name["preview"]["height"]) == (1280, 800)
    assert by_name["preview"]["player_type"] == "IMAGE"
    assert by_name["preview"]["url_ttl"] == 7200


@pytest.mark.parametrize(("ttl", "shown", "endless"), [("60", 60, False), ("-5", -1, True), ("0", 0, False)])
def test_5_3_the_life_of_signed_addresses(
    server: Server, token: str, key: RecordKey, ttl: str, shown: int, endless: bool
) -> None:
    thumbnail = server.get(path(key) + f"?subdef_url_ttl={ttl}", token)["record"]["thumbnail"]
    head, claims, _ = thumbnail["url"].rpartition("/")[2].split(".")
    decoded = msgspec.json.decode(base64.urlsafe_b64decode(claims + "=="))
    header = msgspec.json.decode(base64.urlsafe_b64decode(head + "=="))
    assert thumbnail["url_ttl"] == shown
    assert ("exp" not in decoded) is endless
    assert decoded["sdef"] == [key.databox, key.number, "thumbnail"]
    assert header["alg"] == "HS256"
    assert set(decoded) >= {"iat", "iss", "sdef"}


def test_5_5_caption_joins_values(server: Server, token: str, key: RecordKey) -> None:
    entries = server.get(path(key, "caption/"), token)["caption_metadatas"]
    assert all(list(entry) == ["meta_structure_id", "name", "value"] for entry in entries)
    values = {entry["name"]: entry["value"] for entry in entries}
    assert values["Keywords"] == "harbour ; dawn ; boats"
    assert (values["Title"], values["City"], values["Date"]) == ("Harbour at dawn", "Brest", "2026-02-10")


def test_5_6_and_9_7_metadata_has_one_entry_a_value(server: Server, token: str, key: RecordKey) -> None:
    entries = server.get(path(key, "metadatas/"), token)["record_metadatas"]
    words = [entry for entry in entries if entry["name"] == "Keywords"]
    assert [entry["value"] for entry in words] == ["harbour", "dawn", "boats"]
    assert len({entry["meta_id"] for entry in words}) == 3
    assert all(list(entry) == ["meta_structure_id", "name", "labels", "meta_id", "value"] for entry in entries)
    assert all(list(entry["labels"]) == LABELS for entry in entries)
    assert words[0]["labels"] == {"fr": "Mots-clés", "en": "Keywords", "de": "Keywords", "nl": "Keywords"}


def test_5_9_and_5_10_databox_and_collection(server: Server, token: str, key: RecordKey) -> None:
    boxes = server.get("/databoxes/list/", token)["databoxes"]
    box = boxes[str(server.databox.id)]
    assert list(box) == ["databox_id", "name", "viewname", "labels", "version"]
    assert list(box["labels"]) == LABELS
    collections = server.get(f"/databoxes/{server.databox.id}/collections/", token)["collections"]
    collection = collections[str(server.photographs.number)]
    assert list(collection) == [
        "base_id",
        "databox_id",
        "collection_id",
        "name",
        "labels",
        "record_amount",
        "order_managers",
    ]
    assert (collection["base_id"], collection["record_amount"], collection["order_managers"]) == (
        server.photographs.id,
        1,
        [],
    )


def test_7_lists_for_the_php_sdk(server: Server, token: str) -> None:
    agent = {"User-Agent": "Phraseanet SDK Player/4.1"}
    assert isinstance(server.get("/databoxes/list/", token, headers=agent)["databoxes"], list)
    assert isinstance(server.get("/databoxes/1/collections/", token, headers=agent)["collections"], list)


def test_5_13_and_5_20_user_and_grants(server: Server, token: str, ada: User) -> None:
    me = server.get("/me/", token)
    assert list(me) == ["user", "collections", "databoxes"]
    assert list(me["user"]) == [
        "@entity@", "id", "email", "login", "first_name", "last_name", "display_name", "gender", "address", "zip_code",
        "city", "country", "phone", "fax", "job", "position", "company", "geoname_id", "last_connection", "created_on",
        "updated_on", "locale",
    ]  # fmt: skip
    assert me["user"]["@entity@"] == "http://api.phraseanet.com/api/objects/user"
    assert (me["user"]["gender"], me["user"]["city"], me["user"]["display_name"]) == ("Miss", None, "Ada Martin")
    grant = me["collections"][0]
    assert list(grant) == ["databox_id", "base_id", "collection_id", "rights", "statuses"]
    assert len(grant["rights"]) == 17
    assert list(me["databoxes"][0]) == ["databox_id", "rights"]


def test_5_1_and_9_12_extended_records_everywhere(server: Server, token: str, key: RecordKey) -> None:
    accept = {"Accept": "application/vnd.phraseanet.record-extended+json"}
    single = server.get(path(key), token, headers=accept)["record"]
    listed = server.get("/search/", token, headers=accept)["results"]["records"][0]
    older = server.get("/records/search/", token, headers=accept)["results"][0]
    for record in (single, listed, older):
        assert list(record)[-4:] == ["subdefs", "metadata", "status", "caption"]
    plain = server.call("GET", f"/api/v1{path(key)}?callback=f", token, headers=accept).text
    assert "subdefs" not in plain, "a callback cancels extended"


def test_6_5_search(server: Server, token: str, key: RecordKey) -> None:
    response = server.get("/search/?query=DAWN+brest&per_page=5", token)
    assert list(response) == [
        "offset_start", "per_page", "available_results", "total_results", "error", "warning", "query_time",
        "search_indexes", "suggestions", "facets", "results", "query",
    ]  # fmt: skip
    assert (response["total_results"], response["available_results"], response["per_page"]) == (1, 1, 5)
    assert list(response["results"]) == ["stories", "records"]
    assert response["results"]["records"][0]["record_id"] == key.number
    assert server.get("/search/?query=dawn&record_type=video", token)["total_results"] == 0
    assert server.get(f"/search/?bases[]={server.archive.id}", token)["total_results"] == 0
    assert server.get("/search/?search_type=1", token)["total_results"] == 0
    form = server.call(
        "POST", "/api/v1/records/search/", token, data={"query": "dawn", "bases[0]": str(server.photographs.id)}
    )
    assert len(form.json()["response"]["results"]) == 1


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("mimes[]=image/png", []),
        ("mimes[]=image/jpeg", ["document", "preview", "thumbnail", "preview_mobile", "thumbnail_mobile"]),
        ("devices[]=nodevice", []),
        ("devices[]=handheld", ["preview_mobile", "thumbnail_mobile"]),
        ("devices[]=all", ["document"]),
    ],
)
def test_9_9_embed_filters(server: Server, token: str, key: RecordKey, query: str, names: list[str]) -> None:
    assert [file["name"] for file in server.get(path(key, f"embed/?{query}"), token)["embed"]] == names


@pytest.mark.parametrize(
    ("rights", "names"),
    [
        (Right.actif, {"thumbnail", "thumbnail_mobile"}),
        (READER, {"thumbnail", "thumbnail_mobile", "preview", "preview_mobile"}),
        (Right.actif | Right.candwnldhd, {"thumbnail", "thumbnail_mobile", "document"}),
    ],
)
def test_9_9_files_follow_rights(server: Server, key: RecordKey, rights: Right, names: set[str]) -> None:
    token = server.token(server.user("bob", rights))
    assert {file["name"] for file in server.get(path(key, "embed/"), token)["embed"]} == names


def test_a_stranger_to_the_collection_gets_401_and_finds_nothing(server: Server, key: RecordKey) -> None:
    token = server.token(server.user("eve", {server.archive.id: ALL_RIGHTS}))
    for tail in ("", "caption/", "metadatas/", "embed/"):
        assert server.call("GET", f"/api/v1{path(key, tail)}", token).status_code == 401
    assert server.get("/search/?query=harbour", token)["total_results"] == 0


def test_status_masks_hide_by_id_and_in_search(server: Server, ada: User, tmp_path: Path) -> None:
    hidden = server.add(make.jpeg(tmp_path / "h.jpg", seed=3), ada, status=0b10000)
    bob = server.user("bob", READER)
    server.regrant(bob, server.photographs, READER, mask_and=0b10000, mask_xor=0)
    token = server.token(bob)
    assert server.call("GET", f"/api/v1{path(hidden)}", token).status_code == 401
    assert server.get("/search/", token)["total_results"] == 0


def test_a_right_taken_away_counts_at_once(server: Server, key: RecordKey) -> None:
    bob = server.user("bob", READER)
    token = server.token(bob)
    signed = server.get(path(key), token)["record"]["thumbnail"]["url"]
    assert server.http.get(signed).status_code == 200
    server.regrant(bob, server.photographs, Right(0))
    assert server.call("GET", f"/api/v1{path(key)}", token).status_code == 401
    assert server.get("/search/", token)["total_results"] == 0
    assert server.http.get(signed).status_code == 404, (
        "a signed address stops working when its issuer loses the right (04 section 4)"
    )


def test_business_fields_only_for_those_who_may_edit(server: Server, key: RecordKey) -> None:
    with server.services.database.write() as work:
        work.db.exec_driver_sql(
            "INSERT INTO field_values (record_id, field_id, value, position) "
            "SELECT 1, id, 'insured for a million', 99 FROM fields WHERE name = 'Comments'"
        )
    editor, reader = server.token(server.user("ed", ALL_RIGHTS)), server.token(server.user("bob", READER))
    names = [entry["name"] for entry in server.get(path(key, "metadatas/"), editor)["record_metadatas"]]
    assert "Comments" in names
    assert "Comments" not in str(server.get(path(key, "metadatas/"), reader))
    assert "Comments" not in str(server.get(path(key, "caption/"), editor)), "the caption route never shows them"


class TestAdding:
    """02 section 6.4 and acceptance 9.8."""

    def add(self, server: Server, token: str, file: Path | None, **form: str) -> Any:
        files = {"file": (file.name, file.read_bytes())} if file else None
        return server.call("POST", "/api/v1/records/add/", token, data=form, files=files)

    def test_a_file_becomes_a_record(self, server: Server, token: str, tmp_path: Path) -> None:
        answer = self.add(server, token, make.jpeg(tmp_path / "a.jpg"), base_id="1")
        assert answer.status_code == 200
        assert answer.json()["response"]["entity"] == "0"
        assert re.fullmatch(r"/records/\d+/\d+/", answer.json()["response"]["url"])

    def test_a_duplicate_goes_to_the_quarantine_unless_forced(self, server: Server, token: str, tmp_path: Path) -> None:
        file = make.jpeg(tmp_path / "a.jpg")
        self.add(server, token, file, base_id="1")
        assert self.add(server, token, file, base_id="1").json()["response"]["entity"] == "1"
        assert self.add(server, token, file, base_id="1", forceBehavior="0").json()["response"]["entity"] == "0"
        forced = self.add(server, token, make.png(tmp_path / "b.png"), base_id="1", forceBehavior="1").json()[
            "response"
        ]
        assert forced["entity"] == "1"
        assert re.fullmatch(r"/quarantine/item/\d+/", forced["url"])

    def test_refusals(self, server: Server, token: str, tmp_path: Path) -> None:
        file = make.jpeg(tmp_path / "a.jpg")
        assert self.add(server, token, file).status_code == 400
        assert self.add(server, token, None, base_id="1").status_code == 400
        assert self.add(server, token, file, base_id="99").status_code == 404
        assert self.add(server, token, file, base_id="1", forceBehavior="2").status_code == 400
        two = [("file", ("a.jpg", b"x")), ("file", ("b.jpg", b"y"))]
        assert server.call("POST", "/api/v1/records/add/", token, data={"base_id": "1"}, files=two).status_code == 400
        reader = server.token(server.user("bob", READER))
        assert self.add(server, reader, file, base_id="1").status_code == 403

    def test_bad_files_leave_nothing_behind(self, server: Server, token: str, tmp_path: Path) -> None:
        whole = make.jpeg(tmp_path / "whole.jpg", 640, 480)
        bad = [make.truncated(whole, tmp_path / "cut.jpg"), make.bomb(tmp_path / "bomb.png", 16_000)]
        (tmp_path / "empty.jpg").touch()
        (tmp_path / "page.jpg").write_text("<html><body>no picture</body></html>")
        for file in [*bad, tmp_path / "empty.jpg", tmp_path / "page.jpg"]:
            answer = self.add(server, token, file, base_id="1")
            assert answer.status_code == 400, file.name
            assert answer.json()["meta"]["error_details"]
        blobs = server.settings.data_dir / "blobs"
        assert [path for path in blobs.rglob("*") if path.is_file()] == []
        assert server.get("/search/", token)["total_results"] == 0
        assert server.call("GET", "/api/", None).status_code == 200

    def test_a_multipart_request_without_a_body_counts_as_having_none(self, server: Server, token: str) -> None:
        headers = {"Content-Type": "multipart/form-data"}
        assert server.call("POST", "/api/v1/search/", token, headers=headers).status_code == 200

    def test_an_address_behind_the_guard_is_refused(self, server: Server, token: str) -> None:
        for url in ("http://127.0.0.1/a.jpg", "http://169.254.169.254/latest/", "file:///etc/passwd"):
            answer = self.add(server, token, None, base_id="1", url=url)
            assert answer.status_code == 400, url
            assert "address" in answer.json()["meta"]["error_details"]

    def test_a_stranger_is_refused_before_the_body_is_read(self, server: Server) -> None:
        def endless() -> Iterator[bytes]:
            for _ in range(1000):
                yield b"x" * 100_000

        headers = {"Content-Type": "multipart/form-data; boundary=b", "Authorization": "Bearer wrong"}
        answer = server.http.post("/api/v1/records/add/", content=endless(), headers=headers)
        assert answer.status_code == 401

    def test_a_file_beyond_the_limit_is_refused(self, tmp_path: Path) -> None:
        small = Server(tmp_path / "small", upload_max_bytes=10_000)
        token = small.token(small.user("ada"))
        answer = self.add(small, token, make.png(tmp_path / "big.png", 900, 900), base_id="1")
        assert answer.status_code in (400, 413)
        assert "10000 bytes" in answer.json()["meta"]["error_details"]
        small.close()
