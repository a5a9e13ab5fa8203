"""Entries of feeds: read, publish, change, delete."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v4.content import answer, chosen, json_members, json_patch, nothing, require_tag, sparse
from vitrine.api.v4.feeds import schemas
from vitrine.api.v4.feeds.registry import feed_id, number_of
from vitrine.api.v4.feeds.schemas import ENTRY, IN_LISTS, tag
from vitrine.api.v4.idempotency import change
from vitrine.api.v4.paging import BadCursor, listed, page_of
from vitrine.api.v4.records import place_of
from vitrine.api.v4.route import PREFIX
from vitrine.edge import bearer, long_read, services_of, write
from vitrine.errors import Invalid
from vitrine.feeds import EntryDraft, EntryId
from vitrine.library.model import DataboxId, RecordKey
from vitrine.platform.database import UnitOfWork
from vitrine.platform.schema import from_micros, to_micros

ALWAYS = ("entry_id", "feed_id")


def entry_id(request: Request) -> EntryId:
    return EntryId(number_of(request, "entry_id"))


def permit_publishing(request: Request, work: UnitOfWork, actor: Actor) -> None:
    services_of(request).feeds.entries.permit(work, actor, feed_id(request))


def permit_editing(request: Request, work: UnitOfWork, actor: Actor) -> None:
    entries, number = services_of(request).feeds.entries, entry_id(request)
    entries.known(work, actor, feed_id(request), number)
    entries.permit_change(work, actor, number)


async def of_feed(request: Request) -> Response:
    """The newest first."""
    services, page, wanted = services_of(request), page_of(request, int, int), chosen(request, sorted(IN_LISTS))
    number = feed_id(request)
    after = None if page.after is None else (_instant(page.after[0]), EntryId(page.after[1]))

    def call(work: UnitOfWork, actor: Actor) -> Response:
        rows = services.feeds.entries.after(work, actor, number, after, page.limit + 1)
        return listed(
            request,
            rows,
            page,
            lambda row: (to_micros(row.entry.created), row.entry.id),
            lambda row: sparse(schemas.entry(row, None), wanted, *ALWAYS),
        )

    return await long_read(request, bearer, call)


async def show(request: Request) -> Response:
    services, wanted = services_of(request), chosen(request, ENTRY)
    feed, number = feed_id(request), entry_id(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        readable = services.feeds.entries.of(work, actor, feed, number)
        place = place_of(request, work, actor) if wanted is None or "records" in wanted else None
        headers = {"ETag": tag(number, readable.entry.version)}
        return answer(sparse(schemas.entry(readable, place), wanted, *ALWAYS), headers=headers)

    return await long_read(request, bearer, call)


async def publish(request: Request) -> Response:
    services, feed = services_of(request), feed_id(request)
    values = await json_members(
        request, title=str, subtitle=str, author_name=str, author_email=str, records=list, notify=bool
    )
    draft = EntryDraft(
        title=values["title"] or "",
        subtitle=values["subtitle"],
        author_name=values["author_name"],
        author_email=values["author_email"],
        records=_keys(values["records"] or []),
    )

    def call(work: UnitOfWork, actor: Actor) -> Response:
        entry = services.feeds.entries.publish(work, actor, feed, draft, notify=bool(values["notify"]))
        headers = {"Location": f"{PREFIX}/feeds/{feed}/entries/{entry.id}", "ETag": tag(entry.id, entry.version)}
        return answer({"entry_id": entry.id, "feed_id": feed}, 201, headers)

    return await change(request, call)


async def edit(request: Request) -> Response:
    services, feed, number = services_of(request), feed_id(request), entry_id(request)
    sent = await json_patch(request, title=str, subtitle=str, author_name=str, author_email=str, records=list)
    for name in ("title", "records"):
        if name in sent and sent[name] is None:
            raise Invalid(f"{name} cannot be null.", field=name)
    texts = {name: sent[name] or "" for name in ("title", "subtitle", "author_name", "author_email") if name in sent}
    draft = EntryDraft(**texts, records=_keys(sent["records"]) if "records" in sent else None)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        entry = services.feeds.entries.known(work, actor, feed, number)
        require_tag(request, tag(number, entry.version), required=True)
        changed = services.feeds.entries.change(work, actor, number, draft)
        return answer({"entry_id": number, "feed_id": feed}, headers={"ETag": tag(number, changed.version)})

    return await write(request, bearer, call)


async def remove(request: Request) -> Response:
    services, feed, number = services_of(request), feed_id(request), entry_id(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        entry = services.feeds.entries.known(work, actor, feed, number)
        require_tag(request, tag(number, entry.version))
        services.feeds.entries.remove(work, actor, number)
        return nothing()

    return await write(request, bearer, call)


def _keys(values: Sequence[Any]) -> list[RecordKey]:
    """The records of a body. Raises Invalid."""
    keys = []
    for value in values:
        parts = (value.get("databox_id"), value.get("record_id")) if isinstance(value, dict) else (None, None)
        if not isinstance(value, dict) or set(value) != {"databox_id", "record_id"} or not all(map(_is_id, parts)):
            raise Invalid("records is a list of objects with databox_id and record_id.", field="records")
        keys.append(RecordKey(DataboxId(value["databox_id"]), value["record_id"]))
    return keys


def _instant(micros: int) -> datetime:
    """Raises BadCursor for an instant that no entry has."""
    try:
        return from_micros(micros)
    except OverflowError:
        raise BadCursor("This cursor is not of this list. Begin without cursor.", field="cursor") from None


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63
