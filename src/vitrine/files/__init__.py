"""Delivers bytes: permalinks, signed addresses, files for signed-in browsers."""

from vitrine.files import routes, structure_pictures

ROUTES = [*routes.ROUTES, *structure_pictures.ROUTES]

__all__ = ["ROUTES"]
