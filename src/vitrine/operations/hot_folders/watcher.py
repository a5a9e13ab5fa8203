"""The worker's part: looking at hot folders, and taking what lies in them.

A file is taken when two looks, some seconds apart, see it unchanged. It becomes a record in one transaction and is
moved away after that. If the worker dies in between, the next look finds its record by its bytes and only moves it.

One living worker looks after a folder; that it still does is asked in the transaction that adds a file, so no two
workers take the same one. Where the folder cannot be used (not mounted, a full disk), the worker says so, lets others
try, and comes back after a pause that grows. A single file or folder that cannot be read does not keep the others.
"""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from vitrine.errors import DomainError, Invalid, Unavailable
from vitrine.jobs import task_store
from vitrine.jobs.tasks import HOT_FOLDERS
from vitrine.library.arrivals import Arrival
from vitrine.library.hot_folders import store
from vitrine.library.hot_folders.model import ARCHIVED, ERROR, HotFolder, HotFolderId
from vitrine.library.hot_folders.service import HotFolders
from vitrine.media.errors import TransientError
from vitrine.operations.file_import import FileImport, FileResult, FileState, Plan, Source
from vitrine.operations.file_import import sidecars as sidecar_files
from vitrine.operations.hot_folders import tree
from vitrine.operations.hot_folders.errors import FolderFault, NotHeld
from vitrine.operations.hot_folders.tree import Listing, Place, Signature, Tree
from vitrine.platform import logging
from vitrine.platform.database import Database, UnitOfWork
from vitrine.platform.supervision import SupervisedThread, beat
from vitrine.platform.texts import readable_name

log = logging.get("vitrine.worker")
LONGEST_PAUSE = 60  # looks
LONGEST_NAME = 240  # bytes of the name of what explains an error


@dataclass(slots=True)
class _Memory:
    """What this worker knows of a folder: what the last look saw, and how many looks it leaves out after faults."""

    signatures: dict[Place, Signature] = field(default_factory=dict)
    revision: int = 0
    pause: int = 0
    left: int = 0


