"""Sanitize SVG drawings: the rendered copy has no scripts, foreign content or external addresses.

The original is stored unchanged; `files.send` delivers it only as a sandboxed attachment.
"""

import re
from xml.etree.ElementTree import Element, ParseError, register_namespace, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from vitrine.media.errors import Undecodable

MOST_BYTES = 32 * 2**20
MOST_ELEMENTS = 200_000
DEEPEST = 256
# libvips recognises a drawing by its first tag, which must not have a prefix.
register_namespace("", "http://www.w3.org/2000/svg")
register_namespace("xlink", "http://www.w3.org/1999/xlink")
_FORBIDDEN_ELEMENTS = frozenset(
    {"script", "foreignobject", "iframe", "object", "embed", "audio", "video", "handler", "listener", "set"}
)
_INTERNAL = re.compile(r"#|data:image/(?:png|jpeg|gif|webp);base64,", re.I)
_EXTERNAL = re.compile(r"@import[^;]*;?|url\(\s*['\"]?\s*(?!#|['\"]?#)[^)]*\)|expression\s*\(|javascript:", re.I)
_DOCTYPE = re.compile(
    rb"<!DOCTYPE\s+svg(?:\s+(?:PUBLIC\s+(?:\"[^\"<>]*\"|'[^'<>]*')|SYSTEM)\s+(?:\"[^\"<>]*\"|'[^'<>]*'))?\s*"
    rb"(?:\[((?:[^\]\"']|\"[^\"]*\"|'[^']*')*)\]\s*)?>",
    re.I,
)
# `<!ENTITY ns_svg "http://www.w3.org/2000/svg">`, as Illustrator writes it: a name for plain text.
_ENTITY = re.compile(rb"<!ENTITY\s+([A-Za-z_][\w.-]{0,40})\s+(?:\"([^\"<&%]{0,1000})\"|'([^'<&%]{0,1000})')\s*>")
_NOT_ENTITIES = re.compile(rb"<!--.*?-->|\s+", re.S)
_REFERENCE = re.compile(rb"&([A-Za-z_][\w.-]{0,40});")
MOST_ENTITIES = 64
HEAD_BYTES = 64 * 1024  # where a document type can be; searching further could take very long


def safe_svg(data: bytes) -> bytes:
    """The drawing without active content and external references. Raises Undecodable if it is not SVG or declares
    entities that are more than plain text, which could be a bomb."""
    if len(data) > MOST_BYTES:
        raise Undecodable(f"The drawing has more than {MOST_BYTES // 2**20} MB.", field="file")
    try:
        root = fromstring(_without_doctype(data), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError) as failure:
        why = str(failure)[:300]
        detail = "The drawing is damaged, or declares entities that are not plain texts."
        raise Undecodable(detail, field="file", why=why) from failure
    if _local_name(root) != "svg":
        raise Undecodable("The drawing is not SVG.", field="file", why=str(root.tag)[:100])
    _sanitize(root)
    try:
        count = _count_drawn(root, {element.get("id", ""): element for element in root.iter()}, {}, frozenset())
    except RecursionError:
        count = MOST_ELEMENTS + 1
    if count > MOST_ELEMENTS:
        raise Undecodable("The drawing has too many parts.", field="file", why=f"{count} when drawn")
    return tostring(root)


def _without_doctype(data: bytes) -> bytes:
    """*data* without a harmless document type, with its plain entities expanded. A document type with anything else in
    it is kept, so that the parser refuses it. Replacements contain no references, so expansion is bounded."""
    doctype = _DOCTYPE.search(data, 0, HEAD_BYTES)
    if doctype is None:
        return data
    subset = doctype[1] or b""
    entities = {name: double or single for name, double, single in _ENTITY.findall(subset)}
    unparsed = _NOT_ENTITIES.sub(b"", _ENTITY.sub(b"", subset))
    if unparsed or len(entities) > MOST_ENTITIES:
        return data
    without_doctype = data[: doctype.start()] + data[doctype.end() :]
    replacements = [entities[name] for name in _REFERENCE.findall(without_doctype) if name in entities]
    if len(without_doctype) + sum(map(len, replacements)) > MOST_BYTES:
        raise Undecodable("The drawing has too many parts.", field="file", why="its entities make it too large")
    return _REFERENCE.sub(lambda reference: entities.get(reference[1], reference[0]), without_doctype)


def _count_drawn(
    element: Element, by_id: dict[str, Element], counts: dict[Element, int], ancestors: frozenset[Element]
) -> int:
    """The number of elements drawn when every `use` is followed. Nested uses (ten of ten of ten …) make a bomb."""
    if element in ancestors:
        return 0  # a reference to itself, which is not drawn again
    if element in counts:
        return counts[element]
    path = ancestors | {element}
    count = 1 + sum(_count_drawn(child, by_id, counts, path) for child in element)
    if _local_name(element) == "use":
        target = next((value[1:] for name, value in element.attrib.items() if name.endswith("href")), "")
        if target in by_id:
            count += _count_drawn(by_id[target], by_id, counts, path)
    counts[element] = min(count, MOST_ELEMENTS + 1)
    return counts[element]


def _sanitize(root: Element) -> None:
    stack = [(root, 0)]
    count = 0
    while stack:
        element, depth = stack.pop()
        count += 1
        if count > MOST_ELEMENTS or depth > DEEPEST:
            raise Undecodable("The drawing has too many parts.", field="file")
        _sanitize_attributes(element)
        if _local_name(element) == "style" and element.text:
            element.text = _EXTERNAL.sub("", element.text)
        for child in list(element):
            if _local_name(child) in _FORBIDDEN_ELEMENTS:
                element.remove(child)
            else:
                stack.append((child, depth + 1))


def _sanitize_attributes(element: Element) -> None:
    for name, value in list(element.attrib.items()):
        local_name = name.rpartition("}")[2].lower()
        if local_name.startswith("on") or (
            local_name in ("href", "src", "base") and not _INTERNAL.match(value.strip())
        ):
            del element.attrib[name]
        elif _EXTERNAL.search(value) and local_name != "d":
            element.set(name, _EXTERNAL.sub("none", value))


def _local_name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2].lower()
