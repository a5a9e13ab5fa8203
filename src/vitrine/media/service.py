"""The capability as others use it: look at a file, keep it, make its renditions. No decoder is imported here."""

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import BinaryIO

import msgspec

from vitrine.errors import NotFound, Unavailable
from vitrine.media.errors import BY_CODE, Killed, MediaError, NoRoom, Undecodable
from vitrine.media.probe import Limits, Probe
from vitrine.media.renditions import Made, Spec
from vitrine.media.sandbox import Sandbox
from vitrine.media.storage import BlobStore, HasPaths, Spooled, Stored
from vitrine.media.storage.hot import HotFiles

PROBE_TIMEOUT = timedelta(seconds=60)
PICTURE_TIMEOUT = timedelta(seconds=120)
FILM_TIMEOUT = timedelta(hours=2)
HUGE_BYTES = 1 << 50


@dataclass(frozen=True, slots=True)
class Media:
    """Documents as bytes and pictures; knows nothing of records."""

    store: BlobStore
    sandbox: Sandbox
    limits: Limits
    scratch_root: Path
    max_bytes: int
    hot: HotFiles = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hot", HotFiles(self.store))

    def spool(self, source: BinaryIO | Path) -> AbstractContextManager[Spooled]:
        """Copy a file in; raises FileTooLarge or Unavailable."""
        return self.store.spool(source, self.max_bytes)

    def probe(self, path: Path, name: str) -> Probe:
        """Look at a file in a killable child. Raises a MediaError that says in plain words what is wrong."""
        arguments = {
            "path": str(path),
            "name": name,
            "max_pixels": self.limits.max_pixels,
            "max_duration_s": self.limits.max_duration_s,
        }
        try:
            found = self.sandbox.call("probe", arguments, timeout=PROBE_TIMEOUT)
        except Killed:  # somebody else's doing: once more
            found = self.sandbox.call("probe", arguments, timeout=PROBE_TIMEOUT)
        except NoRoom as failure:
            raise Unavailable(failure.detail, why=failure.why, retry_after_s=60) from failure
        return msgspec.convert(found, Probe)

    def keep(self, spooled: Spooled) -> Stored:
        return self.store.keep(spooled)

    def keep_file(self, path: Path) -> Stored:
        """Keep a file that was made here."""
        with self.store.spool(path, HUGE_BYTES) as spooled:
            return self.store.keep(spooled)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder that goes with everything in it."""
        self.scratch_root.mkdir(parents=True, exist_ok=True)
        folder = Path(mkdtemp(dir=self.scratch_root))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def make_many(
        self, sha256: str, kind: str, mime: str, specs: list[Spec], into: Path
    ) -> list[Made | tuple[str, MediaError]]:
        """Make renditions into *into*. A failure is a value beside the others, so that one never spoils the rest."""
        if not specs:
            return []
        try:
            with self._as_path(sha256, into) as source:
                arguments = {
                    "source": str(source),
                    "kind": kind,
                    "mime": mime,
                    "specs": [asdict(one) for one in specs],
                    "into": str(into),
                }
                timeout = FILM_TIMEOUT if kind == "video" else PICTURE_TIMEOUT
                results = self.sandbox.call("make_many", arguments, timeout=timeout)
        except NotFound as missing:
            failure = Undecodable("The original is missing from the store.", why=missing.why)
            return [(one.name, failure) for one in specs]
        except MediaError as failure:
            return [(one.name, failure) for one in specs]
        return [_result(one) for one in results]

    @contextmanager
    def _as_path(self, sha256: str, into: Path) -> Iterator[Path]:
        if isinstance(self.store, HasPaths):
            path = self.store.path(sha256)
            if not path.exists():
                raise NotFound("The file is missing from the store.", why=f"blob {sha256}")
            yield path
            return
        copy = into / "source"
        with self.store.open(sha256) as reader, copy.open("wb") as writer:
            shutil.copyfileobj(reader, writer, 1 << 20)
        yield copy

    # -- for the sweep -------------------------------------------------------------------------------------------

    def old_blobs(self, age: timedelta) -> Iterator[str]:
        return self.store.older_than(age)

    def is_old(self, sha256: str, age: timedelta) -> bool:
        """False for a blob that was kept again meanwhile, or has gone."""
        try:
            return datetime.now(UTC) - self.store.modified(sha256) >= age
        except NotFound:
            return False

    def forget(self, sha256: str) -> None:
        self.store.delete(sha256)

    def sweep_spool(self, age: timedelta) -> int:
        """Delete left-overs of interrupted uploads."""
        return self.store.sweep_spool(age)

    def clear_scratch(self) -> None:
        """Delete what decoders left that were killed: for the one worker, when it starts."""
        if self.scratch_root.exists():
            for folder in self.scratch_root.iterdir():
                shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        self.sandbox.close()


def _result(one: dict[str, object]) -> Made | tuple[str, MediaError]:
    if "code" in one:
        kind = BY_CODE.get(str(one["code"]), MediaError)
        return str(one["name"]), kind(str(one["detail"]), why=str(one.get("why", "")))
    return msgspec.convert({**one, "path": str(one["path"])}, Made, dec_hook=_path)


def _path(kind: type, value: object) -> object:
    if kind is Path:
        return Path(str(value))
    raise NotImplementedError(kind)
