"""Search: the index, its single writer, and queries limited to a person's rights."""

from vitrine.search.indexer import Indexer
from vitrine.search.model import Hits, Query, VisibleScope
from vitrine.search.service import QUICK_GRANTS, ManyGrants, NoUsableBases, Search

__all__ = ["QUICK_GRANTS", "Hits", "Indexer", "ManyGrants", "NoUsableBases", "Query", "Search", "VisibleScope"]
