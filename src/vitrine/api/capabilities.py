"""Which scope a call needs, by the route tables of every API. The portal counts the uses of scopes by it."""

from functools import cache

from vitrine.api.v1 import PREFIX, ROUTES

APPLICATIONS = "/api/applications/"


@cache
def _by_route() -> dict[tuple[str, str], str]:
    return {(method, PREFIX + route.path): route.scope(method) for route in ROUTES for method in route.methods}


def capability(method: str, route: str) -> str | None:
    """The scope that *method* on the pattern *route* asks for; None for a route that is no longer in a table."""
    if route.startswith(APPLICATIONS):
        return "applications"
    return _by_route().get(("GET" if method == "HEAD" else method, route))
