"""Small files that are asked for again and again, kept in memory in front of a store."""

from vitrine.media.storage.base import BlobStore, HasPaths
from vitrine.platform.cache import Cache


class HotFiles:
    """The most recently read files of at most *largest* bytes each and *budget* bytes together.

    Blobs never change, so nothing here can be stale; who may read one is asked before, on every request. Thread-safe.
    """

    def __init__(self, store: BlobStore, *, largest: int = 64 * 1024, budget: int = 32 * 2**20) -> None:
        self.largest = largest
        self.is_near = isinstance(store, HasPaths)
        self._store = store
        self._held: Cache[str, bytes] = Cache("files", budget, weigh=len)

    def at_hand(self, sha256: str) -> bytes | None:
        """The whole file when it costs no journey: from memory, or from a disk of this machine. Else None."""
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
