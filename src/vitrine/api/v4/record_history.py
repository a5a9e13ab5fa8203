"""The history of a record: who changed what, and taking a change back."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor, User, UserId
from vitrine.api.v4 import idempotency
from vitrine.api.v4.content import answer, moment
from vitrine.api.v4.paging import listed, page_of
from vitrine.api.v4.records import RECORD, key_of
from vitrine.api.v4.route import V4Route
from vitrine.api.v4.schemas import FLAG, MOMENT, NUMBER, PERHAPS_NUMBER, Schema, full_object_of, named
from vitrine.api.v4.schemas import page_of as page_schema
from vitrine.edge import bearer, listing, services_of
from vitrine.library.history import HistoryEntry
from vitrine.library.journal import ChangeKind
from vitrine.platform.database import UnitOfWork

HISTORY = RECORD + "/history"
_PERSON: Schema = full_object_of(user_id=NUMBER, name={"type": "string"})
_APPLICATION: Schema = full_object_of(id=NUMBER, name={"type": "string"})
_PARTS: Schema = {
    "type": "object",
    "description": "the parts that changed: values by field id, bits by number, base_id, type, name and the like",
}
COMPONENTS = {
    "Change": full_object_of(
        change_id=NUMBER,
        kind={"enum": [kind.value for kind in ChangeKind]},
        at=MOMENT,
        by={"anyOf": [_PERSON, {"type": "null"}], "description": "null where the person is gone, or on the server"},
        application={"anyOf": [_APPLICATION, {"type": "null"}]},
        operation_id={**PERHAPS_NUMBER, "description": "of the operation on many records that it was part of"},
        undoes={**PERHAPS_NUMBER, "description": "the change that this one took back"},
        undone={**FLAG, "description": "a later change took it back"},
        shortened={**FLAG, "description": "too long to be kept whole: it cannot be taken back"},
        before=_PARTS,
        after=_PARTS,
    ),
    "ChangePage": page_schema(named("Change")),
    "Undone": full_object_of(databox_id=NUMBER, record_id=NUMBER, change_id=NUMBER),
}


async def history(request: Request) -> Response:
    """Newest first."""
    services, key, page = services_of(request), key_of(request), page_of(request, int)
    before = page.after[0] if page.after else None

    def call(work: UnitOfWork, actor: Actor) -> Response:
        entries = services.library.history.page(work, actor, key, before=before, limit=page.limit + 1)
        ids = {UserId(entry.change.user_id) for entry in entries if entry.change.user_id is not None}
        people = services.accounts.users.known_by_id(work, ids)
        programs = {entry.change.application_id for entry in entries if entry.change.application_id is not None}
        names = services.applications.registry.names(work, programs)
        return listed(
            request, entries, page, lambda entry: (entry.change.id,), lambda entry: _change(entry, people, names)
        )

    return await listing(request, bearer, call, rows=3 * page.limit)


def _change(entry: HistoryEntry, people: dict[UserId, User], names: dict[int, str]) -> dict[str, Any]:
    change = entry.change
    person = None if change.user_id is None else people.get(UserId(change.user_id))
    program = None if change.application_id is None else names.get(change.application_id)
    return {
        "change_id": change.id,
        "kind": change.kind,
        "at": moment(change.at),
        "by": None if person is None else {"user_id": person.id, "name": person.public_name},
        "application": None if program is None else {"id": change.application_id, "name": program},
        "operation_id": change.operation_id,
        "undoes": change.undoes_id,
        "undone": entry.is_undone,
        "shortened": change.is_cut,
        "before": change.before,
        "after": change.after,
    }


async def undo(request: Request) -> Response:
    services, key, change_id = services_of(request), key_of(request), request.path_params["change_id"]

    def call(work: UnitOfWork, actor: Actor) -> Response:
        services.library.history.undo(work, actor, key, change_id)
        return answer({"databox_id": key.databox, "record_id": key.number, "change_id": change_id})

    return await idempotency.change(request, call)


ROUTES = (
    V4Route(HISTORY, "GET", history, "Changes of a record, newest first", "library:read", named("ChangePage"),
            is_list=True),
    V4Route(HISTORY + "/{change_id:int}/undo", "POST", undo, "Take a change of a record back", "metadata:edit",
            named("Undone")),
)  # fmt: skip
