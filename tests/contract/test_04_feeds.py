"""Contract 04 section 9: RSS, Atom, Media RSS and Cooliris forms, public and personal, with pages and validators."""

import re
from typing import Any

import httpx2 as httpx
import pytest
from lxml import etree

from tests.oauth.flows import code_of, exchange
from vitrine.accounts import COMMAND, Right, User, Via
from vitrine.accounts.rights import READER
from vitrine.applications import Profile
from vitrine.applications.tables import accounts
from vitrine.feeds import EntryDraft, Feed, FeedId
from vitrine.library import store, structure_store
from vitrine.library.model import BIN
from vitrine.library.sharing import permalink_store
from vitrine.library.tables import fields
from vitrine.testing import media_factory
from vitrine.testing.feed_factory import add_feed, picture, publish, publisher
from vitrine.testing.record_factory import StoredRecord, add_record, pdf_file
from vitrine.testing.server import Server

pytestmark = pytest.mark.both_databases
NAMES = {
    "atom": "http://www.w3.org/2005/Atom", "media": "http://search.yahoo.com/mrss/",
    "dc": "http://purl.org/dc/elements/1.1/",
}  # fmt: skip
TYPES = {"rss": "application/rss+xml", "atom": "application/atom+xml"}
BASE = "http://dam.test"


@pytest.fixture
def ada(server: Server) -> User:
    return publisher(server, "ada", email="ada@museum.example", first_name="Ada", last_name="Martin")


@pytest.fixture
def bob(server: Server) -> User:
    return server.user("bob", {server.archive.id: READER})


@pytest.fixture
def news(server: Server, ada: User) -> Feed:
    return add_feed(server, ada, public=True)


def get(server: Server, path: str, **headers: str) -> httpx.Response:
    return server.http.get(path, headers=headers)


def read(server: Server, path: str) -> Any:
    answer = get(server, path)
    assert answer.status_code == 200, answer.text
    return etree.fromstring(answer.content)


def texts(document: Any, xpath: str) -> list[str]:
    return [str(text) for text in document.xpath(xpath, namespaces=NAMES)]


def address(server: Server, user: User, feed_id: FeedId | None = None) -> str:
    """The beginning of the address of a person's feed, or of all of them."""
    with server.services.database.write() as work:
        actor = server.services.accounts.users.actor_of(work, user, Via.SESSION)
        token = server.services.feeds.addresses.renew(work, actor, feed_id)
    assert re.fullmatch("[0-9A-Za-z]{64}", token)
    return f"/feeds/userfeed/aggregated/{token}/" if feed_id is None else f"/feeds/userfeed/{token}/{feed_id}/"


@pytest.mark.parametrize("form", TYPES)
def test_forms_have_their_media_types(server: Server, news: Feed, form: str) -> None:
    for path in (f"/feeds/feed/{news.id}/{form}/", f"/feeds/aggregated/{form}/"):
        answer = get(server, path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, TYPES[form])
        assert "set-cookie" not in answer.headers
    assert get(server, "/feeds/cooliris/").headers["content-type"] == "application/rss+xml"


def test_rss_has_the_channel_and_the_items_of_the_contract(server: Server, ada: User, news: Feed) -> None:
    values = {"Title": "Dawn", "Keywords": "boats", "City": "Brest"}
    texts_of_entry: dict[str, Any] = {
        "title": "Boats & <nets>",
        "subtitle": "Two",
        "author_email": "ada@museum.example",
    }
    entry = publish(server, ada, news.id, [picture(server, values=values)], **texts_of_entry)
    document = read(server, f"/feeds/feed/{news.id}/rss/")
    own = f"{BASE}/feeds/feed/{news.id}/rss/"
    assert document.tag == "rss" and document.get("version") == "2.0"
    assert texts(document, "channel/title/text()") == texts(document, "channel/dc:title/text()") == ["News"]
    assert texts(document, "channel/link/text()") == [f"{own}?page=1"]
    assert texts(document, "channel/generator/text()") == ["Phraseanet"]
    assert texts(document, "channel/atom:link[@rel='self']/@href") == [f"{own}?page=1"]
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000", texts(document, "channel/pubDate/text()")[0])
    (item,) = document.xpath("channel/item")
    assert texts(item, "title/text()") == ["Boats & <nets>"]
    assert texts(item, "description/text()") == ["Two"]
    assert texts(item, "author/text()") == ["ada@museum.example (Ada Martin)"]
    assert texts(item, "link/text()") == [own]
    assert texts(item, "guid/text()") == [f"{BASE}/feeds/feed/{news.id}/atom/entry/{entry.id}/"]


