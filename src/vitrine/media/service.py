"""The public service: probe a file, store it, make its renditions. No decoder is imported here."""

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
from vitrine.media.renditions import MadeRendition, Spec
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
    """The picture of one page: a JPEG, its size in pixels, and the number of pages of the document."""

    jpeg: bytes
    width: int
    height: int
    pages: int


@dataclass(frozen=True, slots=True)
class AlbumPage:
    """One photograph of an album, with its title and texts."""

    path: Path
    mime: str
    title: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Media:
    """Documents as bytes and pictures, independent of records."""

    store: BlobStore
    sandbox: Sandbox
    limits: Limits
    scratch_root: Path
    max_bytes: int
    hot: HotFiles = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hot", HotFiles(self.store))

    def spool(self, source: BinaryIO | Path) -> AbstractContextManager[Spooled]:
        """Copy a file into the spool. Raises FileTooLarge or Unavailable."""
        return self.store.spool(source, self.max_bytes)

    def probe(self, path: Path, name: str) -> Probe:
        """Probe a file in a killable child. Raises a MediaError that says in plain words what is wrong."""
        arguments = {
            "path": str(path),
            "name": name,
            "max_pixels": self.limits.max_pixels,
            "max_duration_s": self.limits.max_duration_s,
        }
        try:
            probed = self.sandbox.call("probe", arguments, timeout=PROBE_TIMEOUT)
        except Killed:  # not the file's fault: try once more
            probed = self.sandbox.call("probe", arguments, timeout=PROBE_TIMEOUT)
        except NoRoom as failure:
            raise Unavailable(failure.template, why=failure.why, values=failure.values, retry_after_s=60) from failure
        return msgspec.convert(probed, Probe)

    def read_sidecar(self, content: bytes) -> dict[str, list[str]]:
        """The properties of an XMP sidecar as `XMP-dc:Title` -> values, read in a killable child. Raises a MediaError
        if it is not XMP."""
        tags = self.sandbox.call("sidecar", {"content": content}, timeout=PAGE_TIMEOUT)
        return msgspec.convert(tags, dict[str, list[str]])

    def probe_stored(self, sha256: str, name: str) -> Probe:
        """Probe a file that is already stored. Also raises NotFound."""
        with self.scratch() as folder, self._local_path(sha256, folder) as source:
            return self.probe(source, name)

    def store_spooled(self, spooled: Spooled) -> Stored:
        return self.store.keep(spooled)

    def store_file(self, path: Path) -> Stored:
        """Store a file that this server made."""
        with self.store.spool(path, HUGE_BYTES) as spooled:
            return self.store.keep(spooled)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A temporary folder, deleted with everything in it."""
        self.scratch_root.mkdir(parents=True, exist_ok=True)
        folder = Path(mkdtemp(dir=self.scratch_root))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def make_renditions(
        self, sha256: str, kind: str, mime: str, specs: list[Spec], into: Path
    ) -> list[MadeRendition | tuple[str, MediaError]]:
        """Make renditions in the folder *into*. Failures are returned as values, so one does not affect the others."""
        if not specs:
            return []
        try:
            with self._local_path(sha256, into) as source:
                arguments = {
                    "source": str(source),
                    "mime": mime,
                    "specs": [asdict(spec) for spec in specs],
                    "into": str(into),
                }
                timeout = FILM_TIMEOUT if kind in ("video", "audio") else PICTURE_TIMEOUT
                results = self.sandbox.call("make_many", arguments, timeout=timeout)
        except NotFound as missing:
            failure = Undecodable("The original is missing from the store.", why=missing.why)
            return [(spec.name, failure) for spec in specs]
        except MediaError as failure:
            return [(spec.name, failure) for spec in specs]
        return [_result(result) for result in results]

    def page(self, sha256: str, number: int, size: int) -> Page:
        """Page *number* (from 1) of a stored PDF, with a longest side of *size* pixels (at most MOST_PAGE_PX).

        Raises NotFound if the page or the file does not exist, MediaError if it cannot be drawn.
        """
        with self.scratch() as folder, self._local_path(sha256, folder) as source:
            target = folder / "page.jpg"
            size_px = min(max(size, 1), MOST_PAGE_PX)
            arguments = {"source": str(source), "number": number, "size": size_px, "target": str(target)}
            drawn_page = self.sandbox.call("page", arguments, timeout=PAGE_TIMEOUT)
            if not drawn_page["width"]:
                raise NotFound(
                    "There is no page {number}: the document has {pages}.",
                    values={"number": number, "pages": drawn_page["pages"]},
                )
            return Page(target.read_bytes(), drawn_page["width"], drawn_page["height"], drawn_page["pages"])

    def album(self, target: Path, title: str, subtitle: str, pages: list[AlbumPage], packet: bytes) -> int:
        """Compose photographs and their texts into a PDF at *target*; *packet* is its XMP. Returns the number of
        pages."""
        arguments: dict[str, Any] = {"target": str(target), "title": title, "subtitle": subtitle, "packet": packet}
        arguments["pages"] = [{**asdict(page), "path": str(page.path)} for page in pages]
        return int(self.sandbox.call("album", arguments, timeout=PICTURE_TIMEOUT))

    def make_one(self, path: Path, mime: str, spec: Spec, into: Path) -> MadeRendition:
        """Make one rendition of a file that is not in the store. Raises MediaError."""
        arguments = {"source": str(path), "mime": mime, "specs": [asdict(spec)], "into": str(into)}
        result = _result(self.sandbox.call("make_many", arguments, timeout=PICTURE_TIMEOUT)[0])
        if isinstance(result, MadeRendition):
            return result
        raise result[1]

    def apply_overlay(self, sha256: str, mime: str, spec: dict[str, Any], into: Path) -> MadeRendition:
        """Draw an overlay on a copy of a picture, in the folder *into*. *spec* is that of `renditions/overlays.py`,
        with digests instead of files (`picture`, `logo`). Raises a MediaError, NotFound or Unavailable."""
        with ExitStack() as stack:

            def path_of(digest: str) -> str:
                return str(self._path_in_folder(stack, digest, into))

            arguments = {"source": path_of(sha256), "mime": mime, "spec": _with_paths(spec, path_of), "into": str(into)}
            result = _result(self.sandbox.call("overlay", arguments, timeout=PICTURE_TIMEOUT))
        assert isinstance(result, MadeRendition)
        return result

    def _path_in_folder(self, stack: ExitStack, sha256: str, into: Path) -> Path:
        folder = into / sha256[:16]
        folder.mkdir(exist_ok=True)
        return stack.enter_context(self._local_path(sha256, folder))

    @contextmanager
    def _local_path(self, sha256: str, into: Path) -> Iterator[Path]:
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

    def is_old(self, sha256: str, age: timedelta) -> bool:
        """False if the blob was stored again in the meantime or no longer exists."""
        try:
            return datetime.now(UTC) - self.store.modified(sha256) >= age
        except NotFound:
            return False

    def delete_blob(self, sha256: str) -> None:
        self.store.delete(sha256)

    def sweep_spool(self, age: timedelta) -> int:
        """Delete the leftovers of interrupted uploads."""
        return self.store.sweep_spool(age)

    def clear_scratch(self) -> None:
        """Delete the files of killed decoders. Only the worker calls this, when it starts."""
        if self.scratch_root.exists():
            for folder in self.scratch_root.iterdir():
                shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        self.sandbox.close()


def _with_paths(value: Any, path_of: Callable[[str], str]) -> Any:
    """*value* with the digests of its pictures replaced by paths."""
    if isinstance(value, list):
        return [_with_paths(item, path_of) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: path_of(member) if name in ("picture", "logo") and member else _with_paths(member, path_of)
        for name, member in value.items()
    }


def _result(result: dict[str, object]) -> MadeRendition | tuple[str, MediaError]:
    if "code" in result:
        kind = BY_CODE.get(str(result["code"]), MediaError)
        return str(result["name"]), kind(str(result["detail"]), why=str(result.get("why", "")))
    return msgspec.convert({**result, "path": str(result["path"])}, MadeRendition, dec_hook=_path)


def _path(kind: type, value: object) -> object:
    if kind is Path:
        return Path(str(value))
    raise NotImplementedError(kind)
