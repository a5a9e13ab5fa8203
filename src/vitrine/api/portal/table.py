"""The routes of the portal's API, from which the router and the OpenAPI document are made."""

import re
from dataclasses import dataclass
from typing import Any

from vitrine.api.portal import applications, belongings
from vitrine.api.portal.endpoint import Handler
from vitrine.api.portal.schemas import CHANGES, SCHEMAS, named, one_of

PREFIX = "/api/applications/"
SCOPE = "applications"
_PARAMETER = re.compile(r"\{(\w+):int\}")


@dataclass(frozen=True, slots=True)
class PortalRoute:
    """*body* and *answer* are schemas; *query* names parameters; *guard*: `If-Match` is looked at, or needed."""

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
            needed = {"required": True} if self.guard == "needed" else {}
            parameters.append({"name": "If-Match", "in": "header", "schema": {"type": "string"}, **needed})
        name = re.sub(r"[^a-z]+", "_", _PARAMETER.sub(r"\1", self.path)).strip("_")
        return {
            "summary": self.summary,
            "operationId": f"applications_{self.method.lower()}_{name}".rstrip("_"),
            "tags": ["applications"],
            "parameters": parameters,
            **({"requestBody": self._body()} if self.body is not None else {}),
            "responses": self._responses(),
            "security": [{"bearer": []}],
        }

    def _body(self) -> dict[str, Any]:
        kind = "application/merge-patch+json" if self.method == "PATCH" else "application/json"
        return {"required": True, "content": {kind: {"schema": self.body}}}

    def _responses(self) -> dict[str, Any]:
        good: dict[str, Any] = {"description": "Done"}
        if self.answer is not None:
            good["content"] = {"application/json": {"schema": self.answer}}
        made = {str(self.status): good}
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
            codes["412"] = "Changed since you looked"
        if self.guard == "needed":
            codes["428"] = "If-Match is missing"
        for code, text in codes.items():
            content = {"application/problem+json": {"schema": named("Problem")}}
            made[code] = {"description": text, "content": content}
        return dict(sorted(made.items()))


ONE = "{id:int}/"
_APP, _DOCUMENT = named("Application"), named("ApplicationDocument")
A, B = applications, belongings
ROUTES: tuple[PortalRoute, ...] = (
    PortalRoute("", "GET", A.listed, "Your applications", named("ApplicationList"),
                query=("page", "per_page", "q", "all", "deleted")),
    PortalRoute("", "POST", A.make, "Register an application", named("NewApplication"), _DOCUMENT, 201),
    PortalRoute(ONE, "GET", A.show, "One application", _APP),
    PortalRoute(ONE, "PUT", A.replace, "Make it what a document says", _APP, _DOCUMENT, guard="needed"),
    PortalRoute(ONE, "PATCH", A.change, "Change some of it", _APP, CHANGES, guard="needed"),
    PortalRoute(ONE, "DELETE", A.delete, "Delete it; it can come back for 14 days", status=204, guard="taken"),
    PortalRoute(ONE + "restore/", "POST", A.restore, "Bring a deleted one back", _APP),
    PortalRoute(ONE + "export/", "GET", A.export, "Its document alone", _DOCUMENT),
    PortalRoute(ONE + "suspend/", "POST", A.suspend, "Stop it, with a reason", _APP, one_of(reason="string"),
                guard="taken"),
    PortalRoute(ONE + "resume/", "POST", A.resume, "Let it work again", _APP, guard="taken"),
    PortalRoute(ONE + "decision/", "POST", A.decide, "Approve or refuse it (administrators)", _APP,
                one_of(approve="boolean", reason="string"), guard="taken"),
    PortalRoute(ONE + "redirects/", "POST", A.add_address, "Add an address to return to", _APP, one_of(uri="string"),
                201, guard="taken"),
    PortalRoute(ONE + "redirects/", "DELETE", A.remove_address, "Remove one", _APP, query=("uri",), guard="taken"),
    PortalRoute(ONE + "secrets/", "GET", B.secrets, "Its live client secrets, without their values",
                named("SecretList")),
    PortalRoute(ONE + "secrets/", "POST", B.rotate, "A new client secret; the old one works on for a while",
                named("NewSecret"), one_of(overlap_hours={"enum": [0, 24, 168]}), 201, guard="taken"),
    PortalRoute(ONE + "secrets/{secret:int}/", "DELETE", B.end_secret, "End the old secret now", status=204),
    PortalRoute(ONE + "tokens/", "GET", B.tokens, "Your developer tokens of it", named("TokenList")),
    PortalRoute(ONE + "tokens/", "POST", B.add_token, "A new developer token, told once", named("NewToken"),
                one_of(name="string", days={"enum": [7, 30, 90, 365]}, scopes=SCHEMAS["scopes"]), 201),
    PortalRoute(ONE + "tokens/{token:int}/", "DELETE", B.revoke_token, "End one of them", status=204),
    PortalRoute(ONE + "user-tokens/", "DELETE", B.revoke_users, "End every token that people gave it",
                one_of(ended="integer")),
    PortalRoute(ONE + "people/", "GET", B.people, "Owners and test users", named("People")),
    PortalRoute(ONE + "owners/", "POST", B.add_owner, "Make somebody co-owner: needs a recent sign-in, no token can",
                named("Person"), one_of(login="string"),
                201, guard="taken"),
    PortalRoute(ONE + "owners/{person:int}/", "DELETE", B.remove_owner, "Remove a co-owner", status=204,
                guard="taken"),
    PortalRoute(ONE + "testers/", "POST", B.add_tester, "Make somebody test user", named("Person"),
                one_of(login="string"), 201, guard="taken"),
    PortalRoute(ONE + "testers/{person:int}/", "DELETE", B.remove_tester, "Remove a test user", status=204,
                guard="taken"),
    PortalRoute(ONE + "limits/", "GET", B.limits, "What is left of this minute", named("Limits")),
    PortalRoute(ONE + "habits/", "GET", B.habits, "Old habits it used in 30 days", named("HabitList")),
    PortalRoute(ONE + "scopes/", "GET", B.scopes, "Capabilities it holds, and which it used", named("ScopeList")),
    PortalRoute(ONE + "scopes/", "PUT", B.narrow, "Leave it only some of them", _APP,
                one_of(limit=SCHEMAS["scopes"]), guard="taken"),
)  # fmt: skip
