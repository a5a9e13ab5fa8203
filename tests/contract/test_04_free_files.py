"""Contract 04 section 2, 06 sections 10, 13 and 17.7 (P): what a public feed opens without a token, and how each change
closes it, at the server that made the change and at another one that has everything in its caches."""

import re
from collections.abc import Callable, Iterator

import pytest

from vitrine.accounts import COMMAND, Right, User, Via
from vitrine.feeds import EntryDraft, Feed, FeedEntry
from vitrine.library import structure_store
from vitrine.library.model import BIN, RecordKey
from vitrine.library.sharing import permalink_store
from vitrine.library.tables import recipes, records
from vitrine.testing.feed_factory import add_feed, picture, publish, publisher
from vitrine.testing.server import Server

pytestmark = pytest.mark.both_databases


@pytest.fixture
def ada(server: Server) -> User:
    return publisher(server, "ada")


@pytest.fixture
def other(server: Server) -> Iterator[Server]:
    """Another process on the same instance, as far as caches are concerned."""
    second = Server.of(
        server.settings.data_dir, database_url=server.settings.database_url, fast_paths=server.settings.fast_paths
    )
    yield second
    second.close()


@pytest.fixture
def news(server: Server, ada: User) -> Feed:
    return add_feed(server, ada, public=True)


@pytest.fixture
def key(server: Server) -> RecordKey:
    return picture(server)


@pytest.fixture
def entry(server: Server, ada: User, news: Feed, key: RecordKey) -> FeedEntry:
    return publish(server, ada, news.id, [key])


def path(key: RecordKey, name: str = "preview", label: str = "Harbour.jpg") -> str:
    return f"/permalink/v1/{key.databox}/{key.number}/{name}/{label}"


def statuses(server: Server, key: RecordKey) -> dict[str, int]:
    return {name: server.http.get(path(key, name)).status_code for name in ("preview", "thumbnail", "document")}


EXTENDED = {"Accept": "application/vnd.phraseanet.record-extended+json"}
OPEN = {"preview": 200, "thumbnail": 200, "document": 404}
CLOSED = {"preview": 404, "thumbnail": 404, "document": 404}


@pytest.mark.both_paths
def test_preview_and_thumbnail_open_without_a_token_the_original_never(
    server: Server, key: RecordKey, entry: FeedEntry
) -> None:
    assert statuses(server, key) == OPEN
    assert server.http.get(path(key) + "?token=" + "x" * 64).status_code == 200  # no token is asked for
    assert server.http.head(path(key)).status_code == 200
    assert server.http.options(path(key)).status_code == 200
    assert server.http.get(path(key, "document") + "?token=" + "x" * 64).status_code == 404
    assert server.http.get(path(key, label="")).status_code == 200  # the page


@pytest.mark.both_paths
def test_what_opens_without_a_token_tells_none_and_is_kept_by_no_cache(
    server: Server, ada: User, key: RecordKey, entry: FeedEntry
) -> None:
    answer = server.http.get(path(key, "thumbnail"))
    assert "link" not in answer.headers
    assert answer.headers["cache-control"] == "private, max-age=0, must-revalidate"
    files = server.get(f"/records/{key.databox}/{key.number}/embed/", server.token(ada))["embed"]
    tokens = {file["permalink"]["url"].partition("token=")[2] for file in files}
    preview = server.settings.absolute(path(key))
    pages = [
        server.http.get("/embed/", params={"url": preview}), server.http.get("/oembed", params={"url": preview}),
        server.http.get(path(key, label="")), server.http.get(path(key)),
    ]  # fmt: skip
    for page in pages:
        assert page.status_code == 200
        assert not any(token in page.text for token in tokens if page.headers["content-type"] != "image/jpeg")
        assert "/medias/" not in page.text  # such an address would outlast the publication
    holder = next(file["permalink"]["url"] for file in files if file["name"] == "thumbnail")
    answer = server.http.get(holder.removeprefix(server.settings.base_url))
    assert "token=" in answer.headers["link"] and answer.headers["cache-control"] == "public, max-age=3600"


