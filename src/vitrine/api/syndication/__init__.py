"""Feeds for feed readers: RSS, Atom, Media RSS and the Cooliris form (contract 04 section 9)."""

from vitrine.api.syndication.routes import ROUTES

__all__ = ["ROUTES"]
