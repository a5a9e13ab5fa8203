"""The operation `probe`, run in the child."""

from pathlib import Path
from typing import Any

from vitrine.media import kinds
from vitrine.media.errors import EmptyFile, MisnamedFile
from vitrine.media.metadata.read import read_metadata
from vitrine.media.probe.model import Probe
from vitrine.media.probe.sniff import HEAD_BYTES, OLE, ZIP, is_misnamed, mime_of, old_office, promised_type
from vitrine.media.probe.truncation import refuse_truncated


def probe(path: str, name: str, max_pixels: int, max_duration_s: float) -> dict[str, Any]:
    """Probe the file at *path*, called *name* by its sender. Returns the members of `Probe`.

    Raises EmptyFile, MisnamedFile, TooManyPixels or Undecodable.
    """
    file = Path(path)
    size = file.stat().st_size
    if size == 0:
        raise EmptyFile("{name} is empty.", field="file", values={"name": name})
    mime = type_of(file, name)
    if is_misnamed(name, mime):
        raise MisnamedFile(
            "{name} is not a {kind} file: its content is {mime}.",
            field="file",
            values={"name": name, "kind": promised_type(name), "mime": mime},
        )
    refuse_truncated(path, mime)
    metadata, warnings = read_metadata(file, mime)
    facts = _facts(path, mime, metadata, max_pixels, max_duration_s)
    values = {"kind": kinds.kind_of(mime), "mime": mime, **facts}
    values["technical"] = [*facts.get("technical", []), ("MimeType", values["mime"]), ("FileSize", size)]
    values["metadata"] = {**facts.get("metadata", {}), **metadata}
    values["warnings"] = [*warnings, *facts.get("warnings", [])]
    return _as_dict(Probe(**values))


def type_of(file: Path, name: str) -> str:
    """The type by the first bytes, and for archives by their content. Raises Undecodable for a truncated package."""
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
    """The facts from the decoder of this type; empty for types that are only stored."""
    if mime in kinds.PICTURES:
        from vitrine.media.probe import image

        return image.facts_of(path, mime, metadata, max_pixels)
    if mime in kinds.FILMS or mime in kinds.SOUNDS:
        from vitrine.media.probe import timed

        return timed.facts_of(path, mime, max_pixels, max_duration_s)
    if mime == kinds.PDF:
        from vitrine.media.probe import pdf

        return pdf.facts_of(path)
    if mime in kinds.OFFICE:
        from vitrine.media.probe import office

        return office.facts_of(path)
    if mime.startswith("text/"):
        from vitrine.media.probe import plain

        return plain.facts_of(path)
    return {}


def _as_dict(probe: Probe) -> dict[str, Any]:
    return {name: getattr(probe, name) for name in Probe.__dataclass_fields__}
