"""`python -m benchmarks.scale.watched serve …`: the server, telling the longest callbacks of its event loop.

Each callback that used more than LEAST_MS of its thread's CPU is a line of the file CALLBACKS: milliseconds, and what
was called. asyncio's own loop stands in for uvloop, whose callbacks cannot be wrapped.
"""

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import uvicorn

from vitrine.cli import main

CALLBACKS = "WATCHED_CALLBACKS"
LEAST_MS = 2.0


def watch(path: Path) -> None:
    """Wrap every callback of every loop of this process."""
    run = asyncio.Handle._run
    log = path.open("a", buffering=1)

    def measured(handle: Any) -> None:
        began = time.thread_time()
        run(handle)
        ms = (time.thread_time() - began) * 1000
        if ms > LEAST_MS:
            log.write(f"{ms:.1f}\t{getattr(handle, '_callback', None)!r}\n")

    setattr(asyncio.Handle, "_run", measured)  # noqa: B010 - mypy refuses to assign to a method
    configure: Any = uvicorn.Config.__init__

    def with_asyncio(config: uvicorn.Config, *arguments: Any, **options: Any) -> None:
        configure(config, *arguments, **{**options, "loop": "asyncio"})

    setattr(uvicorn.Config, "__init__", with_asyncio)  # noqa: B010


if __name__ == "__main__":
    watch(Path(os.environ[CALLBACKS]))
    main()
