"""With the fast paths and without: the same requests, sent as bytes, get the same status, headers and body."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vitrine.applications import Profile, Switch
from vitrine.testing import media_factory as make
from vitrine.testing.server import Server
from vitrine.testing.wire import WireServer

# What differs between two answers to the same request on the same server: ids of requests, times, counts, new tokens.
CHANGING = re.compile(
    rb"\b[0-9a-f]{16}\b|date: [^\r]+|_global;dur=[\d.]+|r=\d+;t=\d+|q=\d+;w=\d+|retry-after: \d+|vit_(?:at|rt)_\w+"
    rb"""|response_time"?: ?["'][^"']+|query_time"?: ?[\d.]+|"(?:iat|exp)":\d+"""
)


@dataclass
class Both:
    """One instance behind two servers, and words that requests are made of."""

    runner: asyncio.Runner
    fast: WireServer
    ordinary: WireServer
    paths: list[str]
    tokens: list[str]
    forms: list[str]
    etag: str

    def ask(self, request: bytes) -> tuple[bytes, bytes]:
        """The answers without what changes. Both servers are open at once, in one event loop."""
        fast = self.runner.run(self.fast.answer(request))
        ordinary = self.runner.run(self.ordinary.answer(request))
        return canonical(fast), canonical(ordinary)


