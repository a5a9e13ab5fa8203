"""The OAuth rows: token endpoint, introspection and a refused token, beside what others take for the same."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.fixtures import Instance
from vitrine import composition
from vitrine.accounts.passwords import Passwords
from vitrine.oauth import codes, refresh
from vitrine.platform.database import UnitOfWork
from vitrine.settings import Settings
from vitrine.testing.server import CALLBACK

MOST_A_SECOND = 6_000
SCOPE = frozenset({"library:read"})
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class Post:
    """What is sent: the same form again and again, or one of *bodies(number)* each, which are made just before."""

    authorization: str
    body: str = ""
    bodies: Callable[[int], list[str]] | None = None


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


@contextmanager
def posts(instance: Instance) -> Iterator[dict[str, tuple[str, Post]]]:
    """Paths and forms for our own server; its database is written to from here as well."""
    settings = Settings(data_dir=instance.data, base_url="http://127.0.0.1")
    services = composition.make_services(settings, decoders=1, passwords=Passwords(memory_kib=64, passes=1))
    database = services.database

    def account(work: UnitOfWork) -> int:
        application = services.applications.registry.by_client_id(work, instance.client_id)
        assert application is not None
        number, _owner = services.applications.registry.acting_account(work, application)
        assert number is not None
        return number

    def with_codes(count: int) -> list[str]:
        with database.write() as work:
            account_id = account(work)
            issued = [codes.issue(work, account_id, CALLBACK, CHALLENGE, scope=SCOPE) for _ in range(count)]
        start = f"grant_type=authorization_code&redirect_uri={CALLBACK}&code_verifier={VERIFIER}&code="
        return [start + secret for secret in issued]

    def with_refresh(count: int) -> list[str]:
        with database.write() as work:
            account_id = account(work)
            issued = [refresh.start(work, account_id, None, refresh.new_family(), SCOPE) for _ in range(count)]
        return ["grant_type=refresh_token&refresh_token=" + secret for secret in issued]

    credentials = basic(instance.client_id, instance.client_secret)
    yield {
        "token": ("/api/oauthv2/token", Post(credentials, "grant_type=client_credentials&scope=library:read")),
        "token, code": ("/api/oauthv2/token", Post(credentials, bodies=with_codes)),
        "token, refresh": ("/api/oauthv2/token", Post(credentials, bodies=with_refresh)),
        "introspection": ("/api/oauthv2/introspect", Post(credentials, f"token={instance.own_token}")),
    }
    services.media.close()
    database.close()


def peer_posts(root: str, token_path: str, introspection_path: str, client: tuple[str, str]) -> tuple[Post, Post]:
    """What is sent to a peer: for a token, and to ask what such a token is worth."""
    credentials = basic(*client)
    form = "grant_type=client_credentials&scope=read"
    headers = {"Authorization": credentials, "Content-Type": "application/x-www-form-urlencoded"}
    answer = httpx.post(root + token_path, content=form, headers=headers)
    answer.raise_for_status()
    token = json.loads(answer.text)["access_token"]
    answer = httpx.post(root + introspection_path, content=f"token={token}", headers=headers)
    if not answer.json().get("active"):
        raise SystemExit(f"{root}: its own token is worth nothing there\n{answer.text}")
    return Post(credentials, form), Post(credentials, f"token={token}")


def write_bodies(post: Post, folder: Path, seconds: int) -> dict[str, str]:
    """The environment of `post.lua`."""
    environment = {"BENCH_AUTHORIZATION": post.authorization, "BENCH_BODY": post.body}
    if post.bodies is not None:
        path = folder / "bodies"
        path.write_text("\n".join(post.bodies(seconds * MOST_A_SECOND)) + "\n")
        environment["BENCH_BODIES"] = str(path)
    return environment
