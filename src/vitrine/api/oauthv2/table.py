"""What the OpenAPI document says of the OAuth endpoints."""

import re
from dataclasses import dataclass
from typing import Any

from vitrine.api.wire.security import security
from vitrine.oauth import metadata
from vitrine.oauth.scopes import OPENID

_TEXT: dict[str, Any] = {"type": "string"}
_ERROR = {"type": "object", "required": ["error"], "properties": {"error": _TEXT, "error_description": _TEXT}}
_OLD_ERROR = {"type": "object", "required": ["msg", "code"], "properties": {"msg": _TEXT, "code": {"type": "integer"}}}
_HTML = {"text/html": {"schema": _TEXT}}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _object(required: tuple[str, ...], **properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties}


_REFUSED = {
    "400": {
        "description": "Refused: a code of RFC 6749 section 5.2",
        "content": _json({"anyOf": [_ERROR, _OLD_ERROR]}),
    },
    "401": {
        "description": "A client that came by HTTP Basic, or should have, is not who it says",
        "content": _json(_ERROR),
    },
    "406": {"description": "The answer is JSON", "content": _HTML},
    "429": {"description": "Too many calls; Retry-After says when to come back", "content": _json(_ERROR)},
    "503": {"description": "Busy; please try again", "content": _json(_ERROR)},
}
_PAGE = {
    "200": {"description": "A page: sign-in, consent, or a code to copy", "content": _HTML},
    "302": {"description": "Back to the application, or to this page without what was sent"},
    "400": {"description": "A page that says what is wrong; nobody is redirected", "content": _HTML},
    "403": {"description": "The form is too old or did not come from this site", "content": _HTML},
    "413": {"description": "The form is too large", "content": _HTML},
    "429": {"description": "Too many calls; Retry-After says when to come back", "content": _HTML},
    "503": {"description": "Busy; please try again", "content": _HTML},
}
_BEARER = {
    "400": {"description": "The token came twice or not in the header", "content": _json({"type": "object"})},
    "401": {"description": "No token, or one that opens nothing", "content": _json({"type": "object"})},
    "403": {"description": "The token has not the scope openid", "content": _json(_ERROR)},
    "413": {"description": "The form is too large", "content": _json(_ERROR)},
    "429": {"description": "Too many calls; Retry-After says when to come back", "content": _json(_ERROR)},
    "503": {"description": "Busy; please try again", "content": _json(_ERROR)},
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. *answer* is the schema of a JSON answer; a page has none."""

    path: str
    method: str
    summary: str
    fields: tuple[str, ...] = ()
    answer: dict[str, Any] | None = None
    is_client_call: bool = False
    needs_token: bool = False
    media: str = "application/json"

    def described(self) -> dict[str, Any]:
        in_query = self.method == "get"
        name = re.sub(r"[^a-z]+", "_", self.path.strip("/"))
        parameters = [{"name": field, "in": "query", "schema": _TEXT} for field in self.fields if in_query]
        form = {"type": "object", "properties": dict.fromkeys(self.fields, _TEXT)}
        body = {"content": {"application/x-www-form-urlencoded": {"schema": form}}}
        return {
            "summary": self.summary,
            "operationId": f"oauth_{self.method}_{name}",
            "tags": ["oauth"],
            "parameters": parameters,
            **({} if in_query or not self.fields else {"requestBody": body}),
            "responses": self._responses(),
            **({"security": security(OPENID)} if self.needs_token else {}),
        }

    def _responses(self) -> dict[str, Any]:
        if self.answer is None:
            return _PAGE
        good = {"200": {"description": "The answer", "content": {self.media: {"schema": self.answer}}}}
        if self.needs_token:
            return {**good, **_BEARER}
        return {**good, **_REFUSED} if self.is_client_call else good


_NUMBER, _FLAG = {"type": "integer"}, {"type": "boolean"}
_CLIENT = ("client_id", "client_secret")
AUTHORIZE = (
    "client_id", "response_type", "redirect_uri", "state", "scope", "code_challenge", "code_challenge_method", "nonce",
    "prompt", "max_age",
)  # fmt: skip
DECIDED = (*AUTHORIZE, "login", "password", "action_login", "action_accept", "switch_account", "csrf")
TOKEN = (
    "grant_type", *_CLIENT, "code", "redirect_uri", "code_verifier", "username", "password", "refresh_token", "scope",
    "device_code",
)  # fmt: skip
_TOKENS = _object(
    ("access_token", "token_type"),
    access_token=_TEXT,
    token_type={"const": "Bearer"},
    expires_in=_NUMBER,
    refresh_token=_TEXT,
    scope={"type": ["string", "null"]},
    id_token=_TEXT,
)
_DEVICE = _object(
    ("device_code", "user_code", "verification_uri", "expires_in"),
    device_code=_TEXT,
    user_code=_TEXT,
    verification_uri=_TEXT,
    verification_uri_complete=_TEXT,
    expires_in=_NUMBER,
    interval=_NUMBER,
)
_KEY = {**_object(("kty", "n", "e", "kid", "alg", "use")), "additionalProperties": _TEXT, "maxProperties": 6}
_DOCUMENT = _object(("issuer", "authorization_endpoint", "token_endpoint", "code_challenge_methods_supported"))
OPERATIONS = (
    Operation(metadata.AUTHORIZE, "get", "Ask a person to allow an application", AUTHORIZE),
    Operation(metadata.AUTHORIZE, "post", "Sign in there, or decide: what the page's own forms send", DECIDED),
    Operation(metadata.TOKEN, "post", "Exchange a grant for tokens", TOKEN, _TOKENS, is_client_call=True),
    Operation(
        metadata.REVOKE, "post", "End a token (RFC 7009)", ("token", "token_type_hint", *_CLIENT),
        {"type": "object"}, is_client_call=True,
    ),
    Operation(
        metadata.INTROSPECT, "post", "What a token is worth (RFC 7662)", ("token", "token_type_hint", *_CLIENT),
        _object(("active",), active=_FLAG, scope=_TEXT, client_id=_TEXT, exp=_NUMBER), is_client_call=True,
    ),
    Operation(
        metadata.DEVICE, "post", "Codes for a device (RFC 8628)", (*_CLIENT, "scope"), _DEVICE, is_client_call=True
    ),
    Operation(
        metadata.USERINFO, "get", "Who the person is (OpenID Connect Core 5.3)", (), _object(("sub",), sub=_TEXT),
        needs_token=True,
    ),
    Operation(
        metadata.USERINFO, "post", "The same, with the token in a form where the application may (RFC 6750 2.2)",
        ("access_token",), _object(("sub",), sub=_TEXT), needs_token=True,
    ),
    Operation(
        metadata.JWKS, "get", "The keys that sign id_tokens (RFC 7517)", (),
        _object(("keys",), keys={"type": "array", "items": _KEY}), media="application/jwk-set+json",
    ),
    Operation(metadata.AUTHORIZATION_SERVER, "get", "Metadata (RFC 8414)", (), _DOCUMENT),
    Operation(metadata.OPENID, "get", "The same for OpenID Connect", (), _DOCUMENT),
    Operation(metadata.PROTECTED_RESOURCE, "get", "The API as a resource (RFC 9728)", (), _object(("resource",))),
)  # fmt: skip
