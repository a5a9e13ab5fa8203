"""The files that the rows of a CSV name, and those that none names."""

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from vitrine.errors import Invalid
from vitrine.operations.file_import.csv_rows import CsvFile, Row
from vitrine.operations.file_import.model import FileResult, FileState, Source
from vitrine.operations.file_import.scratch import Seen
from vitrine.operations.file_import.sidecars import SidecarIndex
from vitrine.operations.file_import.walk import files_in


def listed_files(table: CsvFile, column: str, folder: Path, apart: frozenset[Path]) -> Iterator[Source | FileResult]:
    """A source for each row whose *column* names a file below *folder*, a refusal for each other row, and at last what
    no row names, without the files *apart*. Raises Invalid where the CSV cannot be read any further."""
    seen, sidecars = Seen(), _Sidecars()
    root = folder.resolve()
    try:
        for row in table.rows():
            yield _source(row, column, root, seen, sidecars)
        apart = apart | {table.path.resolve()}
        try:
            for source in files_in((root,)):
                if source.path not in apart and not seen.has(os.fsencode(source.path)):
                    yield FileResult(source.path, FileState.UNLISTED, "The CSV has no row for it.")
        except Invalid:
            return  # an empty folder: each row has said so
    finally:
        seen.close()


def _source(row: Row, column: str, root: Path, seen: Seen, sidecars: "_Sidecars") -> Source | FileResult:
    if row.fault:
        return FileResult(root, FileState.REFUSED, row.fault, line=row.line)
    name = row.values[column]
    try:
        path = file_of(name, root)
    except Invalid as refusal:
        return FileResult(root / name if name else root, FileState.REFUSED, refusal.detail, line=row.line)
    before = seen.add(os.fsencode(path), str(row.line))
    if before is not None:
        detail = f"Line {row.line} names the same file as line {before}, which counts."
        return FileResult(path, FileState.REFUSED, detail, line=row.line)
    return Source(path, root, sidecars.find(path), row.line, row.values)


class _Sidecars:
    """The sidecars of the folder that was asked for last: rows of one folder mostly follow each other."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._index = SidecarIndex(())

    def find(self, path: Path) -> str | None:
        if path.parent != self._folder:
            self._folder, self._index = path.parent, SidecarIndex.of_folder(path.parent)
        return self._index.find(path.name)


def file_of(name: str, root: Path) -> Path:
    """The file that a row names: below *root*, with either kind of slash, and accents in either form. Raises Invalid
    for a name that leads outside or to no file, or to a link."""
    if not name:
        raise Invalid("The row names no file.")
    for written in dict.fromkeys((name, name.replace("\\", "/"))):
        for form in (written, unicodedata.normalize("NFC", written), unicodedata.normalize("NFD", written)):
            path = Path(os.path.normpath(root / form))
            try:
                is_inside, is_file = path.is_relative_to(root) and path.resolve() == path, path.is_file()
            except (OSError, ValueError) as failure:  # longer than the name of any file, or with a NUL
                raise Invalid(f"{name[:200]} is the name of no file.") from failure
            if not is_inside:
                raise Invalid(f"{name[:200]} leads outside of the folder, or is a link.")
            if is_file:
                return path
    raise Invalid(f"There is no file {name[:200]} in the folder.")
