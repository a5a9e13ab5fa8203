"""Contract 08: existing clients, call by call in their own order and form, against the tables of 02."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx2 as httpx
import pytest

from tests.contract import shapes
from tests.contract.shapes import faults
from vitrine.accounts import COMMAND, DataboxRight, User, Via
from vitrine.accounts.registration.model import Policy
from vitrine.accounts.rights import ALL_DATABOX_RIGHTS, READER
from vitrine.applications import Switch
from vitrine.baskets.model import BasketId
from vitrine.library import structure_store
from vitrine.library.model import DataboxId, RecordKey
from vitrine.media.metadata.write import EmbeddedFacts, write_metadata
from vitrine.testing import media_factory as make
from vitrine.testing import media_kinds as kinds
from vitrine.testing.basket_world import BasketWorld
from vitrine.testing.feed_factory import add_feed, publish
from vitrine.testing.server import CALLBACK, PASSWORD, Registered, Server, hidden

FACTS = EmbeddedFacts(
    title="Harbour at dawn", caption="Boats.", keywords=("harbour", "dawn"), author="Ada", rights="© Museum",
    city="Brest", country="France", date="2026-02-10", title_other="Le port",
)  # fmt: skip
SDK = {"User-Agent": "Phraseanet SDK/0.9", "Accept": "application/json"}
EXTENDED = "application/vnd.phraseanet.record-extended+json"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One document of every kind, and a status bit; these tests only read."""
    folder = tmp_path_factory.mktemp("clients")
    server = Server(folder / "data")
    ada = server.user("ada", first_name="Ada", email="ada@museum.example")
    (folder / "raw.bin").write_bytes(b"\0\1\2 of no type")
    for file in (
        harbour(folder), kinds.film(folder / "film.webm"), make.mp4(folder / "film.mp4"),
        kinds.sound(folder / "tone.mp3"), kinds.pdf(folder / "pages.pdf"), folder / "raw.bin",
    ):  # fmt: skip
        server.add(file, ada)
    with_status_bit(server)
    yield server
    server.close()


@pytest.fixture
def own(server: Server, tmp_path: Path) -> Server:
    """One photograph that tests may change."""
    server.add(harbour(tmp_path), server.user("ada", first_name="Ada"))
    with_status_bit(server)
    return server


def harbour(folder: Path) -> Path:
    return write(make.jpeg(folder / "raw.jpg", 1600, 1000), folder / "harbour.jpg")


def write(raw: Path, target: Path) -> Path:
    write_metadata(raw, target, FACTS)
    return target


def with_status_bit(server: Server) -> None:
    with server.services.database.write() as work:
        names = {"label_on": "Online", "label_off": "Offline", "labels_on": {}, "labels_off": {}}
        bit = {"bit": 4, **names, "searchable": True, "printable": False}
        structure_store.add_status_bit(work, server.databox.id, bit)
        structure_store.increase_version(work)


def ada_of(server: Server) -> User:
    with server.services.database.read() as work:
        return server.services.accounts.users.find(work, "ada")


def allowed(server: Server, user: User, app: Registered, response_type: str, **more: str) -> str:
    """The address to which the browser is sent after the person allows the application on the consent page."""
    query = {"response_type": response_type, "client_id": app.client_id, "redirect_uri": CALLBACK, **more}
    browser = server.browser(user)
    page = browser.get("/api/oauthv2/authorize", params=query)
    assert page.status_code == 200, page.text
    answer = browser.client.post(
        "/api/oauthv2/authorize", params=query, data={**hidden(page.text), "action_accept": "1"}
    )
    assert answer.status_code == 302
    return str(answer.headers["location"])


def fits(shape: Any, value: Any) -> None:
    assert faults(shape, value) == []


class Sdk:
    """The calls of the PHP SDK: token in the query, arrays with indices, responses read as objects."""

    def __init__(self, server: Server, token: str) -> None:
        self.http, self.token = server.http, token

    def __call__(self, method: str, path: str, **more: Any) -> Any:
        answer = self.http.request(
            method, f"/api/v1/{path}", params={"oauth_token": self.token, **more.pop("query", {})}, headers=SDK, **more
        )
        body = answer.json()
        assert answer.status_code == 200, answer.text
        fits(shapes.ENVELOPE, body)
        assert body["meta"]["request"] == f"{method} /api/v1/{path}"
        return body["response"]


@pytest.fixture(scope="module")
def sdk(filled: Server) -> Sdk:
    return signed_in(filled)


