"""/device: a person types the code that a device shows, sees who asks, and decides (RFC 8628 section 3.3).

A code that comes in the address is only filled in: the person still has to send it and to decide, and is told to go on
only if the device is before them (section 5.4).
"""

from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor
from vitrine.edge import read, services_of, write
from vitrine.edge.limits import TooMany
from vitrine.errors import Invalid
from vitrine.oauth.devices import LENGTH, Device, NoSuchDevice, plain
from vitrine.oauth.metadata import DEVICE_PAGE
from vitrine.oauth.scopes import offered
from vitrine.platform.database import UnitOfWork
from vitrine.web.shared.forms import known, posted
from vitrine.web.shared.render import page, redirect
from vitrine.web.sign_in.session import end_session

_SAFE = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}


async def show(request: Request) -> Response:
    _require_api(request)
    await read(request, known, lambda _work, _actor: None)
    return _page(request, typed=request.query_params.get("user_code", "")[:20])


async def decide(request: Request) -> Response:
    _require_api(request)
    given = await posted(request)
    actor = await read(request, known, lambda _work, actor: actor)
    services, typed = services_of(request), given.get("user_code", "")
    try:
        services.limits.requests.user_code.hit(f"{actor.user_id}")
        services.limits.requests.user_code.hit(request.state.address)
    except TooMany as refusal:
        return _page(request, typed=typed[:20], fault=refusal.detail, status=429, headers=refusal.headers)
    if "switch_account" in given:
        back = f"{DEVICE_PAGE}?{urlencode({'user_code': typed[:20]})}"
        return await end_session(request, redirect(f"/login/?{urlencode({'redirect': back, 'choose': '1'})}"))
    decision = given.get("decision", "")
    try:
        if decision not in ("allow", "deny"):
            device = await read(request, known, lambda work, _actor: services.oauth.server.device(work, typed))
            return _page(request, device=device)
        await write(request, known, lambda work, who: _decided(request, work, who, given, allow=decision == "allow"))
    except NoSuchDevice as refusal:
        fault = refusal.detail if len(plain(typed)) == LENGTH else "A code has eight letters."
        return _page(request, typed=typed[:20], fault=fault, status=400)
    except Invalid as refusal:
        device = await read(request, known, lambda work, _actor: services.oauth.server.device(work, typed))
        return _page(request, device=device, fault=refusal.detail, status=400)
    return _page(request, outcome="allowed" if decision == "allow" else "denied")


def _decided(request: Request, work: UnitOfWork, actor: Actor, given: dict[str, str], *, allow: bool) -> None:
    oauth = services_of(request).oauth
    scope = frozenset(name.removeprefix("allow-") for name in given if name.startswith("allow-"))
    oauth.server.decide_device(work, actor, given["user_code"], allow=allow, scope=scope)


def _require_api(request: Request) -> None:
    if not services_of(request).settings.api_enabled:
        raise HTTPException(404)


def _page(
    request: Request,
    *,
    device: Device | None = None,
    typed: str = "",
    fault: str = "",
    outcome: str = "",
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    scopes = None if device is None else offered(device.scope, is_admin=request.state.actor.is_admin)
    return page(
        request,
        "oauth/device.html",
        status=status,
        headers={**_SAFE, **(headers or {})},
        device=device,
        scopes=scopes,
        typed=typed,
        fault=fault,
        outcome=outcome,
    )


ROUTES = [Route(DEVICE_PAGE, show, methods=["GET"]), Route(DEVICE_PAGE, decide, methods=["POST"])]
