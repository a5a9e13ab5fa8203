"""A server of which half is closed to the callers: whatever they ask, no answer may hold anything of that half.

The closed collection has records, a story, a file in quarantine; its records are in a basket that the user takes part
in, in a story of the open collection, and in a feed of the closed one.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.rights.world import records_in
from tests.v4 import prepared
from tests.v4.conftest import define_bit
from vitrine.accounts import COMMAND, DataboxRight, Right, User
from vitrine.accounts.rights import ALL_RIGHTS
from vitrine.api import v4
from vitrine.library.model import Collection, CollectionId, RecordKey
from vitrine.library.stories.model import ChildDraft, CoverSources, StoryDraft
from vitrine.testing import media_factory
from vitrine.testing.basket_world import BasketWorld
from vitrine.testing.feed_factory import add_feed, publish
from vitrine.testing.record_factory import StoredRecord, add_record
from vitrine.testing.server import Server

CLOSED_WORD = "zqclosedzq"
_TOKENS = re.compile(r"token=(\w{20,})")
OPEN_RECORDS = 4


class World:
    """*tokens* by caller: `user` may do everything in the open collection, `administrator` administers the instance and
    the users of the open collection, `nobody` has no token. *names* are values by the name of a part of a path or of a
    member of a body, which stand for something that is there."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.server = server = Server(folder / "data", **settings)
        self.folder = folder
        self.keeper = server.user(
            "keeper",
            {int(server.photographs.id): ALL_RIGHTS, int(server.archive.id): ALL_RIGHTS & ~Right.canpush},
        )
        self.reader = server.user("reader", {int(server.photographs.id): ALL_RIGHTS})
        self.root = server.user(
            "root", {int(server.photographs.id): Right.actif | Right.canadmin | Right.manage}, is_admin=True
        )
        prepared.every_databox_right(server, self.reader)
        self._grant(self.keeper, DataboxRight.bas_chupub)
        self.open = [self._record(server.photographs, f"Boat {number}") for number in range(OPEN_RECORDS)]
        self.closed = [self._record(server.archive, f"{CLOSED_WORD} {number}") for number in range(3)]
        self.closed.append(self._story(server.archive, f"{CLOSED_WORD} story", self.closed))
        self.mixed = self._story(server.photographs, "Mixed", [self.closed[0], self.open[0], self.closed[1]])
        self._fill_baskets()
        self._fill_feeds()
        self._quarantine(server.photographs, "quay", 1)
        self._quarantine(server.archive, CLOSED_WORD, 2)
        picture = media_factory.jpeg(folder / "a.jpg", 64, 48)
        self.file = picture.read_bytes()
        prepared.BY_TAG["users"](prepared.World(server, self.reader, picture), v4.ROUTES[0])
        define_bit(server)
        server.work()
        self.own_applications = [server.register(user).application.id for user in (self.reader, self.root)]
        self.tokens: dict[str, str | None] = {
            "user": server.token(self.reader),
            "administrator": server.token(self.root),
            "nobody": None,
        }
        self.closed_words = frozenset(self._closed_words())
        self._begin_work()
        self.names = self._names()

    def close(self) -> None:
        self.server.close()

    def leaks(self, text: str, value: Any) -> list[str]:
        """What of the closed collection is in an answer: its records, or words that stand for them."""
        closed = {(int(key.databox), int(key.number)) for key in self.closed}
        return [f"record {key}" for key in records_in(value) if key in closed] + [
            word for word in sorted(self.closed_words) if word in text
        ]

    def _grant(self, user: User, rights: DataboxRight) -> None:
        with self.server.services.database.write() as work:
            self.server.services.accounts.users.grant_databox(work, COMMAND, user.id, self.server.databox.id, rights)

    def _record(self, into: Collection, title: str) -> RecordKey:
        name = f"{title.replace(' ', '-')}.jpg"
        seed = sum(map(ord, title))
        files = {}
        for kind, width in (("document", 90), ("preview", 60), ("thumbnail", 30)):
            path = media_factory.jpeg(self.folder / f"{kind}-{name}", width, width, seed=seed)
            files[kind] = StoredRecord(path, "image/jpeg", width, width)
        return add_record(self.server.services, into, "image", files, title=title, values={"Title": title})

    def _story(self, into: Collection, title: str, children: list[RecordKey]) -> RecordKey:
        drafts = [ChildDraft(key, None if number else CoverSources()) for number, key in enumerate(children)]
        draft = StoryDraft(CollectionId(into.id), title=title, children=drafts)
        with self.server.services.database.write() as work:
            return self.server.services.library.stories.create(work, COMMAND, draft)

    def _fill_baskets(self) -> None:
        """Of the keeper with the reader, and of the reader: the keeper may push nothing of the closed collection."""
        world = BasketWorld(self.server)
        for owner, keys in ((self.keeper, [*self.closed[:2], *self.open[:2]]), (self.reader, self.open)):
            basket = world.create(owner, keys)
            world.share(owner, basket, self.reader if owner is self.keeper else self.keeper, can_modify=True)
            world.start_vote(owner, basket, self.reader, self.keeper)

    def _fill_feeds(self) -> None:
        server = self.server
        closed = add_feed(server, self.keeper, scope=server.archive, title="News of the archive")
        publish(server, self.keeper, closed.id, self.closed[:2], title="New in the archive")
        news = add_feed(server, self.reader, public=True)
        publish(server, self.reader, news.id, self.open[:2], notify=True)

    def _quarantine(self, into: Collection, name: str, seed: int) -> None:
        picture = media_factory.jpeg(self.folder / f"{name}.jpg", 70, 50, seed=seed)
        answer = self.server.call(
            "POST", "/api/v1/records/add/", self.server.token(self.keeper),
            data={"base_id": str(into.id), "forceBehavior": "1"}, files={"file": (picture.name, picture.read_bytes())},
        )  # fmt: skip
        assert answer.json()["response"]["entity"] == "1", answer.text

    def _begin_work(self) -> None:
        """A change that can be undone, and an operation on some records."""
        token, key = self.tokens["user"], self.open[0]
        path, headers = f"/api/v4/records/{key.databox}/{key.number}", {"If-Match": "*"}
        changed = self.server.call("PATCH", path, token, json={"metadata": {"Title": "Quay"}}, headers=headers)
        assert changed.status_code == 200, changed.text
        chosen = [{"databox_id": int(key.databox), "record_ids": [int(open_key.number) for open_key in self.open]}]
        body = {"records": chosen, "status": {"4": True}}
        begun = self.server.call("POST", "/api/v4/operations", token, json=body)
        assert begun.status_code == 202, begun.text
        self.server.work()

    def _names(self) -> dict[str, list[Any]]:
        server, keys = self.server, [*self.open, *self.closed, self.mixed]
        numbers = [int(key.number) for key in keys] + [int(self.mixed.number)] * 3
        people = [int(user.id) for user in (self.keeper, self.reader, self.root)]
        few = [1, 2, 3]
        return {
            "databox_id": [int(server.databox.id)],
            "base_id": [int(server.photographs.id), int(server.archive.id)],
            **dict.fromkeys(("record_id", "story_id", "child_id"), numbers),
            **dict.fromkeys(("user_id", "person", "usr_id"), people),
            **dict.fromkeys(("basket", "basket_id", "feed_id", "entry_id", "item", "item_id", "task_id"), few[:2]),
            "task": ["1", "2"],
            **dict.fromkeys(("element_id", "field_id", "recipe_id", "meta_struct_id", "change_id", "version_id"), few),
            **dict.fromkeys(("group_id", "template_id", "request_id", "operation_id", "secret", "meta_id"), few[:1]),
            "id": [int(number) for number in self.own_applications],
            "name": ["document", "preview", "thumbnail"], "bit": [4], "state": ["on", "off"],
            "email": ["reader", "keeper"], "login": ["reader", "keeper"],
        }  # fmt: skip

    def _closed_words(self) -> Iterator[str]:
        """Title, uuid, digests and tokens of links of each closed record."""
        token = self.server.token(self.keeper)
        yield CLOSED_WORD
        for key in self.closed:
            path = f"/records/{key.databox}/{key.number}/"
            record = self.server.get(path, token)["record"]
            yield record["uuid"]
            if record["sha256"]:
                yield record["sha256"]
            yield from _TOKENS.findall(self.server.call("GET", f"/api/v1{path}embed/", token).text)
