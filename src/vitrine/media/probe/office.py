"""Facts about office files from their packages: type, metadata, text, embedded thumbnail.

Packages are ZIP archives. Every member is read up to a limit, whatever its header claims.
"""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from vitrine.media.errors import Undecodable
from vitrine.media.kinds import OPEN_DOCUMENT, OPEN_XML
from vitrine.media.metadata.read.tags import Tags
from vitrine.media.probe.model import MOST_TEXT
from vitrine.media.probe.sniff import ZIP, promised_type

MOST_MEMBERS = 20_000
MOST_BYTES = 64 * 2**20
THUMBNAILS = ("docProps/thumbnail.jpeg", "docProps/thumbnail.jpg", "docProps/thumbnail.png", "Thumbnails/thumbnail.png")
_DAMAGED = (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError, KeyError)
_TEXTS = re.compile(r"word/document\d*\.xml|ppt/slides/slide\d+\.xml|xl/sharedStrings\.xml|content\.xml")
_TEXT_ELEMENTS = {"t", "p", "span", "h", "a"}
_LINE_ENDS = {"p", "h", "si", "tr"}
_FACTS = {
    "title": "Title", "subject": "Subject", "creator": "Creator", "keywords": "Keywords", "keyword": "Keywords",
    "description": "Description", "created": "CreateDate", "creation-date": "CreateDate", "language": "Language",
    "category": "Category", "Company": "Company", "Pages": "Pages", "Slides": "Slides",
}  # fmt: skip
_NUMBER = re.compile(r"\d+")


@dataclass(slots=True)
class _Budget:
    """The bytes that may still be inflated from one package, so a member that inflates endlessly is only cut."""

    left: int = MOST_BYTES
    warnings: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _BoundedReader:
    """A reader that ends when the budget is used up."""

    file: Any
    budget: _Budget

    def read(self, size: int = -1) -> bytes:
        part: bytes = self.file.read(min(size if size >= 0 else 1 << 16, self.budget.left))
        self.budget.left -= len(part)
        return part


def mime_of(path: str, name: str) -> str:
    """The type of a ZIP archive by its content. Raises Undecodable for a truncated office file."""
    try:
        with zipfile.ZipFile(path) as package:
            names = package.namelist()[:MOST_MEMBERS]
            if "mimetype" in names:
                declared = _read(package, "mimetype", 200).decode("ascii", "replace").strip()
                return declared if declared in (*OPEN_DOCUMENT, "application/epub+zip") else ZIP
            if "[Content_Types].xml" in names:
                return next(
                    (mime for folder, mime in OPEN_XML.items() if any(n.startswith(folder) for n in names)), ZIP
                )
    except _DAMAGED as failure:
        if promised_type(name) is not None:
            detail = "The document is damaged or cut off: its package has no end."
            raise Undecodable(detail, field="file", why=str(failure)[:300]) from failure
    return ZIP


def facts_of(path: str) -> dict[str, Any]:
    """Metadata as `Office:…`, text, and whether there is an embedded thumbnail. Raises Undecodable."""
    tags = Tags()
    budget = _Budget()
    text = ""
    try:
        with zipfile.ZipFile(path) as package:
            names = package.namelist()[:MOST_MEMBERS]
            for member in ("docProps/core.xml", "docProps/app.xml", "meta.xml"):
                if member in names:
                    _facts(package, member, tags, budget)
            parts = sorted((name for name in names if _TEXTS.fullmatch(name)), key=_order_of)
            for member in parts:
                text += "".join(_text_of(package, member, MOST_TEXT - len(text), budget))
                if len(text) >= MOST_TEXT or budget.left <= 0:
                    break
            makes = ["image"] if thumbnail(package) else []
    except _DAMAGED as failure:
        raise Undecodable("The document is damaged.", field="file", why=str(failure)[:300]) from failure
    pages = tags.values.get("Office:Pages") or tags.values.get("Office:Slides")
    return {
        "metadata": tags.values,
        "warnings": budget.warnings[:5],
        "text": re.sub(r"[ \t]+", " ", text).strip()[:MOST_TEXT],
        "makes": makes,
        "pages": int(pages[0]) if pages and pages[0].isdecimal() and len(pages[0]) < 8 else None,
    }


def thumbnail(package: zipfile.ZipFile) -> bytes:
    """The thumbnail that the office program embedded; b"" if there is none in a format that browsers show."""
    names = set(package.namelist())
    for member in THUMBNAILS:
        if member in names:
            data = _read(package, member, MOST_BYTES)
            if data.startswith((b"\xff\xd8\xff", b"\x89PNG")):
                return data
    return b""


def _order_of(member: str) -> tuple[str, int]:
    number = _NUMBER.search(member)
    return member.partition("/")[0], int(number[0]) if number else 0


def _read(package: zipfile.ZipFile, member: str, most_bytes: int) -> bytes:
    with package.open(member) as file:
        return file.read(most_bytes)


def _elements(package: zipfile.ZipFile, member: str, budget: _Budget) -> Iterator[Element]:
    """The elements of a member, each at its end tag. Entities, especially external ones, stop reading with a
    warning."""
    try:
        with package.open(member) as file:
            for _, element in iterparse(_BoundedReader(file, budget), events=("end",), forbid_dtd=True):
                yield element
    except (ParseError, DefusedXmlException, UnicodeDecodeError) as failure:
        budget.warnings.append(f"{member}: {failure}"[:200])


def _facts(package: zipfile.ZipFile, member: str, tags: Tags, budget: _Budget) -> None:
    for element in _elements(package, member, budget):
        local = str(element.tag).rpartition("}")[2]
        if local in _FACTS and element.text:
            tags.add(f"Office:{_FACTS[local]}", element.text)
        elif local == "document-statistic":
            count = next((value for name, value in element.attrib.items() if name.endswith("}page-count")), "")
            tags.put("Office:Pages", [count])


def _text_of(package: zipfile.ZipFile, member: str, most_characters: int, budget: _Budget) -> Iterator[str]:
    remaining = most_characters
    for element in _elements(package, member, budget):
        local = str(element.tag).rpartition("}")[2]
        text = (element.text or "") if local in _TEXT_ELEMENTS else ""
        text += (element.tail or "").strip("\n") if local == "span" else ""
        if local in _LINE_ENDS:
            text += "\n"
        element.clear()
        if text:
            remaining -= len(text)
            yield text
            if remaining <= 0:
                return
