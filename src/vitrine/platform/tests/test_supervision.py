"""The supervisor alone: what ends comes back, with pauses that grow, and is told."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from structlog.testing import CapturingLogger

from vitrine.platform import supervision
from vitrine.platform.supervision import LONGEST_PAUSE_S, SELF, State, Status, SupervisedThread, Supervisor
from vitrine.testing.faults import kill_thread

PATIENCE_S = 30.0


class Clock:
    """The supervisor's clock, moved by the test. Its own thread looks again whenever the test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> CapturingLogger:
    logger = CapturingLogger()
    monkeypatch.setattr(supervision, "log", logger)
    return logger


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def supervisor(clock: Clock, log: CapturingLogger) -> Iterator[Supervisor]:
    supervisor = Supervisor(clock=clock)
    yield supervisor
    supervisor.stop()


class Calls:
    """A supervised call that does in each attempt what it is told next; `begun` counts its attempts."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.may_fail = threading.Semaphore(0)
        self.threads: list[threading.Thread] = []

    def __call__(self, thread: SupervisedThread) -> None:
        self.threads.append(threading.current_thread())
        self.begun.release()
        self.may_fail.acquire()
        if not thread.is_over:
            raise KeyError("a secret")

    def fail(self) -> None:
        self.may_fail.release()


def status_of(supervisor: Supervisor, name: str) -> Status:
    return next(status for status in supervisor.statuses() if status.name == name)


def pass_time(supervisor: Supervisor, clock: Clock, seconds: float) -> None:
    clock.now += seconds
    supervisor._look()


def ends(call: Calls) -> None:
    call.fail()
    call.threads[-1].join(PATIENCE_S)


def test_what_ends_is_called_again_in_a_new_thread_after_a_pause(
    supervisor: Supervisor, clock: Clock, log: CapturingLogger
) -> None:
    call = Calls()
    thread = supervisor.start("painter", call)
    assert call.begun.acquire(timeout=PATIENCE_S)
    assert status_of(supervisor, "painter") == Status("painter", State.RUNNING, 0)
    ends(call)
    assert status_of(supervisor, "painter").state is State.RESTARTING
    supervisor._look()
    assert not call.begun.acquire(blocking=False)
    pass_time(supervisor, clock, supervision.FIRST_PAUSE_S)
    assert call.begun.acquire(timeout=PATIENCE_S)
    assert call.threads[0] is not call.threads[1]
    status = status_of(supervisor, "painter")
    assert (status.state, status.restarts) == (State.RESTARTED, 1)
    assert status.failure.startswith("KeyError at platform/tests/test_supervision.py:")
    assert "secret" not in status.failure
    clock.now += supervision.STEADY_AFTER_S + 1
    assert status_of(supervisor, "painter").state is State.HUNG, "it did not show itself"
    thread.beat()
    assert status_of(supervisor, "painter").state is State.RUNNING
    ended = [entry for entry in log.calls if entry.args == ("thread.ended",)]
    assert [entry.kwargs["thread"] for entry in ended] == ["painter"]
    assert "in __call__" in ended[0].kwargs["exception"]
    thread.end()
    call.fail()


def test_pauses_grow_up_to_a_limit_and_begin_anew_after_a_steady_run(supervisor: Supervisor, clock: Clock) -> None:
    call, pauses = Calls(), []
    thread = supervisor.start("painter", call)
    for _ in range(9):
        assert call.begun.acquire(timeout=PATIENCE_S)
        ends(call)
        supervisor._look()
        pauses.append(thread._pause_s)
        pass_time(supervisor, clock, thread._pause_s)
    assert pauses == [0.5, 1, 2, 4, 8, 16, LONGEST_PAUSE_S, LONGEST_PAUSE_S, LONGEST_PAUSE_S]
    assert call.begun.acquire(timeout=PATIENCE_S)
    clock.now += supervision.STEADY_AFTER_S + 1
    ends(call)
    supervisor._look()
    assert thread._pause_s == supervision.FIRST_PAUSE_S


def test_a_call_that_returns_is_called_again_too(supervisor: Supervisor, clock: Clock) -> None:
    calls = threading.Semaphore(0)
    supervisor.start("short", lambda _thread: calls.release())
    assert calls.acquire(timeout=PATIENCE_S)
    assert supervisor._threads["short"].join(PATIENCE_S)
    supervisor._look()
    pass_time(supervisor, clock, supervision.FIRST_PAUSE_S)
    assert calls.acquire(timeout=PATIENCE_S)
    assert status_of(supervisor, "short").failure == "returned"


def test_one_that_waits_does_not_hang_and_one_that_works_too_long_does(
    supervisor: Supervisor, clock: Clock, log: CapturingLogger
) -> None:
    is_busy, may_wait = threading.Event(), threading.Event()

    def work(thread: SupervisedThread) -> None:
        is_busy.set()
        may_wait.wait(PATIENCE_S)
        while not thread.wait(3600):
            is_busy.set()

    thread = supervisor.start("worker", work, hung_after=timedelta(seconds=10))
    assert is_busy.wait(PATIENCE_S)
    pass_time(supervisor, clock, 11)
    assert status_of(supervisor, "worker").state is State.HUNG
    assert not status_of(supervisor, "worker").state.is_up
    is_busy.clear()
    may_wait.set()
    thread.wake()
    assert is_busy.wait(PATIENCE_S)  # it waits now, or is about to
    thread.beat()
    pass_time(supervisor, clock, 5)
    assert status_of(supervisor, "worker").state is State.RUNNING
    assert [entry.args[0] for entry in log.calls] == ["thread.hung", "thread.goes_on"]


def test_long_work_can_show_that_it_goes_on_from_afar(supervisor: Supervisor, clock: Clock) -> None:
    steps = threading.Semaphore(0)
    done = threading.Semaphore(0)

    def work(thread: SupervisedThread) -> None:
        while not thread.is_over:
            steps.acquire(timeout=PATIENCE_S)
            supervision.beat()
            done.release()

    thread = supervisor.start("worker", work, hung_after=timedelta(seconds=10))
    for _ in range(3):
        clock.now += 9
        steps.release()
        assert done.acquire(timeout=PATIENCE_S)
        assert status_of(supervisor, "worker").state is State.RUNNING
    supervision.beat()  # of no supervised thread
    thread.end()
    steps.release()


def test_what_is_told_to_end_ends_at_once_and_is_no_longer_listed(supervisor: Supervisor) -> None:
    begun = threading.Event()

    def work(thread: SupervisedThread) -> None:
        begun.set()
        while not thread.wait(3600):
            pass

    thread = supervisor.start("worker", work)
    supervisor.start("other", work)
    assert begun.wait(PATIENCE_S)
    supervisor.stop([thread], timedelta(seconds=PATIENCE_S))
    assert not thread.is_alive()
    assert {status.name for status in supervisor.statuses()} == {"other", SELF}
    supervisor.stop(patience=timedelta(seconds=PATIENCE_S))
    assert supervisor.statuses() == []
    begun.clear()
    supervisor.start("worker", work)
    assert begun.wait(PATIENCE_S), "it can be started again"


def test_two_of_one_name_are_refused(supervisor: Supervisor) -> None:
    def work(thread: SupervisedThread) -> None:
        thread.wait(3600)

    supervisor.start("worker", work)
    with pytest.raises(RuntimeError, match="worker is supervised already"):
        supervisor.start("worker", lambda thread: None)


def test_the_supervisor_itself_comes_back(supervisor: Supervisor) -> None:
    told = threading.Semaphore(0)
    supervisor.listen(told.release)
    call = Calls()
    supervisor.start("painter", call)
    assert call.begun.acquire(timeout=PATIENCE_S)
    kill_thread(supervisor, SELF)
    while status_of(supervisor, SELF).restarts == 0:
        supervisor._changed.set()
    assert status_of(supervisor, SELF).state is State.RESTARTED
    ends(call)
    assert told.acquire(timeout=PATIENCE_S), "it looks after the others as before"


def test_what_belongs_to_a_thread_is_released_when_its_call_ends(log: CapturingLogger) -> None:
    released: list[threading.Thread] = []

    def release() -> None:
        released.append(threading.current_thread())
        raise OSError("gone")

    supervisor = Supervisor(release)
    call = Calls()
    supervisor.start("painter", call)
    assert call.begun.acquire(timeout=PATIENCE_S)
    ends(call)
    assert call.begun.acquire(timeout=PATIENCE_S), "a failure to release does not matter"
    assert released == call.threads[:1]
    supervisor._threads["painter"].end()
    call.fail()
    supervisor.stop()
