"""The operation `probe`, run in the child."""

from pathlib import Path
from typing import Any

from vitrine.media.errors import EmptyFile, LyingName, TooManyPixels
from vitrine.media.metadata import read_metadata
from vitrine.media.probe import Probe, Technical
from vitrine.media.probe.sniff import HEAD_BYTES, is_lie, kind_of, mime_of, promised

DECODED_IMAGES = ("image/jpeg", "image/png")


def probe(path: str, name: str, max_pixels: int, max_duration_s: float) -> dict[str, Any]:
    """Look at the file at *path*, called *name* by its sender. Returns the members of `Probe`.

    Raises EmptyFile, LyingName, TooManyPixels or Undecodable.
    """
    file = Path(path)
    size = file.stat().st_size
    if size == 0:
        raise EmptyFile(f"{name} is empty.", field="file")
    with file.open("rb") as reader:
        head = reader.read(HEAD_BYTES)
    mime = mime_of(head, name)
    if is_lie(name, mime):
        raise LyingName(f"{name} is not a {promised(name)} file: its content is {mime}.", field="file")
    kind = kind_of(mime)
    metadata, warnings = read_metadata(file, mime)
    facts: dict[str, Any] = {}
    if mime in DECODED_IMAGES:
        from vitrine.media.probe.image import look

        facts = look(path, mime, metadata, max_pixels)
    elif kind == "video" and mime == "video/mp4":
        from vitrine.media.probe.video import look as look_at_video

        facts = look_at_video(path, max_pixels, max_duration_s)
    technical = [*facts.pop("technical", []), ("MimeType", mime), ("FileSize", size)]
    return _plain(Probe(kind=kind, mime=mime, technical=technical, metadata=metadata, warnings=warnings, **facts))


def _plain(made: Probe) -> dict[str, Any]:
    return {name: getattr(made, name) for name in Probe.__dataclass_fields__}


def refuse_bomb(width: int, height: int, max_pixels: int) -> None:
    """Raises TooManyPixels, from the header alone."""
    if width * height > max_pixels:
        detail = (
            f"The picture has {width} × {height} pixels; this server takes at most {max_pixels // 1_000_000} million."
        )
        raise TooManyPixels(detail, field="file")


def shape(width: int, height: int) -> str:
    """ThumbnailOrientation: L landscape, P portrait, S square (04 section 8)."""
    return "L" if width > height else "P" if height > width else "S"


Pairs = list[tuple[str, Technical]]
