"""The capability as others use it: look at a file, keep it, make its renditions. No decoder is imported here."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, BinaryIO

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
PAGE_TIMEOUT = timedelta(seconds=30)
MOST_PAGE_PX = 4096
HUGE_BYTES = 1 << 50


@dataclass(frozen=True, slots=True)
class Page:
    """The picture of one page: a JPEG, its size in pixels, and how many pages the document has."""

    jpeg: bytes
    width: int
    height: int
    pages: int


@dataclass(frozen=True, slots=True)
class AlbumPage:
    """A photograph of an album with its words."""

    path: Path
    mime: str
    title: str
    texts: tuple[str, ...]


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
            raise Unavailable(failure.template, why=failure.why, values=failure.values, retry_after_s=60) from failure
        return msgspec.convert(found, Probe)

    def probe_kept(self, sha256: str, name: str) -> Probe:
        """The same for a file that is kept already. Raises NotFound besides."""
        with self.scratch() as folder, self._as_path(sha256, folder) as source:
            return self.probe(source, name)

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
                    "mime": mime,
                    "specs": [asdict(one) for one in specs],
                    "into": str(into),
                }
                timeout = FILM_TIMEOUT if kind in ("video", "audio") else PICTURE_TIMEOUT
                results = self.sandbox.call("make_many", arguments, timeout=timeout)
        except NotFound as missing:
            failure = Undecodable("The original is missing from the store.", why=missing.why)
            return [(one.name, failure) for one in specs]
        except MediaError as failure:
            return [(one.name, failure) for one in specs]
        return [_result(one) for one in results]

    def page(self, sha256: str, number: int, size: int) -> Page:
        """Page *number* (from 1) of a PDF that is kept, its longest side *size* pixels (at most MOST_PAGE_PX).

        Raises NotFound for a page or a file that is not there, MediaError for one that cannot be drawn.
        """
        with self.scratch() as folder, self._as_path(sha256, folder) as source:
            target = folder / "page.jpg"
            asked = min(max(size, 1), MOST_PAGE_PX)
            arguments = {"source": str(source), "number": number, "size": asked, "target": str(target)}
            drawn = self.sandbox.call("page", arguments, timeout=PAGE_TIMEOUT)
            if not drawn["width"]:
                raise NotFound(
                    "There is no page {number}: the document has {pages}.",
                    values={"number": number, "pages": drawn["pages"]},
                )
            return Page(target.read_bytes(), drawn["width"], drawn["height"], drawn["pages"])

    def album(self, target: Path, title: str, subtitle: str, pages: list[AlbumPage], packet: bytes) -> int:
        """Put photographs with their words together as a PDF at *target*; *packet* is its XMP. Returns its pages."""
        arguments: dict[str, Any] = {"target": str(target), "title": title, "subtitle": subtitle, "packet": packet}
        arguments["pages"] = [{**asdict(one), "path": str(one.path)} for one in pages]
        return int(self.sandbox.call("album", arguments, timeout=PICTURE_TIMEOUT))

    def make_from(self, path: Path, mime: str, spec: Spec, into: Path) -> Made:
        """One rendition of a file that is not kept here. Raises MediaError."""
        arguments = {"source": str(path), "mime": mime, "specs": [asdict(spec)], "into": str(into)}
        result = _result(self.sandbox.call("make_many", arguments, timeout=PICTURE_TIMEOUT)[0])
        if isinstance(result, Made):
            return result
        raise result[1]

    def mark(self, sha256: str, mime: str, spec: dict[str, Any], into: Path) -> Made:
        """A marked copy of a picture in the folder *into*; *spec* is what `renditions/marks.py` takes, with digests
        where that has files (`picture`, `logo`). Raises a MediaError, NotFound or Unavailable."""
        with ExitStack() as held:

            def located(digest: str) -> str:
                return str(self._beside(held, digest, into))

            arguments = {"source": located(sha256), "mime": mime, "spec": _with_files(spec, located), "into": str(into)}
            made = _result(self.sandbox.call("mark", arguments, timeout=PICTURE_TIMEOUT))
        assert isinstance(made, Made)
        return made

    def _beside(self, held: ExitStack, sha256: str, into: Path) -> Path:
        folder = into / sha256[:16]
        folder.mkdir(exist_ok=True)
        return held.enter_context(self._as_path(sha256, folder))

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


def _with_files(value: Any, located: Callable[[str], str]) -> Any:
    """*value* with the digests of its pictures replaced by paths."""
    if isinstance(value, list):
        return [_with_files(one, located) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: located(one) if name in ("picture", "logo") and one else _with_files(one, located)
        for name, one in value.items()
    }


def _result(one: dict[str, object]) -> Made | tuple[str, MediaError]:
    if "code" in one:
        kind = BY_CODE.get(str(one["code"]), MediaError)
        return str(one["name"]), kind(str(one["detail"]), why=str(one.get("why", "")))
    return msgspec.convert({**one, "path": str(one["path"])}, Made, dec_hook=_path)


def _path(kind: type, value: object) -> object:
    if kind is Path:
        return Path(str(value))
    raise NotImplementedError(kind)
