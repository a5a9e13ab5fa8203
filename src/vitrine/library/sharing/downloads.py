"""Downloading several documents at once: which file of each, and its name (contract 06 section 17.7, row download)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from vitrine.accounts import Actor
from vitrine.errors import Conflict, Invalid
from vitrine.library import access, store
from vitrine.library.model import DOCUMENT, PREVIEW, DataboxId, Record, RecordId, RecordKey, Rendition, Structure
from vitrine.library.overlays.copies import OverlayRequest, Overlays
from vitrine.library.overlays.policy import overlay_for
from vitrine.library.records import Records
from vitrine.library.reports import UseKind, uses
from vitrine.library.sharing.quotas import DownloadQuotas, is_counted
from vitrine.library.terms.service import Terms
from vitrine.media.kinds import overlay_type
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork
from vitrine.platform.texts import folded

MOST = 500
LONGEST_NAME = 150
_UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]+')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)


class NothingToDownload(Conflict):
    """None of the documents may be downloaded by this person."""

    code = "nothing_to_download"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the archive: its name, its bytes, and the overlay it must carry. *counts*: where downloads are
    limited it is one of them."""

    record: Record
    name: str
    sha256: str
    size: int
    modified: datetime
    wanted: OverlayRequest | None
    counts: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """*left_out* holds the titles of documents that the person sees but may not download. Documents they may not see
    are in neither list."""

    entries: tuple[Entry, ...]
    left_out: tuple[str, ...]
    record_ids: tuple[RecordId, ...]  # of the entries


@dataclass(frozen=True, slots=True)
class Downloads:
    records: Records
    overlays: Overlays
    terms: Terms
    quotas: DownloadQuotas

    def plan(self, work: UnitOfWork, actor: Actor, keys: Iterable[RecordKey]) -> Plan:
        """For each document the original if the actor may have it, else the preview, with its overlay where one is
        required.

        Raises Invalid for no documents or too many, NothingToDownload when none of them may be downloaded,
        TermsNotAccepted where the actor must accept the terms of use of a databox first.
        """
        distinct = list(dict.fromkeys(keys))
        if not distinct:
            raise Invalid("Choose at least one document first.", field="record")
        if len(distinct) > MOST:
            raise Invalid(f"At most {MOST} documents can be downloaded together.", field="record")
        structure = self.records.structure(work)
        entries: list[Entry] = []
        left_out: list[str] = []
        names: set[str] = set()
        ids: list[RecordId] = []
        boxes: dict[DataboxId, None] = {}
        for key in distinct:
            record = store.by_key(work, key)
            if record is None or not access.sees(work, actor, record):
                continue
            rendition = _best_rendition(
                work, structure, actor, record, store.renditions_of(work, [record.id])[record.id]
            )
            if rendition is None:
                left_out.append(record.title)
            else:
                boxes.setdefault(record.databox_id)
                ids.append(record.id)
                entries.append(self._entry(work, structure, actor, record, rendition, names))
        self.terms.require_for_download(work, actor, boxes)
        if not entries:
            raise NothingToDownload("You may not download any of these documents.", field="record")
        return Plan(tuple(entries), tuple(left_out), tuple(ids))

    def _entry(
        self,
        work: UnitOfWork,
        structure: Structure,
        actor: Actor,
        record: Record,
        rendition: Rendition,
        names: set[str],
    ) -> Entry:
        assert rendition.sha256 is not None
        overlay = overlay_for(work, structure, record, rendition, viewer=actor, own=True)
        overlay_request = self.overlays.request_for(work, record, rendition, overlay)
        name = unique(safe(entry_name(record, rendition, overlay_request)), names)
        counts = is_counted(structure, record, rendition)
        return Entry(record, name, rendition.sha256, rendition.size, record.created, overlay_request, counts)

    def begin(self, work: UnitOfWork, actor: Actor, plan: Plan) -> None:
        """Count the download where the actor's downloads are limited, and write it down: a line of the audit log, and
        each record in the journal of uses. Raises DownloadQuotaUsed: all of it or nothing."""
        self.quotas.take(work, actor, (entry.record for entry in plan.entries if entry.counts))
        uses.write(work, actor, UseKind.DOWNLOAD, plan.record_ids)
        audit.write(work, actor, "records.downloaded", "", {"files": len(plan.entries)})


def _best_rendition(
    work: UnitOfWork, structure: Structure, actor: Actor, record: Record, files: Iterable[Rendition]
) -> Rendition | None:
    ready = {rendition.name: rendition for rendition in files if rendition.is_ready}
    for name in (DOCUMENT, PREVIEW):
        recipe = structure.recipe(record.databox_id, record.group, name)
        downloadable = name == DOCUMENT or (recipe is not None and recipe.downloadable)
        if name in ready and downloadable and access.may_have(work, actor, record, name, recipe):
            return ready[name]
    return None


def entry_name(record: Record, rendition: Rendition, overlay_request: OverlayRequest | None) -> str:
    if rendition.name == DOCUMENT:
        return record.original_name or f"{record.title}.{rendition.extension}".rstrip(".")
    stem = (record.original_name or record.title).rpartition(".")[0] or record.title
    mime, extension = overlay_type(rendition.mime) if overlay_request else (rendition.mime, rendition.extension)
    extension = rendition.extension if mime == rendition.mime else extension
    return f"{stem}-{rendition.name}.{extension}"


def safe(name: str) -> str:
    """A name that is valid on every system and stays in its folder: no separators, device names or leading dots."""
    plain = _UNSAFE.sub("_", name).strip(" .") or "document"
    stem, dot, extension = plain.rpartition(".")
    if dot and len(extension) <= 12:
        plain = f"{stem[: LONGEST_NAME - len(extension)].rstrip(' .') or 'document'}.{extension}"
    else:
        plain = plain[:LONGEST_NAME]
    return f"_{plain}" if _RESERVED.fullmatch(plain) else plain


def unique(name: str, names: set[str]) -> str:
    """*name*, or `name (2).jpg` and so on. *names* are folded: names that differ only in case, or in how an accent is
    written, are the same file on many systems."""
    stem, dot, extension = name.rpartition(".")
    candidate, number = name, 1
    while folded(candidate) in names:
        number += 1
        candidate = f"{stem} ({number}).{extension}" if dot else f"{name} ({number})"
    names.add(folded(candidate))
    return candidate
