"""The portal's, the account's and the sign-in's routes under schemathesis: no failure of ours, and no status or kind of
answer that is not written down here.

The document is made from the routes themselves, so that none is forgotten; the fields of a form are found in its page's
name here. Somebody is signed in for every call, and half of the forms carry their right token.
"""

import re
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
import schemathesis
from starlette.routing import Route

from tests.schema import TOLD, call_all
from vitrine.accounts import User
from vitrine.applications import Profile
from vitrine.testing.server import Registered, Server
from vitrine.web import account, admin, developers, sign_in
from vitrine.web.oauth import device

ROUTES = [*account.ROUTES, *admin.ROUTES, *developers.ROUTES, *device.ROUTES, *sign_in.ROUTES]
PLACE = re.compile(r"\{(\w+)(?::\w+)?\}")
SCRIPTED = ("developers/check", "passkey", "access_token/", "callback/", "authorize_grant_password", "/grant/")
FIELDS: dict[str, dict[str, list[str]]] = {
    "/developers/application/": {"kind": ["server", "page", "device", "machine", ""], "type": ["web", "desktop"],
                                 "name": ["N"], "description": ["D"], "website": ["https://x.example", "http://[x"],
                                 "callback": ["https://x.example/cb", "com.example.x:/cb", "http://[x", "x"]},
    "/developers/check/": {"field": ["callback", "redirect", "website", "x"], "application": ["1", "2", "99"],
                           "value": ["https://x.example", "http://[x", ""], "kind": ["page", "server", "x"]},
    "kind/": {"kind": ["server", "page", "device", "machine", "x"]},
    "redirects/": {"old": ["", "https://notes.example.com/cb"], "new": ["https://x.example/cb", "http://[", ""]},
    "callback/": {"callback": ["https://x.example/cb", "http://[x", ""]},
    "people/": {"do": ["owner", "tester", "remove-owner", "remove-tester", "transfer", "only-testers", "x"],
                "owner": ["bob", "nobody"], "tester": ["bob"], "transfer": ["bob"], "person": ["1", "2", "9" * 30]},
    "secrets/": {"overlap": ["0", "24", "168", "x"]},
    "tokens/": {"token-name": ["T", ""], "days": ["7", "90", "x"]},
    "state/": {"do": ["suspend", "resume", "x"], "reason": ["Why.", ""]},
    "switch/": {"switch": ["implicit", "acts_as_owner", "parameter_token", "secret_required", "x"], "on": ["1", "0"]},
    "list-shapes/": {"list_shapes": ["lists", "objects", "automatic", "x"]},
    "authorize_grant_password/": {"grant": ["1", "0", "x"]},
    "import/": {"text": ['{"vitrine_application": 1}', "{", "[]", "[" * 3000]},
    "try/": {"call": ["GET /api/v1/me/", "GET /api/v1/records/{databox_id}/{record_id}/", "x"],
             "parameters": ["a=b\nc", "="]},
    "/login/": {"login": ["ada", "nobody"], "password": ["wrong", ""], "redirect": ["/account/", "//evil.example"]},
    "/login/second/": {"pending": ["1.9.x", ""], "code": ["123456", "abcde-abcde-abcde"]},
    "passkey/": {"answer": ["{}", '{"response": null}', "[" * 3000], "redirect": ["/"]},
    "passkeys/": {"answer": ["{}", '{"response": {"clientDataJSON": "e30"}}'], "name": ["P"]},
    "confirm/": {"code": ["123456", "x"]},
    "/device": {"user_code": ["BCDF-GHJK", "x"], "decision": ["allow", "deny", "", "x"]},
    "/admin/applications/{id:int}/": {"do": ["approve", "refuse", "suspend", "resume", "x"], "reason": ["", "R"]},
    "reset-password/": {"old": ["wrong"], "new": ["short", "a long enough one"], "again": ["a long enough one"]},
    "reset-email/": {"email": ["x@example.com", "x"], "password": ["wrong"], "token": ["x", ""]},
}  # fmt: skip
MARKS = {"X-Requested-With": "XMLHttpRequest", "Accept": "application/json", "Origin": "http://dam.test"}
PAGE: dict[str, Any] = {"text/html": {}}
JSON: dict[str, Any] = {"text/html": {}, "application/json": {}}
SAID = {
    "200": "the page, or the page again with what is wrong", "302": "to sign in, or on", "303": "done",
    "400": "not well formed", "403": "not from our page, or not for this person", "404": "nothing here, or not theirs",
    "409": "not as things are", "503": "busy",
}  # fmt: skip


def fields(path: str) -> dict[str, Any]:
    chosen = max((name for name in FIELDS if path == name or path.endswith(name)), key=len, default="")
    properties = {
        name: {"anyOf": [{"enum": words}, {"type": "string"}]} for name, words in FIELDS.get(chosen, {}).items()
    }
    return properties or {"x": {"type": "string"}}


