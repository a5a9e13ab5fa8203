"""Operations: one change of many records, done by the worker, with progress and an outcome for each record."""

from functools import partial
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v4 import idempotency
from vitrine.api.v4.content import answer, json_body, moment
from vitrine.api.v4.paging import listed, page_of
from vitrine.api.v4.records import require_known
from vitrine.api.v4.route import V4Route
from vitrine.api.v4.schemas import (
    FLAG,
    MOMENT,
    NUMBER,
    PERHAPS_NUMBER,
    PERHAPS_TEXT,
    TEXT,
    Schema,
    full_object_of,
    list_of,
    named,
    object_of,
)
from vitrine.api.v4.schemas import page_of as page_schema
from vitrine.edge import bearer, listing, read, run_in_thread, services_of
from vitrine.edge.params import LONGEST_ID
from vitrine.errors import Invalid
from vitrine.library.bulk.model import BulkChange, FieldAction, FieldEdit, Item, Operation, State
from vitrine.library.model import CollectionId, DataboxId, FieldId, RecordKey
from vitrine.platform.database import UnitOfWork

BODY_BYTES = 2**20
SCOPE = "metadata:edit"
OPERATIONS = "/operations"
OPERATION = OPERATIONS + "/{operation_id:int}"


class FieldEditBody(msgspec.Struct, forbid_unknown_fields=True):
    field_id: int
    action: FieldAction
    values: list[str] = []


class RecordsBody(msgspec.Struct, forbid_unknown_fields=True):
    databox_id: int
    record_ids: list[int]


class OperationBody(msgspec.Struct, forbid_unknown_fields=True):
    """What a caller sends; *status* is by bit."""

    records: list[RecordsBody]
    fields: list[FieldEditBody] = []
    status: dict[str, bool] = {}
    base_id: int | None = None
    delete: bool = False


_RECORDS: Schema = list_of(object_of(databox_id=NUMBER, record_ids=list_of(NUMBER)))
_FIELDS: Schema = list_of(
    object_of(field_id=NUMBER, action={"enum": [action.value for action in FieldAction]}, values=list_of(TEXT))
)
_STATUS: Schema = {"type": "object", "additionalProperties": FLAG, "description": "by the number of the bit"}
_BODY = {
    **object_of(
        records={**_RECORDS, "description": "at most 50,000 in all"}, fields=_FIELDS, status=_STATUS,
        base_id={**NUMBER, "description": "the collection to move to"},
        delete={**FLAG, "description": "delete the records; nothing else then"},
    ),
    "required": ["records"],
}  # fmt: skip
COMPONENTS = {
    "Operation": full_object_of(
        operation_id=NUMBER,
        state={"enum": [state.value for state in State]},
        undoes={**PERHAPS_NUMBER, "description": "the operation that this one takes back"},
        total=NUMBER,
        processed=NUMBER,
        changed=NUMBER,
        refused=NUMBER,
        created=MOMENT,
        updated=MOMENT,
    ),
    "OperationPage": page_schema(named("Operation")),
    "OperationItem": full_object_of(
        databox_id=NUMBER,
        record_id=NUMBER,
        outcome={**PERHAPS_TEXT, "description": "changed, unchanged, or the code of the refusal; null before its turn"},
    ),
    "OperationItemPage": page_schema(named("OperationItem")),
}


def permit(request: Request, work: UnitOfWork, actor: Actor) -> None:
    services_of(request).library.bulk.permit_any(work, actor)


async def begin(request: Request) -> Response:
    """202: the worker does it."""
    bulk, value = services_of(request).library.bulk, await json_body(request, max_bytes=BODY_BYTES)
    keys, change = await run_in_thread(partial(_wanted, value))  # of 50,000 records: too long for the event loop

    def call(work: UnitOfWork, actor: Actor) -> Response:
        if change.collection is not None:
            require_known(request, work, actor, change.collection)  # outcomes would tell whether it is there
        return _accepted(bulk.begin(work, actor, keys, change))

    return await idempotency.change(request, call)


def _wanted(value: Any) -> tuple[list[RecordKey], BulkChange]:
    """Raises Invalid."""
    try:
        body = msgspec.convert(value, OperationBody)
    except msgspec.ValidationError as failure:
        raise Invalid(f"The body is not of the right shape: {failure}.", field="body") from failure
    keys = [
        RecordKey(DataboxId(_number(part.databox_id, "records")), _number(number, "records"))
        for part in body.records
        for number in part.record_ids
    ]
    return keys, _change(body)