@pytest.fixture
def changing(own: Server) -> Sdk:
    return signed_in(own)


def signed_in(server: Server) -> Sdk:
    """Signs in as the SDK does: authorize with an empty scope, then exchange the code for a token."""
    ada = ada_of(server)
    app = server.register(ada)
    back = urlsplit(allowed(server, ada, app, "code", scope="", state="k3"))
    assert list(parse_qs(back.query)) == ["state", "code", "iss"]
    form = {
        "grant_type": "authorization_code", "redirect_uri": CALLBACK, "scope": "",
        "code": parse_qs(back.query)["code"][0], "client_id": app.client_id, "client_secret": app.secret,
    }  # fmt: skip
    answer = server.http.post("/api/oauthv2/token", data=form, headers=SDK)
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) - {"token_type"} == {"access_token", "scope"}
    assert answer.json()["scope"] is None
    return Sdk(server, answer.json()["access_token"])


def test_php_sdk_reads_structure_as_lists(sdk: Sdk) -> None:
    boxes = sdk("GET", "databoxes/list/")["databoxes"]
    fits([shapes.DATABOX], boxes)
    box = boxes[0]["databox_id"]
    fits([shapes.COLLECTION], sdk("GET", f"databoxes/{box}/collections/")["collections"])
    me = sdk("GET", "me/")
    fits({"user": shapes.USER, "collections": [shapes.GRANT], "databoxes": list}, me)
    structures = sdk("GET", "me/structures/")
    fits([shapes.META_FIELD], structures["meta_fields"])
    technical = [{"name": shapes.FACTS, "method": (str, None), "type": str, "analyzable": bool}]
    fits(technical, structures["technical_fields"])
    for group in sdk("GET", "me/subdefs/")["subdefs"].values():
        fits([shapes.RECIPE], list(group.values()))
    fits([shapes.MY_COLLECTION], sdk("GET", "me/collections/")["collections"])


def test_php_sdk_reads_definitions_with_the_right_to_structure(changing: Sdk, own: Server) -> None:
    sdk, filled, ada = changing, own, ada_of(own)
    with filled.services.database.write() as work:
        filled.services.accounts.users.grant_databox(
            work, COMMAND, ada.id, filled.databox.id, DataboxRight(ALL_DATABOX_RIGHTS)
        )
    box = filled.databox.id
    fits([shapes.STATUS_DEFINITION], sdk("GET", f"databoxes/{box}/status/")["status"])
    fields = sdk("GET", f"databoxes/{box}/metadatas/")["document_metadatas"]
    assert fields
    fits([shapes.FIELD], fields)
    fits([{"locale": str, "terms": str}], sdk("GET", f"databoxes/{box}/termsOfUse/")["termsOfUse"])


@pytest.mark.parametrize("where", ["records/search/", "search/"])
def test_php_sdk_searches_and_reads_every_kind(sdk: Sdk, where: str) -> None:
    form = {"query": "", "bases[0]": "1", "bases[1]": "2", "offset_start": "0", "per_page": "20", "record_type": ""}
    response = sdk("POST", where, data=form)
    fits(shapes.SEARCH, response)
    records = response["results"] if where.startswith("records") else response["results"]["records"]
    fits([shapes.RECORD], records)
    assert {record["phrasea_type"] for record in records} == {"image", "video", "audio", "document", "unknown"}
    assert response["available_results"] == response["total_results"] == len(records) == 6


def test_php_sdk_opens_every_record(sdk: Sdk) -> None:
    for record in sdk("POST", "records/search/", data={"query": "", "per_page": "20"})["results"]:
        path = f"records/{record['databox_id']}/{record['record_id']}/"
        fits(shapes.RECORD, sdk("GET", path)["record"])
        fits([shapes.CAPTION], sdk("GET", path + "caption/")["caption_metadatas"])
        fits([shapes.METADATA], sdk("GET", path + "metadatas/")["record_metadatas"])
        fits([shapes.STATUS], sdk("GET", path + "status/")["status"])
        fits({"baskets": list, "stories": list}, sdk("GET", path + "related/"))
        embed = sdk("GET", path + "embed/")["embed"]
        fits([{**shapes.SUBDEF, "permalink": shapes.PERMALINK}], embed)
        assert embed[0]["name"] == "document"