def unpublish(server: Server, entry: FeedEntry, key: RecordKey) -> None:
    with server.services.database.write() as work:
        server.services.feeds.entries.remove(work, COMMAND, entry.id)


def take_out(server: Server, entry: FeedEntry, key: RecordKey) -> None:
    another = picture(server)
    with server.services.database.write() as work:
        server.services.feeds.entries.change(work, COMMAND, entry.id, EntryDraft(records=(another,)))


def make_private(server: Server, entry: FeedEntry, key: RecordKey) -> None:
    with server.services.database.write() as work:
        server.services.feeds.registry.change(work, COMMAND, entry.feed_id, {"is_public": False})


def delete_feed(server: Server, entry: FeedEntry, key: RecordKey) -> None:
    with server.services.database.write() as work:
        server.services.feeds.registry.remove(work, COMMAND, entry.feed_id)


def delete_record(server: Server, entry: FeedEntry, key: RecordKey) -> None:
    with server.services.database.write() as work:
        server.services.library.removal.remove(work, COMMAND, key)


def delete_and_restore(server: Server, entry: FeedEntry, key: RecordKey) -> None:
    delete_record(server, entry, key)
    with server.services.database.write() as work:
        server.services.library.removal.restore(work, COMMAND, key)


def switch_record(server: Server, entry: FeedEntry, key: RecordKey) -> None:
    with server.services.database.write() as work:
        record = server.services.library.records.get(work, COMMAND, key)
        permalink_store.switch_records(work, [record.id], on=False)


def disable_collection(server: Server, entry: FeedEntry, key: RecordKey) -> None:
    with server.services.database.write() as work:
        structure_store.update_collection(work, server.photographs.id, {"enabled": False})
        structure_store.increase_version(work)


CHANGES = (
    unpublish, take_out, make_private, delete_feed, delete_record, delete_and_restore, switch_record,
    disable_collection,
)  # fmt: skip


@pytest.mark.both_paths
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_each_end_of_the_publication_closes_at_once(
    server: Server,
    other: Server,
    key: RecordKey,
    entry: FeedEntry,
    change: Callable[[Server, FeedEntry, RecordKey], None],
) -> None:
    preview = {"url": server.settings.absolute(path(key))}
    for process in (server, other):
        assert statuses(process, key) == OPEN
        assert process.http.get("/embed/", params=preview).status_code == 200
    change(server, entry, key)
    for process in (server, other):
        assert statuses(process, key) == CLOSED
        assert process.http.get(path(key, label="")).status_code == 404
        assert process.http.get("/embed/", params=preview).status_code == 404
        assert process.http.options(path(key)).status_code == 404


def test_another_public_entry_keeps_it_open(server: Server, ada: User, key: RecordKey, entry: FeedEntry) -> None:
    second = publish(server, ada, add_feed(server, ada, public=True).id, [key])
    unpublish(server, entry, key)
    assert statuses(server, key) == OPEN
    delete_feed(server, second, key)
    assert statuses(server, key) == CLOSED


def test_a_feed_that_becomes_public_opens_its_records(server: Server, ada: User, key: RecordKey) -> None:
    feed = add_feed(server, ada, scope=server.photographs)
    publish(server, ada, feed.id, [key])
    assert statuses(server, key) == CLOSED
    with server.services.database.write() as work:
        server.services.feeds.registry.change(work, COMMAND, feed.id, {"is_public": True})
    assert statuses(server, key) == OPEN


def test_a_switched_off_file_stays_closed(server: Server, key: RecordKey, entry: FeedEntry) -> None:
    with server.services.database.write() as work:
        record = server.services.library.records.get(work, COMMAND, key)
        permalink_store.put(work, record.id, "preview", {"activated": False})
    assert statuses(server, key) == {**OPEN, "preview": 404}


