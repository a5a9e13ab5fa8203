"""My account: name, address and language (contract 07 P2)."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import User
from vitrine.edge import read, services_of, write
from vitrine.errors import Invalid
from vitrine.web.shared.forms import known, posted
from vitrine.web.shared.render import LANGUAGES, page, redirect, said

TEXTS = (
    "first_name",
    "last_name",
    "job",
    "company",
    "activity",
    "address",
    "zip_code",
    "city",
    "country",
    "phone",
    "fax",
)
SHOWN = frozenset({"first_name", "last_name", "job", "company", "city", "country", "phone"})  # fields of the form


async def info(request: Request) -> Response:
    services = services_of(request)
    user = await read(request, known, lambda work, actor: services.accounts.users.get(work, actor.must_user_id))
    return _page(request, user, saved="saved" in request.query_params)


def _page(request: Request, user: User, faults: Mapping[str, str] = MappingProxyType({}), **more: Any) -> Response:
    return page(
        request, "account/info.html", tab="info", user=user, faults=faults, languages=LANGUAGES,
        status=400 if faults else 200, **{"saved": False, **more},
    )  # fmt: skip


async def save(request: Request) -> Response:
    given = await posted(request)
    services = services_of(request)
    changes: dict[str, object] = {name: given[name].strip() for name in TEXTS if name in given}
    if given.get("gender") in ("0", "1", "2"):
        changes["gender"] = int(given["gender"])
    if "locale" in given:
        changes["locale"] = given["locale"] if given["locale"] in LANGUAGES else None
    users = services.accounts.users
    try:
        await write(request, known, lambda work, actor: users.update_profile(work, actor, changes))
    except Invalid as refusal:
        if refusal.field not in SHOWN:
            raise
        user = await read(request, known, lambda work, actor: users.get(work, actor.must_user_id))
        typed: dict[str, Any] = {name: value for name, value in changes.items() if hasattr(user, name)}
        return _page(request, replace(user, **typed), {refusal.field: said(request, refusal)})
    return redirect("/account/?saved")


ROUTES = [
    Route("/account/", info, methods=["GET"]),
    Route("/account/", save, methods=["POST"]),
]
