"""Contract 02 sections 5.16, 5.17 and 6.8: feeds of API v1, with the refusals of each route."""

import re
from typing import Any

import httpx2 as httpx
import pytest

from tests.contract.shapes import DATE
from vitrine.accounts import COMMAND, Right, User
from vitrine.accounts.rights import READER
from vitrine.applications import Profile
from vitrine.feeds import Feed
from vitrine.library import structure_store
from vitrine.library.model import RecordKey
from vitrine.testing.feed_factory import add_feed, picture, publish, publisher
from vitrine.testing.server import Server

pytestmark = pytest.mark.both_databases
EXTENDED = {"Accept": "application/vnd.phraseanet.record-extended+json"}
SDK = {"User-Agent": "Phraseanet SDK 0.9"}
LISTS = ("/feeds/list/", "/feeds/content/")


@pytest.fixture
def ada(server: Server) -> User:
    return publisher(server, "ada", email="ada@museum.example", first_name="Ada", last_name="Martin")


@pytest.fixture
def bob(server: Server) -> User:
    """Reads the archive, not the photographs."""
    return server.user("bob", {server.archive.id: READER})


@pytest.fixture
def news(server: Server, ada: User) -> Feed:
    return add_feed(server, ada, public=True)


def ask(server: Server, token: str | None, path: str, **options: Any) -> httpx.Response:
    return server.call("GET", f"/api/v1{path}", token, **options)


def ids(entries: list[dict[str, Any]]) -> list[int]:
    return [entry["id"] for entry in entries]


def test_a_feed_has_the_fields_of_the_contract(server: Server, ada: User, bob: User, news: Feed) -> None:
    (own,) = server.get("/feeds/list/", server.token(ada))["feeds"]
    assert own | {"created_on": "", "updated_on": ""} == {
        "id": news.id, "title": "News", "subtitle": None, "total_entries": 0, "icon": False, "public": True,
        "readonly": False, "deletable": True, "created_on": "", "updated_on": "",
    }  # fmt: skip
    assert DATE.fullmatch(own["created_on"]) and DATE.fullmatch(own["updated_on"])
    (other,) = server.get("/feeds/list/", server.token(bob))["feeds"]
    assert (other["readonly"], other["deletable"]) == (True, False)


def test_an_entry_has_the_fields_of_the_contract(server: Server, ada: User, news: Feed) -> None:
    keys = [picture(server, title=title) for title in ("One", "Two")]
    entry = publish(server, ada, news.id, keys, subtitle="In the harbour", author_email="press@museum.example")
    given = server.get(f"/feeds/entry/{entry.id}/", server.token(ada))["entry"]
    items = given.pop("items")
    assert given | {"created_on": "", "updated_on": ""} == {
        "id": entry.id, "author_email": "press@museum.example", "author_name": "Ada Martin", "created_on": "",
        "updated_on": "", "title": "Boats", "subtitle": "In the harbour", "feed_id": news.id, "feed_title": "News",
        "feed_url": f"/feeds/{news.id}/content/", "url": f"/feeds/entry/{entry.id}/",
    }  # fmt: skip
    assert [(type(item["item_id"]), item["record"]["record_id"]) for item in items] == [
        (int, key.number) for key in keys
    ]
    assert items[0]["record"]["thumbnail"]["name"] == "thumbnail"


def test_feeds_come_last_updated_first_and_only_those_one_may_read(server: Server, ada: User, bob: User) -> None:
    everybody = add_feed(server, ada, title="Everybody")
    photographs = add_feed(server, ada, scope=server.photographs, title="Photographs")
    archive = add_feed(server, ada, scope=server.archive, title="Archive")
    public = add_feed(server, ada, public=True, scope=server.photographs, title="Public")
    publish(server, ada, everybody.id, [picture(server)])

    def listed(user: User) -> list[int]:
        return ids(server.get("/feeds/list/", server.token(user))["feeds"])

    assert listed(ada) == [everybody.id, public.id, archive.id, photographs.id]
    assert listed(bob) == [everybody.id, public.id, archive.id]
    server.regrant(bob, server.archive, Right(0))
    assert listed(bob) == [everybody.id, public.id]


