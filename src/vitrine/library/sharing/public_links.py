"""The one switch above the permalinks of a record: "public by link".

While it is off, nothing of the record opens without an account: no permalink of any file in any form, no page or
caption of a permalink, no embed page, oEmbed answer or text track, and no signed address, also none given out before.
Each permalink keeps its own switch beneath (`permalinks.switch`). A collection says what its new records get
(`Presentation.set`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from vitrine.accounts import Actor, Via
from vitrine.errors import Conflict, Forbidden
from vitrine.library import access, store
from vitrine.library.errors import MayNotChange
from vitrine.library.model import CollectionId, Record, RecordId, Structure
from vitrine.library.records import Records
from vitrine.library.sharing import permalink_store
from vitrine.platform import audit
from vitrine.platform.database import Database, UnitOfWork

BATCH = 1000  # records of one transaction


def permit(work: UnitOfWork, actor: Actor, structure: Structure, record: Record) -> None:
    """Raises MayNotChange unless the actor may switch every permalink of *record*, which they see."""
    if not may_switch(work, actor, structure, record):
        raise MayNotChange("You may not switch the links of this record.", why=f"record {record.key}")


def may_switch(work: UnitOfWork, actor: Actor, structure: Structure, record: Record) -> bool:
    classes = {
        access.class_of(record, rendition.name, structure.recipe(record.databox_id, record.group, rendition.name))
        for rendition in store.renditions_of(work, [record.id])[record.id]
        if rendition.permalink is not None
    }
    return access.may_switch_record(work, actor, record, classes)


def switch(work: UnitOfWork, actor: Actor, structure: Structure, record: Record, *, on: bool) -> None:
    """Make *record*, which the actor sees, public by link or end that. Raises MayNotChange, or Conflict in the bin."""
    permit(work, actor, structure, record)
    if on and structure.collections[record.collection_id].is_bin:
        raise Conflict("This document is in the bin. Move it out of the bin first; its links come back then.")
    if permalink_store.switch_records(work, [record.id], on=on):
        audit.write(work, actor, "record.links_on" if on else "record.links_off", f"record {record.key}")


@dataclass(frozen=True, slots=True)
class CollectionSwitch:
    """Switches the records that a collection has now, a batch a transaction; safe to stop and to run again."""

    database: Database
    records: Records

    def run(self, actor: Actor, base: CollectionId, *, on: bool, dry_run: bool = False) -> int:
        """The number of records that changed, or would have. For the command line. Raises NoSuchCollection."""
        if actor.via is not Via.COMMAND:
            raise Forbidden("Only the command line switches the links of a whole collection.")
        if on and self._is_bin(base):
            raise Conflict("This collection is the bin: no link opens what is in it.")
        changed = 0
        for ids in self._batches(base, on=on):
            if dry_run:
                changed += len(ids)
                continue
            with self.database.write() as work:
                switched = permalink_store.switch_records(work, ids, on=on, within=base)
                if switched:
                    action = "collection.links_on" if on else "collection.links_off"
                    audit.write(work, actor, action, f"collection {base}", {"records": switched})
                changed += switched
        return changed

    def _is_bin(self, base: CollectionId) -> bool:
        with self.database.read() as work:
            return self.records.collection(work, base).is_bin

    def _batches(self, base: CollectionId, *, on: bool) -> Iterator[list[RecordId]]:
        """The records that are switched the other way, in the order of the index that finds them."""
        after: tuple[datetime, RecordId] | None = None
        while True:
            with self.database.read() as work:
                self.records.collection(work, base)
                page = permalink_store.switches_of(work, base, after, BATCH)
            if not page:
                return
            ids = [record_id for record_id, _, is_on in page if is_on is not on]
            if ids:
                yield ids
            after = (page[-1][1], page[-1][0])