def test_an_item_has_a_media_group_with_preview_and_thumbnail(server: Server, ada: User, news: Feed) -> None:
    key = picture(server, values={"Title": "Dawn", "City": "Brest"})
    publish(server, ada, news.id, [key])
    for form, group in (("rss", "channel/item/media:group"), ("atom", "atom:entry/media:group")):
        document = read(server, f"/feeds/feed/{news.id}/{form}/")
        assert texts(document, f"{group}/media:title/text()") == ["Dawn"]
        assert texts(document, f"{group}/media:title/@type") == ["plain"]
        (preview, thumbnail) = document.xpath(f"{group}/media:content", namespaces=NAMES)
        assert dict(preview.attrib) | {"url": "", "fileSize": ""} == {
            "url": "", "fileSize": "", "type": "image/jpeg", "medium": "image", "expression": "full",
            "isDefault": "true", "width": "60", "height": "40",
        }  # fmt: skip
        assert thumbnail.get("isDefault") == "false"
        assert texts(document, f"{group}/media:thumbnail/@width") == ["30"]
        for url in (preview.get("url"), thumbnail.get("url"), *texts(document, f"{group}/media:thumbnail/@url")):
            assert "token" not in url
            fetched = get(server, url.removeprefix(BASE))
            assert fetched.headers["content-type"] == "image/jpeg"
        assert int(preview.get("fileSize")) == len(get(server, preview.get("url").removeprefix(BASE)).content)


def test_atom_has_what_rfc_4287_asks_for(server: Server, ada: User, news: Feed) -> None:
    author_email = "press@museum.example"
    entry = publish(server, ada, news.id, [picture(server)], subtitle="Two", author_email=author_email)
    document = read(server, f"/feeds/feed/{news.id}/atom/")
    own = f"{BASE}/feeds/feed/{news.id}/atom/?page=1"
    assert texts(document, "atom:id/text()") == texts(document, "atom:link[@rel='self']/@href") == [own]
    assert texts(document, "atom:title/text()") == ["News"] and len(texts(document, "atom:updated/text()")) == 1
    (item,) = document.xpath("atom:entry", namespaces=NAMES)
    identifier = f"{BASE}/feeds/feed/{news.id}/atom/entry/{entry.id}/"
    assert texts(item, "atom:id/text()") == texts(item, "atom:link[@rel='self']/@href") == [identifier]
    assert texts(item, "atom:author/atom:name/text()") == ["Ada Martin"]
    assert texts(item, "atom:author/atom:email/text()") == [author_email]
    assert texts(item, "atom:content/text()") == ["Two"]
    assert len(texts(item, "atom:updated/text()")) == len(texts(item, "atom:published/text()")) == 1
    alone = read(server, identifier.removeprefix(BASE))
    assert texts(alone, "atom:entry/atom:id/text()") == [identifier]


@pytest.mark.parametrize("is_public_from_the_start", [True, False])
def test_the_public_reads_no_address_that_the_author_did_not_write(
    server: Server, ada: User, is_public_from_the_start: bool
) -> None:
    feed = add_feed(server, ada, public=is_public_from_the_start)
    publish(server, ada, feed.id, [picture(server)])
    written = publish(server, ada, feed.id, [picture(server)], author_email="press@museum.example")
    with server.services.database.write() as work:
        server.services.feeds.registry.change(work, COMMAND, feed.id, {"is_public": True})
    for form in TYPES:
        answer = get(server, f"/feeds/feed/{feed.id}/{form}/")
        assert "ada@museum.example" not in answer.text
        assert written.author_email in answer.text