def test_entries_of_a_feed_come_oldest_created_first_as_a_list(server: Server, ada: User, news: Feed) -> None:
    token = server.token(ada)
    entries = [publish(server, ada, news.id, [picture(server)], title=f"Entry {number}").id for number in range(7)]
    for headers in ({}, SDK):
        page = server.get(f"/feeds/{news.id}/content/", token, headers=headers)
        assert (page["offset_start"], page["per_page"], ids(page["entries"])) == (0, 5, entries[:5])
        assert page["feed"]["total_entries"] == 7
        page = server.get(f"/feeds/{news.id}/content/?offset_start=5", token, headers=headers)
        assert ids(page["entries"]) == entries[5:]  # a list, not an object keyed from the offset


@pytest.mark.parametrize(
    ("path", "sent", "given"),
    [
        ("content/", "0", 5), ("content/", "20", 20), ("content/", "21", 20), ("content/", "-1", 20),
        ("{feed}/content/", "0", 100), ("{feed}/content/", "100", 100), ("{feed}/content/", "101", 100),
        ("{feed}/content/", "-5", 100), ("{feed}/content/", "", 5), ("content/", "", 5),
    ],
)  # fmt: skip
def test_the_size_of_a_page_is_clamped(server: Server, ada: User, news: Feed, path: str, sent: str, given: int) -> None:
    page = server.get(f"/feeds/{path.format(feed=news.id)}?per_page={sent}", server.token(ada))
    assert page["per_page"] == given


def test_all_entries_come_last_updated_first_with_a_number_of_them(server: Server, ada: User, bob: User) -> None:
    feeds = [add_feed(server, ada, title=f"Feed {number}") for number in range(3)]
    hidden = add_feed(server, ada, scope=server.photographs)
    entries = [publish(server, ada, feeds[number % 3].id, [picture(server)]).id for number in range(7)]
    secret = publish(server, ada, hidden.id, [picture(server)]).id
    token = server.token(bob)
    page = server.get("/feeds/content/", token)
    assert ids(page["entries"]) == entries[::-1][:5]
    assert (page["total_entries"], page["offset_start"], page["per_page"]) == (7, 0, 5)
    assert ids(server.get("/feeds/content/?offset_start=5&per_page=20", token)["entries"]) == entries[::-1][5:]
    assert ids(server.get("/feeds/content/?offset_start=200", token)["entries"]) == []
    some = server.get(f"/feeds/content/?feeds[]={feeds[0].id}&feeds[]={hidden.id}", token)
    assert (ids(some["entries"]), some["total_entries"]) == ([entries[6], entries[3], entries[0]], 3)
    none = server.get(f"/feeds/content/?feeds[]={hidden.id}", token)
    assert (none["entries"], none["total_entries"]) == ([], 0)
    assert server.get("/feeds/content/", server.token(ada))["entries"][0]["id"] == secret


def test_deep_pages_go_on_where_the_first_ones_end(server: Server, ada: User) -> None:
    """The first entries are merged from the youngest feeds, later ones read in order: both are the same list."""
    feeds = [add_feed(server, ada), add_feed(server, ada)]
    record = picture(server)
    entries = [publish(server, ada, feeds[number % 2].id, [record]).id for number in range(104)][::-1]
    token = server.token(ada)
    for offset in (0, 78, 80, 81, 90, 103):
        page = server.get(f"/feeds/content/?offset_start={offset}&per_page=20", token)
        assert ids(page["entries"]) == entries[offset : offset + 20]


def test_an_unreadable_feed_is_empty_and_its_entry_forbidden(server: Server, ada: User, bob: User) -> None:
    hidden = add_feed(server, ada, scope=server.photographs)
    entry = publish(server, ada, hidden.id, [picture(server)])
    token = server.token(bob)
    answer = ask(server, token, f"/feeds/{hidden.id}/content/")
    assert (answer.status_code, answer.json()["response"]) == (200, {})
    refused = ask(server, token, f"/feeds/entry/{entry.id}/")
    assert (refused.status_code, refused.json()["meta"]["error_type"]) == (403, "Forbidden")
    assert refused.json()["response"] == {}


