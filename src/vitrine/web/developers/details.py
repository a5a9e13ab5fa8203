"""What people see of an application: its texts, its kind and its logo."""

import tempfile
from pathlib import Path

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor
from vitrine.applications import Application, BadApplication, kind_of
from vitrine.edge import Services, nobody, read, run_in_thread, services_of, write
from vitrine.errors import DomainError, Invalid
from vitrine.media.renditions import Spec
from vitrine.platform.database import UnitOfWork
from vitrine.web.developers.application import APPLICATION, application_id, back_to, read_application
from vitrine.web.shared.forms import known, posted, posted_files
from vitrine.web.shared.render import page, said, translate

LOGO_BYTES = 5 * 2**20
LOGO_PX = 256
FORM_BYTES = 64 * 1024  # the fields beside the picture


async def edit(request: Request) -> Response:
    """GET: the form with the card that people will see. POST: keep it."""
    services = services_of(request)
    if request.method != "POST":
        application = await read_application(request)
        return _edit_page(request, application, {})
    given = await posted(request)
    try:
        await write(
            request,
            known,
            lambda work, actor: services.applications.portal.edit(work, actor, application_id(request), given),
        )
    except BadApplication as refusal:
        application = await read_application(request)
        faults = {name: translate(request, text) for name, text in refusal.faults.items()}
        return _edit_page(request, application, faults, given)
    return back_to(request, sub="edit/?saved")


def _edit_page(
    request: Request,
    application: Application,
    faults: dict[str, str],
    given: dict[str, str] | None = None,
) -> Response:
    kind = kind_of(application.kind, application.type, application.switches.profile)
    return page(
        request, "developers/edit.html", application=application, faults=faults, given=given or {}, part="edit",
        saved="saved" in request.query_params, kind=kind.value,
    )  # fmt: skip


async def set_kind(request: Request) -> Response:
    given = await posted(request)
    services = services_of(request)
    kind = given.get("kind", "")
    try:
        await write(
            request,
            known,
            lambda work, actor: services.applications.portal.set_kind(work, actor, application_id(request), kind),
        )
    except Invalid as refusal:
        application = await read_application(request)
        return _edit_page(request, application, {"kind": said(request, refusal)})
    return back_to(request, sub="edit/?saved")


async def logo(request: Request) -> Response:
    """A picture of the application; it is decoded in a child, and only a small PNG of ours is kept."""
    services = services_of(request)
    params = await posted_files(
        request,
        lambda work, actor: services.applications.registry.get(work, actor, application_id(request)),
        max_bytes=LOGO_BYTES + FORM_BYTES,
    )
    try:
        given = params.form
        application = await read_application(request)
        files = [file for file in params.files.get("logo", []) if file.filename]
        picture = None
        if "remove" not in given:
            try:
                if not files:
                    raise Invalid("Choose a picture.", field="logo")
                picture = await run_in_thread(lambda: _small(services, files[0]))
            except DomainError as refusal:
                return _edit_page(request, application, {"logo": said(request, refusal)})
    finally:
        await params.close()

    def call(work: UnitOfWork, actor: Actor) -> None:
        services.applications.portal.set_logo(work, actor, application_id(request), picture)

    await write(request, known, call)
    return back_to(request, sub="edit/?saved")


def _small(services: Services, file: UploadFile) -> bytes:
    with tempfile.TemporaryDirectory(dir=_scratch(services)) as folder:
        source = Path(folder) / "logo"
        with source.open("wb") as out:
            while part := file.file.read(65_536):
                out.write(part)
        probe = services.media.probe(source, file.filename or "logo")
        if probe.kind != "image":
            raise Invalid("{name} is not a picture: choose a PNG, JPEG or WebP file.", field="logo",
                          values={"name": file.filename})  # fmt: skip
        spec = Spec("logo", "image", size=LOGO_PX, codec="png", flatten=False)
        rendition = services.media.make_one(source, probe.mime, spec, Path(folder))
        return Path(rendition.path).read_bytes()


def _scratch(services: Services) -> Path:
    folder = services.media.scratch_root
    folder.mkdir(parents=True, exist_ok=True)
    return folder


async def show_logo(request: Request) -> Response:
    services = services_of(request)
    client_id = request.path_params["client_id"]
    mark, picture = await read(request, nobody, lambda work, _actor: services.applications.portal.logo(work, client_id))
    kept = (
        "public, max-age=31536000, immutable" if request.query_params.get("v") == mark[:10] else "public, max-age=300"
    )
    headers = {"Cache-Control": kept, "Content-Security-Policy": "default-src 'none'"}
    return Response(picture, media_type="image/png", headers=headers)


ROUTES = [
    Route("/applications/{client_id}/logo.png", show_logo, methods=["GET"]),
    Route(APPLICATION + "edit/", edit, methods=["GET", "POST"]),
    Route(APPLICATION + "kind/", set_kind, methods=["POST"]),
    Route(APPLICATION + "logo/", logo, methods=["POST"]),
]
