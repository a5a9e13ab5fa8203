"""The operation `probe`, run in the child."""

from pathlib import Path
from typing import Any

from vitrine.media import kinds
from vitrine.media.errors import EmptyFile, LyingName, TooManyPixels
from vitrine.media.metadata import read_metadata
from vitrine.media.probe import Probe
from vitrine.media.probe.sniff import HEAD_BYTES, OLE, ZIP, is_lie, mime_of, old_office, promised
from vitrine.media.probe.whole import refuse_cut


def probe(path: str, name: str, max_pixels: int, max_duration_s: float) -> dict[str, Any]:
    """Look at the file at *path*, called *name* by its sender. Returns the members of `Probe`.

    Raises EmptyFile, LyingName, TooManyPixels or Undecodable.
    """
    file = Path(path)
    size = file.stat().st_size
    if size == 0:
        raise EmptyFile("{name} is empty.", field="file", values={"name": name})
    mime = type_of(file, name)
    if is_lie(name, mime):
        raise LyingName(
            "{name} is not a {kind} file: its content is {mime}.",
            field="file",
            values={"name": name, "kind": promised(name), "mime": mime},
        )
    refuse_cut(path, mime)
    metadata, warnings = read_metadata(file, mime)
    facts = _facts(path, mime, metadata, max_pixels, max_duration_s)
    made = {"kind": kinds.kind_of(mime), "mime": mime, **facts}
    made["technical"] = [*facts.get("technical", []), ("MimeType", made["mime"]), ("FileSize", size)]
    made["metadata"] = {**facts.get("metadata", {}), **metadata}
    made["warnings"] = [*warnings, *facts.get("warnings", [])]
    return _plain(Probe(**made))


def type_of(file: Path, name: str) -> str:
    """By the first bytes, and for archives by what is in them. Raises Undecodable for a package that is cut off."""
    with file.open("rb") as reader:
        head = reader.read(HEAD_BYTES)
    mime = mime_of(head, name)
    if mime == ZIP:
        from vitrine.media.probe import office

        return office.mime_of(str(file), name)
    return old_office(name) if mime == OLE else mime


def _facts(
    path: str, mime: str, metadata: dict[str, list[str]], max_pixels: int, max_duration_s: float
) -> dict[str, Any]:
    """What the decoder for this type says; nothing for types that are only kept."""
    if mime in kinds.PICTURES:
        from vitrine.media.probe import image

        return image.look(path, mime, metadata, max_pixels)
    if mime in kinds.FILMS or mime in kinds.SOUNDS:
        from vitrine.media.probe import timed

        return timed.look(path, mime, max_pixels, max_duration_s)
    if mime == kinds.PDF:
        from vitrine.media.probe import pdf

        return pdf.look(path)
    if mime in kinds.OFFICE:
        from vitrine.media.probe import office

        return office.look(path)
    if mime.startswith("text/"):
        from vitrine.media.probe import plain

        return plain.look(path)
    return {}


def _plain(made: Probe) -> dict[str, Any]:
    return {name: getattr(made, name) for name in Probe.__dataclass_fields__}


def refuse_bomb(width: int, height: int, max_pixels: int) -> None:
    """Raises TooManyPixels, from the header alone."""
    if width * height > max_pixels:
        raise TooManyPixels(
            "The picture has {width} × {height} pixels; this server takes at most {most} million.",
            field="file",
            values={"width": width, "height": height, "most": max_pixels // 1_000_000},
        )


def shape(width: int, height: int) -> str:
    """ThumbnailOrientation: L landscape, P portrait, S square (04 section 8)."""
    return "L" if width > height else "P" if height > width else "S"
