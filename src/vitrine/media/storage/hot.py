"""A memory cache of small, often requested files in front of a store."""

from vitrine.media.storage.base import BlobStore, HasPaths
from vitrine.platform.cache import Cache


class HotFiles:
    """The most recently read files of at most *largest* bytes each and *budget* bytes together.

    Blobs never change, so the cache cannot be stale. Callers check the right to read on every request. Thread-safe.
    """

    def __init__(self, store: BlobStore, *, largest: int = 64 * 1024, budget: int = 32 * 2**20) -> None:
        self.largest = largest
        self.is_near = isinstance(store, HasPaths)
        self._store = store
        self._held: Cache[str, bytes] = Cache("files", budget, weigh=len)

    def cached_or_local(self, sha256: str) -> bytes | None:
        """The whole file if it is in memory or on a local disk; otherwise None."""
        if self.is_near:
            return self.read(sha256)
        return self._held.get(sha256)

    def read(self, sha256: str) -> bytes:
        """The whole file. Raises NotFound when the store has lost it."""
        known = self._held.get(sha256)
        if known is not None:
            return known
        with self._store.open(sha256) as file:
            content = file.read()
        if len(content) <= self.largest:
            self._held.put(sha256, content)  # blobs never change
        return content
