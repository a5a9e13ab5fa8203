"""Logos and icons: the bytes of a small picture as the body, looked at by a decoder before anything is written."""

from collections.abc import Callable
from functools import partial
from io import BytesIO

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v4.administration.common import SCOPE, databox_id
from vitrine.api.v4.content import nothing
from vitrine.api.v4.route import V4Route
from vitrine.api.v4.schemas import Schema
from vitrine.edge import bearer, read, run_in_thread, services_of, write
from vitrine.edge.params import body
from vitrine.errors import Invalid
from vitrine.library.model import CollectionId
from vitrine.library.structure.pictures import LARGEST_BYTES, Picture
from vitrine.platform.database import UnitOfWork

_BYTES: Schema = {"type": "string", "format": "binary", "description": "PNG, JPEG, GIF or WebP of at most 64 KB"}
_TYPE = "application/octet-stream"
Permit = Callable[[UnitOfWork, Actor], object]
Put = Callable[[UnitOfWork, Actor, Picture | None], object]


async def _put(request: Request, permit: Permit, put: Put) -> Response:
    """The right is asked before the body is read, and again when it is written."""
    if request.method == "DELETE":
        await write(request, bearer, lambda work, actor: put(work, actor, None))
        return nothing()
    await read(request, bearer, permit)
    raw = await body(request, max_bytes=LARGEST_BYTES + 1)
    if not raw:
        raise Invalid("Send the bytes of a picture.", field="body")
    pictures = services_of(request).library.administration.pictures
    picture = await run_in_thread(partial(pictures.keep, BytesIO(raw), "picture", field="body"))
    await write(request, bearer, lambda work, actor: put(work, actor, picture))
    return nothing()


async def of_databox(request: Request) -> Response:
    databoxes, box = services_of(request).library.administration.databoxes, databox_id(request)
    return await _put(
        request,
        lambda work, actor: databoxes.managed(work, actor, box),
        lambda work, actor, picture: databoxes.set_logo(work, actor, box, picture),
    )


async def of_collection(request: Request) -> Response:
    collections = services_of(request).library.administration.collections
    base = CollectionId(int(request.path_params["base_id"]))
    return await _put(
        request,
        lambda work, actor: collections.managed(work, actor, base),
        lambda work, actor, picture: collections.set_logo(work, actor, base, picture),
    )


async def of_bit(request: Request) -> Response:
    bits, box = services_of(request).library.administration.status_bits, databox_id(request)
    bit, state = int(request.path_params["bit"]), request.path_params["state"]
    if state not in ("on", "off"):
        raise Invalid("The state is on or off.", field="state")
    return await _put(
        request,
        lambda work, actor: bits.get(work, actor, box, bit),
        lambda work, actor, picture: bits.set_icon(work, actor, box, bit, picture, on=state == "on"),
    )


def _rows(path: str, handler: Callable[[Request], object], what: str) -> tuple[V4Route, V4Route]:
    return (
        V4Route(path, "PUT", handler, f"Set the {what}", SCOPE, body=_BYTES, status=204, media_type=_TYPE),  # type: ignore[arg-type]
        V4Route(path, "DELETE", handler, f"Remove the {what}", SCOPE, status=204),  # type: ignore[arg-type]
    )


ROUTES = (
    *_rows("/databoxes/{databox_id:int}/logo", of_databox, "logo of a databox"),
    *_rows("/collections/{base_id:int}/logo", of_collection, "logo of a collection"),
    *_rows("/databoxes/{databox_id:int}/status-bits/{bit:int}/icons/{state}", of_bit, "icon of a status bit"),
)
