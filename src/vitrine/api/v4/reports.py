"""How documents are used: views of links, downloads and the like, searches, sign-ins."""

from itertools import islice
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor, User, UserId
from vitrine.accounts.model import ADMINISTRATION
from vitrine.api.v4.content import moment
from vitrine.api.v4.paging import listed, page_of
from vitrine.api.v4.records import RECORD, key_of
from vitrine.api.v4.route import V4Route
from vitrine.api.v4.schemas import MOMENT, NUMBER, PERHAPS_NUMBER, PERHAPS_TEXT, TEXT, Schema, full_object_of, named
from vitrine.api.v4.schemas import page_of as page_schema
from vitrine.edge import bearer, listing, services_of
from vitrine.errors import Forbidden
from vitrine.library.model import CollectionId, DataboxId
from vitrine.library.reports import UseKind
from vitrine.library.reports.searches import SearchedWords
from vitrine.library.reports.uses import RecordUse
from vitrine.library.reports.views import NO_REFERRER, Views
from vitrine.oauth.scopes import REPORTS
from vitrine.platform import audit
from vitrine.platform.audit import AuditFilter, Line
from vitrine.platform.database import UnitOfWork

SESSIONS = "session."  # the actions of the audit log
_DAY: Schema = {"type": "string", "format": "date", "description": "in UTC"}
_PERSON: Schema = full_object_of(user_id=NUMBER, name=TEXT)
COMPONENTS: dict[str, Schema] = {
    "Views": full_object_of(
        databox_id=NUMBER, record_id=NUMBER, day=_DAY, rendition=TEXT, views=NUMBER,
        referrer={**PERHAPS_TEXT, "description": "the host that refers to it; null: none was named; * stands for more"},
    ),
    "ViewsPage": page_schema(named("Views")),
    "Use": full_object_of(
        databox_id=NUMBER, record_id=NUMBER, base_id=NUMBER, kind={"enum": [kind.value for kind in UseKind]}, at=MOMENT,
        by={"anyOf": [_PERSON, {"type": "null"}], "description": "null where the person is gone, or on the server"},
        application_id=PERHAPS_NUMBER,
    ),
    "UsePage": page_schema(named("Use")),
    "SearchedWords": full_object_of(
        day=_DAY, words={**TEXT, "description": "* stands for all that are not kept one by one"}, searches=NUMBER,
        without_result=NUMBER,
    ),
    "SearchedWordsPage": page_schema(named("SearchedWords")),
    "SessionLine": full_object_of(at=MOMENT, action=TEXT, user_id=PERHAPS_NUMBER, object=TEXT, address=TEXT),
    "SessionLinePage": page_schema(named("SessionLine")),
}  # fmt: skip


def _views(views: Views) -> dict[str, Any]:
    return {
        "databox_id": views.databox_id, "record_id": views.number, "day": views.day.isoformat(),
        "rendition": views.rendition, "views": views.views,
        "referrer": None if views.referrer == NO_REFERRER else views.referrer,
    }  # fmt: skip


def _words(words: SearchedWords) -> dict[str, Any]:
    return {
        "day": words.day.isoformat(), "words": words.words, "searches": words.searches,
        "without_result": words.without_result,
    }  # fmt: skip


def _session(line: Line) -> dict[str, Any]:
    return {
        "at": moment(line.at), "action": line.action, "user_id": line.user_id, "object": line.object,
        "address": line.address,
    }  # fmt: skip


def _use(use: RecordUse, people: dict[UserId, User]) -> dict[str, Any]:
    person = None if use.user_id is None else people.get(UserId(use.user_id))
    return {
        "databox_id": use.databox_id, "record_id": use.number, "base_id": use.collection_id, "kind": use.kind,
        "at": moment(use.at), "application_id": use.application_id,
        "by": None if person is None else {"user_id": person.id, "name": person.public_name},
    }  # fmt: skip


