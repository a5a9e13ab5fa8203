"""Stories: make, show, delete; their records: list, add, remove, order; their cover."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v4 import idempotency, present
from vitrine.api.v4.content import answer, chosen, json_members, nothing, require_tag
from vitrine.api.v4.paging import listed, page_of
from vitrine.api.v4.records import key_of, place_of, require_known
from vitrine.api.v4.route import PREFIX, V4Route
from vitrine.api.v4.schemas import (
    NUMBER,
    PERHAPS_NUMBER,
    TEXT,
    Schema,
    full_object_of,
    list_of,
    named,
    object_of,
    sparse_object_of,
)
from vitrine.api.v4.schemas import page_of as page_schema
from vitrine.edge import bearer, long_read, services_of, write
from vitrine.errors import Invalid
from vitrine.library.model import CollectionId, DataboxId, Record, RecordKey
from vitrine.library.records import RecordWithThumbnail
from vitrine.library.stories.model import (
    MOST_CHILDREN,
    ChildDraft,
    CoverSources,
    StoryDraft,
    StorySummary,
)
from vitrine.platform.database import UnitOfWork

STORY = "/stories/{databox_id:int}/{record_id:int}"
CHILDREN = STORY + "/children"
LARGEST = 2**63 - 1
_STORY: dict[str, Schema] = {
    **{name: present.RECORD[name] for name in (
        "databox_id", "record_id", "base_id", "title", "uuid", "public_by_link", "created", "updated", "status",
        "metadata", "thumbnail", "renditions",
    )},
    "cover_record_id": {**PERHAPS_NUMBER, "description": "the record whose pictures it shows, if you see that record"},
    "children": {"type": "integer", "description": "how many of its records you see"},
}  # fmt: skip
_SOURCE = {"type": "string", "description": "the name of a file of the cover, of class thumbnail or preview"}
_KEYS = {"databox_id": NUMBER, "record_id": NUMBER}
_RECORDS = {"type": "array", "items": NUMBER, "maxItems": MOST_CHILDREN, "description": "by record_id"}
COMPONENTS: dict[str, Schema] = {
    "Story": sparse_object_of(*present.ALWAYS, **_STORY),
    "StoryMade": full_object_of(**_KEYS),
    "StoryChildren": page_schema(named("Record")),
    "StoryAdded": full_object_of(added=list_of(NUMBER)),
    "StoryCover": full_object_of(cover_record_id=NUMBER, files={"type": "object", "additionalProperties": TEXT}),
    "StoryDeleted": full_object_of(deleted=list_of(NUMBER)),
}


# -- stories -----------------------------------------------------------------------------------------------------------


def _permit_some(request: Request, work: UnitOfWork, actor: Actor) -> None:
    services_of(request).library.stories.permit_any(work, actor)


def _permit(request: Request, work: UnitOfWork, actor: Actor) -> None:
    stories, key = services_of(request).library.stories, key_of(request)
    stories.get(work, actor, key)  # first: who does not see a story does not learn that it is there
    stories.editable(work, actor, key)


async def create(request: Request) -> Response:
    services = services_of(request)
    values = await json_members(
        request, base_id=int, title=str, metadata=dict, records=list, cover_record_id=int,
    )  # fmt: skip
    if values["base_id"] is None:
        raise Invalid("base_id is required: the collection of the story.", field="base_id")
    numbers = _numbers(values["records"])
    cover = values["cover_record_id"]
    if cover is not None and cover not in numbers:
        raise Invalid("The cover has to be one of records.", field="cover_record_id")

    def call(work: UnitOfWork, actor: Actor) -> Response:
        into = CollectionId(_id(values["base_id"]))
        require_known(request, work, actor, into)
        box = services.library.records.collection(work, into).databox_id
        draft = StoryDraft(
            into,
            values["title"] or "",
            _texts(values["metadata"] or {}),
            [_draft(box, number, CoverSources() if number == cover else None) for number in numbers],
            is_strict=True,
        )
        key = services.library.stories.create(work, actor, draft)
        location = services.settings.absolute(f"{PREFIX}/stories/{key.databox}/{key.number}")
        return answer({"databox_id": key.databox, "record_id": key.number}, 201, {"Location": location})

    return await idempotency.change(request, call)


async def show(request: Request) -> Response:
    """One story with its entity tag, which every change of its records or cover moves."""
    services, wanted = services_of(request), chosen(request, _STORY)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        services.library.stories.get(work, actor, key_of(request))
        shown = services.library.records.shown(work, actor, key_of(request))
        (summary,) = services.library.story_views.summaries(work, actor, [shown])
        return answer(_story(place_of(request, work, actor), summary, wanted), headers={"ETag": _tag(shown.record)})

    return await long_read(request, bearer, call)


def _story(place: present.Place, summary: StorySummary, wanted: frozenset[str] | None) -> dict[str, Any]:
    full = summary.story
    value = present.record(place, full.shown, full, None)
    value |= {"cover_record_id": summary.cover, "children": summary.count}
    names = set(_STORY) if wanted is None else wanted | set(present.ALWAYS)
    return {name: member for name, member in value.items() if name in names}


async def delete(request: Request) -> Response:
    services, key = services_of(request), key_of(request)
    with_children = request.query_params.get("with_children", "false")
    if with_children not in ("true", "false"):
        raise Invalid("with_children is true or false.", field="with_children")

    def call(work: UnitOfWork, actor: Actor) -> Response:
        _expected(request, work, actor)
        gone = services.library.stories.delete(work, actor, key, with_children=with_children == "true")
        return answer({"deleted": [deleted.number for deleted in gone]})

    return await write(request, bearer, call)


# -- records of a story ------------------------------------------------------------------------------------------------


async def children(request: Request) -> Response:
    services, page, wanted = services_of(request), page_of(request, int), chosen(request, present.RECORD)
    shown_members = present.IN_LISTS if wanted is None else wanted
    (after,) = page.after or (-1,)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        library = services.library
        story = library.stories.get(work, actor, key_of(request))
        rows = library.story_views.children_after(work, actor, story, after, page.limit + 1)
        place = place_of(request, work, actor)
        page_rows = [shown for _, shown in rows[: page.limit]]
        is_deep = bool(shown_members & present.DEEP)
        described = library.records.described(work, actor, page_rows) if is_deep else []
        full = {known.shown.record.id: known for known in described}

        def item(row: tuple[int, RecordWithThumbnail]) -> dict[str, Any]:
            return present.record(place, row[1], full.get(row[1].record.id), shown_members)

        return listed(request, rows, page, lambda row: (row[0],), item)

    return await long_read(request, bearer, call)


async def add(request: Request) -> Response:
    services, key = services_of(request), key_of(request)
    numbers = _numbers((await json_members(request, records=list))["records"])

    def call(work: UnitOfWork, actor: Actor) -> Response:
        _expected(request, work, actor)
        drafts = [_draft(key.databox, number) for number in numbers]
        added = services.library.stories.add(work, actor, key, drafts)
        return _tagged(request, work, actor, {"added": [record.number for record in added]})

    return await idempotency.change(request, call)


async def order(request: Request) -> Response:
    services, key = services_of(request), key_of(request)
    numbers = _numbers((await json_members(request, records=list))["records"])

    def call(work: UnitOfWork, actor: Actor) -> Response:
        _expected(request, work, actor, required=True)
        services.library.stories.reorder(work, actor, key, numbers)
        return _tagged(request, work, actor, None)

    return await write(request, bearer, call)


async def remove(request: Request) -> Response:
    services, key = services_of(request), key_of(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        _expected(request, work, actor)
        drafts = [_draft(key.databox, request.path_params["child_id"])]
        services.library.stories.remove(work, actor, key, drafts)
        return _tagged(request, work, actor, None)

    return await write(request, bearer, call)


async def set_cover(request: Request) -> Response:
    services, key = services_of(request), key_of(request)
    values = await json_members(request, record_id=int, thumbnail=str, preview=str)
    if values["record_id"] is None:
        raise Invalid("record_id is required: one of the records of the story.", field="record_id")
    sources, number = (
        CoverSources(values["thumbnail"] or "thumbnail", values["preview"] or "preview"),
        _id(values["record_id"]),
    )

    def call(work: UnitOfWork, actor: Actor) -> Response:
        _expected(request, work, actor, required=True)
        files = services.library.stories.set_cover(work, actor, key, number, sources)
        return _tagged(request, work, actor, {"cover_record_id": number, "files": files})

    return await write(request, bearer, call)


async def end_cover(request: Request) -> Response:
    services, key = services_of(request), key_of(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        _expected(request, work, actor)
        services.library.stories.set_cover(work, actor, key, None)
        return _tagged(request, work, actor, None)

    return await write(request, bearer, call)


# -- steps -------------------------------------------------------------------------------------------------------------


def _expected(request: Request, work: UnitOfWork, actor: Actor, *, required: bool = False) -> None:
    """Sight of the story first, so that a hidden one looks like none; then its tag."""
    story = services_of(request).library.stories.get(work, actor, key_of(request))
    require_tag(request, _tag(story), required=required)


def _tagged(request: Request, work: UnitOfWork, actor: Actor, value: dict[str, Any] | None) -> Response:
    """The answer to a change, with the tag that the story has now."""
    response = nothing() if value is None else answer(value)
    response.headers["ETag"] = _tag(services_of(request).library.stories.get(work, actor, key_of(request)))
    return response


def _tag(story: Record) -> str:
    return present.tag_of(story)


def _numbers(records: list[Any] | None) -> list[int]:
    records = records or []
    if len(records) > MOST_CHILDREN:
        raise Invalid(f"records holds at most {MOST_CHILDREN} numbers.", field="records")
    for place, number in enumerate(records):
        if type(number) is not int:
            raise Invalid("records holds numbers of records (record_id).", field=f"records[{place}]")
    return [_id(number) for number in records]


def _id(number: int) -> int:
    """One that fits into a column; no row has a negative one."""
    return number if 0 <= number <= LARGEST else 0


def _draft(box: DataboxId, number: int, cover: CoverSources | None = None) -> ChildDraft:
    return ChildDraft(RecordKey(box, _id(number)), cover)


def _texts(metadata: dict[str, Any]) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in metadata.items():
        texts = value if isinstance(value, list) else [value]
        if not all(isinstance(text, str) for text in texts):
            raise Invalid(f"The values of {name[:80]} are texts.", field="metadata")
        values[name] = texts
    return values


_NEW = {
    **object_of(
        base_id=NUMBER,
        title={"type": "string", "description": "also the first value of the title field"},
        metadata={
            "type": "object",
            "description": "by the id or the name of a field",
            "additionalProperties": {"anyOf": [TEXT, list_of(TEXT)]},
        },
        records=_RECORDS,
        cover_record_id=NUMBER,
    ),
    "required": ["base_id"],
}
_SOME_RECORDS = {**object_of(records=_RECORDS), "required": ["records"]}
_NEW_COVER = {**object_of(record_id=NUMBER, thumbnail=_SOURCE, preview=_SOURCE), "required": ["record_id"]}
_FULL = {409: "It would hold more than 1,000 records, or a record be in more than 100 stories"}
_WITH_CHILDREN: dict[str, Schema] = {
    "with_children": {"enum": ["true", "false"], "default": "false", "description": "delete its records too"}
}
ROUTES = (
    V4Route("/stories", "POST", create, "Make a story", "upload", named("StoryMade"), _NEW, 201, refuses=_FULL,
            permit=_permit_some, example={"base_id": 1, "title": "The harbour", "metadata": {"Keywords": ["quay"]}}),
    V4Route(STORY, "GET", show, "One story", "library:read", named("Story"), chooses=True),
    V4Route(STORY, "DELETE", delete, "Delete a story", "delete", named("StoryDeleted"), query=_WITH_CHILDREN,
            guard="accepted"),
    V4Route(CHILDREN, "GET", children, "Records of a story, in its order", "library:read", named("StoryChildren"),
            is_list=True, chooses=True),
    V4Route(CHILDREN, "POST", add, "Add records to a story", "metadata:edit", named("StoryAdded"), _SOME_RECORDS,
            guard="accepted", refuses=_FULL, permit=_permit, example={"records": [1]}),
    V4Route(CHILDREN, "PUT", order, "Put the records of a story that you see into an order", "metadata:edit",
            body=_SOME_RECORDS, status=204, guard="required", permit=_permit, example={"records": [1]}),
    V4Route(CHILDREN + "/{child_id:int}", "DELETE", remove, "Remove a record from a story", "metadata:edit", status=204,
            guard="accepted"),
    V4Route(STORY + "/cover", "PUT", set_cover, "Choose the cover of a story", "metadata:edit", named("StoryCover"),
            _NEW_COVER, guard="required", permit=_permit, example={"record_id": 1}),
    V4Route(STORY + "/cover", "DELETE", end_cover, "Leave a story without a cover", "metadata:edit", status=204,
            guard="accepted"),
)  # fmt: skip
