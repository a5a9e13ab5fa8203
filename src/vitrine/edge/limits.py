"""How often somebody may ask, with the headers that say so (draft-ietf-httpapi-ratelimit-headers, RFC 6585 section 4).

Counted in memory: one server process is one count, which is what these limits are for. They stop floods and guessing;
they are no quota.
"""

import time
from dataclasses import dataclass, field

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from vitrine.errors import DomainError

WINDOW_S = 60


class TooMany(DomainError):
    """Asked too often; `headers` say when to ask again."""

    code = "too_many_requests"

    def __init__(self, headers: dict[str, str]) -> None:
        super().__init__("Too many requests from this address. Please wait a moment.")
        self.headers = headers


@dataclass(frozen=True, slots=True)
class Limit:
    """A named number of requests a minute for each key."""

    name: str
    per_minute: int
    _limiter: FixedWindowRateLimiter = field(default_factory=lambda: FixedWindowRateLimiter(MemoryStorage()))

    def hit(self, key: str) -> dict[str, str]:
        """Count one request of *key* and return the headers of its answer. Raises TooMany."""
        item = RateLimitItemPerMinute(self.per_minute)
        allowed = self._limiter.hit(item, self.name, key)
        stats = self._limiter.get_window_stats(item, self.name, key)
        wait = max(1, round(stats.reset_time - time.time()))
        headers = {
            "RateLimit-Policy": f'"{self.name}";q={self.per_minute};w={WINDOW_S}',
            "RateLimit": f'"{self.name}";r={stats.remaining};t={wait}',
        }
        if not allowed:
            raise TooMany({**headers, "Retry-After": str(wait)})
        return headers


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """Every limit of an instance."""

    token: Limit
    authorize: Limit
    user_code: Limit
