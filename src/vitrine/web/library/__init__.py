"""The library: wall, record, upload, download, quarantine, terms of use."""

from vitrine.web.library import download, quarantine, terms, upload, wall

ROUTES = [
    *download.ROUTES,
    *quarantine.ROUTES,
    *terms.ROUTES,
    *upload.ROUTES,
    *wall.ROUTES,
]
