"""Metadata of MP3 files: an ID3v2.4 tag."""

from vitrine.media.metadata.read import id3
from vitrine.media.metadata.write import xmp
from vitrine.media.metadata.write.model import EmbeddedFacts


def write(data: bytes, facts: EmbeddedFacts) -> bytes:
    """The file with a new tag: ID3 frames for players, and XMP for what ID3 cannot express (languages, keywords,
    places)."""
    texts = {"TIT2": facts.title, "TPE1": facts.author, "TCOP": facts.rights, "TDRC": facts.date}
    return _tag(texts, facts.caption, xmp.packet(facts)) + _without_tag(data)


def _tag(texts: dict[str, str], comment: str, packet: bytes) -> bytes:
    """An ID3v2.4 tag with text frames in UTF-8, a comment and an XMP packet."""
    frames = b"".join(_frame(name.encode(), b"\x03" + text.encode()) for name, text in texts.items() if text)
    frames += _frame(b"COMM", b"\x03eng\x00" + comment.encode()) + _frame(b"PRIV", id3.XMP_OWNER + packet)
    return b"ID3\x04\x00\x00" + _syncsafe(len(frames)) + frames


def _frame(name: bytes, body: bytes) -> bytes:
    return name + _syncsafe(len(body)) + b"\x00\x00" + body


def _syncsafe(size: int) -> bytes:
    return bytes((size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127))


def _without_tag(data: bytes) -> bytes:
    """The audio data without its ID3 tag."""
    return data[id3.HEADER + id3.syncsafe(data[6:10]) :] if data.startswith(b"ID3") else data
