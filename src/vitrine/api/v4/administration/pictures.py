"""Logos and icons: the bytes of a small picture as the body, looked at by a decoder before anything is written."""

from collections.abc import Callable
from functools import partial
from io import BytesIO

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v4.administration.collections import permit
from vitrine.api.v4.administration.common import SCOPE, databox_id, permit_managing
from vitrine.api.v4.content import nothing
from vitrine.api.v4.route import V4Route
from vitrine.api.v4.schemas import Schema
from vitrine.api.wire.endpoint import Handler, Permit
from vitrine.edge import bearer, run_in_thread, services_of, write
from vitrine.edge.params import body
from vitrine.errors import Invalid
from vitrine.library.model import CollectionId
from vitrine.library.structure.pictures import LARGEST_BYTES, Picture
from vitrine.platform.database import UnitOfWork

_BYTES: Schema = {"type": "string", "format": "binary", "description": "PNG, JPEG, GIF or WebP of at most 64 KB"}
_TYPE = "application/octet-stream"
Put = Callable[[UnitOfWork, Actor, Picture | None], object]


async def _put(request: Request, put: Put) -> Response:
    if request.method == "DELETE":
        await write(request, bearer, lambda work, actor: put(work, actor, None))
        return nothing()
    raw = await body(request, max_bytes=LARGEST_BYTES + 1)
    if not raw:
        raise Invalid("Send the bytes of a picture.", field="body")
    pictures = services_of(request).library.administration.pictures
    picture = await run_in_thread(partial(pictures.keep, BytesIO(raw), "picture", field="body"))
    await write(request, bearer, lambda work, actor: put(work, actor, picture))
    return nothing()


async def of_databox(request: Request) -> Response:
    databoxes, box = services_of(request).library.administration.databoxes, databox_id(request)
    return await _put(request, lambda work, actor, picture: databoxes.set_logo(work, actor, box, picture))


async def of_collection(request: Request) -> Response:
    collections = services_of(request).library.administration.collections
    base = CollectionId(int(request.path_params["base_id"]))
    return await _put(request, lambda work, actor, picture: collections.set_logo(work, actor, base, picture))


async def of_bit(request: Request) -> Response:
    bits, box = services_of(request).library.administration.status_bits, databox_id(request)
    bit, state = int(request.path_params["bit"]), request.path_params["state"]
    if state not in ("on", "off"):
        raise Invalid("The state is on or off.", field="state")
    return await _put(
        request, lambda work, actor, picture: bits.set_icon(work, actor, box, bit, picture, on=state == "on")
    )


def _permit_bit(request: Request, work: UnitOfWork, actor: Actor) -> None:
    bits = services_of(request).library.administration.status_bits
    bits.get(work, actor, databox_id(request), int(request.path_params["bit"]))


def _rows(path: str, handler: Handler, permit: Permit, what: str) -> tuple[V4Route, V4Route]:
    return (
        V4Route(
            path, "PUT", handler, f"Set the {what}", SCOPE, body=_BYTES, status=204, media_type=_TYPE, permit=permit
        ),
        V4Route(path, "DELETE", handler, f"Remove the {what}", SCOPE, status=204),
    )


ROUTES = (
    *_rows("/databoxes/{databox_id:int}/logo", of_databox, permit_managing, "logo of a databox"),
    *_rows("/collections/{base_id:int}/logo", of_collection, permit, "logo of a collection"),
    *_rows(
        "/databoxes/{databox_id:int}/status-bits/{bit:int}/icons/{state}", of_bit, _permit_bit, "icon of a status bit"
    ),
)
