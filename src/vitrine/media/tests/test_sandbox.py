import os
import select
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import pytest

from vitrine.media.errors import Killed, OutOfMemory, TooSlow
from vitrine.media.renditions import Spec
from vitrine.media.sandbox import Sandbox
from vitrine.media.service import Media
from vitrine.testing import media_factory as make

SOON = timedelta(seconds=30)


def _children(pid: int) -> list[int]:
    children = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError):
            continue
        if parent == pid:
            children.append(int(folder.name))
    return children


def test_a_child_that_dies_is_replaced(tmp_path: Path) -> None:
    sandbox = Sandbox(children=1, memory_bytes=2**30)
    assert sandbox.call("ping", {}, timeout=SOON) == "pong"
    for child in _children(os.getpid()):
        if "vitrine.media.child" in Path(f"/proc/{child}/cmdline").read_text():
            os.kill(child, signal.SIGKILL)
            os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)  # dead; the sandbox has yet to notice
    assert sandbox.call("ping", {}, timeout=SOON) == "pong"
    sandbox.close()


def test_the_memory_of_a_child_is_its_own_and_not_that_of_who_started_it() -> None:
    ballast = bytearray(b"x") * (500 * 2**20)
    sandbox = Sandbox(children=1, memory_bytes=2**30)
    peak = sandbox.call("usage", {}, timeout=SOON)["peak_bytes"]
    sandbox.close()
    assert 2**20 < peak < len(ballast) / 2


def test_a_call_beyond_its_time_is_ended(media: Media, tmp_path: Path) -> None:
    film = make.mp4(tmp_path / "a.mp4", 4.0, 640, 360)
    arguments = {
        "source": str(film), "mime": "video/mp4", "into": str(tmp_path),
        "specs": [asdict(Spec("preview", "video", 640))],
    }  # fmt: skip
    with pytest.raises(TooSlow):
        media.sandbox.call("make_many", arguments, timeout=timedelta(milliseconds=1))
    assert media.sandbox.call("ping", {}, timeout=SOON) == "pong"


def test_a_child_beyond_its_memory_is_ended(tmp_path: Path) -> None:
    sandbox = Sandbox(children=1, memory_bytes=1)
    with pytest.raises(OutOfMemory):
        sandbox.call("ping", {}, timeout=SOON)
    sandbox.close()


def test_a_child_that_ends_in_the_middle_by_somebody_elses_hand_is_no_fault_of_the_file(tmp_path: Path) -> None:
    sandbox = Sandbox(children=1, memory_bytes=2**30)
    before = set(_children(os.getpid()))
    over = threading.Event()

    def kill_when_there() -> None:
        while not over.wait(0.005):
            fresh = [child for child in _children(os.getpid()) if child not in before]
            if fresh:
                os.kill(fresh[0], signal.SIGKILL)
                return

    killer = threading.Thread(target=kill_when_there)
    killer.start()
    with pytest.raises(Killed):
        sandbox.call("ping", {}, timeout=SOON)
    over.set()
    killer.join()
    sandbox.close()


def test_a_child_outlives_the_thread_that_asked_first() -> None:
    sandbox = Sandbox(children=1, memory_bytes=2**30)
    before = set(_children(os.getpid()))
    first = threading.Thread(target=lambda: sandbox.call("ping", {}, timeout=SOON))
    first.start()
    task = Path(f"/proc/self/task/{first.native_id}")
    first.join()
    started = [child for child in _children(os.getpid()) if child not in before]
    while task.exists():  # the kernel tells children of a thread's end before its entry goes
        time.sleep(0)
    assert len(started) == 1
    assert sandbox.call("ping", {}, timeout=SOON) == "pong"
    assert [child for child in _children(os.getpid()) if child not in before] == started, "the same child answers"
    sandbox.close()


def test_children_die_with_a_parent_that_is_killed() -> None:
    script = (
        "from vitrine.media.sandbox import Sandbox\nfrom datetime import timedelta\nimport time\n"
        "s = Sandbox(children=1, memory_bytes=2**30)\ns.call('ping', {}, timeout=timedelta(seconds=30))\n"
        "print('up', flush=True)\ntime.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"up\n"
    children = _children(parent.pid)
    assert children
    watched = [os.pidfd_open(child) for child in children]
    parent.kill()
    parent.wait()
    parent.stdout.close()
    for descriptor in watched:
        ended, _, _ = select.select([descriptor], [], [], SOON.total_seconds())
        os.close(descriptor)
        assert ended


def test_the_parent_never_imports_a_decoder() -> None:
    script = (
        "import sys, vitrine.media.service, vitrine.library.jobs, vitrine.library.ingest\n"
        "print([m for m in ('pyvips', 'av', 'PIL', 'numpy', 'lxml') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
