"""What the owner sees of an application at work: calls, failures, charts; snippets to begin with; a try-it console."""

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
from vitrine.applications import Application, kind_of, usage
from vitrine.edge import long_read, read, services_of, write
from vitrine.errors import Invalid
from vitrine.platform.database import UnitOfWork
from vitrine.web.developers import snippets
from vitrine.web.developers.limits_and_scopes import limits
from vitrine.web.developers.settings import ONE, application_id
from vitrine.web.shared.forms import known
from vitrine.web.shared.reauthentication import requires_recent_auth
from vitrine.web.shared.render import page

WIDTH, HEIGHT = 720, 120
SHOWN_BYTES = 100_000


async def show(request: Request) -> Response:
    services = services_of(request)
    query = request.query_params
    route, family, before = query.get("route", ""), query.get("status", ""), query.get("before", "")

    def call(work: UnitOfWork, actor: Actor) -> dict[str, Any]:
        found = services.applications.registry.get(work, actor, application_id(request))
        mark = int(before[:18]) if before.isdecimal() else None
        calls, more = usage.calls(work, found.id, route=route, family=family, before=mark)
        developer, tokens = (
            services.oauth.developer_tokens.current(work, actor, found),
            services.oauth.personal_tokens.all(work, actor, found),
        )
        return {
            "limits": limits(services, actor, found, developer, tokens),
            "habits": services.oauth.server.deprecated_features(work, actor, found),
            "application": found,
            "calls": calls,
            "more": more,
            "failures": usage.failures(work, found.id),
            "days": usage.days(work, found.id),
            "routes": usage.routes(work, found.id),
        }

    services.deferred_writes.flush()
    shown = await long_read(request, known, call)
    days = shown["days"]
    return page(
        request, "developers/usage.html", part="usage", route=route, family=family, families=list(usage.FAMILIES),
        requests=_bars([one.requests for one in days]), people=_bars([one.people for one in days]),
        most_requests=max(one.requests for one in days), most_people=max(one.people for one in days),
        token_calls=services.settings.token_requests, **shown,
    )  # fmt: skip


def _bars(values: list[int]) -> list[tuple[float, float, float, float]]:
    """x, y, width and height of each bar in a box of WIDTH × HEIGHT; the highest fills it."""
    most, step = max([*values, 1]), WIDTH / len(values)
    heights = [HEIGHT * one / most for one in values]
    return [(round(at * step + 1, 1), round(HEIGHT - one, 1), round(step - 2, 1), round(one, 1))
            for at, one in enumerate(heights)]  # fmt: skip


async def start(request: Request) -> Response:
    """Snippets with the application's own values. Their token comes from the environment, never from the page."""
    services = services_of(request)
    found = await read(
        request, known, lambda work, actor: services.applications.registry.get(work, actor, application_id(request))
    )
    server = services.settings.base_url.rstrip("/")
    kind = kind_of(found.kind, found.type, found.switches.profile)
    return page(
        request, "developers/start.html", part="start", application=found, snippets=snippets.first_photograph(server),
        way=snippets.authorize(server, found), exchange=snippets.exchange(server, found),
        alone=snippets.alone(server, found), secrets=snippets.PKCE, whole=snippets.whole_page(server, found, kind),
        kind=kind.value,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Operation:
    key: str
    method: str
    path: str
    summary: str
    names: tuple[str, ...]


def operations(request: Request) -> list[Operation]:
    """What can be tried: the routes of the API that our own document names, except uploads of files."""
    made = []
    for path, methods in openapi.document(services_of(request).settings)["paths"].items():
        if not path.startswith(("/api/v1/", "/api/applications/")) or path.endswith(("/records/add/", "/substitute/")):
            continue
        for method, told in methods.items():
            if path.startswith("/api/applications/") and method != "get":  # they take JSON
                continue
            names = tuple(one["name"] for one in told.get("parameters", ()) if one.get("in") == "path")
            made.append(Operation(f"{method.upper()} {path}", method.upper(), path, told.get("summary", ""), names))
    return sorted(made, key=lambda one: (one.path, one.method))


async def console(request: Request) -> Response:
    services = services_of(request)
    found = await read(
        request, known, lambda work, actor: services.applications.registry.get(work, actor, application_id(request))
    )
    return _console(request, found, {"operation": request.query_params.get("operation", "GET /api/v1/me/")})


def _console(
    request: Request, found: Application, given: dict[str, str], answer: dict[str, Any] | None = None, fault: str = ""
) -> Response:
    known_ones = operations(request)
    chosen = next((one for one in known_ones if one.key == given.get("operation")), known_ones[0])
    return page(
        request, "developers/try.html", part="try", application=found, operations=known_ones, chosen=chosen,
        given=given, answer=answer, fault=fault,
    )  # fmt: skip


async def run(request: Request, given: dict[str, str]) -> Response:
    """Make the call inside this process, by a token of the developer's own that lives for this one call."""
    services = services_of(request)
    found = await read(
        request, known, lambda work, actor: services.applications.registry.get(work, actor, application_id(request))
    )
    chosen = next((one for one in operations(request) if one.key == given.get("operation")), None)
    if chosen is None:
        raise Invalid("There is no such choice.", field="operation")
    if "run" not in given:
        return _console(request, found, given)
    path = chosen.path
    for name in chosen.names:
        value = given.get(f"path-{name}", "").strip()
        if not value or "/" in value or not value.isprintable():
            return _console(request, found, given, fault=name)
        path = path.replace("{" + name + "}", value)

    def issue(work: UnitOfWork, actor: Actor) -> str:
        services.applications.registry.for_token(work, actor, found.id)
        return services.oauth.personal_tokens.for_one_call(work, actor, found)

    secret = await write(request, known, issue)
    try:
        answer = await _call(request, chosen.method, path, given.get("parameters", ""), secret)
    finally:
        await write(request, known, lambda work, actor: services.oauth.personal_tokens.forget_call(work, actor, secret))
    return _console(request, found, given, answer)


async def _call(request: Request, method: str, path: str, parameters: str, secret: str) -> dict[str, Any]:
    """Status, headers and body of one call to this very application, as a client over the network would get them."""
    lines = "&".join(one.strip() for one in parameters.splitlines() if one.strip())
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
    told: dict[str, Any] = {"status": 500, "headers": []}
    parts: list[bytes] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            told["status"] = message["status"]
            # Bytes of a header (RFC 9110 section 5.5): any, each a letter.
            told["headers"] = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message["headers"]]
        else:
            parts.append(message.get("body", b""))

    started = time.perf_counter()
    await request.app.state.whole(scope, receive, send)
    raw = b"".join(parts)
    return {
        **told, "ms": round((time.perf_counter() - started) * 1000, 1), "method": method, "size": len(raw),
        "path": path + ("?" + query.decode() if query else ""), "body": _readable(raw),
    }  # fmt: skip


def _readable(raw: bytes) -> str:
    try:
        text = msgspec.json.format(raw, indent=2).decode()
    except (msgspec.DecodeError, UnicodeDecodeError):
        text = raw.decode(errors="replace")
    return text if len(text) <= SHOWN_BYTES else text[:SHOWN_BYTES] + "\n…"


ROUTES = [
    Route(ONE + "usage/", show, methods=["GET"]),
    Route(ONE + "start/", start, methods=["GET"]),
    Route(ONE + "try/", console, methods=["GET"]),
    Route(ONE + "try/", requires_recent_auth(run), methods=["POST"]),
]
