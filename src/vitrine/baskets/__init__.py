"""Baskets: selections of records that people keep, share, send and vote on (contract 06 section 12)."""

from vitrine.baskets.elements import BasketElements
from vitrine.baskets.service import BasketChanges, Baskets
from vitrine.baskets.sharing import BasketSharing, ShareTerms
from vitrine.baskets.votes import BasketVotes

__all__ = ["BasketChanges", "BasketElements", "BasketSharing", "BasketVotes", "Baskets", "ShareTerms"]
