"""The spool of incoming bytes: copied to a local folder and digested, whichever store keeps them later."""

import hashlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from vitrine.errors import NotFound, Unavailable
from vitrine.media.errors import FileTooLarge
from vitrine.media.storage.base import Spooled

CHUNK = 1 << 20
DIGEST = re.compile(r"[0-9a-f]{64}")


class Spool:
    """The folder for files that are still being written."""

    def __init__(self, incoming: Path) -> None:
        self.incoming = incoming
        incoming.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def spool(self, source: BinaryIO | Path, max_bytes: int) -> Iterator[Spooled]:
        target = self.incoming / token_hex(16)
        try:
            with as_unavailable():
                digest, size = self._copy(source, target, max_bytes)
            yield Spooled(target, digest, size)
        finally:
            with suppress(OSError):  # a read-only disk keeps the file; the sweep deletes it later
                target.unlink()

    @staticmethod
    def _copy(source: BinaryIO | Path, target: Path, max_bytes: int) -> tuple[str, int]:
        digest = hashlib.sha256()
        size = 0
        reader = source.open("rb") if isinstance(source, Path) else source
        try:
            with target.open("xb") as writer:
                while chunk := reader.read(CHUNK):
                    size += len(chunk)
                    if size > max_bytes:
                        raise FileTooLarge(f"A file may have at most {max_bytes} bytes.", field="file")
                    digest.update(chunk)
                    writer.write(chunk)
                writer.flush()
                os.fsync(writer.fileno())
        finally:
            if isinstance(source, Path):
                reader.close()
        return digest.hexdigest(), size

    def probe_spool(self) -> None:
        """Write and delete a small file here. Raises Unavailable."""
        probe_file = self.incoming / f"probe-{token_hex(8)}"
        with as_unavailable():
            try:
                probe_file.write_bytes(b"probe")
            finally:
                with suppress(OSError):
                    probe_file.unlink()

    def sweep_spool(self, age: timedelta) -> int:
        limit = time.time() - age.total_seconds()
        deleted = 0
        for file in self.incoming.iterdir():
            with suppress(FileNotFoundError):
                if file.stat().st_mtime <= limit:
                    file.unlink()
                    deleted += 1
        return deleted


def check_digest(sha256: str) -> str:
    """Return *sha256* if it is a well-formed digest, since it becomes part of a path. Raises NotFound."""
    if not DIGEST.fullmatch(sha256):
        raise NotFound("There is no such file.", why="malformed digest")
    return sha256


@contextmanager
def as_unavailable() -> Iterator[None]:
    """Translate OSError into Unavailable: a full or read-only disk is not the file's fault, and a retry may succeed."""
    try:
        yield
    except OSError as failure:
        raise Unavailable(
            "The server cannot keep files at the moment. Nothing was stored; please try again later.",
            why=f"{type(failure).__name__} {failure.errno}",
            retry_after_s=60,
        ) from failure
