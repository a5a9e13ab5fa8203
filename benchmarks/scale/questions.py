"""The requests of the table: (method, path, headers, body), each row without end or with as many as there are."""

import itertools
import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from benchmarks.scale.instance import Instance
from benchmarks.scale.served import Served

Question = tuple[str, str, dict[str, str], Any]
EXTENDED = {"Accept": "application/vnd.phraseanet.record-extended+json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _again(path: str, headers: dict[str, str]) -> Iterator[Question]:
    return itertools.repeat(("GET", path, headers, None))


def thumbnails(server: Served, count: int) -> list[str]:
    """Permalinks of thumbnails."""
    paths = []
    for number in server.instance.images[:count]:
        path = f"/api/v1/records/{server.instance.databox_id}/{number}/embed/"
        answer = server.ask("GET", path, server.bearer("reader"))
        if answer.status == 200:  # an earlier run may have moved it
            files = answer.json["embed"]
            url = next(file["permalink"]["url"] for file in files if file["name"] == "thumbnail")
            paths.append("/" + url.split("/", 3)[3])
    return paths


def lasting(instance: Instance) -> range:
    """The numbers of records that no run deletes: all but the newest tenth."""
    return range(1, instance.records - instance.records // 10)


def doomed(server: Served, count: int) -> list[int]:
    """Numbers of that tenth whose records are still there."""
    instance = server.instance
    numbers = list(range(lasting(instance).stop, instance.records + 1))
    random.Random().shuffle(numbers)
    path = f"/api/v1/records/{instance.databox_id}/"
    present = (
        number for number in numbers if server.ask("GET", f"{path}{number}/", server.bearer("admin")).status == 200
    )
    return list(itertools.islice(present, count))


def lists(server: Served) -> dict[str, Iterator[Question]]:
    """First pages of what people arrange, publish and administer."""
    reader, admin = server.bearer("reader"), server.bearer("admin")
    questions = {
        "v1 baskets": ("/api/v1/baskets/list/", reader),
        "v1 basket": ("/api/v1/baskets/1/content/", reader),
        "v1 feeds": ("/api/v1/feeds/list/", reader),
        "v1 feed": ("/api/v1/feeds/1/content/?per_page=20", reader),
        "v1 entries of all feeds": ("/api/v1/feeds/content/?per_page=20", reader),
        "RSS of all public feeds": ("/feeds/aggregated/rss/", {}),
        "v4 records": ("/api/v4/records?limit=20&sort=created_on", reader),
        "v4 baskets": ("/api/v4/baskets?limit=20", reader),
        "v4 elements of a basket": ("/api/v4/baskets/1/elements?limit=20", reader),
        "v4 feeds": ("/api/v4/feeds?limit=20", reader),
        "v4 entries of a feed": ("/api/v4/feeds/1/entries?limit=20", reader),
        "v4 users": ("/api/v4/users?limit=20", admin),
        "v4 groups": ("/api/v4/groups?limit=20", admin),
        "v4 registrations": ("/api/v4/registrations?limit=20", admin),
        "v4 notifications": ("/api/v4/notifications?limit=20", reader),
        "v4 operations": ("/api/v4/operations?limit=20", admin),
        "v4 applications": ("/api/v4/applications?limit=20", reader),
        "v4 quarantine": ("/api/v4/quarantine?limit=20", admin),
        "v4 databoxes": ("/api/v4/databoxes?limit=20", admin),
    }
    return {name: _again(path, headers) for name, (path, headers) in questions.items()}


def reads(server: Served) -> dict[str, Iterator[Question]]:
    instance = server.instance
    words, box = instance.words, instance.databox_id
    reader, admin = server.bearer("reader"), server.bearer("admin")

    def search(who: dict[str, str], **query: Any) -> Iterator[Question]:
        return _again(f"/api/v1/search/?{urlencode(query)}", who)

    def records() -> Iterator[Question]:
        draw = random.Random(5)
        while True:
            yield "GET", f"/api/v1/records/{box}/{draw.choice(lasting(instance))}/", admin, None

    newest = {"per_page": 10, "sort": "created_on"}
    phrase = f'"{words["top"]} {words["second"]}"'
    return {
        "me": _again("/api/v1/me/", reader),
        "search everything, newest, 10": search(reader, **newest),
        "search everything, offset 10,000": search(reader, **newest, offset_start=10_000),
        "search, rare word": search(reader, query=words["rare"]),
        "search, middle word": search(reader, query=words["middle"]),
        "search, top word, reader": search(reader, query=words["top"]),
        "search, top word, administrator": search(admin, query=words["top"]),
        "search, phrase of top words": search(reader, query=phrase),
        "search extended, 25": search({**reader, **EXTENDED}, per_page=25, sort="created_on"),
        "record": records(),
        "permalink of a thumbnail": (("GET", path, {}, None) for path in itertools.cycle(thumbnails(server, 400))),
        "databoxes/collections": _again(f"/api/v1/databoxes/{box}/collections/", admin),
        "quarantine list of 10": _again("/api/v1/quarantine/list/?per_page=10", admin),
    }


def pages(server: Served) -> dict[str, Iterator[Question]]:
    reader, admin = server.cookie("reader"), server.cookie("admin")
    application = server.instance.applications["reader"]
    return {
        "wall": _again("/", reader),
        "usage page of a busy application": _again(f"/developers/application/{application}/usage/", reader),
        "dashboard": _again("/developers/applications/", reader),
        "audit page": _again("/admin/audit/", admin),
        "audit page, rare action": _again("/admin/audit/?action=developer_token.renewed", admin),
        "quarantine page": _again("/library/quarantine/", admin),
    }


def writes(server: Served, deleted: int) -> dict[str, Iterator[Question]]:
    """Changes without end, and as many deletions as *deleted*."""
    instance = server.instance
    box, draw = instance.databox_id, random.Random(6)
    admin = server.bearer("admin")
    others = itertools.cycle(draw.sample(lasting(instance), min(400, len(lasting(instance)))))

    def changed() -> Iterator[Question]:
        for count, number in enumerate(others):
            entry = {"meta_struct_id": instance.fields["City"], "meta_id": "", "value": f"Town {count}"}
            body = urlencode({f"metadatas[0][{name}]": value for name, value in entry.items()})
            yield "POST", f"/api/v1/records/{box}/{number}/setmetadatas/", {**admin, **FORM}, body

    def moved() -> Iterator[Question]:
        for number in others:
            body = urlencode({"base_id": draw.choice(instance.collections)})
            yield "POST", f"/api/v1/records/{box}/{number}/setcollection/", {**admin, **FORM}, body

    return {
        "setmetadatas": changed(),
        "move": moved(),
        "delete one": (
            ("DELETE", f"/api/v1/records/{box}/{number}/", admin, None) for number in doomed(server, deleted)
        ),
    }
