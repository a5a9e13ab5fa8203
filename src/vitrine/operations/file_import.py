"""Import files and folders from the machine's disk. It can be interrupted and run again."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from vitrine.accounts import Actor
from vitrine.errors import DomainError, Invalid, Unavailable
from vitrine.library.errors import AlreadyThere
from vitrine.library.ingest import Ingest, Quarantined
from vitrine.library.model import CollectionId
from vitrine.library.quarantine.service import Quarantine
from vitrine.operations.progress import Progress, silent
from vitrine.platform.database import Database
from vitrine.platform.texts import readable_name

NAME_GUESSED = "its name is not UTF-8 and may be wrong"


class FileState(StrEnum):
    """What became of a file. Scripts read the values in the output of `vitrine import --json`."""

    ADDED = "added"
    EXISTS = "there"
    QUARANTINED = "waits"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class FileResult:
    path: Path
    state: FileState
    detail: str = ""

    @property
    def needs_attention(self) -> bool:
        return self.state is FileState.REFUSED or self.detail == NAME_GUESSED


@dataclass(frozen=True, slots=True)
class FileImport:
    """The services that an import needs."""

    database: Database
    ingest: Ingest
    quarantine: Quarantine

    def run(
        self, actor: Actor, paths: list[Path], into: CollectionId, *, progress: Progress = silent
    ) -> Iterator[FileResult]:
        """Add the files one after the other. Files that already exist are skipped. Raises Forbidden before the first
        one, or Unavailable if the disk is full."""
        with self.database.read() as work:
            self.ingest.permit(work, actor, into)
        with progress("Adding", len(paths)) as advance:
            for path in paths:
                yield self.add(actor, path, into)
                advance(1)

    def add(self, actor: Actor, path: Path, into: CollectionId) -> FileResult:
        """Add one file. Raises Unavailable if the disk is full."""
        try:
            return self._add(actor, path, into)
        except AlreadyThere as duplicate:
            return FileResult(path, FileState.EXISTS, duplicate.detail)
        except Unavailable:
            raise
        except DomainError as refusal:
            return FileResult(path, FileState.REFUSED, refusal.detail)

    def _add(self, actor: Actor, path: Path, into: CollectionId) -> FileResult:
        name, is_guessed = readable_name(os.fsencode(path.name))  # names on a disk are bytes
        arrival = self.ingest.take(path, name, is_name_guessed=is_guessed)
        with self.database.write() as work:
            self.ingest.refuse_duplicate(work, actor, arrival, into)
            if self.quarantine.holds(work, into, arrival.sha256):
                return FileResult(path, FileState.QUARANTINED, "in the quarantine since an earlier import")
            outcome = self.ingest.add(work, actor, arrival, into)
        if isinstance(outcome, Quarantined):
            return FileResult(path, FileState.QUARANTINED, "in the quarantine: " + ", ".join(outcome.checks))
        return FileResult(path, FileState.ADDED, NAME_GUESSED if is_guessed else "")


def files_in(paths: tuple[Path, ...]) -> list[Path]:
    """Files in order, in folders recursively. Hidden files and symbolic links are skipped. Raises Invalid if there are
    none."""
    files = []
    for path in paths:
        entries = sorted(path.rglob("*")) if path.is_dir() else [path]
        files += [
            entry for entry in entries if entry.is_file() and not entry.is_symlink() and not entry.name.startswith(".")
        ]
    if not files:
        raise Invalid("There are no files in these folders.", field="paths")
    return files
