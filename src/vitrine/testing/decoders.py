"""Decoders that the tests of one process share: to start one takes longer than most of what tests have decoded."""

import atexit
from functools import cache

from vitrine.media.sandbox import Sandbox


class SharedSandbox(Sandbox):
    """Stays open when a test closes what it was given to; `end()` comes with the end of the process."""

    def close(self) -> None:
        """The next test takes the same child."""

    def end(self) -> None:
        super().close()


@cache
def shared_sandbox(memory_bytes: int) -> SharedSandbox:
    """The one decoder of this process that may use *memory_bytes*."""
    sandbox = SharedSandbox(children=1, memory_bytes=memory_bytes)
    atexit.register(sandbox.end)
    return sandbox
