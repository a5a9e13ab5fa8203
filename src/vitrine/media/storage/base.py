"""The protocol of blob stores: content-addressed by SHA-256, written once, never changed."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored blob: *sha256* is 64 lower-case hex digits, *size* is in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Spooled:
    """Incoming bytes in a temporary file of the store, deleted when the context ends unless they were kept."""

    path: Path
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A blob of a listing; *modified* is when it was last kept."""

    sha256: str
    size: int
    modified: datetime


class BlobStore(Protocol):
    """A store of blobs. All methods raise NotFound for an unknown digest and Unavailable if the store fails."""

    def spool(self, source: BinaryIO | Path, max_bytes: int) -> AbstractContextManager[Spooled]:
        """Copy *source* into the spool and digest it. Raises FileTooLarge beyond *max_bytes*; leaves nothing behind."""
        ...

    def keep(self, spooled: Spooled) -> Stored:
        """Move spooled bytes to their final name, atomically. Keeping the same bytes twice gives one blob."""
        ...

    def open(self, sha256: str) -> BinaryIO:
        """A seekable reader; the caller closes it."""
        ...

    def size(self, sha256: str) -> int: ...

    def modified(self, sha256: str) -> datetime: ...

    def delete(self, sha256: str) -> None:
        """Delete a blob; does nothing if it does not exist."""
        ...

    def listing(self, after: str = "") -> Iterator[Listed]:
        """Every blob whose digest is greater than *after*, in the order of digests, a bounded number in memory."""
        ...

    def older_than(self, age: timedelta, after: str = "") -> Iterator[str]:
        """Digests of blobs last kept longer ago than *age*, in the order of `listing`."""
        ...

    def probe(self) -> None:
        """Write and delete a small file. Raises Unavailable if the store cannot be written."""
        ...

    def sweep_spool(self, age: timedelta) -> int:
        """Delete what interrupted uploads left in the spool; return the number of files deleted."""
        ...


@runtime_checkable
class HasPaths(Protocol):
    """Optional: a store whose blobs are files on this machine."""

    def path(self, sha256: str) -> Path: ...
