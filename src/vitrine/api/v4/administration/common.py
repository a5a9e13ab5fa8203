"""What the operations on the structure share: rights, revisions as entity tags, labels, pictures, tasks."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v4.content import answer, json_body, moment
from vitrine.api.v4.schemas import (
    MOMENT,
    NUMBER,
    PERHAPS_NUMBER,
    PERHAPS_TEXT,
    Schema,
    full_object_of,
    list_of,
)
from vitrine.edge import services_of
from vitrine.errors import Invalid
from vitrine.library.model import DataboxId
from vitrine.library.structure.task_store import Task
from vitrine.platform.database import UnitOfWork

SCOPE = "structure"
LABELS: Schema = {
    "type": "object",
    "properties": dict.fromkeys(("fr", "en", "de", "nl"), PERHAPS_TEXT),
    "additionalProperties": False,
    "description": "by language; null or empty: none",
}
JSON = "application/json"  # said where no example works everywhere: an order names the ids that are there
ORDER: Schema = {**list_of(NUMBER), "description": "the ids of all of them, each once"}
PERHAPS_PATH: Schema = {"type": ["string", "null"], "description": "path of the picture on this server"}
TASK: dict[str, Schema] = {
    "task_id": NUMBER, "databox_id": NUMBER,
    "kind": {"type": "string", "description": "what is done, such as renditions.make or titles"},
    "details": {"type": "object"},
    "state": {"enum": ["waiting", "running", "done", "replaced"], "description": "replaced: a later task does it"},
    "total": {**PERHAPS_NUMBER, "description": "about how many rows there were at the beginning; null: unknown"},
    "done": {"type": "integer", "description": "rows that were looked at"},
    "changed": NUMBER, "failed": NUMBER,
    "failures": {"type": "array", "items": {"type": "object"}, "description": "{record, code, detail}, the first 100"},
    "created": MOMENT, "updated": MOMENT,
}  # fmt: skip
TASK_SCHEMA: Schema = full_object_of(**TASK)


def databox_id(request: Request) -> DataboxId:
    return DataboxId(int(request.path_params["databox_id"]))


def permit_administrator(request: Request, _work: UnitOfWork, actor: Actor) -> None:
    services_of(request).library.structure.require_administrator(actor)


def permit_managing(request: Request, work: UnitOfWork, actor: Actor) -> None:
    """For who manages the databox of the path."""
    services_of(request).library.administration.databoxes.managed(work, actor, databox_id(request))


def permit_structure(request: Request, work: UnitOfWork, actor: Actor) -> None:
    """For who edits the structure of the databox of the path."""
    editor = services_of(request).library.administration.databoxes.editor
    editor.permit_structure(work, actor, databox_id(request))


def tag(revision: int, *identity: int) -> str:
    """The entity tag of a thing whose every change increases its *revision*."""
    return f'"{"-".join(map(str, identity))}-r{revision}"'


async def members(request: Request) -> dict[str, Any]:
    """The members of a body that is a JSON object; the service names those that it does not know. Raises Invalid."""
    value = await json_body(request)
    if not isinstance(value, dict):
        raise Invalid("Send a JSON object.", field="body")
    return value


async def only(request: Request, name: str) -> Any:
    """The value of the one member that a body must have. Raises Invalid."""
    given = await members(request)
    for other in given:
        if other != name:
            raise Invalid(f"There is no field called {other[:80]} here.", field=other[:80])
    if name not in given:
        raise Invalid(f"{name} is missing.", field=name)
    return given[name]


def labels(value: Mapping[str, Any]) -> dict[str, str | None]:
    return {language: value.get(language) or None for language in ("fr", "en", "de", "nl")}


def logo_path(picture: Mapping[str, Any] | None) -> str | None:
    if picture is None:
        return None
    return f"/custom/logos/{picture['sha256'][:32]}.{picture['mime'].rpartition('/')[2]}"


def task(value: Task) -> dict[str, Any]:
    return {
        "task_id": value.id, "databox_id": value.databox_id, "kind": value.kind, "details": dict(value.details),
        "state": value.state, "total": value.total, "done": value.done, "changed": value.changed,
        "failed": value.failed, "failures": list(value.failures), "created": moment(value.created),
        "updated": moment(value.updated),
    }  # fmt: skip


def begun(value: Task) -> Response:
    """202: the worker does it; `Location` tells how far it is."""
    location = f"/api/v4/databoxes/{value.databox_id}/tasks/{value.id}"
    return answer(task(value), 202, {"Location": location})
