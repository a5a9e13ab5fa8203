"""Pages of the collections that a person manages: marks of pictures, links of new records, checks of what comes in.

Marks and links are for administrators and who has `manage` on that very collection, checks for administrators;
everybody else is told that there is nothing (design 5.6). Without script.
"""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor, Right
from vitrine.edge import csrf, listing, parameters, read, run_in_thread, services_of, write
from vitrine.edge.params import Params
from vitrine.errors import DomainError, Forbidden, Invalid, NotFound
from vitrine.library.model import Collection, CollectionId
from vitrine.library.presentation import LARGEST_PICTURE
from vitrine.library.quarantine.checks import CHECKS
from vitrine.platform.database import UnitOfWork
from vitrine.web.admin import collection_forms as forms
from vitrine.web.shared.forms import known, posted, posted_files
from vitrine.web.shared.render import page, redirect, said, translate

COLLECTIONS = "/admin/collections/"
FORM_BYTES = 2 * LARGEST_PICTURE + 2**20


@dataclass(slots=True)
class Typed:
    """A form that had a fault: what was typed, and what is wrong by field."""

    marks: dict[str, str] = field(default_factory=dict)
    public: str = ""
    checks: dict[str, Any] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)


async def listed(request: Request) -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> list[tuple[str, list[Collection]]]:
        structure = services.library.records.structure(work)
        managed = [collection for collection in structure.collections.values() if manages(work, actor, collection.id)]
        if not managed and not actor.is_admin:
            raise NotFound("There is nothing at this address.")
        return [
            (box.view_name, [collection for collection in managed if collection.databox_id == box.id])
            for box in structure.databoxes.values()
        ]

    return page(request, "admin/collections.html", boxes=await listing(request, known, call))


def manages(work: UnitOfWork, actor: Actor, base: CollectionId) -> bool:
    return actor.is_admin or actor.rights.on(base, Right.manage, work.now)


async def show(request: Request) -> Response:
    return await _page(request, Typed(), saved=request.query_params.get("saved", ""))


async def _page(request: Request, typed: Typed, *, saved: str = "") -> Response:
    services, base = services_of(request), CollectionId(request.path_params["base_id"])

    def call(work: UnitOfWork, actor: Actor) -> dict[str, Any]:
        collection = _managed(request, work, actor, base)
        structure = services.library.records.structure(work)
        policy = services.library.quarantine.policy(work, collection)
        return {
            "collection": collection,
            "marks": typed.marks or {"show": collection.public_presentation, **forms.stamp_fields(collection.stamp)},
            "public": typed.public or ("on" if collection.public_by_link else "off"),
            "checks": typed.checks or forms.check_fields(policy),
            "own": services.library.quarantine.has_own_policy(work, base),
            "fields": [field.name for field in structure.fields[collection.databox_id] if not field.business],
            "others": [other for other in structure.collections.values() if other.databox_id == collection.databox_id],
        }

    context = await read(request, known, call)
    status = 400 if typed.faults else 200
    return page(
        request, "admin/collection.html", status=status, faults=typed.faults, saved=saved,
        choices=forms.CHOICES, options={name: check.defaults for name, check in CHECKS.items()}, **context,
    )  # fmt: skip


def _managed(request: Request, work: UnitOfWork, actor: Actor, base: CollectionId) -> Collection:
    """Raises NotFound for collections that are not there and for those of others alike."""
    try:
        return services_of(request).library.presentation.permit(work, actor, base)
    except Forbidden as refusal:
        raise NotFound("There is nothing at this address.", why=refusal.why) from refusal


async def _permit(request: Request, base: CollectionId) -> Collection:
    """The collection, if the person manages it: asked before a body is read. Raises NotFound."""
    return await read(request, known, lambda work, actor: _managed(request, work, actor, base))


async def set_marks(request: Request) -> Response:
    """Watermark, stamp and what strangers get. Pictures are looked at in a child before anything is written."""
    base = CollectionId(request.path_params["base_id"])
    params = await posted_files(request, lambda work, actor: _managed(request, work, actor, base), max_bytes=FORM_BYTES)
    try:
        collection = await read(request, known, lambda work, actor: _managed(request, work, actor, base))
        given = {name: value for name, value in params.form.items() if isinstance(value, str) and name != "csrf"}
        try:
            changes = await _marks(request, collection, params, given)
            await write(request, known, lambda work, actor: _set_marks(request, work, actor, base, changes))
        except (Forbidden, NotFound):
            raise
        except DomainError as refusal:
            where = refusal.field if refusal.field in ("stamp", "public_presentation") else "watermark"
            shown = {**forms.stamp_fields(collection.stamp), "show": collection.public_presentation, **given}
            shown["logo"] = forms.stamp_fields(collection.stamp)["logo"]
            return await _page(request, Typed(marks=shown, faults={where: said(request, refusal)}))
    finally:
        await params.close()
    return redirect(f"{COLLECTIONS}{base}/?saved=marks")


