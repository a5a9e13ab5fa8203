"""What the OpenAPI document says of the OAuth endpoints."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Operation:
    path: str
    method: str
    summary: str
    fields: tuple[str, ...]

    def described(self) -> dict[str, Any]:
        in_query = self.method == "get"
        parameters = [{"name": one, "in": "query", "schema": {"type": "string"}} for one in self.fields if in_query]
        form = {"type": "object", "properties": {one: {"type": "string"} for one in self.fields}}
        body = {"content": {"application/x-www-form-urlencoded": {"schema": form}}}
        return {
            "summary": self.summary,
            "tags": ["oauth"],
            "parameters": parameters,
            **({} if in_query else {"requestBody": body}),
            "responses": {
                "200": {"description": "A page, or a token as JSON"},
                "302": {"description": "Back to the application"},
                "400": {"description": "A page, or {error} as JSON"},
            },
        }


AUTHORIZE = (
    "client_id", "response_type", "redirect_uri", "state", "scope", "code_challenge", "code_challenge_method",
)  # fmt: skip
TOKEN = (
    "grant_type", "client_id", "client_secret", "code", "redirect_uri", "code_verifier", "username", "password",
)  # fmt: skip
OPERATIONS = (
    Operation("/api/oauthv2/authorize", "get", "Ask a person to allow an application", AUTHORIZE),
    Operation("/api/oauthv2/token", "post", "Exchange a code (or a password) for an access token", TOKEN),
)
