"""The response whose headers are ours and already bytes, and the message that carries a complete response.

`CompleteResponse` is an ordinary ASGI response; nothing depends on the fast paths being on.
"""

from collections.abc import Callable, Iterable

from starlette.responses import Response
from starlette.types import Scope, Send

from vitrine.edge.fast.encoded_headers import Pair

# `http.response.start` and the only `http.response.body` in one message: status, headers, body. It goes from the
# dispatcher to `edge.middleware`, which asks for it by the key ACCEPTED in the scope.
COMPLETE = "vitrine.complete_response"
ACCEPTED = "vitrine.accepts_complete_responses"
# The ASGI extension of the same name takes such a response in one call: status, headers, body, and encoded lines of
# further headers. It answers False, and has sent nothing, where the ordinary way must be taken.
SendComplete = Callable[[int, Iterable[Pair], bytes, bytes], bool]

_CALL = Response.__call__  # what a response that is one body has; those that stream have their own


class CompleteResponse(Response):
    """Status, headers and the whole body, without Starlette's encoding and checks of headers.

    *headers* are names in lower case with values, and with them everything that is to be sent: no `content-length` is
    added.
    """

    def __init__(self, status: int, headers: Iterable[Pair], body: bytes = b"") -> None:
        self.status_code = status
        self.background = None
        self.body = body
        self.raw_headers = [*headers]


def content_length(length: int) -> Pair:
    return b"content-length", b"%d" % length


def is_complete(response: Response) -> bool:
    """True for a response that is one body and has nothing to do afterwards."""
    return type(response).__call__ is _CALL and response.background is None


async def send_complete(scope: Scope, send: Send, response: Response) -> None:
    """In one message where the middleware waits for it, else as ASGI has it."""
    status, headers, body = response.status_code, response.raw_headers, bytes(response.body)
    if ACCEPTED in scope:
        await send({"type": COMPLETE, "status": status, "headers": headers, "body": body})
        return
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
