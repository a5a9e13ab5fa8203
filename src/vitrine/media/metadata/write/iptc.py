"""IPTC datasets (IIM 4.2), as JPEG files carry them."""

from vitrine.errors import Invalid
from vitrine.media.metadata.write.model import EmbeddedFacts

LONGEST_DATASET = 32_767  # bytes; the next bit of the length marks an extended dataset, which few programs read

_IIM = (
    ("title", 5),
    ("author", 80),
    ("city", 90),
    ("country", 101),
    ("credit", 110),
    ("rights", 116),
    ("caption", 120),
)


def photoshop_resource(facts: EmbeddedFacts) -> bytes:
    """The datasets of *facts*, in the resource in which Photoshop keeps them. Raises Invalid for a longer value."""
    data = _datasets(facts)
    return b"8BIM\x04\x04\x00\x00" + len(data).to_bytes(4, "big") + data + b"\x00" * (len(data) % 2)


def _datasets(facts: EmbeddedFacts) -> bytes:
    def dataset(record: int, number: int, value: bytes) -> bytes:
        if len(value) > LONGEST_DATASET:
            raise Invalid("There is too much metadata for a JPEG file.", field="file")
        return bytes((0x1C, record, number)) + len(value).to_bytes(2, "big") + value

    out = dataset(1, 90, b"\x1b%G") + dataset(2, 0, b"\x00\x04")
    for name, number in _IIM:
        text = getattr(facts, name)
        out += dataset(2, number, text.encode()) if text else b""
    for word in facts.keywords:
        out += dataset(2, 25, word.encode())
    return out + (dataset(2, 55, facts.date.replace("-", "").encode()) if facts.date else b"")
