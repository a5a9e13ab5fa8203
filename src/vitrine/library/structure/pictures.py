"""Small pictures of the structure: logos of databoxes and collections, icons of status bits.

An uploaded file is looked at by a decoder in a child of its own, as documents are. It must be of a type that browsers
show without running anything in it, since these pictures are sent to everybody as they came.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from vitrine.errors import Invalid
from vitrine.media.service import Media

TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")
LARGEST_BYTES = 64 * 1024
LARGEST_SIDE = 1024
Picture = Mapping[str, Any]  # sha256, mime, width, height, size


@dataclass(frozen=True, slots=True)
class Pictures:
    media: Media

    def keep(self, source: BinaryIO | Path, name: str, *, field: str) -> Picture:
        """Store a small picture; no unit of work may be open. The sweep may delete it until the structure refers to it.
        Raises Invalid or a MediaError."""
        with self.media.spool(source) as spooled:
            size = spooled.path.stat().st_size
            if size > LARGEST_BYTES:
                raise Invalid(f"The picture may have at most {LARGEST_BYTES // 1024} KB.", field=field)
            probe = self.media.probe(spooled.path, name)
            if probe.mime not in TYPES:
                raise Invalid("Choose a PNG, JPEG, GIF or WebP picture.", field=field)
            width, height = probe.display_width or 0, probe.display_height or 0
            if max(width, height) > LARGEST_SIDE:
                raise Invalid(f"The picture may have at most {LARGEST_SIDE} pixels a side.", field=field)
            stored = self.media.store_spooled(spooled)
        return {"sha256": stored.sha256, "mime": probe.mime, "width": width, "height": height, "size": stored.size}
