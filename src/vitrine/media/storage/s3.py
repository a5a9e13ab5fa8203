"""Blobs in an object store (S3 and compatible stores, Google's, Azure's), through obstore.

An object appears under its name only when it is complete: these stores guarantee it for a put and for a multipart
upload. Bytes stream through our server, so every reader passes the same checks and gets the same headers; see
docs/decisions/0031-object-stores.md.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any, BinaryIO, cast
from urllib.parse import parse_qsl, urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError, UnknownConfigurationKeyError
from obstore.store import from_url

from vitrine.errors import Invalid, NotFound, Unavailable
from vitrine.media.storage.base import Listed, Spooled, Stored
from vitrine.media.storage.spool import DIGEST, Spool, as_unavailable, check_digest

PART = 8 << 20
AT_ONCE = 4  # parts in memory together: 32 MiB an upload
FIRST_READ, LONGEST_READ = 256 << 10, 4 << 20
YOUNG_FOR = timedelta(hours=1)
OPTIONS = frozenset({"endpoint", "region", "virtual_hosted_style_request", "allow_http"})


class ObjectStore(Spool):
    """A `BlobStore` in one bucket, under an optional prefix; objects are called `ab/cd/<sha256>` there."""

    def __init__(self, store: obstore.store.ObjectStore, incoming: Path) -> None:
        super().__init__(incoming)
        self._store = store

    @classmethod
    def at(cls, url: str, incoming: Path) -> "ObjectStore":
        """`s3://bucket/prefix?endpoint=…&region=…`. Credentials come from the environment variables of the store's own
        tools (AWS_ACCESS_KEY_ID, …), never from the address. Raises Invalid."""
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query))
        if unknown := set(options) - OPTIONS:
            raise Invalid(f"blobs_url has an unknown option: {min(unknown)}.", field="blobs_url")
        if not parts.hostname or parts.username or parts.password:
            raise Invalid("blobs_url needs a bucket and no credentials: set them in the environment.")
        config: dict[str, str] = {name: value for name, value in options.items() if name != "allow_http"}
        client = {"allow_http": options.get("allow_http", "").lower() == "true", "timeout": "300s"}
        try:
            open_url: Any = from_url  # its type hints differ for each kind of store
            store = open_url(
                f"{parts.scheme}://{parts.netloc}{parts.path}",
                config=config,
                client_options=client,
                retry_config={"max_retries": 4, "retry_timeout": timedelta(seconds=60)},
            )
        except (BaseError, UnknownConfigurationKeyError, ValueError) as failure:
            raise Invalid(f"blobs_url cannot be used: {str(failure)[:200]}", field="blobs_url") from None
        return cls(store, incoming)

    @staticmethod
    def _key(sha256: str) -> str:
        check_digest(sha256)
        return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"

    def keep(self, spooled: Spooled) -> Stored:
        key = self._key(spooled.sha256)
        with as_unavailable(), _failures(spooled.sha256):
            if not self._is_young(key, spooled.size):
                # Writing the same bytes again renews the object's age: the sweep must not delete it before the new
                # record refers to it.
                with spooled.path.open("rb") as reader:
                    obstore.put(
                        self._store,
                        key,
                        reader,
                        use_multipart=spooled.size > PART,
                        chunk_size=PART,
                        max_concurrency=AT_ONCE,
                    )
                if obstore.head(self._store, key)["size"] != spooled.size:
                    raise Unavailable("The object store kept only part of a file.", why=f"blob {spooled.sha256}")
        return Stored(spooled.sha256, spooled.size)

    def _is_young(self, key: str, size: int) -> bool:
        try:
            head = obstore.head(self._store, key)
        except (NotFoundError, FileNotFoundError):
            return False
        return head["size"] == size and datetime.now(UTC) - head["last_modified"] < YOUNG_FOR

    def open(self, sha256: str) -> BinaryIO:
        return cast(BinaryIO, _Reader(self._store, self._key(sha256), sha256, self.size(sha256)))

    def size(self, sha256: str) -> int:
        with _failures(sha256):
            return int(obstore.head(self._store, self._key(sha256))["size"])

    def modified(self, sha256: str) -> datetime:
        with _failures(sha256):
            return obstore.head(self._store, self._key(sha256))["last_modified"]

    def delete(self, sha256: str) -> None:
        with _failures(sha256):
            try:
                obstore.delete(self._store, self._key(sha256))
            except (NotFoundError, FileNotFoundError):
                return

    def listing(self, after: str = "") -> Iterator[Listed]:
        """S3 lists keys in the order of their bytes, which is that of the digests in them."""
        parts = (after[:2], after[2:4], after[4:] and after)
        offset = "/".join(part for part in parts if part) or None
        with _failures(""):
            for page in obstore.list(self._store, offset=offset, chunk_size=1000):
                for entry in page:
                    name = entry["path"].rpartition("/")[2]
                    if DIGEST.fullmatch(name) and name > after:
                        yield Listed(name, int(entry["size"]), entry["last_modified"])

    def older_than(self, age: timedelta, after: str = "") -> Iterator[str]:
        limit = datetime.now(UTC) - age
        return (blob.sha256 for blob in self.listing(after) if blob.modified <= limit)

    def probe(self) -> None:
        self.probe_spool()
        key = f"probe/{token_hex(8)}"
        with _failures(""):
            obstore.put(self._store, key, b"probe")
            obstore.delete(self._store, key)


@contextmanager
def _failures(sha256: str) -> Iterator[None]:
    """Translate errors of the store into refusals: the object is missing, or the store is unreachable."""
    try:
        yield
    except (NotFoundError, FileNotFoundError):
        raise NotFound("The file is missing from the store.", why=f"blob {sha256}") from None
    except (BaseError, PermissionError) as failure:
        # The library's text names addresses and request keys, never credentials; its first line is enough.
        why = f"{type(failure).__name__}: {str(failure).splitlines()[0][:200]}"
        raise Unavailable("The object store does not answer.", why=why, retry_after_s=60) from failure


class _Reader(io.RawIOBase):
    """A seekable reader that fetches ranges. They grow while reading is sequential: a video is fetched in pieces of 4
    MiB, a single seek in one of 256 KiB. At most one piece is in memory."""

    def __init__(self, store: obstore.store.ObjectStore, key: str, sha256: str, size: int) -> None:
        super().__init__()
        self._store, self._key, self._sha256, self._size = store, key, sha256, size
        self._position = 0
        self._piece, self._piece_start = memoryview(b""), 0
        self._read_ahead = FIRST_READ

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("before the beginning")
        self._position = base + offset
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        """Exactly *size* bytes, fewer only at the end, like a buffered file."""
        remaining = self._size - self._position if size is None or size < 0 else min(size, self._size - self._position)
        parts = []
        while remaining > 0:
            part = self._read_some(remaining)
            parts.append(part)
            remaining -= len(part)
        return b"".join(parts)

    def readall(self) -> bytes:
        return self.read()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # the type that io passes
        part = self._read_some(min(len(buffer), self._size - self._position)) if self._position < self._size else b""
        buffer[: len(part)] = part
        return len(part)

    def _read_some(self, most: int) -> bytes:
        """1 to *most* bytes from the current position, which must not be the end."""
        offset = self._position - self._piece_start
        if not 0 <= offset < len(self._piece):
            self._fetch(most)
            offset = 0
        part = bytes(self._piece[offset : offset + most])
        self._position += len(part)
        return part

    def _fetch(self, wanted_bytes: int) -> None:
        is_sequential = self._position == self._piece_start + len(self._piece) and len(self._piece) > 0
        self._read_ahead = min(LONGEST_READ, self._read_ahead * 2) if is_sequential else FIRST_READ
        end = min(self._size, self._position + max(min(wanted_bytes, LONGEST_READ), self._read_ahead))
        with _failures(self._sha256):
            piece = obstore.get_range(self._store, self._key, start=self._position, end=end)
        if len(piece) != end - self._position:
            raise Unavailable("The object store sent only part of a file.", why=f"blob {self._sha256}")
        self._piece, self._piece_start = memoryview(piece), self._position
