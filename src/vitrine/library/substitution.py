"""Replaces an original or a rendition by another file (02 section 6.4). The new file is converted first."""

from dataclasses import dataclass

from vitrine.accounts import Actor, Right
from vitrine.jobs import Jobs
from vitrine.library import access, changes_store, mapping, store, text_store
from vitrine.library.arrivals import Arrival, extension_of
from vitrine.library.errors import MayNotReplace, NoSuchRendition
from vitrine.library.events import RecordChanged, RenditionsReady
from vitrine.library.jobs import MAKE_RENDITIONS
from vitrine.library.model import DOCUMENT, Recipe, Record, RecordKey, Rendition
from vitrine.library.records import Records
from vitrine.library.sharing import permalinks
from vitrine.media.errors import MediaError
from vitrine.media.renditions import spec_of
from vitrine.media.service import Media
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork

KINDS = {"image": "image", "gif": "image", "video": "video", "audio": "audio", "pdf": "document"}


class WrongKind(MediaError):
    """The kind of the file does not suit this rendition, and no conversion was requested."""

    code = "wrong_kind"


@dataclass(frozen=True, slots=True)
class ReplacementTarget:
    """The file to be replaced: *recipe* is None for the original."""

    record: Record
    name: str
    recipe: Recipe | None


@dataclass(frozen=True, slots=True)
class File:
    """A stored file that may replace a rendition. Sizes in pixels and bytes."""

    sha256: str
    mime: str
    extension: str
    width: int
    height: int
    size: int


@dataclass(frozen=True, slots=True)
class Substitution:
    records: Records
    media: Media
    jobs: Jobs

    def permit(self, work: UnitOfWork, actor: Actor, key: RecordKey, name: str) -> ReplacementTarget:
        """Requires sight and, on the record's own collection, both `canaddrecord` (02 section 6.4) and `imgtools`
        (06 section 17.7). Raises MayNotReplace, or NoSuchRendition for a name outside the structure."""
        record = self.records.get(work, actor, key)
        if not all(access.may(work, actor, record, right) for right in (Right.canaddrecord, Right.imgtools)):
            raise MayNotReplace("You may not replace the files of this record.", why=f"record {key}")
        name = name.lower()
        recipe = self.records.structure(work).recipe(record.databox_id, record.group, name)
        if (recipe is None and name != DOCUMENT) or (record.is_story and name == DOCUMENT):
            raise NoSuchRendition(f"This record has no file called {name}.", field="name")
        return ReplacementTarget(record, name, recipe)

    def permit_any(self, work: UnitOfWork, actor: Actor) -> None:
        """Raises MayNotReplace where there is no collection in which *actor* may replace files."""
        both = [actor.rights.bases_with(right, work.now) for right in (Right.canaddrecord, Right.imgtools)]
        if not both[0] & both[1]:
            raise MayNotReplace("You may not replace the files of any record.", field="record_id")

    def convert(self, arrival: Arrival, recipe: Recipe, *, adapt: bool) -> File:
        """The file as it will be shown: converted by the recipe if *adapt*, otherwise as it came. Slow; call it outside
        any transaction. Raises MediaError when the file cannot be used as this rendition."""
        probe = arrival.probe
        if not adapt:
            if KINDS.get(recipe.mediatype, probe.kind) != probe.kind:
                detail = f"{recipe.name} must be of the kind {recipe.mediatype}; send one, or ask to adapt."
                raise WrongKind(detail, field="file")
            width, height = probe.display_width or 0, probe.display_height or 0
            return File(arrival.sha256, probe.mime, extension_of(arrival.name), width, height, arrival.size)
        spec = spec_of(recipe.name, recipe.mediatype, recipe.options)
        with self.media.scratch() as folder:
            converted = self.media.make_renditions(arrival.sha256, probe.kind, probe.mime, [spec], folder)[0]
            if isinstance(converted, tuple):
                raise converted[1]
            stored = self.media.store_file(converted.path)
        return File(stored.sha256, converted.mime, converted.extension, converted.width, converted.height, stored.size)

    def replace_rendition(
        self, work: UnitOfWork, actor: Actor, key: RecordKey, name: str, file: File
    ) -> tuple[Record, Rendition]:
        """Checks the right again, since converting took time. The permalink stays."""
        target = self.permit(work, actor, key, name)
        values = {
            "state": "ready", "sha256": file.sha256, "mime": file.mime, "extension": file.extension,
            "width": file.width, "height": file.height, "size": file.size, "substituted": True,
            "failure": None, "failure_detail": None,
        }  # fmt: skip
        record = target.record
        if store.update_rendition(work, record.id, target.name, values) == 0:
            store.add_rendition(work, record.id, target.name, values)
        permalinks.ensure(work, record.id, record.title, target.name)
        store.update_record(work, record.id, {})
        work.emit(RenditionsReady(record.id, ()))
        audit.write(work, actor, "rendition.substituted", f"record {key}", {"name": target.name})
        return record, self._rendition(work, record, target.name)

    def replace_original(
        self, work: UnitOfWork, actor: Actor, key: RecordKey, arrival: Arrival
    ) -> tuple[Record, Rendition]:
        """Ids, values and links stay; file, technical data and all renditions become those of the new file."""
        record = self.permit(work, actor, key, DOCUMENT).record
        store.update_record(work, record.id, mapping.record_columns(arrival))
        probe = arrival.probe
        document = {**mapping.original_columns(arrival), "substituted": True}
        store.update_rendition(work, record.id, DOCUMENT, document)
        text_store.put(work, record.id, probe.pages, probe.text)
        of_kind = self.records.structure(work).recipes_for(record.databox_id, probe.kind)
        recipes = {recipe.name: recipe for recipe in of_kind if recipe.mediatype in probe.makes}
        existing = {rendition.name for rendition in store.renditions_of(work, [record.id])[record.id]} - {DOCUMENT}
        for name in existing - recipes.keys():
            changes_store.delete_rendition(work, record.id, name)
        waiting = [recipe for recipe in recipes.values() if recipe.tobuild or recipe.name in existing]
        for recipe in waiting:
            values = {"state": "waiting", "substituted": False, "failure": None, "failure_detail": None}
            if store.update_rendition(work, record.id, recipe.name, values) == 0:
                store.add_rendition(work, record.id, recipe.name, values)
        if waiting:
            self.jobs.add(work, MAKE_RENDITIONS, {"record_id": record.id}, key=str(record.id))
        work.emit(RecordChanged(record.id))
        audit.write(work, actor, "original.substituted", f"record {key}", {"was": record.sha256})
        replaced = store.by_id(work, record.id)
        assert replaced is not None
        return replaced, self._rendition(work, replaced, DOCUMENT)

    @staticmethod
    def _rendition(work: UnitOfWork, record: Record, name: str) -> Rendition:
        rendition = store.rendition(work, record.id, name)
        assert rendition is not None
        return rendition
