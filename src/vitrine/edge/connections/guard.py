"""The connections of one server: their number, in all and by address; which have stalled; what was refused.

Nothing here runs for each request. One timer looks at all connections several times within the shortest limit, so a
limit is met a little late, and a busy connection costs nothing.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from vitrine.edge.connections.limits import ConnectionLimits
from vitrine.platform import logging
from vitrine.platform.addresses import rate_limit_key

log = logging.get("vitrine.connections")
LOG_EVERY_S = 10.0
LOOK_EVERY_S = 1.0


class Connection(Protocol):
    """What the guard asks a connection for."""

    def inspect(self, now: float) -> None:
        """End it if it has stalled."""

    def is_idle(self) -> bool:
        """True while it has neither a whole head of a request nor an answer to send."""

    def evict(self) -> None:
        """Close it to make room."""


class ConnectionGuard:
    """Belongs to one event loop; the counters may be read by any thread. *is_exempt* names the addresses of proxies,
    whose connections carry the requests of many and count only in all."""

    def __init__(
        self,
        limits: ConnectionLimits = ConnectionLimits(),  # noqa: B008 - frozen
        is_exempt: Callable[[str], bool] = lambda _address: False,
    ) -> None:
        self.limits = limits
        self._is_exempt = is_exempt
        self._open: dict[Connection, str] = {}  # in order of arrival
        self._by_address: Counter[str] = Counter()
        self._loop: asyncio.AbstractEventLoop | None = None  # the one whose timer runs
        self._refused: Counter[str] = Counter()
        self._logged: dict[str, tuple[float, int]] = {}  # when, and how many have not been logged since

    # -- number ----------------------------------------------------------------------------------------------------

    def admit(self, connection: Connection, address: str, loop: asyncio.AbstractEventLoop) -> str | None:
        """Count *connection*, in place of an idle one where there are too many. None, or why it is refused."""
        key = "" if not address or self._is_exempt(address) else rate_limit_key(address)
        if key and self._by_address[key] >= self.limits.per_address and not self._make_room(key):
            return "connections_per_address"
        if len(self._open) >= self.limits.connections and not self._make_room(None):
            return "connections"
        self._open[connection] = key
        self._by_address[key] += 1
        if self._loop is not loop:
            self._look_later(loop)
        return None

    def release(self, connection: Connection) -> None:
        key = self._open.pop(connection, None)
        if key is not None:
            self._by_address[key] -= 1
            if not self._by_address[key]:
                del self._by_address[key]

    def _make_room(self, key: str | None) -> bool:
        """Close the oldest idle connection, of the address *key* or of anybody."""
        for connection, owner in self._open.items():
            if (key is None or owner == key) and connection.is_idle():
                self.release(connection)
                connection.evict()
                self.count("evicted", owner)
                return True
        return False

    @property
    def open(self) -> int:
        return len(self._open)

    # -- time ------------------------------------------------------------------------------------------------------

    def _look_later(self, loop: asyncio.AbstractEventLoop) -> None:
        limits = self.limits
        shortest = min(limits.head_s, limits.idle_s, limits.body_s, limits.response_s, limits.drain_s)
        self._loop = loop
        loop.call_later(min(LOOK_EVERY_S, shortest / 4), self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = None
        now = loop.time()
        for connection in tuple(self._open):
            connection.inspect(now)
        if self._open:
            self._look_later(loop)

    # -- what was refused ------------------------------------------------------------------------------------------

    def count(self, reason: str, address: str) -> None:
        """Count a refusal, and log it unless one of its kind was logged a moment ago: an attack must not fill the
        disk."""
        self._refused[reason] += 1
        now = time.monotonic()
        logged, silent = self._logged.get(reason, (0.0, 0))
        if logged and now - logged < LOG_EVERY_S:
            self._logged[reason] = (logged, silent + 1)
            return
        self._logged[reason] = (now, 0)
        log.warning("connection.refused", reason=reason, address=address, others_since=silent)

    def refused(self) -> dict[str, int]:
        """Number of refusals by reason."""
        return dict(self._refused)
