"""Independent clients, unmodified, over a socket: discovery, code with PKCE, refresh, revoke."""

import json
import shutil
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest

from tests.oauth.flows import CALLBACK, VERIFIER, Json, allow, listening, query_of
from vitrine.accounts import User
from vitrine.applications import Profile
from vitrine.testing.server import Registered, Server, Visitor

SCOPE = "openid profile account:read"


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Server]:
    """A server that listens, under the address that it names itself by."""
    with listening(tmp_path / "live") as server:
        yield server


@pytest.fixture
def person(live: Server) -> User:
    return live.user("ada", first_name="Ada", last_name="Martin", email="ada@example.com")


@pytest.fixture
def app(live: Server, person: User) -> Registered:
    return live.register(person, profile=Profile.STRICT)


def sent_back(live: Server, visitor: Visitor, address: str) -> str:
    """Where a person's yes sends their browser."""
    return allow(visitor, visitor.get(address.removeprefix(live.settings.base_url)))


def discovered(live: Server) -> Json:
    metadata: Json = httpx.get(f"{live.settings.base_url}/.well-known/openid-configuration").json()
    return metadata


def test_authlib(live: Server, person: User, app: Registered) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from authlib.integrations.httpx_client import OAuth2Client
    meta = discovered(live)
    client: Any = OAuth2Client(
        app.client_id, app.secret, scope=SCOPE, redirect_uri=CALLBACK, code_challenge_method="S256"
    )
    address, state = client.create_authorization_url(meta["authorization_endpoint"], code_verifier=VERIFIER)
    location = sent_back(live, live.browser(person), address)
    assert query_of(location)["state"] == state
    token = client.fetch_token(meta["token_endpoint"], authorization_response=location, code_verifier=VERIFIER)
    assert set(token["scope"].split()) == set(SCOPE.split())
    me = f"{live.settings.base_url}/api/v1/me/"
    assert client.get(me).json()["response"]["user"]["login"] == "ada"
    assert client.get(meta["userinfo_endpoint"]).json()["name"] == "Ada Martin"
    fresh = client.refresh_token(meta["token_endpoint"], refresh_token=token["refresh_token"])
    assert fresh["access_token"] != token["access_token"]
    told = client.introspect_token(meta["introspection_endpoint"], token=fresh["access_token"])
    assert told.json()["active"] is True
    assert client.revoke_token(meta["revocation_endpoint"], token=fresh["refresh_token"]).status_code == 200
    bearer = {"Authorization": f"Bearer {fresh['access_token']}"}
    assert httpx.get(me, headers=bearer).status_code == 401
    client.close()


def test_requests_oauthlib(live: Server, person: User, app: Registered, monkeypatch: pytest.MonkeyPatch) -> None:
    from requests_oauthlib import OAuth2Session

    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("OAUTHLIB_RELAX_TOKEN_SCOPE", "1")  # the order of scopes is ours
    meta = discovered(live)
    session: Any = OAuth2Session(app.client_id, redirect_uri=CALLBACK, scope=SCOPE.split(), pkce="S256")
    address, state = session.authorization_url(meta["authorization_endpoint"])
    location = sent_back(live, live.browser(person), address)
    assert query_of(location)["state"] == state
    secured = location.replace("http://", "https://")
    token = session.fetch_token(
        meta["token_endpoint"], authorization_response=secured, client_secret=app.secret, include_client_id=True
    )
    me = f"{live.settings.base_url}/api/v1/me/"
    assert session.get(me).json()["response"]["user"]["login"] == "ada"
    own = {"client_id": app.client_id, "client_secret": app.secret}
    fresh = session.refresh_token(meta["token_endpoint"], refresh_token=token["refresh_token"], **own)
    assert session.get(me).status_code == 200
    url, headers, body = session._client.prepare_token_revocation_request(
        meta["revocation_endpoint"].replace("http://", "https://"), fresh["refresh_token"], "refresh_token"
    )
    answer = httpx.post(
        url.replace("https://", "http://"), content=body, headers=headers, auth=(app.client_id, app.secret)
    )
    assert answer.status_code == 200
    assert session.get(me).status_code == 401
    session.close()


def test_the_mcp_sdk(live: Server, person: User) -> None:
    import anyio
    from mcp.client.auth import OAuthClientProvider
    from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata

    public = live.register(person, profile=Profile.PUBLIC)
    visitor, seen = live.browser(person), {}
    known: Any = {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none", "scope": SCOPE}

    class Storage:
        """In memory: the client is registered already."""

        tokens: Any = None

        async def get_tokens(self) -> Any:
            return self.tokens

        async def set_tokens(self, tokens: Any) -> None:
            self.tokens = tokens

        async def get_client_info(self) -> OAuthClientInformationFull:
            return OAuthClientInformationFull(client_id=public.client_id, issuer=live.settings.base_url, **known)

        async def set_client_info(self, client_info: Any) -> None:
            raise AssertionError("it is known already")

    async def redirect(address: str) -> None:
        seen["location"] = sent_back(live, visitor, address)

    async def callback() -> AuthorizationCodeResult:
        query = query_of(seen["location"])
        return AuthorizationCodeResult(code=query["code"], state=query["state"], iss=query["iss"])

    async def run() -> None:
        where = f"{live.settings.base_url}/api/oauthv2/userinfo"
        storage = Storage()
        provider = OAuthClientProvider(where, OAuthClientMetadata(**known), storage, redirect, callback)
        async with httpx2.AsyncClient(auth=provider) as client:
            assert (await client.get(where)).json()["sub"] == str(person.id)
            first = storage.tokens.access_token
            provider.context.token_expiry_time = time.time() - 1  # an hour later
            assert (await client.get(where)).status_code == 200
            assert storage.tokens.access_token != first, "it was refreshed"

    with ThreadPoolExecutor(1) as thread:  # a browser that other tests drive keeps a loop running in this one
        thread.submit(lambda: anyio.run(run)).result()


@pytest.mark.parametrize("profile", [Profile.STRICT, Profile.PUBLIC])
def test_oauth4webapi(live: Server, person: User, profile: Profile) -> None:
    app = live.register(person, profile=profile)
    secret = app.secret if profile is Profile.STRICT else ""
    program = Path(__file__).parent / "client.mjs"
    arguments = [live.settings.base_url, app.client_id, secret, CALLBACK, SCOPE]
    with subprocess.Popen(
        [node(), str(program), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        address = client.stdout.readline().strip()
        client.stdin.write(sent_back(live, live.browser(person), address) + "\n")
        client.stdin.close()
        outcome = json.loads(client.stdout.read())
    assert outcome == {"same": True, "sub": str(person.id), "name": "Ada Martin", "before": 200, "after": 401}


def node() -> str:
    """The system's Node, or the one of the wheel."""
    node = shutil.which("node") or shutil.which("node", path=str(Path(sys.executable).parent))
    assert node, "the tests need Node (make .venv/.test brings it)"
    return node
