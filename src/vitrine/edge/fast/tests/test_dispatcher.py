"""The short way to a route leads where Starlette's own way would."""

from collections.abc import Awaitable, Callable

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from vitrine.edge.fast.dispatcher import Dispatcher
from vitrine.errors import DomainError, NotFound


def says(text: str) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return PlainTextResponse(f"{text} {dict(request.path_params)}")

    return answer


async def fails(_request: Request) -> Response:
    raise NotFound("gone")


async def refused(_request: Request, failure: Exception) -> Response:
    return PlainTextResponse(f"refused {failure}", 404)


ROUTES = [
    Route("/api/v1/me/", says("me"), methods=["GET"]),
    Route("/api/v1/me/", says("wrong method"), methods=["POST", "DELETE"]),
    Route("/api/v1/records/{number:int}/", says("record"), methods=["GET"]),
    Route("/api/v1/records/{number}/", says("twin"), methods=["GET"]),
    Route("/api/v1/{rest:path}", says("unknown"), methods=["GET", "POST"]),
    Route("/medias/{token}", says("media"), methods=["GET"]),
    Route("/permalink/v1/{box:int}/{name}/", fails, methods=["GET"]),
]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/me/"), ("HEAD", "/api/v1/me/"), ("POST", "/api/v1/me/"), ("PUT", "/api/v1/me/"),
        ("GET", "/api/v1/records/12/"), ("GET", "/api/v1/records/abc/"), ("POST", "/api/v1/records/12/"),
        ("GET", "/api/v1/"), ("GET", "/api/v1/a/b/c"), ("GET", "/api/v1"), ("GET", "/medias/a.b.c"),
        ("GET", "/medias/"), ("POST", "/medias/x"), ("GET", "/permalink/v1/1/x/"), ("GET", "/elsewhere"), ("GET", "/"),
    ],
)  # fmt: skip
def test_both_ways_lead_to_the_same_answer(method: str, path: str) -> None:
    plain = Starlette(routes=ROUTES, exception_handlers={DomainError: refused})
    short = Dispatcher(ROUTES, plain, {DomainError: refused})
    ours = TestClient(short, raise_server_exceptions=False).request(method, path)
    theirs = TestClient(plain, raise_server_exceptions=False).request(method, path)
    assert (ours.status_code, ours.text) == (theirs.status_code, theirs.text)
