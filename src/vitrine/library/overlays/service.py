"""Who gets a picture with a watermark or a stamp, and the copies that carry them (contract 04 section 5).

The rule is a pure function. A copy is made once, when somebody first asks for it, and stored beside the original file
under the digest of everything that determines its look. A picture that cannot be overlaid is refused, never shown
plain.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

import msgspec

from vitrine.accounts import NOBODY, Actor, Right, Via
from vitrine.errors import Unavailable
from vitrine.library.model import DOCUMENT, THUMBNAIL, Record, Rendition, Structure
from vitrine.library.overlays import derived_store, stamps
from vitrine.library.overlays.derived_store import Derived
from vitrine.library.records import Records
from vitrine.media.errors import MediaError
from vitrine.media.service import Media
from vitrine.platform import logging
from vitrine.platform.database import Database, UnitOfWork

log = logging.get("vitrine.library")
VERSION = 1  # raise it when the drawing changes: copies are then made again


class Overlay(StrEnum):
    """The values of the collection setting `pub_wm`."""

    WATERMARK = "wm"
    STAMP = "stamp"


def overlay_for(
    structure: Structure,
    record: Record,
    rendition: Rendition,
    now: datetime,
    *,
    viewer: Actor,
    issuer: Actor | None = None,
    own: bool = False,
) -> Overlay | None:
    """The overlay that *viewer* must get on this file; None for the plain file.

    *issuer* is the person a signed address was made for: a stranger who holds it gets nothing better than that person.
    *own* is true on routes for signed-in people, who use their own rights: no stamp there.
    """
    if not rendition.mime.startswith("image/") or viewer.via is Via.COMMAND:
        return None
    covered = _is_covered(structure, record, rendition)
    if viewer.is_known:
        if _is_exempt(viewer, record, now):
            return None
        if covered:
            return Overlay.WATERMARK
        return None if own else _public(structure, record, covered=False)
    if covered and issuer is not None and not _is_exempt(issuer, record, now):
        return _public(structure, record, covered=True) or Overlay.WATERMARK
    return _public(structure, record, covered=covered)


def depends_on_viewer(structure: Structure, record: Record) -> bool:
    """May one address of this record give different bytes to different people? If so, no shared cache may store it."""
    return structure.collections[record.collection_id].public_presentation == Overlay.STAMP


def _public(structure: Structure, record: Record, *, covered: bool) -> Overlay | None:
    presentation = structure.collections[record.collection_id].public_presentation
    if presentation == Overlay.STAMP:
        return Overlay.STAMP
    return Overlay.WATERMARK if presentation == Overlay.WATERMARK and covered else None


def _is_covered(structure: Structure, record: Record, rendition: Rendition) -> bool:
    """Pictures of class preview get the watermark: thumbnails are too small for it, originals have a right of their
    own."""
    if rendition.name in (DOCUMENT, THUMBNAIL):
        return False
    recipe = structure.recipe(record.databox_id, record.group, rendition.name)
    return recipe is None or recipe.klass == "preview" or rendition.name == "preview"


def _is_exempt(actor: Actor, record: Record, now: datetime) -> bool:
    """R(nowatermark) or a grant on the record (06 section 17.7, right-hand column)."""
    return actor.rights.on(record.collection_id, Right.nowatermark, now) or actor.rights.record_grant(record.id, now)


@dataclass(frozen=True, slots=True)
class OverlayRequest:
    """An overlaid copy that somebody must get; *ready* is set when it exists already."""

    source: str
    mime: str
    recipe: str
    spec: dict[str, Any]
    ready: Derived | None


@dataclass(frozen=True, slots=True)
class Overlays:
    database: Database
    records: Records
    media: Media
    zone: Any = UTC
    _busy: dict[tuple[str, str], threading.Lock] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def request_for(
        self, work: UnitOfWork, record: Record, rendition: Rendition, mark: Overlay | None
    ) -> OverlayRequest | None:
        """The copy that *mark* requires of this file, looked up in one statement; None for no overlay."""
        if mark is None:
            return None
        assert rendition.sha256 is not None
        collection = self.records.structure(work).collections[record.collection_id]
        spec: dict[str, Any]
        identity: dict[str, Any]
        if mark is Overlay.STAMP and collection.stamp:
            values = self.records.values(work, NOBODY, record, business=False)
            identity = {"kind": "stamp", "blocks": stamps.resolve(collection.stamp, record, values, None)}
            spec = {"kind": "stamp", "blocks": stamps.resolve(collection.stamp, record, values, self._today(work))}
        else:  # a collection set to stamp that has no stamp gets the watermark rather than nothing
            identity = spec = {"kind": "wm", "text": collection.name, "picture": collection.watermark}
        recipe = sha256(msgspec.json.encode([VERSION, identity])).hexdigest()[:40]
        ready = derived_store.find(work, rendition.sha256, recipe)
        return OverlayRequest(rendition.sha256, rendition.mime, recipe, spec, ready)

    def _today(self, work: UnitOfWork) -> datetime:
        return work.now.astimezone(self.zone)

    def make(self, wanted: OverlayRequest) -> Derived:
        """The overlaid copy, made now if it does not exist; no unit of work may be open. Simultaneous requests wait for
        one maker. Raises Unavailable when it cannot be made: a picture that cannot be overlaid is never shown plain."""
        if wanted.ready is not None:
            return wanted.ready
        with self._locked(wanted):
            with self.database.read() as work:
                known = derived_store.find(work, wanted.source, wanted.recipe)
            return known or self._make_now(wanted)

    def _make_now(self, wanted: OverlayRequest) -> Derived:
        try:
            with self.media.scratch() as folder:
                marked = self.media.apply_overlay(wanted.source, wanted.mime, wanted.spec, folder)
                stored = self.media.store_file(marked.path)
        except MediaError as failure:
            log.warning("mark.failed", source=wanted.source, code=failure.code, why=failure.why)
            raise Unavailable("This picture cannot be shown at the moment.", why=failure.detail) from failure
        with self.database.write() as work:
            derived = Derived(stored.sha256, marked.mime, marked.extension, stored.size, work.now)
            derived_store.keep(work, wanted.source, wanted.recipe, derived)
        return derived

    @contextmanager
    def _locked(self, wanted: OverlayRequest) -> Iterator[None]:
        key = (wanted.source, wanted.recipe)
        with self._guard:
            lock = self._busy.setdefault(key, threading.Lock())
        try:
            with lock:
                yield
        finally:
            with self._guard:
                self._busy.pop(key, None)


def with_overlay(rendition: Rendition, derived: Derived) -> Rendition:
    """The rendition as its viewer gets it: other bytes and validators, same name and picture size."""
    return replace(
        rendition,
        sha256=derived.sha256,
        mime=derived.mime,
        extension=derived.extension,
        size=derived.size,
        updated=max(rendition.updated, derived.created),
    )
