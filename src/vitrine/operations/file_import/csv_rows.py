"""CSV files (RFC 4180) read as a stream: memory does not grow with the number of rows."""

import codecs
import csv
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from vitrine.errors import Invalid, Unavailable

DELIMITERS = (";", ",", "\t")
LONGEST_LINE = 4 * 2**20  # bytes
MOST_COLUMNS = 1_000
_UNUSABLE = re.compile("[\x00\udc80-\udcff]")  # the latter stand for undecodable bytes (PEP 383)
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Row:
    """A row that begins in line *line*. *fault* says why it cannot be used, and then *values* is empty. *read* is how
    many bytes of the file were read so far."""

    line: int
    values: dict[str, str]
    fault: str
    read: int


class CsvFile:
    """A CSV with a header, UTF-8 with or without byte order mark."""

    def __init__(self, path: Path, delimiter: str | None = None) -> None:
        """Read the header. Raises Invalid for a header that cannot be used, Unavailable."""
        self.path = path
        self._file = _opened(path)
        self._read = self._lines_read = 0
        try:
            first = self._line()
            self.delimiter = delimiter or detected(first)
            self._reader = csv.reader(self._lines(first), delimiter=self.delimiter, strict=True)
            self.columns = self._header()
        except BaseException:
            self._file.close()
            raise

    @property
    def size(self) -> int:
        """In bytes."""
        return os.fstat(self._file.fileno()).st_size

    def close(self) -> None:
        self._file.close()

    def rows(self) -> Iterator[Row]:
        """The rows after the header, without blank ones. Raises Invalid, naming the line, where the rest cannot be
        divided into rows."""
        while True:
            line = self._lines_read + 1
            cells = self._next(line)
            if cells is None:
                return
            if cells and any(cell.strip() for cell in cells):
                yield self._row(line, cells)

    def _row(self, line: int, cells: list[str]) -> Row:
        fault = fault_of(cells)
        if not fault and len(cells) != len(self.columns):
            fault = f"it has {len(cells)} cells and the header has {len(self.columns)}"
        if fault:
            return Row(line, {}, f"Line {line} cannot be used: {fault}.", self._read)
        values = {column: cell.strip() for column, cell in zip(self.columns, cells, strict=True)}
        return Row(line, values, "", self._read)

    def _header(self) -> tuple[str, ...]:
        columns = tuple(cell.strip() for cell in self._next(1) or ())
        fault = fault_of(columns) if any(columns) else "the first line must name the columns"
        if not fault and len(columns) > MOST_COLUMNS:
            fault = f"there are more than {MOST_COLUMNS} columns"
        if not fault and "" in columns:
            fault = f"column {columns.index('') + 1} has no name; name it, or delete it"
        if not fault and len(set(columns)) < len(columns):
            twice = next(column for column in columns if columns.count(column) > 1)
            fault = f"two columns are called {twice}"
        if fault:
            raise Invalid(f"The header of {self.path.name} cannot be used: {fault}.", field="csv")
        return columns

    def _next(self, line: int) -> list[str] | None:
        try:
            return next(self._reader, None)
        except csv.Error as failure:
            raise Invalid(
                f"{self.path.name} cannot be read from line {line} on: {failure}. Check its quotation marks.",
                field="csv",
            ) from failure

    def _lines(self, first: str) -> Iterator[str]:
        line = first
        while line:
            self._lines_read += 1
            yield line
            line = self._line()

    def _line(self) -> str:
        try:
            raw = self._file.readline(LONGEST_LINE + 1)
        except OSError as failure:
            raise Unavailable(f"{self.path.name} cannot be read ({os.strerror(failure.errno or 0)}).") from failure
        if len(raw) > LONGEST_LINE:
            raise Invalid(f"Line {self._lines_read + 1} has more than {LONGEST_LINE >> 20} MiB.", field="csv")
        if not self._read:
            if raw.startswith(_UTF16):
                raise Invalid(f"{self.path.name} is UTF-16. Save it as UTF-8.", field="csv")
            self._read, raw = len(raw), raw.removeprefix(codecs.BOM_UTF8)
        else:
            self._read += len(raw)
        return raw.decode("utf-8", "surrogateescape")  # told with the row, see `fault_of`


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as failure:
        raise Invalid(f"{path} cannot be read ({os.strerror(failure.errno or 0)}).", field="csv") from failure


def detected(header: str) -> str:
    """The delimiter of a header: what stands there most often outside of quotation marks. Raises Invalid if two stand
    there as often as each other."""
    outside = "".join(header.split('"')[::2])
    counts = sorted(((outside.count(delimiter), delimiter) for delimiter in DELIMITERS), reverse=True)
    if counts[0][0] and counts[0][0] == counts[1][0]:
        raise Invalid("The header does not show how its columns are separated: say it with --delimiter.", field="csv")
    return counts[0][1] if counts[0][0] else ","


def fault_of(cells: list[str] | tuple[str, ...]) -> str:
    """What no cell may hold."""
    for number, cell in enumerate(cells, 1):
        unusable = _UNUSABLE.search(cell)
        if unusable is not None:
            what = "a NUL byte" if unusable[0] == "\x00" else "bytes that are not UTF-8; save the file as UTF-8"
            return f"cell {number} holds {what}"
    return ""
