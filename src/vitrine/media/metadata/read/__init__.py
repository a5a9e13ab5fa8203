"""Embedded metadata as `Group:Tag` -> values, by our own parsers: IPTC, XMP, EXIF, QuickTime, RIFF, PNG, GIF and SVG.

Metadata of PDF and office files and tags of audio and video are read by `media.probe`.

Malformed metadata never causes a refusal: readable parts are kept, unreadable parts give a warning.
"""

import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from vitrine.media.metadata.read import boxes, exif, gif, heif, id3, iptc, jpeg, png, riff, svg, tiff, xmp
from vitrine.media.metadata.read.tags import Tags

MOST_WARNINGS = 20


def read_metadata(path: Path, mime: str) -> tuple[dict[str, list[str]], list[str]]:
    """Tags and warnings of one file; empty for types whose containers we do not read."""
    tags = Tags()
    warnings: list[str] = []
    parts: Sequence[tuple[str, Any]] = []
    finder = _FINDERS.get(mime)
    if finder is None:
        return {}, []
    with path.open("rb") as file:
        try:
            parts = finder(file)
        except (ValueError, IndexError, OverflowError, OSError, struct.error) as failure:
            warnings.append(f"container: {failure}")
    for form, data in parts:
        try:
            _READERS[form](data, tags)
        except (ValueError, IndexError, KeyError, OverflowError, RecursionError, struct.error) as failure:
            warnings.append(f"{form}: {failure}")
    return tags.values, warnings[:MOST_WARNINGS]


_FINDERS: dict[str, Callable[[BinaryIO], Sequence[tuple[str, Any]]]] = {
    "image/jpeg": jpeg.parts,
    "image/png": png.parts,
    "image/gif": gif.parts,
    "image/tiff": tiff.parts,
    "image/svg+xml": svg.parts,
    "audio/mpeg": id3.parts,
    **dict.fromkeys(("image/webp", "audio/wav", "video/x-msvideo"), riff.parts),
    **dict.fromkeys(("image/heic", "image/heif", "image/avif"), heif.parts),
    **dict.fromkeys(("video/mp4", "video/quicktime", "video/3gpp", "audio/mp4"), boxes.parts),
}
_READERS: dict[str, Callable[[Any, Tags], None]] = {
    "iptc": iptc.read,
    "xmp": xmp.read,
    "exif": exif.read,
    "text": png.read_text,
    "ilst": boxes.read_ilst,
    "info": riff.read_info,
    "comment": gif.read_comment,
    "svg": svg.read,
}
