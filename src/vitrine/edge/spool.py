"""The files of a form, all in one temporary file: however many and small they are, they take a megabyte of memory
and one open file."""

import io
import threading
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

IN_MEMORY_BYTES = 2**20


class Spool:
    """Takes files one after another; closed with the last of them, or by `close`."""

    def __init__(self) -> None:
        self._content = SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115 - closed with the files
        self._guard = threading.Lock()
        self._size = self._open = 0

    def begin(self) -> "SpooledFile":
        self._open += 1
        return SpooledFile(self)

    @property
    def size(self) -> int:
        return self._size

    async def append(self, content: bytes) -> None:
        """At the end. Raises OSError when the disk takes no more."""
        self._size += len(content)
        if self._size <= IN_MEMORY_BYTES:
            self._content.write(content)
        else:
            await run_in_threadpool(self._content.write, content)

    def read(self, start: int, size: int) -> bytes:
        with self._guard:
            self._content.seek(start)
            return self._content.read(size)

    def end(self) -> None:
        """One of the files is closed."""
        self._open -= 1
        if not self._open:
            self.close()

    def close(self) -> None:
        self._content.close()


class SpooledFile(io.RawIOBase):
    """One file of a spool, to be read like any other."""

    def __init__(self, spool: Spool) -> None:
        super().__init__()
        self._spool = spool
        self._start = self.size = self._position = 0

    async def append(self, content: bytes) -> None:
        """The files grow one after another, in the order in which they were begun."""
        if not self.size:
            self._start = self._spool.size
        await self._spool.append(content)
        self.size += len(content)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer)
        content = self._spool.read(self._start + self._position, min(len(view), self.size - self._position))
        view[: len(content)] = content
        self._position += len(content)
        return len(content)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        self._position = min(self.size, max(0, base + offset))
        return self._position

    def tell(self) -> int:
        return self._position

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._spool.end()