def test_php_sdk_changes_and_deletes(changing: Sdk, own: Server) -> None:
    sdk = changing
    record = sdk("POST", "records/search/", data={"query": "harbour"})["results"][0]
    path = f"records/{record['databox_id']}/{record['record_id']}/"
    title = next(entry for entry in sdk("GET", path + "metadatas/")["record_metadatas"] if entry["name"] == "Title")
    change = {
        "metadatas[0][meta_struct_id]": str(title["meta_structure_id"]), "metadatas[0][meta_id]": str(title["meta_id"]),
        "metadatas[0][value]": "Harbour at night",
    }  # fmt: skip
    changed = sdk("POST", path + "setmetadatas/", data=change)["record_metadatas"]
    fits([shapes.METADATA], changed)
    assert "Harbour at night" in [entry["value"] for entry in changed]
    fits([shapes.STATUS], sdk("POST", path + "setstatus/", data={"status[4]": "1"})["status"])
    moved = sdk("POST", path + "setcollection/", data={"base_id": str(own.archive.id)})["record"]
    fits(shapes.RECORD, moved)
    assert moved["base_id"] == own.archive.id
    assert sdk("DELETE", path) == {}
    gone = sdk.http.get(f"/api/v1/{path}", params={"oauth_token": sdk.token}, headers=SDK)
    assert (gone.status_code, gone.json()["response"]) == (404, {})


def test_php_sdk_uploads_and_reads_the_quarantine(changing: Sdk, tmp_path: Path) -> None:
    sdk = changing
    content = make.jpeg(tmp_path / "new.jpg", 500, 400, seed=77).read_bytes()
    for behaviour, entity, pattern in (("0", "0", r"/records/\d+/\d+/"), ("1", "1", r"/quarantine/item/\d+/")):
        form = {"base_id": "1", "forceBehavior": behaviour, "status": "0b10000"}
        added = sdk("POST", "records/add/", data=form, files={"file": ("new.jpg", content, "image/jpeg")})
        assert added["entity"] == entity
        assert re.fullmatch(pattern, added["url"])
    listed = sdk("GET", "quarantine/list/", query={"offset_start": "0", "per_page": "10"})
    fits({"offset_start": int, "per_page": int, "quarantine_items": [shapes.QUARANTINE_ITEM]}, listed)
    (item,) = listed["quarantine_items"]
    fits(shapes.QUARANTINE_ITEM, sdk("GET", f"quarantine/item/{item['id']}/")["quarantine_item"])


def other_of(server: Server) -> User:
    return server.user("bob", first_name="Bob", email="bob@museum.example")


def test_php_sdk_makes_and_reads_baskets(changing: Sdk, own: Server) -> None:
    """`Baskets` of the SDK: list, create, content, name and description, delete; elements come by the page."""
    sdk = changing
    basket = sdk("POST", "baskets/add/", data={"name": "<strong>Boats"})["basket"]
    fits(shapes.BASKET, basket)
    assert basket["name"] == "<strong>Boats"
    path = f"baskets/{basket['basket_id']}/"
    (record,) = sdk("POST", "records/search/", data={"query": "harbour"})["results"]
    key = RecordKey(DataboxId(record["databox_id"]), record["record_id"])
    world = BasketWorld(own)
    world.add(ada_of(own), BasketId(basket["basket_id"]), key)
    content = sdk("GET", path + "content/")
    assert list(content) == ["basket", "basket_elements"]
    fits([shapes.BASKET_ELEMENT], content["basket_elements"])
    assert sdk("GET", f"records/{key.databox}/{key.number}/related/")["baskets"][0]["basket_id"] == basket["basket_id"]
    world.start_vote(ada_of(own), BasketId(basket["basket_id"]), other_of(own), ada_of(own))
    (listed,) = sdk("GET", "baskets/list/")["baskets"]
    fits(shapes.VOTE_BASKET, listed)
    voted = sdk("GET", path + "content/")["basket_elements"]
    fits([shapes.VOTE_ELEMENT], voted)
    assert sdk("POST", path + "setname/", data={"name": "Ships"})["basket"]["name"] == "Ships"
    assert sdk("POST", path + "setdescription/", data={"description": "Old"})["basket"]["description"] == "Old"
    assert sdk("POST", path + "delete/") == {"baskets": []}


