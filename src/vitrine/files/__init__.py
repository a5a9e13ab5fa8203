"""Delivers bytes: permalinks, signed addresses, files for signed-in browsers."""

from vitrine.files import bundles, routes, structure_pictures

ROUTES = [*routes.ROUTES, *structure_pictures.ROUTES, *bundles.ROUTES]

__all__ = ["ROUTES"]
