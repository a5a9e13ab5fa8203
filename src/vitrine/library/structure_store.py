"""SQL of databoxes, collections, fields, status bits and recipes, and the snapshot of all of them."""

from collections.abc import Mapping
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
    StatusBit,
    Structure,
)
from vitrine.library.tables import collections, databoxes, fields, recipes, status_bits
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


def update_collection(work: UnitOfWork, base: CollectionId, values: Mapping[str, Any]) -> None:
    if values:
        work.db.execute(collections.update().where(collections.c.id == base).values(**values))


def overlay_pictures(work: UnitOfWork) -> set[str]:
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


def add_recipe(work: UnitOfWork, databox: DataboxId, values: Mapping[str, Any]) -> None:
    work.db.execute(recipes.insert().values(databox_id=databox, **values))


def add_status_bit(work: UnitOfWork, databox: DataboxId, values: Mapping[str, Any]) -> None:
    work.db.execute(status_bits.insert().values(databox_id=databox, **values))
