"""An OpenID provider made of Authlib's server half: an implementation that is not ours, with ES256 and `at_hash`."""

import threading
import time
import warnings
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, jsonify, request
from joserfc.jwk import ECKey
from werkzeug.serving import make_server

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from authlib.integrations.flask_oauth2 import AuthorizationServer
    from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin
    from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
    from authlib.oauth2.rfc7636 import CodeChallenge
    from authlib.oidc.core import UserInfo
    from authlib.oidc.core.grants import OpenIDCode

CLIENT_ID, CLIENT_SECRET = "vitrine", "a secret & more"
PERSON = {"sub": "ada-at-authlib", "email": "ada@museum.example", "email_verified": True, "name": "Ada Martin"}


class Client(ClientMixin):  # type: ignore[misc]  # untyped library
    def __init__(self, redirect_uri: str) -> None:
        self.redirect_uri = redirect_uri

    def get_client_id(self) -> str:
        return CLIENT_ID

    def get_default_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self.redirect_uri

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == CLIENT_SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_post"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


class Code(AuthorizationCodeMixin):  # type: ignore[misc]  # untyped library
    def __init__(self, request: Any) -> None:
        self.scope = request.payload.scope
        self.redirect_uri = request.payload.redirect_uri
        self.nonce = request.payload.data["nonce"]
        self.code_challenge = request.payload.data["code_challenge"]
        self.code_challenge_method = request.payload.data["code_challenge_method"]
        self.auth_time = int(time.time())

    def get_redirect_uri(self) -> str:
        return str(self.redirect_uri)

    def get_scope(self) -> str:
        return str(self.scope)

    def get_nonce(self) -> str:
        return str(self.nonce)

    def get_auth_time(self) -> int:
        return self.auth_time

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


class AuthlibProvider:
    """Listens on a port of its own; the person there says yes to everything."""

    def __init__(self, redirect_uri: str) -> None:
        self.client = Client(redirect_uri)
        self.key = ECKey.generate_key("P-256", parameters={"kid": "ec-1", "alg": "ES256", "use": "sig"})
        self.codes: dict[str, Code] = {}
        self.tokens: dict[str, Any] = {}
        self.app = Flask("provider")
        self._server = make_server("127.0.0.1", 0, self.app, threaded=True)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self._routes(self._authorization_server())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _authorization_server(self) -> Any:
        provider = self

        class Grant(AuthorizationCodeGrant):  # type: ignore[misc]  # untyped library
            TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_post",)

            def save_authorization_code(self, code: str, request: Any) -> None:
                provider.codes[code] = Code(request)

            def query_authorization_code(self, code: str, client: Any) -> Code | None:
                return provider.codes.get(code)

            def delete_authorization_code(self, authorization_code: Code) -> None:
                provider.codes = {
                    name: stored for name, stored in provider.codes.items() if stored is not authorization_code
                }

            def authenticate_user(self, authorization_code: Code) -> dict[str, Any]:
                return PERSON

        class IdToken(OpenIDCode):  # type: ignore[misc]  # untyped library
            def exists_nonce(self, nonce: str, request: Any) -> bool:
                return False

            def get_client_algorithm(self, client: Any) -> str:
                return "ES256"

            def get_encode_header(self, client: Any) -> dict[str, Any]:
                return {"alg": "ES256", "kid": "ec-1"}

            def get_client_claims(self, client: Any) -> dict[str, Any]:
                return {"iss": provider.issuer}

            def resolve_client_private_key(self, client: Any) -> Any:
                return provider.key

            def generate_user_info(self, user: Any, scope: str) -> Any:
                return UserInfo(sub=user["sub"])  # name and address come from userinfo only

        def keep(token: dict[str, Any], request: Any) -> None:
            provider.tokens[token["access_token"]] = token

        self.app.config["OAUTH2_TOKEN_EXPIRES_IN"] = {"authorization_code": 300}

        def client_of(client_id: str) -> Any:
            return self.client if client_id == CLIENT_ID else None

        server = AuthorizationServer(self.app, query_client=client_of, save_token=keep)
        server.register_grant(Grant, [IdToken(require_nonce=True), CodeChallenge(required=True)])
        return server

    def _routes(self, authorization: Any) -> None:
        provider, app = self, self.app

        @app.get("/.well-known/openid-configuration")
        def discovery() -> Any:
            return jsonify(
                issuer=provider.issuer, authorization_endpoint=f"{provider.issuer}/authorize",
                token_endpoint=f"{provider.issuer}/token", jwks_uri=f"{provider.issuer}/jwks",
                userinfo_endpoint=f"{provider.issuer}/userinfo",
                id_token_signing_alg_values_supported=["RS256", "ES256"],
                token_endpoint_auth_methods_supported=["client_secret_post"],
            )  # fmt: skip

        @app.get("/jwks")
        def jwks() -> Any:
            return jsonify(keys=[provider.key.as_dict(private=False)])

        @app.get("/authorize")
        def authorize() -> Any:
            grant = authorization.get_consent_grant(end_user=PERSON)
            return authorization.create_authorization_response(grant_user=PERSON, grant=grant)

        @app.post("/token")
        def token() -> Any:
            return authorization.create_token_response()

        @app.get("/userinfo")
        def userinfo() -> Any:
            secret = request.headers.get("Authorization", "").removeprefix("Bearer ")
            return jsonify(PERSON) if secret in provider.tokens else (jsonify(error="invalid_token"), 401)

    def visit(self, address: str) -> str:
        """The person's browser: the path and query to which it is sent back."""
        parts = urlsplit(address)
        answer = self.app.test_client().get(f"{parts.path}?{parts.query}", base_url=self.issuer)
        back = urlsplit(answer.headers["Location"])
        return f"{back.path}?{back.query}"
