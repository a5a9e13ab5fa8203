"""What a file says about its record: columns, UUID, field values and title (contract 06 sections 4 and 6)."""

import re
import uuid as uuids
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from vitrine.library.arrivals import Arrival, extension_of
from vitrine.library.model import Field, FieldId, RecordKey
from vitrine.media.probe import Probe

UUID_TAGS = ("XMP-exif:ImageUniqueID", "IPTC:UniqueDocumentID", "ExifIFD:ImageUniqueID", "XMP-xmpMM:DocumentID")
LONGEST_VALUE = 32_766  # bytes, the longest value the original indexes (06 section 6)
MOST_VALUES = 500
GivenValues = Mapping[FieldId, Sequence[str]]  # what is said of a file beside it
NO_VALUES: GivenValues = {}
_EXIF_DATE = re.compile(r"(\d{4}):(\d\d):(\d\d)(?:[ T](\d\d:\d\d:\d\d).*)?$")


def record_columns(arrival: Arrival) -> dict[str, Any]:
    """The columns of a record that come from its file."""
    return {
        "kind": arrival.probe.kind,
        "mime": arrival.probe.mime,
        "original_name": arrival.name,
        "sha256": arrival.sha256,
        "size": arrival.size,
        **technical_columns(arrival.probe),
    }


def technical_columns(probe: Probe) -> dict[str, Any]:
    """Those of them that depend on what the probe can read."""
    return {
        "technical": msgspec.json.encode(technical_list(probe)).decode(),
        "width": probe.display_width,
        "height": probe.display_height,
        "duration_ms": None if probe.duration_s is None else round(probe.duration_s * 1000),
    }


def original_columns(arrival: Arrival) -> dict[str, Any]:
    """The columns of the rendition `document`, the original itself."""
    return {
        "state": "ready",
        "sha256": arrival.sha256,
        "mime": arrival.probe.mime,
        "extension": extension_of(arrival.name),
        "width": arrival.probe.display_width or 0,
        "height": arrival.probe.display_height or 0,
        "size": arrival.size,
    }


def technical_list(probe: Probe) -> list[dict[str, Any]]:
    """The technical data in the wire's form (02 section 5.2): booleans as 0 and 1."""
    return [
        {"name": name, "value": int(value) if isinstance(value, bool) else value} for name, value in probe.technical
    ]


def embedded_uuid(metadata: Mapping[str, list[str]]) -> str | None:
    """The first valid UUID among the tags that can carry one (06 section 4), in canonical form."""
    for tag in UUID_TAGS:
        for value in metadata.get(tag, ()):
            try:
                return str(uuids.UUID(value.removeprefix("xmp.did:").removeprefix("uuid:").strip()))
            except ValueError:
                continue
    return None


def computed_sources(arrival: Arrival, key: RecordKey, added: datetime) -> dict[str, list[str]]:
    """The computed `Phraseanet:` sources (06 section 6) of a record that is added at the instant *added*."""
    probe = arrival.probe
    instant = added.strftime("%Y-%m-%d %H:%M:%S")
    facts: dict[str, object | None] = {
        "tf-filename": arrival.name,
        "tf-basename": arrival.name.rpartition(".")[0] or arrival.name,
        "tf-extension": extension_of(arrival.name),
        "tf-size": arrival.size,
        "tf-width": probe.display_width,
        "tf-height": probe.display_height,
        "tf-mimetype": probe.mime,
        "tf-duration": probe.duration_s,
        "tf-channels": dict(probe.technical).get("Channels"),
        "tf-bits": dict(probe.technical).get("ColorDepth"),
        "pdf-text": probe.text or None,
        "tf-recordid": key.number,
        "tf-archivedate": instant,
        "tf-editdate": instant,
    }
    return {f"Phraseanet:{name}": [str(value)] for name, value in facts.items() if value is not None}


def mapped_values(
    fields: tuple[Field, ...], metadata: Mapping[str, list[str]], computed: Mapping[str, list[str]]
) -> list[tuple[Field, list[str]]]:
    """The values of a new record: each field takes the first of its tags that has any."""
    mapped = []
    for field in fields:
        raw_values: list[str] = []
        for tag in (field.source, *field.fallbacks):
            raw_values = list(computed.get(tag, ())) or list(metadata.get(tag, ()))
            if raw_values:
                break
        values = normalise(field, raw_values)
        if values:
            mapped.append((field, values))
    return mapped


def sidecar_values(fields: tuple[Field, ...], sidecar: Mapping[str, list[str]]) -> dict[FieldId, list[str]]:
    """The values that a sidecar gives: each field takes the first of its tags that the sidecar has."""
    return {field.id: values for field, values in mapped_values(fields, sidecar, {})}


def replaced(
    fields: tuple[Field, ...], values: list[tuple[Field, list[str]]], given: GivenValues
) -> list[tuple[Field, list[str]]]:
    """*values* with those of *given* in place of what the file says of the same fields."""
    by_field = {field.id: texts for field, texts in values}
    by_field.update({field.id: normalise(field, list(given[field.id])) for field in fields if field.id in given})
    return [(field, by_field[field.id]) for field in fields if by_field.get(field.id)]


def normalise(field: Field, raw_values: list[str]) -> list[str]:
    """Values as a field stores them: trimmed, split at its separators, without duplicates, dates in ISO order."""
    if field.multi and field.separator:
        pattern = "[" + re.escape(field.separator + ";") + "]"
        raw_values = [part for value in raw_values for part in re.split(pattern, value)]
    seen: dict[str, None] = {}
    for value in raw_values:
        text = truncate(value.replace("\x00", "").strip())
        if field.type == "date":
            text = iso_date(text)
        if text:
            seen.setdefault(text)
    values = list(seen)[:MOST_VALUES]
    return values if field.multi else values[:1]


def truncate(text: str) -> str:
    """At most LONGEST_VALUE bytes of UTF-8, never half a character."""
    raw = text.encode()
    return text if len(raw) <= LONGEST_VALUE else raw[:LONGEST_VALUE].decode(errors="ignore")


def iso_date(text: str) -> str:
    """`2009:07:14 10:00:00` as EXIF and IPTC write it becomes `2009-07-14 10:00:00`; other forms stay."""
    matched = _EXIF_DATE.match(text)
    if matched is None:
        return text.replace("T", " ") if re.match(r"\d{4}-\d\d-\d\dT", text) else text
    day = f"{matched[1]}-{matched[2]}-{matched[3]}"
    return f"{day} {matched[4]}" if matched[4] else day
