"""Replaces an original or a rendition by another file (02 section 6.4). The new file is converted first."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from vitrine.accounts import Actor, Right
from vitrine.jobs import Jobs
from vitrine.library import access, journal, mapping, store, text_store, version_store
from vitrine.library.arrivals import Arrival, extension_of
from vitrine.library.errors import MayNotReplace, MayNotSee, NoSuchRendition, NoSuchVersion
from vitrine.library.events import RecordChanged, RenditionsReady
from vitrine.library.journal import BY_ITSELF, ChangeKind, Entry, Origin
from vitrine.library.model import DOCUMENT, Recipe, Record, RecordKey, Rendition
from vitrine.library.rebuilding import rebuild
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
class Version:
    """An original that was replaced. *size* is in bytes; *replaced_by* is None where the person is gone."""

    id: int
    name: str
    mime: str
    size: int
    replaced_at: datetime
    replaced_by: int | None
    sha256: str


@dataclass(frozen=True, slots=True)
class _Original:
    """A file as it becomes an original: columns of the record and of its rendition `document`, and its text. *makes*
    are the media types that can be made of it, None where only its type is known."""

    columns: dict[str, Any]
    document: dict[str, Any]
    pages: int | None
    text: str
    makes: list[str] | None


def _file_of(record: Record) -> dict[str, Any]:
    return {"sha256": record.sha256, "name": record.original_name, "size": record.size}


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
        was = store.rendition(work, record.id, target.name)
        if store.update_rendition(work, record.id, target.name, values) == 0:
            store.add_rendition(work, record.id, target.name, values)
        permalinks.ensure(work, record.id, record.title, target.name)
        store.update_record(work, record.id, {})
        work.emit(RenditionsReady(record.id, ()))
        audit.write(work, actor, "rendition.substituted", f"record {key}", {"name": target.name})
        before, after = ({"name": target.name, "sha256": digest} for digest in (was and was.sha256, file.sha256))
        journal.write(work, actor, [Entry(key, ChangeKind.RENDITION, before, after)])
        return record, self._rendition(work, record, target.name)

    def replace_original(
        self, work: UnitOfWork, actor: Actor, key: RecordKey, arrival: Arrival
    ) -> tuple[Record, Rendition]:
        """Ids, values and links stay; file, technical data and all renditions become those of the new file. The old
        one is kept as a version for a while."""
        record = self.permit(work, actor, key, DOCUMENT).record
        probe = arrival.probe
        new = _Original(
            {**mapping.record_columns(arrival), "rotation": 0},
            {**mapping.original_columns(arrival), "substituted": True},
            probe.pages,
            probe.text,
            probe.makes,
        )
        return self._put(work, actor, record, new, BY_ITSELF)

    def versions(self, work: UnitOfWork, actor: Actor, key: RecordKey) -> list[Version]:
        """The earlier originals of a record, newest first. For who may have the original: raises MayNotSee."""
        record = self._with_original(work, actor, key)
        return [Version(*row) for row in version_store.listed(work, record.id)]

    def version_file(self, work: UnitOfWork, actor: Actor, key: RecordKey, version_id: int) -> tuple[Record, Rendition]:
        """An earlier original as delivery needs it: the record under the name that it had then, and its file."""
        record = self._with_original(work, actor, key)
        kept = version_store.kept(work, record.id, version_id)
        if kept is None:
            raise NoSuchVersion("This record has no such version, or its time is over.", field="version")
        document = kept["document"]
        names = ("sha256", "mime", "extension", "width", "height", "size", "substituted")
        file = Rendition(
            record_id=record.id, name=DOCUMENT, state="ready", failure=None, failure_detail=None,
            created=record.created, updated=record.created, **{name: document[name] for name in names},
        )  # fmt: skip
        return replace(record, original_name=kept["record"]["original_name"]), file

    def restore_version(
        self, work: UnitOfWork, actor: Actor, key: RecordKey, version_id: int, origin: Origin = BY_ITSELF
    ) -> Record:
        """Make an earlier original the present one; the present one becomes a version. Requires what replacing does.
        Raises also NoSuchVersion."""
        record = self.permit(work, actor, key, DOCUMENT).record
        kept = version_store.kept(work, record.id, version_id)
        if kept is None:
            raise NoSuchVersion("This record has no such version, or its time is over.", field="version")
        old = _Original(kept["record"], kept["document"], kept["pages"], kept["text"], None)
        restored, _ = self._put(work, actor, record, old, origin)
        version_store.delete(work, version_id)
        return restored

    def _put(
        self, work: UnitOfWork, actor: Actor, record: Record, new: "_Original", origin: Origin
    ) -> tuple[Record, Rendition]:
        if record.sha256 != new.columns["sha256"]:
            version_store.keep(work, record.id, actor.user_id)
        store.update_record(work, record.id, new.columns)
        store.update_rendition(work, record.id, DOCUMENT, new.document)
        text_store.put(work, record.id, new.pages, new.text)
        rebuild(work, self.records.structure(work), self.jobs, record.id, new.makes)
        work.emit(RecordChanged(record.id))
        audit.write(work, actor, "original.substituted", f"record {record.key}", {"was": record.sha256})
        replaced = store.by_id(work, record.id)
        assert replaced is not None
        journal.write(
            work, actor, [Entry(record.key, ChangeKind.ORIGINAL, _file_of(record), _file_of(replaced))], origin
        )
        return replaced, self._rendition(work, replaced, DOCUMENT)

    def _with_original(self, work: UnitOfWork, actor: Actor, key: RecordKey) -> Record:
        record = self.records.get(work, actor, key)
        if not access.may_have(work, actor, record, DOCUMENT, None):
            raise MayNotSee("You may not have the original of this record.", why=f"record {key}")
        return record

    @staticmethod
    def _rendition(work: UnitOfWork, record: Record, name: str) -> Rendition:
        rendition = store.rendition(work, record.id, name)
        assert rendition is not None
        return rendition
