"""One row of the route table of API v4, from which the router and the OpenAPI document are made."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.api.v4.paging import MOST, USUAL
from vitrine.api.v4.schemas import Schema, named
from vitrine.api.wire.endpoint import Handler, Permit, TakesFiles
from vitrine.api.wire.security import security
from vitrine.errors import Invalid

PREFIX = "/api/v4"
_PARAMETER = re.compile(r"\{(\w+)(?::(\w+))?\}")
_PAGING: dict[str, Schema] = {
    "limit": {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL},
    "cursor": {"type": "string", "description": "`next` of the page before"},
}
_FIELDS: Schema = {"type": "string", "description": "only these members of each item, separated by commas"}
_KEY: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 255,
    "description": "any text of your own, new for each request: the same key with the same request changes nothing "
    "again and gets the first answer, for 24 hours",
}


class UnknownParameter(Invalid):
    code = "unknown_parameter"


@dataclass(frozen=True, slots=True)
class V4Route:
    """*path* has no slash at its end. *needs* is the scope. *answer* and *body* are schemas, *query* has those of
    parameters. *guard*: `If-Match` is `accepted` or `required`. *is_list*: takes `limit` and `cursor`. *chooses*:
    takes `fields`. *refuses* describes statuses beside the usual ones. *example* is a body that works, *media_type* its
    type where it is no JSON. *or_else* is another success with its schema.

    *permit* raises a refusal unless the actor may send a body to what the path names, before a byte of it is read; the
    handler asks everything else again in the transaction of the change. Each row with a body has one, or `takes_files`:
    `anybody` where a token with the scope is enough. The answer to a request is given again when it is repeated with
    its Idempotency-Key, so *permit* asks nothing that the request itself ends."""

    path: str
    method: str
    handler: Handler
    summary: str
    needs: str
    answer: Schema | None = None
    body: Schema | None = None
    status: int = 200
    query: Mapping[str, Schema] = field(default_factory=dict)
    guard: str = ""
    is_list: bool = False
    chooses: bool = False
    refuses: Mapping[int, str] = field(default_factory=dict)
    example: Any = None
    media_type: str = ""
    or_else: tuple[int, Schema] | None = None
    takes_files: TakesFiles | None = None
    permit: Permit | None = None

    @property
    def tag(self) -> str:
        """The first part of the path."""
        return self.path.split("/")[1]

    def parameters(self) -> dict[str, Schema]:
        """Everything that the query may hold."""
        paging = _PAGING if self.is_list else {}
        return {**self.query, **paging, **({"fields": _FIELDS} if self.chooses else {})}

    def strict(self) -> Handler:
        """The handler, refusing what the query may not hold: a mistyped parameter would change what is answered."""
        known = self.parameters()

        async def checked(request: Request) -> Response:
            for name in request.query_params:
                if name not in known:
                    offered = f"It takes {', '.join(known)}." if known else "It takes none."
                    raise UnknownParameter(f"There is no parameter called {name[:80]} here. {offered}", field=name[:80])
            return await self.handler(request)

        return checked

    def described(self, *, name: str = "") -> dict[str, Any]:
        """As an operation of the OpenAPI document; *name* is its id, made of the path where it is empty."""
        parameters: list[dict[str, Any]] = [
            {"name": part, "in": "path", "required": True, "schema": {"type": "integer" if kind == "int" else "string"}}
            for part, kind in _PARAMETER.findall(self.path)
        ]
        parameters += [{"name": part, "in": "query", "schema": schema} for part, schema in self.parameters().items()]
        if self.guard:
            required = {"required": True} if self.guard == "required" else {}
            parameters.append({"name": "If-Match", "in": "header", "schema": {"type": "string"}, **required})
        if self.method == "POST":
            parameters.append({"name": "Idempotency-Key", "in": "header", "schema": _KEY})
        return {
            "summary": self.summary,
            "operationId": name or f"v4_{self.method.lower()}_{self.words()}",
            "tags": [self.tag],
            "parameters": parameters,
            **({"requestBody": self._body()} if self.body is not None else {}),
            "responses": self._responses(),
            "security": security(self.needs),
        }

    def words(self) -> str:
        return re.sub(r"[^a-z]+", "_", _PARAMETER.sub(r"\1", self.path)).strip("_")

    def _body(self) -> dict[str, Any]:
        kind = self.media_type or ("application/merge-patch+json" if self.method == "PATCH" else "application/json")
        example = {} if self.example is None else {"example": self.example}
        return {"required": True, "content": {kind: {"schema": self.body, **example}}}

    def _responses(self) -> dict[str, Any]:
        responses: dict[str, Any] = {}
        for status, schema in ((self.status, self.answer), *([self.or_else] if self.or_else else [])):
            content = {} if schema is None else {"content": {"application/json": {"schema": schema}}}
            responses[str(status)] = {"description": "Done" if status != 202 else "Not yet done", **content}
        for code, text in {**self._usual_refusals(), **self.refuses}.items():
            problem = {"application/problem+json": {"schema": named("Problem")}}
            responses[str(code)] = {"description": text, "content": problem}
        return dict(sorted(responses.items()))

    def _usual_refusals(self) -> dict[int, str]:
        refusals = {
            400: "The request cannot be read, or a value in it", 401: "No token, or one that opens nothing",
            403: "The token lacks a scope, or its owner may not do this",
            404: "There is no such thing, or you may not see it",
            429: "Too many calls; Retry-After says when to come back", 503: "Busy; please try again",
        }  # fmt: skip
        if self.body is not None:
            refusals |= {413: "The body is too large", 415: "The body is not of a type that this takes"}
        if self.body is not None or self.method == "POST":
            refusals[422] = "Values that cannot be, which faults names; or an Idempotency-Key of another request"
        if self.method != "GET":
            refusals[409] = "Not possible in the state that it is in, or the first request with the key still runs"
        if self.guard:
            refusals[412] = "Changed since you read it"
        if self.guard == "required":
            refusals[428] = "If-Match is missing"
        return refusals
