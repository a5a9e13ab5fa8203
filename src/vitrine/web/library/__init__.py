"""The library: wall, record, upload, download, quarantine, terms of use."""

from vitrine.web.library import bundle, download, quarantine, terms, upload, wall

ROUTES = [
    *bundle.ROUTES,
    *download.ROUTES,
    *quarantine.ROUTES,
    *terms.ROUTES,
    *upload.ROUTES,
    *wall.ROUTES,
]
