"""The description of an application as a file."""

import json
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor
from vitrine.accounts.errors import RecentAuthRequired
from vitrine.applications import BadApplication
from vitrine.edge import listing, parameters, read, services_of, write
from vitrine.edge.text import json_value
from vitrine.errors import Forbidden, Invalid
from vitrine.platform import json_text
from vitrine.platform.database import UnitOfWork
from vitrine.web.developers.application import APPLICATION, application_id
from vitrine.web.shared.forms import known, posted_files
from vitrine.web.shared.reauthentication import reauthentication_page, requires_recent_auth
from vitrine.web.shared.render import page, redirect, said, translate

FILE_BYTES = 64 * 1024


async def export(request: Request) -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> dict[str, Any]:
        return services.applications.documents.export(work, actor, application_id(request))

    document = json.dumps(await listing(request, known, call), indent=2, ensure_ascii=False)
    name = f'attachment; filename="application-{application_id(request)}.json"'
    headers = {"Content-Disposition": name, "Cache-Control": "no-store"}
    return Response(document + "\n", media_type="application/json", headers=headers)


async def bring_in(request: Request) -> Response:
    """A description as a file, or pasted; what is wrong with it is said on the form of a new application."""
    params = await posted_files(request, lambda _work, _actor: None, max_bytes=4 * FILE_BYTES)
    try:
        return await _import(request)
    finally:
        await params.close()


@requires_recent_auth
async def _import(request: Request, given: dict[str, str]) -> Response:
    services, params = services_of(request), await parameters(request)
    files = [file for file in params.files.get("file", []) if file.filename]
    text: str | bytes = await files[0].read(FILE_BYTES + 1) if files else given.get("text", "")
    try:
        described = _described(text)
        application = await write(
            request, known, lambda work, actor: services.applications.documents.create(work, actor, described)
        )
    except BadApplication as refusal:
        reasons = [f"{name}: {translate(request, text)}" for name, text in refusal.faults.items()]
        faults = {"file": " ".join(reasons)}
    except RecentAuthRequired:  # a file cannot be a hidden field of the password page; its text can
        return await reauthentication_page(request, {"text": msgspec.json.encode(described).decode()})
    except (Invalid, Forbidden) as refusal:
        faults = {"file": said(request, refusal)}
    else:
        return redirect(f"/developers/application/{application.id}/")
    return page(request, "developers/import.html", faults=faults)


def _described(text: str | bytes) -> Any:
    """The document in *text*; None for what is no JSON, of which the service tells. Raises NotUtf8."""
    raw = text.encode() if isinstance(text, str) else text
    if len(raw) > FILE_BYTES:
        return None
    try:
        if raw.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):  # what PowerShell 5 writes
            raw = raw.decode("utf-16").encode()
        return json_value(raw)
    except (json_text.NotJson, UnicodeDecodeError):
        return None


async def import_form(request: Request) -> Response:
    await read(request, known, lambda _work, _actor: None)
    return page(request, "developers/import.html", faults={})


ROUTES = [
    Route("/developers/application/import/", import_form, methods=["GET"]),
    Route("/developers/application/import/", bring_in, methods=["POST"]),
    Route(APPLICATION + "export/", export, methods=["GET"]),
]
