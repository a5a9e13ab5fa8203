"""What every request passes: request id, the caller's address, one log line, headers that always hold.

Plain ASGI: a wrapped request object per layer would cost more than the work done here.
"""

import ipaddress
import time
from contextlib import suppress
from secrets import token_hex

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vitrine.platform import logging

log = logging.get("vitrine.http")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks(trusted: tuple[str, ...]) -> tuple[Network, ...]:
    """Raises ValueError for what is neither an address nor a network."""
    return tuple(ipaddress.ip_network(one.strip(), strict=False) for one in trusted)


def caller(scope: Scope, trusted: tuple[Network, ...]) -> str:
    """The address of who asks: the peer, or the last untrusted one of `X-Forwarded-For` when the peer is trusted."""
    client = scope.get("client")
    address = client[0] if client else ""
    if not trusted or not _is_in(address, trusted):
        return address
    chain = Headers(scope=scope).get("x-forwarded-for", "")
    for hop in reversed([part.strip() for part in chain.split(",") if part.strip()]):
        address = hop
        if not _is_in(hop, trusted):
            break
    return address[:64]


def _is_in(address: str, trusted: tuple[Network, ...]) -> bool:
    with suppress(ValueError):
        parsed = ipaddress.ip_address(address)
        return any(parsed in one for one in trusted)
    return False


class Outermost:
    """Gives each request an id and an address, logs one line at its end, adds the headers of every answer."""

    def __init__(self, app: ASGIApp, *, trusted: tuple[Network, ...], https: bool) -> None:
        self.app = app
        self.trusted = trusted
        self.https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = token_hex(8)
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        state["address"] = caller(scope, self.trusted)
        logging.request_id.set(request_id)
        status = 500

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = request_id
                headers.setdefault("x-content-type-options", "nosniff")
                if self.https:
                    headers.setdefault("strict-transport-security", "max-age=31536000")
            await send(message)

        try:
            await self.app(scope, receive, answer)
        finally:
            route = scope.get("route")
            log.info(
                "request",
                method=scope["method"],
                route=getattr(route, "path", "-"),
                status=status,
                ms=round((time.perf_counter() - started) * 1000, 2),
                address=state["address"],
            )
