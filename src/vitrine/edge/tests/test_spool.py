"""Files of a form: many small ones in one temporary file."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from vitrine.edge.bodies import Form, read_multipart
from vitrine.edge.spool import IN_MEMORY_BYTES
from vitrine.errors import Invalid

KIND = "multipart/form-data; boundary=b"


def part(name: str, content: bytes) -> bytes:
    return (
        f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n\r\n'.encode() + content + b"\r\n"
    )


def read(body: bytes, size: int, kind: str = KIND) -> Form:
    async def chunks() -> AsyncIterator[bytes]:
        for place in range(0, len(body), size):
            yield body[place : place + size]

    return asyncio.run(read_multipart(kind, chunks()))


@pytest.mark.parametrize("size", [7, 5000, 10**7])
def test_each_file_has_its_bytes(size: int) -> None:
    contents = [b"A" * 2000, b"", b"<html></html>", bytes(range(256)) * 10]
    form = read(b"".join(part(str(n), content) for n, content in enumerate(contents)) + b"--b--\r\n", size)
    uploads = [upload for _, upload in form.files]
    assert [upload.size for upload in uploads] == [len(content) for content in contents]
    assert [upload.file.read() for upload in reversed(uploads)] == contents[::-1]
    last = uploads[-1].file
    last.seek(-2, io.SEEK_END)
    assert (last.tell(), last.read(9), last.read(9)) == (2558, b"\xfe\xff", b"")
    for upload in uploads:
        upload.file.close()


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_thousand_files_are_one_open_file() -> None:
    """Each had a megabyte of memory, and an open file beyond that."""
    content = b"x" * (IN_MEMORY_BYTES // 100)
    before = open_files()
    form = read(b"".join(part(str(n), content) for n in range(1000)) + b"--b--\r\n", 65_536)
    assert open_files() == before + 1
    assert all(upload.file.read() == content for _, upload in form.files)
    for _, upload in form.files:
        upload.file.close()
    assert open_files() == before


def test_no_file_stays_open_after_a_refusal() -> None:
    before = open_files()
    with pytest.raises(Invalid):
        read(part("a", b"x" * 2 * IN_MEMORY_BYTES) + b"--b\r\n\r\n", 65_536)
    assert open_files() == before
