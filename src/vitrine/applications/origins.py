"""Web origins of addresses, as browsers write them in `Origin` (RFC 6454 section 6.1)."""

from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}
LONGEST = 300


def origin_of(url: str) -> str:
    """Scheme, host and port (unless default), in lower case; empty if no page can have this origin."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    if parts.scheme not in _PORTS or not host:
        return ""
    name = f"[{host}]" if ":" in host else host
    origin = f"{parts.scheme}://{name}" + (f":{port}" if port not in (None, _PORTS[parts.scheme]) else "")
    return origin if len(origin) <= LONGEST else ""
