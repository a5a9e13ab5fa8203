"""Who the caller is, and what their token allows."""

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v4.content import answer, chosen, moment, sparse
from vitrine.api.v4.route import V4Route
from vitrine.api.v4.schemas import (
    FLAG,
    MOMENT,
    NUMBER,
    PERHAPS_NUMBER,
    PERHAPS_TEXT,
    TEXT,
    Schema,
    full_object_of,
    list_of,
    named,
    sparse_object_of,
)
from vitrine.edge import bearer, listing, read, services_of
from vitrine.oauth import scopes
from vitrine.platform.database import UnitOfWork

_ME: dict[str, Schema] = {
    "user_id": NUMBER, "login": TEXT, "email": PERHAPS_TEXT, "display_name": TEXT, "first_name": TEXT,
    "last_name": TEXT, "locale": PERHAPS_TEXT, "is_admin": FLAG, "application_id": PERHAPS_NUMBER,
    "scopes": {
        "type": ["array", "null"], "items": TEXT,
        "description": "what the token allows; null: everything that the person may do",
    },
}  # fmt: skip
COMPONENTS = {
    "Me": sparse_object_of("user_id", **_ME),
    "DownloadQuota": full_object_of(
        base_id=NUMBER,
        monthly={**NUMBER, "description": "documents that you may download from the collection in a month"},
        remaining=NUMBER,
        renews={**MOMENT, "description": "when all of them are left again"},
    ),
    "DownloadQuotas": full_object_of(quotas=list_of(named("DownloadQuota"))),
}


async def me(request: Request) -> Response:
    services, wanted = services_of(request), chosen(request, _ME)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        user = services.accounts.users.get(work, actor.must_user_id)
        value = {
            "user_id": user.id,
            "login": user.login,
            "email": user.email,
            "display_name": user.display_name,
            "first_name": user.first_name,
            "last_name": user.last_name,
            "locale": user.locale,
            "is_admin": user.is_admin,
            "application_id": actor.application_id,
            "scopes": None if actor.scope is None else scopes.ordered(actor.scope),
        }
        return answer(sparse(value, wanted, "user_id"))

    return await read(request, bearer, call)


async def download_quotas(request: Request) -> Response:
    """Of the collections from which the caller may download a limited number of documents; at most one of each."""
    quotas = services_of(request).library.quotas

    def call(work: UnitOfWork, actor: Actor) -> Response:
        rows = [
            {
                "base_id": quota.base_id,
                "monthly": quota.most,
                "remaining": quota.remaining,
                "renews": moment(quota.renews),
            }
            for quota in quotas.mine(work, actor)
        ]
        return answer({"quotas": rows})

    return await listing(request, bearer, call)


ROUTES = (
    V4Route("/me", "GET", me, "Who you are here", "account:read", named("Me"), chooses=True),
    V4Route("/me/download-quotas", "GET", download_quotas, "How many downloads are left to you", "account:read",
            named("DownloadQuotas")),
)  # fmt: skip
