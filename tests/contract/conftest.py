"""Every exchange of these tests is held against the OpenAPI document: an answer that it does not declare fails the
test."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from vitrine.api import openapi
from vitrine.settings import Settings

UNDECLARED = frozenset({405})  # of a method, and so of no operation

WITHOUT_404 = ("/api/oauthv2/", "/.well-known/")  # only where the API is switched off, and then nothing is described


@cache
def _operations() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    paths: dict[str, dict[str, Any]] = openapi.document(Settings(data_dir=Path()))["paths"]
    return [(re.compile(_pattern(path, operations)), operations) for path, operations in paths.items()]


def _pattern(path: str, operations: dict[str, Any]) -> str:
    """A regular expression for *path*: digits where each operation wants an integer."""
    parameters = [parameter for operation in operations.values() for parameter in operation.get("parameters", ())]
    for parameter in parameters:
        if parameter["in"] == "path":
            values = r"\d+" if parameter["schema"].get("type") == "integer" else "[^/]+"
            path = path.replace("{" + parameter["name"] + "}", values)
    return path


def undeclared(method: str, path: str, status: int) -> str | None:
    """The answer in words if its operation is described and does not declare it."""
    if status in UNDECLARED or (status == 404 and path.startswith(WITHOUT_404)):
        return None
    for pattern, operations in _operations():
        operation = operations.get("get" if method == "HEAD" else method.lower())
        if operation is not None and pattern.fullmatch(path):
            return None if str(status) in operation["responses"] else f"{method} {path} answered {status}"
    return None


@pytest.fixture(autouse=True)
def described(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    answers: list[str] = []
    send = TestClient.request

    def request(client: TestClient, method: str, url: Any, *arguments: Any, **named: Any) -> Any:
        answer = send(client, method, url, *arguments, **named)
        refusal = undeclared(method.upper(), urlsplit(str(url)).path, answer.status_code)
        if refusal is not None:
            answers.append(refusal)
        return answer

    monkeypatch.setattr(TestClient, "request", request)
    yield
    assert answers == [], "the OpenAPI document does not declare these answers"
