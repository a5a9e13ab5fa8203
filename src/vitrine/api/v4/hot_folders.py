"""Hot folders: folders of the server whose files become records, for administrators."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v4.administration.common import tag
from vitrine.api.v4.content import answer, json_patch, moment, nothing, require_tag
from vitrine.api.v4.idempotency import change
from vitrine.api.v4.paging import listed, page_of
from vitrine.api.v4.route import V4Route
from vitrine.api.v4.schemas import MOMENT, NUMBER, PERHAPS_MOMENT, TEXT, Schema, full_object_of, named, object_of
from vitrine.api.v4.schemas import page_of as page_schema
from vitrine.api.v4.server import SCOPE
from vitrine.edge import bearer, listing, read, services_of, write
from vitrine.errors import Invalid
from vitrine.library.hot_folders import HotFolder
from vitrine.platform.database import UnitOfWork

_PATH: Schema = {"type": "string", "description": "absolute, inside of what the operator's settings allow"}
_MASK: Schema = {"type": "string", "description": "names of the files that are taken, such as *.jpg;*.tif"}
_SIDECARS: Schema = {"type": "string", "description": "names of XMP files beside them; empty: none are read"}
_DELETES: Schema = {"type": "boolean", "description": "delete what was taken instead of moving it to _archived"}
_ENABLED: Schema = {"type": "boolean", "description": "files are taken"}
_CHANGES: dict[str, Schema] = {
    "path": _PATH, "base_id": NUMBER, "mask": _MASK, "sidecar_mask": _SIDECARS, "delete": _DELETES, "enabled": _ENABLED,
}  # fmt: skip
COMPONENTS = {
    "HotFolder": full_object_of(
        hot_folder_id=NUMBER,
        **_CHANGES,
        fault={**TEXT, "description": "why it cannot be used at the moment; empty: it can"},
        taken={**NUMBER, "description": "files that became records, were there, or wait in the quarantine"},
        failed={**NUMBER, "description": "files that were moved to _error"},
        last_taken=PERHAPS_MOMENT,
        created=MOMENT,
        updated=MOMENT,
    ),
    "HotFolderPage": page_schema(named("HotFolder")),
    "HotFolderChanges": object_of(**_CHANGES),
}
_TYPES: dict[str, type] = {
    "path": str, "base_id": int, "mask": str, "sidecar_mask": str, "delete": bool, "enabled": bool,
}  # fmt: skip
_COLUMNS = {"base_id": "collection_id", "delete": "deletes", "enabled": "is_enabled"}


def _hot_folder(folder: HotFolder) -> dict[str, Any]:
    return {
        "hot_folder_id": folder.id, "path": folder.path, "base_id": folder.collection_id, "mask": folder.mask,
        "sidecar_mask": folder.sidecar_mask, "delete": folder.deletes, "enabled": folder.is_enabled,
        "fault": folder.fault, "taken": folder.taken, "failed": folder.failed, "last_taken": moment(folder.last_taken),
        "created": moment(folder.created), "updated": moment(folder.updated),
    }  # fmt: skip


def _tag(folder: HotFolder) -> str:
    return tag(folder.revision, folder.id)


def _shown(folder: HotFolder, status: int = 200) -> Response:
    headers = {"ETag": _tag(folder)}
    if status == 201:
        headers["Location"] = f"/api/v4/hot-folders/{folder.id}"
    return answer(_hot_folder(folder), status, headers)


def _number(request: Request) -> int:
    return int(request.path_params["hot_folder_id"])


async def _changes(request: Request) -> dict[str, Any]:
    sent = await json_patch(request, **_TYPES)
    for name, value in sent.items():
        if value is None:
            raise Invalid(f"{name} cannot be null.", field=name)
    return {_COLUMNS.get(name, name): value for name, value in sent.items()}


def permit(request: Request, _work: UnitOfWork, actor: Actor) -> None:
    services_of(request).hot_folders.permit(actor)


def permit_change(request: Request, work: UnitOfWork, actor: Actor) -> None:
    services_of(request).hot_folders.get(work, actor, _number(request))


async def every(request: Request) -> Response:
    folders, page = services_of(request).hot_folders, page_of(request, int)
    (after,) = page.after or (0,)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        rows = folders.page(work, actor, after=after, limit=page.limit + 1)
        return listed(request, rows, page, lambda folder: (folder.id,), _hot_folder)

    return await listing(request, bearer, call)


async def make(request: Request) -> Response:
    folders, values = services_of(request).hot_folders, await _changes(request)
    return await change(request, lambda work, actor: _shown(folders.add(work, actor, values), 201))


async def show(request: Request) -> Response:
    folders, number = services_of(request).hot_folders, _number(request)
    return await read(request, bearer, lambda work, actor: _shown(folders.get(work, actor, number)))


async def set_hot_folder(request: Request) -> Response:
    folders, number, values = services_of(request).hot_folders, _number(request), await _changes(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        require_tag(request, _tag(folders.get(work, actor, number)), required=True)
        return _shown(folders.change(work, actor, number, values))

    return await write(request, bearer, call)


async def delete(request: Request) -> Response:
    folders, number = services_of(request).hot_folders, _number(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        require_tag(request, _tag(folders.get(work, actor, number)))
        folders.delete(work, actor, number)
        return nothing()

    return await write(request, bearer, call)


_ONE = "/hot-folders/{hot_folder_id:int}"
ROUTES = (
    V4Route("/hot-folders", "GET", every, "Folders of the server whose files become records", SCOPE,
            named("HotFolderPage"), is_list=True),
    V4Route("/hot-folders", "POST", make, "Make a hot folder", SCOPE, named("HotFolder"), named("HotFolderChanges"),
            201, permit=permit, example={"path": "/srv/incoming/press", "base_id": 1, "mask": "*.jpg;*.tif"}),
    V4Route(_ONE, "GET", show, "One hot folder", SCOPE, named("HotFolder")),
    V4Route(_ONE, "PATCH", set_hot_folder, "Change a hot folder", SCOPE, named("HotFolder"), named("HotFolderChanges"),
            guard="required", permit=permit_change, example={"enabled": False}),
    V4Route(_ONE, "DELETE", delete, "Delete a hot folder; its files stay", SCOPE, status=204, guard="accepted"),
)  # fmt: skip
