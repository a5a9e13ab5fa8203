"""Permalinks of both forms, their captions, signed addresses and files of browsers (contract 04 sections 2 to 4)."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import NOBODY, Actor
from vitrine.edge import Services, cookie, nobody, optional_bearer, parameters, read, services
from vitrine.embed import Target
from vitrine.embed.targets import PermalinkTarget
from vitrine.errors import NotFound
from vitrine.files.send import send
from vitrine.library import store
from vitrine.library.errors import MayNotSee
from vitrine.library.model import DataboxId, RecordKey
from vitrine.library.permalinks import WrongToken
from vitrine.platform.crypto import same
from vitrine.platform.database import UnitOfWork

_OPTIONS = {"Allow": "GET, HEAD, OPTIONS", "Access-Control-Allow-Origin": "*"}
_ESCAPED = {"<": "\\u003C", ">": "\\u003E", "&": "\\u0026", "'": "\\u0027"}


def _wanted(request: Request, token: str | None) -> PermalinkTarget:
    at = request.path_params
    return PermalinkTarget(RecordKey(DataboxId(at["databox_id"]), at["record_id"]), at["subdef"].lower(), token)


def _public(here: Services, work: UnitOfWork, target: Target) -> bool:
    """Shared caches may keep class thumbnail; everything else is for one reader (04 section 3)."""
    record, name = target.record, target.rendition.name
    recipe = here.records.structure(work).recipe(record.databox_id, record.group, name)
    return name == "thumbnail" or (recipe is not None and recipe.klass == "thumbnail")


async def permalink(request: Request) -> Response:
    """GET, HEAD /permalink/v1/{databox}/{record}/{subdef}/{label}?token=… (the label is not checked)."""
    here = services(request)
    await parameters(request)
    token = request.query_params.get("token")

    def call(work: UnitOfWork, _actor: Actor) -> tuple[Target, bool]:
        optional_bearer(work, request)  # a token of a viewer that is wrong is refused before the file is served
        target = here.embeds.by_permalink(work, _wanted(request, token))
        return target, _public(here, work, target)

    target, public = await read(request, nobody, call)
    link = here.settings.absolute(
        f"/permalink/v1/{target.record.databox_id}/{target.record.number}/caption/?token={token}"
    )
    return send(request, target.record, target.rendition, public=public, link=link)


async def old_permalink(request: Request) -> Response:
    """GET, HEAD /permalink/v1/{label}/{databox}/{record}/{token}/{subdef}/: bookmarks and pages from before 3.7.9."""
    here = services(request)
    wanted = _wanted(request, request.path_params["token"])
    target = await read(request, nobody, lambda work, _actor: here.embeds.by_permalink(work, wanted))
    return send(request, target.record, target.rendition, public=False)


async def options(request: Request) -> Response:
    """OPTIONS on a permalink: 200 with `Allow`, 404 when the token is wrong."""
    here = services(request)
    wanted = _wanted(request, request.query_params.get("token"))
    await read(request, nobody, lambda work, _actor: here.embeds.by_permalink(work, wanted))
    return Response(b"", 200, _OPTIONS)


async def caption(request: Request) -> Response:
    """GET /permalink/v1/{databox}/{record}/caption/?token=…: fields by name; the token of any file of it will do."""
    here = services(request)
    key = RecordKey(DataboxId(request.path_params["databox_id"]), request.path_params["record_id"])
    token = request.query_params.get("token") or ""

    def call(work: UnitOfWork, _actor: Actor) -> dict[str, Any]:
        record = store.by_key(work, key)
        tokens = store.has_permalink_token(work, record.id) if record else []
        if record is None or not any(same(one, token) for one in tokens):
            raise WrongToken("This link is not right.")
        made: dict[str, Any] = {}
        for field, value in here.records.values(work, NOBODY, record, business=False):
            text = "".join(one for one in value.value if one.isprintable() or one in "\n\t")
            plain: Any = int(text) if text.isdecimal() and text.isascii() and len(text) < 16 else text
            if field.multi:
                made.setdefault(field.name, []).append(plain)
            else:
                made[field.name] = plain
        return made

    if request.method == "OPTIONS":
        await read(request, nobody, call)
        return Response(b"", 200, _OPTIONS)
    described = await read(request, nobody, call)
    text = msgspec.json.encode({"record": {"description": described or []}}).decode()
    for raw, safe in _ESCAPED.items():
        text = text.replace(raw, safe)
    return Response(text, media_type="application/json", headers={"Access-Control-Allow-Origin": "*"})


async def signed(request: Request) -> Response:
    """GET, HEAD /medias/{token}: needs no access token; the issuer must still have access."""
    here = services(request)
    token = request.path_params["token"]
    target = await read(request, nobody, lambda work, _actor: here.embeds.by_signature(work, token))
    return send(request, target.record, target.rendition, public=False)


async def datafile(request: Request) -> Response:
    """GET, HEAD /datafiles/{databox}/{record}/{subdef}/: for signed-in browsers, by their rights (04 section 4)."""
    here = services(request)
    wanted = _wanted(request, None)

    def call(work: UnitOfWork, actor: Actor) -> Any:
        if not actor.is_known:
            raise NotFound("There is nothing at this address.", why="no session")
        try:
            return here.records.rendition(work, actor, wanted.key, wanted.name)
        except MayNotSee as refusal:
            raise NotFound("There is nothing at this address.", why=refusal.why) from refusal

    record, rendition = await read(request, cookie, call)
    return send(request, record, rendition, public=False)


FILE = "/permalink/v1/{databox_id:int}/{record_id:int}/{subdef}"
OLD = "/permalink/v1/{label}/{databox_id:int}/{record_id:int}/{token}/{subdef}/"
ROUTES = [
    Route("/permalink/v1/{databox_id:int}/{record_id:int}/caption/", caption, methods=["GET", "OPTIONS"]),
    Route(FILE + "/{label}", permalink, methods=["GET"]),
    Route(FILE + "/{label}", options, methods=["OPTIONS"]),
    Route(FILE + "/", options, methods=["OPTIONS"]),
    Route(OLD, old_permalink, methods=["GET"]),
    Route("/medias/{token}", signed, methods=["GET"]),
    Route("/datafiles/{databox_id:int}/{record_id:int}/{subdef}/", datafile, methods=["GET"]),
]
