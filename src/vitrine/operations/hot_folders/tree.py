"""A hot folder on the disk, reached without following a symbolic link: whoever can write into it cannot make the worker
read, move or delete anything outside of it."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from vitrine.library.hot_folders.model import ARCHIVED, ERROR, MARKERS, HotFolder, root_of
from vitrine.operations.file_import.sidecars import SidecarIndex, matches
from vitrine.operations.hot_folders.errors import FolderFault
from vitrine.platform.texts import readable_name

DEEPEST = 20
MOST_FILES = 10_000  # that one look remembers
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
READ_ONLY = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
Place = tuple[str, ...]  # names of folders below the hot folder, and at last that of the file
Signature = tuple[int, int, int, int]  # device, inode, size in bytes, time of the last change


@dataclass(slots=True)
class Listing:
    """What one look saw. *sidecars* are by folder; *faults* are about folders that could not be read."""

    files: dict[Place, Signature] = field(default_factory=dict)
    sidecars: dict[Place, SidecarIndex] = field(default_factory=dict)
    signatures: dict[Place, Signature] = field(default_factory=dict)  # of files and sidecars
    faults: list[str] = field(default_factory=list)

    def note(self, place: Place, what: str, failure: OSError) -> None:
        """Say what is wrong with a file or folder."""
        self.faults.append(f"{readable(*place)} {what} ({reason(failure)})")

    def sidecar_of(self, place: Place) -> Place | None:
        index = self.sidecars.get(place[:-1])
        name = index.find(place[-1]) if index else None
        return None if name is None else (*place[:-1], name)


@contextmanager
def opened(folder: HotFolder, roots: tuple[str, ...]) -> Iterator["Tree"]:
    """Open a hot folder. Raises FolderFault for one that is not there, has no marker, or cannot be written."""
    root = root_of(folder.path, roots)
    if root is None:
        raise FolderFault(f"{folder.path} lies in no folder that the operator allows.")
    try:
        descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        descriptor = _descend(descriptor, Path(folder.path).relative_to(root).parts)
    except OSError as failure:
        raise FolderFault(f"{folder.path} cannot be opened ({reason(failure)}).") from failure
    try:
        tree = Tree(descriptor, folder)
        tree.require_usable()
        yield tree
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Tree:
    """An open hot folder."""

    descriptor: int
    folder: HotFolder

    def require_usable(self) -> None:
        """Without a marker it may be the empty place of a disk that is not mounted."""
        if not any(_is_file(self.descriptor, name) for name in MARKERS):
            names = " or ".join(MARKERS)
            raise FolderFault(f"{self.folder.path} has no marker: put an empty file called {names} into it.")
        if not os.access(".", os.W_OK | os.X_OK, dir_fd=self.descriptor):
            raise FolderFault(f"{self.folder.path} cannot be written: files could not be moved away.")

    def look(self) -> Listing:
        """The files that fit the masks, at most MOST_FILES."""
        listing = Listing()
        self._list(self.descriptor, (), listing)
        return listing

    def _list(self, descriptor: int, place: Place, listing: Listing) -> None:
        folders: list[str] = []
        sidecars: list[str] = []
        try:
            with os.scandir(descriptor) as entries:
                for entry in entries:
                    if entry.name.startswith(".") or (not place and entry.name in (ARCHIVED, ERROR)):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.name)
                    elif entry.is_file(follow_symlinks=False) and len(listing.signatures) < MOST_FILES:
                        self._note(entry, place, listing, sidecars)
        except OSError as failure:
            listing.note(place or (self.folder.path,), "cannot be read", failure)
        if sidecars:
            listing.sidecars[place] = SidecarIndex(sidecars, self.folder.sidecar_mask)
        for name in sorted(folders):
            if len(place) < DEEPEST and len(listing.signatures) < MOST_FILES:
                self._list_below(descriptor, (*place, name), listing)

    def _list_below(self, descriptor: int, place: Place, listing: Listing) -> None:
        try:
            below = os.open(place[-1], _DIRECTORY, dir_fd=descriptor)
        except OSError as failure:
            listing.note(place, "cannot be read", failure)
            return
        try:
            self._list(below, place, listing)
        finally:
            os.close(below)

    def _note(self, entry: os.DirEntry[str], place: Place, listing: Listing, sidecars: list[str]) -> None:
        is_sidecar = matches(entry.name, self.folder.sidecar_mask)
        if not is_sidecar and not matches(entry.name, self.folder.mask):
            return
        try:
            signature = _signature(entry.stat(follow_symlinks=False))
        except FileNotFoundError:  # somebody took it away
            return
        listing.signatures[*place, entry.name] = signature
        if is_sidecar:
            sidecars.append(entry.name)
        else:
            listing.files[*place, entry.name] = signature

    @contextmanager
    def parent(self, place: Place, *, make: bool = False) -> Iterator[int]:
        """The folder of a place, opened; with *make*, made where it is missing."""
        descriptor = _descend(os.dup(self.descriptor), place[:-1], make=make)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def signature(self, place: Place) -> Signature | None:
        """None for what is not there any more, or no file."""
        try:
            with self.parent(place) as parent:
                status = os.stat(place[-1], dir_fd=parent, follow_symlinks=False)
        except OSError:
            return None
        return _signature(status) if stat.S_ISREG(status.st_mode) else None

    def move(self, place: Place, into: str) -> Place:
        """Move a file into `_archived` or `_error`, beside others of its name. Returns where it is now."""
        with self.parent(place) as before, self.parent((into, *place), make=True) as after:
            name = _free_name(after, place[-1])
            os.rename(place[-1], name, src_dir_fd=before, dst_dir_fd=after)
        return (into, *place[:-1], name)

    def delete(self, place: Place) -> None:
        with self.parent(place) as parent, suppress(FileNotFoundError):
            os.unlink(place[-1], dir_fd=parent)

    def write_text(self, place: Place, text: str) -> None:
        """Write a new small text file."""
        with self.parent(place) as parent:
            name = _free_name(parent, place[-1])
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(name, flags, 0o644, dir_fd=parent), "w", encoding="utf-8") as file:
                file.write(text)


def readable(*place: str) -> str:
    """A place for people to read."""
    return readable_name(os.fsencode("/".join(place)))[0]


def reason(failure: OSError) -> str:
    return os.strerror(failure.errno or errno.EIO)


def _descend(descriptor: int, names: tuple[str, ...], *, make: bool = False) -> int:
    """Open the folder *names* below an open one, which is closed. Links are not followed."""
    for name in names:
        try:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(name, dir_fd=descriptor)
            below = os.open(name, _DIRECTORY, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = below
    return descriptor


def signature_of(file: BinaryIO) -> Signature:
    return _signature(os.fstat(file.fileno()))


def _signature(status: os.stat_result) -> Signature:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _is_file(descriptor: int, name: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode)
    except OSError:
        return False


def _free_name(descriptor: int, name: str) -> str:
    """*name*, or with a number if there is such a file. Only the worker that holds the folder writes there."""
    stem, dot, end = name.rpartition(".")
    number, free = 1, name
    while _exists(descriptor, free):
        number += 1
        free = f"{stem} ({number}){dot}{end}" if stem else f"{name} ({number})"
    return free


def _exists(descriptor: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=descriptor, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
