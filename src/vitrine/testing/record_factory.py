"""Create records of any kind directly: rows and bytes through the stores, without probe and makers.

For tests that display documents: they must not depend on which renditions can be made.
"""

import math
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import pikepdf

from vitrine.edge.services import Services
from vitrine.library import store
from vitrine.library.events import RecordAdded
from vitrine.library.model import DOCUMENT, Collection, RecordKey
from vitrine.library.sharing import permalinks


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """One file of a record. Sizes are in pixels, 0 if unknown."""

    path: Path
    mime: str
    width: int = 0
    height: int = 0


def add_record(
    services: Services,
    into: Collection,
    kind: str,
    files: Mapping[str, StoredRecord],
    *,
    title: str = "Harbour",
    creator: int | None = None,
    values: Mapping[str, str] | None = None,
) -> RecordKey:
    """Create a record with *files* by rendition name (`document` is the original) and *values* by field name."""
    stored = {name: services.media.store_file(file.path) for name, file in files.items()}
    original = files[DOCUMENT]
    with services.database.write() as work:
        structure = services.library.records.structure(work)
        key = RecordKey(into.databox_id, store.next_number(work, into.databox_id))
        record = store.add_record(
            work,
            {
                "databox_id": key.databox, "number": key.number, "collection_id": into.id, "kind": kind,
                "mime": original.mime, "original_name": original.path.name, "title": title,
                "uuid": f"00000000-0000-4000-8000-{key.number:012}", "sha256": stored[DOCUMENT].sha256,
                "size": stored[DOCUMENT].size, "status": 0, "technical": "[]", "width": original.width or None,
                "height": original.height or None, "creator_id": creator, "created": work.now, "updated": work.now,
            },
        )  # fmt: skip
        for name, file in files.items():
            row = {
                "state": "ready", "sha256": stored[name].sha256, "mime": file.mime, "width": file.width,
                "height": file.height, "extension": file.path.suffix.lstrip("."), "size": stored[name].size,
            }  # fmt: skip
            store.add_rendition(work, record, name, row)
            permalinks.ensure(work, record, title, name)
        by_name = {field.name: field.id for field in structure.fields[into.databox_id]}
        store.add_values(work, record, [(by_name[name], text) for name, text in (values or {}).items()])
        work.emit(RecordAdded(record))
    return key


def pdf_file(path: Path, pages: int = 3, width: int = 420, height: int = 595) -> Path:
    """A PDF with the page number on each page; sizes are in points."""
    document = pikepdf.new()
    font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    for number in range(1, pages + 1):
        page = document.add_blank_page(page_size=(width, height))
        content = (
            f"0.15 0.26 0.79 rg 0 {height - 90} {width} 90 re f BT /F1 28 Tf 1 1 1 rg 40 {height - 58} Td "
            f"(Harbour, page {number}) Tj ET BT /F1 12 Tf 0.2 g 40 {height - 130} Td 16 TL "
            + " ".join(f"(Line {line} of what is written here about boats and gulls.) Tj T*" for line in range(1, 20))
            + " ET"
        )
        page.obj.Contents = document.make_stream(content.encode())
        page.obj.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=document.make_indirect(font)))
    document.save(path)
    return path


def mp3_file(path: Path, seconds: float = 3.0) -> Path:
    """A falling tone."""
    with av.open(str(path), "w", format="mp3") as out:
        audio = out.add_stream("libmp3lame", rate=44_100, layout="mono")
        for number in range(int(seconds * 44_100 / 1152)):
            at = range(number * 1152, (number + 1) * 1152)
            wave = array("f", (0.2 * math.sin(sample / 44_100 * math.tau * 440) for sample in at))
            frame = av.AudioFrame(format="fltp", layout="mono", samples=1152)
            frame.planes[0].update(wave.tobytes())
            frame.sample_rate, frame.pts, frame.time_base = 44_100, number * 1152, Fraction(1, 44_100)
            out.mux(audio.encode(frame))
        out.mux(audio.encode(None))
    return path
