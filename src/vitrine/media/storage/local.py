"""Blobs as files of a local folder: `ab/cd/<sha256>`, with `incoming/` for what is still being written."""

import hashlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from vitrine.errors import NotFound, Unavailable
from vitrine.media.errors import FileTooLarge
from vitrine.media.storage import Spooled, Stored

CHUNK = 1 << 20
_DIGEST = re.compile(r"[0-9a-f]{64}")


class LocalStore:
    """The embedded store. A blob appears under its name only when it is whole and on the disk."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.incoming = root / "incoming"
        self.incoming.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def spool(self, source: BinaryIO | Path, max_bytes: int) -> Iterator[Spooled]:
        target = self.incoming / token_hex(16)
        try:
            with _as_unavailable():
                digest, size = self._copy(source, target, max_bytes)
            yield Spooled(target, digest, size)
        finally:
            target.unlink(missing_ok=True)

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

    def keep(self, spooled: Spooled) -> Stored:
        final = self.path(spooled.sha256)
        with _as_unavailable():
            if final.exists():
                os.utime(final)  # young again: the sweep must leave it to the record that is about to refer to it
            else:
                final.parent.mkdir(parents=True, exist_ok=True)
                spooled.path.chmod(0o440)
                spooled.path.replace(final)
                _sync_folder(final.parent)
        return Stored(spooled.sha256, spooled.size)

    def open(self, sha256: str) -> BinaryIO:
        try:
            return self.path(sha256).open("rb")
        except FileNotFoundError:
            raise NotFound("The file is missing from the store.", why=f"blob {sha256}") from None

    def path(self, sha256: str) -> Path:
        if not _DIGEST.fullmatch(sha256):
            raise NotFound("There is no such file.", why="malformed digest")
        return self.root / sha256[:2] / sha256[2:4] / sha256

    def size(self, sha256: str) -> int:
        return self._stat(sha256).st_size

    def modified(self, sha256: str) -> datetime:
        return datetime.fromtimestamp(self._stat(sha256).st_mtime, UTC)

    def _stat(self, sha256: str) -> os.stat_result:
        try:
            return self.path(sha256).stat()
        except FileNotFoundError:
            raise NotFound("The file is missing from the store.", why=f"blob {sha256}") from None

    def delete(self, sha256: str) -> None:
        self.path(sha256).unlink(missing_ok=True)

    def older_than(self, age: timedelta) -> Iterator[str]:
        limit = time.time() - age.total_seconds()
        for folder in sorted(self.root.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]")):
            for file in sorted(folder.iterdir()):
                with suppress(FileNotFoundError):
                    if _DIGEST.fullmatch(file.name) and file.stat().st_mtime <= limit:
                        yield file.name

    def sweep_spool(self, age: timedelta) -> int:
        limit = time.time() - age.total_seconds()
        gone = 0
        for file in self.incoming.iterdir():
            with suppress(FileNotFoundError):
                if file.stat().st_mtime <= limit:
                    file.unlink()
                    gone += 1
        return gone


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _as_unavailable() -> Iterator[None]:
    """A full or read-only disk is no fault of the file: the same upload works later."""
    try:
        yield
    except OSError as failure:
        raise Unavailable(
            "The server cannot keep files at the moment. Nothing was stored; please try again later.",
            why=f"{type(failure).__name__} {failure.errno}",
            retry_after_s=60,
        ) from failure
