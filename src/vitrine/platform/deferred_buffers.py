"""Where rows wait for the next deferred write: filled by any thread, emptied by one flush at a time.

Each has a bound, since a database that stays locked must not fill the memory; what is refused for it is counted.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

MAX_PENDING_ROWS = 20_000
Row = TypeVar("Row")
Key = TypeVar("Key")
Value = TypeVar("Value")


class Buffer(Protocol[Row]):
    """What a flush needs of the place where the rows of one kind wait."""

    @property
    def refused(self) -> int:
        """How many rows found no room since the start."""

    def take(self) -> list[Row]:
        """Hand over what was collected so far, each row once."""

    def put_back(self, rows: list[Row]) -> None:
        """Keep rows that could not be written now; they are older than what was collected since."""


class RowBuffer(Generic[Row]):
    """Rows in the order of their arrival."""

    def __init__(self, capacity: int = MAX_PENDING_ROWS) -> None:
        self.refused = 0
        self._capacity = capacity
        self._rows: deque[Row] = deque()

    def add(self, row: Row) -> None:
        if len(self._rows) < self._capacity:
            self._rows.append(row)  # atomic: requests need no lock
        else:
            self.refused += 1

    def take(self) -> list[Row]:
        return [self._rows.popleft() for _ in range(len(self._rows))]

    def put_back(self, rows: list[Row]) -> None:
        self._rows.extendleft(reversed(rows))


class LatestBuffer(Generic[Key, Value]):
    """The latest value of each key. Its rows are (key, value)."""

    def __init__(self, capacity: int = MAX_PENDING_ROWS) -> None:
        self.refused = 0
        self._capacity = capacity
        self._values: dict[Key, Value] = {}

    def set(self, key: Key, value: Value) -> None:
        if key in self._values or len(self._values) < self._capacity:
            self._values[key] = value  # atomic: requests need no lock
        else:
            self.refused += 1

    def take(self) -> list[tuple[Key, Value]]:
        return [(key, self._values.pop(key)) for key in list(self._values)]

    def put_back(self, rows: list[tuple[Key, Value]]) -> None:
        for key, value in rows:
            self._values.setdefault(key, value)


class MergedBuffer(Generic[Key, Value]):
    """One value for each key, into which *merge(older, newer)* folds every further one. Its rows are (key, value)."""

    def __init__(self, merge: Callable[[Value, Value], Value], capacity: int = MAX_PENDING_ROWS) -> None:
        self.refused = 0
        self._merge = merge
        self._capacity = capacity
        self._guard = threading.Lock()
        self._values: dict[Key, Value] = {}

    def add(self, key: Key, value: Value) -> None:
        with self._guard:
            if key in self._values:
                self._values[key] = self._merge(self._values[key], value)
            elif len(self._values) < self._capacity:
                self._values[key] = value
            else:
                self.refused += 1

    def take(self) -> list[tuple[Key, Value]]:
        with self._guard:
            values, self._values = self._values, {}
        return list(values.items())

    def put_back(self, rows: list[tuple[Key, Value]]) -> None:
        with self._guard:
            for key, value in rows:
                newer = self._values.get(key)
                self._values[key] = value if newer is None else self._merge(value, newer)