def test_the_flag_of_a_public_feed_counts_for_a_lone_entry(server: Server, ada: User, bob: User) -> None:
    """06 section 13: the original forgets it there."""
    public = add_feed(server, ada, public=True, scope=server.photographs)
    entry = publish(server, ada, public.id, [picture(server)])
    assert server.get(f"/feeds/entry/{entry.id}/", server.token(bob))["entry"]["id"] == entry.id


@pytest.mark.parametrize("path", ["/feeds/999/content/", "/feeds/entry/999/", "/feeds/" + "9" * 30 + "/content/",
                                  "/feeds/entry/" + "9" * 19 + "/"])  # fmt: skip
def test_what_does_not_exist_is_404(server: Server, ada: User, path: str) -> None:
    answer = ask(server, server.token(ada), path)
    assert (answer.status_code, answer.json()["meta"]["error_type"]) == (404, "Not Found")


@pytest.mark.parametrize("path", ["/feeds/news/content/", "/feeds/entry/x/", "/feeds/-1/content/"])
def test_twins_are_400_with_empty_details(server: Server, ada: User, path: str) -> None:
    answer = ask(server, server.token(ada), path)
    assert (answer.status_code, answer.json()["meta"]["error_details"]) == (400, "")
    assert ask(server, None, path).status_code == 400  # no token


@pytest.mark.parametrize(
    "query", ["feeds[]=x", "feeds[]=-1", "offset_start=x", "per_page=x", "per_page=1e3", "offset_start=" + "9" * 30]
)
def test_malformed_parameters_are_400(server: Server, ada: User, query: str) -> None:
    answer = ask(server, server.token(ada), f"/feeds/content/?{query}")
    assert (answer.status_code, answer.json()["meta"]["error_type"]) == (400, "Bad Request")


def test_records_are_listed_whatever_the_reader_may_see_but_files_are_not(server: Server, ada: User, bob: User) -> None:
    """02 section 6.8; the files by 06 section 17.7."""
    feed = add_feed(server, ada)
    seen, unseen = picture(server, server.archive), picture(server, server.photographs)
    entry = publish(server, ada, feed.id, [seen, unseen])
    token = server.token(bob)
    path = f"/feeds/entry/{entry.id}/"
    first, second = (item["record"] for item in server.get(path, token, headers=EXTENDED)["entry"]["items"])
    assert [file["name"] for file in first["subdefs"]] == ["preview", "thumbnail"]
    assert (second["thumbnail"], second["subdefs"], second["title"]) == (None, [], "Harbour")
    assert ask(server, token, f"/records/{unseen.databox}/{unseen.number}/").status_code == 401
    own = server.get(path, server.token(ada), headers=EXTENDED)["entry"]["items"][1]["record"]
    assert [file["name"] for file in own["subdefs"]] == ["document", "preview", "thumbnail"]


def test_preview_and_thumbnail_of_a_public_feed_are_free_and_nothing_else(
    server: Server, ada: User, bob: User, news: Feed
) -> None:
    unseen = picture(server, server.photographs)
    entry = publish(server, ada, news.id, [unseen])
    token = server.token(bob)
    (item,) = server.get(f"/feeds/entry/{entry.id}/", token, headers=EXTENDED)["entry"]["items"]
    assert [file["name"] for file in item["record"]["subdefs"]] == ["preview", "thumbnail"]
    assert item["record"]["thumbnail"] is not None
    addresses = [
        address.removeprefix(server.settings.base_url)
        for file in [*item["record"]["subdefs"], item["record"]["thumbnail"]]
        for address in (file["url"], *(file["permalink"][name] for name in ("url", "page_url", "download_url")))
    ]
    assert [server.http.get(address).status_code for address in addresses] == [200] * 12
    assert all(re.search(r"token=(&|$)", address) for address in addresses if "permalink" in address)
    with server.services.database.write() as work:
        server.services.feeds.registry.change(work, COMMAND, news.id, {"is_public": False})
    assert [server.http.get(address).status_code for address in addresses] == [404] * 12  # none outlasts it
    assert ask(server, token, f"/records/{unseen.databox}/{unseen.number}/").status_code == 401
    assert ask(server, token, f"/records/{unseen.databox}/{unseen.number}/embed/").status_code == 401


