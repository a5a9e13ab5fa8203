"""Requests straight into the ASGI application, and what comes back."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message

from tests.fuzz.request import Request

HANGING_S = 20


@dataclass(slots=True)
class Answer:
    """*failure* is what was raised or logged, "" where nothing was."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    failure: str = ""


class Failures(logging.Handler):
    """Keeps what is logged with an exception."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.last = logging.Formatter().formatException(record.exc_info)
        elif isinstance(record.msg, dict):
            self.last = str(record.msg.get("exception", record.msg))


async def send(application: ASGIApp, request: Request, failures: Failures) -> Answer:
    pending: list[Message] = [{"type": "http.request", "body": request.body, "more_body": False}]
    answer = Answer(0, [], b"")

    async def receive() -> Message:
        return pending.pop() if pending else {"type": "http.disconnect"}

    async def take(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status, answer.headers = message["status"], list(message["headers"])
        else:
            answer.body += message.get("body", b"")

    failures.last = ""
    try:
        async with asyncio.timeout(HANGING_S):
            await application(request.scope(), receive, take)
    except TimeoutError:
        answer.failure = f"no answer in {HANGING_S} s"
    except Exception as failure:
        answer.failure = failures.last or repr(failure)
        answer.status = answer.status or 500
    if answer.status >= 500:
        answer.failure = answer.failure or failures.last or f"status {answer.status}"
    return answer


def is_failure(request: Request, answer: Answer) -> bool:
    """501 says that oEmbed has no such format (oEmbed 1.0 section 2.3.4)."""
    if answer.status == 501 and b"oembed" in request.target:
        return False
    return answer.status >= 500 or bool(answer.failure)
