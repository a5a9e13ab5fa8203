"""What all HTTP adapters share: where a call runs, who asks, parameters, form tokens."""

from vitrine.edge import numbers
from vitrine.edge.auth import bearer, cookie, nobody, optional_bearer
from vitrine.edge.params import Params, parameters
from vitrine.edge.run import glance, long_read, off, read, recall, services, write
from vitrine.edge.services import Services

numbers.register()

__all__ = [
    "Params",
    "Services",
    "bearer",
    "cookie",
    "glance",
    "long_read",
    "nobody",
    "off",
    "optional_bearer",
    "parameters",
    "read",
    "recall",
    "services",
    "write",
]