def described(path: str, method: str) -> dict[str, Any]:
    """One operation: its parameters, and every response that it may give."""
    scripted = any(word in path for word in SCRIPTED) or method == "DELETE"
    kinds: dict[str, Any] = (
        {"application/jsonl": {}, **JSON}
        if path.endswith("export/")
        else JSON
        if scripted
        else {"image/png": {}, **PAGE}
        if "logo" in path
        else PAGE
    )
    listed = ("200", "302", "400", "403", "404") if method == "GET" else tuple(SAID)
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"enum": ids(name)}} for name in PLACE.findall(path)
    ]
    if method == "GET":
        parameters += [
            {"name": name, "in": "query", "schema": {"type": "string"}} for name in ("redirect", "page", "q")
        ]
    schema = {"type": "object", "properties": fields(path)}
    forms = ("application/x-www-form-urlencoded", *(("multipart/form-data",) if path.endswith("logo/") else ()))
    return {
        "parameters": parameters,
        **({} if method == "GET" else {"requestBody": {"content": {form: {"schema": schema} for form in forms}}}),
        "responses": {
            status: {"description": SAID[status], **({"content": kinds} if status[0] != "3" else {})}
            for status in listed
        },
    }


def ids(name: str) -> list[Any]:
    return ["unknown"] if name == "client_id" else [1, 2, 3, 99, 2**40, 10**30]


def document() -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for route in ROUTES:
        for method in sorted((route.methods or set()) - {"HEAD"}):
            paths.setdefault(PLACE.sub(r"{\1}", route.path), {})[method.lower()] = described(route.path, method)
    return {"openapi": "3.1.0", "info": {"title": "Pages", "version": "1"}, "paths": paths}


class Place:
    def __init__(self, server: Server) -> None:
        self.server = server
        self.ada: User = server.user("ada", is_admin=True)
        self.app: Registered = server.register(self.ada, profile=Profile.STRICT)
        server.register(server.user("bob"), profile=Profile.PUBLIC)
        self.calls = 0

    def session(self) -> tuple[str, str]:
        """The cookie of a person who has just signed in, and their CSRF token."""
        accounts = self.server.services.accounts
        with self.server.services.database.write() as work:
            secret, _ = accounts.sessions.open(work, accounts.users.get(work, self.ada.id), address="", agent="test")
        return secret, accounts.sessions.csrf_token(secret)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    server = Server(Path(tmp_path_factory.mktemp("pages")), user_code_attempts=100_000)
    yield Place(server)
    server.close()


def test_every_answer_of_the_pages_routes_is_one_that_is_written_down(place: Place) -> None:
    encoded = msgspec.json.encode(document())

    async def application(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == "/pages.json":
            await send(
                {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]}
            )
            await send({"type": "http.response.body", "body": encoded})
            return
        await place.server.application(scope, receive, send)

    whole = schemathesis.openapi.from_asgi("/pages.json", application)

    def call(case: Any) -> None:
        secret, token = place.session()
        place.calls += 1
        case.cookies = {"vitrine": secret}
        if isinstance(case.body, dict) and place.calls % 2:
            case.body |= {"csrf": token}
        marks = (
            MARKS
            if place.calls % 2 and (case.method == "DELETE" or any(script in case.path for script in SCRIPTED))
            else {}
        )
        case.call_and_validate(checks=TOLD, base_url="http://dam.test", headers=marks, allow_redirects=False)

    assert call_all(whole, 12, call) == sum(len((route.methods or set()) - {"HEAD"}) for route in ROUTES)


# Two are closed here; mail programs send the third without a form of ours: the link itself is the right (RFC 8058).
ELSEWHERE_OR_CLOSED = ("/setup/", "/login/register/", "/mails/stop/")


@pytest.mark.parametrize(
    "route",
    [route for route in ROUTES if "POST" in (route.methods or ()) and route.path not in ELSEWHERE_OR_CLOSED],
    ids=lambda route: route.path,
)
def test_rfc6749_10_12_no_form_is_taken_from_elsewhere(place: Place, route: Route) -> None:
    """With the cookie alone, with a token of another session, and from another origin with the right one."""
    secret, token = place.session()
    address = PLACE.sub("1", route.path.replace("{part}", "fields"))
    stranger = place.session()[1]
    for form, origin in (({}, None), ({"csrf": stranger}, None), ({"csrf": token}, "https://evil.example")):
        headers = {"Cookie": f"vitrine={secret}", **({"Origin": origin} if origin else {})}
        answer = place.server.http.post(address, data={"x": "y", **form}, headers=headers)
        assert answer.status_code in (400, 403), (address, form)
        marks = {"X-Requested-With": "XMLHttpRequest", "Accept": "application/json"}
        scripted = place.server.http.post(address, data={"x": "y"}, headers={**headers, **marks, "Origin": "null"})
        assert scripted.status_code == 403 or scripted.json()["success"] is False, address
