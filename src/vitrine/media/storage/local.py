"""Blobs as files in a local folder: `ab/cd/<sha256>`, with `incoming/` for files still being written."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from vitrine.errors import NotFound
from vitrine.media.storage.base import Listed, Spooled, Stored
from vitrine.media.storage.spool import DIGEST, Spool, as_unavailable, check_digest

_PAIR = re.compile(r"[0-9a-f]{2}")


class LocalStore(Spool):
    """The embedded store. A blob appears under its name only when it is complete and on disk."""

    def __init__(self, root: Path) -> None:
        super().__init__(root / "incoming")
        self.root = root

    def keep(self, spooled: Spooled) -> Stored:
        final = self.path(spooled.sha256)
        with as_unavailable():
            if final.exists():
                os.utime(final)  # renew its age: the sweep must not delete it before the new record refers to it
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
        check_digest(sha256)
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

    def probe(self) -> None:
        self.probe_spool()

    def listing(self, after: str = "") -> Iterator[Listed]:
        for first in _names(self.root, _PAIR):
            if first < after[:2]:
                continue
            for second in _names(self.root / first, _PAIR):
                if first + second < after[:4]:
                    continue
                folder = self.root / first / second
                for name in _names(folder, DIGEST):
                    with suppress(FileNotFoundError):
                        if name > after:
                            stat = (folder / name).stat()
                            yield Listed(name, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC))

    def older_than(self, age: timedelta, after: str = "") -> Iterator[str]:
        limit = datetime.now(UTC) - age
        return (blob.sha256 for blob in self.listing(after) if blob.modified <= limit)


def _names(folder: Path, pattern: re.Pattern[str]) -> list[str]:
    """The entries of one folder that have such a name, sorted; none if the folder has gone."""
    try:
        return sorted(entry.name for entry in folder.iterdir() if pattern.fullmatch(entry.name))
    except FileNotFoundError:
        return []


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