def test_php_sdk_reads_feeds(changing: Sdk, own: Server) -> None:
    """`Feed` and `Entry` of the SDK: list, aggregated, one feed by pages, one entry; all of them lists."""
    sdk, ada = changing, ada_of(own)
    (record,) = sdk("POST", "records/search/", data={"query": "harbour"})["results"]
    key = RecordKey(DataboxId(record["databox_id"]), record["record_id"])
    with own.services.database.write() as work:
        rights = DataboxRight(ALL_DATABOX_RIGHTS)
        own.services.accounts.users.grant_databox(work, COMMAND, ada.id, own.databox.id, rights)
    ada = ada_of(own)
    feed = add_feed(own, ada, public=True)
    for number in range(3):
        publish(own, ada, feed.id, [key], title=f"Entry {number}")
    fits([shapes.FEED], sdk("GET", "feeds/list/")["feeds"])
    every = sdk("GET", "feeds/content/", query={"offset_start": "0", "per_page": "2"})
    fits({"total_entries": int, "offset_start": int, "per_page": int, "entries": [shapes.ENTRY]}, every)
    assert (every["total_entries"], len(every["entries"])) == (3, 2)
    page = sdk("GET", f"feeds/{feed.id}/content/", query={"offset_start": "1", "per_page": "5"})
    fits({"feed": shapes.FEED, "offset_start": int, "per_page": int, "entries": [shapes.ENTRY]}, page)
    assert [entry["title"] for entry in page["entries"]] == ["Entry 1", "Entry 2"]
    fits(shapes.ENTRY, sdk("GET", page["entries"][0]["url"].lstrip("/"))["entry"])


def test_php_sdk_makes_and_reads_stories(changing: Sdk, own: Server) -> None:
    """`Story` of the SDK, with JSON bodies beside the token in the query; it sends DELETE with a body."""
    sdk = changing
    (record,) = sdk("POST", "records/search/", data={"query": "harbour"})["results"]
    child = {"databox_id": record["databox_id"], "record_id": record["record_id"]}
    (url,) = sdk("POST", "stories", json={"stories": [{"base_id": own.photographs.id, "title": "Dawn"}]})["stories"]
    assert re.fullmatch(r"/stories/\d+/\d+/", url)
    path = url.strip("/")
    assert sdk("POST", f"{path}/addrecords", json={"story_records": [child]}) == {
        "records": [f"{child['databox_id']}_{child['record_id']}"]
    }
    story = sdk("GET", f"{path}/")["story"]
    fits(shapes.WHOLE_STORY, story)
    fits([shapes.SUBDEF], sdk("GET", f"{path}/embed/")["embed"])
    cover = sdk.http.post(
        f"/api/v1/{path}/setcover",
        params={"oauth_token": sdk.token},
        json={"record_id": child["record_id"]},
        headers=SDK,
    )
    assert cover.json()["response"] == [f"{child['databox_id']}_{child['record_id']}"]
    assert sdk("GET", f"{path}/")["story"]["cover_record_id"] == child["record_id"]
    stories = sdk("POST", "search/", data={"search_type": "1", "query": ""})["results"]["stories"]
    fits([shapes.FOUND_STORY], stories)
    sdk("DELETE", f"{path}/delrecords", json={"story_records": [child]})
    assert sdk("GET", f"{path}/")["story"]["records"] == []


def test_php_sdk_keeps_accounts_by_bodies_without_a_type(changing: Sdk, own: Server) -> None:
    """`User` of the SDK sends JSON without a Content-Type (08), and reads `success`."""
    sdk = changing
    with own.services.database.write() as work:
        own.services.accounts.registration.set_databox_policy(work, COMMAND, own.databox.id, Policy(True, None))

    def send(path: str, body: Any) -> Any:
        raw = sdk.http.build_request(
            "POST", f"/api/v1/{path}", params={"oauth_token": sdk.token}, content=json.dumps(body), headers=SDK
        )
        assert "content-type" not in raw.headers
        answer = sdk.http.send(raw)
        assert answer.status_code == 200, answer.text
        return answer.json()["response"]

    assert send("me/update-account/", {"firstname": "Augusta", "city": "Brest"}) == {"success": True}
    assert sdk("GET", "me/")["user"]["first_name"] == "Augusta"
    assert isinstance(send("me/request-collections/", [own.photographs.id]), dict | list)
    demand = send("accounts/access-demand/", {"email": "eve@museum.example", "password": PASSWORD})
    assert set(demand) == {"user", "token"}
    assert sdk("POST", f"accounts/unlock/{demand['token']}/") == {"success": True}
    own.user("bob", {own.photographs.id: READER}, email="bob@museum.example")
    token = sdk("POST", "accounts/reset-password/bob@museum.example/")["reset_token"]
    changed = sdk("POST", f"accounts/update-password/{token}/", data={"password": PASSWORD + " anew"})
    assert changed == {"success": True}
    changed = {"oldPassword": PASSWORD, "password": {"password": PASSWORD + " 2", "confirm": PASSWORD + " 2"}}
    assert send("me/update-password/", changed) == {"success": True}


