"""The manifest of a backup, and where a backup keeps its documents. See docs/decisions/0032-backup.md."""

import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from vitrine.errors import Invalid
from vitrine.operations.inventory import Contents

FORMAT = 1
MANIFEST, ROWS, BLOBS, KEY = "manifest.json", "vitrine.sqlite3", "blobs.txt", "server.key"


@dataclass(frozen=True, slots=True)
class CopiedDocuments:
    """How many documents were copied, their bytes, and the digests of missing or damaged ones."""

    count: int
    bytes: int
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """*files*: the digest of each file of the backup that is not a document, by name."""

    version: str
    revision: str
    created: str
    contents: Contents
    documents: CopiedDocuments
    files: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """The manifest as it is stored and printed."""
        documents = self.documents
        return {
            "form": FORMAT,
            "version": self.version,
            "revision": self.revision,
            "made": self.created,
            "contents": self.contents.as_dict(),
            "documents": {"count": documents.count, "bytes": documents.bytes, "missing": list(documents.missing)},
            "files": self.files,
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> "Manifest":
        """Raises KeyError or msgspec.ValidationError if it is not the form that `as_dict` returns."""
        values = {**stored, "created": stored["made"]}
        return msgspec.convert(values, cls)


def read_manifest(source: Path) -> Manifest:
    """The manifest of a backup (folder or file). Raises Invalid if it is not a backup of Vitrine, or of an unknown
    format."""
    unreadable = Invalid(f"{source} is not a backup: it has no readable {MANIFEST}.", field="source")
    try:
        stored = json.loads(_manifest_bytes(source))
    except (OSError, ValueError, KeyError, tarfile.TarError):
        raise unreadable from None
    if not isinstance(stored, dict):
        raise unreadable
    if stored.get("form") != FORMAT:
        raise Invalid(f"This backup has the form {stored.get('form')}; this program reads {FORMAT}.", field="source")
    try:
        return Manifest.from_dict(stored)
    except (KeyError, msgspec.ValidationError):
        raise unreadable from None


def _manifest_bytes(source: Path) -> bytes:
    if source.is_dir():
        return (source / MANIFEST).read_bytes()
    with tarfile.open(source) as archive:
        member = archive.extractfile(MANIFEST)
        return member.read() if member is not None else b""


def blob_path(folder: Path, sha256: str) -> Path:
    return folder / "blobs" / sha256[:2] / sha256[2:4] / sha256


def files_below(folder: Path) -> Iterator[Path]:
    """Every file below a folder in the order of paths, one folder in memory at a time; none if it does not exist."""
    if not folder.exists():
        return
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            yield from files_below(entry)
        elif entry.is_file():
            yield entry


def listed_blobs(folder: Path) -> Iterator[tuple[str, int]]:
    """(digest, size) of every document that the backup lists, in the order of digests."""
    with (folder / BLOBS).open() as lines:
        for line in lines:
            sha256, _, size = line.strip().partition(" ")
            yield sha256, int(size)
