"""Search: the index, its single writer, and queries limited to a person's rights."""

from vitrine.search.model import Hits, Query, VisibleScope
from vitrine.search.service import Indexer, NoUsableBases, Search

__all__ = ["Hits", "Indexer", "NoUsableBases", "Query", "Search", "VisibleScope"]