def test_business_fields_of_unseen_records_stay_unsaid(server: Server, ada: User, bob: User) -> None:
    with server.services.database.read() as work:
        fields = server.services.library.records.structure(work).fields[server.databox.id]
    business = next(field.name for field in fields if field.business)
    feed = add_feed(server, ada)
    entry = publish(server, ada, feed.id, [picture(server, values={business: "internal", "City": "Brest"})])
    answer = ask(server, server.token(bob), f"/feeds/entry/{entry.id}/", headers=EXTENDED)
    assert "Brest" in answer.text and "internal" not in answer.text
    assert "internal" in ask(server, server.token(ada), f"/feeds/entry/{entry.id}/", headers=EXTENDED).text


def test_records_that_are_gone_leave_their_entries(server: Server, ada: User, news: Feed) -> None:
    kept, gone, hidden = picture(server), picture(server), picture(server, server.archive)
    entry = publish(server, ada, news.id, [gone, kept, hidden])
    token = server.token(ada)

    def numbers() -> list[int]:
        items = server.get(f"/feeds/entry/{entry.id}/", token)["entry"]["items"]
        return [item["record"]["record_id"] for item in items]

    assert server.call("DELETE", f"/api/v1/records/{gone.databox}/{gone.number}/", token).status_code == 200
    assert numbers() == [kept.number, hidden.number]
    with server.services.database.write() as work:
        disable(server, work)
    assert numbers() == [kept.number]


def disable(server: Server, work: Any) -> None:
    structure_store.update_collection(work, server.archive.id, {"enabled": False})
    structure_store.increase_version(work)


@pytest.mark.parametrize("path", [*LISTS, "/feeds/{feed}/content/", "/feeds/entry/{entry}/"])
def test_a_token_without_the_scope_is_refused(server: Server, ada: User, news: Feed, path: str) -> None:
    entry = publish(server, ada, news.id, [picture(server)])
    application = server.register(ada, profile=Profile.STRICT).application
    with server.services.database.write() as work:
        actor = server.services.accounts.users.actor_of(work, ada, COMMAND.via)
        tokens = [
            server.services.oauth.personal_tokens.add(work, actor, application, scope, "90", frozenset({scope}))
            for scope in ("library:read", "feeds")
        ]
    path = path.format(feed=news.id, entry=entry.id)
    assert [ask(server, token, path).status_code for token in tokens] == [403, 200]
    assert ask(server, None, path).status_code == 400


def test_a_missing_slash_is_redirected(server: Server, ada: User, news: Feed) -> None:
    answer = ask(server, server.token(ada), f"/feeds/{news.id}/content?per_page=3")
    assert (answer.status_code, answer.headers["location"]) == (301, f"/api/v1/feeds/{news.id}/content/?per_page=3")
    assert ask(server, server.token(ada), "/feeds/list").status_code == 301


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_other_methods_are_405(server: Server, ada: User, method: str) -> None:
    answer = server.call(method, "/api/v1/feeds/list/", server.token(ada))
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_answers_are_the_same_for_a_record_in_several_entries(server: Server, ada: User, news: Feed) -> None:
    record: RecordKey = picture(server)
    for _ in range(2):
        publish(server, ada, news.id, [record])
    entries = server.get(f"/feeds/{news.id}/content/", server.token(ada))["entries"]
    assert entries[0]["items"][0]["record"] == entries[1]["items"][0]["record"]
