"""Title, description and RDF of an SVG file (SVG 2, section 5.7)."""

from typing import BinaryIO

from lxml import etree

from vitrine.media.metadata.read.tags import Tags
from vitrine.media.metadata.read.xmp import RDF, plain_parser, read_tree

MOST_BYTES = 32 * 2**20
SVG = "{http://www.w3.org/2000/svg}"


def parts(file: BinaryIO) -> list[tuple[str, bytes]]:
    return [("svg", file.read(MOST_BYTES))]


def read(data: bytes, tags: Tags) -> None:
    """`SVG:Title` and `SVG:Desc` of the drawing itself, and an RDF block as XMP. Raises ValueError."""
    try:
        root = etree.fromstring(data, plain_parser())
    except etree.XMLSyntaxError as failure:
        raise ValueError(f"not well formed: {failure.msg}") from failure
    for name in ("title", "desc"):
        element = root.find(SVG + name)
        if element is not None and element.text:
            tags.put(f"SVG:{name.title()}", [element.text])
    for block in root.iter(RDF + "RDF"):
        read_tree(block, tags)