@dataclass(slots=True)
class Watcher:
    """*owner* is the name of the worker, *roots* and *seconds* are settings."""

    database: Database
    imports: FileImport
    hot_folders: HotFolders
    roots: tuple[str, ...]
    seconds: int
    owner: str
    _memories: dict[HotFolderId, _Memory] = field(default_factory=dict)

    def run(self, thread: SupervisedThread) -> None:
        """Supervised: look again and again."""
        is_over = False
        while not is_over:
            try:
                self.look(lambda: thread.is_over)
            except Unavailable as failure:  # a locked database ends by itself
                log.warning("hot_folders.retry", why=failure.why or failure.detail)
            is_over = thread.wait(self.seconds)

    def look(self, is_over: Callable[[], bool] = lambda: False) -> int:
        """Look at each folder once. Returns how many files were taken. Raises Unavailable."""
        with self.database.read() as work:
            if task_store.is_stopped(work, HOT_FOLDERS):
                return 0
            folders = store.free_for(work, self.owner)
        self._memories = {folder.id: self._memories.get(folder.id, _Memory()) for folder in folders}
        taken = 0
        for folder in folders:
            if not is_over():
                taken += self._look_at(folder, self._memories[folder.id], is_over)
        if taken:
            with self.database.write(alone=False) as work:
                task_store.record_runs(work, {HOT_FOLDERS: work.now})
        return taken

    def _look_at(self, folder: HotFolder, memory: _Memory, is_over: Callable[[], bool]) -> int:
        if memory.revision != folder.revision:
            memory.signatures, memory.revision, memory.pause, memory.left = {}, folder.revision, 0, 0
        if memory.left:
            memory.left -= 1
            return 0
        if not self._hold(folder):
            return 0
        taken: Counter[bool] = Counter()
        try:
            with self.database.read() as work:
                actor = self.hot_folders.acting(work, folder)
            self.imports.permit(actor, Plan(folder.collection_id))
            with tree.opened(folder, self.roots) as files:
                listing = files.look()
                before, memory.signatures = memory.signatures, listing.signatures
                self._take_all(files, listing, before, taken, is_over)
            if listing.faults:
                raise FolderFault("; ".join(listing.faults[:5]) + ".")
        except NotHeld:
            log.info("hot_folder.left", hot_folder=folder.id)
        except DomainError as failure:
            self._report(folder, memory, failure)
        else:
            self._recover(folder, memory)
        return taken.total()

    def _hold(self, folder: HotFolder) -> bool:
        if folder.holder == self.owner:
            return True
        with self.database.write() as work:
            return store.hold(work, folder.id, self.owner)

    def _report(self, folder: HotFolder, memory: _Memory, failure: DomainError) -> None:
        """Say what is wrong with a folder, and look at it less often until it can be used again."""
        memory.pause = min(max(1, memory.pause * 2), LONGEST_PAUSE)
        memory.left = memory.pause
        log.warning("hot_folder.fault", hot_folder=folder.id, why=failure.why or failure.detail)
        with self.database.write() as work:
            store.release(work, folder, self.owner, failure.detail)

    def _recover(self, folder: HotFolder, memory: _Memory) -> None:
        memory.pause = 0
        if folder.fault:
            log.info("hot_folder.recovered", hot_folder=folder.id)
            with self.database.write() as work:
                store.clear_fault(work, folder, self.owner)

    # -- files ---------------------------------------------------------------------------------------------------

    def _take_all(
        self,
        files: Tree,
        listing: Listing,
        before: dict[Place, Signature],
        taken: Counter[bool],
        is_over: Callable[[], bool],
    ) -> None:
        """Take the files that the last look saw as they are, each with its sidecar. *taken* counts them by whether they
        failed."""
        users = Counter(filter(None, (listing.sidecar_of(place) for place in listing.files)))
        for place in sorted(listing.files):
            beat()
            sidecar = listing.sidecar_of(place)
            parts = [part for part in (place, sidecar) if part]
            if any(before.get(part) != listing.signatures.get(part) for part in parts):
                continue
            if is_over() or self.database.reading(lambda work: task_store.is_stopped(work, HOT_FOLDERS)):
                return
            result = self._take(files, listing, place, sidecar)
            if result is None:
                continue
            taken[result.state is FileState.REFUSED] += 1
            if sidecar is not None:
                users[sidecar] -= 1
            is_last = sidecar is not None and not users[sidecar]
            try:
                self._clear_away(files, place, sidecar if is_last else None, result)
            except OSError as failure:
                listing.note(place, "was taken and cannot be moved away", failure)

    def _take(self, files: Tree, listing: Listing, place: Place, sidecar: Place | None) -> FileResult | None:
        """Make a record of a file. None for one that is left for the next look: it was changed meanwhile, went away or
        cannot be read. A file that cannot be used is a result; what is no fault of the file is raised."""
        signature = listing.files[place]
        result = FileResult(Path(files.folder.path, *place), FileState.REFUSED)
        try:
            with files.parent(place) as parent:
                descriptor = os.open(place[-1], tree.READ_ONLY, dir_fd=parent)
                with os.fdopen(descriptor, "rb") as file:
                    result, tags = self._with_tags(result, parent, sidecar)
                    arrival = self._arrival(file, place)
                    if tree.signature_of(file) != signature or files.signature(place) != signature:
                        return None
            return self._place(files, result, arrival, tags)
        except TransientError as failure:
            log.warning("hot_folder.later", hot_folder=files.folder.id, why=failure.why or failure.detail)
        except Invalid as refusal:
            return self._refused(files, result, refusal)
        except OSError as failure:
            if files.signature(place) is not None:
                listing.note(place, "cannot be read", failure)
        return None

    def _arrival(self, file: BinaryIO, place: Place) -> Arrival:
        name, is_guessed = readable_name(os.fsencode(place[-1]))
        return self.imports.ingest.take(file, name, is_name_guessed=is_guessed)

    def _place(self, files: Tree, result: FileResult, arrival: Arrival, tags: dict[str, list[str]]) -> FileResult:
        with self.database.write() as work:
            self._require_held(work, files.folder)
            source = Source(result.path, Path(files.folder.path), result.sidecar or None)
            actor = self.hot_folders.acting(work, files.folder)
            placed = self.imports.place(work, actor, source, Plan(files.folder.collection_id), arrival, tags, result)
            store.count(work, files.folder, failed=False)
        return placed

    def _refused(self, files: Tree, result: FileResult, refusal: Invalid) -> FileResult:
        with self.database.write() as work:
            self._require_held(work, files.folder)
            store.count(work, files.folder, failed=True)
        return replace(result, detail=refusal.detail)

    def _require_held(self, work: UnitOfWork, folder: HotFolder) -> None:
        if not store.is_held(work, folder, self.owner):
            raise NotHeld("Another worker looks after this folder, or it was changed.")

    def _with_tags(
        self, result: FileResult, parent: int, sidecar: Place | None
    ) -> tuple[FileResult, dict[str, list[str]]]:
        """What the sidecar says. One that cannot be read costs the file only its values."""
        if sidecar is None:
            return result, {}
        try:
            return replace(result, sidecar=tree.readable(sidecar[-1])), sidecar_files.read(
                self.imports.ingest.media, sidecar[-1], within=parent
            )
        except TransientError:
            raise
        except Invalid as refusal:
            return replace(result, sidecar=tree.readable(sidecar[-1]), warnings=(refusal.detail,)), {}

    def _clear_away(self, files: Tree, place: Place, sidecar: Place | None, result: FileResult) -> None:
        """Move what was taken, its sidecar first: if the worker dies in between, the file comes again and makes no
        second record. Raises OSError."""
        is_error = result.state is FileState.REFUSED
        if sidecar is not None:
            self._put_away(files, sidecar, "; ".join(result.warnings), is_error=is_error or bool(result.warnings))
        self._put_away(files, place, result.detail if is_error else "", is_error=is_error)
        log.info("hot_folder.file", hot_folder=files.folder.id, outcome=result.state.value)

    def _put_away(self, files: Tree, place: Place, text: str, *, is_error: bool) -> None:
        if files.folder.deletes and not is_error:
            files.delete(place)
            return
        try:
            moved = files.move(place, ERROR if is_error else ARCHIVED)
        except FileNotFoundError:
            return  # somebody took it away
        if text:
            name = os.fsdecode(os.fsencode(moved[-1])[:LONGEST_NAME]) + ".txt"
            files.write_text((*moved[:-1], name), f"{text}\n")
