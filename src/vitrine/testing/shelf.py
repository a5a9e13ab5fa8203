"""Records of any kind put on the shelf by hand: rows and bytes through the stores, without probe and makers.

For tests of what shows documents: they must not depend on what can be made of a file today.
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
from vitrine.library import permalinks, store
from vitrine.library.events import RecordAdded
from vitrine.library.model import DOCUMENT, Collection, RecordKey


@dataclass(frozen=True, slots=True)
class Held:
    """One file of a record; sizes in pixels, 0 when unknown."""

    path: Path
    mime: str
    width: int = 0
    height: int = 0


def shelve(
    services: Services,
    into: Collection,
    kind: str,
    files: Mapping[str, Held],
    *,
    title: str = "Harbour",
    creator: int | None = None,
    values: Mapping[str, str] | None = None,
) -> RecordKey:
    """A record with *files* by rendition name (`document` is the original) and *values* by field name."""
    kept = {name: services.media.keep_file(one.path) for name, one in files.items()}
    original = files[DOCUMENT]
    with services.database.write() as work:
        structure = services.records.structure(work)
        key = RecordKey(into.databox_id, store.next_number(work, into.databox_id))
        record = store.add_record(
            work,
            {
                "databox_id": key.databox, "number": key.number, "collection_id": into.id, "kind": kind,
                "mime": original.mime, "original_name": original.path.name, "title": title,
                "uuid": f"00000000-0000-4000-8000-{key.number:012}", "sha256": kept[DOCUMENT].sha256,
                "size": kept[DOCUMENT].size, "status": 0, "technical": "[]", "width": original.width or None,
                "height": original.height or None, "creator_id": creator, "created": work.now, "updated": work.now,
            },
        )  # fmt: skip
        for name, one in files.items():
            row = {
                "state": "ready", "sha256": kept[name].sha256, "mime": one.mime, "width": one.width,
                "height": one.height, "extension": one.path.suffix.lstrip("."), "size": kept[name].size,
            }  # fmt: skip
            store.add_rendition(work, record, name, row)
            permalinks.ensure(work, record, title, name)
        by_name = {one.name: one.id for one in structure.fields[into.databox_id]}
        store.add_values(work, record, [(by_name[name], text) for name, text in (values or {}).items()])
        work.emit(RecordAdded(record))
    return key


def pdf_file(path: Path, pages: int = 3, width: int = 420, height: int = 595) -> Path:
    """A PDF whose pages say their number, in points."""
    made = pikepdf.new()
    font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    for number in range(1, pages + 1):
        page = made.add_blank_page(page_size=(width, height))
        drawn = (
            f"0.15 0.26 0.79 rg 0 {height - 90} {width} 90 re f BT /F1 28 Tf 1 1 1 rg 40 {height - 58} Td "
            f"(Harbour, page {number}) Tj ET BT /F1 12 Tf 0.2 g 40 {height - 130} Td 16 TL "
            + " ".join(f"(Line {line} of what is written here about boats and gulls.) Tj T*" for line in range(1, 20))
            + " ET"
        )
        page.obj.Contents = made.make_stream(drawn.encode())
        page.obj.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=made.make_indirect(font)))
    made.save(path)
    return path


def mp3_file(path: Path, seconds: float = 3.0) -> Path:
    """A falling tone."""
    with av.open(str(path), "w", format="mp3") as out:
        voice = out.add_stream("libmp3lame", rate=44_100, layout="mono")
        for number in range(int(seconds * 44_100 / 1152)):
            at = range(number * 1152, (number + 1) * 1152)
            wave = array("f", (0.2 * math.sin(one / 44_100 * math.tau * 440) for one in at))
            frame = av.AudioFrame(format="fltp", layout="mono", samples=1152)
            frame.planes[0].update(wave.tobytes())
            frame.sample_rate, frame.pts, frame.time_base = 44_100, number * 1152, Fraction(1, 44_100)
            out.mux(voice.encode(frame))
        out.mux(voice.encode(None))
    return path
