"""Other people's accounts: contract 02 section 6.11. Who calls manages the users of a collection, else 401."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor, User
from vitrine.accounts.errors import LinkUsed, WeakPassword
from vitrine.accounts.service import WANTS_MAIL as MAIL
from vitrine.api.v1 import present
from vitrine.api.v1.json_body import json_body
from vitrine.api.v1.own_account import as_object, base_ids, flag_of, profile_of, text_of
from vitrine.api.v1.route import V1Route
from vitrine.api.wire.envelope import answer
from vitrine.edge import bearer, read, run_in_thread, services_of, write
from vitrine.errors import Forbidden, Invalid, NotFound
from vitrine.platform.database import UnitOfWork

PROFILE = {
    "gender": "gender", "firstname": "first_name", "lastname": "last_name", "address": "address", "city": "city",
    "zipcode": "zip_code", "tel": "phone", "fax": "fax", "job": "job", "company": "company", "position": "activity",
}  # fmt: skip


async def reset_password(request: Request) -> Response:
    """POST /accounts/reset-password/{email}/"""
    services, name = services_of(request), request.path_params["email"]
    token = await write(
        request, bearer, lambda work, actor: services.accounts.management.reset_token(work, actor, name)
    )
    return _private(answer(request, {"reset_token": token}))


async def update_password(request: Request) -> Response:
    """POST /accounts/update-password/{token}/: 200 in all cases, once the caller manages users."""
    services, token = services_of(request), request.path_params["token"]
    management = services.accounts.management

    def permit(work: UnitOfWork, actor: Actor) -> Actor:
        management.require_password_giver(work, actor)
        return actor

    actor = await read(request, bearer, permit)
    password = request.state.params.text("password")
    try:
        await run_in_thread(lambda: management.set_password(actor, token, password or ""))
    except (LinkUsed, WeakPassword, Forbidden):
        return answer(request, {"success": False})
    return answer(request, {"success": True})


async def access_demand(request: Request) -> Response:
    """POST /accounts/access-demand/"""
    services = services_of(request)
    management = services.accounts.management
    await read(request, bearer, management.require_password_giver)
    given = as_object(await json_body(request))
    email, password = text_of(given, "email"), given.get("password")
    if not email or not isinstance(password, str) or not password:
        raise Invalid("email and password are required.", field="password" if email else "email")
    login = text_of(given, "login") or email
    wanted = given.get("collections")
    collections = None if wanted is None else base_ids(wanted, "collections")
    profile = profile_of(given, PROFILE)
    wants_mail = flag_of(given, "notifications")
    profile |= {"geoname_id": _geoname(given)} | ({} if wants_mail is None else {"preferences": {MAIL: wants_mail}})
    hashed = await run_in_thread(lambda: services.accounts.users.passwords.hash(password))

    def call(work: UnitOfWork, actor: Actor) -> tuple[User, str]:
        return management.add_account(
            work, actor, login=login, email=email, password_hash=hashed, collections=collections, profile=profile
        )

    user, token = await write(request, bearer, call)
    return _private(answer(request, {"user": present.user(user, services.settings.zone), "token": token}))


def _geoname(given: Any) -> int | None:
    text = text_of(given, "geonameid")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise Invalid("geonameid must be a number.", field="geonameid")
    return int(text)


async def unlock(request: Request) -> Response:
    """POST /accounts/unlock/{token}/: 400 for a token that works no more."""
    services, token = services_of(request), request.path_params["token"]
    try:
        await write(request, bearer, lambda work, actor: services.accounts.management.unlock(work, actor, token))
    except NotFound as refusal:
        raise Invalid(refusal.detail, field="token") from refusal
    return answer(request, {"success": True})


def _private(response: Response) -> Response:
    """The answer holds a secret (RFC 9111 section 5.2.2.5)."""
    response.headers["Cache-Control"] = "no-store"
    return response


ROUTES: tuple[V1Route, ...] = (
    V1Route(
        "/accounts/reset-password/{email}/",
        ("POST",),
        reset_password,
        "02 §6.11",
        "A token to set somebody's password",
        "users",
    ),
    V1Route(
        "/accounts/update-password/{token}/",
        ("POST",),
        update_password,
        "02 §6.11",
        "Set somebody's password by a token",
        "users",
    ),
    V1Route("/accounts/access-demand/", ("POST",), access_demand, "02 §6.11", "Make an account", "users"),
    V1Route("/accounts/unlock/{token}/", ("POST",), unlock, "02 §6.11", "Unlock a new account", "users"),
)
