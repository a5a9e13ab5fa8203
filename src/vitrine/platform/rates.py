"""How often something may happen, counted in memory: each process counts for itself."""

from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter


class Rates:
    """Thread-safe. Keys that were not used for an hour cost nothing."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def take(self, kind: str, key: str, an_hour: int) -> bool:
        """True if it may happen once more; counts it."""
        return self._limiter.hit(RateLimitItemPerHour(an_hour), kind, key)
