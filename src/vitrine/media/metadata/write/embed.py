"""Write metadata into copies of files: XMP (and IPTC for JPEG), without changing a pixel or a sample.

Used for the files of the demonstration.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from vitrine.errors import Invalid
from vitrine.media.metadata.read import id3, jpeg, png
from vitrine.media.metadata.read.boxes import XMP_UUID

_IIM = (
    ("title", 5),
    ("author", 80),
    ("city", 90),
    ("country", 101),
    ("credit", 110),
    ("rights", 116),
    ("caption", 120),
)
LONGEST_SEGMENT = 65_533


@dataclass(frozen=True, slots=True)
class EmbeddedFacts:
    """The metadata to write. *title_other* and *caption_other* are translations into *language_other*."""

    title: str
    caption: str
    keywords: tuple[str, ...]
    author: str
    rights: str
    language: str = "en"
    title_other: str = ""
    caption_other: str = ""
    language_other: str = "fr"
    city: str = ""
    country: str = ""
    date: str = ""
    credit: str = ""


def write_metadata(source: Path, target: Path, facts: EmbeddedFacts) -> None:
    """Copy *source* to *target* with *facts*; existing metadata blocks of the same kind are replaced.

    Raises Invalid for a file that is neither JPEG, PNG, MP4 nor MP3.
    """
    data = source.read_bytes()
    if data.startswith(b"\xff\xd8"):
        content = _into_jpeg(source, data, facts)
    elif data.startswith(png.SIGNATURE):
        content = _into_png(data, facts)
    elif data[4:8] == b"ftyp":
        content = _into_mp4(data, facts)
    elif data.startswith((b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")):
        content = _tag(facts) + id3.without_tag(data)
    else:
        raise Invalid(f"Metadata cannot be written into {source.name}.", field="file")
    temporary = target.with_name(target.name + ".new")
    temporary.write_bytes(content)
    temporary.replace(target)


def packet(facts: EmbeddedFacts) -> bytes:
    """An XMP packet (ISO 16684-1)."""

    def alternatives(tag: str, text: str, other: str) -> str:
        items = [("x-default", text), (facts.language, text), *([(facts.language_other, other)] if other else [])]
        inner = "".join(f'<rdf:li xml:lang="{language}">{escape(value)}</rdf:li>' for language, value in items)
        return f"<{tag}><rdf:Alt>{inner}</rdf:Alt></{tag}>"

    def several(tag: str, kind: str, values: tuple[str, ...]) -> str:
        inner = "".join(f"<rdf:li>{escape(value)}</rdf:li>" for value in values)
        return f"<{tag}><rdf:{kind}>{inner}</rdf:{kind}></{tag}>"

    simple = (
        ("photoshop:City", facts.city),
        ("photoshop:Country", facts.country),
        ("photoshop:DateCreated", facts.date),
        ("photoshop:Credit", facts.credit),
    )
    body = (
        alternatives("dc:title", facts.title, facts.title_other)
        + alternatives("dc:description", facts.caption, facts.caption_other)
        + several("dc:subject", "Bag", facts.keywords)
        + several("dc:creator", "Seq", (facts.author,))
        + alternatives("dc:rights", facts.rights, "")
        + "".join(f"<{tag}>{escape(value)}</{tag}>" for tag, value in simple if value)
    )
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        f'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/">{body}</rdf:Description></rdf:RDF></x:xmpmeta>'
        '<?xpacket end="w"?>'
    ).encode()


def _into_jpeg(source: Path, data: bytes, facts: EmbeddedFacts) -> bytes:
    with source.open("rb") as file:
        segments = jpeg.segments(file)
        # The file is positioned after the marker of the first segment with image data.
        image_data = data[file.tell() - 2 :]
    other_segments = [(marker, body) for marker, body in segments if not body.startswith((jpeg.XMP, jpeg.PHOTOSHOP))]
    new_segments = [(jpeg.APP1, jpeg.XMP + packet(facts)), (jpeg.APP13, jpeg.PHOTOSHOP + _resource(_datasets(facts)))]
    position = next(
        (i for i, (marker, body) in enumerate(other_segments) if marker != 0xE0 and not body.startswith(jpeg.EXIF)),
        len(other_segments),
    )
    out = b"\xff\xd8"
    for marker, body in [*other_segments[:position], *new_segments, *other_segments[position:]]:
        if len(body) > LONGEST_SEGMENT:
            raise Invalid("There is too much metadata for a JPEG file.", field="file")
        out += bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body
    return out + image_data


def _datasets(facts: EmbeddedFacts) -> bytes:
    def dataset(record: int, number: int, value: bytes) -> bytes:
        return bytes((0x1C, record, number)) + len(value).to_bytes(2, "big") + value

    out = dataset(1, 90, b"\x1b%G") + dataset(2, 0, b"\x00\x04")
    for name, number in _IIM:
        text = getattr(facts, name)
        out += dataset(2, number, text.encode()) if text else b""
    for word in facts.keywords:
        out += dataset(2, 25, word.encode())
    return out + (dataset(2, 55, facts.date.replace("-", "").encode()) if facts.date else b"")


def _resource(data: bytes) -> bytes:
    return b"8BIM\x04\x04\x00\x00" + len(data).to_bytes(4, "big") + data + b"\x00" * (len(data) % 2)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(png.SIGNATURE)
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        at += 12 + size


def _into_png(data: bytes, facts: EmbeddedFacts) -> bytes:
    xmp_chunk = png.XMP_KEYWORD + b"\x00\x00\x00\x00\x00" + packet(facts)
    out = png.SIGNATURE
    for name, body in _chunks(data):
        if name == b"iTXt" and body.startswith(png.XMP_KEYWORD):
            continue
        out += _chunk(name, body)
        if name == b"IHDR":
            out += _chunk(b"iTXt", xmp_chunk)
    return out


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _tag(facts: EmbeddedFacts) -> bytes:
    """ID3 for players, and XMP for what ID3 cannot express: languages, keywords, places."""
    texts = {"TIT2": facts.title, "TPE1": facts.author, "TCOP": facts.rights, "TDRC": facts.date}
    return id3.tag(texts, facts.caption, packet(facts))


def _into_mp4(data: bytes, facts: EmbeddedFacts) -> bytes:
    """Append a uuid box at the end, so no offset in the file changes."""
    at, content = 0, b""
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size < 8 or at + size > len(data):
            content += data[at:]
            break
        box = data[at : at + size]
        content += b"" if box[4:8] == b"uuid" and box[8:24] == XMP_UUID else box
        at += size
    body = b"uuid" + XMP_UUID + packet(facts)
    return content + (len(body) + 4).to_bytes(4, "big") + body
