"""Metadata of the server: RFC 8414, OpenID Connect Discovery and RFC 9728."""

from typing import Any

from vitrine.applications import Policy
from vitrine.oauth import keys, openid, scopes
from vitrine.oauth.grants import DEVICE_CODE

ROOT = "/api/oauthv2"
AUTHORIZE, TOKEN = f"{ROOT}/authorize", f"{ROOT}/token"
REVOKE, INTROSPECT = f"{ROOT}/revoke", f"{ROOT}/introspect"
DEVICE, USERINFO, JWKS = f"{ROOT}/device_authorization", f"{ROOT}/userinfo", f"{ROOT}/jwks"
DEVICE_PAGE = "/device"
AUTHORIZATION_SERVER = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"
PROTECTED_RESOURCE = "/.well-known/oauth-protected-resource"


def authorization_server(issuer: str, policy: Policy) -> dict[str, Any]:
    """The content of both well-known documents. *issuer* is the `iss` of responses and the beginning of the document's
    URL (RFC 8414 section 3.3)."""
    grants = ["authorization_code", "refresh_token", "client_credentials", DEVICE_CODE]
    response_types = ["code"]
    if policy is not Policy.REFUSE:
        grants += ["password", "implicit"]
        response_types.append("token")
    secret = ["client_secret_basic", "client_secret_post"]
    return {
        "issuer": issuer,
        "authorization_endpoint": issuer + AUTHORIZE,
        "token_endpoint": issuer + TOKEN,
        "revocation_endpoint": issuer + REVOKE,
        "introspection_endpoint": issuer + INTROSPECT,
        "device_authorization_endpoint": issuer + DEVICE,
        "userinfo_endpoint": issuer + USERINFO,
        "jwks_uri": issuer + JWKS,
        "scopes_supported": [scope.name for scope in scopes.SCOPES],
        "response_types_supported": response_types,
        "response_modes_supported": ["query", "fragment"] if len(response_types) > 1 else ["query"],
        "grant_types_supported": grants,
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": [*secret, "none"],
        "revocation_endpoint_auth_methods_supported": [*secret, "none"],
        "introspection_endpoint_auth_methods_supported": secret,
        "authorization_response_iss_parameter_supported": True,
        # Stated, since request_uri defaults to supported (Discovery section 3).
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [keys.ALGORITHM],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "claims_supported": [
            "sub", "iss", "aud", "exp", "iat", "auth_time", "nonce",
            *(name for names in openid.CLAIMS.values() for name in names),
        ],
        "service_documentation": issuer + "/api/",
    }  # fmt: skip


def protected_resource(issuer: str) -> dict[str, Any]:
    """The API as a resource (RFC 9728 section 2)."""
    return {
        "resource": issuer,
        "authorization_servers": [issuer],
        "scopes_supported": [scope.name for scope in scopes.SCOPES],
        "bearer_methods_supported": ["header"],
        "resource_documentation": issuer + "/api/",
    }
