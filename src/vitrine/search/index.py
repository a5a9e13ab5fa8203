"""What every search engine must do. One process holds the writer; any number read."""

from collections.abc import Iterable
from typing import Protocol

from vitrine.errors import Unavailable
from vitrine.search.model import Document, Hits, Query


class WriterTaken(Unavailable):
    """Another process writes the index already."""

    code = "index_writer_taken"


class Index(Protocol):
    def search(self, query: Query) -> Hits:
        """One page of records, filtered by the query's scope inside the engine. Raises Invalid past DEEPEST."""
        ...

    def apply(self, upserts: Iterable[Document], deletes: Iterable[int]) -> None:
        """Replace or add *upserts*, remove *deletes* (rids); visible to readers soon after. Writer only."""
        ...

    def rebuild(self, documents: Iterable[Document]) -> int:
        """Build everything anew beside the old index and switch at the end; returns how many were indexed."""
        ...

    def count(self) -> int: ...

    def needs_rebuild(self) -> bool:
        """True when there is no usable index: a new instance, another schema, a damaged folder."""
        ...

    def close(self) -> None: ...
