"""SQL of databoxes, collections, fields, status bits and recipes, and the snapshot of all of them."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from vitrine.library.model import (
    Collection,
    CollectionId,
    Databox,
    DataboxId,
    Field,
    FieldId,
    Recipe,
    RecordId,
    StatusBit,
    Structure,
)
from vitrine.library.tables import (
    collections,
    databoxes,
    field_values,
    fields,
    recipes,
    records,
    renditions,
    status_bits,
)
from vitrine.library.tables import suggested_values as suggestions
from vitrine.platform.database import UnitOfWork, inserted_id
from vitrine.platform.prepared import one_row
from vitrine.platform.tables import stamps

STAMP = "structure"


def version(work: UnitOfWork) -> int:
    """The version stamp of the structure; 0 when none was set. A direct driver call, since every API request needs
    it."""
    if work.driver is not None:
        row = one_row(work, work.driver, "SELECT value FROM stamps WHERE name = 'structure'", ())
        return int(row[0]) if row else 0
    return int(work.db.scalar(sa.select(stamps.c.value).where(stamps.c.name == STAMP)) or 0)


def increase_version(work: UnitOfWork) -> None:
    """Make every process read the structure again."""
    if work.db.execute(stamps.update().where(stamps.c.name == STAMP).values(value=stamps.c.value + 1)).rowcount == 0:
        work.db.execute(stamps.insert().values(name=STAMP, value=1))


def snapshot(work: UnitOfWork) -> Structure:
    boxes = {
        row.id: Databox(*(getattr(row, name) for name in Databox.__dataclass_fields__))
        for row in work.db.execute(sa.select(databoxes).order_by(databoxes.c.position, databoxes.c.id))
    }
    bases = {
        row.id: Collection(*(getattr(row, name) for name in Collection.__dataclass_fields__))
        for row in work.db.execute(sa.select(collections).order_by(collections.c.position, collections.c.id))
    }
    by_box: dict[DataboxId, list[Field]] = {box: [] for box in boxes}
    kept = sa.select(fields).where(~fields.c.removed).order_by(fields.c.position, fields.c.id)
    for row in work.db.execute(kept):
        values = {name: getattr(row, name) for name in Field.__dataclass_fields__}
        by_box[row.databox_id].append(Field(**{**values, "fallbacks": tuple(row.fallbacks)}))
    bits: dict[DataboxId, list[StatusBit]] = {box: [] for box in boxes}
    for row in work.db.execute(sa.select(status_bits).order_by(status_bits.c.bit)):
        bits[row.databox_id].append(StatusBit(*(getattr(row, name) for name in StatusBit.__dataclass_fields__)))
    recipe_by_key: dict[tuple[DataboxId, str, str], Recipe] = {}
    for row in work.db.execute(sa.select(recipes).order_by(recipes.c.position, recipes.c.id)):
        values = {name: getattr(row, name) for name in Recipe.__dataclass_fields__}
        recipe_by_key[(row.databox_id, row.group, row.name)] = Recipe(**{**values, "devices": tuple(row.devices)})
    return Structure(
        version=version(work),
        databoxes=MappingProxyType(boxes),
        collections=MappingProxyType(bases),
        fields=MappingProxyType({box: tuple(box_fields) for box, box_fields in by_box.items()}),
        status_bits=MappingProxyType({box: tuple(box_bits) for box, box_bits in bits.items()}),
        recipes=MappingProxyType(recipe_by_key),
        field_by_id=MappingProxyType({field.id: field for box_fields in by_box.values() for field in box_fields}),
        field_order=MappingProxyType(
            {field.id: place for box_fields in by_box.values() for place, field in enumerate(box_fields)}
        ),
    )


def add_databox(work: UnitOfWork, values: Mapping[str, Any]) -> DataboxId:
    return DataboxId(inserted_id(work.db.execute(databoxes.insert().values(created=work.now, **values))))


def add_collection(work: UnitOfWork, databox: DataboxId, values: Mapping[str, Any]) -> CollectionId:
    number = work.db.scalar(
        databoxes.update()
        .where(databoxes.c.id == databox)
        .values(next_collection=databoxes.c.next_collection + 1)
        .returning(databoxes.c.next_collection)
    )
    assert number is not None
    row = collections.insert().values(databox_id=databox, number=int(number) - 1, created=work.now, **values)
    return CollectionId(inserted_id(work.db.execute(row)))


def update_databox(work: UnitOfWork, databox: DataboxId, values: Mapping[str, Any]) -> None:
    _update(work, databoxes, databoxes.c.id == databox, values)


def update_collection(work: UnitOfWork, base: CollectionId, values: Mapping[str, Any]) -> None:
    if values:
        _update(work, collections, collections.c.id == base, values)


def delete_collection(work: UnitOfWork, base: CollectionId) -> None:
    """Its rights, counts and suggested values go by cascade."""
    work.db.execute(collections.delete().where(collections.c.id == base))


def _update(work: UnitOfWork, table: sa.Table, which: sa.ColumnElement[bool], values: Mapping[str, Any]) -> None:
    """Every change increases the revision, by which two editors notice each other."""
    work.db.execute(table.update().where(which).values(revision=table.c.revision + 1, **values))


def set_positions(work: UnitOfWork, table: sa.Table, ids: Sequence[int]) -> None:
    """Number rows in the order of *ids*, from 0."""
    for place, row_id in enumerate(ids):
        work.db.execute(table.update().where(table.c.id == row_id).values(position=place))


def pictures(work: UnitOfWork) -> set[str]:
    """Digests of the pictures that the structure uses: watermarks, stamps, logos and icons."""
    used = _overlay_pictures(work)
    for column in (databoxes.c.logo, collections.c.logo, status_bits.c.icon_on, status_bits.c.icon_off):
        used.update(picture["sha256"] for picture in work.db.scalars(sa.select(column).where(column.is_not(None))))
    return used


def _overlay_pictures(work: UnitOfWork) -> set[str]:
    """Digests of the pictures used by the watermarks and stamps of all collections."""
    pictures: set[str] = set()
    for watermark, stamp in work.db.execute(sa.select(collections.c.watermark, collections.c.stamp)):
        pictures.update(
            picture
            for picture in (watermark, *(block.get("logo") for block in (stamp or {}).get("blocks", ())))
            if picture
        )
    return pictures


def add_field(work: UnitOfWork, databox: DataboxId, values: Mapping[str, Any]) -> FieldId:
    return FieldId(inserted_id(work.db.execute(fields.insert().values(databox_id=databox, **values))))


def update_field(work: UnitOfWork, field: FieldId, values: Mapping[str, Any]) -> None:
    _update(work, fields, fields.c.id == field, values)


def remove_field(work: UnitOfWork, field: FieldId) -> None:
    """The field is gone for everybody; its name is free, its values stay for a job that deletes them. No field can be
    called as this one is then."""
    update_field(work, field, {"removed": True, "name": f"-{field}", "dces_element": None})


def record_with_two_values(work: UnitOfWork, field: FieldId, after: int = 0) -> tuple[DataboxId, int] | None:
    """(databox, number) of some record that holds several values of *field*, one of them with an id above *after*."""
    other = field_values.alias()
    twin = sa.exists().where(
        other.c.record_id == field_values.c.record_id, other.c.field_id == field, other.c.id != field_values.c.id
    )
    row = work.db.execute(
        sa.select(records.c.databox_id, records.c.number)
        .select_from(field_values.join(records, records.c.id == field_values.c.record_id))
        .where(field_values.c.field_id == field, field_values.c.id > after, twin)
        .limit(1)
    ).first()
    return (DataboxId(row[0]), int(row[1])) if row else None


def last_value(work: UnitOfWork) -> int:
    """The highest id of a value."""
    return int(work.db.scalar(sa.select(sa.func.max(field_values.c.id))) or 0)


def count_fields(work: UnitOfWork, databox: DataboxId) -> int:
    return int(work.db.scalar(sa.select(sa.func.count()).where(fields.c.databox_id == databox)) or 0)


def add_recipe(work: UnitOfWork, databox: DataboxId, values: Mapping[str, Any]) -> None:
    work.db.execute(recipes.insert().values(databox_id=databox, **values))


def add_status_bit(work: UnitOfWork, databox: DataboxId, values: Mapping[str, Any]) -> None:
    work.db.execute(status_bits.insert().values(databox_id=databox, **values))


def update_status_bit(work: UnitOfWork, databox: DataboxId, bit: int, values: Mapping[str, Any]) -> None:
    which = sa.and_(status_bits.c.databox_id == databox, status_bits.c.bit == bit)
    _update(work, status_bits, which, values)


def delete_status_bit(work: UnitOfWork, databox: DataboxId, bit: int) -> None:
    work.db.execute(status_bits.delete().where(status_bits.c.databox_id == databox, status_bits.c.bit == bit))


def _is_recipe(databox: DataboxId, group: str, name: str) -> sa.ColumnElement[bool]:
    return sa.and_(recipes.c.databox_id == databox, recipes.c.group == group, recipes.c.name == name)


def update_recipe(work: UnitOfWork, databox: DataboxId, group: str, name: str, values: Mapping[str, Any]) -> None:
    _update(work, recipes, _is_recipe(databox, group, name), values)


def delete_recipe(work: UnitOfWork, databox: DataboxId, group: str, name: str) -> None:
    work.db.execute(recipes.delete().where(_is_recipe(databox, group, name)))


def order_recipes(work: UnitOfWork, databox: DataboxId, group: str, names: Sequence[str]) -> None:
    for place, name in enumerate(names):
        work.db.execute(recipes.update().where(_is_recipe(databox, group, name)).values(position=place))


def delete_renditions(work: UnitOfWork, ids: Sequence[RecordId], group: str, name: str) -> int:
    """Delete the renditions called *name* of those of *ids* to which the recipes of *group* apply."""
    is_of_group = sa.case((records.c.is_story, "image"), else_=records.c.kind) == group
    some = sa.select(records.c.id).where(records.c.id.in_(list(ids)), is_of_group)
    return work.db.execute(
        renditions.delete().where(renditions.c.name == name, renditions.c.record_id.in_(some))
    ).rowcount


# -- suggested values ----------------------------------------------------------------------------------------------


def suggested_values(work: UnitOfWork, base: CollectionId) -> dict[FieldId, list[str]]:
    rows = work.db.execute(
        sa.select(suggestions.c.field_id, suggestions.c["values"]).where(suggestions.c.collection_id == base)
    )
    return {FieldId(row[0]): list(row[1]) for row in rows}


def set_suggested_values(work: UnitOfWork, base: CollectionId, field: FieldId, values: Sequence[str]) -> None:
    """Replace those of one field; an empty list forgets them."""
    own = sa.and_(suggestions.c.collection_id == base, suggestions.c.field_id == field)
    work.db.execute(suggestions.delete().where(own))
    if values:
        row = {"collection_id": base, "field_id": field, "values": list(values)}
        work.db.execute(suggestions.insert().values(row))
