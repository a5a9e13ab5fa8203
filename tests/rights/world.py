"""A random library and a random person, in a server and in the model."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.rights.model import Grant, Key, Link, ModelRecord, Person, is_in_time, may
from vitrine.accounts import COMMAND, CollectionGrant, Right, User, record_grants
from vitrine.accounts.record_grants import GrantSource, SourceKind
from vitrine.accounts.store import bump_rights
from vitrine.accounts.tables import record_grants as grants_table
from vitrine.library import store, structure_store
from vitrine.library.events import RecordAdded, RecordChanged
from vitrine.library.model import CollectionId, DataboxId, RecordId, RecordKey
from vitrine.library.sharing import permalinks
from vitrine.library.tables import field_values, records, renditions
from vitrine.platform.database import inserted_id
from vitrine.testing.server import Server

SECRET, BIT = "Secret", 4
# Those that the table asks for; each link has some of them.
RIGHTS = ("actif", "candwnldpreview", "candwnldhd", "canmodifrecord", "chgstatus", "candeleterecord", "canaddrecord",
          "canputinalbum", "imgtools", "canpush", "cancmd")  # fmt: skip
FILES = ("document", "preview", "thumbnail")
YEAR = timedelta(days=365)


class World:
    """*count* records in two databoxes of two collections each. *person* is what the model knows of *user*, *token*
    acts for them with every scope."""

    def __init__(self, server: Server, seed: int, count: int = 16) -> None:
        self.server, self.random = server, random.Random(seed)
        self.now = datetime.now(UTC)
        self.documents: dict[Key, ModelRecord] = {}
        self.ids: dict[Key, int] = {}
        self.person = Person()
        self._build_structure()
        for _ in range(count):
            self._add_record()
        self.user: User = server.user("reader", {})
        self.token = server.token(self.user)
        for base in self.bases:
            self.link(base)
        for _ in range(count // 3):
            self.give()
        server.work()

    def _build_structure(self) -> None:
        server = self.server
        with server.services.database.write() as work:
            structure = server.services.library.structure
            other = structure.add_databox(work, COMMAND, "Depot")
            more = [structure.add_collection(work, COMMAND, other.id, name) for name in ("Prints", "Plates")]
            self.bases = {int(base.id): int(base.databox_id) for base in (server.photographs, server.archive, *more)}
            self.secret_fields: dict[int, int] = {}
            for box in (server.databox.id, other.id):
                field = {"name": SECRET, "labels": {}, "fallbacks": [], "business": True}
                self.secret_fields[int(box)] = structure_store.add_field(work, box, field)
                bit = {"bit": BIT, "label_on": "", "label_off": "", "labels_on": {}, "labels_off": {}}
                structure_store.add_status_bit(work, box, {**bit, "searchable": True, "printable": True})
            structure_store.increase_version(work)

    def _add_record(self) -> None:
        base = self.random.choice(sorted(self.bases))
        box = self.bases[base]
        with self.server.services.database.write() as work:
            number = store.next_number(work, DataboxId(box))
            document = ModelRecord((box, number), base, self.random.choice((0, 1 << BIT)))
            row = {
                "databox_id": box, "number": number, "collection_id": base, "kind": "image",
                "mime": "image/jpeg", "title": f"Boat {number}",
                "uuid": f"{box}-{number}", "technical": "[]", "status": document.status, "created": work.now,
                "updated": work.now,
            }  # fmt: skip
            record_id = inserted_id(work.db.execute(records.insert().values(row)))
            for name in FILES:
                file = {"record_id": record_id, "name": name, "state": "ready", "sha256": f"{record_id:064}",
                        "mime": "image/jpeg", "extension": "jpg", "size": 9, "width": 9, "height": 9}  # fmt: skip
                work.db.execute(renditions.insert().values(**file, created=work.now, updated=work.now))
                permalinks.ensure(work, RecordId(record_id), f"Boat {number}", name)
            value = {"record_id": record_id, "field_id": self.secret_fields[box], "value": f"secret of {box}/{number}"}
            work.db.execute(field_values.insert().values(value))
            work.emit(RecordAdded(RecordId(record_id)))
        self.documents[document.key], self.ids[document.key] = document, record_id

    # -- changes, each in the server and in the model ----------------------------------------------------------------

    def link(self, base: int) -> None:
        """Give the person random rights there, or none."""
        dates = self.random.choice([(None, None)] * 3 + [(None, self.now - YEAR), (self.now + YEAR, None),
                                    (self.now - YEAR, self.now + YEAR)])  # fmt: skip
        rights = frozenset(self.random.sample(RIGHTS, self.random.randrange(len(RIGHTS) + 1)))
        if self.random.random() < 0.7:
            rights |= {"actif"}
        mask = self.random.choice([(0, 0), (1 << BIT, 0), (1 << BIT, 1 << BIT)])
        link = Link(rights, *dates, *mask)
        total = Right(0)
        for name in rights:
            total |= Right[name]
        with self.server.services.database.write() as work:
            grant = CollectionGrant(base, self.bases[base], total, *dates, *mask)
            self.server.services.accounts.users.grant(work, COMMAND, self.user.id, grant)
        self.person.links[base] = link

    def give(self) -> None:
        """A grant on a random record, live or over."""
        key = self.random.choice(sorted(self.documents))
        source = GrantSource(SourceKind.PUSH, 1 + sum(map(len, self.person.grants.values())))
        grant = Grant(self.random.random() < 0.5, self.random.choice([None, self.now + YEAR, self.now - YEAR]))
        with self.server.services.database.write() as work:
            record_grants.give(
                work, self.user.id, [self.ids[key]], source, giver_id=None, document=grant.hd, expires=grant.expires
            )
        self.person.grants.setdefault(key, []).append(grant)

    def end_grants(self, key: Key) -> None:
        """They expire now."""
        with self.server.services.database.write() as work:
            of_record = grants_table.c.record_id == self.ids[key]
            work.db.execute(grants_table.update().where(of_record).values(expires=self.now - YEAR))
            bump_rights(work, self.user.id)
        self.person.grants.pop(key, None)

    def shuffle(self, *, is_indexed: bool = True) -> None:
        """Move, hide, delete records and end rights, all by others; *is_indexed*: and the index follows."""
        library = self.server.services.library
        for key in self.random.sample(sorted(self.documents), len(self.documents) // 2):
            document, record_key = self.documents[key], RecordKey(DataboxId(key[0]), key[1])
            with self.server.services.database.write() as work:
                match self.random.choice(["move", "status", "delete", "nothing"]):
                    case "move":
                        sisters = [base for base, box in self.bases.items() if box == key[0]]
                        document.base_id = self.random.choice(sisters)
                        library.changes.move(work, COMMAND, record_key, CollectionId(document.base_id))
                    case "status":
                        document.status ^= 1 << BIT
                        library.changes.set_status(work, COMMAND, record_key, {BIT: bool(document.status & 1 << BIT)})
                    case "delete":
                        library.removal.remove(work, COMMAND, record_key)
                        del self.documents[key]
                        self.person.grants.pop(key, None)
                    case _:
                        work.emit(RecordChanged(RecordId(self.ids[key])))
        self.link(self.random.choice(sorted(self.bases)))
        for key in list(self.person.grants)[:1]:
            self.end_grants(key)
        if is_indexed:
            self.server.work()

    # -- questions ---------------------------------------------------------------------------------------------------

    def may(self, action: str, key: Key) -> bool:
        document = self.documents.get(key)
        return document is not None and may(action, self.person, document, datetime.now(UTC))

    def allowed(self, action: str) -> set[Key]:
        return {key for key in self.documents if self.may(action, key)}

    def live_bases(self) -> set[int]:
        """The collections in which the person has a right now."""
        links, now = self.person.links, datetime.now(UTC)
        return {base for base, link in links.items() if "actif" in link.rights and is_in_time(link, now)}

    def call(self, method: str, path: str, **options: Any) -> Any:
        return self.server.call(method, path, self.token, **options)

    def all_keys(self) -> list[Key]:
        """Every record that ever was."""
        return sorted(self.ids)


def records_in(value: Any) -> Iterator[Key]:
    """Every record that an answer names, however deep: objects with `databox_id` and `record_id`."""
    if isinstance(value, dict):
        if isinstance(value.get("databox_id"), int) and isinstance(value.get("record_id"), int):
            yield value["databox_id"], value["record_id"]
        for member in value.values():
            yield from records_in(member)
    elif isinstance(value, list):
        for member in value:
            yield from records_in(member)
