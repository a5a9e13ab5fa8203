"""The regular work of a worker (design 5.8)."""

import time
from datetime import timedelta

import pytest

from vitrine import housekeeping
from vitrine.accounts import COMMAND
from vitrine.jobs.tasks import BY_NUMBER, MAINTENANCE
from vitrine.platform.supervision import SupervisedThread
from vitrine.testing.server import Server


def test_idle_decoders_end_while_the_maintenance_is_stopped(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    number = next(number for number, task in BY_NUMBER.items() if task.lane == MAINTENANCE)
    with server.services.database.write() as work:
        server.services.tasks.stop(work, COMMAND, number)
    ended: list[bool] = []
    monkeypatch.setattr(type(server.services.media.sandbox), "end_idle", lambda _sandbox: ended.append(True))
    thread = SupervisedThread("maintenance", lambda _thread: None, timedelta(minutes=1), time.monotonic)
    thread.end()  # after one round
    housekeeping.run(server.services, thread)
    assert ended == [True]
