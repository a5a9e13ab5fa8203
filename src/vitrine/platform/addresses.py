"""Addresses of callers, as what counts them sees them."""

import ipaddress
from functools import lru_cache


@lru_cache(maxsize=4096)
def place(address: str) -> str:
    """What stands for an address where somebody is counted: an IPv4 address itself; of an IPv6 one its network of 64
    bits, since every subscriber has one of those at least and can take another address of it for each try."""
    if ":" not in address:
        return address
    try:
        found = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(found) >> 64 << 64, 64)))
