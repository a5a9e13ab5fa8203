"""Documents in other people's pages."""

from vitrine.web.embed import viewer

ROUTES = viewer.ROUTES