def test_php_sdk_reads_the_monitor_as_administrator(own: Server) -> None:
    """`Monitor` of the SDK: scheduler, tasks, one of them, start and stop, the settings."""
    root = own.user("root", is_admin=True)
    sdk = Sdk(own, own.token(root))
    scheduler = sdk("GET", "monitor/scheduler/")["scheduler"]
    assert set(scheduler) == {"configuration", "state", "status", "pid", "process-id", "updated_on"}
    tasks = sdk("GET", "monitor/tasks/")["tasks"]
    fits([shapes.TASK], tasks)
    path = f"monitor/task/{tasks[0]['id']}/"
    fits(shapes.TASK, sdk("GET", path)["task"])
    assert sdk("POST", path + "stop/")["task"]["status"] == "stopped"
    assert sdk("POST", path + "start/")["task"]["status"] == "started"
    assert sdk("POST", path, data={"title": "Pictures"})["task"]["title"] == "Pictures"
    assert set(sdk("GET", "monitor/phraseanet/")) == {"phraseanet", "cache", "global_values"}


def test_an_uploader_enqueues_with_a_body_without_a_type(tmp_path: Path) -> None:
    """The upload service that 4.1 pulls from says what it has; it gets its body back."""
    server = Server(tmp_path / "data", upload_queue_hosts=("uploader.example.org",))
    body = {"assets": ["a1"], "publisher": "ada", "token": "t", "base_url": "http://uploader.example.org/api",
            "commit_id": "c"}  # fmt: skip
    token = server.token(server.user("ada"))
    answer = server.http.post("/api/v1/upload/enqueue/", params={"oauth_token": token}, content=json.dumps(body))
    assert answer.status_code == 200, answer.text
    assert answer.json()["response"] == {"data": body}
    server.close()


@pytest.mark.parametrize(
    ("token", "path", "status"), [("gone", "me/", 401), ("", "me/", 400), (None, "records/1/999/", 404)]
)
def test_php_sdk_tells_refusals_apart_by_status(sdk: Sdk, token: str | None, path: str, status: int) -> None:
    query = {"oauth_token": sdk.token if token is None else token}
    answer = sdk.http.get(
        f"/api/v1/{path}", params={name: value for name, value in query.items() if value}, headers=SDK
    )
    assert answer.status_code == status
    if status != 404:
        assert any(challenge.startswith("OAuth realm='Service', error='") for challenge in challenges(answer))


def challenges(answer: httpx.Response) -> list[str]:
    return [value for name, value in answer.headers.multi_items() if name.lower() == "www-authenticate"]


def test_wordpress_signs_in_by_password_without_secret_and_frames_what_it_found(filled: Server) -> None:
    ada = ada_of(filled)
    app = filled.register(ada, on=(Switch.PASSWORD_GRANT,))
    with filled.services.database.write() as work:
        actor = filled.services.accounts.users.actor_of(work, ada, Via.COMMAND)
        filled.services.applications.registry.set_switch(
            work, actor, app.application.id, Switch.SECRET_REQUIRED, on=False
        )
    form = {"grant_type": "password", "client_id": app.client_id, "username": "ada", "password": PASSWORD, "scope": ""}
    answer = filled.http.post("/api/oauthv2/token", data=form)
    assert answer.status_code == 200, answer.text
    token = answer.json()["access_token"]
    response = filled.http.get(
        "/api/v1/search/",
        params={"oauth_token": token, "query": "", "per_page": "20", "offset_start": "0", "record_type": "image"},
        headers={"Accept": EXTENDED},
    ).json()["response"]
    fits(shapes.SEARCH, response)
    fits({"stories": list, "records": [shapes.EXTENDED]}, response["results"])
    (record,) = response["results"]["records"]
    for name in ("preview", "document", "thumbnail"):
        subdef = next(file for file in record["subdefs"] if file["name"] == name)
        for address in (subdef["permalink"]["url"], subdef["permalink"]["download_url"]):
            framed = filled.http.get(f"/embed/?url={address}")  # not percent-encoded, as the plugin writes it
            assert framed.status_code == 200, framed.text
            assert "x-frame-options" not in framed.headers


