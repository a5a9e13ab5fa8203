"""Correction of what is known of an original, and its rotation: the file itself is never changed (06 sections 4 and
17.7)."""

from dataclasses import dataclass
from datetime import datetime

from vitrine.accounts import Actor, Right
from vitrine.errors import Invalid
from vitrine.jobs import Jobs
from vitrine.library import journal, store, version_store
from vitrine.library.changes import Changes
from vitrine.library.events import RecordChanged
from vitrine.library.journal import BY_ITSELF, ChangeKind, Entry, Origin
from vitrine.library.model import DOCUMENT, KINDS, Record, RecordKey
from vitrine.library.rebuilding import rebuild
from vitrine.media.kinds import kind_of
from vitrine.media.renditions import GIF, IMAGE, PDF
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork

TURNS = (0, 90, 180, 270)
_TURNED = (IMAGE, GIF, PDF)


@dataclass(frozen=True, slots=True)
class Originals:
    changes: Changes
    jobs: Jobs

    def correct_type(
        self,
        work: UnitOfWork,
        actor: Actor,
        key: RecordKey,
        *,
        mime: str | None = None,
        kind: str | None = None,
        expected: datetime | None = None,
    ) -> Record:
        """Set the media type that a file was wrongly taken for, and the kind of its record; without *kind* it is that
        of the media type. Renditions are made anew. Requires V' and `canmodifrecord`. Raises Invalid for a type that
        the server does not know, or a story."""
        record = self.changes.with_right(work, actor, key, Right.canmodifrecord, expected)
        if record.is_story:
            raise Invalid("A story has no type.", field="record_id")
        new_mime = (record.mime or "") if mime is None else mime.strip().lower()
        if mime is not None and kind_of(new_mime) == "unknown" and new_mime != "application/octet-stream":
            raise Invalid("This media type is not known here.", field="mime_type")
        new_kind = kind if kind is not None else kind_of(new_mime)
        if new_kind not in KINDS:
            raise Invalid(f"The type must be one of {', '.join(KINDS)}.", field="type")
        return self._set_type(work, actor, record, new_kind, new_mime, BY_ITSELF)

    def restore_type(
        self, work: UnitOfWork, actor: Actor, key: RecordKey, kind: str, mime: str | None, origin: Origin
    ) -> Record:
        """Set kind and media type that the record had before."""
        record = self.changes.with_right(work, actor, key, Right.canmodifrecord)
        return self._set_type(work, actor, record, kind, mime, origin)

    def _set_type(
        self, work: UnitOfWork, actor: Actor, record: Record, kind: str, mime: str | None, origin: Origin
    ) -> Record:
        if (kind, mime) == (record.kind, record.mime):
            return record
        store.update_record(work, record.id, {"kind": kind, "mime": mime})
        store.update_rendition(work, record.id, DOCUMENT, {"mime": mime or ""})
        rebuild(work, self.changes.records.structure(work), self.jobs, record.id)
        before, after = {"kind": record.kind, "mime": record.mime}, {"kind": kind, "mime": mime}
        return self._written(work, actor, record, Entry(record.key, ChangeKind.TYPE, before, after), origin)

    def rotation(self, work: UnitOfWork, actor: Actor, key: RecordKey) -> int:
        """By how many degrees the renditions are turned, for who sees the record."""
        return store.rotation(work, self.changes.records.get(work, actor, key).id)

    def rotate(
        self,
        work: UnitOfWork,
        actor: Actor,
        key: RecordKey,
        degrees: int,
        expected: datetime | None = None,
        origin: Origin = BY_ITSELF,
    ) -> Record:
        """Turn the renditions of a picture clockwise by *degrees* from how they are; the original stays as it came, so
        nothing is lost. Requires V' and `imgtools`. Raises Invalid for another angle, or another kind of record."""
        record = self.changes.with_right(work, actor, key, Right.imgtools, expected)
        if degrees % 360 not in TURNS:
            raise Invalid("A picture turns by 90, 180 or 270 degrees.", field="degrees")
        if record.kind != "image" or record.is_story:
            raise Invalid("Only pictures can be turned.", field="record_id")
        was = store.rotation(work, record.id)
        will = (was + degrees) % 360
        if will == was:
            return record
        version_store.set_rotation(work, record.id, will)
        rebuild(work, self.changes.records.structure(work), self.jobs, record.id, only=_TURNED)
        entry = Entry(key, ChangeKind.ROTATION, {"degrees": was}, {"degrees": will})
        return self._written(work, actor, record, entry, origin)

    @staticmethod
    def _written(work: UnitOfWork, actor: Actor, record: Record, entry: Entry, origin: Origin) -> Record:
        journal.write(work, actor, [entry], origin)
        audit.write(work, actor, f"record.{entry.kind.value}", f"record {record.key}", dict(entry.after))
        work.emit(RecordChanged(record.id))
        changed = store.by_id(work, record.id)
        assert changed is not None
        return changed
