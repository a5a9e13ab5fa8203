"""Reads and checks a bag: paths, links, digests.

Nothing outside the layout of an export is opened, no link is followed, and nothing is kept in memory: the manifest and
the folders are read side by side in the order of paths.
"""

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from vitrine.errors import Invalid
from vitrine.operations.export import layout
from vitrine.operations.export.layout import BAGIT, DECLARATION, HEAD, MANIFEST, TAG_MANIFEST, TAGGED, Head
from vitrine.operations.inventory import stream_digest
from vitrine.operations.progress import Progress

_ENTRY = re.compile(r"([0-9a-f]{64})  (\S+)")
_MOST_TAG_BYTES, _MOST_ENTRY_BYTES = 64 * 1024, 512
_DEEPEST = 5


@dataclass(frozen=True, slots=True)
class Bag:
    """A bag whose tag files are right. *identity* is the digest of its manifest, and so of everything in it."""

    folder: Path
    head: Head
    identity: str

    def open(self, path: str) -> BinaryIO:
        return open_plain(self.folder, path)

    def entries(self) -> Iterator[tuple[str, str]]:
        """(path, digest) of the manifest, in the order of paths. Raises Invalid with the line of the manifest."""
        return _entries(self.folder)

    def digests(self) -> dict[str, str]:
        """The digests of all that is no file of the store: few."""
        return {path: sha256 for path, sha256 in self.entries() if layout.digest_in(path) is None}

    def files(self) -> Iterator[str]:
        """The digests of the files, in their order."""
        return (sha256 for path, _ in self.entries() if (sha256 := layout.digest_in(path)) is not None)

    def size(self) -> int:
        return sum(entry.stat(follow_symlinks=False).st_size for _, entry in _walk(self.folder, "data"))

    def verify(self, progress: Progress) -> None:
        """Check everything: the manifest lists what is there, and nothing else is there. Raises Invalid."""
        expected = iter(self.entries())
        digests = self.digests()
        for path in layout.expected_paths(self.head):
            if path not in digests:
                raise _bad(f"{MANIFEST} does not list {path}")
        for path in digests:
            if path not in layout.expected_paths(self.head):
                raise _bad(f"{MANIFEST} lists {path}, which {HEAD} does not tell of")
        count = 0
        with progress("Checking", self.head.files.count + len(digests)) as advance:
            for path, _ in _walk(self.folder, "data"):
                listed, sha256 = next(expected, ("", ""))
                if path != listed:
                    missing = listed and listed < path
                    raise _bad(f"{listed} is missing" if missing else f"{path} is not listed in {MANIFEST}")
                with self.open(path) as reader:
                    if stream_digest(reader) != sha256:
                        raise _bad(f"{path} has changed")
                count += layout.digest_in(path) is not None
                advance(1)
        rest = next(expected, None)
        if rest is not None:
            raise _bad(f"{rest[0]} is missing")
        if count != self.head.files.count:
            raise _bad(f"{HEAD} tells of {self.head.files.count} files, there are {count}")


def open_bag(folder: Path) -> Bag:
    """Check the tag files and read what the export is. Raises Invalid."""
    if folder.is_symlink() or not folder.is_dir():
        raise Invalid(f"{folder} is not the folder of an export.", field="source")
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.name not in (*TAGGED, TAG_MANIFEST, "data"):
            raise _bad(f"{entry.name!r} does not belong to an export")
    if _content(folder, BAGIT) != DECLARATION:
        raise Invalid(f"{folder} is not an export: {BAGIT} does not declare BagIt 1.0 in UTF-8.", field="source")
    tags = dict(_parsed(_content(folder, TAG_MANIFEST).splitlines(keepends=True), TAG_MANIFEST))
    if sorted(tags) != sorted(TAGGED):
        raise _bad(f"{TAG_MANIFEST} must list {', '.join(TAGGED)}")
    for name, sha256 in tags.items():
        with open_plain(folder, name) as reader:
            if stream_digest(reader) != sha256:
                raise _bad(f"{name} has changed")
    with open_plain(folder, HEAD) as reader:
        content = reader.read((1 << 20) + 1)
    listed = next((sha256 for path, sha256 in _entries(folder) if path == HEAD), None)
    if listed != hashlib.sha256(content).hexdigest():
        raise _bad(f"{HEAD} has changed")
    return Bag(folder, layout.head_of(content), tags[MANIFEST])


def open_plain(folder: Path, path: str) -> BinaryIO:
    """Open a plain file below *folder*; no part of *path* may be a link. Raises Invalid."""
    current = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        *parents, name = path.split("/")
        for parent in parents:
            inner = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=current)
            os.close(current)
            current = inner
        # O_NONBLOCK: a named pipe must not stop us before it is refused.
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=current)
    except OSError as failure:
        raise _bad(f"{path} cannot be read as a plain file ({failure.strerror})") from None
    finally:
        os.close(current)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _bad(f"{path} is not a plain file")
    return os.fdopen(descriptor, "rb")


def _content(folder: Path, name: str) -> bytes:
    with open_plain(folder, name) as reader:
        content = reader.read(_MOST_TAG_BYTES + 1)
    if len(content) > _MOST_TAG_BYTES:
        raise _bad(f"{name} is too long")
    return content


def _entries(folder: Path) -> Iterator[tuple[str, str]]:
    with open_plain(folder, MANIFEST) as reader:
        last = ""
        for number, (path, sha256) in enumerate(_parsed(_lines(reader), MANIFEST), 1):
            if not layout.is_known(path):
                raise _bad(f"{MANIFEST} line {number}: {path!r} is not a path of an export")
            if path <= last:
                raise _bad(f"{MANIFEST} line {number}: {path} is there twice, or not in the order of paths")
            named = layout.digest_in(path)
            if named is not None and named != sha256:
                raise _bad(f"{MANIFEST} line {number}: the name of {path} is not its digest")
            yield path, sha256
            last = path


def _lines(reader: BinaryIO) -> Iterator[bytes]:
    while line := reader.readline(_MOST_ENTRY_BYTES):
        yield line


def _parsed(lines: Iterator[bytes] | list[bytes], name: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(lines, 1):
        match = _ENTRY.fullmatch(line.decode("utf-8", "replace").removesuffix("\n"))
        if match is None or not line.endswith(b"\n"):
            raise _bad(f"{name} line {number} is not a digest and a path")
        yield match[2], match[1]


def _walk(folder: Path, path: str, depth: int = 1) -> Iterator[tuple[str, "os.DirEntry[str]"]]:
    """Every file below *path* in the order of paths, one folder in memory at a time."""
    for entry in sorted(os.scandir(folder / path), key=lambda entry: entry.name):
        inner = f"{path}/{entry.name}"
        if entry.is_symlink():
            raise _bad(f"{inner!r} is a link")
        if entry.is_dir(follow_symlinks=False):
            if depth >= _DEEPEST:
                raise _bad(f"{inner!r} is not a folder of an export")
            yield from _walk(folder, inner, depth + 1)
        elif entry.is_file(follow_symlinks=False):
            yield inner, entry
        else:
            raise _bad(f"{inner!r} is not a plain file")


def _bad(reason: str) -> Invalid:
    return Invalid(f"The export is damaged or was changed: {reason}.", field="source")
