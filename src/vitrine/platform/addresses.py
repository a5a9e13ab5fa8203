"""Addresses of callers, normalized for rate limits."""

import ipaddress
from functools import lru_cache


@lru_cache(maxsize=4096)
def rate_limit_key(address: str) -> str:
    """The key under which an address is counted: an IPv4 address itself; for an IPv6 address its /64 network, since
    each subscriber has at least a /64 and can use another address in it for every attempt."""
    if ":" not in address:
        return address
    try:
        parsed = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(parsed) >> 64 << 64, 64)))
