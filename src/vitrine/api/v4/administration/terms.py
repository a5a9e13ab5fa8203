"""Terms of use of a databox. Only a person accepts them, on a page: no application does it in their name."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v4.administration.common import SCOPE, databox_id, permit_managing
from vitrine.api.v4.content import answer, json_members, moment
from vitrine.api.v4.idempotency import change
from vitrine.api.v4.paging import listed, page_of
from vitrine.api.v4.route import V4Route
from vitrine.api.v4.schemas import (
    FLAG,
    MOMENT,
    NUMBER,
    PERHAPS_MOMENT,
    PERHAPS_NUMBER,
    TEXT,
    Schema,
    full_object_of,
    named,
    object_of,
)
from vitrine.api.v4.schemas import page_of as page_schema
from vitrine.edge import bearer, listing, read, services_of
from vitrine.library.terms.store import Acceptance, TermsVersion
from vitrine.platform.database import UnitOfWork

_TEXTS: Schema = {"type": "object", "additionalProperties": TEXT, "description": "HTML by language: fr, en, de, nl"}
_VERSION = {
    "number": NUMBER, "published": MOMENT, "texts": _TEXTS,
    "must_accept": {"type": "boolean", "description": "an acceptance of an earlier version no longer counts"},
}  # fmt: skip
_MINE = full_object_of(
    is_accepted={"type": "boolean", "description": "false while you must accept the version in force"},
    number={**PERHAPS_NUMBER, "description": "the highest version that you accepted"},
    accepted=PERHAPS_MOMENT,
    page={"type": "string", "description": "where you can read and accept them, signed in"},
)
COMPONENTS = {
    "TermsVersion": full_object_of(**_VERSION),
    "TermsVersionPage": page_schema(named("TermsVersion")),
    "Terms": full_object_of(
        version={"anyOf": [named("TermsVersion"), {"type": "null"}], "description": "in force; null: none"}, mine=_MINE
    ),
    "TermsAcceptance": full_object_of(user_id=NUMBER, number=NUMBER, accepted=MOMENT),
    "TermsAcceptancePage": page_schema(named("TermsAcceptance")),
}


def _version(version: TermsVersion) -> dict[str, Any]:
    return {
        "number": version.number, "published": moment(version.published), "texts": dict(version.texts),
        "must_accept": version.must_accept,
    }  # fmt: skip


def _acceptance(row: Acceptance) -> dict[str, Any]:
    return {"user_id": row.user_id, "number": row.number, "accepted": moment(row.accepted)}


async def current(request: Request) -> Response:
    """The version in force, and whether the caller accepted it."""
    services, box = services_of(request), databox_id(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        version = services.library.terms.current(work, actor, box)
        standing = services.library.terms.standing(work, actor, box)
        accepted = standing.accepted
        mine = {
            "is_accepted": standing.is_accepted, "number": accepted and accepted.number,
            "accepted": accepted and moment(accepted.accepted), "page": services.settings.absolute(f"/terms/{box}/"),
        }  # fmt: skip
        return answer({"version": None if version is None else _version(version), "mine": mine})

    return await read(request, bearer, call)


async def publish(request: Request) -> Response:
    terms, box = services_of(request).library.terms, databox_id(request)
    given = await json_members(request, texts=dict, must_accept=bool)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        version = terms.publish(work, actor, box, given["texts"] or {}, must_accept=bool(given["must_accept"]))
        return answer(_version(version), 201, {"Location": f"/api/v4/databoxes/{box}/terms"})

    return await change(request, call)


async def versions(request: Request) -> Response:
    terms, box, page = services_of(request).library.terms, databox_id(request), page_of(request, int, most=50)
    (before,) = page.after or (None,)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        rows = terms.versions(work, actor, box, before=before, limit=page.limit + 1)
        return listed(request, rows, page, lambda row: (row.number,), _version)

    return await listing(request, bearer, call)


async def acceptances(request: Request) -> Response:
    terms, box, page = services_of(request).library.terms, databox_id(request), page_of(request, int, int)
    after = (int(page.after[0]), int(page.after[1])) if page.after else None

    def call(work: UnitOfWork, actor: Actor) -> Response:
        rows = terms.acceptances(work, actor, box, after=after, limit=page.limit + 1)
        return listed(request, rows, page, lambda row: (row.user_id, row.number), _acceptance)

    return await listing(request, bearer, call)


_BOX = "/databoxes/{databox_id:int}/terms"
ROUTES = (
    V4Route(_BOX, "GET", current, "Terms of use of a databox, and whether you accepted them", "library:read",
            named("Terms")),
    V4Route(_BOX, "POST", publish, "Publish a new version of the terms of use", SCOPE, named("TermsVersion"),
            object_of(texts=_TEXTS, must_accept=FLAG), 201, permit=permit_managing,
            example={"texts": {"en": "<p>Name the museum.</p>"}, "must_accept": True}),
    V4Route(_BOX + "/versions", "GET", versions, "Every version of the terms of use, newest first", SCOPE,
            named("TermsVersionPage"), is_list=True),
    V4Route(_BOX + "/acceptances", "GET", acceptances, "Who accepted which version, and when", SCOPE,
            named("TermsAcceptancePage"), is_list=True),
)  # fmt: skip
