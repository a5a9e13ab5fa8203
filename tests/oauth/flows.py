"""What the tests of the authorization server share: applications of every kind, and the way to their tokens."""

import base64
import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2 as httpx
import uvicorn

from vitrine.accounts import User, Via
from vitrine.applications import Switch
from vitrine.applications import store as applications
from vitrine.testing.server import CALLBACK, Registered, Server, Visitor, hidden, query_of

AUTHORIZE, TOKEN = "/api/oauthv2/authorize", "/api/oauthv2/token"
REVOKE, INTROSPECT = "/api/oauthv2/revoke", "/api/oauthv2/introspect"
DEVICE, USERINFO, JWKS = "/api/oauthv2/device_authorization", "/api/oauthv2/userinfo", "/api/oauthv2/jwks"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
Json = dict[str, Any]
__all__ = [
    "AUTHORIZE",
    "CALLBACK",
    "DEVICE",
    "DEVICE_GRANT",
    "INTROSPECT",
    "JWKS",
    "PKCE",
    "REVOKE",
    "TOKEN",
    "USERINFO",
    "VERIFIER",
    "Json",
    "act_as_owner",
    "allow",
    "ask",
    "code_of",
    "exchange",
    "hidden",
    "listening",
    "post",
    "query_of",
    "refresh",
    "set_redirects",
    "status_of",
    "tokens",
]


def ask(visitor: Visitor, app: Registered, **parameters: str) -> httpx.Response:
    """The authorize endpoint, with PKCE; a parameter given as empty is left out."""
    values = {"client_id": app.client_id, "response_type": "code", "redirect_uri": CALLBACK, **PKCE, **parameters}
    return visitor.get(f"{AUTHORIZE}?{urlencode({name: value for name, value in values.items() if value})}")


def allow(visitor: Visitor, page: httpx.Response, *, without: tuple[str, ...] = ()) -> str:
    """Say yes where the page asks, without some of the scopes; the address that the browser is sent to."""
    if page.status_code == 302:
        return str(page.headers["location"])
    assert page.status_code == 200, page.text
    form = {name: value for name, value in hidden(page.text).items() if name.removeprefix("allow-") not in without}
    answer = visitor.client.post(AUTHORIZE, data={**form, "action_accept": "1"})
    assert answer.status_code == 302, answer.text
    return str(answer.headers["location"])


def code_of(visitor: Visitor, app: Registered, **parameters: str) -> str:
    return query_of(allow(visitor, ask(visitor, app, **parameters)))["code"]


def post(server: Server, app: Registered | None, path: str = TOKEN, **form: str) -> httpx.Response:
    """A call of the application with its secret in the body; empty values are left out."""
    own = {} if app is None else {"client_id": app.client_id, "client_secret": app.secret}
    return server.http.post(path, data={name: value for name, value in {**own, **form}.items() if value})


def exchange(server: Server, app: Registered, code: str, **form: str) -> httpx.Response:
    values = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    return post(server, app, **{**values, **form})


def tokens(server: Server, user: User, app: Registered, scope: str = "", **form: str) -> Json:
    """Everything that a person's yes gives an application."""
    answer = exchange(server, app, code_of(server.browser(user), app, scope=scope), **form)
    assert answer.status_code == 200, answer.text
    granted: Json = answer.json()
    return granted


def refresh(server: Server, app: Registered, secret: str, **form: str) -> httpx.Response:
    return post(server, app, grant_type="refresh_token", refresh_token=secret, **form)


def status_of(server: Server, token: str, path: str = "/api/v1/me/") -> int:
    return server.call("GET", path, token).status_code


def set_redirects(server: Server, app: Registered, *addresses: str) -> None:
    with server.services.database.write() as work:
        applications.set_redirects(work, app.application.id, list(addresses))
        applications.update(work, app.application.id, {})


def act_as_owner(server: Server, user: User, app: Registered) -> None:
    with server.services.database.write() as work:
        actor = server.services.accounts.users.actor_of(work, user, Via.COMMAND)
        server.services.applications.registry.set_switch(work, actor, app.application.id, Switch.ACTS_AS_OWNER, on=True)


@contextmanager
def listening(folder: Path, **settings: Any) -> Iterator[Server]:
    """A server under the address that it names itself by."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        server = Server(folder, base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", **settings)
        running = uvicorn.Server(uvicorn.Config(server.application, log_level="error", lifespan="off"))
        thread = threading.Thread(target=running.run, args=([listener],))
        thread.start()
        while not running.started:
            time.sleep(0.01)
        yield server
        running.should_exit = True
        thread.join()
        server.close()
