"""The copies of pictures that carry a watermark or a stamp (contract 04 section 5).

A copy is made once, on the first request, and stored beside the original file under the digest of everything that
determines its look. A picture that cannot be overlaid is refused, never shown plain.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec

from vitrine.accounts import NOBODY
from vitrine.errors import Unavailable
from vitrine.library import derivative_store
from vitrine.library.derivative_store import Derivative
from vitrine.library.model import Record, Rendition
from vitrine.library.overlays import stamps
from vitrine.library.overlays.policy import Overlay
from vitrine.library.records import Records
from vitrine.media.errors import MediaError
from vitrine.media.service import Media
from vitrine.platform import logging
from vitrine.platform.database import Database, UnitOfWork

log = logging.get("vitrine.library")
VERSION = 1  # raise it when the drawing changes: copies are then made again


@dataclass(frozen=True, slots=True)
class OverlayRequest:
    """An overlaid copy that somebody must get; *ready* is set when it exists already."""

    source: str
    mime: str
    recipe: str
    spec: dict[str, Any]
    ready: Derivative | None


@dataclass(frozen=True, slots=True)
class Overlays:
    database: Database
    records: Records
    media: Media
    zone: Any = UTC
    _busy: dict[tuple[str, str], threading.Lock] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def request_for(
        self, work: UnitOfWork, record: Record, rendition: Rendition, overlay: Overlay | None
    ) -> OverlayRequest | None:
        """The copy that *overlay* requires of this file, looked up in one statement; None for no overlay."""
        if overlay is None:
            return None
        assert rendition.sha256 is not None
        collection = self.records.structure(work).collections[record.collection_id]
        spec: dict[str, Any]
        identity: dict[str, Any]
        if overlay is Overlay.STAMP and collection.stamp:
            values = self.records.values(work, NOBODY, record, business=False)
            identity = {"kind": "stamp", "blocks": stamps.resolve(collection.stamp, record, values, None)}
            spec = {"kind": "stamp", "blocks": stamps.resolve(collection.stamp, record, values, self._today(work))}
        else:  # a collection set to stamp that has no stamp gets the watermark rather than nothing
            identity = spec = {"kind": "wm", "text": collection.name, "picture": collection.watermark}
        recipe = sha256(msgspec.json.encode([VERSION, identity])).hexdigest()[:40]
        ready = derivative_store.find(work, rendition.sha256, recipe)
        return OverlayRequest(rendition.sha256, rendition.mime, recipe, spec, ready)

    def _today(self, work: UnitOfWork) -> datetime:
        return work.now.astimezone(self.zone)

    def make(self, request: OverlayRequest) -> Derivative:
        """The overlaid copy, made now if it does not exist; no unit of work may be open. Simultaneous requests wait for
        one maker. Raises Unavailable when it cannot be made: a picture that cannot be overlaid is never shown plain."""
        if request.ready is not None:
            return request.ready
        with self._locked(request):
            with self.database.read() as work:
                existing = derivative_store.find(work, request.source, request.recipe)
            return existing or self._make_now(request)

    def _make_now(self, request: OverlayRequest) -> Derivative:
        try:
            with self.media.scratch() as folder:
                overlaid = self.media.apply_overlay(request.source, request.mime, request.spec, folder)
                stored = self.media.store_file(overlaid.path)
        except MediaError as failure:
            log.warning("mark.failed", source=request.source, code=failure.code, why=failure.why)
            raise Unavailable("This picture cannot be shown at the moment.", why=failure.detail) from failure
        with self.database.write() as work:
            derivative = Derivative(stored.sha256, overlaid.mime, overlaid.extension, stored.size, work.now)
            derivative_store.save(work, request.source, request.recipe, derivative)
        return derivative

    @contextmanager
    def _locked(self, request: OverlayRequest) -> Iterator[None]:
        key = (request.source, request.recipe)
        with self._guard:
            lock = self._busy.setdefault(key, threading.Lock())
        try:
            with lock:
                yield
        finally:
            with self._guard:
                self._busy.pop(key, None)


def with_overlay(rendition: Rendition, derivative: Derivative) -> Rendition:
    """The rendition as its viewer gets it: other bytes and validators, same name and picture size."""
    return replace(
        rendition,
        sha256=derivative.sha256,
        mime=derivative.mime,
        extension=derivative.extension,
        size=derivative.size,
        updated=max(rendition.updated, derivative.created),
    )
