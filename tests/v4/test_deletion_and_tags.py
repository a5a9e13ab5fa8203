"""What holds records when one of them is deleted: its tag stays, and neither a stale answer nor a lost update follows.

Answers of v4 are never kept by a cache, so a tag that stays makes nothing stale. A change under an old tag can name the
record that is gone, and is refused then; one that does not leaves it gone."""

from typing import Any

import pytest

from tests.v4.conftest import V4, Call
from vitrine.accounts import User
from vitrine.library.model import RecordKey
from vitrine.testing.basket_world import BasketWorld
from vitrine.testing.feed_factory import add_feed, publish, publisher
from vitrine.testing.server import Server

pytestmark = pytest.mark.both_databases


@pytest.fixture
def ada(server: Server) -> User:
    return publisher(server, "ada")


@pytest.fixture
def keys(server: Server) -> list[RecordKey]:
    return BasketWorld(server).records(3)


def done(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def named(*keys: RecordKey) -> list[dict[str, int]]:
    return [{"databox_id": int(key.databox), "record_id": key.number} for key in keys]


def check_never_kept(server: Server, token: str, path: str) -> str:
    """The tag of *path*, which no condition turns into 304."""
    answer = server.call("GET", V4 + path, token)
    tag = answer.headers["etag"]
    again = server.call("GET", V4 + path, token, headers={"If-None-Match": tag})
    assert (again.status_code, again.headers["cache-control"]) == (200, "no-store")
    return str(tag)


def test_a_basket(server: Server, call: Call, token: str, ada: User, keys: list[RecordKey]) -> None:
    path = f"/baskets/{BasketWorld(server).create(ada, keys)}"
    elements = [element["element_id"] for element in done(call("GET", f"{path}/elements"))["data"]]
    tag = check_never_kept(server, token, path)
    done(call("DELETE", f"/records/{keys[0].databox}/{keys[0].number}"), 204)
    assert call("PUT", f"{path}/order", {"elements": elements[::-1]}, If_Match=tag).status_code in (400, 404, 412)
    assert done(call("GET", path))["elements"] == 2
    tag = check_never_kept(server, token, path)
    done(call("PUT", f"{path}/order", {"elements": elements[:0:-1]}, If_Match=tag))
    shown = [element["element_id"] for element in done(call("GET", f"{path}/elements"))["data"]]
    assert shown == elements[:0:-1]


def test_a_story(server: Server, call: Call, token: str, ada: User, keys: list[RecordKey]) -> None:
    numbers = [key.number for key in keys]
    story = done(call("POST", "/stories", {"base_id": int(server.photographs.id), "records": numbers}), 201)
    path = f"/stories/{story['databox_id']}/{story['record_id']}"
    tag = check_never_kept(server, token, path)
    done(call("DELETE", f"/records/{keys[0].databox}/{keys[0].number}"), 204)
    assert call("PUT", f"{path}/children", {"records": numbers[::-1]}, If_Match=tag).status_code in (400, 404, 412)
    tag = check_never_kept(server, token, path)
    done(call("PUT", f"{path}/children", {"records": numbers[:0:-1]}, If_Match=tag), 204)
    shown = [child["record_id"] for child in done(call("GET", f"{path}/children"))["data"]]
    assert (shown, done(call("GET", path))["children"]) == (numbers[:0:-1], 2)


def test_an_entry_of_a_feed(server: Server, call: Call, token: str, ada: User, keys: list[RecordKey]) -> None:
    feed = add_feed(server, ada, public=True)
    path = f"/feeds/{feed.id}/entries/{publish(server, ada, feed.id, keys).id}"
    outward = f"/feeds/feed/{feed.id}/rss/"
    validators = server.http.get(outward).headers
    tag = check_never_kept(server, token, path)
    done(call("DELETE", f"/records/{keys[0].databox}/{keys[0].number}"), 204)
    assert call("PATCH", path, {"records": named(*keys)}, If_Match=tag).status_code in (400, 403, 404, 412)
    change = {"title": "Ships", "records": named(*keys[:0:-1])}
    done(call("PATCH", path, change, If_Match=check_never_kept(server, token, path)))
    assert [item["record_id"] for item in done(call("GET", path))["items"]] == [key.number for key in keys[:0:-1]]
    # Readers of feeds do keep answers: theirs change with what is in them.
    for name, header in (("etag", "If-None-Match"), ("last-modified", "If-Modified-Since")):
        if name in validators:
            assert server.http.get(outward, headers={header: validators[name]}).status_code == 200, name
