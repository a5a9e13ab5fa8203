"""Pages of the databoxes whose structure or settings a person changes: fields, status bits, collections, terms of use.

For `bas_modify_struct` and `bas_manage` on that very databox, and for administrators; everybody else is told that there
is nothing (design 5.6). Without script. Rendition recipes are changed by command and API.
"""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor
from vitrine.edge import listing, long_read, read, services_of, write
from vitrine.edge.params import natural
from vitrine.errors import DomainError, Forbidden, Invalid, NotFound
from vitrine.library import access
from vitrine.library.model import LANGUAGES, CollectionId, Databox, DataboxId, Field, FieldId
from vitrine.library.structure.field_rules import DCES, TYPES
from vitrine.library.structure.status_bits import FIRST_BIT, LAST_BIT
from vitrine.platform.database import UnitOfWork
from vitrine.web.shared.forms import known, posted
from vitrine.web.shared.render import page, redirect, said

DATABOXES = "/admin/databoxes/"
SHOWN_TASKS = 10
FLAGS = ("multi", "required", "readonly", "business", "indexable", "thumbtitle", "gui_visible", "printable")
TERMS_BYTES = 2 * 2**20
Change = Callable[[UnitOfWork, Actor], object]


async def every(request: Request) -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> list[Databox]:
        boxes = services.library.records.structure(work).databoxes.values()
        shown = [box for box in boxes if _may(actor, box.id)]
        if not shown:
            raise NotFound("There is nothing at this address.")
        return shown

    return page(request, "admin/databoxes.html", boxes=await listing(request, known, call))


async def show(request: Request) -> Response:
    return await _page(request, saved=request.query_params.get("saved", ""))


async def _page(
    request: Request, *, saved: str = "", fault: str = "", at: str = "", given: Mapping[str, str] | None = None
) -> Response:
    """*fault* is what is wrong in the form *at*, *given* what was typed there."""
    services, box_id = services_of(request), _number(request)

    def call(work: UnitOfWork, actor: Actor) -> dict[str, Any]:
        box = _managed(request, work, actor, box_id)
        structure = services.library.records.structure(work)
        collections = [entry for entry in structure.collections.values() if entry.databox_id == box.id]
        return {
            "box": box, "edits": access.edits_structure(actor, box.id),
            "manages_box": access.manages_databox(actor, box.id),
            "fields": structure.fields[box.id], "bits": structure.status_bits[box.id], "collections": collections,
            "terms": services.library.terms.newest(work, actor, box.id),
            "tasks": services.library.administration.tasks.listed(work, actor, box.id, limit=SHOWN_TASKS),
        }  # fmt: skip

    context = await read(request, known, call)
    free = [bit for bit in range(FIRST_BIT, LAST_BIT + 1) if bit not in {entry.bit for entry in context["bits"]}]
    return page(
        request, "admin/databox.html", status=400 if fault else 200, saved=saved, fault=fault, at=at, given=given or {},
        free=free, languages=LANGUAGES, **context,
    )  # fmt: skip


async def change(request: Request) -> Response:
    """POST of one of the forms; `part` says which."""
    box, part = _number(request), request.path_params["part"]
    build = _PARTS.get(part)
    if build is None:
        raise NotFound("There is nothing at this address.")
    await read(request, known, lambda work, actor: _managed(request, work, actor, box))
    given = await posted(request, max_bytes=TERMS_BYTES)
    try:
        await write(request, known, build(request, box, given))
    except (Forbidden, NotFound) as refusal:
        raise NotFound("There is nothing at this address.", why=refusal.why) from refusal
    except DomainError as refusal:
        return await _page(request, fault=said(request, refusal), at=part, given=given)
    return redirect(f"{DATABOXES}{box}/?saved={part}#{part}")


def _labels(given: Mapping[str, str]) -> dict[str, str]:
    return {language: given.get(f"label_{language}", "") for language in LANGUAGES}


def _settings(request: Request, box: DataboxId, given: Mapping[str, str]) -> Change:
    attributes = {
        "view_name": given.get("title", ""), "labels": _labels(given),
        "registration_open": given.get("registration") == "1",
    }  # fmt: skip
    databoxes, revision = services_of(request).library.administration.databoxes, natural(given.get("revision", ""))
    return lambda work, actor: databoxes.change(work, actor, box, attributes, expected=revision)


def _add_field(request: Request, box: DataboxId, given: Mapping[str, str]) -> Change:
    fields = services_of(request).library.administration.fields
    return lambda work, actor: fields.add(work, actor, box, {"name": given.get("name", "")})


def _define_bit(request: Request, box: DataboxId, given: Mapping[str, str]) -> Change:
    bits, bit = services_of(request).library.administration.status_bits, natural(given.get("bit", "")) or 0
    attributes = {
        "label_on": given.get("label_on", ""), "label_off": given.get("label_off", ""),
        "searchable": given.get("searchable") == "1",
    }  # fmt: skip
    if given.get("do") == "remove":
        return lambda work, actor: bits.remove(work, actor, box, bit)
    return lambda work, actor: bits.define(work, actor, box, bit, attributes)


