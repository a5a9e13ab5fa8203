"""Records as JSON of API v4. Pure functions; the schema beside each says what its members are."""

from dataclasses import dataclass
from typing import Any

import msgspec

from vitrine.api.v4 import content
from vitrine.api.v4.content import moment, sparse
from vitrine.api.v4.schemas import (
    FLAG,
    MOMENT,
    NUMBER,
    PERHAPS_NUMBER,
    PERHAPS_TEXT,
    TEXT,
    Schema,
    full_object_of,
    list_of,
    named,
    sparse_object_of,
)
from vitrine.library.model import Record, Rendition, Structure
from vitrine.library.records import FullRecord, RecordWithThumbnail
from vitrine.library.sharing import permalinks
from vitrine.library.sharing.signed_addresses import Signer

_FILE = {
    "name": {"type": "string", "description": "document is the original; others as the databox names them"},
    "mime_type": TEXT, "width": NUMBER, "height": NUMBER, "size": NUMBER, "substituted": FLAG, "updated": MOMENT,
    "url": {"type": "string", "description": "opens the file without a token, for a while"},
    "permalink": {"type": ["string", "null"], "description": "its lasting address; null while it has none that opens"},
}  # fmt: skip
RECORD: dict[str, Schema] = {
    "databox_id": NUMBER, "record_id": NUMBER, "base_id": NUMBER,
    "type": {"enum": ["image", "video", "audio", "document", "flash", "unknown"]},
    "is_story": FLAG, "title": TEXT, "original_name": PERHAPS_TEXT, "mime_type": PERHAPS_TEXT, "size": PERHAPS_NUMBER,
    "sha256": PERHAPS_TEXT, "uuid": TEXT, "width": PERHAPS_NUMBER, "height": PERHAPS_NUMBER,
    "duration_ms": PERHAPS_NUMBER, "public_by_link": FLAG, "created": MOMENT, "updated": MOMENT,
    "status": {
        "type": "object", "additionalProperties": FLAG, "description": "the databox's status bits, by their number",
    },
    "metadata": {
        "type": "object", "additionalProperties": list_of(TEXT), "description": "the values of fields, by their name",
    },
    "thumbnail": {"anyOf": [named("File"), {"type": "null"}]},
    "renditions": {"type": "array", "items": named("File"), "description": "the files that you may have"},
    "technical": {"type": "array", "items": {"type": "object"}, "description": "what was measured: {name, value}"},
}  # fmt: skip
ALWAYS = ("databox_id", "record_id")
# What takes a statement of its own for each page, or is long: lists leave it out unless `fields` names it.
DEEP = frozenset({"metadata", "renditions"})
IN_LISTS = frozenset(RECORD) - DEEP - {"technical"}
COMPONENTS = {
    "File": full_object_of(**_FILE),
    "Record": sparse_object_of(*ALWAYS, **RECORD),
}


@dataclass(frozen=True, slots=True)
class Place:
    """What presenters need besides the values: the server's address, who signs addresses, and the structure."""

    base_url: str
    signer: Signer
    structure: Structure


def tag_of(record: Record) -> str:
    """Every change of a record's values, status or collection writes its `updated`."""
    return content.tag_of(record.updated, record.databox_id, record.number)


def record(
    place: Place, shown: RecordWithThumbnail, full: FullRecord | None, wanted: frozenset[str] | None
) -> dict[str, Any]:
    """*full* is needed for the members in DEEP."""
    known, thumbnail = shown.record, shown.thumbnail
    bits = place.structure.status_bits[known.databox_id]
    value: dict[str, Any] = {
        "databox_id": known.databox_id,
        "record_id": known.number,
        "base_id": known.collection_id,
        "type": known.kind,
        "is_story": known.is_story,
        "title": known.title,
        "original_name": known.original_name,
        "mime_type": known.mime,
        "size": known.size,
        "sha256": known.sha256,
        "uuid": known.uuid,
        "width": known.width,
        "height": known.height,
        "duration_ms": known.duration_ms,
        "public_by_link": known.public_by_link,
        "created": moment(known.created),
        "updated": moment(known.updated),
        "status": {str(bit.bit): bool(known.status >> bit.bit & 1) for bit in bits},
        "thumbnail": None if thumbnail is None else file(place, known, thumbnail),
        "technical": msgspec.Raw(known.technical.encode()),  # kept as JSON in these very words
    }
    if full is not None:
        metadata: dict[str, list[str]] = {}
        for field, held in full.values:
            metadata.setdefault(field.name, []).append(held.value)
        value |= {"metadata": metadata, "renditions": [file(place, known, one_file) for one_file in full.renditions]}
    return sparse(value, wanted, *ALWAYS)


def file(place: Place, record: Record, rendition: Rendition) -> dict[str, Any]:
    link = rendition.permalink
    opens = link is not None and link.activated
    return {
        "name": rendition.name,
        "mime_type": rendition.mime,
        "width": rendition.width,
        "height": rendition.height,
        "size": rendition.size,
        "substituted": rendition.substituted,
        "updated": moment(rendition.updated),
        "url": place.base_url + place.signer(record.key, rendition.name),
        "permalink": place.base_url + permalinks.paths(record.key, rendition, link).file if link and opens else None,
    }
