"""XMP packets (ISO 16684-1), parsed without entities, network or recursion into huge trees."""

import re

from lxml import etree

from vitrine.media.metadata.tags import Tags

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


def read(data: bytes, tags: Tags) -> None:
    """Every simple value, list and language alternative as `XMP-<prefix>:<Name>`.

    Of a language alternative `x-default` (else the first) is the value; the others are `XMP-dc:Title-fr`.
    Raises ValueError when the packet is no XML.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, recover=False, remove_pis=True)
    try:
        root = etree.fromstring(_PACKET.sub(b"", data).strip(b" \r\n\t\x00\xef\xbb\xbf"), parser)
    except etree.XMLSyntaxError as failure:
        raise ValueError(f"not well formed: {failure.msg}") from failure
    for description in root.iter(f"{RDF}Description"):
        for name, value in description.attrib.items():
            tag = _tag(str(name))
            if tag:
                tags.put(tag, [str(value)])
        for element in description:
            if isinstance(element.tag, str):
                _element(element, tags)


def _element(element: etree._Element, tags: Tags) -> None:
    tag = _tag(str(element.tag))
    if tag is None:
        return
    children = [child for child in element if isinstance(child.tag, str)]
    if not children:
        tags.put(tag, [element.text or str(element.get(f"{RDF}resource", ""))])
        return
    holder = children[0]
    items = [child for child in holder if child.tag == f"{RDF}li"]
    if holder.tag == f"{RDF}Alt":
        _alternatives(tag, items, tags)
    elif holder.tag in (f"{RDF}Bag", f"{RDF}Seq"):
        tags.put(tag, [item.text or "" for item in items])


def _alternatives(tag: str, items: list[etree._Element], tags: Tags) -> None:
    by_language = {str(item.get(XML_LANG, "x-default")).lower(): item.text or "" for item in items}
    if not by_language:
        return
    tags.put(tag, [by_language.get("x-default", next(iter(by_language.values())))])
    for language, text in by_language.items():
        if language != "x-default":
            tags.put(f"{tag}-{language}", [text])


def _tag(name: str) -> str | None:
    if not name.startswith("{"):
        return None
    namespace, _, local = name[1:].partition("}")
    prefix = _PREFIXES.get(namespace)
    return f"XMP-{prefix}:{local[:1].upper()}{local[1:]}" if prefix else None