async def _marks(request: Request, collection: Collection, params: Params, given: dict[str, str]) -> dict[str, Any]:
    changes: dict[str, Any] = {"public_presentation": given.get("show", "")}
    picture = await _kept(request, params, "watermark")
    if picture is not None or given.get("watermark_forget"):
        changes["watermark"] = picture
    if given.get("place") != forms.KEEP:
        logo = await _kept(request, params, "logo")
        before = forms.stamp_fields(collection.stamp)["logo"]
        changes["stamp"] = forms.stamp_of(given, logo or (None if given.get("logo_forget") else before))
    return changes


async def _kept(request: Request, params: Params, name: str) -> str | None:
    """The digest of an uploaded picture; None when no file was chosen. Raises Invalid or a MediaError."""
    upload: UploadFile | None = next((file for file in params.files.get(name, ()) if file.filename), None)
    if upload is None:
        return None
    where = "stamp" if name == "logo" else "watermark"
    try:
        return await run_in_thread(
            partial(services_of(request).library.presentation.keep_picture, upload.file, upload.filename or name)
        )
    except DomainError as refusal:
        refusal.field = where
        raise


def _set_marks(request: Request, work: UnitOfWork, actor: Actor, base: CollectionId, changes: dict[str, Any]) -> None:
    services = services_of(request)
    collection = _managed(request, work, actor, base)
    public = [
        field.name
        for field in services.library.records.structure(work).fields[collection.databox_id]
        if not field.business
    ]
    for unknown in forms.unknown_fields(changes.get("stamp"), public):
        raise Invalid("There is no public field {name}.", field="stamp", values={"name": unknown})
    services.library.presentation.set(work, actor, base, changes)


async def set_public(request: Request) -> Response:
    """Whether records that are added from now on are public by link: `public` is `on` or `off`."""
    base = CollectionId(request.path_params["base_id"])
    await _permit(request, base)
    given = (await posted(request)).get("public", "")
    if given not in ("on", "off"):
        fault = translate(request, "Choose whether new records are public by link.")
        return await _page(request, Typed(faults={"public_by_link": fault}))
    changes = {"public_by_link": given == "on"}
    await write(request, known, lambda work, actor: _set_marks(request, work, actor, base, changes))
    return redirect(f"{COLLECTIONS}{base}/?saved=links")


async def set_checks(request: Request) -> Response:
    """The checks of this collection: said whole, or forgotten, so that those of databox and instance count again."""
    services, base = services_of(request), CollectionId(request.path_params["base_id"])
    await _permit(request, base)
    params = await parameters(request)
    csrf.require(request, params.text("csrf"))
    forget = params.text("do") == "forget"
    typed = forms.given_checks(params)

    def call(work: UnitOfWork, actor: Actor) -> None:
        databox_id = _managed(request, work, actor, base).databox_id
        collections = services.library.records.structure(work).collections.values()
        bases = [collection.id for collection in collections if collection.databox_id == databox_id]
        policy = None if forget else forms.policy_of(typed, bases)
        services.library.quarantine.set_policy(work, actor, policy, base=base)

    try:
        await write(request, known, call)
    except Invalid as refusal:
        return await _page(request, Typed(checks=typed, faults={refusal.field: said(request, refusal)}))
    return redirect(f"{COLLECTIONS}{base}/?saved=checks")


ROUTES = [
    Route(COLLECTIONS, listed, methods=["GET"]),
    Route(COLLECTIONS + "{base_id:int}/", show, methods=["GET"]),
    Route(COLLECTIONS + "{base_id:int}/marks/", set_marks, methods=["POST"]),
    Route(COLLECTIONS + "{base_id:int}/links/", set_public, methods=["POST"]),
    Route(COLLECTIONS + "{base_id:int}/checks/", set_checks, methods=["POST"]),
]