def _collection(request: Request, box: DataboxId, given: Mapping[str, str]) -> Change:
    """Make one, or enable, disable or move one up."""
    library, do = services_of(request).library, given.get("do", "")
    base = CollectionId(natural(given.get("base_id", "")) or 0)

    def call(work: UnitOfWork, actor: Actor) -> object:
        if do == "add":
            return library.structure.add_collection(work, actor, box, given.get("name", ""))
        order = [entry.id for entry in library.records.structure(work).collections.values() if entry.databox_id == box]
        if base not in order:
            raise Invalid("This collection is not of this databox.", field="base_id")
        if do == "up":
            return library.administration.collections.order(work, actor, box, _one_up(order, base))
        if do not in ("enable", "disable"):
            raise Invalid("There is no such choice.", field="do")
        return library.administration.collections.change(work, actor, base, {"enabled": do == "enable"})

    return call


def _terms(request: Request, box: DataboxId, given: Mapping[str, str]) -> Change:
    texts = {language: text for language in LANGUAGES if (text := given.get(f"text_{language}", "").strip())}
    terms = services_of(request).library.terms
    return lambda work, actor: terms.publish(work, actor, box, texts, must_accept=given.get("must_accept") == "1")


_PARTS: Mapping[str, Callable[[Request, DataboxId, Mapping[str, str]], Change]] = {
    "settings": _settings, "fields": _add_field, "status": _define_bit, "collections": _collection, "terms": _terms,
}  # fmt: skip


# -- one field ---------------------------------------------------------------------------------------------------------


async def show_field(request: Request) -> Response:
    return await _field_page(request)


async def _field_page(request: Request, *, fault: str = "", given: Mapping[str, str] | None = None) -> Response:
    box_id = _number(request)

    def call(work: UnitOfWork, actor: Actor) -> tuple[Databox, Field]:
        box = _managed(request, work, actor, box_id)
        try:
            field = services_of(request).library.administration.fields.get(work, actor, box_id, _field_id(request))
        except Forbidden as refusal:
            raise NotFound("There is nothing at this address.", why=refusal.why) from refusal
        return box, field

    box, field = await read(request, known, call)
    return page(
        request, "admin/field.html", status=400 if fault else 200, box=box, field=field, fault=fault, given=given or {},
        flags=FLAGS, types=TYPES, elements=DCES, languages=LANGUAGES,
    )  # fmt: skip


async def change_field(request: Request) -> Response:
    """Save, delete or move up the field."""
    box, field = _number(request), _field_id(request)
    await read(request, known, lambda work, actor: _managed(request, work, actor, box))
    given = await posted(request)
    do, fields = given.get("do", "save"), services_of(request).library.administration.fields

    def call(work: UnitOfWork, actor: Actor) -> object:
        if do == "delete":
            return fields.delete(work, actor, box, field)
        if do == "up":
            known_fields = services_of(request).library.records.structure(work).fields[box]
            return fields.order(work, actor, box, _one_up([entry.id for entry in known_fields], field))
        expected = natural(given.get("revision", ""))
        return fields.change(work, actor, box, field, _attributes(given), expected=expected, checked=checked)

    checked = 0
    try:
        if do == "save" and given.get("multi") != "1":
            # All its values are looked at in a snapshot, so that nobody waits for it.
            checked = await long_read(request, known, lambda work, actor: fields.permit_single(work, actor, box, field))
        await write(request, known, call)
    except (Forbidden, NotFound) as refusal:
        raise NotFound("There is nothing at this address.", why=refusal.why) from refusal
    except DomainError as refusal:
        return await _field_page(request, fault=said(request, refusal), given=given)
    return redirect(f"{DATABOXES}{box}/?saved=fields#fields")


def _attributes(given: Mapping[str, str]) -> dict[str, Any]:
    flags = {flag: given.get(flag) == "1" for flag in FLAGS}
    separator = {"separator": given.get("separator", "")} if flags["multi"] else {}
    language = {"title_language": given.get("title_language") or None} if flags["thumbtitle"] else {}
    return {
        "name": given.get("name", ""), "labels": _labels(given), "type": given.get("type", ""),
        "source": given.get("source", ""), "dces_element": given.get("dces_element") or None,
        **flags, **separator, **language,
    }  # fmt: skip


def _one_up(order: list[Any], moved: int) -> list[Any]:
    place = order.index(moved) if moved in order else 0
    if place:
        order[place - 1], order[place] = order[place], order[place - 1]
    return order


def _may(actor: Actor, box: DataboxId) -> bool:
    return access.edits_structure(actor, box) or access.manages_databox(actor, box)


def _managed(request: Request, work: UnitOfWork, actor: Actor, box: DataboxId) -> Databox:
    """Raises NotFound for databoxes that are not there and for those of others alike."""
    shown = services_of(request).library.records.structure(work).databoxes.get(box)
    if shown is None or not _may(actor, box):
        raise NotFound("There is nothing at this address.")
    return shown


def _number(request: Request) -> DataboxId:
    return DataboxId(int(request.path_params["databox_id"]))


def _field_id(request: Request) -> FieldId:
    return FieldId(int(request.path_params["field_id"]))


_BOX = DATABOXES + "{databox_id:int}/"
ROUTES = [
    Route(DATABOXES, every, methods=["GET"]),
    Route(_BOX, show, methods=["GET"]),
    Route(_BOX + "fields/{field_id:int}/", show_field, methods=["GET"]),
    Route(_BOX + "fields/{field_id:int}/", change_field, methods=["POST"]),
    Route(_BOX + "{part}/", change, methods=["POST"]),
]
