"""Drawings made safe: what is rendered is a copy without scripts, foreign content and addresses of elsewhere.

The original is kept as it came; `files.send` gives it out as an attachment in a sandbox only.
"""

import re
from xml.etree.ElementTree import Element, ParseError, register_namespace, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from vitrine.media.errors import Undecodable

MOST_BYTES = 32 * 2**20
MOST_ELEMENTS = 200_000
DEEPEST = 256
# libvips knows a drawing by its first tag, which must not have a prefix.
register_namespace("", "http://www.w3.org/2000/svg")
register_namespace("xlink", "http://www.w3.org/1999/xlink")
_REFUSED = frozenset(
    {"script", "foreignobject", "iframe", "object", "embed", "audio", "video", "handler", "listener", "set"}
)
_INNER = re.compile(r"#|data:image/(?:png|jpeg|gif|webp);base64,", re.I)
_FAR = re.compile(r"@import[^;]*;?|url\(\s*['\"]?\s*(?!#|['\"]?#)[^)]*\)|expression\s*\(|javascript:", re.I)
_DOCTYPE = re.compile(
    rb"<!DOCTYPE\s+svg(?:\s+(?:PUBLIC\s+(?:\"[^\"<>]*\"|'[^'<>]*')|SYSTEM)\s+(?:\"[^\"<>]*\"|'[^'<>]*'))?\s*"
    rb"(?:\[((?:[^\]\"']|\"[^\"]*\"|'[^']*')*)\]\s*)?>",
    re.I,
)
# `<!ENTITY ns_svg "http://www.w3.org/2000/svg">`, as Illustrator writes them: a word for a plain piece of text.
_ENTITY = re.compile(rb"<!ENTITY\s+([A-Za-z_][\w.-]{0,40})\s+(?:\"([^\"<&%]{0,1000})\"|'([^'<&%]{0,1000})')\s*>")
_NOT_ENTITIES = re.compile(rb"<!--.*?-->|\s+", re.S)
_REFERENCE = re.compile(rb"&([A-Za-z_][\w.-]{0,40});")
MOST_ENTITIES = 64
HEAD_BYTES = 64 * 1024  # where a document type stands; looking for one further on could take for ever


def safe_svg(data: bytes) -> bytes:
    """The drawing without anything that runs or reaches out. Raises Undecodable when it is no SVG, or carries
    entities that are more than a word for a plain text: bombs are made of those."""
    if len(data) > MOST_BYTES:
        raise Undecodable(f"The drawing has more than {MOST_BYTES // 2**20} MB.", field="file")
    try:
        root = fromstring(_without_doctype(data), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError) as failure:
        why = str(failure)[:300]
        detail = "The drawing is damaged, or declares entities that are not plain texts."
        raise Undecodable(detail, field="file", why=why) from failure
    if _local(root) != "svg":
        raise Undecodable("The drawing is not SVG.", field="file", why=str(root.tag)[:100])
    _clean(root)
    try:
        drawn = _drawn(root, {one.get("id", ""): one for one in root.iter()}, {}, frozenset())
    except RecursionError:
        drawn = MOST_ELEMENTS + 1
    if drawn > MOST_ELEMENTS:
        raise Undecodable("The drawing has too many parts.", field="file", why=f"{drawn} when drawn")
    return tostring(root)


def _without_doctype(data: bytes) -> bytes:
    """*data* without a harmless document type, its plain entities written out. A document type with anything else in
    it stays, for the parser to refuse. What is put in holds no reference, so nothing grows by more than its length."""
    found = _DOCTYPE.search(data, 0, HEAD_BYTES)
    if found is None:
        return data
    inside = found[1] or b""
    entities = {name: double or single for name, double, single in _ENTITY.findall(inside)}
    rest = _NOT_ENTITIES.sub(b"", _ENTITY.sub(b"", inside))
    if rest or len(entities) > MOST_ENTITIES:
        return data
    plain = data[: found.start()] + data[found.end() :]
    used = [entities[one] for one in _REFERENCE.findall(plain) if one in entities]
    if len(plain) + sum(map(len, used)) > MOST_BYTES:
        raise Undecodable("The drawing has too many parts.", field="file", why="its entities make it too large")
    return _REFERENCE.sub(lambda one: entities.get(one[1], one[0]), plain)


def _drawn(element: Element, by_id: dict[str, Element], known: dict[Element, int], above: frozenset[Element]) -> int:
    """How many elements are drawn when every `use` is followed: ten of ten of ten … make a bomb of a small file."""
    if element in above:
        return 0  # it refers to itself, and is not drawn again
    if element in known:
        return known[element]
    inside = above | {element}
    count = 1 + sum(_drawn(child, by_id, known, inside) for child in element)
    if _local(element) == "use":
        target = next((value[1:] for name, value in element.attrib.items() if name.endswith("href")), "")
        if target in by_id:
            count += _drawn(by_id[target], by_id, known, inside)
    known[element] = min(count, MOST_ELEMENTS + 1)
    return known[element]


def _clean(root: Element) -> None:
    stack = [(root, 0)]
    seen = 0
    while stack:
        element, depth = stack.pop()
        seen += 1
        if seen > MOST_ELEMENTS or depth > DEEPEST:
            raise Undecodable("The drawing has too many parts.", field="file")
        _attributes(element)
        if _local(element) == "style" and element.text:
            element.text = _FAR.sub("", element.text)
        for child in list(element):
            if _local(child) in _REFUSED:
                element.remove(child)
            else:
                stack.append((child, depth + 1))


def _attributes(element: Element) -> None:
    for name, value in list(element.attrib.items()):
        local = name.rpartition("}")[2].lower()
        if local.startswith("on") or (local in ("href", "src", "base") and not _INNER.match(value.strip())):
            del element.attrib[name]
        elif _FAR.search(value) and local != "d":
            element.set(name, _FAR.sub("none", value))


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2].lower()
