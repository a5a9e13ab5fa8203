"""Permalinks of both forms, their captions, signed addresses and files for browsers (contract 04 sections 2 to 4)."""

import re
from functools import lru_cache
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import NOBODY, Actor
from vitrine.edge import (
    Services,
    bearer,
    cookie,
    nobody,
    optional_bearer,
    parameters,
    read,
    services_of,
    single_statement,
)
from vitrine.edge.params import without_body
from vitrine.edge.text import text_routes
from vitrine.embed.targets import PermalinkTarget
from vitrine.errors import NotFound
from vitrine.files.overlaid import Delivery, counted, decide, document_for
from vitrine.files.send import FileToSend, filename_of, send
from vitrine.library import store
from vitrine.library.errors import MayNotSee
from vitrine.library.model import DataboxId, RecordKey, SharedFile
from vitrine.library.sharing import permalink_store, permalinks
from vitrine.library.sharing.permalinks import WrongToken
from vitrine.platform.crypto import same
from vitrine.platform.database import UnitOfWork
from vitrine.platform.texts import without_controls

# The form of most addresses: nothing to parse, and no access token besides the permalink's own.
TOKEN_ALONE = re.compile(rb"token=([0-9A-Za-z]{1,128})")
_OPTIONS = {"Allow": "GET, HEAD, OPTIONS", "Access-Control-Allow-Origin": "*"}
_ESCAPED = {"<": "\\u003C", ">": "\\u003E", "&": "\\u0026", "'": "\\u0027"}


def _permalink_of(request: Request, token: str | None) -> PermalinkTarget:
    path_params = request.scope["path_params"]
    return PermalinkTarget(
        RecordKey(DataboxId(path_params["databox_id"]), path_params["record_id"]), path_params["subdef"].lower(), token
    )


async def permalink(request: Request) -> Response:
    """GET, HEAD /permalink/v1/{databox}/{record}/{subdef}/{label}?token=… (the label is not checked)."""
    services = services_of(request)
    viewer = None
    plain = TOKEN_ALONE.fullmatch(request.scope["query_string"])
    if plain is not None and "authorization" not in request.headers:
        permalink = _permalink_of(request, plain[1].decode())
    else:
        params = await parameters(request)
        permalink = _permalink_of(request, params.text("token"))
        # A wrong access token is refused before the file is served.
        request.scope["state"]["needs"] = "library:read"
        viewer = await read(request, nobody, lambda work, _actor: optional_bearer(work, request))
    file, by_token = await single_statement(
        request, lambda work: permalinks.opened(work, permalink.key, permalink.name, permalink.token)
    )
    document, link = answering(services.settings.base_url, permalink.key, file)
    if not by_token:
        link = None  # it has the token
    public = file.is_public and by_token  # else it ends with the publication, in caches too
    if file.mime.startswith("image/") and (viewer is not None or not file.has_no_overlay):
        target = await read(request, nobody, lambda work, _actor: _linked(services, work, permalink, viewer or NOBODY))
        document, public = await document_for(request, target), public and not target.varies
    response = send(request, document, public=public, link=link)
    count_view(request, permalink.key, file.name, file.klass)
    return response


def count_view(request: Request, key: RecordKey, name: str, klass: str | None) -> None:
    """Count a view of a file by its link. A player fetches a film in many parts: only the first one is a view."""
    headers = request.scope["headers"]
    parts = next((value for name, value in headers if name == b"range"), b"")
    if request.scope["method"] == "GET" and (not parts or parts.startswith(b"bytes=0-")):
        referrer = next((value for name, value in headers if name == b"referer"), None)
        services_of(request).library.reports.view_counts.count(key, name, klass, referrer)


def _linked(services: Services, work: UnitOfWork, permalink: PermalinkTarget, viewer: Actor) -> Delivery:
    target = services.embeds.by_permalink(work, permalink)
    return decide(services, work, target.record, target.rendition, viewer=viewer)


@lru_cache(maxsize=8192)
def answering(base_url: str, key: RecordKey, file: SharedFile) -> tuple[FileToSend, str | None]:
    """The document and its `Link` header, which gives the caption's address with the file's own token (04 section
    3)."""
    name = filename_of(file.title, file.original_name, file.name, file.extension)
    caption = f"/permalink/v1/{key.databox}/{key.number}/caption/?token={file.token}"
    return FileToSend(file.sha256, file.size, file.mime, file.updated, name), base_url.rstrip("/") + caption


async def old_permalink(request: Request) -> Response:
    """GET, HEAD /permalink/v1/{label}/{databox}/{record}/{token}/{subdef}/, for bookmarks and pages made before
    3.7.9."""
    services = services_of(request)
    permalink = _permalink_of(request, request.path_params["token"])

    delivery = await read(request, nobody, lambda work, _actor: _linked(services, work, permalink, NOBODY))
    response = send(request, await document_for(request, delivery), public=False)
    count_view(request, delivery.record.key, delivery.rendition.name, None)
    return response


async def options(request: Request) -> Response:
    """OPTIONS on a permalink: 200 with `Allow`, 404 when the token is wrong."""
    services = services_of(request)
    permalink = _permalink_of(request, request.query_params.get("token"))
    await read(request, nobody, lambda work, _actor: services.embeds.by_permalink(work, permalink))
    return Response(b"", 200, _OPTIONS)


