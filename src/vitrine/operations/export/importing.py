"""Takes an export back into an empty instance: completely, or not at all.

Everything is checked first, then prepared in STAGING below the data folder: rows in an SQLite database, files in the
store, where they harm nobody. The instance exists only when its database is moved to its place, or copied to PostgreSQL
in one transaction. A killed import goes on when the same command is run again. See docs/decisions/0151.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import sqlalchemy as sa

from vitrine.errors import Conflict, Invalid, NotFound, Unavailable
from vitrine.media.storage import BlobStore, open_store
from vitrine.operations.backup import sync
from vitrine.operations.configuration import CONFIGURATION
from vitrine.operations.export import layout
from vitrine.operations.export.bag import Bag, open_bag
from vitrine.operations.export.encryption import Envelope
from vitrine.operations.export.kinds import KINDS
from vitrine.operations.export.loading import Loader
from vitrine.operations.export.writing import locked
from vitrine.operations.manifest import KEY, ROWS
from vitrine.operations.progress import Progress, silent
from vitrine.operations.restore import require_empty, set_owner
from vitrine.operations.snapshot import copy_rows
from vitrine.platform import migrate
from vitrine.platform.crypto import Vault
from vitrine.platform.database import Database
from vitrine.settings import Settings

STAGING, STATE = ".importing", "state.json"
ALLOWED = (STAGING, "lost+found", CONFIGURATION, KEY)
_SPARE_BYTES = 64 * 2**20


class _State(msgspec.Struct):
    """Which export is imported, and how far: `checking`, `loading`, `placing`."""

    bag: str
    phase: str = "checking"


@dataclass(frozen=True, slots=True)
class Imported:
    lines: int
    files: int
    missing: int
    has_credentials: bool


def import_bag(
    settings: Settings,
    source: Path,
    *,
    passphrase: str | None = None,
    invite: bool = False,
    progress: Progress = silent,
) -> Imported:
    """Import the export in the folder *source*. Credentials in it need the *passphrase* and are left out without it.
    With *invite*, each person without a password is sent a link to choose one.
    Raises Conflict (the instance is not empty), Invalid (the export is damaged or was changed) or Unavailable."""
    bag = open_bag(source)
    parameters = bag.head.credentials
    if passphrase is not None and parameters is None:
        raise Invalid("This export has no credentials: leave the passphrase out.", field="passphrase")
    envelope = Envelope(passphrase, parameters) if passphrase is not None and parameters is not None else None
    identity = f"{bag.identity} credentials={envelope is not None} invite={invite}"
    data = settings.data_dir
    try:
        data.mkdir(mode=0o750, parents=True, exist_ok=True)
        with locked(data):
            state = _begin(settings, identity)
            _Import(settings, bag, envelope, invite, state, progress).run()
    except OSError as failure:
        raise Unavailable(
            f"The export could not be imported ({failure.strerror}). Make room on the disk of {data}, then run the "
            "same command: it goes on.",
            why=f"{type(failure).__name__} {failure.errno}",
        ) from failure
    files = bag.head.files
    lines = sum(count for name, count in bag.head.lines.items() if envelope or not _is_secret(name))
    return Imported(lines, files.count, files.missing, envelope is not None)


def _is_secret(name: str) -> bool:
    return any(kind.is_secret for kind in KINDS if kind.name == name)


def _begin(settings: Settings, identity: str) -> _State:
    """The state of an import that was begun, or of a new one into an empty instance. Raises Conflict."""
    data, staging = settings.data_dir, settings.data_dir / STAGING
    known = _read_state(staging)
    if known is not None and known.bag == identity:
        return known
    if known is not None:
        raise Conflict(
            f"Another import was begun in {data}, or this one with other options: run it again to finish it, or delete "
            f"{staging} to give it up.",
            field="data",
        )
    others = sorted(entry.name for entry in data.iterdir() if entry.name not in ALLOWED)
    if others:
        raise Conflict(
            f"{data} is not empty: it has {', '.join(others[:5])}. An export is imported into an empty folder only.",
            field="data",
        )
    if settings.database_url:
        require_empty(settings.database_url)
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(mode=0o700)
    state = _State(identity)
    _write_state(staging, state)
    return state


def _read_state(staging: Path) -> _State | None:
    try:
        return msgspec.json.decode((staging / STATE).read_bytes(), type=_State)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _write_state(staging: Path, state: _State) -> None:
    partial = staging / (STATE + ".new")
    with partial.open("wb") as writer:
        writer.write(msgspec.json.encode(state))
        writer.flush()
        os.fsync(writer.fileno())
    partial.replace(staging / STATE)
    sync(staging)


@dataclass(frozen=True, slots=True)
class _Import:
    settings: Settings
    bag: Bag
    envelope: Envelope | None
    invites: bool
    state: _State
    progress: Progress

    @property
    def staging(self) -> Path:
        return self.settings.data_dir / STAGING

    def run(self) -> None:
        if self.state.phase == "checking":
            self._require_room()
            self.bag.verify(self.progress)
            self._put_key()
            self._reach("loading")
        if self.state.phase == "loading":
            self._load()
            self._keep_files()
            self._reach("placing")
        self._place()

    def _reach(self, phase: str) -> None:
        self.state.phase = phase
        _write_state(self.staging, self.state)

    def _require_room(self) -> None:
        size = self.bag.size()
        files = self.bag.head.files.bytes
        needed = 3 * max(0, size - files) + (0 if self.settings.blobs_url else files) + _SPARE_BYTES
        free = shutil.disk_usage(self.staging).free
        if free < needed:
            raise Unavailable(
                f"The import needs {needed // 2**20 + 1} MiB, {free // 2**20} MiB are free on the disk of "
                f"{self.settings.data_dir}. Make room, then run the same command."
            )

    def _put_key(self) -> None:
        """The server key of the folder, of the export, or a new one: secrets are encrypted under it."""
        key = self.staging / KEY
        key.unlink(missing_ok=True)
        existing = self.settings.data_dir / KEY
        if existing.exists():
            _write_private(key, existing.read_bytes())
        elif self.envelope is not None:
            with self.bag.open(layout.SERVER_KEY) as reader:
                content = b"".join(self.envelope.decrypt(layout.SERVER_KEY, reader))
            if len(content) != 64 or set(content) - set(b"0123456789abcdef"):
                raise Invalid(f"{layout.SERVER_KEY} is not a server key.", field="source")
            _write_private(key, content)
        Vault.in_folder(self.staging)

    def _load(self) -> None:
        rows = self.staging / ROWS
        if not rows.exists():
            rows.touch(mode=0o600)
        with _opened(f"sqlite:///{rows}") as database:
            migrate.upgrade(database)
            Loader(self.bag, database, Vault.in_folder(self.staging), self.envelope, self.invites).load(self.progress)

    def _keep_files(self) -> None:
        store = open_store(self.settings.blobs_url, self.staging)
        with self.progress("Copying files", self.bag.head.files.count) as advance:
            for sha256 in self.bag.files():
                self._keep(store, sha256)
                advance(1)

    def _keep(self, store: BlobStore, sha256: str) -> None:
        path = layout.file_path(sha256)
        with self.bag.open(path) as reader:
            size = os.fstat(reader.fileno()).st_size
            try:
                if store.size(sha256) == size:
                    return
            except NotFound:
                pass  # it is kept below
            with store.spool(reader, size) as spooled:
                if spooled.sha256 != sha256:
                    raise Invalid(f"The export is damaged or was changed: {path} has changed.", field="source")
                store.keep(spooled)

    def _place(self) -> None:
        """Move everything to its place, the database last. Each step may be repeated."""
        data, rows = self.settings.data_dir, self.staging / ROWS
        if rows.exists():
            if (data / ROWS).exists():
                raise Conflict(f"Another instance was made in {data} meanwhile: remove it, then go on.", field="data")
            set_owner(self.staging, data)
            for name in ("blobs", KEY):
                if (self.staging / name).exists() and not (data / name).exists():
                    (self.staging / name).rename(data / name)
            self._place_rows(rows)
            sync(data)
        shutil.rmtree(self.staging)

    def _place_rows(self, rows: Path) -> None:
        url = self.settings.database_url
        with _opened(f"sqlite:///{rows}") as local:
            Loader.forget_progress(local)
            if url:
                _copy_to(url, local)
        connection = sqlite3.connect(rows)
        connection.execute("PRAGMA journal_mode=DELETE")  # no other file belongs to it any more
        connection.close()
        if url:
            rows.unlink()
        else:
            rows.rename(self.settings.data_dir / ROWS)


def _copy_to(url: str, local: Database) -> None:
    """Copy all rows to PostgreSQL in one transaction. Rows that are there are those of a run that was killed after it:
    the database was empty when the import began."""
    with _opened(url) as target:
        migrate.upgrade(target)
        if not _has_rows(target):
            copy_rows(local, target)


def _has_rows(database: Database) -> bool:
    with database.read() as work:
        return any(
            work.db.scalar(sa.select(sa.literal(1)).select_from(kind.table).limit(1)) is not None for kind in KINDS
        )


@contextmanager
def _opened(url: str) -> Iterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        database.close()


def _write_private(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as writer:
        writer.write(content)
        writer.flush()
        os.fsync(writer.fileno())
