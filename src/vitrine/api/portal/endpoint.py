"""How every route of the portal's API answers: token, JSON in and out, refusals as RFC 9457 problems, entity tags."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts.errors import RecentAuthRequired
from vitrine.accounts.model import ADMINISTRATION
from vitrine.applications import Application, BadApplication, NoSuchApplication
from vitrine.edge import bearer, parameters, read, refusals, services_of
from vitrine.edge.auth import TokenMissing, TwoCarriers
from vitrine.edge.calls import count_deprecated_features
from vitrine.edge.params import body
from vitrine.edge.text import json_value
from vitrine.errors import Conflict, DomainError, Invalid
from vitrine.oauth import InsufficientScope, TokenRefused
from vitrine.oauth.metadata import PROTECTED_RESOURCE
from vitrine.platform import logging
from vitrine.platform.schema import to_micros

Handler = Callable[[Request], Awaitable[Response]]
log = logging.get("vitrine.api")
BODY_BYTES = 64 * 1024
JSON_TYPES = ("", "application/json", "application/merge-patch+json")
TITLES = {
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    409: "Conflict", 412: "Precondition Failed", 413: "Content Too Large", 415: "Unsupported Media Type",
    422: "Unprocessable Content", 428: "Precondition Required", 429: "Too Many Requests", 500: "Internal Server Error",
    503: "Service Unavailable",
}  # fmt: skip


class Changed(Conflict):
    """Somebody changed the thing since the caller looked (RFC 9110 section 13.1.1)."""

    code = "changed_meanwhile"


class Unguarded(Conflict):
    """A change of the whole without `If-Match` (RFC 6585 section 3)."""

    code = "if_match_required"


class NotJson(Invalid):
    code = "not_json"


STATUSES: refusals.Statuses = (
    (Changed, 412),
    (Unguarded, 428),
    (NotJson, 415),
    (BadApplication, 422),
    *refusals.STATUSES,
)


def endpoint(handler: Handler, needs: str) -> Handler:
    """Wrap a handler; *needs* is the scope that a token with scopes must have (docs/decisions/0042)."""

    async def wrapped(request: Request) -> Response:
        request.scope["state"]["needs"] = needs
        response = await _answered(request, handler)
        count_deprecated_features(request, response)
        return response

    return wrapped


async def _answered(request: Request, handler: Handler) -> Response:
    try:
        await parameters(request)
        await read(request, bearer, lambda _work, _actor: None)  # strangers learn nothing of what a body may hold
        return await handler(request)
    except TokenMissing:
        return _challenged(request, 401, "invalid_token", "Send an access token: Authorization: Bearer …", named=False)
    except InsufficientScope as refusal:
        return insufficient(request, refusal.scope)
    except TokenRefused as refusal:
        code = refusal.code if refusal.code == "invalid_request" else "invalid_token"
        status = 400 if code == "invalid_request" else 401
        return _challenged(request, status, code, refusal.description or "This access token opens nothing any more.")
    except TwoCarriers:
        return problem(400, "invalid_request", "Send one access token, in the Authorization header.")
    except NoSuchApplication as refusal:
        facts = request.scope["state"].get("bearer")
        if facts is not None and facts.actor.is_admin and not facts.actor.administers:
            return insufficient(request, ADMINISTRATION)  # an administrator may know what is missing
        return refused(refusal)
    except RecentAuthRequired as refusal:
        return person_needed(request, refusal)
    except DomainError as refusal:
        return refused(refusal)
    except Exception:
        log.exception("request.broke")
        return problem(500, "error", "The server failed; the request id in the headers tells its operator more.")


def person_needed(request: Request, refusal: RecentAuthRequired) -> Response:
    """What no token may do (docs/decisions/0080): *page* is where a person does it, after signing in."""
    number = request.path_params.get("id")
    where = "new/" if number is None else f"{number}/"
    page = services_of(request).settings.absolute(f"/developers/application/{where}")
    return problem(403, refusal.code, refusal.detail, page=page)


def refused(refusal: DomainError) -> Response:
    status = refusals.status_of(refusal, STATUSES)
    if refusal.why:
        log.info("refused", code=refusal.code, why=refusal.why)
    more: dict[str, Any] = {"field": refusal.field} if refusal.field else {}
    if isinstance(refusal, BadApplication):
        more["faults"] = refusal.faults
    return problem(status, refusal.code, refusal.detail, refusals.headers_of(refusal), **more)


def problem(status: int, code: str, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """RFC 9457: `code` is stable, `detail` a sentence, `field` and `faults` name what is wrong in the body."""
    value = {"type": "about:blank", "title": TITLES[status], "status": status, "code": code, "detail": detail, **more}
    return answer(value, status, headers, media_type="application/problem+json")


def _challenged(request: Request, status: int, code: str, detail: str, *, named: bool = True) -> Response:
    """RFC 6750 section 3: without a token the challenge names no error."""
    where = services_of(request).settings.absolute(PROTECTED_RESOURCE)
    error = f' error="{code}",' if named else ""
    challenge = f'Bearer realm="Service",{error} resource_metadata="{where}"'
    return problem(status, code, detail, {"WWW-Authenticate": challenge})


def insufficient(request: Request, scope: str) -> Response:
    where = services_of(request).settings.absolute(PROTECTED_RESOURCE)
    told = f'error="insufficient_scope", scope="{scope}"'
    headers = {"WWW-Authenticate": f'Bearer realm="Service", {told}, resource_metadata="{where}"'}
    detail = f"The token needs the scope {scope} for this."
    return problem(403, "insufficient_scope", detail, headers, scope=scope)


def answer(
    value: Any, status: int = 200, headers: Mapping[str, str] | None = None, media_type: str = "application/json"
) -> Response:
    sent = {"Cache-Control": "no-store", **(headers or {})}
    return Response(msgspec.json.encode(value), status, sent, media_type=media_type)


def nothing() -> Response:
    return Response(b"", 204, {"Cache-Control": "no-store"})


async def json_body(request: Request) -> Any:
    """The JSON value of the body; an empty one is an empty object. Raises NotJson, Invalid or BodyTooLarge."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    raw = b"" if kind not in JSON_TYPES else await body(request, max_bytes=BODY_BYTES)
    if kind not in JSON_TYPES:
        raise NotJson("Send JSON, with Content-Type: application/json.", field="body")
    try:
        return json_value(raw) if raw.strip() else {}
    except msgspec.DecodeError as failure:
        raise Invalid("The body is not well-formed JSON.", field="body") from failure


