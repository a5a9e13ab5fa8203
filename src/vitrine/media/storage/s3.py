"""Blobs in an object store (S3 and what speaks like it, Google's, Azure's), through obstore.

An object appears under its name only when it is whole: that is what these stores promise of a put and of a multipart
upload. Bytes stream through our server, so that every reader passes the same gate and gets the same headers; see
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
from vitrine.media.storage.base import Spooled, Stored
from vitrine.media.storage.spool import DIGEST, Spool, as_unavailable, checked

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
        """`s3://bucket/prefix?endpoint=…&region=…`; credentials come from the environment as the store's own tools
        take them (AWS_ACCESS_KEY_ID, …), never from the address. Raises Invalid."""
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query))
        if unknown := set(options) - OPTIONS:
            raise Invalid(f"blobs_url has an unknown option: {min(unknown)}.", field="blobs_url")
        if not parts.hostname or parts.username or parts.password:
            raise Invalid("blobs_url needs a bucket, and no credentials: they stand in the environment.")
        given: dict[str, str] = {name: value for name, value in options.items() if name != "allow_http"}
        client = {"allow_http": options.get("allow_http", "").lower() == "true", "timeout": "300s"}
        try:
            opened: Any = from_url  # its types know each kind of store by its own options
            store = opened(
                f"{parts.scheme}://{parts.netloc}{parts.path}",
                config=given,
                client_options=client,
                retry_config={"max_retries": 4, "retry_timeout": timedelta(seconds=60)},
            )
        except (BaseError, UnknownConfigurationKeyError, ValueError) as failure:
            raise Invalid(f"blobs_url cannot be used: {str(failure)[:200]}", field="blobs_url") from None
        return cls(store, incoming)

    @staticmethod
    def _key(sha256: str) -> str:
        checked(sha256)
        return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"

    def keep(self, spooled: Spooled) -> Stored:
        key = self._key(spooled.sha256)
        with as_unavailable(), _failures(spooled.sha256):
            if not self._is_young(key, spooled.size):
                # The same bytes again make an old object young: the sweep must leave it to the record to come.
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
                    raise Unavailable("The object store kept a file in part only.", why=f"blob {spooled.sha256}")
        return Stored(spooled.sha256, spooled.size)

    def _is_young(self, key: str, size: int) -> bool:
        try:
            found = obstore.head(self._store, key)
        except (NotFoundError, FileNotFoundError):
            return False
        return found["size"] == size and datetime.now(UTC) - found["last_modified"] < YOUNG_FOR

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

    def older_than(self, age: timedelta) -> Iterator[str]:
        limit = datetime.now(UTC) - age
        with _failures(""):
            for page in obstore.list(self._store, chunk_size=1000):
                for one in page:
                    name = one["path"].rpartition("/")[2]
                    if DIGEST.fullmatch(name) and one["last_modified"] <= limit:
                        yield name

    def probe(self) -> None:
        self.probe_spool()
        key = f"probe/{token_hex(8)}"
        with _failures(""):
            obstore.put(self._store, key, b"probe")
            obstore.delete(self._store, key)


@contextmanager
def _failures(sha256: str) -> Iterator[None]:
    """What the store says, as a refusal: it is missing, or the store is out of reach."""
    try:
        yield
    except (NotFoundError, FileNotFoundError):
        raise NotFound("The file is missing from the store.", why=f"blob {sha256}") from None
    except (BaseError, PermissionError) as failure:
        # The library's text names addresses and keys of requests, never credentials; one line of it is enough.
        why = f"{type(failure).__name__}: {str(failure).splitlines()[0][:200]}"
        raise Unavailable("The object store does not answer.", why=why, retry_after_s=60) from failure


class _Reader(io.RawIOBase):
    """A seekable reader by ranges, which grow while one reads on: a film is fetched in pieces of 4 MiB, the end of an
    index in one of 256 KiB. At most one piece is in memory."""

    def __init__(self, store: obstore.store.ObjectStore, key: str, sha256: str, size: int) -> None:
        super().__init__()
        self._store, self._key, self._sha256, self._size = store, key, sha256, size
        self._at = 0
        self._piece, self._from = memoryview(b""), 0
        self._ahead = FIRST_READ

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("before the beginning")
        self._at = base + offset
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        """Exactly *size* bytes but at the end, as a buffered file gives them."""
        left = self._size - self._at if size is None or size < 0 else min(size, self._size - self._at)
        parts = []
        while left > 0:
            part = self._some(left)
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    def readall(self) -> bytes:
        return self.read()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # what io calls with
        part = self._some(min(len(buffer), self._size - self._at)) if self._at < self._size else b""
        buffer[: len(part)] = part
        return len(part)

    def _some(self, most: int) -> bytes:
        """1 to *most* bytes from here; the caller knows that there are some."""
        inside = self._at - self._from
        if not 0 <= inside < len(self._piece):
            self._fetch(most)
            inside = 0
        part = bytes(self._piece[inside : inside + most])
        self._at += len(part)
        return part

    def _fetch(self, wanted: int) -> None:
        goes_on = self._at == self._from + len(self._piece) and len(self._piece) > 0
        self._ahead = min(LONGEST_READ, self._ahead * 2) if goes_on else FIRST_READ
        end = min(self._size, self._at + max(min(wanted, LONGEST_READ), self._ahead))
        with _failures(self._sha256):
            piece = obstore.get_range(self._store, self._key, start=self._at, end=end)
        if len(piece) != end - self._at:
            raise Unavailable("The object store sent a part of a file only.", why=f"blob {self._sha256}")
        self._piece, self._from = memoryview(piece), self._at
