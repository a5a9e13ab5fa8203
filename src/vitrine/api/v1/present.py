"""Domain values in the form of API v1 (contract 02 section 5): pure functions, keys in the contract's order."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from datetime import datetime
from functools import partial
from secrets import token_bytes, token_hex
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from vitrine.accounts import Actor, CollectionGrant, User
from vitrine.accounts.rights import names
from vitrine.api.wire.dates import atom, atom_or_none
from vitrine.library import permalinks
from vitrine.library.model import (
    DOCUMENT,
    THUMBNAIL,
    Collection,
    Databox,
    Field,
    Labels,
    Record,
    RecordKey,
    Rendition,
    Structure,
    Value,
)
from vitrine.library.permalinks import Signer
from vitrine.library.records import Described, Shown

_PLAYERS = {
    "application/pdf": "PDF",
    "audio/mp3": "AUDIO_MP3",
    "audio/mpeg": "AUDIO_MP3",
    "image/gif": "IMAGE",
    "image/jpeg": "IMAGE",
    "image/png": "IMAGE",
    "video/mp4": "VIDEO_MP4",
    "video/x-flv": "VIDEO_FLV",
    "application/x-shockwave-flash": "FLEXPAPER",
}
_GENDERS = {0: "Miss", 1: "Mrs", 2: "Mr", None: "Miss"}


Place = tuple[str, ZoneInfo, str]


@dataclass(frozen=True, slots=True)
class Frame:
    """What presenters need besides the values: server, time, actor, and who signs addresses for how long."""

    base_url: str
    zone: ZoneInfo
    now: datetime
    actor: Actor
    structure: Structure
    instance_id: str
    shown_ttl: int
    signer: Signer
    base_signed: str
    place: Place = attribute(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "place", (self.base_url, self.zone, self.instance_id))

    def date(self, instant: datetime) -> str:
        return atom(instant, self.zone)


def label4(labels: Labels, name: str, *, empty_falls_back: bool = True) -> dict[str, str]:
    """Always four keys. Each falls back to the name when unset; for fields also when empty."""
    texts = {}
    for language in ("fr", "en", "de", "nl"):
        label = labels.get(language)
        texts[language] = name if label is None or (empty_falls_back and not label) else label
    return texts


def subdef(frame: Frame, record: Record, rendition: Rendition) -> dict[str, Any]:
    """02 section 5.3."""
    recipe = frame.structure.recipe(record.databox_id, record.group, rendition.name)
    devices = ["all"] if rendition.name == DOCUMENT else list(recipe.devices) if recipe else []
    return {
        "name": rendition.name,
        "permalink": permalink(frame, record.key, rendition),
        "height": rendition.height,
        "width": rendition.width,
        "filesize": rendition.size,
        "devices": devices,
        "player_type": _PLAYERS.get(rendition.mime, "UNKNOWN"),
        "mime_type": rendition.mime,
        "substituted": rendition.substituted,
        "created_on": frame.date(rendition.created),
        "updated_on": frame.date(rendition.updated),
        "url": frame.base_signed + frame.signer(record.key, rendition.name),
        "url_ttl": frame.shown_ttl,
    }


def permalink(frame: Frame, key: RecordKey, rendition: Rendition) -> dict[str, Any] | None:
    """02 section 5.4."""
    link = rendition.permalink
    if link is None:
        return None
    paths = permalinks.paths(key, rendition, link)
    return {
        "created_on": frame.date(link.created),
        "id": link.id,
        "is_activated": link.activated,
        "label": link.label,
        "updated_on": frame.date(link.updated),
        "page_url": frame.base_url + paths.page,
        "download_url": frame.base_url + paths.download,
        "url": frame.base_url + paths.file,
    }


def record(frame: Frame, shown: Shown) -> dict[str, Any]:
    """02 section 5.1."""
    record = shown.record
    return {
        "databox_id": record.databox_id,
        "record_id": record.number,
        "resource_id": f"{frame.instance_id}_{record.databox_id}_{record.number}",
        "mime_type": record.mime,
        "title": record.title,
        "original_name": record.original_name,
        "updated_on": frame.date(record.updated),
        "created_on": frame.date(record.created),
        "collection_id": frame.structure.collections[record.collection_id].number,
        "base_id": record.collection_id,
        "sha256": record.sha256,
        "thumbnail": subdef(frame, record, shown.thumbnail) if shown.thumbnail else None,
        # Stored as JSON in the wire's form, so it is sent unchanged.
        "technical_informations": msgspec.Raw(record.technical.encode()),
        "phrasea_type": record.kind,
        "uuid": record.uuid,
    }


# -- the same as JSON, from what was kept ------------------------------------------------------------------------------


class _Kept(NamedTuple):
    """What was made of a value for everybody, and for which structure and server. Only the signed address and its life
    differ from one person to the next: they go between the three parts; a value without a file is one part."""

    structure: Structure
    place: Place
    parts: tuple[bytes, ...]


_kept: dict[Shown | Rendition, _Kept] = {}
# What was made of the values and the status of a record: by the record, and by the values as they are.
_Told = tuple[Structure, bytes]
_told: dict[tuple[Shown, tuple[tuple[int, str], ...]], _Told] = {}
_MOST_KEPT = 20_000
_URL, _TTL = f"<{token_hex(12)}>", -int.from_bytes(token_bytes(6), "big") - 10**6
_CUT = re.compile(b'"%s"|%d' % (_URL.encode(), _TTL))


def record_json(frame: Frame, shown: Shown) -> bytes:
    """`record` as JSON: a page of search results is twenty-five of these."""
    kept = _kept.get(shown)
    if kept is None or kept.structure is not frame.structure or kept.place != frame.place:
        kept = _keep(frame, shown, lambda marked: record(marked, shown))
    return _filled(frame, kept, shown.record.key, THUMBNAIL)


def extended_json(frame: Frame, one: Described) -> bytes:
    """A record with `subdefs`, `metadata`, `status` and `caption` (02 section 5.1)."""
    key = one.shown.record.key
    subdefs = []
    for file in one.renditions:
        kept = _kept.get(file)
        if kept is None or kept.structure is not frame.structure or kept.place != frame.place:
            kept = _keep(frame, file, partial(subdef, record=one.shown.record, rendition=file))
        subdefs.append(_filled(frame, kept, key, file.name))
    return b'%s,"subdefs":[%s],%s' % (record_json(frame, one.shown)[:-1], b",".join(subdefs), _told_of(frame, one))


def _told_of(frame: Frame, one: Described) -> bytes:
    """`metadata`, `status` and `caption`, with the brace that ends the record."""
    key = (one.shown, tuple([(value.id, value.value) for _, value in one.values]))
    known = _told.get(key)
    if known is None or known[0] is not frame.structure:
        rest = {
            "metadata": metadata(one.values),
            "status": record_status(frame, one.shown.record),
            "caption": caption(one.values),
        }
        if len(_told) >= _MOST_KEPT:
            _told.clear()
        known = _told[key] = (frame.structure, msgspec.json.encode(rest)[1:])
    return known[1]


def _keep(frame: Frame, value: Shown | Rendition, make: Callable[[Frame], dict[str, Any]]) -> _Kept:
    if len(_kept) >= _MOST_KEPT:
        _kept.clear()
    # The marks are random, so no title can hold them; addresses and tokens of ours need no escaping in JSON.
    marked = replace(frame, signer=lambda _key, _name: _URL, base_signed="", shown_ttl=_TTL)
    parts = tuple(_CUT.split(msgspec.json.encode(make(marked))))
    made = _kept[value] = _Kept(frame.structure, frame.place, parts)
    return made


def _filled(frame: Frame, kept: _Kept, key: RecordKey, name: str) -> bytes:
    parts = kept.parts
    if len(parts) == 1:
        return parts[0]
    head, middle, tail = parts
    signed = f'"{frame.base_signed}{frame.signer(key, name)}"'
    return b"%s%s%s%d%s" % (head, signed.encode(), middle, frame.shown_ttl, tail)


def caption(values: Iterable[tuple[Field, Value]]) -> list[dict[str, Any]]:
    """02 section 5.5: one entry a field, values joined with ` ; `."""
    joined: dict[int, dict[str, Any]] = {}
    for field, value in values:
        known = joined.get(field.id)
        if known is None:
            joined[field.id] = {"meta_structure_id": field.id, "name": field.name, "value": value.value}
        else:
            known["value"] += f" ; {value.value}"
    return list(joined.values())


def metadata(values: Iterable[tuple[Field, Value]]) -> list[dict[str, Any]]:
    """02 section 5.6: one entry a value."""
    return [
        {
            "meta_structure_id": field.id,
            "name": field.name,
            "labels": label4(field.labels, field.name),
            "meta_id": value.id,
            "value": value.value,
        }
        for field, value in values
    ]


def record_status(frame: Frame, record: Record) -> list[dict[str, Any]]:
    """02 section 5.7."""
    bits = frame.structure.status_bits[record.databox_id]
    return [{"bit": bit.bit, "state": bool(record.status >> bit.bit & 1)} for bit in bits]


def databox(box: Databox) -> dict[str, Any]:
    """02 section 5.9."""
    return {
        "databox_id": box.id,
        "name": box.name,
        "viewname": box.view_name,
        "labels": label4(box.labels, box.view_name, empty_falls_back=False),
        "version": box.version,
    }


def collection(collection: Collection, records: int) -> dict[str, Any]:
    """02 section 5.10. There are no orders yet, hence no order managers."""
    return {
        "base_id": collection.id,
        "databox_id": collection.databox_id,
        "collection_id": collection.number,
        "name": collection.name,
        "labels": label4(collection.labels, collection.name, empty_falls_back=False),
        "record_amount": records,
        "order_managers": [],
    }


def user(user: User, zone: ZoneInfo) -> dict[str, Any]:
    """02 section 5.13, for the caller's own account: empty texts become null, an unset gender is `Miss`."""
    return {
        "@entity@": "http://api.phraseanet.com/api/objects/user",
        "id": user.id,
        "email": user.email or None,
        "login": user.login or None,
        "first_name": user.first_name or None,
        "last_name": user.last_name or None,
        "display_name": user.display_name or None,
        "gender": _GENDERS[user.gender],
        "address": user.address or None,
        "zip_code": user.zip_code or None,
        "city": user.city or None,
        "country": user.country or None,
        "phone": user.phone or None,
        "fax": user.fax or None,
        "job": user.job or None,
        "position": user.activity or None,
        "company": user.company or None,
        "geoname_id": user.geoname_id,
        "last_connection": atom_or_none(user.last_connection, zone),
        "created_on": atom(user.created, zone),
        "updated_on": atom(user.updated, zone),
        "locale": user.locale,
    }


def collection_grant(structure: Structure, grant: CollectionGrant) -> dict[str, Any]:
    """02 section 5.20: one entry for each bit that is configured or restricted."""
    bits = {bit.bit: bit for bit in structure.status_bits.get(structure.collections[grant.base_id].databox_id, ())}  # type: ignore[index]  # ids of the wire
    restricted = {bit for bit in range(32) if grant.mask_and >> bit & 1} if grant.mask_and else set()
    statuses = []
    for position in sorted(restricted | set(bits)):
        bit = bits.get(position)
        statuses.append(
            {
                "position": position,
                "labels": {
                    "on": dict(bit.labels_on) if bit else None,
                    "off": dict(bit.labels_off) if bit else None,
                },
                "restricted": position in restricted,
                "restriction_flag": bool(grant.mask_xor >> position & 1),
            }
        )
    return {
        "databox_id": grant.databox_id,
        "base_id": grant.base_id,
        "collection_id": structure.collections[grant.base_id].number,  # type: ignore[index]  # ids of the wire
        "rights": names(grant.rights) if grant.rights & 1 else [],
        "statuses": statuses,
    }
