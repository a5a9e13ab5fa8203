"""The files of folders, in order and one after the other."""

import os
from collections.abc import Iterator
from pathlib import Path

from vitrine.errors import Invalid, Unavailable
from vitrine.operations.file_import.model import Source
from vitrine.operations.file_import.sidecars import SidecarIndex, is_sidecar_name


def files_in(paths: tuple[Path, ...]) -> Iterator[Source]:
    """Files in order, in folders recursively. Hidden files and folders, symbolic links and sidecars of files beside
    them are skipped. Raises Unavailable for a folder that cannot be read, and Invalid at the end if there was no file.
    """
    is_empty = True
    for path in paths:
        if path.is_dir():
            sources = _below(path, path)
        elif path.is_file() and not path.is_symlink() and not path.name.startswith("."):
            sources = iter([Source(path, sidecar=SidecarIndex.of_folder(path.parent).find(path.name))])
        else:
            continue
        for source in sources:
            is_empty = False
            yield source
    if is_empty:
        raise Invalid("There are no files in these folders.", field="paths")


def _below(root: Path, folder: Path) -> Iterator[Source]:
    """First the files of a folder, then those of the folders in it; a folder at a time is in memory."""
    try:
        with os.scandir(folder) as entries:
            seen = [
                (entry.name, entry.is_dir(follow_symlinks=False), entry.is_file(follow_symlinks=False))
                for entry in entries
                if not entry.name.startswith(".")
            ]
    except OSError as failure:
        raise Unavailable(f"{folder} cannot be read ({os.strerror(failure.errno or 0)}).") from failure
    files = sorted(name for name, _, is_file in seen if is_file)
    stems, index = _stems(files), SidecarIndex(files)
    for name in files:
        if not is_sidecar_name(name):
            yield Source(folder / name, root, index.find(name))
        elif not _describes(name, stems):
            yield Source(folder / name, root)
    for name in sorted(name for name, is_folder, _ in seen if is_folder):
        yield from _below(root, folder / name)


def _stems(names: list[str]) -> frozenset[str]:
    """Names of files without and with their extension, folded."""
    documents = [name.casefold() for name in names if not is_sidecar_name(name)]
    return frozenset(documents) | frozenset(name.rpartition(".")[0] or name for name in documents)


def _describes(sidecar: str, stems: frozenset[str]) -> bool:
    return sidecar.casefold().rpartition(".")[0] in stems
