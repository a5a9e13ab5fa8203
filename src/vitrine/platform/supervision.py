"""Supervision of what must live as long as its process: threads, and child processes through the thread that waits for
them.

A supervised call that ends before it was told to, by an exception or by returning, is logged with the place, counted,
and called again in a new thread after a pause that grows. `/ready` and `/metrics` tell the states. What serves one
request or one command only is not supervised: whoever started it waits for it and is told of its failure.
"""

import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from vitrine.platform import logging

log = logging.get("vitrine.supervision")
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
STEADY_AFTER_S = 60.0  # long enough for everybody who asks every half a minute
CHECK_EVERY_S = 1.0
HUNG_AFTER = timedelta(minutes=1)
SELF = "supervisor"
_local = threading.local()
Clock = Callable[[], float]


class State(StrEnum):
    RUNNING = "running"
    RESTARTING = "restarting"  # ended; the pause before the next attempt is not over
    RESTARTED = "restarted"  # runs again, but ended within the last minute
    HUNG = "hung"  # alive, but has not shown itself for as long as it should

    @property
    def is_up(self) -> bool:
        return self in (State.RUNNING, State.RESTARTED)


@dataclass(frozen=True, slots=True)
class Status:
    """A supervised thread as others see it. *failure* is class and place of the last end, empty if there was none."""

    name: str
    state: State
    restarts: int
    failure: str = ""


