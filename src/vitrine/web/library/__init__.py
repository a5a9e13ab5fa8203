"""The library: wall, record, upload, download, quarantine."""

from vitrine.web.library import download, quarantine, upload, wall

ROUTES = [
    *download.ROUTES,
    *quarantine.ROUTES,
    *upload.ROUTES,
    *wall.ROUTES,
]