async def caption(request: Request) -> Response:
    """GET /permalink/v1/{databox}/{record}/caption/?token=…: fields by name; the token of any of the record's files is
    accepted."""
    services = services_of(request)
    key = RecordKey(DataboxId(request.path_params["databox_id"]), request.path_params["record_id"])
    token = request.query_params.get("token") or ""

    def call(work: UnitOfWork, _actor: Actor) -> dict[str, Any]:
        record = store.by_key(work, key)
        tokens = permalink_store.active_tokens(work, record.id) if record else []
        if record is None or not any(same(known, token) for known in tokens):
            raise WrongToken("This link is not valid.")
        description: dict[str, Any] = {}
        for field, value in services.library.records.values(work, NOBODY, record, business=False):
            text = without_controls(value.value)
            plain: Any = int(text) if text.isdecimal() and text.isascii() and len(text) < 16 else text
            if field.multi:
                description.setdefault(field.name, []).append(plain)
            else:
                description[field.name] = plain
        return description

    if request.method == "OPTIONS":
        await read(request, nobody, call)
        return Response(b"", 200, _OPTIONS)
    described = await read(request, nobody, call)
    text = msgspec.json.encode({"record": {"description": described or []}}).decode()
    for raw, safe in _ESCAPED.items():
        text = text.replace(raw, safe)
    return Response(text, media_type="application/json", headers={"Access-Control-Allow-Origin": "*"})


async def signed(request: Request) -> Response:
    """GET, HEAD /medias/{token}: requires no access token, but the issuer must still have access."""
    services = services_of(request)
    token = request.path_params["token"]

    def call(work: UnitOfWork, _actor: Actor) -> Delivery:
        target, issuer = services.embeds.signed_by(work, token)
        delivery = decide(services, work, target.record, target.rendition, issuer=issuer)
        if delivery.overlay is None:
            return counted(services, work, issuer, delivery)
        # Who is signed in matters only where a stranger would get an overlay (04 section 4).
        viewer = cookie(work, request)
        if viewer.is_known:
            delivery = decide(services, work, target.record, target.rendition, viewer=viewer)
        return counted(services, work, issuer, delivery)

    delivery = await read(request, nobody, call)
    return send(request, await document_for(request, delivery), public=False)


async def datafile(request: Request) -> Response:
    """GET, HEAD /datafiles/{databox}/{record}/{subdef}/: for signed-in browsers, according to their rights (04 section
    4)."""
    services = services_of(request)
    permalink = _permalink_of(request, None)

    def call(work: UnitOfWork, actor: Actor) -> Delivery:
        if not actor.is_known:
            raise NotFound("There is nothing at this address.", why="no session")
        try:
            record, rendition = services.library.records.rendition(work, actor, permalink.key, permalink.name)
        except MayNotSee as refusal:
            raise NotFound("There is nothing at this address.", why=refusal.why) from refusal
        return counted(services, work, actor, decide(services, work, record, rendition, viewer=actor, own=True))

    delivery = await read(request, cookie, call)
    return send(request, await document_for(request, delivery), public=False)


async def version(request: Request) -> Response:
    """GET, HEAD /datafiles/{databox}/{record}/versions/{version}/: an earlier original, for who may have the original,
    by a token or in a signed-in browser; with the same overlays."""
    services, path = services_of(request), request.scope["path_params"]
    key = RecordKey(DataboxId(path["databox_id"]), path["record_id"])
    who = cookie
    if "authorization" in request.headers:  # never both: a request runs as whom its caller meant
        request.scope["state"]["params"] = without_body(request)
        request.scope["state"]["needs"] = "originals"
        who = bearer

    def call(work: UnitOfWork, actor: Actor) -> Delivery:
        if not actor.is_known:
            raise NotFound("There is nothing at this address.", why="no session")
        try:
            record, file = services.library.substitution.version_file(work, actor, key, path["version"])
        except MayNotSee as refusal:
            raise NotFound("There is nothing at this address.", why=refusal.why) from refusal
        return counted(services, work, actor, decide(services, work, record, file, viewer=actor, own=True))

    delivery = await read(request, who, call)
    return send(request, await document_for(request, delivery), public=False)


FILE = "/permalink/v1/{databox_id:int}/{record_id:int}/{subdef}"
OLD = "/permalink/v1/{label}/{databox_id:int}/{record_id:int}/{token}/{subdef}/"
PERMALINK = Route(FILE + "/{label}", permalink, methods=["GET"])
ROUTES = text_routes(
    [
        PERMALINK,  # first, since pages contain many of them
        Route("/permalink/v1/{databox_id:int}/{record_id:int}/caption/", caption, methods=["GET", "OPTIONS"]),
        Route(FILE + "/{label}", options, methods=["OPTIONS"]),
        Route(FILE + "/", options, methods=["OPTIONS"]),
        Route(OLD, old_permalink, methods=["GET"]),
        Route("/medias/{token}", signed, methods=["GET"]),
        Route("/datafiles/{databox_id:int}/{record_id:int}/{subdef}/", datafile, methods=["GET"]),
        Route("/datafiles/{databox_id:int}/{record_id:int}/versions/{version:int}/", version, methods=["GET"]),
    ]
)
