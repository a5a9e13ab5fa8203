"""Feeds: read, publish, manage, and addresses for feed readers."""

from vitrine.api.v4.feeds.schemas import COMPONENTS
from vitrine.api.v4.feeds.table import ROUTES

__all__ = ["COMPONENTS", "ROUTES"]
