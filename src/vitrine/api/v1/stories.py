"""Stories: contract 02 sections 5.8 and 6.9. The services check the rights on the story and on each child."""

from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v1 import present, present_stories
from vitrine.api.v1.frame import frame_of, records_json
from vitrine.api.v1.json_body import json_body
from vitrine.api.v1.library import is_wanted, key_of
from vitrine.api.v1.present import Frame
from vitrine.api.v1.route import V1Route
from vitrine.api.wire.envelope import answer
from vitrine.edge import bearer, long_read, read, services_of, write
from vitrine.errors import Invalid
from vitrine.library.model import CollectionId, DataboxId, RecordKey
from vitrine.library.stories.model import (
    MOST_AT_ONCE,
    MOST_CHILDREN,
    ChildDraft,
    CoverSources,
    StoryDraft,
    StorySummary,
    StoryWithChildren,
)
from vitrine.platform.database import UnitOfWork

STORY = "/stories/{databox_id:int}/{record_id:int}/"
CHANGED = "/stories/{databox_id:int}/{story_id:int}/"
LARGEST = 2**63 - 1
T = TypeVar("T")
BODY = "body"  # the parameter that stands in for an empty body


async def story(request: Request) -> Response:
    """GET /stories/{databox_id}/{record_id}/"""
    services, key = services_of(request), key_of(request)

    def call(work: UnitOfWork, actor: Actor) -> dict[str, Any]:
        frame = frame_of(request, work, actor)
        return story_json(request, work, frame, services.library.story_views.shown(work, actor, key))

    return answer(request, {"story": await long_read(request, bearer, call)})


def story_json(
    request: Request, work: UnitOfWork, frame: Frame, shown: StoryWithChildren | StorySummary
) -> dict[str, Any]:
    if isinstance(shown, StorySummary):
        return present_stories.summary(frame, shown)
    children = records_json(request, work, frame, shown.children)
    return present_stories.with_children(frame, shown, children)


async def embed(request: Request) -> Response:
    """GET /stories/{databox_id}/{record_id}/embed/, with `devices[]` and `mimes[]`."""
    services, key = services_of(request), key_of(request)
    devices, mimes = (request.state.params.values(name) for name in ("devices", "mimes"))

    def call(work: UnitOfWork, actor: Actor) -> list[dict[str, Any]]:
        frame = frame_of(request, work, actor)
        record = services.library.stories.get(work, actor, key)
        files = services.library.records.renditions(work, actor, record)
        shown = [present.subdef(frame, record, rendition) for rendition in files]
        return [file for file in shown if is_wanted(file, devices, mimes)]

    return answer(request, {"embed": await read(request, bearer, call)})


# -- bodies ------------------------------------------------------------------------------------------------------------


class _Child(msgspec.Struct, frozen=True):
    databox_id: int
    record_id: int
    use_as_cover: Any = None
    thumbnail_cover_source: str = "thumbnail"
    preview_cover_source: str = "preview"


_Text = str | int | float | bool


class _Story(msgspec.Struct, frozen=True):
    base_id: int
    title: _Text | None = None
    metadatas: dict[str, _Text | list[_Text] | None] | list[None] = {}  # PHP writes an empty object as a list
    story_records: list[_Child] = []


class _NewStories(msgspec.Struct, frozen=True):
    stories: list[_Story]


class _Children(msgspec.Struct, frozen=True):
    story_records: list[_Child]


class _Cover(msgspec.Struct, frozen=True):
    record_id: int
    thumbnail_cover_source: str = "thumbnail"
    preview_cover_source: str = "preview"


