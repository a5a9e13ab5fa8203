"""The protocol of search engines. One process holds the writer; any number of processes read."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from vitrine.errors import Unavailable
from vitrine.search.model import Hits, IndexDocument, Query


class WriterTaken(Unavailable):
    """Another process already holds the writer of the index."""

    code = "index_writer_taken"


Reread = Callable[[Sequence[int]], Iterable[IndexDocument]]
"""The current documents of these rids; those of deleted records are left out."""


LeftOut = Callable[[int, Exception], None]


def raise_failure(_rid: int, failure: Exception) -> None:
    raise failure


class Index(Protocol):
    def search(self, query: Query) -> Hits:
        """One page of records, filtered by the query's scope inside the engine. Raises Invalid past DEEPEST."""
        ...

    def apply(self, upserts: Iterable[IndexDocument], deletes: Iterable[int]) -> None:
        """Replace or add *upserts* and remove *deletes* (rids). Readers see the change soon after. Writer only."""
        ...

    def rebuild(self, documents: Iterable[IndexDocument], again: Reread, left_out: LeftOut = raise_failure) -> int:
        """Build a new index of *documents*, in ascending order of rid, beside the current one; switch to it at the end;
        return their number. Changes applied meanwhile are found at once, and are in the new index at the switch: those
        records are read *again*. *left_out* is told of each document that the engine cannot take. A rebuild that fails,
        also because *left_out* raised, leaves the current index as it is. Writer only."""
        ...

    def count(self) -> int: ...

    def needs_rebuild(self) -> bool:
        """True when there is no usable index: a new instance, another schema, a damaged folder."""
        ...

    def close(self) -> None: ...
