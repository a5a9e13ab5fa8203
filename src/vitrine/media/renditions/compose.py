"""Compose an album of photographs as a PDF; imported only in the child."""

import textwrap
from typing import Any

import pikepdf

from vitrine.media.pictures import load_picture

PAPER = (595, 842)  # A4 in points
MARGIN = 60
CHARACTERS_A_LINE = 84  # in a line of 11 points
COVER_CHARACTERS_A_LINE = 66  # in a line of 14 points
_ESCAPED = {"\\": "\\\\", "(": "\\(", ")": "\\)"}


def album(target: str, title: str, subtitle: str, pages: list[dict[str, Any]], packet: bytes) -> int:
    """The operation `album`: a cover, then one page for each {path, mime, title, texts}; *packet* is its XMP.

    Returns the number of pages. The texts are real text, so they can be searched and read aloud.
    """
    document = pikepdf.new()
    faces = pikepdf.Dictionary(F1=_font(document, "Helvetica"), F2=_font(document, "Helvetica-Bold"))
    cover = [_text("F2", 24, 480, title)]
    cover += [
        _text("F1", 14, 450 - 20 * at, line) for at, line in enumerate(textwrap.wrap(subtitle, COVER_CHARACTERS_A_LINE))
    ]
    _add_page(document, faces, cover, None)
    for page in pages:
        picture = load_picture(page["path"], page["mime"], 1000)
        lines = [_text("F2", 18, 250, page["title"])]
        height = 226
        for text in page["texts"]:
            for line in textwrap.wrap(text, CHARACTERS_A_LINE):
                lines.append(_text("F1", 11, height, line))
                height -= 15
            height -= 8
        _add_page(document, faces, lines, picture)
    document.docinfo["/Title"] = title
    document.docinfo["/Subject"] = subtitle
    stream = document.make_stream(packet)
    stream.Type, stream.Subtype = pikepdf.Name.Metadata, pikepdf.Name.XML
    document.Root.Metadata = stream
    document.Root.Lang = "en"
    document.save(target, linearize=True, fix_metadata_version=False, deterministic_id=True)
    return len(pages) + 1


def _font(document: Any, name: str) -> Any:
    font = pikepdf.Dictionary(
        Type=pikepdf.Name.Font,
        Subtype=pikepdf.Name.Type1,
        BaseFont=pikepdf.Name("/" + name),
        Encoding=pikepdf.Name.WinAnsiEncoding,
    )
    return document.make_indirect(font)


def _text(face: str, points: int, height: int, text: str) -> bytes:
    escaped = "".join(_ESCAPED.get(character, character) for character in text)
    return (
        f"BT /{face} {points} Tf {MARGIN} {height} Td (".encode() + escaped.encode("cp1252", "replace") + b") Tj ET\n"
    )


def _add_page(document: Any, faces: Any, lines: list[bytes], picture: Any | None) -> None:
    document.add_blank_page(page_size=PAPER)
    sheet = document.pages[-1]
    resources = pikepdf.Dictionary(Font=faces)
    content = b"".join(lines)
    if picture is not None:
        available = (PAPER[0] - 2 * MARGIN, 500)
        scale = min(available[0] / picture.width, available[1] / picture.height)
        width, height = round(picture.width * scale, 1), round(picture.height * scale, 1)
        resources.XObject = pikepdf.Dictionary(Im0=document.make_indirect(image(document, picture)))
        content += f"q {width} 0 0 {height} {MARGIN} {round(282 + available[1] - height, 1)} cm /Im0 Do Q".encode()
    sheet.Resources = resources
    sheet.Contents = document.make_stream(content)


def image(document: Any, picture: Any) -> Any:
    """A picture as a PDF image object, compressed as JPEG."""
    opaque = picture.flatten(background=[255, 255, 255]) if picture.hasalpha() else picture
    return pikepdf.Stream(
        document,
        opaque.jpegsave_buffer(Q=85, keep="none"),
        Type=pikepdf.Name.XObject,
        Subtype=pikepdf.Name.Image,
        Width=opaque.width,
        Height=opaque.height,
        ColorSpace=pikepdf.Name.DeviceGray if opaque.bands == 1 else pikepdf.Name.DeviceRGB,
        BitsPerComponent=8,
        Filter=pikepdf.Name.DCTDecode,
    )
