"""What databoxes are made of, in the words of API v1 (contract 02 sections 5.11, 5.12, 6.10): pure functions."""

from collections.abc import Iterable
from typing import Any

from vitrine.accounts import CollectionGrant
from vitrine.api.v1.present import collection_grant, label4
from vitrine.library.model import CollectionId, Field, Recipe, StatusBit, Structure

NO_SOURCE = "Phraseanet:no-source"
GROUPS = ("image", "video", "audio", "document", "flash")
# Name on the wire, type, and the query that a facet of it adds, in the words of the original.
AGGREGABLE = (
    ("_base", "string", "Database", "database"),
    ("_collection", "string", "Collection", "collection"),
    ("_doctype", "string", "Document type", "type"),
    ("_mimetype", "string", "MIME type", "mime"),
)
TECHNICAL = {
    "Width": "integer", "Height": "integer", "ColorSpace": "string", "Channels": "integer", "Orientation": "integer",
    "ThumbnailOrientation": "string", "ColorDepth": "integer", "Duration": "float", "AudioCodec": "string",
    "AudioSamplerate": "float", "VideoCodec": "string", "FrameRate": "float", "MimeType": "string", "FileSize": "long",
    "Longitude": "float", "LongitudeRef": "string", "Latitude": "float", "LatitudeRef": "string",
    "FocalLength": "float", "CameraModel": "string", "FlashFired": "boolean", "Aperture": "float",
    "ShutterSpeed": "float", "HyperfocalDistance": "float", "ISO": "integer", "LightValue": "float",
}  # fmt: skip
ANALYZED = frozenset({"CameraModel"})


def status_definition(one: StatusBit) -> dict[str, Any]:
    """02 section 5.11. `labels` are those of the on state; there are no pictures of states."""
    return {
        "bit": one.bit,
        "label_on": one.label_on,
        "label_off": one.label_off,
        "labels": {name: one.labels_on.get(name) or one.label_on for name in ("en", "fr", "de", "nl")},
        "img_on": None,
        "img_off": None,
        "searchable": one.searchable,
        "printable": one.printable,
    }


def source_of(one: Field) -> str:
    return one.source or NO_SOURCE


def field_definition(one: Field) -> dict[str, Any]:
    """02 section 5.12."""
    namespace, _, tag = source_of(one).partition(":")
    return {
        "id": one.id,
        "namespace": namespace,
        "source": source_of(one),
        "tagname": tag,
        "name": one.name,
        "labels": label4(one.labels, one.name),
        "separator": (one.separator or ";") if one.multi else one.separator,
        "thesaurus_branch": one.thesaurus_branch,
        "generate_cterms": one.generate_cterms,
        "gui_editable": one.gui_editable,
        "gui_visible": one.gui_visible,
        "printable": one.printable,
        "input_disable": one.input_disable,
        "type": one.type,
        "indexable": one.indexable,
        "multivalue": one.multi,
        "readonly": one.readonly,
        "required": one.required,
    }


def meta_field(one: Field) -> dict[str, Any]:
    """An entry of `meta_fields` of /me/structures/ (02 section 6.10)."""
    return {
        "name": one.name,
        "id": one.id,
        "databox_id": one.databox_id,
        "multivalue": one.multi,
        "indexable": one.indexable,
        "readonly": one.readonly,
        "business": one.business,
        "source": source_of(one),
        "labels": label4(one.labels, one.name),
    }


def aggregable_fields(fields: Iterable[Field]) -> list[dict[str, Any]]:
    """What facets there can be: those of every record, then fields of databoxes, one entry a name."""
    made = [
        {"name": name, "type": kind, "label": label, "field": name, "esfield": name.strip("_"), "query": f"{query}:%s"}
        for name, kind, label, query in AGGREGABLE
    ]
    seen: set[str] = set()
    for one in fields:
        if one.aggregable and one.name not in seen:
            seen.add(one.name)
            wire = f"field.{one.name}"
            made.append(
                {
                    "name": one.name,
                    "type": one.type,
                    "label": one.labels.get("en") or one.name,
                    "field": wire,
                    "esfield": wire,
                    "query": f"{wire}:%s",
                }
            )
    return made


def technical_fields() -> list[dict[str, Any]]:
    return [
        {"name": name, "method": f"get{name}", "type": kind, "analyzable": name in ANALYZED}
        for name, kind in TECHNICAL.items()
    ]


def recipe(one: Recipe) -> dict[str, Any]:
    """One subdef of /me/subdefs/ (02 section 6.10). `preset` is a text or null (D)."""
    return {
        "name": one.name,
        "databox_id": one.databox_id,
        "class": one.klass,
        "preset": one.presets,
        "downloadable": one.downloadable,
        "devices": list(one.devices),
        "labels": label4(one.labels, one.name),
        "options": dict(one.options),
    }


def recipes(found: Iterable[Recipe]) -> dict[str, dict[str, Any]]:
    """By group and name; of the same name in several databoxes the last counts (02 section 6.10)."""
    made: dict[str, dict[str, Any]] = {name: {} for name in GROUPS}
    for one in found:
        made.setdefault(one.group, {})[one.name] = recipe(one)
    return {group: some for group, some in made.items() if some}


def my_collection(structure: Structure, grant: CollectionGrant) -> dict[str, Any]:
    """02 section 6.10, /me/collections/. There are no logos, so `logo` is always empty."""
    one = structure.collections[CollectionId(grant.base_id)]
    return {
        **collection_grant(structure, grant),
        "name": one.name,
        "logo": "",
        "labels": label4(one.labels, one.name, empty_falls_back=False),
    }
