"""How many calls of the API an application, a person and a token may make in a minute (docs/decisions/0071).

Unlike the addresses of `edge.limits`, these are known only after the token was checked, and are counted on every call:
one dictionary lookup each. A window is a minute of the clock, so all counts are dropped when a new one begins. One
server process is one count.
"""

import math
import threading
import time
from dataclasses import dataclass

from vitrine.edge.limits import WINDOW_S, TooMany


@dataclass(frozen=True, slots=True)
class Left:
    """What a key has used of its window. *limit* 0 is no limit."""

    limit: int
    used: int
    resets_in_s: int

    @property
    def left(self) -> int:
        return max(self.limit - self.used, 0)


class Quota:
    """A number of calls a minute for each key; 0 counts without refusing."""

    def __init__(self, name: str, per_minute: int) -> None:
        self.name = name
        self.per_minute = per_minute
        self.policy = f'"{name}";q={per_minute};w={WINDOW_S}'
        self._window = 0
        self._counts: dict[int, int] = {}
        self._guard = threading.Lock()

    def hit(self, key: int, now: float) -> int:
        """Count one call of *key*; how many it has made in this window."""
        with self._guard:
            window = int(now) // WINDOW_S
            if window != self._window:
                self._window, self._counts = window, {}
            used = self._counts[key] = self._counts.get(key, 0) + 1
        return used

    def look(self, key: int) -> Left:
        """The same without counting."""
        now = time.time()
        used = self._counts.get(key, 0) if int(now) // WINDOW_S == self._window else 0
        return Left(self.per_minute, used, _resets_in(now))


@dataclass(frozen=True, slots=True)
class Quotas:
    """All of them are counted on every call, and the headers are about the one with the least left. An account is the
    person in whose name the call is made, through any application."""

    application: Quota
    account: Quota
    token: Quota

    def hit(self, application_id: int, user_id: int, token_id: int) -> tuple[str, str] | None:
        """Count one call. `RateLimit`, and `RateLimit-Policy` once half is used (else empty); None where nothing is
        limited. Raises TooManyCalls."""
        now = time.time()
        least, quota = math.inf, None
        for candidate, key in ((self.token, token_id), (self.account, user_id), (self.application, application_id)):
            left = (candidate.per_minute or math.inf) - candidate.hit(key, now)
            if left < least:
                least, quota = left, candidate
        if quota is None:
            return None
        left = int(least)
        headers = f'"{quota.name}";r={max(left, 0)};t={_resets_in(now)}'
        if left < 0:
            raise TooManyCalls(quota, headers, _resets_in(now))
        return headers, quota.policy if left * 2 < quota.per_minute else ""


class TooManyCalls(TooMany):
    """More calls in a minute than the application, the account or the token may make."""

    def __init__(self, quota: Quota, left: str, wait_s: int) -> None:
        super().__init__({"RateLimit": left, "RateLimit-Policy": quota.policy, "Retry-After": str(wait_s)})
        sentence = "Too many calls of this {name} in a minute. Please wait {seconds} seconds."
        self.template, self.values = sentence, {"name": quota.name, "seconds": wait_s}
        self.detail = sentence.format_map(self.values)


def _resets_in(now: float) -> int:
    return WINDOW_S - int(now) % WINDOW_S
