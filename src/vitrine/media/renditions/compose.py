"""Putting documents together from others: an album of photographs as a PDF; imported in the child only."""

import textwrap
from typing import Any

import pikepdf

from vitrine.media.pictures import shrunk

PAPER = (595, 842)  # A4 in points
MARGIN = 60
LETTERS = 84  # that fit into a line of 11 points
COVER_LETTERS = 66  # of 14 points
_ESCAPED = {"\\": "\\\\", "(": "\\(", ")": "\\)"}


def album(target: str, title: str, subtitle: str, pages: list[dict[str, Any]], packet: bytes) -> int:
    """The operation `album`: a cover, then a page for each {path, mime, title, texts}; *packet* is its XMP.

    Returns the number of pages. The words are real text, so that they are found and read aloud.
    """
    document = pikepdf.new()
    faces = pikepdf.Dictionary(F1=_face(document, "Helvetica"), F2=_face(document, "Helvetica-Bold"))
    cover = [_text("F2", 24, 480, title)]
    cover += [_text("F1", 14, 450 - 20 * at, line) for at, line in enumerate(textwrap.wrap(subtitle, COVER_LETTERS))]
    _sheet(document, faces, cover, None)
    for one in pages:
        picture = shrunk(one["path"], one["mime"], 1000)
        lines = [_text("F2", 18, 250, one["title"])]
        height = 226
        for text in one["texts"]:
            for line in textwrap.wrap(text, LETTERS):
                lines.append(_text("F1", 11, height, line))
                height -= 15
            height -= 8
        _sheet(document, faces, lines, picture)
    document.docinfo["/Title"] = title
    document.docinfo["/Subject"] = subtitle
    stream = document.make_stream(packet)
    stream.Type, stream.Subtype = pikepdf.Name.Metadata, pikepdf.Name.XML
    document.Root.Metadata = stream
    document.Root.Lang = "en"
    document.save(target, linearize=True, fix_metadata_version=False, deterministic_id=True)
    return len(pages) + 1


def _face(document: Any, name: str) -> Any:
    font = pikepdf.Dictionary(
        Type=pikepdf.Name.Font,
        Subtype=pikepdf.Name.Type1,
        BaseFont=pikepdf.Name("/" + name),
        Encoding=pikepdf.Name.WinAnsiEncoding,
    )
    return document.make_indirect(font)


def _text(face: str, points: int, height: int, text: str) -> bytes:
    plain = "".join(_ESCAPED.get(one, one) for one in text)
    return f"BT /{face} {points} Tf {MARGIN} {height} Td (".encode() + plain.encode("cp1252", "replace") + b") Tj ET\n"


def _sheet(document: Any, faces: Any, lines: list[bytes], picture: Any | None) -> None:
    document.add_blank_page(page_size=PAPER)
    sheet = document.pages[-1]
    resources = pikepdf.Dictionary(Font=faces)
    content = b"".join(lines)
    if picture is not None:
        room = (PAPER[0] - 2 * MARGIN, 500)
        scale = min(room[0] / picture.width, room[1] / picture.height)
        width, height = round(picture.width * scale, 1), round(picture.height * scale, 1)
        resources.XObject = pikepdf.Dictionary(Im0=document.make_indirect(image(document, picture)))
        content += f"q {width} 0 0 {height} {MARGIN} {round(282 + room[1] - height, 1)} cm /Im0 Do Q".encode()
    sheet.Resources = resources
    sheet.Contents = document.make_stream(content)


def image(document: Any, picture: Any) -> Any:
    """A picture as an object of a PDF, compressed as JPEG."""
    flat = picture.flatten(background=[255, 255, 255]) if picture.hasalpha() else picture
    return pikepdf.Stream(
        document,
        flat.jpegsave_buffer(Q=85, keep="none"),
        Type=pikepdf.Name.XObject,
        Subtype=pikepdf.Name.Image,
        Width=flat.width,
        Height=flat.height,
        ColorSpace=pikepdf.Name.DeviceGray if flat.bands == 1 else pikepdf.Name.DeviceRGB,
        BitsPerComponent=8,
        Filter=pikepdf.Name.DCTDecode,
    )
