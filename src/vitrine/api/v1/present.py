"""Domain values in the form of API v1 (contract 02 section 5): pure functions, keys in the contract's order."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from vitrine.accounts import Actor, CollectionGrant, User
from vitrine.accounts.model import ADMINISTRATION
from vitrine.accounts.rights import names
from vitrine.api.wire.dates import atom, atom_or_none
from vitrine.library.model import (
    DOCUMENT,
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
from vitrine.library.sharing import permalinks
from vitrine.library.sharing.signed_addresses import Signer

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
    writable: bool  # the values come from a writing transaction: nothing made of them is kept
    place: Place  # base_url, zone and instance_id together
    knows: Callable[[User], bool]  # whether the actor manages this person's account

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
    return {
        **subdef_without_url(frame, record, rendition),
        "url": frame.base_url + frame.signer(record.key, rendition.name),
        "url_ttl": frame.shown_ttl,
    }


def subdef_without_url(frame: Frame, record: Record, rendition: Rendition) -> dict[str, Any]:
    """The keys of `subdef` that are equal for everybody; the two that follow are not."""
    recipe = frame.structure.recipe(record.databox_id, record.group, rendition.name)
    devices = [] if record.is_story or recipe is None else list(recipe.devices)
    if rendition.name == DOCUMENT:
        devices = ["all"]
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


def record_before_thumbnail(frame: Frame, record: Record) -> dict[str, Any]:
    """02 section 5.1, the keys before `thumbnail`."""
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
    }


def record_after_thumbnail(record: Record) -> dict[str, Any]:
    """02 section 5.1, the keys after `thumbnail`."""
    return {
        # Kept as JSON in the record's row in these very words: it goes out as it is.
        "technical_informations": msgspec.Raw(record.technical.encode()),
        "phrasea_type": record.kind,
        "uuid": record.uuid,
    }


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


def person(frame: Frame, someone: User) -> dict[str, Any]:
    """02 section 5.13 D: a person inside other objects. All of it to themselves and to those who administer users;
    others get `id` and `display_name`, which is never an e-mail address, and null for the rest. A token with scopes
    needs the scope that a profile needs elsewhere."""
    if _sees_profile(frame, someone):
        return user(someone, frame.zone)
    known = {"@entity@": "http://api.phraseanet.com/api/objects/user", "id": someone.id}
    return {**dict.fromkeys(user(someone, frame.zone)), **known, "display_name": public_name(someone)}


def _sees_profile(frame: Frame, someone: User) -> bool:
    actor = frame.actor
    if someone.id == actor.user_id:
        return actor.scope is None or "account:read" in actor.scope
    return actor.administers or ((actor.scope is None or ADMINISTRATION in actor.scope) and frame.knows(someone))


def public_name(someone: User) -> str:
    """First and last name, else the login."""
    return someone.public_name


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
                    "on": label4(bit.labels_on, bit.label_on) if bit else None,
                    "off": label4(bit.labels_off, bit.label_off) if bit else None,
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