class SupervisedThread:
    """What a supervised call is given: when to end, a way to wait, and a way to show that it is alive."""

    def __init__(self, name: str, call: "Call", hung_after: timedelta, clock: Clock) -> None:
        self.name = name
        self._call = call
        self._clock = clock
        self._hung_after_s = hung_after.total_seconds()
        self.over = threading.Event()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._ended_with: BaseException | None = None
        self._beat = self._started = self._ended = clock()
        self._pause_s = FIRST_PAUSE_S / 2
        self._restart_at: float | None = None
        self._restarts = 0
        self._failure = ""
        self._was_hung = False

    @property
    def is_over(self) -> bool:
        """True when the call should return."""
        return self.over.is_set()

    def beat(self) -> None:
        """Show that the call goes on. Needed only within work that lasts."""
        self._beat = self._clock()

    def wait(self, seconds: float) -> bool:
        """Wait until the time is over or somebody wakes this thread; True when the call should return."""
        self._beat = self._clock() + seconds  # not earlier: who waits does not hang
        self._wake.wait(seconds)
        self._wake.clear()
        self.beat()
        return self.over.is_set()

    def wake(self) -> None:
        """End the current or the next `wait`."""
        self._wake.set()

    def end(self) -> None:
        """Ask the call to return; it is not called again."""
        self.over.set()
        self._wake.set()

    def join(self, seconds: float) -> bool:
        """Wait for the thread to end; False if it still runs."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(seconds)
        return thread is None or not thread.is_alive()

    def is_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    @property
    def ident(self) -> int | None:
        """Of the thread of the current attempt."""
        return self._thread.ident if self._thread is not None else None

    def status(self) -> Status:
        now = self._clock()
        state = State.RUNNING
        if not self.is_alive():
            state = State.RESTARTING
        elif now - self._beat > self._hung_after_s:
            state = State.HUNG
        elif self._failure and now - self._ended < STEADY_AFTER_S:
            state = State.RESTARTED
        return Status(self.name, state, self._restarts, self._failure)


Call = Callable[[SupervisedThread], None]


def beat() -> None:
    """Show that the supervised thread that calls this goes on; does nothing in any other thread. For loops within work
    that lasts, far from who was given the thread."""
    thread: SupervisedThread | None = _local.__dict__.get("thread")
    if thread is not None:
        thread.beat()


class Supervisor:
    """Keeps threads running. One for each process, shared by all that live as long as it; thread-safe.

    *release* is called in each thread when its call ended, to give back what belongs to threads (a connection).
    """

    def __init__(self, release: Callable[[], None] = lambda: None, clock: Clock = time.monotonic) -> None:
        self._release = release
        self._clock = clock
        self._threads: dict[str, SupervisedThread] = {}
        self._guard = threading.Lock()
        self._looking = threading.Lock()
        self._changed = threading.Event()
        self._is_over = False
        self._monitor: threading.Thread | None = None
        self._own_restarts, self._own_failure, self._own_end = 0, "", 0.0
        self._listeners: list[Callable[[], None]] = []

    def start(self, name: str, call: Call, *, hung_after: timedelta = HUNG_AFTER) -> SupervisedThread:
        """Run *call* until it is told to end, in threads called *name*. It is reported as hung if it shows itself (by
        `wait` or `beat`) less often than *hung_after*. Raises RuntimeError if a thread of this name runs."""
        thread = SupervisedThread(name, call, hung_after, self._clock)
        with self._guard:
            known = self._threads.get(name)
            if known is not None and not known.is_over:
                raise RuntimeError(f"{name} is supervised already")
            self._threads[name] = thread
            self._is_over = False
            self._spawn(thread)
        self._ensure_monitor()
        return thread

    def listen(self, listener: Callable[[], None]) -> None:
        """Call *listener* in the supervisor's thread whenever a state has changed; it must not block."""
        self._listeners.append(listener)

    def statuses(self) -> list[Status]:
        """All that should run, the supervisor itself last; empty if nothing was started."""
        self._ensure_monitor()
        with self._guard:
            threads = [thread for thread in self._threads.values() if not thread.is_over]
        if not threads:
            return []
        is_fresh = bool(self._own_failure) and self._clock() - self._own_end < STEADY_AFTER_S
        own = Status(SELF, State.RESTARTED if is_fresh else State.RUNNING, self._own_restarts, self._own_failure)
        return [*(thread.status() for thread in threads), own]

    def thread(self, name: str) -> int | None:
        """The identifier of the running thread of this name, for tests and debuggers."""
        if name == SELF:
            return self._monitor.ident if self._monitor is not None else None
        with self._guard:
            thread = self._threads.get(name)
        return thread.ident if thread is not None and thread.is_alive() else None

    def stop(self, threads: list[SupervisedThread] | None = None, patience: timedelta = timedelta(seconds=5)) -> None:
        """End *threads*, by default all, and wait up to *patience* for them together."""
        deadline = time.monotonic() + patience.total_seconds()
        with self._guard:
            ending = list(self._threads.values()) if threads is None else threads
            for thread in ending:
                thread.end()
        for thread in ending:
            if not thread.join(max(0.0, deadline - time.monotonic())):
                log.warning("thread.still_running", thread=thread.name)
        with self._guard:
            for thread in ending:
                if self._threads.get(thread.name) is thread:
                    del self._threads[thread.name]
            self._is_over = not self._threads
        self._changed.set()

    # -- the threads ---------------------------------------------------------------------------------------------

    def _spawn(self, thread: SupervisedThread) -> None:
        thread._beat = thread._started = self._clock()
        thread._restart_at = thread._ended_with = None
        thread._wake = threading.Event()  # the end of the last attempt may have come in the middle of its use
        thread._thread = threading.Thread(target=self._attempt, args=(thread,), name=thread.name, daemon=True)
        thread._thread.start()

    def _attempt(self, thread: SupervisedThread) -> None:
        try:
            _local.thread = thread
            thread._call(thread)
        except BaseException as failure:  # also SystemExit, which would end this thread only
            thread._ended_with = failure
        finally:
            try:
                self._release()
            except Exception:
                log.exception("thread.not_released", thread=thread.name)
            self._changed.set()

    # -- the supervisor's own thread -----------------------------------------------------------------------------

    def _ensure_monitor(self) -> None:
        """Start the supervisor's own thread. Whoever asks for the states does this again, in case it ended."""
        with self._guard:
            if self._is_over or not self._threads or (self._monitor is not None and self._monitor.is_alive()):
                return
            if self._monitor is not None:
                self._count_own_end(None)
            self._monitor = threading.Thread(target=self._watch, name=SELF, daemon=True)
            self._monitor.start()

    def _watch(self) -> None:
        while True:
            try:
                while not self._is_over:
                    pause = self._look()
                    self._changed.wait(pause)
                    self._changed.clear()
                with self._guard:
                    if self._is_over:
                        self._monitor = None
                        return
            except BaseException as failure:
                self._count_own_end(failure)
                self._changed.wait(FIRST_PAUSE_S)

    def _count_own_end(self, failure: BaseException | None) -> None:
        self._own_end = self._clock()
        self._own_failure = place_of(failure)
        self._own_restarts += 1  # last: whoever reads the count reads the failure with it
        log.error("thread.ended", thread=SELF, failure=self._own_failure, restart_in_s=0, exception=_traceback(failure))

    def _look(self) -> float:
        """Restart what is due and tell what has changed. Returns after how many seconds to look again."""
        with self._looking:
            has_changed, pause = self._look_after_all()
        if has_changed:
            for listener in self._listeners:
                listener()
        return pause

    def _look_after_all(self) -> tuple[bool, float]:
        with self._guard:
            threads = [thread for thread in self._threads.values() if not thread.is_over]
        has_changed, pause = False, CHECK_EVERY_S
        for thread in threads:
            now = self._clock()
            if not thread.is_alive():
                if thread._restart_at is None:
                    self._plan_restart(thread, now)
                    has_changed = True
                assert thread._restart_at is not None
                if now >= thread._restart_at:
                    self._restart(thread)
                    has_changed = True
                else:
                    pause = min(pause, thread._restart_at - now)
            else:
                has_changed |= self._tell_whether_hung(thread)
        return has_changed, pause

    def _plan_restart(self, thread: SupervisedThread, now: float) -> None:
        was_steady = now - thread._started > STEADY_AFTER_S
        thread._pause_s = FIRST_PAUSE_S if was_steady else min(thread._pause_s * 2, LONGEST_PAUSE_S)
        thread._failure = place_of(thread._ended_with)
        thread._ended = now
        thread._restart_at = now + thread._pause_s
        log.error(
            "thread.ended",
            thread=thread.name,
            failure=thread._failure,
            restart_in_s=thread._pause_s,
            exception=_traceback(thread._ended_with),
        )

    def _restart(self, thread: SupervisedThread) -> None:
        with self._guard:  # not while somebody ends it
            if thread.is_over:
                return
            thread._restarts += 1
            self._spawn(thread)
        log.info("thread.restarted", thread=thread.name, restarts=thread._restarts)

    @staticmethod
    def _tell_whether_hung(thread: SupervisedThread) -> bool:
        is_hung = thread.status().state is State.HUNG
        if is_hung is thread._was_hung:
            return False
        thread._was_hung = is_hung
        if is_hung:
            log.error("thread.hung", thread=thread.name, hung_after_s=thread._hung_after_s)
        else:
            log.info("thread.goes_on", thread=thread.name)
        return True


def _traceback(failure: BaseException | None) -> str:
    """As text and without variables, whatever the log's renderer would make of it."""
    return "" if failure is None else "".join(traceback.format_exception(failure)).rstrip()


def place_of(failure: BaseException | None) -> str:
    """Class and innermost place of our own code of a failure, such as `KeyError at jobs/service.py:140 in _run`. Its
    message may hold values and is left out."""
    if failure is None:
        return "returned"
    frames = traceback.extract_tb(failure.__traceback__)
    own = [frame for frame in frames if "/vitrine/" in frame.filename] or frames
    if not own:
        return type(failure).__name__
    file = own[-1].filename.rpartition("/vitrine/")[2]
    return f"{type(failure).__name__} at {file}:{own[-1].lineno} in {own[-1].name}"
