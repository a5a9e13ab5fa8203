"""Contract 02: the envelope, and every object of section 5 field by field."""

import base64
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from vitrine.accounts import User
from vitrine.library.model import RecordKey
from vitrine.media.metadata.write import EmbeddedFacts, write_metadata
from vitrine.testing import media_factory as make
from vitrine.testing.postgresql import PostgreSQL
from vitrine.testing.server import Server, furnish_database

DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
LABELS = ["fr", "en", "de", "nl"]
FACTS = EmbeddedFacts(
    title="Harbour at dawn", caption="Boats before the first light.", keywords=("harbour", "dawn", "boats"),
    author="Ada Martin", rights="© Museum", city="Brest", country="France", date="2026-02-10", title_other="Le port",
)  # fmt: skip


@dataclass(frozen=True)
class Library:
    server: Server
    ada: User
    token: str
    key: RecordKey


@pytest.fixture(
    scope="module",
    params=[("sqlite", True), ("sqlite", False), ("postgresql", True), ("postgresql", False)],
    ids=["sqlite-fast", "sqlite-ordinary", "postgresql-fast", "postgresql-ordinary"],
)
def library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """One record for all tests here, which only read: on each database, with the fast paths and without."""
    database, fast_paths = request.param
    folder, url = Path(tmp_path_factory.mktemp("objects")), ""
    with ExitStack() as stack:
        if database == "postgresql":
            postgresql: PostgreSQL = request.getfixturevalue("postgresql")
            url = stack.enter_context(postgresql.database(postgresql.template("furnished", furnish_database)))
        server = Server(folder / "data", database_url=url, fast_paths=fast_paths)
        stack.callback(server.close)
        ada = server.user("ada", first_name="Ada", last_name="Martin", email="ada@museum.example")
        write_metadata(make.jpeg(folder / "raw.jpg", 1600, 1000), folder / "harbour.jpg", FACTS)
        yield Library(server, ada, server.token(ada), server.add(folder / "harbour.jpg", ada))


@pytest.fixture
def server(library: Library) -> Server:
    return library.server


@pytest.fixture
def ada(library: Library) -> User:
    return library.ada


@pytest.fixture
def token(library: Library) -> str:
    return library.token


@pytest.fixture
def key(library: Library) -> RecordKey:
    return library.key


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
