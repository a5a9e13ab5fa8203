"""Structured logs: one line per request and per job, never a secret.

Values under a key that names a secret, and anything that has the form of one, are replaced before a line is written:
a second net under the rule that nobody logs them.
"""

import logging
import re
import sys
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO

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
    known = request_id.get()
    if known:
        entry["request_id"] = known
    return entry


def configure(*, as_json: bool, level: str = "info", stream: TextIO | None = None) -> None:
    """Send structlog and the standard library's loggers of our dependencies through one chain to *stream* (stderr)."""
    out = stream or sys.stderr
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
    """How lines of requests are written; set by `configure`."""

    as_json = False
    stream: TextIO = sys.stderr


def request_line(request_id: str, method: str, route: str, status: int, ms: float, address: str) -> None:
    """The one line of a request. Written without the chain, which costs more than a small answer: none of its values
    can hold a secret (the route is the pattern, never the path)."""
    at = f"{datetime.now(UTC).isoformat(timespec='milliseconds')[:-6]}Z"
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
    with suppress(OSError, ValueError):  # nobody listens any more
        _RequestLines.stream.write(line)


def get(name: str = "vitrine") -> Any:
    """A bound logger; typed Any because structlog's wrapper class is chosen at run time."""
    return structlog.get_logger(name)
