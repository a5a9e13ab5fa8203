"""XMP packets (ISO 16684-1), parsed without entities, network or recursion into huge trees."""

import re

from lxml import etree

from vitrine.media.metadata.read.tags import Tags

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_PREFIXES = {
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/xap/1.0/mm/": "xmpMM",
    "http://ns.adobe.com/xap/1.0/rights/": "xmpRights",
    "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/": "iptcCore",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": "iptcExt",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://ns.adobe.com/exif/1.0/aux/": "aux",
    "http://ns.useplus.org/ldf/xmp/1.0/": "plus",
    "http://ns.adobe.com/lightroom/1.0/": "lr",
}
_PACKET = re.compile(rb"<\?xpacket[^>]*\?>")


# Contact fields of the creator by their common names (IPTC Photo Metadata Standard, section 6.2).
_CONTACT = {
    "CiAdrExtadr": "CreatorAddress", "CiAdrCity": "CreatorCity", "CiAdrCtry": "CreatorCountry",
    "CiAdrPcode": "CreatorPostalCode", "CiAdrRegion": "CreatorRegion", "CiEmailWork": "CreatorWorkEmail",
    "CiTelWork": "CreatorWorkTelephone", "CiUrlWork": "CreatorWorkURL",
}  # fmt: skip
WORK = "{http://creativecommons.org/ns#}Work"
RESOURCE = f"{RDF}parseType"
DEEPEST = 4


def plain_parser() -> etree.XMLParser:
    """A parser that resolves no entities and does not use the network."""
    return etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, recover=False, remove_pis=True)


def read(data: bytes, tags: Tags) -> None:
    """Every simple value, list, language alternative and structure as `XMP-<prefix>:<Name>`.

    The value of a language alternative is `x-default`, or else the first; the others become `XMP-dc:Title-fr`. A field
    of a structure is named after both (`LocationCreatedCity`). Raises ValueError if the packet is not XML.
    """
    try:
        root = etree.fromstring(_PACKET.sub(b"", data).strip(b" \r\n\t\x00\xef\xbb\xbf"), plain_parser())
    except etree.XMLSyntaxError as failure:
        raise ValueError(f"not well formed: {failure.msg}") from failure
    read_tree(root, tags)


def read_tree(root: etree._Element, tags: Tags) -> None:
    """The same for a tree: top-level descriptions only, not those inside a value."""
    for description in root.iter(f"{RDF}Description", WORK):
        parent = description.getparent()
        if parent is None or parent.tag == f"{RDF}RDF":
            _fields(description, tags, "", 0)


def _fields(holder: etree._Element, tags: Tags, within: str, depth: int) -> None:
    """The members of a description or structure: attributes and elements. *within* is the tag of the structure."""
    for name, value in holder.attrib.items():
        tag = _tag(str(name), within)
        if tag:
            tags.add(tag, str(value)) if within else tags.put(tag, [str(value)])
    for element in holder:
        if isinstance(element.tag, str):
            tag = _tag(str(element.tag), within)
            if tag is not None and depth < DEEPEST:
                _element(tag, element, tags, within, depth)


def _element(tag: str, element: etree._Element, tags: Tags, within: str, depth: int) -> None:
    if element.get(RESOURCE) == "Resource":
        return _fields(element, tags, tag, depth + 1)
    children = [child for child in element if isinstance(child.tag, str)]
    if not children:
        text = element.text or str(element.get(f"{RDF}resource", ""))
        tags.add(tag, text) if within else tags.put(tag, [text])
        return _fields(element, tags, tag, depth + 1)
    holder = children[0]
    items = [child for child in holder if child.tag == f"{RDF}li"]
    if holder.tag == f"{RDF}Alt":
        _alternatives(tag, items, tags)
    elif holder.tag in (f"{RDF}Bag", f"{RDF}Seq"):
        tags.put(tag, [item.text or str(item.get(f"{RDF}resource", "")) for item in items if not len(item)])
        for item in items:
            _structure(tag, item, tags, depth)
    elif holder.tag == f"{RDF}Description":
        _fields(holder, tags, tag, depth + 1)
    return None


def _structure(tag: str, item: etree._Element, tags: Tags, depth: int) -> None:
    inner = next((child for child in item if child.tag == f"{RDF}Description"), None)
    if inner is not None:
        _fields(inner, tags, tag, depth + 1)
    elif item.get(RESOURCE) == "Resource" or len(item):
        _fields(item, tags, tag, depth + 1)


def _alternatives(tag: str, items: list[etree._Element], tags: Tags) -> None:
    by_language = {str(item.get(XML_LANG, "x-default")).lower(): item.text or "" for item in items}
    if not by_language:
        return
    tags.put(tag, [by_language.get("x-default", next(iter(by_language.values())))])
    for language, text in by_language.items():
        if language != "x-default":
            tags.put(f"{tag}-{language}", [text])


def _tag(name: str, within: str) -> str | None:
    if not name.startswith("{"):
        return None
    namespace, _, local = name[1:].partition("}")
    prefix = _PREFIXES.get(namespace)
    if prefix is None:
        return None
    local = f"{local[:1].upper()}{local[1:]}"
    if not within:
        return f"XMP-{prefix}:{local}"
    return f"{within.partition(':')[0]}:{_CONTACT[local]}" if local in _CONTACT else f"{within}{local}"
