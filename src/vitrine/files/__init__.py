"""Bytes out: permalinks, signed addresses, files of signed-in browsers."""

from vitrine.files.routes import ROUTES

__all__ = ["ROUTES"]
