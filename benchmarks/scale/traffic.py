"""What people and applications ask of an instance: one client of it, in one process with the server."""

import base64
import hashlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2 as httpx

from benchmarks.scale.instance import PASSWORD, Instance
from vitrine.testing.server import CALLBACK, Server, Visitor, hidden, query_of

AUTHORIZE, TOKEN = "/api/oauthv2/authorize", "/api/oauthv2/token"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
SPARE = 20
_FINE = (200, 201, 202, 204, 301, 302, 303)


@dataclass(slots=True)
class Client:
    """Asks as the people of *instance* do. Raises AssertionError for an answer that is no success, so that nothing is
    measured that did not happen. *visited* holds every (method, path)."""

    instance: Instance
    server: Server
    scratch: Path
    visited: set[tuple[str, str]] = field(default_factory=set)
    _visitors: dict[str, Visitor] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: iter(()))
    _spare: list[int] = field(default_factory=list)
    _counter: int = 0

    def __post_init__(self) -> None:
        images = self.instance.images
        self._numbers, self._spare = itertools.cycle(images[:-SPARE]), images[-SPARE:]

    # -- what is asked for -------------------------------------------------------------------------------------------

    def number(self) -> int:
        """A picture that every person finds, each time another one as long as there are any."""
        return next(self._numbers)

    def record(self) -> str:
        return f"/api/v1/records/{self.instance.databox_id}/{self.number()}/"

    def spare_record(self) -> str:
        """One that nobody asks for again, to move or delete. Raises IndexError when there is none left."""
        return f"/api/v1/records/{self.instance.databox_id}/{self._spare.pop()}/"

    def count(self) -> int:
        """A number that was not given before."""
        self._counter += 1
        return self._counter

    # -- asking ------------------------------------------------------------------------------------------------------

    def call(self, method: str, path: str, who: str = "admin", **options: Any) -> httpx.Response:
        """A call of an API with the developer token of *who*; nobody if empty."""
        token = self.instance.tokens[who] if who else None
        return self._checked(method, path, self.server.call(method, path, token, **options))

    def get(self, path: str, who: str = "admin", **options: Any) -> Any:
        """The `response` of a v1 call."""
        return self.call("GET", path, who, **options).json()["response"]

    def page(self, path: str, who: str = "admin", **options: Any) -> httpx.Response:
        return self._checked("GET", path, self.visitor(who).get(path, **options))

    def submit(self, page: str, action: str, values: Mapping[str, Any], who: str = "admin") -> httpx.Response:
        """Send the form of *page* with *values* and the token that it holds."""
        visitor = self.visitor(who)
        form = {**hidden(self.page(page, who).text), **values}
        return self._checked("POST", action, visitor.client.post(action, data=form))

    def post(self, path: str, form: Mapping[str, str]) -> httpx.Response:
        """A form of a client with its secret, at one of the OAuth endpoints."""
        own = {"client_id": self.instance.client_id, "client_secret": self.instance.client_secret}
        return self._checked("POST", path, self.server.http.post(path, data={**own, **form}))

    def visitor(self, who: str) -> Visitor:
        if who not in self._visitors:
            self._visitors[who] = self.sign_in(who)
        return self._visitors[who]

    def sign_in(self, login: str) -> Visitor:
        visitor = self.server.browser()
        answer = visitor.submit("/login/", "/login/", {"login": login, "password": PASSWORD})
        self._checked("POST", "/login/", answer)
        assert answer.status_code == 303, answer.text[:500]
        return visitor

    def _checked(self, method: str, path: str, answer: httpx.Response) -> httpx.Response:
        assert answer.status_code in _FINE, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        self.visited.add((method, urlsplit(path).path))
        return answer

    # -- authorization -----------------------------------------------------------------------------------------------

    def code(self, who: str = "reader") -> str:
        """An authorization code of the strict client, after the consent of *who* if it is needed."""
        form = {
            "client_id": self.instance.client_id, "response_type": "code", "redirect_uri": CALLBACK,
            "scope": "library:read", "code_challenge": CHALLENGE, "code_challenge_method": "S256",
        }  # fmt: skip
        answer = self.page(f"{AUTHORIZE}?{urlencode(form)}", who)
        if answer.status_code == 200:
            client = self.visitor(who).client
            consent = {**hidden(answer.text), "action_accept": "1"}
            answer = self._checked("POST", AUTHORIZE, client.post(AUTHORIZE, data=consent))
        return query_of(str(answer.headers["location"]))["code"]

    def tokens(self) -> dict[str, str]:
        """An access token and a refresh token of the strict client."""
        form = {
            "grant_type": "authorization_code", "code": self.code(), "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }  # fmt: skip
        granted: dict[str, str] = self.post(TOKEN, form).json()
        return granted
