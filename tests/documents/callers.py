"""Calls of every operation of a part of the document, as one kind of caller."""

import copy
import itertools
import json
from typing import Any

import schemathesis

from tests.documents.world import World
from tests.schema import CHECKS, call_all
from vitrine.api import v1, v4


def _plain(path: str) -> str:
    return path.replace(":int}", "}")


PARTS = {"v1": "/api/v1", "v4": "/api/v4"}
CALLERS = ("user", "administrator", "nobody")
# What would end the run: the account or its token, and everybody's service.
SPARED = frozenset({("DELETE", "/api/v1/me/"), ("PUT", "/api/v4/maintenance")})


ENDINGS = ("/delete", "/leave", "/close", "/empty", "/restore", "/suspend", "/decision", "/removal", "/cancel")
_RECORD = "/api/v1/records/{databox_id}/{record_id}/"
EXAMPLES: dict[tuple[str, str], Any] = {
    **{(route.method, f"/api/v4{_plain(route.path)}"): route.example for route in v4.ROUTES if route.example},
    ("POST", _RECORD + "setmetadatas/"): {
        "metadatas[0][meta_struct_id]": "1", "metadatas[0][meta_id]": "", "metadatas[0][value]": "Quay",
    },
    ("POST", _RECORD + "setstatus/"): {"status[4]": "1"},
    ("POST", "/api/v1/records/add/"): {"base_id": 1, "file": b"", "forceBehavior": "0"},
    ("POST", "/api/v1/embed/substitute/"): {"databox_id": 1, "record_id": 1, "name": "preview", "file": b""},
    ("POST", "/api/v1/stories/{databox_id}/{story_id}/setcover"): {"record_id": 1},
    ("POST", "/api/v1/monitor/task/{task}/"): {"title": "Regular work"},
    ("POST", "/api/v1/accounts/access-demand/"): {"email": "new@museum.example", "password": "correct horse battery"},
}  # fmt: skip


def operations_of(part: str) -> int:
    """How many operations the document has there."""
    if part == "v4":
        return len(v4.ROUTES)
    return sum(len(route.methods[:2]) for route in v1.ROUTES)


def call_every_operation(world: World, part: str, caller: str, examples: int) -> None:
    """*examples* cases of each operation, held against the document and against what is closed to the caller. What
    ends something comes last."""
    prefix, token = PARTS[part], world.tokens[caller]
    document = schemathesis.openapi.from_asgi("/api/openapi.json", world.server.application)
    chosen = document.include(path_regex=f"^{prefix}/")
    counter = itertools.count()

    def call(case: Any) -> None:
        if token is not None and (case.method.upper(), case.path) in SPARED:
            return
        steer(case, world, next(counter))
        if token is not None:
            case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}"}
        answer = case.call()
        case.validate_response(answer, checks=CHECKS)
        leaks = world.leaks(answer.text, _json(answer.text))
        assert leaks == [], f"{case.method} {case.formatted_path} told of {leaks}: {answer.text[:2000]}"

    assert call_all(chosen, examples, call, order=_order) == operations_of(part)


def _order(operation: Any) -> int:
    if operation.method.upper() == "GET":
        return 0
    return 2 if operation.method.upper() == "DELETE" or operation.path.rstrip("/").endswith(ENDINGS) else 1


def steer(case: Any, world: World, turn: int) -> None:
    """Most cases are about things that are there, so that they get beyond the first refusal."""
    if turn % 4:
        for name in case.path_parameters or {}:
            if name in world.names:
                case.path_parameters[name] = _one_of(world.names[name], turn)
    if turn % 5 and "If-Match" in (case.headers or {}):
        case.headers["If-Match"] = "*"
    if turn % 7 and "cursor" in (case.query or {}):
        del case.query["cursor"]
    example = EXAMPLES.get((case.method.upper(), case.path))
    if turn % 3 and example is not None:
        case.body = copy.deepcopy(example)
    if turn % 6:
        _steer_body(case.body, world, turn)
    if turn % 4 and case.media_type == "multipart/form-data" and "file" in case.body:
        case.body["file"] = world.file


def _steer_body(body: Any, world: World, turn: int) -> None:
    if isinstance(body, list):
        for item in body:
            _steer_body(item, world, turn)
    if not isinstance(body, dict):
        return
    for name, value in body.items():
        if isinstance(value, int) and not isinstance(value, bool) and name in world.names:
            body[name] = _one_of(world.names[name], turn)
        elif isinstance(value, list) and name.removesuffix("s") in world.names and turn % 2:
            body[name] = [_one_of(world.names[name.removesuffix("s")], turn)]
        else:
            _steer_body(value, world, turn)


def _one_of(values: list[Any], turn: int) -> Any:
    return values[turn // 2 % len(values)]


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