def test_what_is_in_the_bin_is_in_no_feed(server: Server, ada: User, news: Feed) -> None:
    kept, gone = picture(server, title="Kept"), picture(server, title="Gone")
    entry = publish(server, ada, news.id, [kept, gone])
    path = f"/feeds/feed/{news.id}/atom/"
    files = texts(read(server, path), "//media:content/@url")
    assert len(files) == 4
    library = server.services.library
    with server.services.database.write() as work:
        library.structure.add_collection(work, COMMAND, server.databox.id, BIN)
    before = get(server, path)
    with server.services.database.write() as work:
        library.removal.discard(work, COMMAND, gone)
    after = get(server, path, **{"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    assert "Kept" in after.text and "Gone" not in after.text
    assert len([url for url in files if get(server, url.removeprefix(BASE)).status_code == 404]) == 2
    items = server.get(f"/feeds/entry/{entry.id}/", server.token(ada))["entry"]["items"]
    assert [item["record"]["title"] for item in items] == ["Kept"]
    with server.services.database.write() as work:
        library.changes.move(work, COMMAND, gone, server.photographs.id)
    assert "Gone" in get(server, path).text


def test_cooliris_has_an_item_for_each_file(server: Server, ada: User, news: Feed) -> None:
    publish(server, ada, news.id, [picture(server, values={"Title": title}) for title in ("One", "Two")])
    document = read(server, "/feeds/cooliris/")
    assert texts(document, "channel/item/title/text()") == ["One", "Two"]
    assert len(texts(document, "channel/item/media:content/@url")) == 2
    assert len(texts(document, "channel/item/media:thumbnail/@url")) == 2
    assert document.xpath("//media:group | //generator", namespaces=NAMES) == []
    link = f"{BASE}/feeds/aggregated/atom/?page=1"
    assert texts(document, "channel/link/text()") == texts(document, "channel/atom:link[@rel='self']/@href") == [link]


def test_documents_are_left_out_and_films_tell_how_long_they_last(server: Server, ada: User, news: Feed) -> None:
    folder = server.settings.data_dir
    jpeg = StoredRecord(media_factory.jpeg(folder / "a.jpg", 60, 40), "image/jpeg", 60, 40)
    pdf = StoredRecord(pdf_file(folder / "a.pdf", 1), "application/pdf", 420, 595)
    film = StoredRecord(media_factory.mp4(folder / "a.mp4", 0.4), "video/mp4", 320, 180)
    paper = add_record(
        server.services, server.photographs, "document", {"document": pdf, "preview": pdf, "thumbnail": jpeg}
    )
    moving = add_record(
        server.services, server.photographs, "video", {"document": film, "preview": film, "thumbnail": jpeg}
    )
    with server.services.database.write() as work:
        store.update_record(work, store.id_of(work, moving), {"duration_ms": 61_400})  # type: ignore[arg-type]
    publish(server, ada, news.id, [paper, moving])
    document = read(server, f"/feeds/feed/{news.id}/rss/")
    (content,) = document.xpath("//media:content[@isDefault='true']", namespaces=NAMES)
    assert (content.get("medium"), content.get("type"), content.get("duration")) == ("video", "video/mp4", "61")


def test_pages_have_twenty_entries_and_lead_to_one_another(server: Server, ada: User, news: Feed) -> None:
    key = picture(server)
    for number in range(41):
        publish(server, ada, news.id, [key], title=f"Entry {number}")
    seen = []
    for form, entries in (("rss", "channel/item/title/text()"), ("atom", "atom:entry/atom:title/text()")):
        for path in (f"/feeds/feed/{news.id}/{form}/", f"/feeds/aggregated/{form}/"):
            page, titles = f"{path}?page=1", []
            while page:
                document = read(server, page)
                titles += texts(document, entries)
                following = texts(document, "//atom:link[@rel='next']/@href")
                assert len(texts(document, "//atom:link[@rel='previous']/@href")) == (page != f"{path}?page=1")
                page = following[0].removeprefix(BASE) if following else ""
            seen.append(titles)
    assert seen == [[f"Entry {number}" for number in range(40, -1, -1)]] * 4
    assert texts(read(server, f"/feeds/feed/{news.id}/rss/?page=9"), "channel/item/title") == []
    for wrong in ("0", "-1", "x", "1.5", "9" * 30):
        assert get(server, f"/feeds/feed/{news.id}/rss/?page={wrong}").status_code == 400


def test_only_public_feeds_are_public(server: Server, ada: User, news: Feed) -> None:
    hidden = add_feed(server, ada, title="Hidden")
    publish(server, ada, hidden.id, [picture(server)], title="Secret")
    publish(server, ada, news.id, [picture(server)], title="Known")
    assert get(server, f"/feeds/feed/{hidden.id}/rss/").status_code == 403
    for path in ("/feeds/feed/999/rss/", f"/feeds/feed/{news.id}/html/", "/feeds/feed/x/rss/", "/feeds/feed/1/",
                 "/feeds/feed/" + "9" * 25 + "/atom/", "/feeds/aggregated/icon/"):  # fmt: skip
        assert get(server, path).status_code == 404, path
    for path in ("/feeds/aggregated/rss/", "/feeds/aggregated/atom/", "/feeds/cooliris/"):
        text = get(server, path).text
        assert "Secret" not in text
    signed_in = server.browser(ada)
    assert signed_in.get(f"/feeds/feed/{hidden.id}/rss/").status_code == 403  # no cookie is read


def test_an_entry_is_found_only_in_its_own_feed(server: Server, ada: User, news: Feed) -> None:
    hidden = add_feed(server, ada)
    entry = publish(server, ada, hidden.id, [picture(server)])
    assert get(server, f"/feeds/feed/{news.id}/atom/entry/{entry.id}/").status_code == 404
    assert get(server, f"/feeds/feed/{hidden.id}/atom/entry/{entry.id}/").status_code == 403
    assert get(server, f"/feeds/feed/{news.id}/atom/entry/999/").status_code == 404


def test_control_characters_and_markup_leave_well_formed_xml(server: Server, ada: User, news: Feed) -> None:
    title = "A\x08B ]]> & <b> \ufffe é 🛶"
    key = picture(server, title=title, values={"Title": title})
    publish(server, ada, news.id, [key], title="é ]]> <i>&amp; 🛶", subtitle="line\none", author_name='"O\'Neill" <x>')
    for path in (f"/feeds/feed/{news.id}/rss/", f"/feeds/feed/{news.id}/atom/", "/feeds/cooliris/"):
        document = read(server, path)
        assert "A\x08B" not in etree.tostring(document, encoding="unicode")
        if "cooliris" not in path:
            assert "é ]]> <i>&amp; 🛶" in "".join(document.itertext())
        assert "AB ]]> & <b>  é 🛶" in "".join(document.itertext())


def test_business_fields_stay_out_also_for_editors(server: Server, ada: User) -> None:
    with server.services.database.write() as work:
        work.db.execute(fields.update().where(fields.c.dces_element == "Description").values(business=True))
        structure_store.increase_version(work)
        structure = server.services.library.records.structure(work)
        name = next(field.name for field in structure.fields[server.databox.id] if field.dces_element == "Description")
    feed = add_feed(server, ada)
    publish(server, ada, feed.id, [picture(server, values={"Title": "Dawn", name: "internal"})])
    answer = get(server, address(server, ada, feed.id) + "rss/")
    assert "Dawn" in answer.text and "internal" not in answer.text


# -- personal feeds ----------------------------------------------------------------------------------------------------


def test_a_personal_address_opens_its_feed_and_no_other(server: Server, ada: User, bob: User, news: Feed) -> None:
    """D: token value and feed id must both fit."""
    first, second = add_feed(server, ada, title="First"), add_feed(server, ada, title="Second")
    publish(server, ada, first.id, [picture(server)], title="In the first")
    own = address(server, bob, first.id)
    document = read(server, own + "rss/")
    assert texts(document, "channel/item/title/text()") == ["In the first"]
    assert texts(document, "channel/item/link/text()") == [f"{BASE}{own}rss/"]
    token = own.split("/")[3]
    for path in (f"/feeds/userfeed/{token}/{second.id}/rss/", f"/feeds/userfeed/{token}/999/rss/",
                 f"/feeds/userfeed/{'x' * 64}/{first.id}/rss/", f"/feeds/userfeed/aggregated/{token}/rss/",
                 f"/feeds/userfeed/1/{first.id}/rss/", f"/feeds/userfeed/aggregated/{'x' * 64}/atom/"):  # fmt: skip
        assert get(server, path).status_code == 404, path


def test_all_feeds_of_a_person_are_those_they_may_read_now(server: Server, ada: User, bob: User, news: Feed) -> None:
    photographs, archive = (add_feed(server, ada, scope=base) for base in (server.photographs, server.archive))
    for feed, title in ((news, "Public"), (photographs, "Photographs"), (archive, "Archive")):
        publish(server, ada, feed.id, [picture(server)], title=title)
    own = address(server, bob)

    def titles() -> list[str]:
        return texts(read(server, own + "atom/"), "atom:entry/atom:title/text()")

    assert titles() == ["Archive", "Public"]
    server.regrant(bob, server.archive, Right(0))
    assert titles() == ["Public"]
    server.regrant(bob, server.photographs, READER)
    assert titles() == ["Photographs", "Public"]
    # Links of a public feed tell no token; those of the others open under the same one.
    links = texts(read(server, own + "rss/"), "channel/item/link/text()")
    token = own.split("/")[4]
    assert links == [f"{BASE}/feeds/userfeed/{token}/{photographs.id}/rss/", f"{BASE}/feeds/feed/{news.id}/rss/"]
    assert get(server, links[0].removeprefix(BASE)).status_code == 200
    assert get(server, f"/feeds/userfeed/{token}/{archive.id}/rss/").status_code == 404
    assert token not in "".join(texts(read(server, own + "atom/"), "atom:entry/atom:id/text()"))


def test_files_of_a_personal_feed_are_those_that_the_person_may_have(server: Server, ada: User, bob: User) -> None:
    feed = add_feed(server, ada)
    seen, unseen = picture(server, server.archive), picture(server, server.photographs)
    publish(server, ada, feed.id, [seen, unseen])

    def urls(user: User) -> list[str]:
        return texts(read(server, address(server, user, feed.id) + "rss/"), "//media:content/@url")

    (preview, thumbnail), both = urls(bob), urls(ada)
    assert len(both) == 4
    for url in (preview, thumbnail):
        assert f"/{seen.number}/" in url and "?token=" in url
        assert get(server, url.removeprefix(BASE)).status_code == 200
    with server.services.database.write() as work:
        record = server.services.library.records.get(work, COMMAND, seen)
        permalink_store.put(work, record.id, "preview", {"activated": False})
    assert urls(bob) == []  # and the address given out before
    assert get(server, preview.removeprefix(BASE)).status_code == 404


def test_renewing_ends_the_address_before(server: Server, ada: User, bob: User) -> None:
    feed = add_feed(server, ada)
    old, all_of_them = address(server, bob, feed.id), address(server, bob)
    new = address(server, bob, feed.id)
    assert [get(server, path + "rss/").status_code for path in (old, new, all_of_them)] == [404, 200, 200]
    with server.services.database.write() as work:
        actor = server.services.accounts.users.actor_of(work, bob, Via.SESSION)
        assert server.services.feeds.addresses.end(work, actor, feed.id)
        assert not server.services.feeds.addresses.end(work, actor, feed.id)
    assert [get(server, path + "rss/").status_code for path in (new, all_of_them)] == [404, 200]


def test_a_suspended_persons_address_opens_nothing_meanwhile(server: Server, ada: User, bob: User) -> None:
    own = address(server, bob)
    administration = server.services.accounts.administration
    with server.services.database.write() as work:
        administration.suspend(work, COMMAND, "bob")
    assert get(server, own + "rss/").status_code == 404
    with server.services.database.write() as work:
        administration.resume(work, COMMAND, "bob")
    assert get(server, own + "rss/").status_code == 200
    with server.services.database.write() as work:
        administration.close(work, COMMAND, "bob")
    assert get(server, own + "rss/").status_code == 404


def test_an_address_made_with_a_token_ends_with_it(server: Server, ada: User) -> None:
    """docs/decisions/0080."""
    services = server.services
    application = server.register(ada, profile=Profile.STRICT).application
    addresses = []
    with services.database.write() as work:
        person = services.accounts.users.actor_of(work, ada, Via.COMMAND)
        scope = frozenset({"feeds", "account:read"})
        tokens = [
            services.oauth.personal_tokens.add(work, person, application, name, "90", scope) for name in ("one", "two")
        ]
    for token in tokens:
        with services.database.write() as work:
            actor = services.oauth.server.tokens.check(work, token, "").actor
            addresses.append(services.feeds.addresses.renew(work, actor, None))
    path = "/feeds/userfeed/aggregated/{}/rss/"
    assert [get(server, path.format(token)).status_code for token in addresses] == [404, 200]
    with services.database.write() as work:
        named = {token.name: token.id for token in services.oauth.personal_tokens.all(work, person, application)}
        services.oauth.personal_tokens.revoke(work, person, application, named["two"])
    assert get(server, path.format(addresses[1])).status_code == 404


def test_an_address_made_by_an_application_ends_with_the_consent(server: Server, ada: User) -> None:
    app = server.register(ada, profile=Profile.STRICT)
    browser = server.browser(ada)
    token = exchange(server, app, code_of(browser, app, scope="feeds")).json()["access_token"]
    answer = server.call("POST", "/api/v4/feeds/address", token)
    assert answer.status_code == 201, answer.text
    path = answer.json()["rss"].removeprefix(BASE)
    assert get(server, path).status_code == 200
    with server.services.database.write() as work:  # a later yes to less
        columns = accounts.c
        work.db.execute(accounts.update().where(columns.user_id == ada.id).values(granted_scope=["account:read"]))
    assert get(server, path).status_code == 404
    with server.services.database.write() as work:
        work.db.execute(accounts.update().where(columns.user_id == ada.id).values(granted_scope=["feeds"]))
    assert get(server, path).status_code == 200
    page = "/account/security/applications/"
    browser.submit(page, f"/account/security/application/{app.application.id}/revoke/", {})
    assert get(server, path).status_code == 404


# -- conditional requests ----------------------------------------------------------------------------------------------


def test_an_unchanged_page_is_304_by_tag_and_by_date(server: Server, ada: User, news: Feed) -> None:
    publish(server, ada, news.id, [picture(server)])
    for path in (f"/feeds/feed/{news.id}/rss/", "/feeds/aggregated/atom/", "/feeds/cooliris/",
                 address(server, ada) + "rss/"):  # fmt: skip
        first = get(server, path)
        tag, modified = first.headers["etag"], first.headers["last-modified"]
        for headers in ({"If-None-Match": tag}, {"If-None-Match": f'"x", W/{tag}'}, {"If-Modified-Since": modified}):
            answer = get(server, path, **headers)
            assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
        assert get(server, path, **{"If-None-Match": '"x"', "If-Modified-Since": modified}).status_code == 200
        kind = "private" if "userfeed" in path else "public"
        assert first.headers["cache-control"] == f"{kind}, no-cache"


def test_each_change_that_is_seen_changes_both_validators(server: Server, ada: User, news: Feed) -> None:
    first, second = picture(server), picture(server)
    entry = publish(server, ada, news.id, [first, second])
    path = f"/feeds/feed/{news.id}/atom/"
    services = server.services

    def switch() -> None:
        with services.database.write() as work:
            record = services.library.records.get(work, COMMAND, first)
            permalink_store.switch_records(work, [record.id], on=False)

    def delete() -> None:
        with services.database.write() as work:
            services.library.removal.remove(work, COMMAND, second)

    def edit() -> None:
        with services.database.write() as work:
            services.feeds.entries.change(work, COMMAND, entry.id, EntryDraft(title="Ships"))

    for change in (switch, delete, edit):
        before = get(server, path)
        change()
        headers = {"If-Modified-Since": before.headers["last-modified"]}
        after = get(server, path, **headers)
        assert after.status_code == 200
        assert after.headers["etag"] != before.headers["etag"]
        assert after.headers["last-modified"] != before.headers["last-modified"]
        assert get(server, path, **{"If-None-Match": before.headers["etag"]}).status_code == 200


def test_pages_tell_browsers_of_the_public_feeds(server: Server, ada: User) -> None:
    page = server.browser(ada).get("/").text
    for kind, form in (("rss", "rss+xml"), ("atom", "atom+xml")):
        assert re.search(rf'<link rel="alternate" type="application/{re.escape(form)}"[^>]* href="([^"]+)"', page)
        assert server.http.get(f"/feeds/aggregated/{kind}/").status_code == 200


def test_the_icon_of_a_feed_is_a_picture_of_the_web(server: Server, ada: User, news: Feed) -> None:
    picture_file = media_factory.jpeg(server.settings.data_dir / "icon.jpg", 32, 32)
    assert get(server, f"/feeds/feed/{news.id}/icon/").status_code == 404
    registry = server.services.feeds.registry
    sha256 = registry.keep_icon(picture_file, "icon.jpg")
    hidden = add_feed(server, ada)
    with server.services.database.write() as work:
        for feed in (news, hidden):
            registry.change(work, COMMAND, feed.id, {"icon_sha256": sha256})
    answer = get(server, f"/feeds/feed/{news.id}/icon/")
    assert (answer.headers["content-type"], answer.content) == ("image/jpeg", picture_file.read_bytes())
    assert texts(read(server, f"/feeds/feed/{news.id}/atom/"), "atom:icon/text()") == [
        f"{BASE}/feeds/feed/{news.id}/icon/"
    ]
    assert get(server, f"/feeds/feed/{hidden.id}/icon/").status_code == 403
    assert get(server, address(server, ada, hidden.id) + "icon/").status_code == 200
    assert server.get("/feeds/list/", server.token(ada))["feeds"][0]["icon"] is True
