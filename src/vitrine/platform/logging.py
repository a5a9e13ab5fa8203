"""Structured logs: one line per request and per job, never a secret.

Values under a key that names a secret, and anything that looks like a secret, are replaced before a line is written.
This backs up the rule that nobody logs secrets.
"""

import asyncio
import logging
import re
import sys
import time
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, ClassVar, TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

_SECRET_KEYS = re.compile(r"(password|secret|token|authorization|cookie|code_verifier|csrf)$", re.IGNORECASE)
_SECRET_FORM = re.compile(r"vit_[a-z]{2,3}_[0-9A-Za-z]{10,}|(?<=oauth_token=)[^&\s]+|(?<=access_token=)[^&\s]+")
HIDDEN = "[hidden]"


def hide_secrets(_logger: WrappedLogger, _name: str, entry: EventDict) -> EventDict:
    for key, value in entry.items():
        if _SECRET_KEYS.search(key) and value is not None:
            entry[key] = HIDDEN
        elif isinstance(value, str):
            entry[key] = _SECRET_FORM.sub(HIDDEN, value)
    return entry


request_id: ContextVar[str] = ContextVar("request_id", default="")


def _with_request_id(_logger: WrappedLogger, _name: str, entry: EventDict) -> EventDict:
    current_id = request_id.get()
    if current_id:
        entry["request_id"] = current_id
    return entry


def configure(*, as_json: bool, level: str = "info", stream: TextIO | None = None) -> None:
    """Send structlog and the standard library's loggers of our dependencies through one chain to *stream* (stderr)."""
    out = stream or sys.stderr
    _RequestLines.flush()
    _RequestLines.as_json, _RequestLines.stream = as_json, out
    shared: list[Any] = [
        _with_request_id,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        hide_secrets,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=False,
            exception_formatter=structlog.dev.plain_traceback,  # the rich one, where installed, prints local variables
        )
    )
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("pyvips", "uvicorn.access", "alembic", "httpx", "httpcore", "PIL"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


class _RequestLines:
    """Writes the request lines; set up by `configure`.

    In an event loop, all lines of one iteration are written together: a write costs as much as formatting a line.
    """

    as_json = False
    stream: TextIO = sys.stderr
    _waiting: ClassVar[list[str]] = []
    _loop: ClassVar[asyncio.AbstractEventLoop | None] = None  # the loop whose lines are buffered; a server has one

    @classmethod
    def add(cls, line: str) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            cls._put(line)
            return
        if cls._loop is loop:
            cls._waiting.append(line)
            return
        if cls._loop is not None:
            if not cls._loop.is_closed():
                cls._put(line)
                return
            cls.flush()
        cls._loop = loop
        cls._waiting.append(line)
        loop.call_soon(cls.flush)

    @classmethod
    def flush(cls) -> None:
        lines, cls._waiting, cls._loop = cls._waiting, [], None
        if lines:
            cls._put("".join(lines))

    @classmethod
    def _put(cls, text: str) -> None:
        with suppress(OSError, ValueError):  # the stream is closed
            cls.stream.write(text)


@lru_cache(maxsize=2)
def _format_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:-6]


def request_line(request_id: str, method: str, route: str, status: int, ms: float, address: str) -> None:
    """Write the line of a request. It bypasses the processor chain, which costs more than a small response: none of its
    values can hold a secret (the route is the pattern, never the path)."""
    now = time.time()
    at = f"{_format_second(int(now))}.{int(now * 1000) % 1000:03d}Z"
    if _RequestLines.as_json:
        line = (
            f'{{"event":"request","level":"info","timestamp":"{at}","request_id":"{request_id}","method":"{method}",'
            f'"route":"{route}","status":{status},"ms":{ms:.2f},"address":"{address}"}}\n'
        )
    else:
        line = (
            f"{at} [info     ] request                        address={address} method={method} ms={ms:.2f} "
            f"request_id={request_id} route={route} status={status}\n"
        )
    _RequestLines.add(line)


def get(name: str = "vitrine") -> Any:
    """A bound logger; typed Any because structlog's wrapper class is chosen at run time."""
    return structlog.get_logger(name)
