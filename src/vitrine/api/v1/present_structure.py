"""The structure of databoxes in the form of API v1 (contract 02 sections 5.11, 5.12, 6.10): pure functions."""

from collections.abc import Iterable
from typing import Any

from vitrine.accounts import CollectionGrant
from vitrine.api.v1.present import collection_grant, label4
from vitrine.library import technical
from vitrine.library.model import CollectionId, Field, Recipe, StatusBit, Structure

NO_SOURCE = "Phraseanet:no-source"
GROUPS = ("image", "video", "audio", "document", "flash")
# Name on the wire, type, label, and the query that a facet of it adds, in the original's terms.
AGGREGABLE = (
    ("_base", "string", "Database", "database"),
    ("_collection", "string", "Collection", "collection"),
    ("_doctype", "string", "Document type", "type"),
    ("_mimetype", "string", "MIME type", "mime"),
)
ANALYZED = frozenset({"CameraModel"})


def status_definition(bit: StatusBit) -> dict[str, Any]:
    """02 section 5.11. `labels` are those of the on state."""
    return {
        "bit": bit.bit,
        "label_on": bit.label_on,
        "label_off": bit.label_off,
        "labels": {name: bit.labels_on.get(name) or bit.label_on for name in ("en", "fr", "de", "nl")},
        "img_on": icon_path(bit, on=True),
        "img_off": icon_path(bit, on=False),
        "searchable": bit.searchable,
        "printable": bit.printable,
    }


def icon_path(bit: StatusBit, *, on: bool) -> str | None:
    """The path of the picture of one state, in the form of the original."""
    icon = bit.icon_on if on else bit.icon_off
    if icon is None:
        return None
    extension = icon["mime"].rpartition("/")[2]
    return f"/custom/status/{icon['sha256'][:32]}-stat_{bit.bit}_{int(on)}.{extension}?etag={icon['sha256'][32:]}"


def source_of(field: Field) -> str:
    return field.source or NO_SOURCE


def field_definition(field: Field) -> dict[str, Any]:
    """02 section 5.12."""
    namespace, _, tag = source_of(field).partition(":")
    return {
        "id": field.id,
        "namespace": namespace,
        "source": source_of(field),
        "tagname": tag,
        "name": field.name,
        "labels": label4(field.labels, field.name),
        "separator": (field.separator or ";") if field.multi else field.separator,
        "thesaurus_branch": field.thesaurus_branch,
        "generate_cterms": field.generate_cterms,
        "gui_editable": field.gui_editable,
        "gui_visible": field.gui_visible,
        "printable": field.printable,
        "input_disable": field.input_disable,
        "type": field.type,
        "indexable": field.indexable,
        "multivalue": field.multi,
        "readonly": field.readonly,
        "required": field.required,
    }


def meta_field(field: Field) -> dict[str, Any]:
    """An entry of `meta_fields` of /me/structures/ (02 section 6.10)."""
    return {
        "name": field.name,
        "id": field.id,
        "databox_id": field.databox_id,
        "multivalue": field.multi,
        "indexable": field.indexable,
        "readonly": field.readonly,
        "business": field.business,
        "source": source_of(field),
        "labels": label4(field.labels, field.name),
    }


def aggregable_fields(fields: Iterable[Field]) -> list[dict[str, Any]]:
    """The possible facets: those of every record, then the fields of databoxes, one entry per name."""
    facets = [
        {"name": name, "type": kind, "label": label, "field": name, "esfield": name.strip("_"), "query": f"{query}:%s"}
        for name, kind, label, query in AGGREGABLE
    ]
    seen: set[str] = set()
    for field in fields:
        if field.aggregable and field.name not in seen:
            seen.add(field.name)
            wire = f"field.{field.name}"
            facets.append(
                {
                    "name": field.name,
                    "type": field.type,
                    "label": field.labels.get("en") or field.name,
                    "field": wire,
                    "esfield": wire,
                    "query": f"{wire}:%s",
                }
            )
    return facets


def technical_fields() -> list[dict[str, Any]]:
    return [
        {"name": name, "method": f"get{name}", "type": kind, "analyzable": name in ANALYZED}
        for name, kind in technical.TYPES.items()
    ]


def recipe(recipe: Recipe) -> dict[str, Any]:
    """One subdef of /me/subdefs/ (02 section 6.10). `preset` is a text or null (D)."""
    return {
        "name": recipe.name,
        "databox_id": recipe.databox_id,
        "class": recipe.klass,
        "preset": recipe.presets,
        "downloadable": recipe.downloadable,
        "devices": list(recipe.devices),
        "labels": label4(recipe.labels, recipe.name),
        "options": dict(recipe.options),
    }


def recipes(all_recipes: Iterable[Recipe]) -> dict[str, dict[str, Any]]:
    """By group and name; if several databoxes share a name, the last one counts (02 section 6.10)."""
    by_group: dict[str, dict[str, Any]] = {name: {} for name in GROUPS}
    for entry in all_recipes:
        by_group.setdefault(entry.group, {})[entry.name] = recipe(entry)
    return {group: by_name for group, by_name in by_group.items() if by_name}


def my_collection(structure: Structure, grant: CollectionGrant, logo: str) -> dict[str, Any]:
    """02 section 6.10, /me/collections/. *logo* is its picture in base64, or empty."""
    collection = structure.collections[CollectionId(grant.base_id)]
    return {
        **collection_grant(structure, grant),
        "name": collection.name,
        "logo": logo,
        "labels": label4(collection.labels, collection.name, empty_falls_back=False),
    }
