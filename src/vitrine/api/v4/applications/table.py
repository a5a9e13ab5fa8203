"""The operations of applications, at `/api/v4/applications` and at their older address `/api/applications/`."""

from dataclasses import replace
from typing import Any

from vitrine.api.v4.applications import people, registration, secrets, tokens, usage
from vitrine.api.v4.applications.content import permit
from vitrine.api.v4.applications.schemas import CHANGES, SCHEMAS
from vitrine.api.v4.route import V4Route
from vitrine.api.v4.schemas import Schema, named, object_of
from vitrine.api.wire.endpoint import Handler, anybody

SCOPE = "applications"
_LIST = {name: SCHEMAS[name] for name in ("q", "all", "deleted")}
_NUMBERED = {name: SCHEMAS[name] for name in ("page", "per_page")}
_URI = {"uri": SCHEMAS["uri"]}
_EXAMPLE = {
    "name": "Press kit", "description": "Fills folders for the press.", "website": "https://press.example.com",
    "kind": "server", "redirect_uris": ["https://press.example.com/callback"],
}  # fmt: skip


def _route(
    path: str,
    method: str,
    handler: Handler,
    summary: str,
    answer: Schema | None = None,
    body: Schema | None = None,
    status: int = 200,
    **more: Any,
) -> V4Route:
    return V4Route(f"/applications{path}", method, handler, summary, SCOPE, answer, body, status, **more)


ITEM = "/{id:int}"
_APP, _DOCUMENT = named("Application"), named("ApplicationDocument")
ROUTES: tuple[V4Route, ...] = (
    _route("", "GET", registration.listed, "Your applications", named("ApplicationPage"), query=_LIST, is_list=True),
    _route("", "POST", registration.make, "Register an application", named("NewApplication"), _DOCUMENT, 201,
           permit=anybody, example=_EXAMPLE),
    _route(ITEM, "GET", registration.show, "One application", _APP),
    _route(ITEM, "PUT", registration.replace, "Make it what a document says", _APP, _DOCUMENT, guard="required",
           permit=permit),
    _route(ITEM, "PATCH", registration.change, "Change some of it", _APP, CHANGES, guard="required",
           permit=permit),
    _route(ITEM, "DELETE",
           registration.delete, "Delete it; it can come back for 14 days", status=204, guard="accepted"),
    _route(ITEM + "/restore", "POST", registration.restore, "Bring a deleted one back", _APP),
    _route(ITEM + "/export", "GET", registration.export, "Its document alone", _DOCUMENT),
    _route(ITEM + "/suspend", "POST",
           registration.suspend, "Stop it, with a reason", _APP, object_of(reason="string"),
           guard="accepted", permit=permit),
    _route(ITEM + "/resume", "POST", registration.resume, "Let it work again", _APP, guard="accepted"),
    _route(ITEM + "/decision", "POST", registration.decide, "Approve or refuse it (administrators)", _APP,
           object_of(approve="boolean", reason="string"), guard="accepted", permit=registration.permit_decision),
    _route(ITEM + "/redirects", "POST",
           registration.add_address, "Add an address to return to", _APP, object_of(uri="string"),
           201, guard="accepted", permit=permit),
    _route(ITEM + "/redirects", "DELETE",
           registration.remove_address, "Remove one", _APP, query=_URI, guard="accepted"),
    _route(ITEM + "/secrets", "GET", secrets.listed, "Its live client secrets, without their values",
           named("SecretList")),
    _route(ITEM + "/secrets", "POST", secrets.rotate, "A new client secret; the old one works for a while longer",
           named("NewSecret"), object_of(overlap_hours={"enum": [0, 24, 168]}), 201, guard="accepted", permit=permit),
    _route(ITEM + "/secrets/{secret:int}", "DELETE", secrets.end_old, "End the old secret now", status=204),
    _route(ITEM + "/tokens", "GET", tokens.listed, "Your developer tokens of it", named("TokenList")),
    _route(ITEM + "/tokens", "POST", tokens.add, "A new developer token, shown once", named("NewToken"),
           object_of(name="string", days={"enum": [7, 30, 90, 365]}, scopes=SCHEMAS["scopes"]), 201,
           permit=tokens.permit),
    _route(ITEM + "/tokens/{token:int}", "DELETE", tokens.revoke, "End one of them", status=204),
    _route(ITEM + "/user-tokens", "DELETE", tokens.revoke_users, "End every token that people gave it",
           object_of(ended="integer")),
    _route(ITEM + "/people", "GET", people.listed, "Owners and test users", named("People")),
    _route(ITEM + "/owners", "POST",
           people.add_owner, "Make somebody co-owner: needs a recent sign-in, no token can",
           named("Person"), object_of(login="string"),
           201, guard="accepted", permit=permit),
    _route(ITEM + "/owners/{person:int}", "DELETE", people.remove_owner, "Remove a co-owner", status=204,
           guard="accepted"),
    _route(ITEM + "/testers", "POST", people.add_tester, "Make somebody test user", named("Person"),
           object_of(login="string"), 201, guard="accepted", permit=permit),
    _route(ITEM + "/testers/{person:int}", "DELETE", people.remove_tester, "Remove a test user", status=204,
           guard="accepted"),
    _route(ITEM + "/limits", "GET", usage.limits, "What is left of this minute", named("Limits")),
    _route(ITEM + "/habits", "GET", usage.deprecated_features,
           "Deprecated features that it used in 30 days", named("HabitList")),
    _route(ITEM + "/scopes", "GET", usage.scopes, "Capabilities it holds, and which it used", named("ScopeList")),
    _route(ITEM + "/scopes", "PUT", usage.limit_scopes, "Leave it only some of them", _APP,
           object_of(limit=SCHEMAS["scopes"]), guard="accepted", permit=permit),
)  # fmt: skip


def _at_older_address(route: V4Route) -> V4Route:
    """The same operation, except that its list is paged by number (docs/decisions/0068)."""
    if route.handler is not registration.listed:
        return route
    return replace(
        route, handler=registration.listed_by_number, is_list=False, query={**_NUMBERED, **_LIST},
        answer=named("ApplicationList"),
    )  # fmt: skip


ALIASES: tuple[tuple[str, V4Route], ...] = tuple((f"/api{route.path}/", _at_older_address(route)) for route in ROUTES)
