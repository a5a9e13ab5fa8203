"""Rate limits, counted in memory; each process counts for itself."""

from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter


class Rates:
    """Thread-safe. Keys unused for an hour take no memory."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def take(self, kind: str, key: str, an_hour: int) -> bool:
        """Count one event; return True if it is within the limit."""
        return self._limiter.hit(RateLimitItemPerHour(an_hour), kind, key)
