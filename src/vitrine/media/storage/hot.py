"""Small files that are asked for again and again, kept in memory in front of a store."""

import threading
from collections import OrderedDict

from vitrine.media.storage.base import BlobStore, HasPaths


class HotFiles:
    """The most recently read files of at most *largest* bytes each and *budget* bytes together.

    Blobs never change, so nothing here can be stale; who may read one is asked before, on every request. Thread-safe.
    """

    def __init__(self, store: BlobStore, *, largest: int = 64 * 1024, budget: int = 32 * 2**20) -> None:
        self.largest = largest
        self.is_near = isinstance(store, HasPaths)
        self._store = store
        self._budget = budget
        self._held: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self._guard = threading.Lock()

    def at_hand(self, sha256: str) -> bytes | None:
        """The whole file when it costs no journey: from memory, or from a disk of this machine. Else None."""
        if self.is_near:
            return self.read(sha256)
        with self._guard:
            return self._held.get(sha256)

    def read(self, sha256: str) -> bytes:
        """The whole file. Raises NotFound when the store has lost it."""
        with self._guard:
            known = self._held.get(sha256)
            if known is not None:
                self._held.move_to_end(sha256)
                return known
        with self._store.open(sha256) as file:
            found = file.read()
        if len(found) <= self.largest:
            self._keep(sha256, found)
        return found

    def _keep(self, sha256: str, found: bytes) -> None:
        with self._guard:
            if sha256 in self._held:
                return
            self._held[sha256] = found
            self._size += len(found)
            while self._size > self._budget:
                _, oldest = self._held.popitem(last=False)
                self._size -= len(oldest)
