"""A memory cache of small, often requested files in front of a store."""

import threading
from collections import OrderedDict

from vitrine.media.storage.base import BlobStore, HasPaths


class HotFiles:
    """The most recently read files of at most *largest* bytes each and *budget* bytes together.

    Blobs never change, so the cache cannot be stale. Callers check the right to read on every request. Thread-safe.
    """

    def __init__(self, store: BlobStore, *, largest: int = 64 * 1024, budget: int = 32 * 2**20) -> None:
        self.largest = largest
        self.is_near = isinstance(store, HasPaths)
        self._store = store
        self._budget = budget
        self._cached: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self._guard = threading.Lock()

    def at_hand(self, sha256: str) -> bytes | None:
        """The whole file if it is in memory or on a local disk; otherwise None."""
        if self.is_near:
            return self.read(sha256)
        with self._guard:
            return self._cached.get(sha256)

    def read(self, sha256: str) -> bytes:
        """The whole file. Raises NotFound if the store has lost it."""
        with self._guard:
            cached = self._cached.get(sha256)
            if cached is not None:
                self._cached.move_to_end(sha256)
                return cached
        with self._store.open(sha256) as file:
            content = file.read()
        if len(content) <= self.largest:
            self._keep(sha256, content)
        return content

    def _keep(self, sha256: str, content: bytes) -> None:
        with self._guard:
            if sha256 in self._cached:
                return
            self._cached[sha256] = content
            self._size += len(content)
            while self._size > self._budget:
                _, oldest = self._cached.popitem(last=False)
                self._size -= len(oldest)
