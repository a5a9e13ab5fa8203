"""A fake OpenID provider for tests. It is correct until a test changes its answers."""

import base64
import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.oauth.flows import Json, query_of
from vitrine.identity_provider_settings import Provider
from vitrine.testing.server import Server, Visitor

CLIENT_ID, CLIENT_SECRET = "vitrine:museum", "s3cret/with +signs"
SUBJECT = "sub-1"
_KEYS: list[RSAKey] = []


def key(number: int) -> RSAKey:
    """A few keys shared by all tests, since generating them is slow."""
    while len(_KEYS) <= number:
        parameters: Any = {"kid": f"key-{len(_KEYS)}", "alg": "RS256", "use": "sig"}
        _KEYS.append(RSAKey.generate_key(2048, parameters=parameters, private=True))
    return _KEYS[number]


class FakeProvider:
    """A provider on its own port. *claims* change the id_token, *userinfo* the userinfo response, *metadata* the
    discovery document, *answer* the query of the callback; *sign* signs the token, *status* sets statuses by path."""

    def __init__(self) -> None:
        self.claims: Json = {"email": "ada@museum.example", "email_verified": True, "preferred_username": "ada.m"}
        self.userinfo: Json = {}
        self.metadata: Json = {}
        self.answer: Json = {}
        self.token_answer: Json = {}
        self.mark = b""  # what stands before each body
        self.status: dict[str, int] = {}
        self.gate = threading.Event()  # while it is cleared, nothing is answered
        self.gate.set()
        self.waiting = threading.Semaphore(0)  # released by each call that came in
        self.published = [key(0)]
        self.extra_keys: list[Json] = []
        self.sign: Callable[[Json], str] = self.signed
        self.seen: Counter[str] = Counter()
        self.requests: list[dict[str, str]] = []
        self._codes: dict[str, dict[str, str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def described(self, **more: Any) -> Provider:
        values = {"id": "museum", "label": "Museum SSO", "internal": True, "client_secret": CLIENT_SECRET, **more}
        return Provider(issuer=self.issuer, client_id=CLIENT_ID, **values)

    def signed(self, claims: Json) -> str:
        return jwt.encode({"alg": "RS256", "kid": "key-0"}, claims, key(0), algorithms=["RS256"])

    # -- the person's browser ------------------------------------------------------------------------------------

    def visit(self, address: str) -> str:
        """Sign the person in. Returns the path and query of the callback."""
        parts = urlsplit(address)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{self.issuer}/authorize"
        query = query_of(address)
        self.requests.append(query)
        code = f"code-{len(self.requests)}"
        self._codes[code] = query
        answer = {"code": code, "state": query["state"], "iss": self.issuer, **self.answer}
        back = urlsplit(query["redirect_uri"])
        return f"{back.path}?{urlencode({name: value for name, value in answer.items() if value is not None})}"

    # -- the server's calls --------------------------------------------------------------------------------------

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path.startswith("/authorize?"):
                    return self._send_back(provider.issuer + self.path)
                return self._answer(provider.get(self.path, dict(self.headers)))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {name: values[0] for name, values in parse_qs(body).items()}
                self._answer(provider.token(form, dict(self.headers)))

            def _send_back(self, address: str) -> None:
                """For a real browser: consent at once."""
                site = urlsplit(query_of(address)["redirect_uri"])
                self.send_response(302)
                self.send_header("Location", f"{site.scheme}://{site.netloc}{provider.visit(address)}")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def _answer(self, response: tuple[int, object]) -> None:
                status, value = response
                provider.waiting.release()
                provider.gate.wait(30)
                status = provider.status.get(self.path, status)
                body = provider.mark + (value if isinstance(value, bytes) else json.dumps(value).encode())
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", f"{provider.issuer}/elsewhere")
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Print nothing."""

        return Handler

    def get(self, path: str, headers: dict[str, str]) -> tuple[int, object]:
        self.seen[path] += 1
        if path == "/.well-known/openid-configuration":
            return 200, {
                "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/jwks",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
                "authorization_response_iss_parameter_supported": True, **self.metadata,
            }  # fmt: skip
        if path == "/jwks":
            return 200, {"keys": [*self.extra_keys, *(key.as_dict(private=False) for key in self.published)]}
        if path == "/userinfo" and headers.get("Authorization") == "Bearer the-access-token":
            return 200, {"sub": SUBJECT, **self.userinfo}
        return 404, {}

    def token(self, form: dict[str, str], headers: dict[str, str]) -> tuple[int, object]:
        self.seen["/token"] += 1
        query = self._codes.pop(form.get("code", ""), None)
        pair = base64.b64decode(headers.get("Authorization", "Basic ").removeprefix("Basic ")).decode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if pair != "vitrine%3Amuseum:s3cret%2Fwith+%2Bsigns":  # RFC 6749 section 2.3.1
            return 401, {"error": "invalid_client"}
        if (
            query is None
            or query["redirect_uri"] != form["redirect_uri"]
            or query["code_challenge"] != challenge.rstrip(b"=").decode()
        ):
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {
            "iss": self.issuer, "sub": SUBJECT, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "auth_time": now,
            "nonce": query["nonce"], **self.claims,
        }  # fmt: skip
        told = {name: claim for name, claim in claims.items() if claim is not None}
        return 200, {"access_token": "the-access-token", "token_type": "Bearer", "id_token": self.sign(told),
                     **self.token_answer}  # fmt: skip


START = "/login/provider/museum/"
SECURITY = "/account/security/"


def reason(answer: Any) -> str:
    """The reason of the failure, from the URL of the redirect."""
    assert answer.status_code == 302, answer.text
    return query_of(answer.headers["location"]).get("reason", "")


def go(
    server: Server, provider: FakeProvider, visitor: Visitor | None = None, start: str = START
) -> tuple[Visitor, Any]:
    """A whole sign-in, from the button to our answer to the callback."""
    visitor = visitor or server.browser()
    there = visitor.get(start)
    assert there.status_code == 302, there.text
    return visitor, visitor.get(provider.visit(there.headers["location"]))
