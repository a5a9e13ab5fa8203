"""A lock that goes to those who wait in the order in which they came."""

import threading
from collections import deque


class FairLock:
    """Like `threading.Lock`, which promises no order: under many writers one of them may wait until it gives up."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._is_held = False
        self._waiting: deque[threading.Event] = deque()

    @property
    def waiting(self) -> int:
        """How many threads wait."""
        return len(self._waiting)

    def acquire(self, timeout_s: float) -> bool:
        """False if it was not free within *timeout_s*; with 0, if anybody holds it or waits for it."""
        with self._guard:
            if not self._is_held and not self._waiting:
                self._is_held = True
                return True
            if timeout_s <= 0:
                return False
            turn = threading.Event()
            self._waiting.append(turn)
        if turn.wait(timeout_s):
            return True
        with self._guard:
            if turn.is_set():  # it was handed over just now
                return True
            self._waiting.remove(turn)
            return False

    def release(self) -> None:
        """Hand it over to the thread that has waited longest."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._is_held = False
