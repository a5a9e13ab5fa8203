"""The one bounded LRU cache for what is data, with counters of hits and misses for /metrics.

Pure functions keep `functools.lru_cache`. A library was measured: a hit costs four times as much there
(docs/decisions/0087).
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakSet

K = TypeVar("K")
V = TypeVar("V")


class Transaction(Protocol):
    """The part of a unit of work that decides whether its rows may be kept."""

    @property
    def writable(self) -> bool: ...


@dataclass(slots=True)
class Counters:
    """What the caches of one name were asked since the process started. They may miss a few under threads."""

    hits: int = 0
    misses: int = 0
    evictions: int = 0
    caches: "WeakSet[Cache[Any, Any]]" = field(default_factory=WeakSet)

    @property
    def entries(self) -> int:
        with _registry:
            return sum(len(cache) for cache in self.caches)


_counters: dict[str, Counters] = {}
_registry = threading.Lock()


def counters() -> dict[str, Counters]:
    """By the name of the cache."""
    with _registry:
        return dict(_counters)


class Cache(Generic[K, V]):
    """Values by key, at most *capacity* of them, or of what *weigh* says of all values together.

    A key holds everything that decides about its value (the row itself), or the value tells its version, which the
    caller compares. So a change is noticed without anything being removed. A value is never None.

    What a writing transaction found may be rolled back, and its version numbers are then given a second time. So
    `keep` takes nothing from one: only reads fill a cache.

    LRU by the clock algorithm: a hit only marks its entry, and what was marked since it came to the front is put at the
    end again when room is needed. So a hit is one look-up without a lock. Thread-safe: only `put` and `clear` change
    the entries, under a lock.
    """

    __slots__ = ("__weakref__", "_capacity", "_counters", "_entries", "_guard", "_weigh", "_weight")

    def __init__(self, name: str, capacity: int, *, weigh: Callable[[V], int] | None = None) -> None:
        self._capacity = capacity
        self._weigh = weigh
        self._weight = 0
        self._entries: dict[K, list[Any]] = {}  # value, and whether it was asked for since it came to the front
        self._guard = threading.Lock()
        with _registry:
            self._counters = _counters.setdefault(name, Counters())
            self._counters.caches.add(self)

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> V | None:
        entry = self._entries.get(key)
        if entry is None:
            self._counters.misses += 1
            return None
        self._counters.hits += 1
        entry[1] = True
        value: V = entry[0]
        return value

    def keep(self, work: Transaction, key: K, value: V) -> None:
        """Keep what a read found; nothing of a writing transaction."""
        if not work.writable:
            self.put(key, value)

    def put(self, key: K, value: V) -> None:
        """Keep what follows from the key alone, whatever becomes of the transaction."""
        weight = 1 if self._weigh is None else self._weigh(value)
        with self._guard:
            self._drop(key)
            while self._entries and self._weight + weight > self._capacity:
                self._make_room()
            self._entries[key] = [value, False]
            self._weight += weight

    def _make_room(self) -> None:
        """Drop the first entry that was not asked for lately; the marked ones before it get a second chance."""
        oldest = next(iter(self._entries))
        if self._entries[oldest][1]:
            entry = self._entries.pop(oldest)
            entry[1] = False
            self._entries[oldest] = entry
        else:
            self._counters.evictions += 1
            self._drop(oldest)

    def _drop(self, key: K) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._weight -= 1 if self._weigh is None else self._weigh(entry[0])

    def clear(self) -> None:
        with self._guard:
            self._entries.clear()
            self._weight = 0
