"""A console in the page: a call of the API inside this process, with a token for this one call."""

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Scope

from vitrine.accounts import Actor
from vitrine.api import openapi
from vitrine.applications import Application
from vitrine.edge import services_of, write
from vitrine.errors import Invalid
from vitrine.platform.database import UnitOfWork
from vitrine.web.developers.application import APPLICATION, read_application
from vitrine.web.shared.forms import known
from vitrine.web.shared.reauthentication import requires_recent_auth
from vitrine.web.shared.render import page

SHOWN_BYTES = 100_000
_OFFERED = ("/api/v1/", "/api/v4/", "/api/applications/")


@dataclass(frozen=True, slots=True)
class Operation:
    key: str
    method: str
    path: str
    summary: str
    names: tuple[str, ...]


def operations(request: Request) -> list[Operation]:
    """What can be tried: the routes of the API that our own document names, except uploads of files."""
    listed = []
    for path, methods in openapi.document(services_of(request).settings)["paths"].items():
        if not path.startswith(_OFFERED) or path.endswith(("/records/add/", "/substitute/")):
            continue
        for method, description in methods.items():
            if not path.startswith("/api/v1/") and method != "get":  # they take JSON
                continue
            names = tuple(
                parameter["name"] for parameter in description.get("parameters", ()) if parameter.get("in") == "path"
            )
            listed.append(
                Operation(f"{method.upper()} {path}", method.upper(), path, description.get("summary", ""), names)
            )
    return sorted(listed, key=lambda operation: (operation.path, operation.method))


async def console(request: Request) -> Response:
    application = await read_application(request)
    return _console(request, application, {"operation": request.query_params.get("operation", "GET /api/v1/me/")})


def _console(
    request: Request,
    application: Application,
    given: dict[str, str],
    answer: dict[str, Any] | None = None,
    fault: str = "",
) -> Response:
    offered = operations(request)
    chosen = next((operation for operation in offered if operation.key == given.get("operation")), offered[0])
    return page(
        request, "developers/try.html", part="try", application=application, operations=offered, chosen=chosen,
        given=given, answer=answer, fault=fault,
    )  # fmt: skip


async def run(request: Request, given: dict[str, str]) -> Response:
    """Make the call inside this process, by a token of the developer's own that lives for this one call."""
    services = services_of(request)
    application = await read_application(request)
    chosen = next((operation for operation in operations(request) if operation.key == given.get("operation")), None)
    if chosen is None:
        raise Invalid("There is no such choice.", field="operation")
    if "run" not in given:
        return _console(request, application, given)
    path = chosen.path
    for name in chosen.names:
        value = given.get(f"path-{name}", "").strip()
        if not value or "/" in value or not value.isprintable():
            return _console(request, application, given, fault=name)
        path = path.replace("{" + name + "}", value)

    def issue(work: UnitOfWork, actor: Actor) -> str:
        services.applications.registry.for_token(work, actor, application.id)
        return services.oauth.personal_tokens.for_one_call(work, actor, application)

    secret = await write(request, known, issue)
    try:
        answer = await _call(request, chosen.method, path, given.get("parameters", ""), secret)
    finally:
        await write(request, known, lambda work, actor: services.oauth.personal_tokens.forget_call(work, actor, secret))
    return _console(request, application, given, answer)


async def _call(request: Request, method: str, path: str, parameters: str, secret: str) -> dict[str, Any]:
    """Status, headers and body of one call to this very application, as a client over the network would get them."""
    lines = "&".join(line.strip() for line in parameters.splitlines() if line.strip())
    form = method in ("POST", "PUT", "PATCH")
    body, query = (lines.encode(), b"") if form else (b"", lines.encode())
    headers = [
        (b"authorization", b"Bearer " + secret.encode()),
        (b"accept", b"application/json"),
        (b"host", b"console"),
    ]
    if form:
        kind = b"application/x-www-form-urlencoded"
        headers += [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    scope: Scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": quote(path).encode(), "query_string": query, "root_path": "", "headers": headers,
        "client": (request.state.address, 0), "server": ("console", 80),
    }  # fmt: skip
    head: dict[str, Any] = {"status": 500, "headers": []}
    parts: list[bytes] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            head["status"] = message["status"]
            # Bytes of a header (RFC 9110 section 5.5): any, each a letter.
            head["headers"] = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message["headers"]]
        else:
            parts.append(message.get("body", b""))

    started = time.perf_counter()
    await request.app.state.whole(scope, receive, send)
    raw = b"".join(parts)
    return {
        **head, "ms": round((time.perf_counter() - started) * 1000, 1), "method": method, "size": len(raw),
        "path": path + ("?" + query.decode() if query else ""), "body": _readable(raw),
    }  # fmt: skip


def _readable(raw: bytes) -> str:
    try:
        text = msgspec.json.format(raw, indent=2).decode()
    except (ValueError, RecursionError):  # not JSON, not UTF-8, or nested too deeply
        text = raw.decode(errors="replace")
    return text if len(text) <= SHOWN_BYTES else text[:SHOWN_BYTES] + "\n…"


ROUTES = [
    Route(APPLICATION + "try/", console, methods=["GET"]),
    Route(APPLICATION + "try/", requires_recent_auth(run), methods=["POST"]),
]
