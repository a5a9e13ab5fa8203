"""Adds renditions that a record has no row for, because its recipe is newer or its file type was not supported then."""

from dataclasses import dataclass

from vitrine.errors import NotFound
from vitrine.jobs import Jobs
from vitrine.library import mapping, store, text_store
from vitrine.library.events import RecordChanged
from vitrine.library.jobs import MAKE_RENDITIONS
from vitrine.library.model import Recipe, Record, RecordId
from vitrine.library.records import Records
from vitrine.media.errors import MediaError
from vitrine.media.probe import Probe
from vitrine.media.renditions import can_make
from vitrine.media.service import Media
from vitrine.platform import logging
from vitrine.platform.database import Database, UnitOfWork

log = logging.get("vitrine.library")
BATCH = 200


@dataclass(frozen=True, slots=True)
class MissingRenditions:
    """For the command line. Probes each original that lacks something, outside any transaction, then writes its
    technical data, text and waiting renditions together. Safe to run again at any time."""

    database: Database
    records: Records
    media: Media
    jobs: Jobs

    def complete(self) -> int:
        """Returns the number of records that get renditions. Files that cannot be read are logged and skipped."""
        done = 0
        last = RecordId(0)
        while True:
            with self.database.read() as work:
                ids = store.ids_after(work, last, BATCH)
                lacking = [
                    (record, recipes)
                    for record_id in ids
                    if (record := store.by_id(work, record_id)) is not None and (recipes := self._lacking(work, record))
                ]
            if not ids:
                return done
            done += sum(self._complete_record(record, recipes) for record, recipes in lacking)
            last = ids[-1]

    def _lacking(self, work: UnitOfWork, record: Record) -> list[Recipe]:
        """Recipes that are to be built, support this file type, and have no row."""
        if record.sha256 is None:
            return []
        known = {rendition.name for rendition in store.renditions_of(work, [record.id])[record.id]}
        recipes = self.records.structure(work).recipes_for(record.databox_id, record.kind)
        mime = record.mime or ""
        return [
            recipe
            for recipe in recipes
            if recipe.tobuild and recipe.name not in known and can_make(mime, recipe.mediatype)
        ]

    def _complete_record(self, record: Record, recipes: list[Recipe]) -> bool:
        assert record.sha256 is not None
        try:
            probe = self.media.probe_stored(record.sha256, record.original_name or record.title)
        except (MediaError, NotFound) as failure:
            log.warning("record.unreadable", record=str(record.key), code=failure.code, why=failure.why)
            return False
        possible = [recipe for recipe in recipes if recipe.mediatype in probe.makes]
        if not possible:
            return False
        with self.database.write() as work:
            if store.by_id(work, record.id) is None:
                return False  # deleted since
            self._write(work, record, probe, possible)
        return True

    def _write(self, work: UnitOfWork, record: Record, probe: Probe, recipes: list[Recipe]) -> None:
        store.update_record(work, record.id, mapping.technical_columns(probe))
        text_store.put(work, record.id, probe.pages, probe.text)
        known = {rendition.name for rendition in store.renditions_of(work, [record.id])[record.id]}
        for recipe in recipes:
            if recipe.name not in known:
                store.add_rendition(work, record.id, recipe.name, {"state": "waiting"})
        self.jobs.add(work, MAKE_RENDITIONS, {"record_id": record.id}, key=str(record.id))
        work.emit(RecordChanged(record.id))
