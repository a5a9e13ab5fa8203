"""What a job is, and when a failed one runs again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

LEASE = timedelta(seconds=20)
HEARTBEAT = timedelta(seconds=5)
FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class JobKind:
    """A kind of job: *lane* names the threads that run it. Waiting jobs of one kind with the same *key* (see
    `Jobs.add`) are merged."""

    name: str
    lane: str
    max_attempts: int = 5
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Job:
    """One leased job. `attempts` counts this run."""

    id: int
    kind: str
    payload: Mapping[str, Any]
    attempts: int
    max_attempts: int

    @property
    def is_last_attempt(self) -> bool:
        return self.attempts >= self.max_attempts


Handler = Callable[[Job], None]
BatchHandler = Callable[[list[Job]], None]


def pause_after(attempts: int) -> timedelta:
    """Return the pause before the next attempt: 2 s, 8 s, 32 s …, at most 30 minutes."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * int(4 ** min(10, max(0, attempts - 1))))
