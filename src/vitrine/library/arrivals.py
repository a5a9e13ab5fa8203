"""A file that has arrived: probed and stored, but not yet a record, a replacement or an item of the quarantine."""

import re
from dataclasses import dataclass
from typing import Any

from vitrine.library.model import CollectionId
from vitrine.media.probe import Probe
from vitrine.platform.texts import of_one_line


@dataclass(frozen=True, slots=True)
class Arrival:
    """A probed file. Its bytes are stored under *sha256*; *size* is in bytes."""

    name: str
    sha256: str
    size: int
    probe: Probe
    is_name_guessed: bool = False  # it was sent in bytes that are not UTF-8

    def audit_details(self, into: CollectionId) -> dict[str, Any]:
        """What the audit log keeps of its arrival in a collection."""
        return {"base_id": into, "name": "guessed"} if self.is_name_guessed else {"base_id": into}


def clean_name(name: str) -> str:
    """The last part of a file name, without control characters, at most 255 characters; never empty."""
    last = re.split(r"[/\\]", name.strip())[-1]
    clean = of_one_line(last)[-255:]
    return clean.strip() or "untitled"


def extension_of(name: str) -> str:
    _, dot, end = name.rpartition(".")
    return end.lower() if dot and end.isalnum() and len(end) <= 12 else ""
