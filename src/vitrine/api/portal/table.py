"""The routes of the portal's API, from which the router and the OpenAPI document are made."""

import re
from dataclasses import dataclass
from typing import Any

from vitrine.api.portal import applications, people, secrets, tokens, usage
from vitrine.api.portal.schemas import CHANGES, SCHEMAS, named, object_of
from vitrine.api.wire.endpoint import Handler
from vitrine.api.wire.security import security

PREFIX = "/api/applications/"
SCOPE = "applications"
_PARAMETER = re.compile(r"\{(\w+):int\}")


@dataclass(frozen=True, slots=True)
class PortalRoute:
    """*body* and *answer* are schemas; *query* names parameters; *guard*: `If-Match` is `accepted` or `required`."""

    path: str
    method: str
    handler: Handler
    summary: str
    answer: dict[str, Any] | None = None
    body: dict[str, Any] | None = None
    status: int = 200
    query: tuple[str, ...] = ()
    guard: str = ""

    def described(self) -> dict[str, Any]:
        """As an operation of the OpenAPI document."""
        parameters = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "integer"}}
            for name in _PARAMETER.findall(self.path)
        ]
        parameters += [{"name": name, "in": "query", "schema": SCHEMAS[name]} for name in self.query]
        if self.guard:
            required = {"required": True} if self.guard == "required" else {}
            parameters.append({"name": "If-Match", "in": "header", "schema": {"type": "string"}, **required})
        name = re.sub(r"[^a-z]+", "_", _PARAMETER.sub(r"\1", self.path)).strip("_")
        return {
            "summary": self.summary,
            "operationId": f"applications_{self.method.lower()}_{name}".rstrip("_"),
            "tags": ["applications"],
            "parameters": parameters,
            **({"requestBody": self._body()} if self.body is not None else {}),
            "responses": self._responses(),
            "security": security(SCOPE),
        }

    def _body(self) -> dict[str, Any]:
        kind = "application/merge-patch+json" if self.method == "PATCH" else "application/json"
        return {"required": True, "content": {kind: {"schema": self.body}}}

    def _responses(self) -> dict[str, Any]:
        success: dict[str, Any] = {"description": "Done"}
        if self.answer is not None:
            success["content"] = {"application/json": {"schema": self.answer}}
        responses = {str(self.status): success}
        codes = {"400": "The request cannot be read, or a value in it", "401": "No token, or one that opens nothing",
                 "403": "The token lacks a scope, or its owner may not do this",
                 "404": "No such thing of yours", "429": "Too many calls; Retry-After says when to come back",
                 "503": "Busy; please try again"}  # fmt: skip
        if self.body is not None:
            codes |= {"413": "The body is too large", "415": "The body is not JSON",
                      "422": "Values that cannot be; faults names each"}  # fmt: skip
        if self.method != "GET":
            codes["409"] = "Not possible in the state that it is in"
        if self.guard:
            codes["412"] = "Changed since you read it"
        if self.guard == "required":
            codes["428"] = "If-Match is missing"
        for code, text in codes.items():
            content = {"application/problem+json": {"schema": named("Problem")}}
            responses[code] = {"description": text, "content": content}
        return dict(sorted(responses.items()))


ITEM = "{id:int}/"
_APP, _DOCUMENT = named("Application"), named("ApplicationDocument")
ROUTES: tuple[PortalRoute, ...] = (
    PortalRoute("", "GET", applications.listed, "Your applications", named("ApplicationList"),
                query=("page", "per_page", "q", "all", "deleted")),
    PortalRoute("", "POST", applications.make, "Register an application", named("NewApplication"), _DOCUMENT, 201),
    PortalRoute(ITEM, "GET", applications.show, "One application", _APP),
    PortalRoute(ITEM, "PUT", applications.replace, "Make it what a document says", _APP, _DOCUMENT, guard="required"),
    PortalRoute(ITEM, "PATCH", applications.change, "Change some of it", _APP, CHANGES, guard="required"),
    PortalRoute(ITEM, "DELETE",
                applications.delete, "Delete it; it can come back for 14 days", status=204, guard="accepted"),
    PortalRoute(ITEM + "restore/", "POST", applications.restore, "Bring a deleted one back", _APP),
    PortalRoute(ITEM + "export/", "GET", applications.export, "Its document alone", _DOCUMENT),
    PortalRoute(ITEM + "suspend/", "POST",
                applications.suspend, "Stop it, with a reason", _APP, object_of(reason="string"),
                guard="accepted"),
    PortalRoute(ITEM + "resume/", "POST", applications.resume, "Let it work again", _APP, guard="accepted"),
    PortalRoute(ITEM + "decision/", "POST", applications.decide, "Approve or refuse it (administrators)", _APP,
                object_of(approve="boolean", reason="string"), guard="accepted"),
    PortalRoute(ITEM + "redirects/", "POST",
                applications.add_address, "Add an address to return to", _APP, object_of(uri="string"),
                201, guard="accepted"),
    PortalRoute(ITEM + "redirects/", "DELETE",
                applications.remove_address, "Remove one", _APP, query=("uri",), guard="accepted"),
    PortalRoute(ITEM + "secrets/", "GET", secrets.listed, "Its live client secrets, without their values",
                named("SecretList")),
    PortalRoute(ITEM + "secrets/", "POST", secrets.rotate, "A new client secret; the old one works for a while longer",
                named("NewSecret"), object_of(overlap_hours={"enum": [0, 24, 168]}), 201, guard="accepted"),
    PortalRoute(ITEM + "secrets/{secret:int}/", "DELETE", secrets.end_old, "End the old secret now", status=204),
    PortalRoute(ITEM + "tokens/", "GET", tokens.listed, "Your developer tokens of it", named("TokenList")),
    PortalRoute(ITEM + "tokens/", "POST", tokens.add, "A new developer token, shown once", named("NewToken"),
                object_of(name="string", days={"enum": [7, 30, 90, 365]}, scopes=SCHEMAS["scopes"]), 201),
    PortalRoute(ITEM + "tokens/{token:int}/", "DELETE", tokens.revoke, "End one of them", status=204),
    PortalRoute(ITEM + "user-tokens/", "DELETE", tokens.revoke_users, "End every token that people gave it",
                object_of(ended="integer")),
    PortalRoute(ITEM + "people/", "GET", people.listed, "Owners and test users", named("People")),
    PortalRoute(ITEM + "owners/", "POST",
                people.add_owner, "Make somebody co-owner: needs a recent sign-in, no token can",
                named("Person"), object_of(login="string"),
                201, guard="accepted"),
    PortalRoute(ITEM + "owners/{person:int}/", "DELETE", people.remove_owner, "Remove a co-owner", status=204,
                guard="accepted"),
    PortalRoute(ITEM + "testers/", "POST", people.add_tester, "Make somebody test user", named("Person"),
                object_of(login="string"), 201, guard="accepted"),
    PortalRoute(ITEM + "testers/{person:int}/", "DELETE", people.remove_tester, "Remove a test user", status=204,
                guard="accepted"),
    PortalRoute(ITEM + "limits/", "GET", usage.limits, "What is left of this minute", named("Limits")),
    PortalRoute(ITEM + "habits/", "GET", usage.deprecated_features,
                "Deprecated features that it used in 30 days", named("HabitList")),
    PortalRoute(ITEM + "scopes/", "GET", usage.scopes, "Capabilities it holds, and which it used", named("ScopeList")),
    PortalRoute(ITEM + "scopes/", "PUT", usage.limit_scopes, "Leave it only some of them", _APP,
                object_of(limit=SCHEMAS["scopes"]), guard="accepted"),
)  # fmt: skip
