"""Compares an instance with an export, line by line and file by file: two ordered streams, nothing kept in memory."""

import heapq
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from vitrine.operations import inventory
from vitrine.operations.export.bag import Bag, open_bag
from vitrine.operations.export.encryption import Envelope
from vitrine.operations.export.kinds import KINDS, RowKind, referenced
from vitrine.operations.export.lines import decoded, line_of, member_of
from vitrine.operations.export.loading import lines_of, missing_in
from vitrine.operations.progress import silent
from vitrine.platform.crypto import Vault
from vitrine.platform.database import UnitOfWork
from vitrine.settings import Settings

MOST_REPORTED = 20
_Line = tuple[tuple[Any, ...], bytes]


def differences(settings: Settings, folder: Path, passphrase: str | None = None) -> Iterator[str]:
    """One sentence for each difference, MOST_REPORTED of a kind. Credentials are compared only with the *passphrase*.
    What changes without a change of content (last use, last address) is not compared. Raises Invalid for a damaged
    export."""
    bag = open_bag(folder)
    bag.verify(silent)
    parameters = bag.head.credentials
    envelope = Envelope(passphrase, parameters) if passphrase is not None and parameters is not None else None
    vault = Vault.in_folder(settings.data_dir)
    digests = bag.digests()
    database = inventory.open_existing(settings)
    try:
        inventory.require_newest(database)
        with database.read() as work:
            for kind in KINDS:
                if kind.name in bag.head.lines and (envelope is not None or not kind.is_secret):
                    own = _rows(work, kind, vault, is_sqlite=database.is_sqlite)
                    exported = _stored(bag, kind, digests[kind.path], envelope)
                    yield from _capped(kind.name, _compared(kind.name, own, exported))
            yield from _capped("files", _files(work, bag))
    finally:
        database.close()


def _capped(name: str, sentences: Iterator[str]) -> Iterator[str]:
    count = 0
    for count, sentence in enumerate(sentences, 1):
        if count <= MOST_REPORTED:
            yield sentence
    if count > MOST_REPORTED:
        yield f"{name}: {count} differences in all"


def _rows(work: UnitOfWork, kind: RowKind, vault: Vault, *, is_sqlite: bool) -> Iterator[_Line]:
    for row in inventory.stream(work, kind.select(is_sqlite=is_sqlite)):
        yield tuple(row._mapping[name] for name in kind.key), _comparable(kind, line_of(kind, row._mapping, vault))


def _stored(bag: Bag, kind: RowKind, digest: str, envelope: Envelope | None) -> Iterator[_Line]:
    for number, line in lines_of(bag, kind, digest, envelope):
        read = decoded(kind, line, f"{kind.path} line {number}")
        yield tuple(getattr(read, name) for name in kind.key), _comparable(kind, line)


def _comparable(kind: RowKind, line: bytes) -> bytes:
    """The line without what changes without a change of content, in one order of members at all depths."""
    members = msgspec.json.decode(line)
    for column in kind.columns:
        if column.name in inventory.TRANSIENT_COLUMNS:
            members.pop(member_of(column), None)
    return msgspec.json.encode(members, order="sorted")


def _compared(name: str, own: Iterator[_Line], exported: Iterator[_Line]) -> Iterator[str]:
    ours, theirs = next(own, None), next(exported, None)
    while ours is not None or theirs is not None:
        if theirs is None or (ours is not None and ours[0] < theirs[0]):
            assert ours is not None
            yield f"{name} {_words(ours[0])}: only here"
            ours = next(own, None)
        elif ours is None or theirs[0] < ours[0]:
            yield f"{name} {_words(theirs[0])}: only in the export"
            theirs = next(exported, None)
        else:
            if ours[1] != theirs[1]:
                yield f"{name} {_words(ours[0])}: {_members(ours[1], theirs[1])} differ"
            ours, theirs = next(own, None), next(exported, None)


def _members(ours: bytes, theirs: bytes) -> str:
    """The names of the members that differ; their values may be secret."""
    left, right = msgspec.json.decode(ours), msgspec.json.decode(theirs)
    return ", ".join(name for name in sorted(set(left) | set(right)) if left.get(name) != right.get(name))


def _words(key: tuple[Any, ...]) -> str:
    return "/".join(str(part) for part in key)


def _files(work: UnitOfWork, bag: Bag) -> Iterator[str]:
    own: Iterator[_Line] = (((sha256,), b"") for sha256, _ in referenced(work))
    exported: Iterator[_Line] = (((sha256,), b"") for sha256 in _merged(bag))
    return _compared("file", own, exported)


def _merged(bag: Bag) -> Iterator[str]:
    return heapq.merge(bag.files(), missing_in(bag))
