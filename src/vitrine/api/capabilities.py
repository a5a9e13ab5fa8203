"""Which scope a call needs, by the route tables of every API. The portal counts the uses of scopes by it.

Each API puts its table in when it is imported: its own operations read this too, so nothing here may import them.
"""

from collections.abc import Mapping

_by_route: dict[tuple[str, str], str] = {}


def register(path: str, scopes: Mapping[str, str]) -> None:
    """The scopes, by method, that the route of the pattern *path* asks for."""
    for method, scope in scopes.items():
        _by_route[method, path] = scope


def capability(method: str, route: str) -> str | None:
    """The scope that *method* on the pattern *route* asks for; None for a route that is no longer in a table."""
    return _by_route.get(("GET" if method == "HEAD" else method, route))
