"""Loads the lines of an export into an empty SQLite database, a thousand in a transaction, and checks what they make.

Where it has stopped is written in the same transaction, so a killed import goes on after the last whole batch.
References are checked at the end, since lines may refer to later ones.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from vitrine.errors import Invalid
from vitrine.library import counts
from vitrine.library.tables import collections, databoxes, records
from vitrine.library.terms.html import sanitized
from vitrine.operations.export import layout, work_left
from vitrine.operations.export.bag import Bag
from vitrine.operations.export.encryption import Envelope
from vitrine.operations.export.kinds import BY_NAME, KINDS, RowKind, referenced
from vitrine.operations.export.lines import MOST_BYTES, row_of
from vitrine.operations.progress import Progress
from vitrine.operations.snapshot import advance_ids, highest_given
from vitrine.platform.crypto import Vault
from vitrine.platform.database import Database, UnitOfWork
from vitrine.platform.stamps import set_stamp, stamp
from vitrine.platform.tables import stamps

BATCH = 1000
_KIND, _LINES, _DONE = "import.kind", "import.lines", "import.done"
Line = tuple[int, bytes]


@dataclass(frozen=True, slots=True)
class Loader:
    bag: Bag
    database: Database
    vault: Vault
    envelope: Envelope | None
    invites: bool

    def load(self, progress: Progress) -> None:
        """Load all that is not loaded yet, then check it. Raises Invalid with file and line."""
        with self.database.read() as work:
            driver, done = work.driver, stamp(work, _DONE)
        if done:
            return
        assert driver is not None
        driver.execute("PRAGMA foreign_keys=OFF")  # until all rows are there
        try:
            self._load_kinds(progress)
        finally:
            driver.execute("PRAGMA foreign_keys=ON")
        with self.database.write() as work:
            self._check(work)
            advance_ids(work, self._highest(work))
            counts.repair(work)
            counts.fold(work)
            work_left.queue(work)
            if self.invites:
                work_left.invite(work)
            work.db.execute(stamps.delete().where(stamps.c.name.in_([_KIND, _LINES])))
            set_stamp(work, _DONE, 1)

    @staticmethod
    def forget_progress(database: Database) -> None:
        """Once nothing is loaded any more."""
        with database.write() as work:
            work.db.execute(stamps.delete().where(stamps.c.name == _DONE))

    def _load_kinds(self, progress: Progress) -> None:
        with self.database.read() as work:
            begun, lines = stamp(work, _KIND), stamp(work, _LINES)
        digests = self.bag.digests()
        kinds = [kind for kind in KINDS if self._is_wanted(kind)]
        with progress("Reading rows", len(kinds)) as advance:
            for number, kind in enumerate(kinds):
                if number >= begun:
                    self._load_kind(kind, number, lines if number == begun else 0, digests[kind.path])
                advance(1)

    def _is_wanted(self, kind: RowKind) -> bool:
        return kind.name in self.bag.head.lines and (self.envelope is not None or not kind.is_secret)

    def _load_kind(self, kind: RowKind, number: int, done: int, digest: str) -> None:
        count = 0
        for batch in _batches(lines_of(self.bag, kind, digest, self.envelope)):
            count = batch[-1][0]
            if count > done:
                fresh = [line for line in batch if line[0] > done]
                self._write(kind, [self._row(kind, line) for line in fresh], fresh[0][0], (number, count))
        if count != self.bag.head.lines[kind.name]:
            text = f"{kind.path} has {count} lines, {layout.HEAD} tells of {self.bag.head.lines[kind.name]}"
            raise Invalid(f"The export is damaged or was changed: {text}.", field="source")
        with self.database.write() as work:
            self._mark(work, number + 1, 0)

    def _row(self, kind: RowKind, line: Line) -> dict[str, Any]:
        place = f"{kind.path} line {line[0]}"
        row = row_of(kind, line[1], place, self.vault)
        if kind.table_name == "terms_texts" and sanitized(row["html"], field="source") != row["html"]:
            raise Invalid(f"{place}: html contains what terms of use may not contain.", field="source")
        return row

    @staticmethod
    def _mark(work: UnitOfWork, number: int, lines: int) -> None:
        set_stamp(work, _KIND, number)
        set_stamp(work, _LINES, lines)

    def _write(self, kind: RowKind, rows: list[dict[str, Any]], first: int, reached: tuple[int, int]) -> None:
        try:
            with self.database.write() as work:
                _put(work, kind, rows)
                self._mark(work, *reached)
        except IntegrityError:
            self._explain(kind, rows, first)

    def _explain(self, kind: RowKind, rows: list[dict[str, Any]], first: int) -> None:
        """Raises Invalid for the line that the database refuses, which also undoes what this has written."""
        with self.database.write() as work:
            for number, row in enumerate(rows, first):
                try:
                    work.db.execute(kind.table.insert(), row)
                except IntegrityError as failure:
                    place = f"{kind.path} line {number}"
                    raise Invalid(f"{place} contradicts another line: {failure.orig}.", field="source") from None
            raise Invalid(f"{kind.path}: lines {first} and later contradict each other.", field="source")

    # -- what all rows together must be ------------------------------------------------------------------------------

    def _check(self, work: UnitOfWork) -> None:
        self._check_references(work)
        self._check_numbers(work)
        self._check_files(work)

    @staticmethod
    def _check_references(work: UnitOfWork) -> None:
        broken = work.db.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken is not None:
            names = [kind.path for kind in KINDS if kind.table_name == broken[0]] or [broken[0]]
            raise Invalid(
                f"{names[0]}: row {broken[1]} refers to a row of {broken[2]} that the export does not have.",
                field="source",
            )

    @staticmethod
    def _check_numbers(work: UnitOfWork) -> None:
        """New records and collections get numbers that nothing has."""
        for table, column in ((records, databoxes.c.next_record), (collections, databoxes.c.next_collection)):
            highest = sa.select(sa.func.max(table.c.number)).where(table.c.databox_id == databoxes.c.id)
            wrong = work.db.scalar(sa.select(databoxes.c.id).where(column <= highest.scalar_subquery()).limit(1))
            if wrong is not None:
                path = BY_NAME["databoxes"].path
                raise Invalid(f"{path}: {column.name} of databox {wrong} is given already.", field="source")

    def _check_files(self, work: UnitOfWork) -> None:
        """Every file that a row names is in the export, or is told to be missing; two ordered streams."""
        files, missing = _Ordered(self.bag.files()), _Ordered(missing_in(self.bag))
        for sha256, _ in referenced(work):
            if not files.has(sha256) and not missing.has(sha256):
                raise Invalid(f"The export does not have the file {sha256}, which its rows name.", field="source")

    def _highest(self, work: UnitOfWork) -> dict[str, int]:
        told = self.bag.head.highest_ids
        return {table: max(number, told.get(table, 0)) for table, number in highest_given(work).items()}


def _put(work: UnitOfWork, kind: RowKind, rows: list[dict[str, Any]]) -> None:
    if not kind.only:
        work.db.execute(kind.table.insert(), rows)
        return
    for row in rows:
        same = [kind.table.c[name] == row[name] for name in kind.key]
        values = {name: row[name] for name in kind.only}
        if work.db.execute(kind.table.update().where(*same).values(values)).rowcount != 1:
            raise Invalid(f"{kind.path}: there is no row {row[kind.key[0]]} to complete.", field="source")


def lines_of(bag: Bag, kind: RowKind, digest: str, envelope: Envelope | None) -> Iterator[Line]:
    """(number, line) of a kind. Raises Invalid if the file is not the one that was checked."""
    with bag.open(kind.path) as file:
        reader = _Hashing(file)
        pieces = envelope.decrypt(kind.path, reader) if kind.is_secret and envelope is not None else None  # type: ignore[arg-type]
        yield from _split(pieces, kind.path) if pieces is not None else _read_lines(reader, kind.path)
        if reader.digest.hexdigest() != digest:
            raise Invalid(f"The export is damaged or was changed: {kind.path} has changed.", field="source")


def missing_in(bag: Bag) -> Iterator[str]:
    with bag.open(layout.MISSING) as file:
        for number, line in _read_lines(_Hashing(file), layout.MISSING):
            yield layout.missing_of(line, f"{layout.MISSING} line {number}")


class _Hashing:
    """A reader that digests what it has read."""

    def __init__(self, reader: BinaryIO) -> None:
        self._reader, self.digest = reader, hashlib.sha256()

    def read(self, size: int) -> bytes:
        piece = self._reader.read(size)
        self.digest.update(piece)
        return piece

    def readline(self, limit: int) -> bytes:
        line = self._reader.readline(limit)
        self.digest.update(line)
        return line


def _read_lines(reader: _Hashing, path: str) -> Iterator[Line]:
    number = 0
    while line := reader.readline(MOST_BYTES):
        number += 1
        yield number, _whole(line, path, number)


def _split(pieces: Iterator[bytes], path: str) -> Iterator[Line]:
    waiting, number = b"", 0
    for piece in pieces:
        *lines, waiting = (waiting + piece).split(b"\n")
        for line in lines:
            number += 1
            yield number, line
        if len(waiting) > MOST_BYTES:
            break
    if waiting:
        _whole(waiting, path, number + 1)


def _whole(line: bytes, path: str, number: int) -> bytes:
    if not line.endswith(b"\n"):
        raise Invalid(f"{path} line {number} is too long, or has no end.", field="source")
    return line[:-1]


def _batches(lines: Iterator[Line]) -> Iterator[list[Line]]:
    batch: list[Line] = []
    for line in lines:
        batch.append(line)
        if len(batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


class _Ordered:
    """Asks an ordered stream for values that come in the same order."""

    def __init__(self, values: Iterator[str]) -> None:
        self._values, self._current = values, next(values, None)

    def has(self, value: str) -> bool:
        while self._current is not None and self._current < value:
            self._current = next(self._values, None)
        return self._current == value