def canonical(answer: bytes) -> bytes:
    """Headers in one order, and a length that is the body's as such: the digits of a duration may be more or fewer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    head = head.replace(b"content-length: %d" % len(body), b"content-length: (right)")
    status, *lines = head.split(b"\r\n")
    text = b"\r\n".join([status, *sorted(map(lowered, lines))])
    return CHANGING.sub(b"(changing)", text + b"\r\n\r\n" + body)


def lowered(line: bytes) -> bytes:
    name, _, value = line.partition(b":")
    return name.lower() + b":" + value


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("both")
    plenty = {"application_calls": 0, "account_calls": 0, "token_calls": 0}
    fast = Server(folder / "data", **plenty)
    ada, eve = fast.user("ada"), fast.user("eve", rights=None)
    key = fast.add(make.jpeg(folder / "a.jpg", 640, 480), ada)
    large = fast.add(make.jpeg(folder / "b.jpg", 2400, 1800), ada)
    client = fast.register(ada, profile=Profile.STRICT, on=(Switch.ACTS_AS_OWNER,))
    token = fast.token(ada)
    record = fast.get(f"/records/{key.databox}/{key.number}/", token)["record"]
    permalink = urlsplit(record["thumbnail"]["permalink"]["url"])
    original = f"/permalink/v1/{large.databox}/{large.number}/document/b.jpg"
    ordinary = Server.of(folder / "data", fast_paths=False, **plenty)
    own = f"client_id={client.client_id}&client_secret={client.secret}"
    with asyncio.Runner() as runner:
        yield Both(
            runner,
            WireServer(fast.application),
            WireServer(ordinary.application),
            [
                "/api/v1/me/", "/api/v1/me", f"/api/v1/records/{key.databox}/{key.number}/",
                f"/api/v1/records/{key.databox}/999/", "/api/v1/records/x/1/",
                "/api/v1/records/1/99999999999999999999/",
                f"/api/v1/records/{key.databox}/{key.number}/embed/", "/api/v1/search/?query=a&per_page=2",
                "/api/v1/search/?per_page=x", "/api/v1/me/?callback=call", "/api/v1/me/?callback=1%2B1",
                "/api/v1/nothing/", "/api/", "/health", "/nothing", permalink.path,
                f"{permalink.path}?{permalink.query}",
                f"{permalink.path}?{permalink.query}&download=1", f"{permalink.path}?token=wrong",
                f"{permalink.path}?{permalink.query}&filename=caf%C3%A9.jpg", f"{original}?token=wrong",
                urlsplit(record["thumbnail"]["url"]).path, "/medias/a.b.c",
                "/api/oauthv2/token", "/api/oauthv2/introspect", "/.well-known/oauth-authorization-server",
            ],
            [token, fast.token(eve), "wrong", "vit_at_" + "a" * 36, ""],
            [
                "", f"grant_type=client_credentials&scope=library%3Aread&{own}", "grant_type=client_credentials",
                f"grant_type=client_credentials&scope=nothing&{own}", f"token={token}&{own}", "grant_type=nothing",
                "grant_type=client_credentials&grant_type=password",
            ],
            fast.http.get(f"{permalink.path}?{permalink.query}").headers["etag"],
        )  # fmt: skip
    fast.close()
    ordinary.close()


METHODS = ("GET", "GET", "GET", "HEAD", "POST", "PUT", "OPTIONS", "PATCH", "BREW")
ACCEPTS = ("", "*/*", "application/json", "application/yaml", "text/javascript", "image/png",
           "application/vnd.phraseanet.record-extended+json")  # fmt: skip
SCHEMES = ("Bearer", "bearer", "OAuth", "Basic", "Nothing")
RANGES = ("bytes=0-9", "bytes=-5", "bytes=9999999-", "bytes=0-1,4-5", "lines=1-2", "bytes=5-1")


@st.composite
def requests(draw: st.DrawFn, both: Both) -> bytes:
    method, path = draw(st.sampled_from(METHODS)), draw(st.sampled_from(both.paths))
    if method == "HEAD":
        path = path.replace("query=a", "per_page=x")  # else the length tells of a duration
    form = draw(st.sampled_from(both.forms)) if method in ("POST", "PUT", "PATCH") else ""
    headers = ["Host: dam.test"]
    token = draw(st.sampled_from(both.tokens))
    if token:
        headers.append(f"Authorization: {draw(st.sampled_from(SCHEMES))} {token}")
    accept = draw(st.sampled_from(ACCEPTS))
    if accept:
        headers.append(f"Accept: {accept}")
    for name, values in (
        ("Origin", ("https://notes.example.com", "https://evil.example.com", "null")),
        ("Range", RANGES),
        ("If-None-Match", (both.etag, "*", '"other"', "W/" + both.etag)),
        ("If-Modified-Since", ("Thu, 01 Jan 2099 00:00:00 GMT", "yesterday")),
        ("Connection", ("close", "keep-alive")),
        ("Access-Control-Request-Method", ("GET", "BREW")),
        ("X-Forwarded-For", ("10.0.0.1",)),
    ):
        if draw(st.integers(0, 4)) == 0:
            headers.append(f"{name}: {draw(st.sampled_from(values))}")
    if form:
        headers += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(form)}"]
    version = draw(st.sampled_from(("1.1", "1.1", "1.1", "1.0")))
    return "\r\n".join([f"{method} {path} HTTP/{version}", *headers, "", form]).encode()


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_generated_requests_get_equal_answers(both: Both, data: st.DataObject) -> None:
    fast, ordinary = both.ask(data.draw(requests(both)))
    assert fast == ordinary


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("authorization", [0, 1, 2, 4])
def test_each_path_gets_equal_answers(both: Both, method: str, authorization: int) -> None:
    token = both.tokens[authorization]
    sent = f"Authorization: Bearer {token}\r\n" if token else ""
    for path in both.paths:
        if method == "HEAD" and "query=" in path:
            continue  # the length of a body that has its duration in it
        request = f"{method} {path} HTTP/1.1\r\nHost: dam.test\r\n{sent}\r\n".encode()
        fast, ordinary = both.ask(request)
        assert fast == ordinary, path


def test_each_form_gets_equal_answers_at_the_token_endpoint(both: Both) -> None:
    for form in both.forms:
        for path in ("/api/oauthv2/token", "/api/oauthv2/introspect"):
            head = f"POST {path} HTTP/1.1\r\nHost: dam.test\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            fast, ordinary = both.ask(f"{head}Content-Length: {len(form)}\r\n\r\n{form}".encode())
            assert fast == ordinary, form


def test_the_two_servers_take_different_ways(both: Both) -> None:
    """Else all of the above would compare one way with itself."""

    async def is_complete_at_once(server: WireServer, path: str) -> bool:
        handler, _wire = server.open()
        handler.data_received(f"GET {path} HTTP/1.1\r\nHost: dam.test\r\n\r\n".encode())
        complete: bool = handler.cycle.response_complete
        while not handler.cycle.response_complete:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.001)
        return complete

    permalink = next(path for path in both.paths if path.startswith("/permalink") and "?token=" in path)
    assert both.runner.run(is_complete_at_once(both.fast, permalink))
    assert not both.runner.run(is_complete_at_once(both.ordinary, permalink))