def _change(body: OperationBody) -> BulkChange:
    edits = (
        FieldEdit(FieldId(_number(edit.field_id, "fields")), edit.action, tuple(edit.values)) for edit in body.fields
    )
    bits = {}
    for bit, on in body.status.items():
        if not (bit.isascii() and bit.isdecimal() and len(bit) <= 2):
            raise Invalid('status must be an object of bits, such as {"4": true}.', field="status")
        bits[int(bit)] = on
    into = None if body.base_id is None else CollectionId(_number(body.base_id, "base_id"))
    return BulkChange(tuple(edits), bits or None, into, body.delete)


def _number(value: int, name: str) -> int:
    if not 0 <= value < 10**LONGEST_ID:
        raise Invalid(f"{name} must have numbers from 0 on.", field=name)
    return value


async def operations(request: Request) -> Response:
    """Your own, newest first."""
    bulk, page = services_of(request).library.bulk, page_of(request, int)
    before = page.after[0] if page.after else None

    def call(work: UnitOfWork, actor: Actor) -> Response:
        rows = bulk.page(work, actor, before=before, limit=page.limit + 1)
        return listed(request, rows, page, lambda operation: (operation.id,), _operation)

    return await listing(request, bearer, call, rows=page.limit)


async def operation(request: Request) -> Response:
    bulk, number = services_of(request).library.bulk, request.path_params["operation_id"]
    return await read(request, bearer, lambda work, actor: answer(_operation(bulk.get(work, actor, number))))


async def items(request: Request) -> Response:
    """In the order in which they were named."""
    bulk, page = services_of(request).library.bulk, page_of(request, int)
    number, after = request.path_params["operation_id"], page.after[0] if page.after else -1

    def call(work: UnitOfWork, actor: Actor) -> Response:
        rows = bulk.items(work, actor, number, after=after, limit=page.limit + 1)
        return listed(request, rows, page, lambda item: (item.position,), _item)

    return await listing(request, bearer, call, rows=page.limit)


async def cancel(request: Request) -> Response:
    bulk, number = services_of(request).library.bulk, request.path_params["operation_id"]
    return await idempotency.change(request, lambda work, actor: answer(_operation(bulk.cancel(work, actor, number))))


async def undo(request: Request) -> Response:
    """202: taking back is an operation too."""
    bulk, number = services_of(request).library.bulk, request.path_params["operation_id"]
    return await idempotency.change(request, lambda work, actor: _accepted(bulk.begin_undo(work, actor, number)))


def _accepted(operation: Operation) -> Response:
    return answer(_operation(operation), 202, {"Location": f"/api/v4{OPERATIONS}/{operation.id}"})


def _operation(operation: Operation) -> dict[str, Any]:
    return {
        "operation_id": operation.id,
        "state": operation.state.value,
        "undoes": operation.undoes_id,
        "total": operation.total,
        "processed": operation.processed,
        "changed": operation.changed,
        "refused": operation.refused,
        "created": moment(operation.created),
        "updated": moment(operation.updated),
    }


def _item(item: Item) -> dict[str, Any]:
    return {"databox_id": item.databox_id, "record_id": item.number, "outcome": item.outcome}


_EXAMPLE = {
    "records": [{"databox_id": 1, "record_ids": [1, 2]}],
    "fields": [{"field_id": 1, "action": "set", "values": ["Brest"]}],
}
ROUTES = (
    V4Route(OPERATIONS, "GET", operations, "Your operations on many records", SCOPE, named("OperationPage"),
            is_list=True),
    V4Route(OPERATIONS, "POST", begin, "Change or delete many records", SCOPE, named("Operation"), _BODY, status=202,
            permit=permit, example=_EXAMPLE),
    V4Route(OPERATION, "GET", operation, "One operation and its progress", SCOPE, named("Operation")),
    V4Route(OPERATION + "/items", "GET", items, "What became of each record", SCOPE, named("OperationItemPage"),
            is_list=True),
    V4Route(OPERATION + "/cancel", "POST", cancel, "Stop an operation; what was done stays", SCOPE,
            named("Operation")),
    V4Route(OPERATION + "/undo", "POST", undo, "Take back everything that an operation did", SCOPE, named("Operation"),
            status=202),
)  # fmt: skip
