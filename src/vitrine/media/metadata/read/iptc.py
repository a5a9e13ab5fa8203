"""IPTC-IIM datasets (IIM 4.2), with the coded character set of record 1."""

from vitrine.media.metadata.read.tags import Tags

UTF8_ESCAPE = b"\x1b%G"
_RECORD2 = {
    3: "ObjectTypeReference", 5: "ObjectName", 7: "EditStatus", 10: "Urgency", 12: "SubjectReference", 15: "Category",
    20: "SupplementalCategories", 22: "FixtureIdentifier", 25: "Keywords", 26: "ContentLocationCode",
    27: "ContentLocationName", 30: "ReleaseDate", 35: "ReleaseTime", 40: "SpecialInstructions", 55: "DateCreated",
    60: "TimeCreated", 62: "DigitalCreationDate", 63: "DigitalCreationTime", 65: "OriginatingProgram", 80: "By-line",
    85: "By-lineTitle", 90: "City", 92: "Sub-location", 95: "Province-State", 100: "Country-PrimaryLocationCode",
    101: "Country-PrimaryLocationName", 103: "OriginalTransmissionReference", 105: "Headline", 110: "Credit",
    115: "Source", 116: "CopyrightNotice", 118: "Contact", 120: "Caption-Abstract", 121: "LocalCaption",
    122: "Writer-Editor", 131: "ImageOrientation", 135: "LanguageIdentifier", 187: "UniqueDocumentID",
}  # fmt: skip
_DATES = frozenset({30, 55, 62})


def read(data: bytes, tags: Tags) -> None:
    """All datasets of record 2 as `IPTC:<name>`; repeatable ones keep every value."""
    is_utf8 = False
    for record, number, value in datasets(data):
        if (record, number) == (1, 90):
            is_utf8 = value == UTF8_ESCAPE
        elif record == 2 and number in _RECORD2:
            text = _text(value, is_utf8=is_utf8)
            if number in _DATES and len(text) == 8 and text.isdecimal():
                text = f"{text[:4]}:{text[4:6]}:{text[6:]}"
            tags.add(f"IPTC:{_RECORD2[number]}", text)


def datasets(data: bytes) -> list[tuple[int, int, bytes]]:
    """(record, number, value) in order; ends at the first byte that does not begin a dataset."""
    sets = []
    at = 0
    while at + 5 <= len(data) and data[at] == 0x1C:
        record, number, size = data[at + 1], data[at + 2], int.from_bytes(data[at + 3 : at + 5], "big")
        at += 5
        if size & 0x8000:  # extended: the low bits are the number of length bytes
            width = size & 0x7FFF
            size = int.from_bytes(data[at : at + width], "big")
            at += width
        sets.append((record, number, data[at : at + size]))
        at += size
    return sets


def _text(value: bytes, *, is_utf8: bool) -> str:
    if is_utf8:
        return value.decode("utf-8", "replace")
    try:  # many writers use UTF-8 without declaring it; valid UTF-8 is hardly ever anything else
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("cp1252", "replace")
