"""Pages of administrators and of those who manage a collection."""

from vitrine.web.admin import applications, audit, collections, maintenance

ROUTES = [
    *applications.ROUTES,
    *audit.ROUTES,
    *collections.ROUTES,
    *maintenance.ROUTES,
]
