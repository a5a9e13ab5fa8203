"""Pages of administrators and of those who manage a databox or a collection."""

from vitrine.web.admin import applications, audit, collections, databoxes, maintenance

ROUTES = [
    *applications.ROUTES,
    *audit.ROUTES,
    *collections.ROUTES,
    *databoxes.ROUTES,
    *maintenance.ROUTES,
]
