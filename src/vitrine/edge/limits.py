"""Rate limits by address, with their headers (draft-ietf-httpapi-ratelimit-headers, RFC 6585 section 4).

Counted in memory: one server process is one count, which is what these limits are for. They stop floods and guessing;
they are no quota. Fixed windows, and our own few lines for them: the library's storage starts a thread for every sweep,
which cost more than the rest of a call of the token endpoint (docs/decisions/0076).
"""

import threading
import time
from dataclasses import dataclass, field

from vitrine.errors import DomainError
from vitrine.platform.addresses import rate_limit_key

WINDOW_S = 60


class TooMany(DomainError):
    """Too many requests; `headers` say when to try again."""

    code = "too_many_requests"

    def __init__(self, headers: dict[str, str]) -> None:
        super().__init__("Too many requests from this address. Please wait a moment.")
        self.headers = headers


class _Windows:
    """Counts by key, each for WINDOW_S seconds from its first request on. Thread-safe; old windows are deleted."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._counts: dict[str, tuple[float, int]] = {}  # end of the window, requests in it
        self._swept = 0.0

    def hit(self, key: str, now: float) -> tuple[float, int]:
        """(end of the key's window, requests in it so far, this one included)."""
        with self._guard:
            if now - self._swept > WINDOW_S:
                self._swept = now
                self._counts = {counted: window for counted, window in self._counts.items() if window[0] > now}
            end, requests = self._counts.get(key, (0.0, 0))
            if end <= now:
                end, requests = now + WINDOW_S, 0
            self._counts[key] = (end, requests + 1)
            return end, requests + 1


@dataclass(frozen=True, slots=True)
class Limit:
    """A named number of requests a minute for each key."""

    name: str
    per_minute: int
    _windows: _Windows = field(default_factory=_Windows)

    def hit(self, key: str) -> dict[str, str]:
        """Count one request of *key*, an address or a number, and return the headers of its answer. Raises TooMany."""
        now = time.monotonic()
        end, requests = self._windows.hit(rate_limit_key(key), now)
        wait = max(1, round(end - now))
        headers = {
            "RateLimit-Policy": f'"{self.name}";q={self.per_minute};w={WINDOW_S}',
            "RateLimit": f'"{self.name}";r={max(0, self.per_minute - requests)};t={wait}',
        }
        if requests > self.per_minute:
            raise TooMany({**headers, "Retry-After": str(wait)})
        return headers


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """Every limit of an instance."""

    token: Limit
    authorize: Limit
    user_code: Limit
