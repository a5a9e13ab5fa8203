"""The values of an import: a file with where it lies, and what became of it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from vitrine.library.model import CollectionId, RecordKey
from vitrine.platform.texts import readable_name

NAME_GUESSED = "its name is not UTF-8 and may be wrong"


class FileState(StrEnum):
    """What became of a file. Scripts read the values in the output of `vitrine import --json`."""

    ADDED = "added"
    EXISTS = "there"
    QUARANTINED = "waits"
    REFUSED = "refused"
    UPDATED = "updated"  # a record that existed got other values
    UNLISTED = "unlisted"  # the CSV has no row for the file


@dataclass(frozen=True, slots=True)
class Source:
    """A file to import. *root* is the folder that was named, None for a file that was named itself; *sidecar* is the
    name of the sidecar beside it; *line* is that of its row in the CSV, *row* the row's values by column."""

    path: Path
    root: Path | None = None
    sidecar: str | None = None
    line: int | None = None
    row: Mapping[str, str] = field(default_factory=dict)

    @property
    def relative(self) -> str:
        """Its path below the folder, as text with slashes."""
        within = self.path.name if self.root is None else os.path.relpath(self.path, self.root)
        return readable_name(os.fsencode(within))[0]


@dataclass(frozen=True, slots=True)
class FileResult:
    """*values* are those that CSV, sidecar and mapping give, by name of the field; *warnings* are about what was left
    out although the file was taken. *item* is that of the quarantine."""

    path: Path
    state: FileState
    detail: str = ""
    record: RecordKey | None = None
    base_id: CollectionId | None = None
    item: int | None = None
    line: int | None = None
    sidecar: str = ""
    values: Mapping[str, list[str]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def needs_attention(self) -> bool:
        is_odd = self.state in (FileState.REFUSED, FileState.UNLISTED)
        return is_odd or bool(self.warnings) or self.detail == NAME_GUESSED

    @property
    def sentences(self) -> str:
        return "; ".join(part for part in (self.detail, *self.warnings) if part)

    def as_members(self) -> dict[str, Any]:
        """Everything, as reports have it. Bytes of the name that are not UTF-8 are written as \\xNN."""
        return {
            "path": os.fsencode(self.path).decode("utf-8", "backslashreplace"),
            "state": self.state.value,
            "databox_id": self.record.databox if self.record else None,
            "record_id": self.record.number if self.record else None,
            "base_id": self.base_id,
            "quarantine_item": self.item,
            "line": self.line,
            "sidecar": self.sidecar,
            "values": {name: list(texts) for name, texts in self.values.items()},
            "detail": self.sentences,
        }
