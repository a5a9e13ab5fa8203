"""Which files of which records, by the rights of this moment (contract 06 section 17.7, row download)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from vitrine.accounts import Actor, Right
from vitrine.errors import Invalid
from vitrine.library import access, store
from vitrine.library.bundles.model import (
    CHANGED,
    MOST_FILES,
    NO_FILE,
    NO_RECORD,
    NOT_ALLOWED,
    NOT_SENT,
    BundleFile,
    Choice,
)
from vitrine.library.model import DOCUMENT, PREVIEW, DataboxId, Record, RecordId, RecordKey, Rendition, Structure
from vitrine.library.overlays.copies import OverlayRequest, Overlays
from vitrine.library.overlays.policy import overlay_for
from vitrine.library.records import Records
from vitrine.library.sharing.downloads import entry_name, safe, unique
from vitrine.platform.database import UnitOfWork
from vitrine.platform.texts import folded

_CHUNK = 200  # records of a few statements
CAPTIONS_NAME, LEFT_OUT_NAME = "captions.csv", "NOT-INCLUDED.txt"


@dataclass(frozen=True, slots=True)
class SeenRecord:
    """A record that the person sees, its files that have bytes, and the classes of which they may have."""

    record: Record
    files: Mapping[str, Rendition]
    classes: frozenset[str | None]

    def klass(self, structure: Structure, name: str) -> str | None:
        recipe = structure.recipe(self.record.databox_id, self.record.group, name)
        return access.class_of(self.record, name, recipe)

    def allows(self, structure: Structure, name: str) -> bool:
        """The class rule, and the switch *downloadable* of the recipe."""
        recipe = structure.recipe(self.record.databox_id, self.record.group, name)
        is_downloadable = name == DOCUMENT or (recipe is not None and recipe.downloadable)
        return is_downloadable and self.klass(structure, name) in self.classes

    def chosen(self, structure: Structure, choice: Choice) -> list[tuple[str, str | None]]:
        """(name of a file, None or the outcome that refuses it)."""
        if not choice.names and not choice.classes:
            best = [name for name in (DOCUMENT, PREVIEW) if name in self.files and self.allows(structure, name)]
            return [(best[0], None)] if best else [("", NOT_ALLOWED if self.files else NO_FILE)]
        names = dict.fromkeys(name.lower() for name in choice.names)
        of_class = [name for name in self.files if self.klass(structure, name) in choice.classes]
        names.update(dict.fromkeys(of_class))
        if not names:
            return [("", NO_FILE)]
        return [(name, self._refusal(structure, name)) for name in names]

    def _refusal(self, structure: Structure, name: str) -> str | None:
        if name not in self.files:
            return NO_FILE
        return None if self.allows(structure, name) else NOT_ALLOWED


@dataclass(frozen=True, slots=True)
class Current:
    """A file as it is now, with the overlay that the person must get."""

    record: Record
    rendition: Rendition
    overlay: OverlayRequest | None

    @property
    def recipe(self) -> str:
        return self.overlay.recipe if self.overlay else ""


@dataclass(frozen=True, slots=True)
class Selected:
    """The files of a new bundle, refused ones too; the files that are not refused, and the records that are seen."""

    files: tuple[BundleFile, ...]
    given: tuple[Current, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    records: Records
    overlays: Overlays

    def choose(
        self, work: UnitOfWork, actor: Actor, keys: Sequence[RecordKey], choice: Choice, *, for_others: bool
    ) -> Selected:
        """The files of *keys*; with *for_others* of those records that the actor may push."""
        structure = self.records.structure(work)
        seen = self._seen(work, actor, keys)
        pushable = _pushable(work, actor, seen.values()) if for_others else set()
        names = {folded(CAPTIONS_NAME), folded(LEFT_OUT_NAME)}
        files: list[BundleFile] = []
        given: list[Current] = []
        for key in keys:
            known = seen.get(key)
            if known is None:
                chosen: list[tuple[str, str | None]] = [("", NO_RECORD)]
            elif for_others and known.record.id not in pushable:
                chosen = [("", NOT_SENT)]
            else:
                chosen = known.chosen(structure, choice)
            if len(files) + len(chosen) > MOST_FILES:
                raise Invalid(f"A download has at most {MOST_FILES} files.", field="records")
            for name, refusal in chosen:
                if refusal is not None or known is None:
                    files.append(_refused(len(files), key, name, refusal or NO_RECORD))
                    continue
                current = self._current(work, structure, actor, known, name)
                given.append(current)
                in_archive = unique(safe(entry_name(known.record, current.rendition, current.overlay)), names)
                files.append(_waiting(len(files), current, in_archive))
        return Selected(tuple(files), tuple(given))

    def known(self, work: UnitOfWork, actor: Actor, files: Sequence[BundleFile]) -> set[RecordKey]:
        """The records of *files* that the actor sees now."""
        return set(self._seen(work, actor, [key_of(file) for file in files]))

    def current(
        self, work: UnitOfWork, actor: Actor, files: Sequence[BundleFile], *, for_others: bool = False
    ) -> list[Current | str]:
        """Each of *files* as the actor may have it now, or with *for_others* give it to others; or the outcome that
        refuses it."""
        structure = self.records.structure(work)
        seen = self._seen(work, actor, [key_of(file) for file in files])
        pushable = _pushable(work, actor, seen.values()) if for_others else set()
        states: list[Current | str] = []
        for file in files:
            known = seen.get(key_of(file))
            if known is None:
                states.append(NO_RECORD)
            elif for_others and known.record.id not in pushable:
                states.append(NOT_SENT)
            elif file.rendition not in known.files:
                states.append(NO_FILE)
            elif not known.allows(structure, file.rendition):
                states.append(NOT_ALLOWED)
            else:
                states.append(self._current(work, structure, actor, known, file.rendition))
        return states

    def _seen(self, work: UnitOfWork, actor: Actor, keys: Iterable[RecordKey]) -> dict[RecordKey, SeenRecord]:
        distinct, seen = list(dict.fromkeys(keys)), {}
        for start in range(0, len(distinct), _CHUNK):
            by_key = store.by_keys(work, distinct[start : start + _CHUNK])
            ids = [record.id for record in by_key.values()]
            verdicts = access.Verdicts(work, actor, ids)
            renditions = store.renditions_of(work, ids)
            for key, record in by_key.items():
                classes, _ = verdicts.on(record)
                if classes:
                    files = {each.name: each for each in renditions[record.id] if each.is_ready}
                    seen[key] = SeenRecord(record, files, classes)
        return seen

    def _current(self, work: UnitOfWork, structure: Structure, actor: Actor, known: SeenRecord, name: str) -> Current:
        rendition = known.files[name]
        overlay = overlay_for(work, structure, known.record, rendition, viewer=actor, own=True)
        return Current(known.record, rendition, self.overlays.request_for(work, known.record, rendition, overlay))


def _pushable(work: UnitOfWork, actor: Actor, seen: Iterable[SeenRecord]) -> set[RecordId]:
    stamps = [(each.record.id, each.record.collection_id, each.record.status) for each in seen]
    return access.with_right(work, actor, Right.canpush, stamps)


def unchanged(file: BundleFile, current: Current | str) -> str | None:
    """None if *current* is what was prepared, else the outcome: other bytes, another overlay, or a refusal."""
    if isinstance(current, str):
        return current
    ready = current.overlay.ready if current.overlay else None
    is_same = current.rendition.sha256 == file.source and current.recipe == file.recipe
    has_bytes = current.overlay is None or (ready is not None and ready.sha256 == file.digest)
    return None if is_same and has_bytes else CHANGED


def key_of(file: BundleFile) -> RecordKey:
    return RecordKey(DataboxId(file.databox_id), file.number)


def _refused(position: int, key: RecordKey, name: str, outcome: str) -> BundleFile:
    """Without the title: whoever has a link reads what is not in the archive."""
    shown = f"{key.databox}/{key.number}"
    return BundleFile(position, key.databox, key.number, name[:64], outcome, shown, "", "", "", 0, 0, None)


def _waiting(position: int, current: Current, name: str) -> BundleFile:
    record, rendition = current.record, current.rendition
    return BundleFile(
        position, record.databox_id, record.number, rendition.name, None, name, rendition.sha256 or "", current.recipe,
        "", rendition.size, 0, record.created,
    )  # fmt: skip
