"""Files that failed the checks, and the decisions about them (contract 06 section 15; 02 section 5.18).

A decision is made in one transaction that deletes the item's row: if two people decide at once, one succeeds and the
other gets DecidedAlready. The file itself is probed before that, outside any transaction, as with every import.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitrine.accounts import Actor, Right, Via
from vitrine.errors import Conflict, Forbidden, NotFound
from vitrine.library import access, derivative_store
from vitrine.library.arrivals import Arrival
from vitrine.library.derivative_store import Derivative
from vitrine.library.errors import MayNotReplace
from vitrine.library.mapping import GivenValues
from vitrine.library.model import Collection, CollectionId, DataboxId, FieldId, Record, RecordKey
from vitrine.library.quarantine import checks
from vitrine.library.quarantine import store as quarantine_store
from vitrine.library.quarantine.store import COLLECTION, DATABOX, INSTANCE, Item
from vitrine.library.records import Records
from vitrine.media.renditions import spec_of
from vitrine.media.service import Media
from vitrine.platform import audit
from vitrine.platform.database import Database, UnitOfWork

PICTURE = "quarantine-384"
PICTURE_SIDE = 384
AddRecord = Callable[[UnitOfWork, Actor, Arrival, CollectionId, int | None, GivenValues], RecordKey]  # with status bits
ReplaceOriginal = Callable[[UnitOfWork, Actor, RecordKey, Arrival], object]


class NoSuchItem(NotFound):
    code = "no_such_item"


class MayNotDecide(Forbidden):
    code = "may_not_decide"


class DecidedAlready(Conflict):
    """Somebody else decided first."""

    code = "decided_already"


class NoMatch(Conflict):
    """The record is not among those that the file clashes with."""

    code = "no_match"


@dataclass(frozen=True, slots=True)
class Match:
    """A record that a file clashes with, and the checks that found it."""

    record: Record
    collection: Collection
    checks: tuple[str, ...]
    replaceable: bool


@dataclass(frozen=True, slots=True)
class QuarantinedFile:
    """An item as the person sees it. *failed* has a sentence for each check, None for a check that is off by now."""

    item: Item
    collection: Collection
    failed: Mapping[str, str | None]
    matches: tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class Quarantine:
    database: Database
    records: Records
    media: Media
    add_record: AddRecord
    replace_original: ReplaceOriginal

    # -- looking -------------------------------------------------------------------------------------------------

    def page(
        self, work: UnitOfWork, actor: Actor, *, offset: int = 0, limit: int, before: int | None = None
    ) -> list[QuarantinedFile]:
        """Newest first, from all collections where the actor may add records; with *before* those older than that
        item."""
        items = quarantine_store.page(work, self._bases(work, actor), offset, limit, before)
        return self._present(work, actor, items)

    def count(self, work: UnitOfWork, actor: Actor) -> int:
        """How many wait; one more than `quarantine.store.MOST_COUNTED` stands for more than that."""
        return quarantine_store.count(work, self._bases(work, actor))

    def get(self, work: UnitOfWork, actor: Actor, item: int) -> QuarantinedFile:
        """Raises NoSuchItem, or MayNotDecide without `canaddrecord` on its collection (02 section 6.3)."""
        return self._present(work, actor, [self._get_item(work, actor, item)])[0]

    def permit_any(self, work: UnitOfWork, actor: Actor) -> None:
        """Raises MayNotDecide for who decides about the files of no collection."""
        if not self._bases(work, actor):
            raise MayNotDecide("You may not decide about files of any collection.")

    def holds(self, work: UnitOfWork, base: CollectionId, sha256: str) -> bool:
        """True if this file is already waiting for this collection."""
        return quarantine_store.holds(work, base, sha256)

    def _bases(self, work: UnitOfWork, actor: Actor) -> frozenset[int]:
        enabled = {
            int(collection.id) for collection in self.records.structure(work).collections.values() if collection.enabled
        }
        if actor.via is Via.COMMAND:
            return frozenset(enabled)
        return actor.rights.bases_with(Right.canaddrecord, work.now) & enabled

    def _get_item(self, work: UnitOfWork, actor: Actor, item_id: int) -> Item:
        row = quarantine_store.get(work, item_id)
        if row is None:
            raise NoSuchItem("This file is not in the quarantine any more.", why=f"item {item_id}")
        if row.collection_id not in self._bases(work, actor):
            raise MayNotDecide("You may not decide about files of this collection.", why=f"item {item_id}")
        return row

    def _present(self, work: UnitOfWork, actor: Actor, items: Sequence[Item]) -> list[QuarantinedFile]:
        """The items with what failed and what they clash with: as many statements for a page as for one."""
        collections = self.records.structure(work).collections
        concerned = {item.collection_id: collections[item.collection_id] for item in items}
        policies = checks.policies_for(work, concerned.values()) if items else {}
        clashing: defaultdict[DataboxId, set[int]] = defaultdict(set)
        for item in items:
            clashing[collections[item.collection_id].databox_id].update(*item.checks.values())
        records = {databox: quarantine_store.matches(work, databox, numbers) for databox, numbers in clashing.items()}
        files = []
        for item in items:
            collection = collections[item.collection_id]
            policy = policies[collection.id]
            failed = {
                name: checks.CHECKS[name].reason if policy[name]["on"] else None
                for name in item.checks
                if name in checks.CHECKS
            }
            matches = _matches(work, actor, item, records[collection.databox_id], collections)
            files.append(QuarantinedFile(item, collection, failed, matches))
        return files

    # -- deciding ------------------------------------------------------------------------------------------------

    def arrival(self, item: Item) -> Arrival:
        """Probe the file again; no unit of work may be open. Raises MediaError, or NotFound for lost bytes."""
        probe = self.media.probe_stored(item.sha256, item.original_name)
        return Arrival(item.original_name, item.sha256, item.size, probe)

    def accept(self, work: UnitOfWork, actor: Actor, item: int, arrival: Arrival) -> RecordKey:
        """Make it a record, with its stored attributes, less the fields and status bits that were removed since. Raises
        DecidedAlready and what `get` raises."""
        waiting_item = self._take_item(work, actor, item)
        base, status = waiting_item.collection_id, waiting_item.attributes.get("status")
        if status is not None:
            structure = self.records.structure(work)
            status = structure.defined_status(structure.collections[base].databox_id, status)
        given = waiting_item.attributes.get("values", {})
        values = {FieldId(int(field_id)): texts for field_id, texts in given.items()}
        key = self.add_record(work, actor, arrival, base, status, values)
        audit.write(work, actor, "quarantine.accepted", f"item {item}", {"record": str(key)})
        return key

    def substitute(self, work: UnitOfWork, actor: Actor, item: int, arrival: Arrival, number: int) -> RecordKey:
        """Replace the file of a record that it clashes with. Also requires `canaddrecord` and `imgtools` on that record
        (06 section 17.7). Raises NoMatch, MayNotReplace, and what replacing raises."""
        file = self.get(work, actor, item)
        match = next((candidate for candidate in file.matches if candidate.record.number == number), None)
        if match is None:
            raise NoMatch(f"Record {number} is none of those that this file clashes with.", field="record_id")
        if not match.replaceable:
            raise MayNotReplace("You may not replace the file of this record.", why=f"record {match.record.key}")
        self._take_item(work, actor, item)
        self.replace_original(work, actor, match.record.key, arrival)
        audit.write(work, actor, "quarantine.substituted", f"item {item}", {"record": str(match.record.key)})
        return match.record.key

    def delete(self, work: UnitOfWork, actor: Actor, item: int) -> None:
        """Reject it for good. Its bytes can be recovered for a week."""
        waiting_item = self._take_item(work, actor, item)
        audit.write(work, actor, "quarantine.deleted", f"item {item}", {"sha256": waiting_item.sha256})

    def _take_item(self, work: UnitOfWork, actor: Actor, item_id: int) -> Item:
        item = self._get_item(work, actor, item_id)
        if not quarantine_store.take(work, item_id):
            raise DecidedAlready("Somebody else has just decided about this file.")
        return item

    # -- pictures ------------------------------------------------------------------------------------------------

    def picture(self, item: Item) -> Derivative:
        """A small picture of the file, made once when somebody first looks; no unit of work may be open.

        Raises NotFound for files that no picture can be made of.
        """
        with self.database.read() as work:
            known = derivative_store.find(work, item.sha256, PICTURE)
        if known is not None:
            return known
        kind = str(item.attributes.get("kind", item.mime.partition("/")[0]))
        spec = spec_of("thumbnail", "image", {"size": PICTURE_SIDE, "quality": 80})
        with self.media.scratch() as folder:
            picture = self.media.make_renditions(item.sha256, kind, item.mime, [spec], Path(folder))[0]
            if isinstance(picture, tuple):
                raise NotFound("There is no picture of this file.", why=picture[1].code)
            stored = self.media.store_file(picture.path)
        with self.database.write() as work:
            derivative = Derivative(stored.sha256, picture.mime, picture.extension, stored.size, work.now)
            derivative_store.save(work, item.sha256, PICTURE, derivative)
        return derivative

    # -- policy --------------------------------------------------------------------------------------------------

    def set_policy(
        self, work: UnitOfWork, actor: Actor, policy: object, *, databox: int | None = None, base: int | None = None
    ) -> None:
        """Set what is checked for the instance, a databox or a collection; None deletes the setting."""
        if not actor.is_admin:
            raise Forbidden("Only administrators may set the checks.")
        structure = self.records.structure(work)
        if base is not None and base not in structure.collections:
            raise NotFound(f"There is no collection with base_id {base}.", field="base_id")
        if databox is not None and databox not in structure.databoxes:
            raise NotFound(f"There is no databox {databox}.", field="databox_id")
        scope, scope_id = (COLLECTION, base) if base is not None else (DATABOX, databox)
        scope, scope_id = (scope, scope_id) if scope_id is not None else (INSTANCE, 0)
        quarantine_store.set_policy(work, scope, scope_id, None if policy is None else checks.parse(policy))
        audit.write(work, actor, "quarantine.policy", f"{scope} {scope_id}", {"policy": policy})

    def has_own_policy(self, work: UnitOfWork, base: CollectionId) -> bool:
        """True when the collection has a policy of its own."""
        return quarantine_store.has_policy(work, COLLECTION, base)

    def policy(self, work: UnitOfWork, collection: Collection) -> dict[str, dict[str, Any]]:
        return checks.policy_for(work, collection)


def _matches(
    work: UnitOfWork,
    actor: Actor,
    item: Item,
    records: Mapping[int, Record],
    collections: Mapping[CollectionId, Collection],
) -> tuple[Match, ...]:
    """The matching records that still exist and that the actor sees."""
    numbers = sorted({number for clashes in item.checks.values() for number in clashes if number in records})
    return tuple(
        Match(
            record,
            collections[record.collection_id],
            tuple(name for name, clashes in item.checks.items() if record.number in clashes),
            _may_replace(actor, record, work),
        )
        for record in (records[number] for number in numbers)
        if access.sees(work, actor, record)
    )


def _may_replace(actor: Actor, record: Record, work: UnitOfWork) -> bool:
    return all(access.may(work, actor, record, right) for right in (Right.canaddrecord, Right.imgtools))