def test_phrasea_indexer_pages_without_the_last_slash(filled: Server) -> None:
    ada = ada_of(filled)
    headers = {"Authorization": f"OAuth {filled.token(ada)}"}
    for path in ("/api/v1/databoxes/list", "/api/v1/me", "/api/v1/search?query=&per_page=2", "/api/v1/records/1/1"):
        moved = filled.http.get(path, headers=headers)
        assert moved.status_code == 301, path
        assert filled.http.get(moved.headers["location"], headers=headers).status_code == 200
        assert urlsplit(moved.headers["location"]).query == urlsplit(path).query
    seen: list[int] = []
    while True:
        page = filled.get(
            f"/search/?sort=recordid&ord=asc&per_page=4&offset_start={len(seen)}", headers["Authorization"].split()[1]
        )
        if not page["results"]["records"]:
            break
        seen += [record["record_id"] for record in page["results"]["records"]]
    assert seen == [1, 2, 3, 4, 5, 6]


def test_lutece_posts_everything_and_reads_every_member(filled: Server) -> None:
    ada = ada_of(filled)
    body = f"oauth_token={filled.token(ada)}&query=&bases[]=1&bases[]=2&per_page=20&offset_start=0&ord=desc"
    answer = filled.http.post(
        "/api/v1/search/?", content=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert answer.status_code == 200, answer.text
    records = answer.json()["response"]["results"]["records"]
    assert len(records) == 6
    known = [record for record in records if record["phrasea_type"] != "unknown"]
    fits([{**shapes.RECORD, "thumbnail": {**shapes.SUBDEF, "permalink": shapes.PERMALINK}}], known)


def test_old_browser_library_takes_the_token_from_the_fragment_and_speaks_jsonp(filled: Server) -> None:
    ada = ada_of(filled)
    app = filled.register(ada)
    page_url = CALLBACK + "?page=3"  # the page it is on
    back = urlsplit(allowed(filled, ada, app, "token", redirect_uri=page_url, state="s"))
    assert parse_qs(back.query) == {"page": ["3"], "state": ["s"]}
    token = parse_qs(back.fragment)["access_token"][0]
    assert "code" not in parse_qs(back.fragment)
    for path, status in (("me/", 200), ("databoxes/list/", 200), ("search/", 200), ("records/1/999/", 404)):
        query = {"oauth_token": token, "callback": "jQuery1102_9", "_": "1700000000"}
        answer = filled.http.get(f"/api/v1/{path}", params=query, headers={"Accept": "*/*"})
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/javascript")
        padded = re.fullmatch(r"/\*\*/jQuery1102_9\((.*)\);", answer.text, re.DOTALL)
        assert padded, answer.text[:80]
        body = json.loads(padded[1])
        fits(shapes.ENVELOPE, body)
        assert body["meta"]["http_code"] == status


def test_oauth_libraries_find_what_they_insist_on(server: Server) -> None:
    ada = server.user("ada")
    app = server.register(ada)
    gone = server.http.post(
        "/api/oauthv2/revoke", data={"token": "unknown", "client_id": app.client_id, "client_secret": app.secret}
    )
    assert (gone.status_code, gone.headers["content-type"].partition(";")[0], gone.json()) == (
        200,
        "application/json",
        {},
    )
    refused = server.http.get("/api/v1/me/", headers={"Authorization": "Bearer nobody"})
    words = [challenge.partition(" ")[0] for challenge in challenges(refused)]
    assert refused.status_code == 401
    assert words == ["OAuth", "Bearer"]
    metadata = server.http.get("/.well-known/oauth-authorization-server").json()
    assert "S256" in metadata["code_challenge_methods_supported"]
    assert metadata["revocation_endpoint"].endswith("/api/oauthv2/revoke")


def test_multipart_without_boundary_or_body_counts_as_no_body(filled: Server) -> None:
    ada = ada_of(filled)
    token = quote(filled.token(ada))
    expected = len(filled.get("/search/?query=harbour", token)["results"]["records"])
    for kind in ("multipart/form-data", "multipart/form-data; boundary=----x"):
        answer = filled.http.post(
            f"/api/v1/records/search/?oauth_token={token}&query=harbour&bases[0]=1", headers={"Content-Type": kind}
        )
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["response"]["results"]) == expected > 0
