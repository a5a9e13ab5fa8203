"""Writes an export beside a running server, from one snapshot, in constant memory.

Everything is written below `<target>.part`, each file under another name until it is whole; the target exists when the
bag is complete and on disk. An interrupted export goes on when the same command is run again: rows are written anew
from a new snapshot, since they are few bytes, and files that are there already are only checked.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from vitrine import __version__
from vitrine.errors import Conflict, NotFound, Unavailable
from vitrine.library.sweep import pause_sweep
from vitrine.media.storage import BlobStore, open_store
from vitrine.operations import inventory
from vitrine.operations.backup import RENEWED_AFTER, SWEEP_PAUSE, fetch, sync
from vitrine.operations.export import layout
from vitrine.operations.export.encryption import Envelope, Parameters, new_parameters
from vitrine.operations.export.kinds import KINDS, RowKind, referenced
from vitrine.operations.export.layout import (
    BAG_INFO,
    BAGIT,
    DECLARATION,
    HEAD,
    MANIFEST,
    MISSING,
    SERVER_KEY,
    TAG_MANIFEST,
    TAGGED,
    Files,
    Head,
)
from vitrine.operations.export.lines import line_of
from vitrine.operations.manifest import KEY, files_below
from vitrine.operations.progress import Progress, silent
from vitrine.operations.snapshot import highest_given, snapshot
from vitrine.platform import migrate
from vitrine.platform.crypto import Vault
from vitrine.platform.database import Database, UnitOfWork
from vitrine.settings import Settings

SNAPSHOT = "snapshot.sqlite3"
_SPARE_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Exported:
    lines: int
    files: int
    bytes: int
    missing: int
    has_credentials: bool


@dataclass(slots=True)
class _Run:
    """One run of an export. *digests*: of what is no file of the store."""

    settings: Settings
    folder: Path
    vault: Vault
    parameters: Parameters | None
    envelope: Envelope | None
    digests: dict[str, str] = field(default_factory=dict)
    octets: int = 0
    lines: dict[str, int] = field(default_factory=dict)

    def write(self, path: str, pieces: Iterable[bytes]) -> None:
        """Write one file of the bag; it has its name only when it is whole."""
        target = self.folder / path
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = target.with_name(target.name + ".new")
        digest = hashlib.sha256()
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as writer:
            for piece in pieces:
                digest.update(piece)
                writer.write(piece)
            writer.flush()
            os.fsync(writer.fileno())
        partial.replace(target)
        self.digests[path] = digest.hexdigest()
        if path.startswith("data/"):
            self.octets += target.stat().st_size


def write_bag(
    settings: Settings, target: Path, *, passphrase: str | None = None, link: bool = False, progress: Progress = silent
) -> Exported:
    """Write everything of an instance to the folder *target*; credentials too, if there is a *passphrase* to encrypt
    them. With *link*, files are linked instead of copied where possible. Raises Conflict (the target exists, another
    export writes it) or Unavailable (the disk)."""
    if target.exists() or target.is_symlink():
        raise Conflict(f"{target} already exists; choose another name.", field="target")
    folder = target.with_name(target.name + ".part")
    if folder.is_symlink() or (folder.exists() and folder.stat().st_uid != os.geteuid()):
        why = f"{folder} is a link, or belongs to somebody else; remove it or choose another name."
        raise Conflict(why, field="target")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(folder):
            exported = _fill(settings, folder, passphrase, link=link, progress=progress)
            folder.rename(target)
            sync(target.parent)
    except OSError as failure:
        raise Unavailable(
            f"The export could not be written ({failure.strerror}). Make room on the disk of {folder}, then run the "
            "same command: it goes on.",
            why=f"{type(failure).__name__} {failure.errno}",
        ) from failure
    return exported


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Nobody else writes in *folder* meanwhile. The lock ends with the process. Raises Conflict."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(f"Another command is writing in {folder}.", field="target") from None
        yield
    finally:
        os.close(descriptor)


def _fill(settings: Settings, folder: Path, passphrase: str | None, *, link: bool, progress: Progress) -> Exported:
    for entry in folder.iterdir():  # a killed run: only its files, which have their digest as name, are kept
        if entry.is_file():
            entry.unlink()
    for name in ("rows", "credentials"):
        shutil.rmtree(folder / "data" / name, ignore_errors=True)
    parameters = new_parameters() if passphrase is not None else None
    envelope = Envelope(passphrase, parameters) if passphrase is not None and parameters is not None else None
    run = _Run(settings, folder, Vault.in_folder(settings.data_dir), parameters, envelope)
    database = inventory.open_existing(settings)
    store = open_store(settings.blobs_url, settings.data_dir)
    try:
        inventory.require_newest(database)
        with database.write() as work:
            pause_sweep(work, work.now + SWEEP_PAUSE)
        snapshot(database, folder / SNAPSHOT)
        frozen = Database(f"sqlite:///{folder / SNAPSHOT}")
        try:
            with frozen.read() as work:
                _require_room(work, store, run, link=link)
                _write_rows(work, run, progress)
                head = _write_files(work, database, store, run, link=link, progress=progress)
        finally:
            frozen.close()
    finally:
        database.close()
        for entry in list(folder.glob(SNAPSHOT + "*")):  # it has what an export without credentials must not have
            entry.unlink()
    _write_tags(run, head)
    files = head.files
    return Exported(sum(run.lines.values()), files.count, files.bytes, files.missing, envelope is not None)


def _require_room(work: UnitOfWork, store: BlobStore, run: _Run, *, link: bool) -> None:
    """Before anything is copied. Rows take about what they take in the snapshot."""
    needed = 2 * (run.folder / SNAPSHOT).stat().st_size + _SPARE_BYTES
    for sha256, size in referenced(work) if not link else ():
        if not (run.folder / layout.file_path(sha256)).exists():
            needed += size or _size(store, sha256)
    free = shutil.disk_usage(run.folder).free
    if free < needed:
        raise Unavailable(
            f"The export needs {needed // 2**20 + 1} MiB, {free // 2**20} MiB are free on the disk of {run.folder}. "
            "Make room or export to another disk."
        )


def _size(store: BlobStore, sha256: str) -> int:
    try:
        return store.size(sha256)
    except NotFound:
        return 0


# -- rows --------------------------------------------------------------------------------------------------------------


def _write_rows(work: UnitOfWork, run: _Run, progress: Progress) -> None:
    kinds = [kind for kind in KINDS if run.envelope is not None or not kind.is_secret]
    with progress("Writing rows", len(kinds)) as advance:
        for kind in kinds:
            plain = _lines(work, run, kind)
            run.write(kind.path, run.envelope.encrypt(kind.path, plain) if kind.is_secret and run.envelope else plain)
            advance(1)
    if run.envelope is not None:
        key = (run.settings.data_dir / KEY).read_bytes().strip()
        run.write(SERVER_KEY, run.envelope.encrypt(SERVER_KEY, iter([key])))


def _lines(work: UnitOfWork, run: _Run, kind: RowKind) -> Iterator[bytes]:
    count = 0
    for row in inventory.stream(work, kind.select(is_sqlite=True)):
        count += 1
        yield line_of(kind, row._mapping, run.vault) + b"\n"
    run.lines[kind.name] = count


# -- files -------------------------------------------------------------------------------------------------------------


def _write_files(
    work: UnitOfWork, database: Database, store: BlobStore, run: _Run, *, link: bool, progress: Progress
) -> Head:
    tally = Tally()
    present = _present(run.folder)
    current = next(present, None)

    def copied() -> Iterator[bytes]:
        """Copies each file; the lines of those that cannot be copied."""
        nonlocal current
        with progress("Copying files", sum(1 for _ in referenced(work))) as advance:
            for sha256, _ in referenced(work):
                while current is not None and current.name < sha256:
                    current.unlink()  # of an earlier run, or half a file
                    current = next(present, None)
                if current is not None and current.name == sha256:
                    current = next(present, None)
                if not _copy(store, run.folder / layout.file_path(sha256), sha256, tally, link=link):
                    yield msgspec.json.encode({"sha256": sha256}) + b"\n"
                advance(1)
                if tally.seen % RENEWED_AFTER == 0:
                    with database.write() as sweep_work:
                        pause_sweep(sweep_work, sweep_work.now + SWEEP_PAUSE)
            for path in filter(None, (current, *present)):
                path.unlink()

    run.write(MISSING, copied())
    run.octets += tally.bytes
    return Head(
        layout.FORMAT,
        f"vitrine {__version__}",
        migrate.revision(work.db),
        datetime.now(UTC).isoformat(timespec="seconds"),
        run.vault.instance_id(),
        run.settings.base_url,
        Files(tally.count, tally.bytes, tally.seen - tally.count),
        run.lines,
        highest_given(work),
        run.parameters,
    )


@dataclass(slots=True)
class Tally:
    seen: int = 0
    count: int = 0
    bytes: int = 0


def _present(folder: Path) -> Iterator[Path]:
    """What an earlier run left, in the order of names."""
    return files_below(folder / "data" / "files")


def _copy(store: BlobStore, path: Path, sha256: str, tally: Tally, *, link: bool) -> bool:
    """False if the store does not have the file, or has other bytes."""
    tally.seen += 1
    if not path.exists() or inventory.file_digest(path) != sha256:
        path.unlink(missing_ok=True)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            fetch(store, sha256, path, link=link)
        except NotFound:
            return False
    tally.count += 1
    tally.bytes += path.stat().st_size
    return True


# -- tag files ---------------------------------------------------------------------------------------------------------


def _write_tags(run: _Run, head: Head) -> None:
    run.write(HEAD, [msgspec.json.format(msgspec.json.encode(head), indent=2) + b"\n"])
    payload = run.digests
    run.write(MANIFEST, _manifest(run.folder, dict(payload)))
    run.write(BAGIT, [DECLARATION])
    count = head.files.count + sum(path.startswith("data/") for path in payload)
    info = {
        "Bag-Software-Agent": head.software,
        "Bagging-Date": head.created[:10],
        "External-Description": "Everything of an instance of Vitrine; see docs/wire/export.md.",
        "Payload-Oxum": f"{run.octets}.{count}",
    }
    run.write(BAG_INFO, ["".join(f"{label}: {value}\n" for label, value in info.items()).encode()])
    run.write(TAG_MANIFEST, [f"{run.digests[name]}  {name}\n".encode() for name in TAGGED])
    sync(run.folder)


def _manifest(folder: Path, digests: dict[str, str]) -> Iterator[bytes]:
    """In the order of paths: credentials, export.json, the files, the rest."""
    before = sorted(path for path in digests if path < "data/files/")
    after = sorted(path for path in digests if path > "data/files/")
    for path in before:
        yield f"{digests[path]}  {path}\n".encode()
    for file in files_below(folder / "data" / "files"):
        yield f"{file.name}  {layout.file_path(file.name)}\n".encode()
    for path in after:
        yield f"{digests[path]}  {path}\n".encode()
