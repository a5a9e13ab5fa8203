"""The decoding child: reads one call at a time from standard input, writes the result to standard output.

Untrusted bytes are decoded only in this process, by the modules that it imports on the first call.
"""

import ctypes
import errno
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from vitrine.media.errors import MediaError

PR_SET_PDEATHSIG = 1
CPU_SECONDS = 3600
HEADER_BYTES = 4
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def _operations() -> dict[str, Callable[..., Any]]:
    from vitrine.media.probe.inspect import probe
    from vitrine.media.renditions.make import make_many

    def page(**arguments: Any) -> Any:
        from vitrine.media.renditions import document

        return document.page(**arguments)

    def album(**arguments: Any) -> Any:
        from vitrine.media.renditions import compose

        return compose.album(**arguments)

    def overlay(**arguments: Any) -> Any:
        from vitrine.media.renditions import overlays

        return overlays.draw_overlay(**arguments)

    def sidecar(**arguments: Any) -> Any:
        from vitrine.media.metadata.read import sidecar

        return sidecar.read(**arguments)

    return {
        "probe": probe,
        "sidecar": sidecar,
        "make_many": make_many,
        "page": page,
        "album": album,
        "overlay": overlay,
        "usage": _usage,
        "ping": lambda: "pong",
    }


def _peak_bytes() -> int:
    """The peak memory of this program. `ru_maxrss` also counts the parent's, from before the program was loaded."""
    with Path("/proc/self/status").open() as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def _usage() -> dict[str, float]:
    """What this child has used so far: its process number, peak memory in bytes, and CPU seconds."""
    consumed = resource.getrusage(resource.RUSAGE_SELF)
    return {"pid": os.getpid(), "peak_bytes": _peak_bytes(), "cpu_s": consumed.ru_utime + consumed.ru_stime}


def _limit_resources(file_bytes: int, memory_bytes: int) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    # The parent checks the memory 20 times a second; this limit stops anything that grows faster.
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    os.nice(5)  # requests for pages have priority over making renditions


def _read(size: int) -> bytes:
    received = b""
    while len(received) < size:
        part = sys.stdin.buffer.read(size - len(received))
        if not part:
            raise EOFError
        received += part
    return received


def answer(call: dict[str, Any], operations: dict[str, Callable[..., Any]]) -> dict[str, Any]:
    """Run one call. Refusals and exceptions of decoders are both returned as plain values for the parent."""
    try:
        return {"ok": True, "value": operations[call["op"]](**call["arguments"])}
    except MediaError as refusal:
        message = {"detail": refusal.template, "values": {name: str(value) for name, value in refusal.values.items()}}
        return {"ok": False, "code": refusal.code, "why": refusal.why, **message}
    except MemoryError:
        return {"ok": False, "code": "out_of_memory", "detail": "This file needs too much memory to be read."}
    except Exception as failure:
        if _is_disk_full(failure):
            detail = "The server has no room to work on this file at the moment."
            return {"ok": False, "code": "no_room", "detail": detail, "why": f"{type(failure).__name__}"}
        # A decoder may raise anything; the file is at fault, not the server.
        detail = "This file is damaged or not what it seems to be."
        return {
            "ok": False,
            "code": "undecodable",
            "detail": detail,
            "why": f"{type(failure).__name__}: {failure}"[:500],
        }


def _is_disk_full(failure: Exception) -> bool:
    """True for a full or read-only disk, reported by Python's errno or in a library's error text."""
    return getattr(failure, "errno", None) in _NO_ROOM or any(os.strerror(code) in str(failure) for code in _NO_ROOM)


def main() -> None:
    _limit_resources(int(sys.argv[1]), int(sys.argv[2]))
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # a library that prints must not break the protocol
    operations = _operations()
    while True:
        try:
            call = msgspec.msgpack.decode(_read(int.from_bytes(_read(HEADER_BYTES), "big")))
        except EOFError:
            return
        message = msgspec.msgpack.encode(answer(call, operations))
        out.write(len(message).to_bytes(HEADER_BYTES, "big") + message)
        out.flush()


if __name__ == "__main__":
    main()