async def views_of_record(request: Request) -> Response:
    services, key, page = services_of(request), key_of(request), page_of(request, int)
    (before,) = page.after or (None,)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        rows = services.library.reports.views_of_record(work, actor, key, before=before, limit=page.limit + 1)
        return listed(request, rows, page, lambda views: (views.id,), _views)

    return await listing(request, bearer, call, rows=page.limit)


async def views_of_collection(request: Request) -> Response:
    services, base, page = services_of(request), _base(request), page_of(request, int)
    (before,) = page.after or (None,)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        rows = services.library.reports.views_of_collection(work, actor, base, before=before, limit=page.limit + 1)
        return listed(request, rows, page, lambda views: (views.id,), _views)

    return await listing(request, bearer, call, rows=page.limit)


async def uses_of_record(request: Request) -> Response:
    services, key, page = services_of(request), key_of(request), page_of(request, int)
    (before,) = page.after or (None,)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        rows = services.library.reports.uses_of_record(work, actor, key, before=before, limit=page.limit + 1)
        people = _people(request, work, rows)
        return listed(request, rows, page, lambda use: (use.id,), lambda use: _use(use, people))

    return await listing(request, bearer, call, rows=2 * page.limit)


async def uses_of_collection(request: Request) -> Response:
    services, base, page = services_of(request), _base(request), page_of(request, int)
    (before,) = page.after or (None,)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        rows = services.library.reports.uses_of_collection(work, actor, base, before=before, limit=page.limit + 1)
        people = _people(request, work, rows)
        return listed(request, rows, page, lambda use: (use.id,), lambda use: _use(use, people))

    return await listing(request, bearer, call, rows=2 * page.limit)


def _base(request: Request) -> CollectionId:
    return CollectionId(request.path_params["base_id"])


def _people(request: Request, work: UnitOfWork, rows: list[RecordUse]) -> dict[UserId, User]:
    ids = {UserId(use.user_id) for use in rows if use.user_id is not None}
    return services_of(request).accounts.users.known_by_id(work, ids)


async def searches(request: Request) -> Response:
    services, page = services_of(request), page_of(request, int)
    databox = DataboxId(request.path_params["databox_id"])
    (before,) = page.after or (None,)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        rows = services.library.reports.searches(work, actor, databox, before=before, limit=page.limit + 1)
        return listed(request, rows, page, lambda words: (words.id,), _words)

    return await listing(request, bearer, call, rows=page.limit)


async def sessions(request: Request) -> Response:
    """A session belongs to no collection, so it is for administrators."""
    page = page_of(request, int)
    (before,) = page.after or (None,)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        if not actor.administers:
            raise Forbidden("Only administrators see who signed in.", why=f"user {actor.user_id}")
        lines = audit.lines(work, AuditFilter(action=SESSIONS, before=before), page.limit + 1)
        return listed(request, list(islice(lines, page.limit + 1)), page, lambda line: (line.id,), _session)

    return await listing(request, bearer, call, rows=page.limit)


COLLECTION, DATABOX = "/collections/{base_id:int}", "/databoxes/{databox_id:int}"
ROUTES = (
    V4Route(RECORD + "/views", "GET", views_of_record, "Views of a record's files by their links, the newest first",
            REPORTS, named("ViewsPage"), is_list=True),
    V4Route(RECORD + "/uses", "GET", uses_of_record,
            "Who downloaded a record with others, sent or published it, the newest first", REPORTS, named("UsePage"),
            is_list=True),
    V4Route(COLLECTION + "/views", "GET", views_of_collection, "Views of the records of a collection", REPORTS,
            named("ViewsPage"), is_list=True),
    V4Route(COLLECTION + "/uses", "GET", uses_of_collection, "Uses of the records of a collection", REPORTS,
            named("UsePage"), is_list=True),
    V4Route(DATABOX + "/searches", "GET", searches, "What is searched for in a databox, without who searched", REPORTS,
            named("SearchedWordsPage"), is_list=True),
    V4Route("/sessions", "GET", sessions, "Who signed in and out, the newest first", ADMINISTRATION,
            named("SessionLinePage"), is_list=True),
)  # fmt: skip
