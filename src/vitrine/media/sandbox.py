"""Run decoders in killable child processes.

The server and the worker never import a decoder. A call goes to a child process over a pipe. The parent watches the
time and the child's memory and kills it at either limit, so a hostile file costs only one child. Children end when
their parent dies, even by SIGKILL.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import timedelta
from queue import Empty, SimpleQueue
from typing import Any

import msgspec

from vitrine.media.errors import BY_CODE, Crashed, Killed, MediaError, OutOfMemory, TooSlow
from vitrine.platform import logging, supervision
from vitrine.platform.supervision import SupervisedThread, Supervisor

log = logging.get("vitrine.media")
POLL_EVERY_S = 0.05
CALLS_PER_CHILD = 200
IDLE_S = 60.0
LEAST_MEMORY_LIMIT = 512 * 2**20  # reserved by libraries before they decode anything
HEADROOM = 256 * 2**20  # the resource limit also counts reserved memory that is never touched; the parent does not
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
HEADER_BYTES = 4
STARTER = "decoder-starter"
START_TIMEOUT_S = 30.0
STARTER_LOOK_S = 1.0  # it is woken when there is something to do
_encode = msgspec.msgpack.encode
_decode = msgspec.msgpack.decode


@dataclass(slots=True, eq=False)
class _Child:
    process: subprocess.Popen[bytes]
    calls: int = 0
    idle_since: float = field(default_factory=time.monotonic)

    def memory_bytes(self) -> int:
        try:
            with open(f"/proc/{self.process.pid}/statm", "rb") as file:  # noqa: PTH123 - read 20 times a second
                return int(file.read().split()[1]) * PAGE_BYTES
        except (OSError, IndexError):
            return 0

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


class Sandbox:
    """At most *children* decoders at once; a call waits for a free one. Thread-safe."""

    def __init__(
        self,
        *,
        children: int,
        memory_bytes: int,
        file_bytes: int = 64 * 2**30,
        supervisor: Supervisor | None = None,
    ) -> None:
        self.memory_bytes = memory_bytes
        self.file_bytes = file_bytes
        self._slots = threading.BoundedSemaphore(children)
        self._guard = threading.Lock()
        self._idle: list[_Child] = []
        self._closed = False
        # One supervised thread starts all children, from the first call on: a child is killed when its parent dies, and
        # the kernel takes the thread that started it as its parent. Threads of a pool end when idle. If this one ends,
        # its children are killed and the next call starts new ones.
        self._supervisor = supervisor or Supervisor()
        self._starter: SupervisedThread | None = None
        self._starts: SimpleQueue[Future[_Child]] = SimpleQueue()

    def call(self, op: str, arguments: dict[str, Any], *, timeout: timedelta) -> Any:
        """Run *op* of `media.child` and return its plain value.

        Raises the MediaError that the child reports, or TooSlow, OutOfMemory, Killed or Crashed.
        """
        with self._child() as child:
            answer = self._send_call(child, op, arguments, time.monotonic() + timeout.total_seconds())
        if answer["ok"]:
            return answer["value"]
        refusal = BY_CODE.get(answer["code"], MediaError)
        raise refusal(answer["detail"], why=answer.get("why", ""), values=answer.get("values"))

    @contextlib.contextmanager
    def _child(self) -> Iterator[_Child]:
        with self._slots:
            child = self._acquire()
            try:
                yield child
            except BaseException:
                child.end()
                raise
            child.calls += 1
            child.idle_since = time.monotonic()
            with self._guard:
                if self._closed or child.calls >= CALLS_PER_CHILD:
                    child.end()
                else:
                    self._idle.append(child)

    def _acquire(self) -> _Child:
        with self._guard:
            while self._idle:
                child = self._idle.pop()
                if child.process.poll() is None:
                    return child
                child.end()
        return self._start()

    def _start(self) -> _Child:
        with self._guard:
            if self._closed:
                raise RuntimeError("the decoders are closed")
            if self._starter is None or self._starter.is_over:
                self._starter = self._supervisor.start(STARTER, self._run_starter)
            starter = self._starter
        start: Future[_Child] = Future()
        self._starts.put(start)
        starter.wake()
        try:
            return start.result(START_TIMEOUT_S)
        except TimeoutError as failure:
            if not start.cancel():
                start.result(0).end()  # it came just now
            raise Killed("This file could not be read.", why="no decoder could be started") from failure

    def _run_starter(self, thread: SupervisedThread) -> None:
        while not thread.wait(STARTER_LOOK_S):
            with contextlib.suppress(Empty):
                while True:
                    self._answer(self._starts.get_nowait())

    def _answer(self, start: Future[_Child]) -> None:
        if not start.set_running_or_notify_cancel():
            return
        try:
            start.set_result(self._spawn())
        except OSError as failure:  # no memory, no free process number: the caller tries again later
            log.warning("decoder.not_started", why=str(failure))
            start.set_exception(Killed("This file could not be read.", why="no decoder could be started"))
        except BaseException:
            start.set_exception(Killed("This file could not be read.", why="the thread of the decoders ended"))
            raise

    def _spawn(self) -> _Child:
        environment = {**os.environ, "VIPS_CONCURRENCY": "1", "OMP_NUM_THREADS": "1", "VIPS_WARNING": "0"}
        memory_limit = max(self.memory_bytes, LEAST_MEMORY_LIMIT) + HEADROOM
        arguments = [sys.executable, "-m", "vitrine.media.child", str(self.file_bytes), str(memory_limit)]
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )
        return _Child(process)

    def _send_call(self, child: _Child, op: str, arguments: dict[str, Any], deadline: float) -> Any:
        message = _encode({"op": op, "arguments": arguments})
        assert child.process.stdin is not None
        try:
            child.process.stdin.write(len(message).to_bytes(HEADER_BYTES, "big") + message)
            child.process.stdin.flush()
        except OSError as failure:
            raise Killed("This file could not be read.", why="the decoder had exited") from failure
        size = int.from_bytes(self._receive(child, HEADER_BYTES, deadline), "big")
        return _decode(self._receive(child, size, deadline))

    def _receive(self, child: _Child, size: int, deadline: float) -> bytes:
        assert child.process.stdout is not None
        descriptor = child.process.stdout.fileno()
        received = b""
        while len(received) < size:
            supervision.beat()
            ready, _, _ = select.select([descriptor], [], [], POLL_EVERY_S)
            if ready:
                part = os.read(descriptor, size - len(received))
                if not part:
                    code = child.process.wait()
                    if code == -signal.SIGXCPU:
                        raise TooSlow("This file takes too long to read.", why="processor time")
                    if code == -signal.SIGKILL:
                        raise Killed("This file could not be read: its decoder was ended.", why="killed from outside")
                    raise Crashed("This file could not be read: it made the decoder fail.", why=f"exit {code}")
                received += part
                continue
            if time.monotonic() > deadline:
                raise TooSlow("This file takes too long to read.", why="deadline")
            memory = child.memory_bytes()
            if memory > self.memory_bytes:
                raise OutOfMemory("This file needs too much memory to be read.", why=f"{memory} bytes")
        return received

    def end_idle(self, older_than_s: float = IDLE_S) -> None:
        """End children that have been idle for a while."""
        limit = time.monotonic() - older_than_s
        with self._guard:
            expired = [child for child in self._idle if child.idle_since < limit]
            self._idle = [child for child in self._idle if child.idle_since >= limit]
        for child in expired:
            child.end()

    def close(self) -> None:
        with self._guard:
            self._closed = True
            idle, self._idle = self._idle, []
        for child in idle:
            child.end()
        if self._starter is not None:
            self._supervisor.stop([self._starter])