async def fields(request: Request, **wanted: type | tuple[type, ...]) -> dict[str, Any]:
    """An object with some of *wanted*, each of its type; what is missing is None. Raises Invalid, naming the field."""
    given = await json_body(request)
    if not isinstance(given, dict):
        raise Invalid("Send a JSON object.", field="body")
    unknown = sorted(set(given) - set(wanted))
    if unknown:
        raise Invalid(f"There is no field called {unknown[0][:80]} here.", field=unknown[0][:80])
    for name, kinds in wanted.items():
        value = given.get(name)
        if value is not None and (not isinstance(value, kinds) or (isinstance(value, bool) and kinds is int)):
            raise Invalid(f"The value of {name} has the wrong type.", field=name)
    return {name: given.get(name) for name in wanted}


def tag_of(application: Application) -> str:
    """A strong entity tag: every change of an application writes its `updated`."""
    return f'"{application.id}-{to_micros(application.updated):x}"'


def require_tag(request: Request, application: Application, *, needed: bool = False) -> None:
    """Compare `If-Match` inside the transaction of the change, so that no change in between is lost.

    Raises Changed (412), or Unguarded (428) where one is *needed*."""
    given = request.headers.get("if-match")
    if given is None:
        if needed:
            raise Unguarded(
                "Send If-Match with the ETag that you got with the application, or * for whatever is there."
            )
        return
    tags = {one.strip() for one in given.split(",")}
    if "*" not in tags and tag_of(application) not in tags:
        raise Changed("The application was changed since you looked. Fetch it again and repeat your change.")
