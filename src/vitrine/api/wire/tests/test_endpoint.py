"""The steps that the contract tests cannot see from outside: their order, and what is left to the application."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from vitrine.api.wire.endpoint import Conventions, endpoint
from vitrine.edge.bodies import BodyTooLarge
from vitrine.errors import Conflict, DomainError, Invalid, NotFound


def _refused(_request: Request, refusal: DomainError, status: int) -> Response:
    return Response(refusal.detail, status)


CONVENTIONS = Conventions(
    refused=_refused,
    statuses=((NotFound, 404), (DomainError, 400)),
    challenges=((Conflict, lambda _request, _refusal: Response("challenged", 409)),),
    reads_parameters=False,
    is_counted=False,
)


def call(conventions: Conventions, failure: Exception | None = None, **scope: Any) -> Response:
    async def handler(_request: Request) -> Response:
        if failure is not None:
            raise failure
        return Response("handled")

    async def receive() -> Message:
        raise AssertionError("the body was read")

    request = Request({"type": "http", "method": "GET", "headers": [], "state": {}, **scope}, receive)
    return asyncio.run(endpoint(handler, conventions, {"GET": "search"})(request))  # type: ignore[arg-type]  # awaitable


@pytest.mark.parametrize(("failure", "status"), [(NotFound("no"), 404), (Invalid("no"), 400), (Conflict("no"), 409)])
def test_challenges_come_first_and_then_the_table_of_statuses(failure: DomainError, status: int) -> None:
    assert call(CONVENTIONS, failure).status_code == status


@pytest.mark.parametrize("failure", [ValueError("a bug"), HTTPException(404)])
def test_without_an_answer_to_faults_they_go_on_to_the_application(failure: Exception) -> None:
    with pytest.raises(type(failure)):
        call(CONVENTIONS, failure)


def test_a_fault_of_ours_is_answered_but_an_http_exception_goes_on() -> None:
    conventions = replace(CONVENTIONS, broken=lambda _request: Response("broken", 500))
    assert call(conventions, ValueError("a bug")).status_code == 500
    with pytest.raises(HTTPException):
        call(conventions, HTTPException(404))


def test_what_is_not_admitted_is_answered_before_the_body_is_read() -> None:
    conventions = replace(CONVENTIONS, reads_parameters=True, admit=lambda _request: Response("not here", 406))
    form = [(b"content-type", b"application/x-www-form-urlencoded"), (b"content-length", b"3")]
    assert call(conventions, method="POST", headers=form).status_code == 406


def test_a_refusal_of_admission_has_the_same_shape_as_any_other() -> None:
    def admit(_request: Request) -> Response | None:
        raise BodyTooLarge("too large")

    answer = call(replace(CONVENTIONS, admit=admit))
    assert (answer.status_code, answer.body) == (400, b"too large")
