"""Facts, metadata and text of PDF files, by pdfium and qpdf; imported only in the child.

pdfium is not thread-safe; a child runs one call at a time.
"""

import re
import time
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2 as pdfium

from vitrine.media.errors import Undecodable
from vitrine.media.metadata.read import xmp
from vitrine.media.metadata.read.tags import Tags
from vitrine.media.probe.model import MOST_TEXT

TAIL_BYTES = 4096
TEXT_SECONDS = 15.0
MOST_PAGES_READ = 3000
POINTS_PER_INCH, DOTS_PER_INCH = 72, 96
PASSWORD = "The PDF opens only with a password: it is kept, but there is no picture and no text of it."  # noqa: S105
_DATE = re.compile(r"D:(\d{4})(\d\d)?(\d\d)?(?:(\d\d)(\d\d)(\d\d))?")
_BLANKS = re.compile(r"\s+")
_FACTS = ("Title", "Author", "Subject", "Keywords", "Creator", "Producer")


def facts_of(path: str) -> dict[str, Any]:
    """Number of pages, size of the first page, text, document information and XMP. Raises Undecodable."""
    tags = Tags()
    warnings = _check_complete(path, tags)
    try:
        document = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as failure:
        if "assword" in str(failure):
            return {"makes": [], "warnings": [PASSWORD], "metadata": tags.values}
        raise Undecodable("The PDF is damaged.", field="file", why=str(failure)[:300]) from failure
    try:
        pages = len(document)
        if not pages:
            raise Undecodable("The PDF has no pages.", field="file")
        _read_information(document, tags)
        width, height = document[0].get_size()
        return {
            "pages": pages,
            "display_width": _to_pixels(width),
            "display_height": _to_pixels(height),
            "text": text_of(document),
            "metadata": tags.values,
            "warnings": warnings,
            "makes": ["image", "pdf"],
        }
    except pdfium.PdfiumError as failure:
        raise Undecodable("The PDF is damaged.", field="file", why=str(failure)[:300]) from failure
    finally:
        document.close()


def _to_pixels(points: float) -> int:
    return max(1, round(points * DOTS_PER_INCH / POINTS_PER_INCH))


def _check_complete(path: str, tags: Tags) -> list[str]:
    """Read the XMP packet and check that the file is complete: a file that needs repair and has no end is truncated."""
    try:
        with pikepdf.open(path, attempt_recovery=False) as document:
            _read_xmp(document, tags)
        return []
    except pikepdf.PasswordError:
        return []
    except pikepdf.PdfError as failure:
        with Path(path).open("rb") as file:
            file.seek(max(0, Path(path).stat().st_size - TAIL_BYTES))
            if b"startxref" not in file.read():
                why = str(failure)[:300]
                raise Undecodable("The PDF is cut off: its end is missing.", field="file", why=why) from failure
        return ["The PDF is damaged and was repaired for reading."]


def _read_xmp(document: Any, tags: Tags) -> None:
    stream = document.Root.get("/Metadata")
    if isinstance(stream, pikepdf.Stream):
        try:
            xmp.read(stream.read_bytes(), tags)
        except (ValueError, pikepdf.PdfError):
            return  # a damaged packet does not make the pages unusable


def _read_information(document: Any, tags: Tags) -> None:
    information = document.get_metadata_dict(skip_empty=True)
    for name in _FACTS:
        if information.get(name):
            tags.put(f"PDF:{name}", [information[name]])
    for name, tag in (("CreationDate", "CreateDate"), ("ModDate", "ModifyDate")):
        matched = _DATE.match(information.get(name, ""))
        if matched and matched[2] and matched[3]:
            clock = f" {matched[4]}:{matched[5]}:{matched[6]}" if matched[6] else ""
            tags.put(f"PDF:{tag}", [f"{matched[1]}:{matched[2]}:{matched[3]}{clock}"])


def text_of(document: Any) -> str:
    """The text of the pages in reading order, with white space collapsed; at most MOST_TEXT characters or
    TEXT_SECONDS."""
    end = time.monotonic() + TEXT_SECONDS
    texts: list[str] = []
    size = 0
    for number in range(min(len(document), MOST_PAGES_READ)):
        if size >= MOST_TEXT or time.monotonic() > end:
            break
        page = document[number]
        layer = page.get_textpage()
        text = _BLANKS.sub(" ", layer.get_text_bounded().replace("\x00", "").replace("￾", "")).strip()
        layer.close()
        page.close()
        if text:
            texts.append(text)
            size += len(text) + 1
    return "\n".join(texts)[:MOST_TEXT]
