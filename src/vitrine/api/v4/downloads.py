"""Downloads: files of several records as one archive behind links that end, mailed to people."""

from datetime import timedelta
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor, UserId
from vitrine.accounts.service import checked_email
from vitrine.api.v4 import idempotency
from vitrine.api.v4.content import answer, json_body, moment, nothing, secret_answer
from vitrine.api.v4.paging import listed, page_of
from vitrine.api.v4.route import V4Route
from vitrine.api.v4.schemas import (
    FLAG,
    MOMENT,
    NUMBER,
    PERHAPS_MOMENT,
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
from vitrine.api.wire.endpoint import anybody
from vitrine.baskets.model import BasketId
from vitrine.edge import bearer, listing, read, services_of, write
from vitrine.errors import Invalid
from vitrine.library.bundles.model import (
    CLASSES,
    MOST_LINKS,
    Bundle,
    BundleFile,
    BundleLink,
    Captions,
    Choice,
    Draft,
    Receiver,
    State,
)
from vitrine.library.bundles.service import SCOPE, SEND_SCOPE, require_may_send
from vitrine.library.model import DataboxId, RecordKey
from vitrine.platform.database import UnitOfWork

DOWNLOADS = "/downloads"
DOWNLOAD = DOWNLOADS + "/{bundle_id:int}"
BODY_BYTES = 2**18
MOST_ID = 2**63 - 1
MOST_AS_LISTS = 10


class RecordsBody(msgspec.Struct, forbid_unknown_fields=True):
    databox_id: int
    record_ids: list[int]


class StoryBody(msgspec.Struct, forbid_unknown_fields=True):
    databox_id: int
    record_id: int


class RecipientBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One of them."""

    user_id: int | None = None
    login: str | None = None
    email: str | None = None
    recipient_list_id: int | None = None


class DownloadBody(msgspec.Struct, forbid_unknown_fields=True):
    records: list[RecordsBody] = []
    basket_id: int | None = None
    story: StoryBody | None = None
    renditions: list[str] = []
    classes: list[str] = []
    title: str = ""
    note: str = ""
    captions: Captions = Captions.NONE
    recipients: list[RecipientBody] = []
    expires_in_hours: int | None = None


_RECIPIENT: Schema = {
    **object_of(user_id=NUMBER, login=TEXT, email=TEXT, recipient_list_id=NUMBER),
    "minProperties": 1, "maxProperties": 1,
    "description": "somebody with an account, an address, or everybody in a list of recipients",
}  # fmt: skip
_BODY: Schema = object_of(
    records={
        **list_of({**object_of(databox_id=NUMBER, record_ids=list_of(NUMBER)),
                   "required": ["databox_id", "record_ids"]}),
        "description": "at most 1,000 in all",
    },
    basket_id={**NUMBER, "description": "the records of this basket"},
    story={**object_of(databox_id=NUMBER, record_id=NUMBER), "required": ["databox_id", "record_id"],
           "description": "the records of this story"},
    renditions={**list_of(TEXT), "description": "names of files, such as preview. Without names and classes each "
                "record gives its original where you may have it, else its preview"},
    classes={**list_of({"enum": list(CLASSES)}), "description": "every file of these classes"},
    title={**TEXT, "maxLength": 128},
    note={**TEXT, "maxLength": 2000, "description": "stands in the mails"},
    captions={"enum": [kind.value for kind in Captions], "description": "csv: the fields of the records as a table"},
    recipients={**list_of(_RECIPIENT), "maxItems": 100,
                "description": "get a link by mail when the files are ready. To others than yourself needs "
                f"the scope {SEND_SCOPE} and the right to push each record"},
    expires_in_hours={**NUMBER, "minimum": 1, "maximum": 168},
)  # fmt: skip
COMPONENTS = {
    "Download": full_object_of(
        download_id=NUMBER,
        title=TEXT,
        note=TEXT,
        captions={"enum": [kind.value for kind in Captions]},
        state={"enum": [state.value for state in State]},
        total={**NUMBER, "description": "files"},
        prepared=NUMBER,
        refused={**NUMBER, "description": "files that are not in the archive; the list of files says why"},
        size={**NUMBER, "description": "bytes of the chosen files"},
        downloads=NUMBER,
        last_download=PERHAPS_MOMENT,
        created=MOMENT,
        expires=MOMENT,
        archive_url={**TEXT, "description": "the archive, with your token; part by part if you like"},
    ),
    "DownloadPage": page_schema(named("Download")),
    "DownloadFile": full_object_of(
        databox_id=NUMBER,
        record_id=NUMBER,
        rendition={**TEXT, "description": "empty where no file could be chosen"},
        name=TEXT,
        size=NUMBER,
        outcome={**PERHAPS_TEXT, "description": "ready, or the code of the refusal; null before its turn"},
    ),
    "DownloadFilePage": page_schema(named("DownloadFile")),
    "DownloadLink": full_object_of(
        link_id=NUMBER,
        user_id=PERHAPS_NUMBER,
        email={**TEXT, "description": "of somebody without an account"},
        is_mailed=FLAG,
        created=MOMENT,
        downloads=NUMBER,
    ),
    "DownloadLinkPage": page_schema(named("DownloadLink")),
    "NewDownloadLink": full_object_of(
        link_id=NUMBER, url={**TEXT, "description": "shown once; whoever has it gets the files"}, expires=MOMENT
    ),
}


async def begin(request: Request) -> Response:
    """202: the worker prepares the files, then mails the links."""
    bundles, wanted = services_of(request).library.bundles, _converted(await json_body(request, max_bytes=BODY_BYTES))

    def call(work: UnitOfWork, actor: Actor) -> Response:
        draft = _draft(request, work, actor, wanted)
        bundle = bundles.begin(work, actor, draft)
        return answer(_shown(request, bundle, work), 202, {"Location": f"/api/v4{DOWNLOADS}/{bundle.id}"})

    return await idempotency.change(request, call)


def _converted(value: Any) -> DownloadBody:
    """Raises Invalid."""
    try:
        return msgspec.convert(value, DownloadBody)
    except msgspec.ValidationError as failure:
        raise Invalid(f"The body is not of the right shape: {failure}.", field="body") from failure


def _draft(request: Request, work: UnitOfWork, actor: Actor, body: DownloadBody) -> Draft:
    """Raises Invalid, and what reading a basket or story raises."""
    hours = body.expires_in_hours
    if hours is not None and not 1 <= hours <= 168:
        raise Invalid("expires_in_hours is 1 to 168.", field="expires_in_hours")
    recipients = list(dict.fromkeys(body.recipients))
    if len(recipients) > MOST_LINKS or sum(each.recipient_list_id is not None for each in recipients) > MOST_AS_LISTS:
        raise Invalid(
            f"At most {MOST_LINKS} people get a link, and at most {MOST_AS_LISTS} lists are named.", field="recipients"
        )
    if any(each != RecipientBody(user_id=actor.user_id) for each in recipients):
        require_may_send(work, actor)  # first: who may not send learns nothing of other people
    receivers = [each for named in recipients for each in _receivers(request, work, actor, named)]
    return Draft(
        _keys(request, work, actor, body),
        Choice(tuple(body.renditions), tuple(body.classes)),
        body.title,
        body.note,
        body.captions,
        tuple(dict.fromkeys(receivers)),
        None if hours is None else timedelta(hours=hours),
    )


def _keys(request: Request, work: UnitOfWork, actor: Actor, body: DownloadBody) -> list[RecordKey]:
    services = services_of(request)
    keys = [
        RecordKey(DataboxId(_fitting(part.databox_id, "records")), _fitting(number, "records"))
        for part in body.records
        for number in part.record_ids
    ]
    if body.basket_id is not None:
        basket_id = BasketId(_fitting(body.basket_id, "basket_id"))
        content = services.baskets.baskets.content(work, actor, basket_id)
        keys += [element.shown.record.key for element in content.elements]
    if body.story is not None:
        story = RecordKey(DataboxId(_fitting(body.story.databox_id, "story")), _fitting(body.story.record_id, "story"))
        stories = services.library.stories
        keys += [child.record.key for child in stories.children(work, actor, stories.get(work, actor, story))]
    return keys


def _receivers(request: Request, work: UnitOfWork, actor: Actor, named: RecipientBody) -> list[Receiver]:
    """Of a list those who have an address."""
    services = services_of(request)
    bundles, list_id = services.library.bundles, named.recipient_list_id
    given = [value for value in (named.user_id, named.login, named.email, list_id) if value is not None]
    if len(given) != 1:
        raise Invalid("A recipient has a user_id, a login, an email or a recipient_list_id.", field="recipients")
    if named.email is not None:
        return [Receiver(None, checked_email(named.email))]
    if named.login is not None:
        return [bundles.receiver(work, named.login)]
    if list_id is not None:
        people = services.accounts.recipient_lists.recipients(work, actor, [_fitting(list_id, "recipients")])
        return bundles.receivers(work, people)
    return [bundles.receiver(work, UserId(_fitting(named.user_id or 0, "recipients")))]


def _fitting(number: int, name: str) -> int:
    if not 0 <= number <= MOST_ID:
        raise Invalid(f"{name} has a number that no id can be.", field=name)
    return number


async def downloads(request: Request) -> Response:
    """Your own, newest first."""
    bundles, page = services_of(request).library.bundles, page_of(request, int)
    before = page.after[0] if page.after else None

    def call(work: UnitOfWork, actor: Actor) -> Response:
        rows = bundles.page(work, actor, before=before, limit=page.limit + 1)
        return listed(request, rows, page, lambda bundle: (bundle.id,), lambda bundle: _shown(request, bundle, work))

    return await listing(request, bearer, call, rows=page.limit)


async def download(request: Request) -> Response:
    bundles, number = services_of(request).library.bundles, request.path_params["bundle_id"]

    def call(work: UnitOfWork, actor: Actor) -> Response:
        return answer(_shown(request, bundles.get(work, actor, number), work))

    return await read(request, bearer, call)


async def files(request: Request) -> Response:
    """In the order in which they were named."""
    bundles, page = services_of(request).library.bundles, page_of(request, int)
    number, after = request.path_params["bundle_id"], page.after[0] if page.after else -1

    def call(work: UnitOfWork, actor: Actor) -> Response:
        rows = bundles.files(work, actor, number, after=after, limit=page.limit + 1)
        return listed(request, rows, page, lambda file: (file.position,), _file)

    return await listing(request, bearer, call, rows=page.limit)


async def links(request: Request) -> Response:
    """Without their secrets."""
    bundles, page = services_of(request).library.bundles, page_of(request, int)
    number, after = request.path_params["bundle_id"], page.after[0] if page.after else 0

    def call(work: UnitOfWork, actor: Actor) -> Response:
        rows = [link for link in bundles.links(work, actor, number) if link.id > after]
        return listed(request, rows[: page.limit + 1], page, lambda link: (link.id,), _link)

    return await listing(request, bearer, call, rows=page.limit)


async def add_link(request: Request) -> Response:
    """201: the address is shown once."""
    bundles, number = services_of(request).library.bundles, request.path_params["bundle_id"]

    def call(work: UnitOfWork, actor: Actor) -> Response:
        link_id, secret = bundles.add_link(work, actor, number)
        url = services_of(request).settings.absolute(f"/download/{secret}/prepare/")
        expires = moment(bundles.get(work, actor, number).expires)
        return secret_answer({"link_id": link_id, "url": url, "expires": expires}, 201)

    return await idempotency.change(request, call)


async def remove_link(request: Request) -> Response:
    bundles, path = services_of(request).library.bundles, request.path_params

    def call(work: UnitOfWork, actor: Actor) -> Response:
        bundles.remove_link(work, actor, path["bundle_id"], path["link_id"])
        return nothing()

    return await write(request, bearer, call)


async def revoke(request: Request) -> Response:
    bundles, number = services_of(request).library.bundles, request.path_params["bundle_id"]

    def call(work: UnitOfWork, actor: Actor) -> Response:
        return answer(_shown(request, bundles.revoke(work, actor, number), work))

    return await idempotency.change(request, call)


def _shown(request: Request, bundle: Bundle, work: UnitOfWork) -> dict[str, Any]:
    return {
        "download_id": bundle.id,
        "title": bundle.title,
        "note": bundle.note,
        "captions": bundle.captions.value,
        "state": bundle.state_at(work.now).value,
        "total": bundle.total,
        "prepared": bundle.prepared,
        "refused": bundle.refused,
        "size": bundle.size,
        "downloads": bundle.downloads,
        "last_download": moment(bundle.last_download),
        "created": moment(bundle.created),
        "expires": moment(bundle.expires),
        "archive_url": services_of(request).settings.absolute(f"/downloads/{bundle.id}/archive.zip"),
    }


def _file(file: BundleFile) -> dict[str, Any]:
    return {
        "databox_id": file.databox_id,
        "record_id": file.number,
        "rendition": file.rendition,
        "name": file.name,
        "size": file.size,
        "outcome": file.outcome,
    }


def _link(link: BundleLink) -> dict[str, Any]:
    return {
        "link_id": link.id,
        "user_id": link.user_id,
        "email": link.email,
        "is_mailed": bool(link.user_id or link.email) and link.sent is not None,
        "created": moment(link.created),
        "downloads": link.downloads,
    }


_EXAMPLE = {"records": [{"databox_id": 1, "record_ids": [1]}], "title": "Boats", "captions": "csv"}
ROUTES = (
    V4Route(DOWNLOADS, "GET", downloads, "Your downloads", SCOPE, named("DownloadPage"), is_list=True),
    V4Route(DOWNLOADS, "POST", begin, "Put files of several records together", SCOPE, named("Download"), _BODY,
            status=202, permit=anybody, example=_EXAMPLE),
    V4Route(DOWNLOAD, "GET", download, "One download and its progress", SCOPE, named("Download")),
    V4Route(DOWNLOAD + "/files", "GET", files, "What became of each file", SCOPE, named("DownloadFilePage"),
            is_list=True),
    V4Route(DOWNLOAD + "/links", "GET", links, "Who has a link to a download", SCOPE, named("DownloadLinkPage"),
            is_list=True),
    V4Route(DOWNLOAD + "/links", "POST", add_link, "Make a link to hand out", SEND_SCOPE, named("NewDownloadLink"),
            status=201),
    V4Route(DOWNLOAD + "/links/{link_id:int}", "DELETE", remove_link, "End a link", SCOPE, status=204),
    V4Route(DOWNLOAD + "/revoke", "POST", revoke, "End a download and all its links", SCOPE, named("Download")),
)  # fmt: skip
