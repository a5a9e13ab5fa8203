"""Office files with the parts that office programs write: relations, styles, pictures, links, several pages.

`media_kinds.office` makes minimal packages; these resemble the files that people send.
"""

import zipfile
from pathlib import Path

from vitrine.testing.media_factory import _gradient

_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_KINDS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_P = "http://schemas.openxmlformats.org/presentationml/2006/main"
_A = "http://schemas.openxmlformats.org/drawingml/2006/main"
_X = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
EXTERNAL_URL = "http://127.0.0.1:1/tracked.png"


def package(path: Path) -> Path:
    """A .docx, .pptx or .xlsx of several pages, with an embedded picture and a link to an external one."""
    main, parts = {".docx": _text, ".pptx": _presentation, ".xlsx": _sheet}[path.suffix]()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _content_types(parts))
        archive.writestr("_rels/.rels", _relations({"rId1": ("officeDocument", main)}))
        archive.writestr("docProps/core.xml", _core())
        archive.writestr("docProps/app.xml", _app(path.suffix))
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def _content_types(parts: dict[str, str | bytes]) -> str:
    overrides = "".join(f'<Override PartName="/{name}" ContentType="application/xml"/>' for name in parts)
    return f'{_HEAD}<Types xmlns="{_TYPES}"><Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'


def _relations(targets: dict[str, tuple[str, str]]) -> str:
    elements = ""
    for name, (kind, target) in targets.items():
        mode = ' TargetMode="External"' if target.startswith("http") else ""
        elements += f'<Relationship Id="{name}" Type="{_KINDS}/{kind}" Target="{target}"{mode}/>'
    return f'{_HEAD}<Relationships xmlns="{_RELATIONS}">{elements}</Relationships>'


def _core() -> str:
    return (
        f'{_HEAD}<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><dc:title>Rapport du port</dc:title>'
        "<dc:creator>Ada Martin</dc:creator><cp:keywords>port, quai</cp:keywords>"
        '<dcterms:created xsi:type="dcterms:W3CDTF">2024-03-02T10:15:30Z</dcterms:created></cp:coreProperties>'
    )


def _app(suffix: str) -> str:
    count = "<Slides>3</Slides>" if suffix == ".pptx" else "<Pages>2</Pages>"
    space = "http://schemas.openxmlformats.org/officeDocument/2006/extended-properties"
    return f'{_HEAD}<Properties xmlns="{space}"><Application>Office</Application>{count}</Properties>'


def _picture() -> bytes:
    data: bytes = _gradient(320, 200).jpegsave_buffer()
    return data


def _text() -> tuple[str, dict[str, str | bytes]]:
    body = "".join(
        f'<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>Chapitre {number}</w:t></w:r></w:p>'
        f'<w:p><w:r><w:t xml:space="preserve">Le quai </w:t></w:r><w:hyperlink r:id="rId2"><w:r><w:t>numéro {number}'
        "</w:t></w:r></w:hyperlink></w:p>"
        for number in range(1, 40)
    )
    table = "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>Tonnage</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
    relations = {
        "rId1": ("styles", "styles.xml"),
        "rId2": ("hyperlink", EXTERNAL_URL),
        "rId3": ("image", "media/1.jpeg"),
    }
    return "word/document.xml", {
        "word/document.xml": f'{_HEAD}<w:document xmlns:w="{_W}" xmlns:r="{_KINDS}"><w:body>{body}{table}</w:body>'
        "</w:document>",
        "word/styles.xml": f'{_HEAD}<w:styles xmlns:w="{_W}"><w:style w:styleId="Heading1"/></w:styles>',
        "word/_rels/document.xml.rels": _relations(relations),
        "word/media/1.jpeg": _picture(),
    }


def _presentation() -> tuple[str, dict[str, str | bytes]]:
    parts: dict[str, str | bytes] = {
        "ppt/presentation.xml": f'{_HEAD}<p:presentation xmlns:p="{_P}"/>',
        "ppt/media/1.jpeg": _picture(),
        "docProps/thumbnail.jpeg": _picture(),
    }
    for number in (1, 2, 10):  # slide 10 comes after slide 2
        words = f"<a:p><a:r><a:t>Vue {number}</a:t></a:r></a:p>"
        parts[f"ppt/slides/slide{number}.xml"] = (
            f'{_HEAD}<p:sld xmlns:p="{_P}" xmlns:a="{_A}"><p:cSld><p:spTree><p:sp><p:txBody>{words}</p:txBody></p:sp>'
            "</p:spTree></p:cSld></p:sld>"
        )
        parts[f"ppt/slides/_rels/slide{number}.xml.rels"] = _relations({"rId1": ("image", EXTERNAL_URL)})
    return "ppt/presentation.xml", parts


def _sheet() -> tuple[str, dict[str, str | bytes]]:
    words = "".join(f"<si><t>Navire {number}</t></si>" for number in range(1, 60))
    rows = "".join(
        f'<row r="{n}"><c t="s" r="A{n}"><v>{n - 1}</v></c><c r="B{n}"><v>{n * 7}</v></c></row>' for n in range(1, 60)
    )
    sheets = '<sheets><sheet name="Navires" sheetId="1"/></sheets>'
    return "xl/workbook.xml", {
        "xl/workbook.xml": f'{_HEAD}<workbook xmlns="{_X}">{sheets}</workbook>',
        "xl/sharedStrings.xml": f'{_HEAD}<sst xmlns="{_X}" count="59">{words}</sst>',
        "xl/worksheets/sheet1.xml": f'{_HEAD}<worksheet xmlns="{_X}"><sheetData>{rows}</sheetData></worksheet>',
        "xl/_rels/workbook.xml.rels": _relations({"rId1": ("externalLink", EXTERNAL_URL)}),
    }
