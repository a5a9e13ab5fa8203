"""EXIF: a small TIFF reader (TIFF 6.0, Exif 3.0) for IFD0, the Exif IFD and the GPS IFD."""

import math
import mmap
import struct
from collections.abc import Iterator

from vitrine.media.metadata.read.tags import Tags

EXIF_IFD, GPS_IFD = 0x8769, 0x8825
MOST_ENTRIES = 500
MOST_COUNT = 100_000
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_CODES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d"}
_IFD0 = {
    0x010E: "ImageDescription", 0x010F: "Make", 0x0110: "Model", 0x0112: "Orientation", 0x0131: "Software",
    0x0132: "ModifyDate", 0x013B: "Artist", 0x8298: "Copyright",
}  # fmt: skip
_EXIF = {
    0x829A: "ExposureTime", 0x829D: "FNumber", 0x8827: "ISO", 0x9003: "DateTimeOriginal", 0x9004: "CreateDate",
    0x9201: "ShutterSpeedValue", 0x9202: "ApertureValue", 0x9209: "Flash", 0x920A: "FocalLength",
    0x9286: "UserComment", 0xA001: "ColorSpace", 0xA405: "FocalLengthIn35mmFormat", 0xA420: "ImageUniqueID",
    0xA434: "LensModel",
}  # fmt: skip
_GPS = {1: "GPSLatitudeRef", 2: "GPSLatitude", 3: "GPSLongitudeRef", 4: "GPSLongitude", 6: "GPSAltitude"}
Number = int | float
Value = str | tuple[Number, ...]


def read(data: bytes | mmap.mmap, tags: Tags) -> None:
    """Tags as `IFD0:…`, `ExifIFD:…` and `GPS:…`; positions are in decimal degrees with a sign.

    Raises ValueError if *data* is not a TIFF structure.
    """
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or len(data) < 8:
        raise ValueError("no byte order")
    links: dict[int, int] = {}
    first = struct.unpack_from(order + "I", data, 4)[0]
    for number, value in _entries(data, order, first):
        if number in (EXIF_IFD, GPS_IFD) and isinstance(value, tuple) and value:
            links[number] = int(value[0])
        elif number in _IFD0:
            _put(tags, f"IFD0:{_IFD0[number]}", value)
    if EXIF_IFD in links:
        for number, value in _entries(data, order, links[EXIF_IFD]):
            if number in _EXIF:
                _put(tags, f"ExifIFD:{_EXIF[number]}", value)
    if GPS_IFD in links:
        _position(dict(_entries(data, order, links[GPS_IFD])), tags)


def _entries(data: bytes | mmap.mmap, order: str, at: int) -> Iterator[tuple[int, Value]]:
    if at + 2 > len(data):
        return
    count = struct.unpack_from(order + "H", data, at)[0]
    for index in range(min(count, MOST_ENTRIES)):
        start = at + 2 + index * 12
        if start + 12 > len(data):
            return
        number, kind, count_of_values = struct.unpack_from(order + "HHI", data, start)
        size = _SIZES.get(kind, 0) * count_of_values
        if not size or count_of_values > MOST_COUNT:
            continue
        offset = start + 8 if size <= 4 else struct.unpack_from(order + "I", data, start + 8)[0]
        raw = data[offset : offset + size]
        if len(raw) == size:
            yield number, _value(raw, kind, count_of_values, order)


def _value(raw: bytes, kind: int, count: int, order: str) -> Value:
    if kind in (2, 7):
        return _text(raw)
    if kind in (5, 10):
        code = "I" if kind == 5 else "i"
        flat = struct.unpack(f"{order}{count * 2}{code}", raw)
        return tuple(flat[i] / flat[i + 1] if flat[i + 1] else math.nan for i in range(0, len(flat), 2))
    return struct.unpack(f"{order}{count}{_CODES[kind]}", raw)


def _text(raw: bytes) -> str:
    for prefix, coding in ((b"ASCII\x00\x00\x00", "ascii"), (b"UNICODE\x00", "utf-16"), (b"\x00" * 8, "utf-8")):
        if raw.startswith(prefix):
            raw = raw[8:]
            return raw.decode(coding, "replace").strip("\x00 ")
    raw = raw.split(b"\x00")[0]
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _put(tags: Tags, tag: str, value: Value) -> None:
    if isinstance(value, str):
        tags.put(tag, [value])
    elif value and not math.isnan(value[0]):
        tags.put(tag, [_number(value[0])])


def _number(value: Number) -> str:
    return str(value) if isinstance(value, int) else f"{value:.10g}"


def _position(entries: dict[int, Value], tags: Tags) -> None:
    for number, ref, negative in ((2, 1, "S"), (4, 3, "W")):
        parts, side = entries.get(number), entries.get(ref)
        if not isinstance(parts, tuple) or len(parts) != 3 or any(math.isnan(part) for part in parts):
            continue
        degrees = parts[0] + parts[1] / 60 + parts[2] / 3600
        direction = side.strip().upper()[:1] if isinstance(side, str) else ""
        tags.put(
            f"GPS:{_GPS[number]}", [f"{-degrees if direction == negative else degrees:.8f}".rstrip("0").rstrip(".")]
        )
        if direction:
            tags.put(f"GPS:{_GPS[ref]}", [direction])
