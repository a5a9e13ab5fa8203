"""What owners do with their applications on the pages of `/developers/`, for programs (docs/decisions/0068)."""

from vitrine.api.v4.applications.schemas import COMPONENTS
from vitrine.api.v4.applications.table import ALIASES, ROUTES

__all__ = ["ALIASES", "COMPONENTS", "ROUTES"]