def test_a_preview_of_class_document_is_not_free(server: Server, ada: User, key: RecordKey, entry: FeedEntry) -> None:
    """06 section 27, hole 7: the original opens class `document` to everybody signed in."""
    with server.services.database.write() as work:
        wanted = (recipes.c.group == "image") & (recipes.c.name == "preview")
        work.db.execute(recipes.update().where(wanted).values(klass="document"))
        structure_store.increase_version(work)
    assert statuses(server, key) == {**OPEN, "preview": 404}
    stranger = server.user("stranger", None)
    items = server.get(f"/feeds/entry/{entry.id}/", server.token(stranger), headers=EXTENDED)["entry"]["items"]
    assert [file["name"] for file in items[0]["record"]["subdefs"]] == ["thumbnail"]


def test_people_without_the_preview_right_get_previews_of_published_records(
    server: Server, ada: User, key: RecordKey
) -> None:
    """06 section 17.7, row preview class: V' and P."""
    reader = server.user("reader", Right.actif)
    token = server.token(reader)

    def names() -> list[str]:
        return [file["name"] for file in server.get(f"/records/{key.databox}/{key.number}/embed/", token)["embed"]]

    assert names() == ["thumbnail"]
    feed = add_feed(server, ada, public=True)
    publish(server, ada, feed.id, [key])
    assert names() == ["preview", "thumbnail"]
    library = server.services.library
    with server.services.database.write() as work:
        bin_ = library.structure.add_collection(work, COMMAND, server.databox.id, BIN)
    server.regrant(reader, bin_, Right.actif)
    with server.services.database.write() as work:
        library.removal.discard(work, COMMAND, key)
    assert names() == ["thumbnail"], "not in the bin"
    with server.services.database.write() as work:
        library.changes.move(work, COMMAND, key, server.photographs.id)
    assert names() == ["preview", "thumbnail"]
    make_private(server, publish(server, ada, feed.id, [key]), key)
    assert names() == ["thumbnail"]


def test_a_signed_in_browser_gets_free_files_of_records_that_its_person_does_not_see(
    server: Server, key: RecordKey, entry: FeedEntry
) -> None:
    browser = server.browser(server.user("stranger", None))

    def status(name: str) -> int:
        return browser.get(f"/datafiles/{key.databox}/{key.number}/{name}/").status_code

    assert [status(name) for name in ("preview", "thumbnail", "document")] == [200, 200, 404]
    make_private(server, entry, key)
    assert [status(name) for name in ("preview", "thumbnail", "document")] == [404, 404, 404]
    assert server.http.get(f"/datafiles/{key.databox}/{key.number}/preview/").status_code == 404


def test_signed_addresses_of_free_files_end_with_the_publication(
    server: Server, key: RecordKey, entry: FeedEntry
) -> None:
    token = server.token(server.user("stranger", None))
    items = server.get(f"/feeds/entry/{entry.id}/", token)["entry"]["items"]
    address = items[0]["record"]["thumbnail"]["url"].removeprefix(server.settings.base_url)
    assert re.match("/medias/", address) and server.http.get(address).status_code == 200
    make_private(server, entry, key)
    assert server.http.get(address).status_code == 404


def test_the_flag_is_that_of_the_feeds_after_each_change(server: Server, ada: User) -> None:
    keys = [picture(server) for _ in range(4)]
    public, private = add_feed(server, ada, public=True), add_feed(server, ada)

    def flagged() -> set[int]:
        with server.services.database.read() as work:
            rows = work.db.execute(records.select().where(records.c.in_public_feed))
            return {row.number for row in rows}

    first = publish(server, ada, public.id, keys[:2])
    publish(server, ada, private.id, keys[2:])
    assert flagged() == {key.number for key in keys[:2]}
    with server.services.database.write() as work:
        actor = server.services.accounts.users.actor_of(work, ada, Via.SESSION)
        server.services.feeds.entries.change(work, actor, first.id, EntryDraft(records=tuple(keys[1:3])))
    assert flagged() == {key.number for key in keys[1:3]}
    make_private(server, first, keys[0])
    assert flagged() == set()
