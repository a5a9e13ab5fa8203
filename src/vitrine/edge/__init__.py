"""What all HTTP adapters share: where a call runs, who asks, parameters, form tokens."""

from vitrine.edge.auth import bearer, cookie, nobody, optional_bearer
from vitrine.edge.params import Params, parameters
from vitrine.edge.run import (
    SHORT_LIST,
    cached_read,
    listing,
    long_read,
    read,
    run_in_thread,
    services_of,
    single_statement,
    write,
)
from vitrine.edge.services import Services

__all__ = [
    "SHORT_LIST",
    "Params",
    "Services",
    "bearer",
    "cached_read",
    "cookie",
    "listing",
    "long_read",
    "nobody",
    "optional_bearer",
    "parameters",
    "read",
    "run_in_thread",
    "services_of",
    "single_statement",
    "write",
]
