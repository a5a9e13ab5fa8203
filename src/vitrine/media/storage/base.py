"""Where bytes are kept: content-addressed by SHA-256, written once, never changed."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Stored:
    """Bytes that are kept: *sha256* is 64 lower-case hex digits, *size* is in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Spooled:
    """Bytes on their way in, in a temporary file of the store; gone when its context ends, unless it was kept."""

    path: Path
    sha256: str
    size: int


class BlobStore(Protocol):
    """Any place for bytes. All methods raise NotFound for an unknown digest and Unavailable when the place fails."""

    def spool(self, source: BinaryIO | Path, max_bytes: int) -> AbstractContextManager[Spooled]:
        """Copy *source* in and digest it. Raises FileTooLarge beyond *max_bytes*; nothing is left behind."""
        ...

    def keep(self, spooled: Spooled) -> Stored:
        """Give spooled bytes their final name, at once and whole. Keeping the same bytes twice is one blob."""
        ...

    def open(self, sha256: str) -> BinaryIO:
        """A seekable reader; the caller closes it."""
        ...

    def size(self, sha256: str) -> int: ...

    def modified(self, sha256: str) -> datetime: ...

    def delete(self, sha256: str) -> None:
        """Deleting what is not there is fine."""
        ...

    def older_than(self, age: timedelta) -> Iterator[str]:
        """Digests of blobs that were kept (or kept again) longer ago than *age*."""
        ...

    def probe(self) -> None:
        """Write and delete a small file. Raises Unavailable when the place takes nothing."""
        ...

    def sweep_spool(self, age: timedelta) -> int:
        """Delete what interrupted uploads left in the spool; returns how many files went."""
        ...


@runtime_checkable
class HasPaths(Protocol):
    """Optional: a store whose blobs are files of this machine."""

    def path(self, sha256: str) -> Path: ...
