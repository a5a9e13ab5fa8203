"""The quarantine: what waits, the record it clashes with beside it, and three decisions (contract 06 section 15)."""

from collections.abc import Callable
from functools import partial
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor, Right
from vitrine.edge import csrf, long_read, parameters, read, run_in_thread, services_of, write
from vitrine.edge.params import natural
from vitrine.errors import Conflict, DomainError, Invalid, NotFound
from vitrine.files.send import FileToSend, send
from vitrine.library import store
from vitrine.library.arrivals import Arrival
from vitrine.library.model import THUMBNAIL, Rendition
from vitrine.library.quarantine.checks import CHECKS
from vitrine.library.quarantine.service import QuarantinedFile
from vitrine.library.quarantine.store import MOST_COUNTED, Item
from vitrine.platform import logging
from vitrine.platform.database import UnitOfWork
from vitrine.web.shared.forms import known
from vitrine.web.shared.render import page, redirect, said

log = logging.get("vitrine.web")
QUARANTINE = "/library/quarantine/"
PER_PAGE = 20
MOST_AT_ONCE = 100
OUTCOMES = ("added", "substituted", "deleted", "gone", "refused")
Decide = Callable[[UnitOfWork, Actor], object]


async def listed(request: Request) -> Response:
    services = services_of(request)
    query = request.query_params
    start = int(query.get("start", "0")[:9]) if query.get("start", "0").isdecimal() else 0

    def call(work: UnitOfWork, actor: Actor) -> tuple[int, list[QuarantinedFile], dict[int, Rendition], bool]:
        files = services.library.quarantine.page(work, actor, offset=start, limit=PER_PAGE)
        ids = [match.record.id for file in files for match in file.matches]
        pictures = {
            record_id: thumbnail
            for record_id, (_, thumbnail) in store.with_thumbnails(work, ids).items()
            if thumbnail is not None
        }
        may_add = bool(actor.rights.bases_with(Right.canaddrecord, work.now))
        return services.library.quarantine.count(work, actor), files, pictures, may_add  # type: ignore[return-value]  # ids are ints

    total, items, pictures, may_add = await long_read(request, known, call)
    if start and not items:
        return redirect(QUARANTINE)
    done = {name: int(query[name][:4]) if query.get(name, "").isdecimal() else 0 for name in OUTCOMES}
    return page(
        request,
        "library/quarantine.html",
        items=items,
        total=total,
        most_counted=MOST_COUNTED,
        pictures=pictures,
        may_add=may_add,
        start=start,
        per_page=PER_PAGE,
        done=done,
        why=query.get("why", "")[:300],
        reasons={name: check.of_match for name, check in CHECKS.items()},
    )


async def decide(request: Request) -> Response:
    """One button for one file (`one`: decision:item[:record]), or one decision for every file that is ticked."""
    params = await parameters(request)
    csrf.require(request, params.text("csrf"))
    button = params.text("one") or ""
    ticked = [f"{params.text('all') or ''}:{item}" for item in params.values("item")]
    decisions = [decision.partition(":")[::2] for decision in ([button] if button else ticked)]
    if not decisions:
        return redirect(QUARANTINE + "?" + urlencode({"why": "nothing"}))
    if len(decisions) > MOST_AT_ONCE:
        raise Invalid(
            "At most {count} files can be decided about at once.", field="item", values={"count": MOST_AT_ONCE}
        )
    done = dict.fromkeys(OUTCOMES, 0)
    why = ""
    for decision, about in decisions:
        item, _, record = about.partition(":")
        try:
            done[await _decided(request, decision, item, record)] += 1
        except (Conflict, NotFound) as late:
            done["gone"] += 1
            log.info("refused", code=late.code, why=late.why)
        except DomainError as refusal:
            done["refused"] += 1
            why = said(request, refusal)
    start = params.text("start") or "0"
    outcome = {name: count for name, count in done.items() if count} | ({"why": why} if why else {})
    return redirect(
        QUARANTINE + "?" + urlencode(outcome | ({"start": start} if start.isdecimal() and start != "0" else {}))
    )


async def _decided(request: Request, decision: str, item: str, record: str) -> str:
    """The file is looked at before the transaction that decides: no decoder runs inside one."""
    quarantine = services_of(request).library.quarantine
    number, replaced = natural(item), natural(record)
    if number is None or (record and replaced is None):
        raise Invalid("This is no file of the quarantine.", field="item")
    if decision == "delete":
        await write(request, known, lambda work, actor: quarantine.delete(work, actor, number))
        return "deleted"
    if decision not in ("add", "substitute") or (decision == "substitute") != (replaced is not None):
        raise Invalid("Decide to add, to replace a record, or to delete.", field="one")
    file = await read(request, known, lambda work, actor: quarantine.get(work, actor, number))
    arrival: Arrival = await run_in_thread(partial(quarantine.arrival, file.item))
    if replaced is None:
        await write(request, known, lambda work, actor: quarantine.accept(work, actor, number, arrival))
        return "added"
    await write(request, known, lambda work, actor: quarantine.substitute(work, actor, number, arrival, replaced))
    return "substituted"


async def picture(request: Request) -> Response:
    """A small picture of a file that waits, for those who may decide about it."""
    services = services_of(request)
    number = request.path_params["item"]

    def call(work: UnitOfWork, actor: Actor) -> Item:
        try:
            return services.library.quarantine.get(work, actor, number).item
        except DomainError as refusal:
            raise NotFound("There is nothing at this address.", why=refusal.why) from refusal

    item = await read(request, known, call)
    derived = await run_in_thread(partial(services.library.quarantine.picture, item))
    name = f"{item.id}-{THUMBNAIL}.{derived.extension}"
    return send(request, FileToSend(derived.sha256, derived.size, derived.mime, derived.created, name), public=False)


ROUTES = [
    Route(QUARANTINE, listed, methods=["GET"]),
    Route(QUARANTINE + "decide/", decide, methods=["POST"]),
    Route(QUARANTINE + "{item:int}/picture/", picture, methods=["GET"]),
]