def _read_as(kind: type[T], value: Any) -> T:
    """Raises Invalid naming the place of the first member that does not fit (02 section 6.9: 400)."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as failure:
        detail = str(failure).replace("`$.", "`").replace("`$`", "the body")
        raise Invalid(f"The body does not fit: {detail}.", field=BODY) from failure


def _draft_of(child: _Child, place: str) -> ChildDraft:
    key = RecordKey(DataboxId(_id(child.databox_id)), _id(child.record_id))
    sources = CoverSources(child.thumbnail_cover_source, child.preview_cover_source)
    return ChildDraft(key, sources if child.use_as_cover is True else None, place)


def _id(number: int) -> int:
    """One that fits into a column; no row has a negative one."""
    return number if 0 <= number <= LARGEST else 0


def _drafts_of(children: list[_Child], place: str = "story_records") -> list[ChildDraft]:
    if len(children) > MOST_CHILDREN:
        raise Invalid(f"{place} may have at most {MOST_CHILDREN} items.", field=place)
    return [_draft_of(child, f"{place}[{number}]") for number, child in enumerate(children)]


def _story_draft(story: _Story, place: str) -> StoryDraft:
    values = story.metadatas if isinstance(story.metadatas, dict) else {}
    return StoryDraft(
        into=CollectionId(_id(story.base_id)),
        title="" if story.title is None else _text(story.title),
        values={name: _texts(value) for name, value in values.items() if value is not None},
        children=_drafts_of(story.story_records, f"{place}.story_records"),
    )


def _texts(value: _Text | list[_Text]) -> list[str]:
    return [_text(text) for text in (value if isinstance(value, list) else [value])]


def _text(value: _Text) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


# -- changes -----------------------------------------------------------------------------------------------------------


async def create(request: Request) -> Response:
    """POST /stories: in order, up to the first that is refused; those before it remain (docs/decisions/0130)."""
    services = services_of(request)
    await read(request, bearer, services.library.stories.permit_any)
    stories = _read_as(_NewStories, await json_body(request, parameter=BODY)).stories
    if len(stories) > MOST_AT_ONCE:
        raise Invalid(f"At most {MOST_AT_ONCE} stories can be made at once.", field="stories")
    drafts = [_story_draft(story, f"stories[{number}]") for number, story in enumerate(stories)]
    outcome = await write(
        request, bearer, lambda work, actor: services.library.stories.create_several(work, actor, drafts)
    )
    if outcome.refusal is not None:
        raise outcome.refusal  # after the commit
    return answer(request, {"stories": [f"/stories/{key.databox}/{key.number}/" for key in outcome.keys]})


def _story_key(request: Request) -> RecordKey:
    return RecordKey(DataboxId(int(request.path_params["databox_id"])), int(request.path_params["story_id"]))


async def _permit(request: Request, key: RecordKey) -> None:
    """Before the body: the right to change the story."""
    stories = services_of(request).library.stories
    await read(request, bearer, lambda work, actor: stories.editable(work, actor, key))


async def add_records(request: Request) -> Response:
    """POST /stories/{databox_id}/{story_id}/addrecords"""
    services, key = services_of(request), _story_key(request)
    await _permit(request, key)
    drafts = _drafts_of(_read_as(_Children, await json_body(request, parameter=BODY)).story_records)
    await write(request, bearer, lambda work, actor: services.library.stories.add(work, actor, key, drafts))
    return answer(request, {"records": [_name(draft.key) for draft in drafts]})


async def delete_records(request: Request) -> Response:
    """DELETE /stories/{databox_id}/{story_id}/delrecords"""
    services, key = services_of(request), _story_key(request)
    await _permit(request, key)
    drafts = _drafts_of(_read_as(_Children, await json_body(request, parameter=BODY)).story_records)
    await write(request, bearer, lambda work, actor: services.library.stories.remove(work, actor, key, drafts))
    return answer(request, {"records": [_name(draft.key) for draft in drafts]})


async def set_cover(request: Request) -> Response:
    """POST /stories/{databox_id}/{story_id}/setcover: `response` is an array (02 section 7)."""
    services, key = services_of(request), _story_key(request)
    await _permit(request, key)
    cover = _read_as(_Cover, await json_body(request, parameter=BODY))
    sources, number = CoverSources(cover.thumbnail_cover_source, cover.preview_cover_source), _id(cover.record_id)
    await write(
        request, bearer, lambda work, actor: services.library.stories.set_cover(work, actor, key, number, sources)
    )
    return answer(request, [_name(RecordKey(key.databox, number))])


def _name(key: RecordKey) -> str:
    return f"{key.databox}_{key.number}"


ROUTES: tuple[V1Route, ...] = (
    V1Route(STORY, ("GET",), story, "02 §6.9", "One story with its records", "library:read", has_lenient_path=True),
    V1Route(STORY + "embed/", ("GET",), embed, "02 §6.9", "Files of a story", "library:read", has_lenient_path=True),
    V1Route("/stories", ("POST",), create, "02 §6.9", "Make stories", "upload"),
    V1Route(CHANGED + "addrecords", ("POST",), add_records, "02 §6.9", "Add records to a story", "metadata:edit"),
    V1Route(
        CHANGED + "delrecords", ("DELETE",), delete_records, "02 §6.9", "Remove records from a story", "metadata:edit"
    ),
    V1Route(CHANGED + "setcover", ("POST",), set_cover, "02 §6.9", "Choose the cover of a story", "metadata:edit"),
)
