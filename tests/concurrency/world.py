"""Things that two people share, calls over sockets, and what must hold of the things whatever happened to them."""

import json
import random
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

from vitrine.accounts import COMMAND, DataboxRight, User
from vitrine.accounts.rights import ALL_DATABOX_RIGHTS
from vitrine.library import counts
from vitrine.testing.feed_factory import picture
from vitrine.testing.listening import ListeningServer
from vitrine.testing.server import Server

V4 = "/api/v4"
TIMEOUT_S = 60


class Answer:
    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def value(self) -> Any:
        return json.loads(self.body) if self.body else None


class World:
    """Two editors with every right. What an operation deletes is made again by `refill`."""

    def __init__(self, server: Server, seed: int) -> None:
        self.server, self.random = server, random.Random(seed)
        self.people = [self._person("ada"), self._person("bob")]
        self.tokens = [server.token(person) for person in self.people]
        self.listening = ListeningServer(server.application)
        self.records: list[int] = []
        self.is_aimed = False  # both operations of a pair are about the same record or entry
        self.basket = self.story = self.feed = 0
        self.refill()

    def close(self) -> None:
        self.listening.close()

    def _person(self, login: str) -> User:
        user = self.server.user(login, email=f"{login}@museum.example")
        with self.server.services.database.write() as work:
            users, rights = self.server.services.accounts.users, DataboxRight(ALL_DATABOX_RIGHTS)
            users.grant_databox(work, COMMAND, user.id, self.server.databox.id, rights)
            return users.get(work, user.id)

    @property
    def box(self) -> int:
        return int(self.server.databox.id)

    def record_path(self, number: int) -> str:
        return f"{V4}/records/{self.box}/{number}"

    @property
    def story_path(self) -> str:
        return f"{V4}/stories/{self.box}/{self.story}"

    @property
    def basket_path(self) -> str:
        return f"{V4}/baskets/{self.basket}"

    @property
    def feed_path(self) -> str:
        return f"{V4}/feeds/{self.feed}"

    def named(self, *numbers: int) -> list[dict[str, int]]:
        return [{"databox_id": self.box, "record_id": number} for number in numbers]

    # -- calls -------------------------------------------------------------------------------------------------------

    def call(
        self, person: int, method: str, path: str, body: Any = None, *, form: str | None = None, tag: str | None = None
    ) -> Answer:
        headers = {"Authorization": f"Bearer {self.tokens[person]}"}
        content = None
        if form is not None:
            headers["Content-Type"], content = "application/x-www-form-urlencoded", form
        elif body is not None:
            headers["Content-Type"], content = "application/json", json.dumps(body)
        if tag is not None:
            headers["If-Match"] = tag
        host, port = self.listening.address
        with closing(HTTPConnection(host, port, timeout=TIMEOUT_S)) as connection:
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, named, answer.read())

    def get(self, path: str, person: int = 0) -> Any:
        answer = self.call(person, "GET", path)
        assert answer.status == 200, (path, answer.status, answer.body)
        return answer.value

    def tag(self, path: str, person: int = 0) -> str | None:
        """None where the thing is gone."""
        return self.call(person, "GET", path).headers.get("etag")

    def everything(self, path: str) -> list[Any]:
        items, cursor = [], ""
        while True:
            page = self.get(f"{path}{'&' if '?' in path else '?'}limit=100{cursor}")
            items += page["data"]
            if page["next"] is None:
                return items
            cursor = f"&cursor={page['next']}"

    def _made(self, path: str, body: Any) -> Any:
        answer = self.call(0, "POST", V4 + path, body)
        assert answer.status in (200, 201), (path, answer.body)
        return answer.value

    # -- what there is -----------------------------------------------------------------------------------------------

    def refill(self) -> None:
        """Make again what is missing, so that each pair has something to meet on."""
        self.records = [number for number in self.records if self.is_there(self.record_path(number))]
        while len(self.records) < 5:
            self.records.append(int(picture(self.server).number))
        if not self.is_there(self.story_path):
            story = {"base_id": int(self.server.photographs.id), "title": "Harbour", "records": self.records[:3]}
            self.story = self._made("/stories", story)["record_id"]
        if not self.is_there(self.feed_path):
            self._make_feed()
        if not self.everything(f"{self.feed_path}/entries"):
            self._made(f"/feeds/{self.feed}/entries", {"title": "News", "records": self.named(*self.records[:2])})
        if not self.is_there(self.basket_path) or self.call(0, "GET", f"{self.basket_path}/vote").status != 200:
            self._make_basket()
        if not self.everything(f"{self.basket_path}/elements"):
            self._made(f"/baskets/{self.basket}/elements", {"records": self.named(*self.records[:3])})

    def is_there(self, path: str) -> bool:
        return self.call(0, "GET", path).status == 200

    def _make_feed(self) -> None:
        with self.server.services.database.write() as work:
            feed = self.server.services.feeds.registry.add(
                work, COMMAND, title="News", is_public=True, collection_id=None, owner_id=self.people[0].id
            )
        self.feed = int(feed.id)
        self._made(f"/feeds/{self.feed}/publishers", {"login": "bob"})

    def _make_basket(self) -> None:
        """Of the first person; both vote in it."""
        self.basket = self._made("/baskets", {"name": "Boats"})["basket_id"]
        self._made(f"/baskets/{self.basket}/elements", {"records": self.named(*self.records)})
        self._made(f"/baskets/{self.basket}/participants", {"login": "bob", "can_modify": True})
        voters = [{"login": login, "can_agree": True, "can_see_others": True} for login in ("ada", "bob")]
        self._made(f"/baskets/{self.basket}/vote", {"voters": voters})

    # -- what must hold ----------------------------------------------------------------------------------------------

    def faults(self) -> list[str]:
        """Counters against what they count, as one editor sees both; and nothing that names what is not there."""
        self.server.work()
        return [*self._of_counts(), *self._of_lists(), *self._of_votes(), *self._of_notifications()]

    def _of_counts(self) -> Iterator[str]:
        with self.server.services.database.read() as work:
            wrong = counts.differences(work)
        yield from (f"collection {base}: count is wrong by {missing}" for base, missing in wrong.items())
        shown = self.get(f"/api/v1/databoxes/{self.box}/collections/")["response"]["collections"]
        items = shown.values() if isinstance(shown, dict) else shown
        there = {int(self.server.photographs.id): 0, int(self.server.archive.id): 0}
        for record in self.everything(f"{V4}/records?sort=recordid"):
            there[record["base_id"]] += 1
        for story in self.get("/api/v1/search/?search_type=1&per_page=100")["response"]["results"]["stories"]:
            there[story["base_id"]] += 1
        for item in items:
            if item["record_amount"] != there[item["base_id"]]:
                yield f"collection {item['base_id']}: {item['record_amount']} told, {there[item['base_id']]} found"

    def _of_lists(self) -> Iterator[str]:
        lists = [
            (self.basket_path, "elements", f"{self.basket_path}/elements"),
            (self.story_path, "children", f"{self.story_path}/children"),
            (self.feed_path, "entries", f"{self.feed_path}/entries"),
        ]
        for path, member, items_path in lists:
            answer = self.call(0, "GET", path)
            if answer.status == 404:
                continue
            told, items = answer.value[member] - answer.value.get("hidden", 0), self.everything(items_path)
            if told != len(items):
                yield f"{path}: {told} {member} told, {len(items)} listed"
            keys = [str(item.get("element_id") or item.get("entry_id") or item.get("record_id")) for item in items]
            if len(set(keys)) != len(keys):
                yield f"{items_path}: something is listed twice: {keys}"

    def _of_votes(self) -> Iterator[str]:
        """Nobody has two choices on one element, and every choice is on an element that is there."""
        path = f"{self.basket_path}/elements?fields=element_id,choices"
        listed = self.everything(path) if self.is_there(self.basket_path) else []
        elements = {item["element_id"]: item for item in listed}
        for element_id, element in elements.items():
            voters = [choice["person"]["user_id"] for choice in element.get("choices", [])]
            if len(set(voters)) != len(voters):
                yield f"element {element_id}: two choices of one person"
        for person in (0, 1):
            answer = self.call(person, "GET", f"{self.basket_path}/vote/choices")
            if answer.status == 200:
                chosen = {choice["element_id"] for choice in answer.value["choices"]}
                if not chosen <= elements.keys():
                    yield f"person {person}: choices on elements that are gone: {chosen - elements.keys()}"

    def _of_notifications(self) -> Iterator[str]:
        for person in (0, 1):
            told = self.get(f"{V4}/notifications/unread", person)["unread"]
            listed = [
                item for item in self.get(f"{V4}/notifications?limit=100", person)["data"] if item["read_at"] is None
            ]
            if told != len(listed):
                yield f"person {person}: {told} unread told, {len(listed)} listed"
