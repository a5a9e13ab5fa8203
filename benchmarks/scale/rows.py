"""The rows of a filled instance: plain tuples, in the order of TABLES, the same for the same seed and day."""

import hashlib
import itertools
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.scale.bulk import BulkWriter, Row
from benchmarks.scale.instance import HIDDEN_STATUS, RENDITIONS, Instance
from benchmarks.scale.words import Vocabulary, zipf
from vitrine.media.renditions.recipes import DEFAULT_RECIPES

TABLES: dict[str, tuple[str, ...]] = {
    "users": ("id", "login", "login_folded", "login_mapped", "email", "email_folded", "created", "updated"),
    "collection_rights": ("user_id", "collection_id", "rights"),
    "groups": ("id", "name", "name_folded", "created", "updated"),
    "group_members": ("group_id", "user_id", "added"),
    "registration_requests": ("user_id", "collection_id", "state", "created"),
    "notifications": ("user_id", "kind", "payload", "created"),
    "applications": (
        "id", "creator_id", "type", "profile", "name", "description", "website", "client_id", "switches", "created",
        "updated",
    ),
    "accounts": ("id", "user_id", "application_id", "granted_at", "created", "last_used"),
    "consents": ("account_id", "at", "decision", "shown"),
    "access_tokens": ("digest", "account_id", "last_four", "created", "idle_limit_s", "last_used"),
    "sessions": ("digest", "user_id", "created", "auth_time", "last_seen", "expires", "address", "agent"),
    "sign_in_failures": ("login_folded", "address", "at"),
    "records": (
        "id", "databox_id", "number", "collection_id", "is_story", "kind", "mime", "original_name",
        "original_name_folded", "title", "uuid",
        "sha256", "size", "status", "technical", "width", "height", "creator_id", "in_public_feed", "created",
        "updated",
    ),
    "story_children": ("story_id", "child_id", "position"),
    "feeds": ("id", "title", "is_public", "owner_id", "entries", "latest", "created", "updated"),
    "feed_publishers": ("feed_id", "user_id", "created"),
    "feed_entries": ("id", "feed_id", "publisher_id", "title", "created", "updated"),
    "feed_items": ("entry_id", "record_id", "position"),
    "field_values": ("record_id", "field_id", "value", "position"),
    "renditions": (
        "record_id", "name", "state", "sha256", "mime", "extension", "width", "height", "size", "created", "updated",
    ),
    "permalinks": ("record_id", "name", "token", "label", "created", "updated"),
    "quarantine_items": (
        "collection_id", "user_id", "session", "original_name", "sha256", "uuid", "size", "mime", "checks",
        "attributes", "created", "updated",
    ),
    "baskets": ("id", "owner_id", "name", "description", "is_archived", "is_read", "version", "created", "updated"),
    "basket_elements": ("basket_id", "record_id", "position", "created"),
    "basket_participants": ("basket_id", "user_id", "is_shared", "created"),
    "record_grants": ("user_id", "record_id", "source_kind", "source_id", "giver_id", "created"),
    "removed_records": ("databox_id", "number", "title", "removed_at", "removed_by", "kept"),
    "record_changes": ("databox_id", "number", "kind", "at", "user_id", "before", "after"),
    "permalink_views": ("record_id", "collection_id", "day", "rendition", "referrer", "views"),
    "record_uses": ("databox_id", "number", "collection_id", "kind", "at", "user_id"),
    "search_counts": ("databox_id", "day", "words", "searches", "without_result"),
    "audit_log": ("at", "user_id", "application_id", "action", "object", "details", "address"),
    "request_log": (
        "at", "request_id", "account_id", "application_id", "method", "route", "status", "duration_us",
    ),
}  # fmt: skip
# So many rows there are in any case, so that a page of them is full everywhere, and one more for so many records.
LEAST_USERS, LEAST_APPLICATIONS, LEAST_QUARANTINED = 60, 60, 60
RECORDS_PER_USER, RECORDS_PER_APPLICATION, RECORDS_PER_TOKEN, RECORDS_PER_SESSION = 100, 50, 10, 10
RECORDS_PER_FAILURE, RECORDS_PER_QUARANTINED, RECORDS_PER_GRANT, RECORDS_PER_REMOVED = 100, 20, 10, 100
CHILDREN_PER_STORY = 6
FEEDS, LEAST_ENTRIES, RECORDS_PER_ENTRY, ITEMS = 4, 100, 20, 3  # every second feed is public
# Baskets of the reader, shared ones among them, and those of other people, of so many records each.
READERS_BASKETS, FIRST_BASKET, RECORDS_PER_BASKET = 20, 1_000, 10
POPULAR = 10  # a record that is in every basket of other people
LEAST_NOTIFICATIONS = 150  # more than are counted
SHARED_BY = 20  # records whose renditions are the same bytes
IMAGES = 400
KINDS = (
    ("image", "image/jpeg", "jpg", 88),
    ("video", "video/mp4", "mp4", 5),
    ("audio", "audio/mpeg", "mp3", 3),
    ("document", "application/pdf", "pdf", 4),
)
FORMS = {"thumbnailgif": ("image/gif", "gif"), "preview_webm": ("video/webm", "webm")}
RECIPES = {kind: [recipe.name for recipe in DEFAULT_RECIPES if recipe.group == kind] for kind, *_ in KINDS}
FIRST, LAST = datetime(2014, 1, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
ROUTES = ("/api/v1/search/", "/api/v1/me/", "/api/v1/records/{databox_id}/{record_id}/", "/api/v1/records/add/")
BATCH = 10_000
_TECHNICAL = {
    "Width": 6000, "Height": 4000, "Channels": 3, "Orientation": 1, "ColorDepth": 8, "ColorSpace": "sRGB",
    "MimeType": "image/jpeg", "CameraModel": "ILCE-7M3", "FlashFired": 0, "FocalLength": "35 mm", "Aperture": "5.6",
    "ShutterSpeed": "1/250", "ISO": 200, "HyperfocalDistance": "7.3 m", "LightValue": 13.2, "FileSize": 20480,
}  # fmt: skip
TECHNICAL = json.dumps([{"name": name, "value": value} for name, value in _TECHNICAL.items()], separators=(",", ":"))


@dataclass(slots=True)
class Filler:
    """Draws the rows of one instance. *sizes* are bytes of the shared files by name; *keep(digest, name)* is called
    for each blob that a row names. The dates of people and logs end at *today*."""

    instance: Instance
    sizes: dict[str, int]
    writer: BulkWriter
    today: datetime
    keep: Callable[[str, str], None]
    images: list[int] = field(default_factory=list)
    published: set[int] = field(default_factory=set)
    in_collections: Counter[int] = field(default_factory=Counter)
    _rows: dict[str, list[Row]] = field(default_factory=lambda: {table: [] for table in TABLES})

    def fill(self) -> None:
        self._people()
        self._feeds()
        for count, _rid in enumerate(self._records(), 1):
            if count % BATCH == 0:
                self.flush()
        self._stories()
        self._feed_entries()
        self.flush()
        step = max(1, len(self.images) // IMAGES)
        self.instance.images.extend(self.images[::step][:IMAGES])
        self.instance.by_size.extend(base for base, _count in self.in_collections.most_common())

    def flush(self) -> None:
        for table, rows in self._rows.items():
            if rows:
                self.writer.write(table, TABLES[table], rows)
                rows.clear()

    def _ago(self, days: float, part: float) -> Any:
        """The instant at *part* of the last *days*: 0 is the oldest, 1 is today."""
        return self.writer.instant(self.today - timedelta(days=days) * (1 - part))

    # -- people ------------------------------------------------------------------------------------------------------

    def _people(self) -> None:
        records, rows = self.instance.records, self._rows
        first_user = max(self.instance.users.values()) + 1
        users = range(first_user, first_user + LEAST_USERS + records // RECORDS_PER_USER)
        for user in users:
            at, address = self._ago(900, 0.5), f"person{user}@example.com"
            login = f"person{user}"
            rows["users"].append((user, login, login, login, address, address, at, at))
        self._what_people_have(users)
        self._applications(users)
        self._baskets(users)
        accounts = self._accounts(users)
        for number in range(records // RECORDS_PER_TOKEN):
            part = number * RECORDS_PER_TOKEN / records
            at = self._ago(60, part)
            account = accounts[number % len(accounts)]
            row = (_digest("token", number), account, f"{number % 10_000:04}", at, 90 * 86_400, self._ago(5, part))
            rows["access_tokens"].append(row)
        for number in range(records // RECORDS_PER_SESSION):
            part = number * RECORDS_PER_SESSION / records
            at, expires = self._ago(10, part), self.writer.instant(self.today + timedelta(days=20 + 300 * part))
            user = users[number % len(users)]
            rows["sessions"].append(
                (_digest("session", number), user, at, at, at, expires, _address(number), "Browser")
            )
        for number in range(records // RECORDS_PER_FAILURE):
            at = self._ago(0.2, number * RECORDS_PER_FAILURE / records)
            rows["sign_in_failures"].append((f"nobody{number}", _address(number), at))

    def _baskets(self, users: Sequence[int]) -> None:
        """Half of the reader's are shared with the administrator; other people share with each other."""
        reader, admin, at = self.instance.users["reader"], self.instance.users["admin"], self._ago(100, 0.5)
        no, yes, rows = self.writer.flag(False), self.writer.flag(True), self._rows
        others = range(FIRST_BASKET, FIRST_BASKET + self.instance.records // RECORDS_PER_BASKET)
        for number in (*range(1, READERS_BASKETS + 1), *others):
            is_readers = number <= READERS_BASKETS
            owner = reader if is_readers else users[number % len(users)]
            rows["baskets"].append((number, owner, f"Basket {number}", "", no, yes, 1, at, at))
            if not is_readers or number % 2:
                receiver = admin if is_readers else users[(number + 1) % len(users)]
                rows["basket_participants"].append((number, receiver, yes, at))

    def _basket_elements(self, rid: int) -> None:
        at, rows = self._ago(100, 0.5), self._rows
        if rid <= READERS_BASKETS * RECORDS_PER_BASKET:
            rows["basket_elements"].append(((rid - 1) // RECORDS_PER_BASKET + 1, rid, rid, at))
        basket = FIRST_BASKET + (rid - 1) // RECORDS_PER_BASKET
        if rid <= self.instance.records // RECORDS_PER_BASKET * RECORDS_PER_BASKET and rid != POPULAR:
            rows["basket_elements"].append((basket, rid, rid, at))
            if rid % RECORDS_PER_BASKET == 0 and rid > POPULAR:
                rows["basket_elements"].append((basket, POPULAR, 0, at))

    def _what_people_have(self, users: Sequence[int]) -> None:
        """Everybody reads one collection, asks for another one and is in one group; the administrator is told of each
        request."""
        rows, admin = self._rows, self.instance.users["admin"]
        at, (first, second) = self._ago(20, 0.5), self.instance.collections[:2]
        rows["groups"].append((1, "Readers", "readers", at, at))
        for user in users:
            rows["collection_rights"].append((user, first, 1))
            rows["group_members"].append((1, user, at))
            rows["registration_requests"].append((user, second, "pending", at))
        for number in range(LEAST_NOTIFICATIONS + self.instance.records // RECORDS_PER_USER):
            rows["notifications"].append((admin, "registration_requested", f'{{"user_id":{number}}}', at))

    def _applications(self, users: Sequence[int]) -> None:
        first = max(self.instance.applications.values()) + 100
        for number in range(LEAST_APPLICATIONS + self.instance.records // RECORDS_PER_APPLICATION):
            at = self._ago(400, 0.5)
            self._rows["applications"].append((
                first + number, users[number % len(users)], "web", "strict", f"Application {number}", "Reads.",
                "https://other.example.com", f"other{number}", "{}", at, at,
            ))  # fmt: skip

    def _accounts(self, users: Sequence[int]) -> list[int]:
        """Everybody uses the reader's application."""
        application, at = self.instance.applications["reader"], self._ago(100, 0.5)
        accounts = list(range(1_000, 1_000 + len(users)))
        for account, user in zip(accounts, users, strict=True):
            self._rows["accounts"].append((account, user, application, at, at, at))
            self._rows["consents"].append((account, at, "allow", "{}"))
        return accounts

    # -- records -----------------------------------------------------------------------------------------------------

    def _records(self) -> Iterator[int]:
        draw, vocabulary = random.Random(self.instance.seed + 1), Vocabulary.of(self.instance.seed)
        order = list(self.instance.collections)
        random.Random(self.instance.seed + 2).shuffle(order)
        sizes = zipf(len(order), 0.6)
        kinds = [kind[:3] for kind in KINDS]
        kind_weights = list(itertools.accumulate(kind[3] for kind in KINDS))
        texts = _Texts(draw, vocabulary)
        findable = set(self.instance.seen) - set(self.instance.masked)
        step = (LAST - FIRST) / self.instance.records
        for rid in range(1, self.instance.records + 1):
            at = self.writer.instant(FIRST + step * rid)
            base = draw.choices(order, cum_weights=sizes)[0]
            kind, mime, extension = draw.choices(kinds, cum_weights=kind_weights)[0]
            if base in findable:
                self.in_collections[base] += 1
                if kind == "image" and not _status(rid):
                    self.images.append(rid)
            values = texts.values(rid, self.instance.records)
            digest = f"{draw.getrandbits(256):064x}"
            self._record(rid, base, (kind, mime, extension), values[0][1], digest, f"{draw.getrandbits(128):032x}", at)
            self._rows["field_values"] += [
                (rid, self.instance.fields[name], value, position) for position, (name, value) in enumerate(values)
            ]
            self._renditions(rid, (kind, mime, extension), values[0][1], digest, at, draw)
            self._aside(rid, base, draw)
            yield rid

    def _record(
        self, rid: int, base: int, form: tuple[str, str, str], title: str, digest: str, uuid: str, at: Any
    ) -> None:
        kind, mime, extension = form
        dashed = "-".join((uuid[:8], uuid[8:12], uuid[12:16], uuid[16:20], uuid[20:]))
        name = f"img_{rid:08}.{extension}"
        self._rows["records"].append((
            rid, self.instance.databox_id, rid, base, self.writer.flag(False), kind, mime, name, name, title, dashed,
            digest, self.sizes["document"], _status(rid), TECHNICAL, 6000, 4000, self.instance.users["admin"],
            self.writer.flag(rid in self.published), at, at,
        ))  # fmt: skip

    def _renditions(
        self, rid: int, form: tuple[str, str, str], title: str, digest: str, at: Any, draw: random.Random
    ) -> None:
        kind, mime, extension = form
        label = title.replace(" ", "-")
        self.keep(digest, "document")
        original = (rid, "document", "ready", digest, mime, extension, 6000, 4000, self.sizes["document"], at, at)
        self._rows["renditions"].append(original)
        self._rows["permalinks"].append((rid, "document", f"{draw.getrandbits(256):064x}", label, at, at))
        for name in RECIPES[kind]:
            shared = hashlib.sha256(f"{name} {rid // SHARED_BY}".encode()).hexdigest()
            self.keep(shared, name)
            row = (*FORMS.get(name, ("image/jpeg", "jpg")), *RENDITIONS[name], self.sizes[name], at, at)
            self._rows["renditions"].append((rid, name, "ready", shared, *row))
            self._rows["permalinks"].append((rid, name, f"{draw.getrandbits(256):064x}", label, at, at))

    def _stories(self) -> None:
        """Behind all records, and those that were removed: each picture that everybody finds is in one story, so that
        a record has as much to do with stories in an instance of any size. The last one may be longer."""
        rows, base, at = self._rows, self.instance.seen[-1], self.writer.instant(LAST)
        stories = max(1, len(self.images) // CHILDREN_PER_STORY)
        for number in range(stories):
            rid = 2 * self.instance.records + 1 + number
            rows["records"].append((
                rid, self.instance.databox_id, rid, base, self.writer.flag(True), "unknown", None, None, None,
                f"Story {number}", f"00000000-0000-4000-8000-{rid:012}", None, None, 0, "[]", None, None,
                self.instance.users["admin"], self.writer.flag(False), at, at,
            ))  # fmt: skip
            first = number * CHILDREN_PER_STORY
            children = self.images[first : first + CHILDREN_PER_STORY if number < stories - 1 else None]
            rows["story_children"] += [(rid, child, position) for position, child in enumerate(children)]
            if number % BATCH == 0:
                self.flush()

    # -- feeds -------------------------------------------------------------------------------------------------------

    @property
    def _entries(self) -> int:
        return LEAST_ENTRIES + self.instance.records // RECORDS_PER_ENTRY

    def _items_of(self, entry: int) -> list[int]:
        return [(ITEMS * entry + place) % self.instance.records + 1 for place in range(ITEMS)]

    def _entry_at(self, entry: int) -> Any:
        return self.writer.instant(FIRST + (LAST - FIRST) / self._entries * entry)

    def _feeds(self) -> None:
        """Entries go to one feed after the other."""
        admin, at = self.instance.users["admin"], self.writer.instant(FIRST)
        for feed in range(FEEDS):
            entries = range(feed, self._entries, FEEDS)
            if is_public := feed % 2 == 0:
                self.published.update(rid for entry in entries for rid in self._items_of(entry))
            newest = self._entry_at(entries[-1])
            row = (feed + 1, f"Feed {feed}", self.writer.flag(is_public), admin, len(entries), newest, at, newest)
            self._rows["feeds"].append(row)
            self._rows["feed_publishers"].append((feed + 1, admin, at))

    def _feed_entries(self) -> None:
        admin = self.instance.users["admin"]
        for entry in range(self._entries):
            number, at = entry + 1, self._entry_at(entry)
            row = (number, entry % FEEDS + 1, admin, f"Entry {number}", at, at)
            self._rows["feed_entries"].append(row)
            self._rows["feed_items"] += [(number, rid, place) for place, rid in enumerate(self._items_of(entry))]

    # -- what records leave elsewhere ----------------------------------------------------------------------------------

    def _aside(self, rid: int, base: int, draw: random.Random) -> None:
        instance, part, rows = self.instance, rid / self.instance.records, self._rows
        admin, box = instance.users["admin"], instance.databox_id
        action = "record.moved" if rid % 2 else "record.added"
        log_at = self._ago(900, part)
        application = instance.applications["admin"]
        details = f'{{"base_id":{base}}}'
        rows["audit_log"].append((log_at, admin, application, action, f"record {box}/{rid}", details, "127.0.0.1"))
        called, route = self._ago(20, part), ROUTES[rid % len(ROUTES)]
        account, status = 1_000 + rid % 10, 404 if rid % 40 == 0 else 200
        busy = instance.applications["reader"]
        rows["request_log"].append((called, f"{rid:016x}", account, busy, "GET", route, status, 1234))
        self._basket_elements(rid)
        if rid % RECORDS_PER_GRANT == 0:
            rows["record_grants"].append((instance.users["borrower"], rid, "push", 1, admin, log_at))
        if rid <= LEAST_QUARANTINED or rid % RECORDS_PER_QUARANTINED == 0:
            self._quarantined(rid, base, draw)
        change = ('{"base_id":0}', f'{{"base_id":{base}}}')
        rows["record_changes"].append((box, rid, "collection", log_at, admin, *change))
        day = (self.today - timedelta(days=900) * (1 - part)).date().isoformat()
        rows["permalink_views"].append((rid, base, day, "preview", "news.example", 3))
        rows["record_uses"].append((box, rid, base, "download", log_at, admin))
        rows["search_counts"].append((box, day, f"word {rid}", 1, 0))
        if rid % RECORDS_PER_REMOVED == 0:
            number = instance.records + rid
            rows["removed_records"].append((box, number, "Removed", self._ago(5, part), admin, '{"renditions":[]}'))

    def _quarantined(self, rid: int, base: int, draw: random.Random) -> None:
        """A file that waits because it clashes with a record; up to ten came in one upload."""
        digest, at = f"{draw.getrandbits(256):064x}", self._ago(30, rid / self.instance.records)
        self.keep(digest, "document")
        session = f"{rid // (10 * RECORDS_PER_QUARANTINED):032x}"
        self._rows["quarantine_items"].append((
            base, self.instance.users["admin"], session, f"wait_{rid}.jpg", digest, f"{rid:036}",
            self.sizes["document"], "image/jpeg", json.dumps({"Sha256": [rid]}), '{"kind":"image"}', at, at,
        ))  # fmt: skip


@dataclass(slots=True)
class _Texts:
    draw: random.Random
    vocabulary: Vocabulary
    _weights: dict[str, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("authors", "cities", "countries"):
            self._weights[name] = zipf(len(getattr(self.vocabulary, name)))

    def _one(self, name: str) -> str:
        choices: Sequence[str] = getattr(self.vocabulary, name)
        return self.draw.choices(choices, cum_weights=self._weights[name])[0]

    def values(self, rid: int, records: int) -> list[tuple[str, str]]:
        """The eight field values of a record; the first is its title."""
        words = self.draw.choices(self.vocabulary.words, cum_weights=self.vocabulary.weights, k=20)
        other = words[19] if words[19] != words[18] else self.vocabulary.words[rid % 1000]
        return [
            ("Title", " ".join(words[:4]).capitalize()),
            ("Caption", " ".join(words[4:18]) + "."),
            ("Keywords", words[18]),
            ("Keywords", other),
            ("Author", self._one("authors")),
            ("Date", f"{2014 + rid * 12 // records}-{rid % 12 + 1:02}-{rid % 28 + 1:02} 10:00:00"),
            ("City", self._one("cities")),
            ("Country", self._one("countries")),
        ]


def _status(rid: int) -> int:
    return HIDDEN_STATUS if rid % 9 == 0 else 0


def _digest(kind: str, number: int) -> bytes:
    return hashlib.sha256(f"{kind} {number}".encode()).digest()


def _address(number: int) -> str:
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
