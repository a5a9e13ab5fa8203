"""The stamp of a collection: bars with a logo and texts, as a JSON definition (contract 04 section 5).

    {"blocks": [{"place": "BOTTOM", "align": "left", "background": "#ffffff", "colour": "#1d1e20", "logo": "<file>",
                 "lines": [["© Museum, ", {"field": "Title"}], [{"var": "RECORD_ID"}, " · ", {"var": "DATE"}]]}]}

`place` is TOP or BOTTOM (a bar that takes room from the picture), TOP-OVER or BOTTOM-OVER (a translucent bar over it).
DATE is the day on which the stamped copy was made.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from vitrine.errors import Invalid
from vitrine.library.model import Field, Record, Value
from vitrine.platform.texts import of_one_line

LONGEST_LINE = 300
Colour = Annotated[str, Meta(pattern="^#[0-9a-fA-F]{6}$")]


class Part(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A part filled in for each record: a field's value, the record's number, or the day."""

    field: str | None = None
    var: Literal["DATE", "RECORD_ID"] | None = None


class Block(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    place: Literal["TOP", "TOP-OVER", "BOTTOM-OVER", "BOTTOM"]
    align: Literal["left", "centre", "right"] = "left"
    background: Colour = "#ffffff"
    colour: Colour = "#1d1e20"
    logo: str | None = None
    lines: Annotated[list[list[str | Part]], Meta(max_length=6)] = []


class Stamp(msgspec.Struct, forbid_unknown_fields=True):
    blocks: Annotated[list[Block], Meta(min_length=1, max_length=8)]


def parse(definition: object, fields: Iterable[Field]) -> Stamp:
    """Check a definition. Raises Invalid, naming the faulty place. Business fields may not be used."""
    try:
        stamp = msgspec.convert(definition, Stamp)
    except msgspec.ValidationError as fault:
        raise Invalid(f"This stamp cannot be used: {fault}.", field="stamp") from fault
    public = {field.name for field in fields if not field.business}
    for number, block in enumerate(stamp.blocks):
        if not block.logo and not block.lines:
            raise Invalid(f"Block {number} of the stamp is empty: give it a logo or lines.", field="stamp")
        for part in (part for line in block.lines for part in line if isinstance(part, Part)):
            if (part.field is None) == (part.var is None):
                raise Invalid(f"Block {number} of the stamp: a part is either a field or a var.", field="stamp")
            if part.field is not None and part.field not in public:
                raise Invalid(f"Block {number} of the stamp: there is no public field {part.field}.", field="stamp")
    return stamp


def resolve(
    definition: Mapping[str, Any], record: Record, values: Iterable[tuple[Field, Value]], today: datetime | None
) -> list[dict[str, Any]]:
    """The blocks with the texts of *record*. Without *today* DATE stays a word, so that one copy serves all days."""
    by_name: dict[str, list[str]] = {}
    for field, value in values:
        by_name.setdefault(field.name, []).append(value.value)
    blocks = []
    for block in msgspec.convert(definition, Stamp).blocks:
        lines = ["".join(_text(part, record, by_name, today) for part in line)[:LONGEST_LINE] for line in block.lines]
        blocks.append({
            "place": block.place, "align": block.align, "background": block.background, "colour": block.colour,
            "logo": block.logo, "lines": lines,
        })  # fmt: skip
    return blocks


def _text(part: str | Part, record: Record, by_name: Mapping[str, list[str]], today: datetime | None) -> str:
    if isinstance(part, str):
        text = part
    elif part.var == "RECORD_ID":
        text = str(record.number)
    elif part.var == "DATE":
        text = today.strftime("%Y-%m-%d") if today else "DATE"
    else:
        text = " ; ".join(by_name.get(part.field or "", ()))
    return of_one_line(text.replace("\n", " "))
