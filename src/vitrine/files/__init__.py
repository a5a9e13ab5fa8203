"""Delivers bytes: permalinks, signed addresses, files for signed-in browsers."""

from vitrine.files.routes import ROUTES

__all__ = ["ROUTES"]
