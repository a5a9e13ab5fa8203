"""Embedded metadata: IPTC, XMP, EXIF and QuickTime tags as `Group:Tag` -> values, read by our own parsers.

Malformed metadata never refuses a file: what could be read is kept, what could not is a warning.
"""

from collections.abc import Callable
from pathlib import Path

from vitrine.media.metadata import boxes, exif, iptc, jpeg, png, xmp
from vitrine.media.metadata.tags import Tags

MOST_WARNINGS = 20


def read_metadata(path: Path, mime: str) -> tuple[dict[str, list[str]], list[str]]:
    """Tags and warnings of one file; empty for types whose containers we do not read yet."""
    tags = Tags()
    warnings: list[str] = []
    parts: list[tuple[str, bytes]] = []
    finder = _FINDERS.get(mime)
    if finder is None:
        return {}, []
    with path.open("rb") as file:
        try:
            parts = finder(file)
        except (ValueError, IndexError, OverflowError, OSError) as failure:
            warnings.append(f"container: {failure}")
    for form, data in parts:
        try:
            _READERS[form](data, tags)
        except (ValueError, IndexError, KeyError, OverflowError, RecursionError) as failure:
            warnings.append(f"{form}: {failure}")
    return tags.values, warnings[:MOST_WARNINGS]


_FINDERS = {"image/jpeg": jpeg.parts, "image/png": png.parts, "video/mp4": boxes.parts, "video/quicktime": boxes.parts}
_READERS: dict[str, Callable[[bytes, Tags], None]] = {
    "iptc": iptc.read,
    "xmp": xmp.read,
    "exif": exif.read,
    "text": png.read_text,
    "ilst": boxes.read_ilst,
}
