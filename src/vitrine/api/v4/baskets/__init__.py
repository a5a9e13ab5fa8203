"""Baskets, their elements, the people with whom they are shared, pushes and votes."""

from vitrine.api.v4.baskets.schemas import COMPONENTS
from vitrine.api.v4.baskets.table import ROUTES

__all__ = ["COMPONENTS", "ROUTES"]
