"""Requests for access, and where they are taken, for those who decide about them."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor, Right
from vitrine.accounts.registration.model import PendingRequest, Policy, Rule
from vitrine.accounts.rights import names
from vitrine.api.v4.content import answer, json_members, moment, nothing
from vitrine.api.v4.idempotency import change
from vitrine.api.v4.paging import listed, page_of
from vitrine.api.v4.people.content import rights_of
from vitrine.api.v4.people.users import known_databox, permit_manager
from vitrine.api.v4.route import V4Route
from vitrine.api.v4.schemas import MOMENT, NUMBER, PERHAPS_TEXT, TEXT, Schema, full_object_of, list_of, named, object_of
from vitrine.api.v4.schemas import page_of as page_schema
from vitrine.edge import bearer, read, services_of, write
from vitrine.errors import Invalid
from vitrine.platform.database import UnitOfWork

SCOPE = "users"
_RIGHTS = list_of({"enum": sorted(Right.__members__)})
_RULES: Schema = {
    "type": ["array", "null"],
    "items": full_object_of(pattern=TEXT, rights=_RIGHTS),
    "description": "who gets what at once, by confirmed e-mail address; null: what the databox says",
}
_IS_OPEN: Schema = {"type": ["boolean", "null"], "description": "null: what the databox says"}
COMPONENTS: dict[str, Schema] = {
    "PendingRequest": full_object_of(
        request_id=NUMBER, user_id=NUMBER, login=TEXT, display_name=TEXT, email=PERHAPS_TEXT, base_id=NUMBER,
        created=MOMENT,
    ),
    "PendingRequestPage": page_schema(named("PendingRequest")),
    "RegistrationPolicy": full_object_of(is_open=_IS_OPEN, rules=_RULES),
}  # fmt: skip


def _json(pending: PendingRequest) -> dict[str, Any]:
    return {
        "request_id": pending.id, "user_id": pending.user_id, "login": pending.login,
        "display_name": pending.display_name, "email": pending.email, "base_id": pending.base_id,
        "created": moment(pending.created),
    }  # fmt: skip


async def pending(request: Request) -> Response:
    services, page = services_of(request), page_of(request, int)
    (after,) = page.after or (0,)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        rows = services.accounts.registration.pending(work, actor, after, page.limit + 1)
        return listed(request, rows, page, lambda row: (row.id,), _json)

    return await read(request, bearer, call)


async def accept(request: Request) -> Response:
    services, number = services_of(request), request.path_params["request_id"]
    given = (await json_members(request, rights=list))["rights"]
    more = rights_of([] if given is None else given, Right)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        services.accounts.registration.accept(work, actor, number, more=more)
        return nothing()

    return await change(request, call)


async def reject(request: Request) -> Response:
    services, number = services_of(request), request.path_params["request_id"]

    def call(work: UnitOfWork, actor: Actor) -> Response:
        services.accounts.registration.reject(work, actor, number)
        return nothing()

    return await change(request, call)


def _policy_json(policy: Policy) -> dict[str, Any]:
    rules = policy.rules
    listed_rules = None if rules is None else [{"pattern": r.pattern, "rights": names(r.rights)} for r in rules]
    return {"is_open": policy.is_open, "rules": listed_rules}


async def _policy_of(request: Request) -> Policy:
    members = await json_members(request, is_open=bool, rules=list)
    rules = members["rules"]
    if rules is None:
        return Policy(members["is_open"], None)
    return Policy(members["is_open"], tuple(_rule_of(rule) for rule in rules[:1000]))


def _rule_of(rule: Any) -> Rule:
    if not isinstance(rule, dict) or set(rule) != {"pattern", "rights"} or not isinstance(rule["pattern"], str):
        raise Invalid("A rule has a pattern and rights.", field="rules")
    return Rule(rule["pattern"], rights_of(rule["rights"], Right))


def _permit_policy(request: Request, work: UnitOfWork, actor: Actor) -> None:
    services_of(request).accounts.registration.collection_policy(work, actor, request.path_params["base_id"])


def _permit_databox_policy(request: Request, work: UnitOfWork, actor: Actor) -> None:
    services_of(request).accounts.registration.databox_policy(work, actor, request.path_params["databox_id"])


async def policy(request: Request) -> Response:
    services, base = services_of(request), request.path_params["base_id"]
    registration = services.accounts.registration
    return await read(
        request,
        bearer,
        lambda work, actor: answer(_policy_json(registration.collection_policy(work, actor, base))),
    )


async def set_policy(request: Request) -> Response:
    services, base = services_of(request), request.path_params["base_id"]
    registration = services.accounts.registration
    wanted = await _policy_of(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        registration.set_collection_policy(work, actor, base, wanted)
        return answer(_policy_json(wanted))

    return await write(request, bearer, call)


async def databox_policy(request: Request) -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        box = known_databox(request, work)
        return answer(_policy_json(services.accounts.registration.databox_policy(work, actor, box)))

    return await read(request, bearer, call)


async def set_databox_policy(request: Request) -> Response:
    registration = services_of(request).accounts.registration
    wanted = await _policy_of(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        known = known_databox(request, work)
        registration.set_databox_policy(work, actor, known, wanted)
        return answer(_policy_json(registration.databox_policy(work, actor, known)))

    return await write(request, bearer, call)


_REQUEST = "/registrations/{request_id:int}"
_COLLECTION, _DATABOX = "/collections/{base_id:int}/registration", "/databoxes/{databox_id:int}/registration"
_POLICY_BODY = object_of(is_open=_IS_OPEN, rules=_RULES)
_POLICY_EXAMPLE = {"is_open": True, "rules": [{"pattern": "*@museum.example", "rights": ["actif"]}]}
ROUTES = (
    V4Route("/registrations", "GET", pending, "Requests that you decide about, the oldest first", SCOPE,
            named("PendingRequestPage"), is_list=True),
    V4Route(_REQUEST + "/accept", "POST", accept, "Let the person in as a reader, with more rights if you like", SCOPE,
            body=object_of(rights=_RIGHTS), status=204, permit=permit_manager, example={"rights": ["nowatermark"]}),
    V4Route(_REQUEST + "/reject", "POST", reject, "Refuse a request", SCOPE, status=204),
    V4Route(_COLLECTION, "GET", policy, "Whether a collection takes requests", SCOPE, named("RegistrationPolicy")),
    V4Route(_COLLECTION, "PUT", set_policy, "Say whether it does", SCOPE, named("RegistrationPolicy"), _POLICY_BODY,
            permit=_permit_policy, example=_POLICY_EXAMPLE),
    V4Route(_DATABOX, "GET", databox_policy, "Whether its collections take requests (administrators)", SCOPE,
            named("RegistrationPolicy")),
    V4Route(_DATABOX, "PUT", set_databox_policy, "Say whether they do (administrators)", SCOPE,
            named("RegistrationPolicy"), _POLICY_BODY, permit=_permit_databox_policy, example=_POLICY_EXAMPLE),
)  # fmt: skip
