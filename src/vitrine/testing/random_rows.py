"""Random rows in every table that an export has, with every kind of value that a column may hold."""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Literal, get_args, get_origin

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from vitrine.operations.export.kinds import KINDS
from vitrine.operations.export.lines import SHAPES, Digest, Labels, Names, Picture, Stamp
from vitrine.platform.crypto import Vault
from vitrine.platform.database import UnitOfWork
from vitrine.platform.schema import EPOCH, Instant, Json
from vitrine.schema import metadata

_TEXTS = (
    "",
    "a",
    "Hafen",
    "l'été à la mer",
    'quoted "text"',
    "line\nbreak\ttab",
    "山田",
    "🏛️",
    "\\u0000 as text",
    "</p>",
)
_WIDE = (0, 1, -1, 2**31, -(2**63), 2**63 - 1)
_CENTURY_US = 100 * 365 * 24 * 3600 * 10**6


@dataclass(slots=True)
class RandomRows:
    """*files*: digests of files that the store has."""

    work: UnitOfWork
    vault: Vault
    files: Sequence[str]
    seed: int
    _keys: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    _makers: list[int] = field(default_factory=list)
    _number: int = 1000
    _random: random.Random = field(default_factory=random.Random)

    def fill(self, each: int) -> None:
        """About so many rows in each table; fewer where its constraints allow no more."""
        self._random.seed(self.seed)
        tables = {kind.table_name for kind in KINDS}
        for table in metadata.sorted_tables:
            if table.name in tables:
                for _ in range(each):
                    self._add(table)

    def _add(self, table: sa.Table) -> None:
        row = {column.name: self._value(column) for column in table.columns if column.name != "id"}
        try:
            with self.work.db.begin_nested():
                inserted = self.work.db.execute(table.insert().values(row))
        except IntegrityError:
            return  # twice the same key
        key = inserted.inserted_primary_key
        assert key is not None
        self._keys[table.name].append(key[0])
        if table.name == "access_tokens" and row["is_developer"]:
            self._makers.append(key[0])

    def _value(self, column: sa.Column[Any]) -> Any:
        pick, name = self._random, f"{column.table.name}.{column.name}"
        self._number += 1
        if column.name in ("code_id", "delegation_id") or (column.nullable and pick.random() < 0.3):
            return None
        if column.name == "made_by_token_id":
            return pick.choice(self._makers) if self._makers else None
        for key in column.foreign_keys:
            known = self._keys[key.column.table.name]
            return pick.choice(known) if known else None
        if column.name.endswith("sha256"):
            return pick.choice(self.files)
        if column.name == "sealed":
            return self.vault.encrypt(f"secret {self._number}")
        if name == "terms_texts.html":
            return f"<p>Terms {self._number}</p>"
        return self._shaped(SHAPES[name]) if name in SHAPES else self._plain(column)

    def _shaped(self, shape: Any) -> Any:
        pick = self._random
        if get_origin(shape) is Literal:
            return pick.choice(get_args(shape))
        if shape is Labels:
            return {"fr": pick.choice(_TEXTS), "de": None}
        if shape is Names:
            return [pick.choice(_TEXTS) for _ in range(pick.randrange(3))]
        if shape is Picture:
            return {"sha256": pick.choice(self.files), "mime": "image/png", "width": 1, "height": 2, "size": 3}
        if shape is Digest:
            return pick.choice(self.files)
        if shape is Stamp:
            return {"blocks": [{"place": "BOTTOM", "logo": pick.choice(self.files), "lines": [["a"]]}]}
        if shape == dict[str, bool]:
            return {"a": True, "b": False}
        if get_origin(shape) is list:
            return [{"n": pick.choice(_TEXTS), "of": [1, 2.5, None, True]}]
        if get_origin(shape) is dict:
            return {"z": pick.choice(_TEXTS), "a": {"deep": [2**53, -1, 0.1, None]}}
        return pick.randrange(4, 32)

    def _plain(self, column: sa.Column[Any]) -> Any:
        pick = self._random
        match column.type:
            case Json():
                return {"any": pick.choice(_TEXTS)}
            case Instant():
                return EPOCH + timedelta(microseconds=pick.randrange(_CENTURY_US))
            case sa.Date():
                return date(1970, 1, 1) + timedelta(days=pick.randrange(40_000))
            case sa.LargeBinary():
                return pick.randbytes(min(column.type.length or 64, 64))
            case sa.Boolean():
                return pick.random() < 0.5
            case sa.BigInteger():
                return self._whole(column.name)
            case sa.Integer():
                return self._number
            case _:
                length = getattr(column.type, "length", None) or 500
                return f"{self._number:x} {pick.choice(_TEXTS)}"[:length].rstrip()

    def _whole(self, name: str) -> int:
        if name.startswith("next_"):
            return 2**52
        return self._random.choice(_WIDE) if name in ("status", "mask_and", "mask_xor", "rights") else self._number
