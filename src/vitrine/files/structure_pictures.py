"""Logos and icons of the structure: small pictures for everybody who knows their name, which is their digest."""

import re
from datetime import UTC, datetime
from functools import lru_cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor
from vitrine.edge import nobody, read, services_of
from vitrine.errors import NotFound
from vitrine.files.send import FileToSend, send
from vitrine.platform.database import UnitOfWork

_NAME = re.compile(r"([0-9a-f]{32})[-.][\w.-]{1,64}", re.ASCII)
_EVER = datetime(2000, 1, 1, tzinfo=UTC)  # other bytes have another name


async def picture(request: Request) -> Response:
    """GET, HEAD /custom/status/{digest}-stat_{bit}_{state}.{extension} and /custom/logos/{digest}.{extension}"""
    services = services_of(request)
    named = _NAME.fullmatch(request.path_params["name"])

    def call(work: UnitOfWork, _actor: Actor) -> FileToSend:
        pictures = services.library.records.structure(work).pictures() if named else ()
        for known in pictures:
            if named and known["sha256"].startswith(named[1]):
                return _document(known["sha256"], known["size"], known["mime"])
        raise NotFound("There is nothing at this address.")

    return send(request, await read(request, nobody, call), public=True)


@lru_cache(maxsize=2048)
def _document(sha256: str, size: int, mime: str) -> FileToSend:
    return FileToSend(sha256, size, mime, _EVER, f"{sha256[:12]}.{mime.rpartition('/')[2]}")


ROUTES = [
    Route("/custom/status/{name}", picture, methods=["GET"]),
    Route("/custom/logos/{name}", picture, methods=["GET"]),
]
