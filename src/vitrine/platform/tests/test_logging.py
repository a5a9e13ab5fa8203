"""Request lines: every field is written, and all lines of one event loop iteration in one write."""

import asyncio
import io
import json
from collections.abc import Iterator

import pytest

from vitrine.platform import logging


class Stream(io.StringIO):
    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []

    def write(self, text: str) -> int:
        self.writes.append(text)
        return super().write(text)


@pytest.fixture
def stream() -> Iterator[Stream]:
    import logging as standard

    root = standard.getLogger()
    handlers, level = root.handlers[:], root.level
    previous = (logging._RequestLines.as_json, logging._RequestLines.stream)
    stream = Stream()
    logging.configure(as_json=True, stream=stream)
    yield stream
    root.handlers[:], root.level = handlers, level
    logging._RequestLines.as_json, logging._RequestLines.stream = previous


def line(number: int = 1) -> None:
    logging.request_line(f"id{number}", "GET", "/api/v1/me/", 200, 1.234, "192.0.2.1")


def test_a_line_outside_a_loop_is_written_at_once_with_every_field(stream: Stream) -> None:
    line()
    (text,) = stream.writes
    entry = json.loads(text)
    stamp = entry.pop("timestamp")
    assert len(stamp) == len("2026-11-25T03:05:52.871Z") and stamp.endswith("Z")
    assert entry == {
        "event": "request", "level": "info", "request_id": "id1", "method": "GET", "route": "/api/v1/me/",
        "status": 200, "ms": 1.23, "address": "192.0.2.1",
    }  # fmt: skip


def test_the_lines_of_one_round_are_one_write_and_in_order(stream: Stream) -> None:
    async def serve() -> list[int]:
        line(1)
        line(2)
        before = len(stream.writes)
        await asyncio.sleep(0)
        line(3)
        await asyncio.sleep(0)
        return [before, len(stream.writes)]

    assert asyncio.run(serve()) == [0, 2]
    assert [json.loads(text)["request_id"] for text in stream.getvalue().splitlines()] == ["id1", "id2", "id3"]


def test_lines_of_a_loop_that_died_are_written_by_the_next(stream: Stream) -> None:
    async def serve(number: int) -> None:
        line(number)

    dying = asyncio.new_event_loop()
    coroutine = serve(1)
    task = dying.create_task(coroutine)
    dying.call_soon(dying.stop)  # before the iteration that would write the line
    dying.run_forever()
    assert task.done()
    dying.close()
    asyncio.run(serve(2))
    assert [json.loads(text)["request_id"] for text in stream.getvalue().splitlines()] == ["id1", "id2"]


def test_a_second_loop_does_not_wait_for_the_first(stream: Stream) -> None:
    async def serve() -> None:
        line(1)

        async def other() -> None:
            line(2)

        await asyncio.to_thread(asyncio.run, other())

    asyncio.run(serve())
    assert sorted(json.loads(text)["request_id"] for text in stream.getvalue().splitlines()) == ["id1", "id2"]
