"""Which pages of other sites may call the API from a browser (02 section 4.5 D, design 5.8).

An origin is welcome when a redirect address of an active application has it (docs/decisions/0027). A preflight names no
application, so any will do; the answer itself is then checked against the application of its token. A refused origin
gets no header at all: `null` would admit sandboxed frames. Cookies are never allowed, since the API takes none.
"""

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vitrine.edge.fast.responses import COMPLETE
from vitrine.edge.params import header
from vitrine.edge.run import run_in_thread
from vitrine.edge.services import Services

# Pages of other sites do not manage applications (docs/decisions/0068).
PATHS = re.compile(r"/api/v\d+/(?!applications(?:/|$))")
METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
HEADERS = frozenset(
    {"accept", "accept-language", "authorization", "content-language", "content-type", "idempotency-key", "if-match",
     "if-none-match", "if-modified-since", "range", "x-requested-with"}
)  # fmt: skip
EXPOSED = (
    "WWW-Authenticate, X-Request-Id, Retry-After, RateLimit, RateLimit-Policy, Server-Timing, ETag, Link, Location, "
    "Idempotent-Replayed"
)
MAX_AGE_S = 600
LONGEST_ORIGIN = 300


class Cors:
    """Answers preflights of API paths, and adds the headers to what the API answers, refusals of tokens included."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self.app = app
        self.services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/api/v"):
            await self.app(scope, receive, send)
            return
        origin = header(scope, b"origin")  # most callers are no browsers, and every call passes here
        if not origin or not PATHS.match(scope["path"]):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await self._preflight(headers, origin, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] in (COMPLETE, "http.response.start"):
                bearer = scope.get("state", {}).get("bearer")
                headers_sent = MutableHeaders(scope=message)
                headers_sent.add_vary_header("Origin")
                if await self._is_welcome(origin, bearer.actor.application_id if bearer is not None else None):
                    headers_sent["Access-Control-Allow-Origin"] = origin
                    headers_sent["Access-Control-Expose-Headers"] = EXPOSED
            await send(message)

        await self.app(scope, receive, answer)

    async def _is_welcome(self, origin: str, application_id: int | None) -> bool:
        if origin == "null" or len(origin) > LONGEST_ORIGIN:
            return False
        if self.services.database.is_sqlite:
            return self._look(origin, application_id)
        return await run_in_thread(lambda: self._look(origin, application_id))

    def _look(self, origin: str, application_id: int | None) -> bool:
        with self.services.database.read() as work:
            return self.services.applications.registry.is_origin(work, origin, application_id)

    async def _preflight(self, headers: Headers, origin: str, send: Send) -> None:
        """200 with an empty body; 405 or 400 when the page wants a method or a header that is never allowed."""
        if not await self._is_welcome(origin, None):
            await _empty(send, 200, {})
            return
        requested_headers = headers.get("access-control-request-headers", "")
        names = {name.strip().lower() for name in requested_headers.split(",") if name.strip()}
        status = 200
        if headers["access-control-request-method"].upper() not in METHODS:
            status = 405
        elif not names <= HEADERS:
            status = 400
        allowed = {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Methods": ", ".join(METHODS),
            "Access-Control-Allow-Headers": ", ".join(sorted(HEADERS)),
            "Access-Control-Max-Age": str(MAX_AGE_S),
        }
        await _empty(send, status, allowed)


async def _empty(send: Send, status: int, headers: dict[str, str]) -> None:
    """An answer without a body; caches keep it apart by origin and requested headers."""
    vary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
    listed = {**headers, "Vary": vary, "Content-Length": "0"}
    # Bytes of a header (RFC 9110 section 5.5).
    raw = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in listed.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": b""})
