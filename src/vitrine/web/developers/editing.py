"""The portal beyond the settings page: texts, addresses, people, secrets, tokens, state, and the description as a file
(contract 07 P5 "Better", issue 4 items 4 and 5)."""

import json
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor
from vitrine.applications import Application, ApplicationId, BadApplication, kind_of
from vitrine.applications.checks import bad_url
from vitrine.applications.people import People
from vitrine.applications.redirects import bad_redirect
from vitrine.applications.secret_views import RotationOffer
from vitrine.edge import Services, nobody, parameters, read, run_in_thread, services_of, write
from vitrine.edge.text import json_value
from vitrine.errors import DomainError, Forbidden, Invalid
from vitrine.media.renditions import Spec
from vitrine.oauth.scopes import BY_NAME, READ_ONLY
from vitrine.platform.database import UnitOfWork
from vitrine.web.developers.settings import ONE, application_id, facts, settings_page
from vitrine.web.shared.errors import json_answer
from vitrine.web.shared.forms import known, posted, xhr
from vitrine.web.shared.reauthentication import requires_recent_auth
from vitrine.web.shared.render import page, redirect, said, translate

LOGO_BYTES = 5 * 2**20
LOGO_PX = 256
FILE_BYTES = 64 * 1024


def back(request: Request, section: str = "", sub: str = "") -> Response:
    return redirect(f"/developers/application/{application_id(request)}/{sub}{'#' + section if section else ''}")


async def edit(request: Request) -> Response:
    """GET: the form with the card that people will see. POST: keep it."""
    services = services_of(request)
    if request.method != "POST":
        found = await read(
            request, known, lambda work, actor: services.applications.registry.get(work, actor, application_id(request))
        )
        return _edit_page(request, found, {})
    given = await posted(request)
    try:
        await write(
            request,
            known,
            lambda work, actor: services.applications.portal.edit(work, actor, application_id(request), given),
        )
    except BadApplication as refusal:
        found = await read(
            request, known, lambda work, actor: services.applications.registry.get(work, actor, application_id(request))
        )
        faults = {name: translate(request, text) for name, text in refusal.faults.items()}
        return _edit_page(request, found, faults, given)
    return back(request, sub="edit/?saved")


def _edit_page(
    request: Request, found: Application, faults: dict[str, str], given: dict[str, str] | None = None, fault: str = ""
) -> Response:
    return page(
        request, "developers/edit.html", application=found, faults=faults, given=given or {}, part="edit", fault=fault,
        saved="saved" in request.query_params, kind=kind_of(found.kind, found.type, found.switches.profile).value,
    )  # fmt: skip


async def set_kind(request: Request) -> Response:
    given = await posted(request)
    services = services_of(request)
    wanted = given.get("kind", "")
    try:
        await write(
            request,
            known,
            lambda work, actor: services.applications.portal.set_kind(work, actor, application_id(request), wanted),
        )
    except Invalid as refusal:
        found = await read(
            request, known, lambda work, actor: services.applications.registry.get(work, actor, application_id(request))
        )
        return _edit_page(request, found, {"kind": said(request, refusal)})
    return back(request, sub="edit/?saved")


async def logo(request: Request) -> Response:
    """A picture of the application; it is decoded in a child, and only a small PNG of ours is kept."""
    services = services_of(request)
    params = await parameters(request, max_bytes=LOGO_BYTES + FILE_BYTES)
    try:
        given = await posted(request)
        found = await read(
            request, known, lambda work, actor: services.applications.registry.get(work, actor, application_id(request))
        )
        files = [one for one in params.files.get("logo", []) if one.filename]
        picture = None
        if "remove" not in given:
            try:
                if not files:
                    raise Invalid("Choose a picture.", field="logo")
                picture = await run_in_thread(lambda: _small(services, files[0]))
            except DomainError as refusal:
                return _edit_page(request, found, {"logo": said(request, refusal)})
    finally:
        await params.close()

    def call(work: UnitOfWork, actor: Actor) -> None:
        services.applications.portal.set_logo(work, actor, application_id(request), picture)

    await write(request, known, call)
    return back(request, sub="edit/?saved")


def _small(here: Services, file: UploadFile) -> bytes:
    with tempfile.TemporaryDirectory(dir=_scratch(here)) as folder:
        source = Path(folder) / "logo"
        with source.open("wb") as out:
            while part := file.file.read(65_536):
                out.write(part)
        probe = here.media.probe(source, file.filename or "logo")
        if probe.kind != "image":
            raise Invalid("{name} is not a picture: choose a PNG, JPEG or WebP file.", field="logo",
                          values={"name": file.filename})  # fmt: skip
        spec = Spec("logo", "image", size=LOGO_PX, codec="png", flatten=False)
        made = here.media.make_one(source, probe.mime, spec, Path(folder))
        return Path(made.path).read_bytes()


def _scratch(here: Services) -> Path:
    folder = here.media.scratch_root
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


async def redirects(request: Request) -> Response:
    """Add, change or remove one address: *old* and *new*, each may be empty."""
    given = await posted(request)
    services = services_of(request)
    old, new = given.get("old", ""), "" if "remove" in given else given.get("new", "")
    if not old and not new.strip():
        new = " "

    def call(work: UnitOfWork, actor: Actor) -> None:
        if not old and not new.strip():
            services.applications.registry.get(work, actor, application_id(request))
            raise BadApplication({"redirect": "Enter a callback URL, beginning with https://."})
        services.applications.portal.change_redirect(work, actor, application_id(request), old, new)

    try:
        await write(request, known, call)
    except (BadApplication, Invalid) as refusal:
        shown = await facts(request)
        place = old if old in shown.application.redirects else ""  # another window may have removed it meanwhile
        fault = (place, given.get("new", ""), said(request, refusal))
        return await settings_page(request, shown, redirect_fault=fault)
    return back(request, "redirects")


async def check(request: Request) -> Response:
    """The words for a field while it is typed (XHR): the same rules as the form's, nothing is kept."""
    given = await xhr(request)
    field, value, kind = given.get("field", ""), given.get("value", "").strip(), given.get("kind", "")
    application: Application | None = None
    if given.get("application", "").isdecimal():
        wanted = ApplicationId(int(given["application"][:15]))
        application = await read(
            request, known, lambda work, actor: services_of(request).applications.registry.get(work, actor, wanted)
        )
    else:
        await read(request, known, lambda _work, _actor: None)
    if field in ("callback", "redirect", "new"):
        fault = bad_redirect(value, application, kind)
    elif field in ("website", "privacy_url", "terms_url"):
        fault = bad_url(value) if value or field == "website" else None
    else:
        raise Invalid("There is nothing to check about this field.", field="field")
    return json_answer({"success": fault is None, "message": translate(request, fault) if fault else ""})


async def people(request: Request) -> Response:
    return await _people(request, {})


async def _people(request: Request, faults: dict[str, str]) -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> tuple[Application, People, list[RotationOffer]]:
        found = services.applications.registry.get(work, actor, application_id(request))
        return (
            found,
            services.applications.people.of(work, actor, found.id),
            services.applications.secrets.offers(work, actor, found.id),
        )

    found, theirs, offers = await read(request, known, call)
    return page(
        request, "developers/people.html", application=found, people=theirs, faults=faults, part="people",
        offers=offers,
    )  # fmt: skip


async def change_people(request: Request, given: dict[str, str]) -> Response:
    """*do* says what: add or remove an owner or tester, give the application away, open it to testers only."""
    services = services_of(request)
    action = given.get("do", "")
    login, person = given.get(action, ""), given.get("person", "")

    def call(work: UnitOfWork, actor: Actor) -> bool:
        this = application_id(request)
        if action in ("owner", "tester"):
            services.applications.people.add(work, actor, this, login, action)
        elif action in ("remove-owner", "remove-tester") and person.isdecimal():
            services.applications.people.remove(work, actor, this, int(person[:15]), action.removeprefix("remove-"))
        elif action == "transfer":
            services.applications.people.transfer(work, actor, this, login)
        elif action == "only-testers":
            services.applications.people.set_only_testers(work, actor, this, on=given.get("on") == "1")
        else:
            services.applications.registry.get(work, actor, this)
            raise Invalid("There is no such choice.", field="do")
        return services.applications.registry.may_open(work, actor, this)

    try:
        may_stay = await write(request, known, call)
    except DomainError as refusal:
        if refusal.field not in ("owner", "tester", "transfer"):
            raise
        return await _people(request, {refusal.field: said(request, refusal)})
    if not may_stay:
        return redirect("/developers/applications/")
    return back(request, sub="people/")


async def rotate(request: Request, given: dict[str, str]) -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> str:
        return services.applications.secrets.rotate(work, actor, application_id(request), given.get("overlap", ""))

    made = await write(request, known, call)
    return await settings_page(request, await facts(request, revealed_secret=made))


async def end_secret(request: Request) -> Response:
    await posted(request)
    services = services_of(request)
    await write(
        request,
        known,
        lambda work, actor: services.applications.secrets.end_old_secret(work, actor, application_id(request)),
    )
    return back(request, "secrets")


async def add_token(request: Request, given: dict[str, str]) -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> str:
        found = services.applications.registry.for_token(work, actor, application_id(request))
        name, days = given.get("token-name", ""), given.get("days", "")
        return services.oauth.personal_tokens.add(work, actor, found, name, days, _may(given))

    try:
        made = await write(request, known, call)
    except DomainError as refusal:
        if refusal.field not in ("token-name", "days", "scopes"):
            raise
        shown = await facts(request)
        return await settings_page(request, shown, token_fault=said(request, refusal), token_given=given)
    return await settings_page(request, await facts(request, revealed_named=made))


def _may(given: dict[str, str]) -> frozenset[str] | None:
    """What a new token may do: look and search, what is ticked, or (also for who does not say) everything."""
    if given.get("may") == "look":
        return READ_ONLY
    return frozenset(name for name in BY_NAME if f"scope-{name}" in given) if given.get("may") == "some" else None


async def revoke_token(request: Request) -> Response:
    await posted(request)
    here, token = services_of(request), int(request.path_params["token"])

    def call(work: UnitOfWork, actor: Actor) -> None:
        found = here.applications.registry.get(work, actor, application_id(request))
        here.oauth.personal_tokens.revoke(work, actor, found, token)

    await write(request, known, call)
    return back(request, "tokens")


async def revoke_users(request: Request) -> Response:
    await posted(request)
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> None:
        services.oauth.personal_tokens.revoke_users(
            work, actor, services.applications.registry.get(work, actor, application_id(request))
        )

    await write(request, known, call)
    return back(request, "state")


async def state(request: Request) -> Response:
    """Suspend with a reason, or resume."""
    given = await posted(request)
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> None:
        this = application_id(request)
        if given.get("do") == "resume":
            services.applications.lifecycle.resume(work, actor, this, by="owner")
        else:
            services.applications.lifecycle.suspend(work, actor, this, given.get("reason", ""), by="owner")

    try:
        await write(request, known, call)
    except Invalid as refusal:
        return await settings_page(request, await facts(request), state_fault=said(request, refusal))
    return back(request, "state")


async def restore(request: Request) -> Response:
    await posted(request)
    services = services_of(request)
    await write(
        request,
        known,
        lambda work, actor: services.applications.lifecycle.restore(work, actor, application_id(request)),
    )
    return back(request)


async def export(request: Request) -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> dict[str, Any]:
        return services.applications.documents.export(work, actor, application_id(request))

    made = json.dumps(await read(request, known, call), indent=2, ensure_ascii=False)
    name = f'attachment; filename="application-{application_id(request)}.json"'
    headers = {"Content-Disposition": name, "Cache-Control": "no-store"}
    return Response(made + "\n", media_type="application/json", headers=headers)


async def bring_in(request: Request) -> Response:
    """A description as a file, or pasted; what is wrong with it is said on the form of a new application."""
    services = services_of(request)
    params = await parameters(request, max_bytes=4 * FILE_BYTES)
    try:
        given = await posted(request)
        files = [one for one in params.files.get("file", []) if one.filename]
        text: str | bytes = await files[0].read(FILE_BYTES + 1) if files else given.get("text", "")
    finally:
        await params.close()
    try:
        described = _described(text)
        made = await write(
            request, known, lambda work, actor: services.applications.documents.create(work, actor, described)
        )
    except BadApplication as refusal:
        told = [f"{name}: {translate(request, text)}" for name, text in refusal.faults.items()]
        faults = {"file": " ".join(told)}
    except (Invalid, Forbidden) as refusal:
        faults = {"file": said(request, refusal)}
    else:
        return redirect(f"/developers/application/{made.id}/")
    return page(request, "developers/import.html", faults=faults)


def _described(text: str | bytes) -> Any:
    """The document in *text*; None for what is no JSON, of which the service tells. Raises NotUtf8."""
    raw = text.encode() if isinstance(text, str) else text
    try:
        return json_value(raw) if len(raw) <= FILE_BYTES else None
    except msgspec.DecodeError:
        return None


async def import_form(request: Request) -> Response:
    await read(request, known, lambda _work, _actor: None)
    return page(request, "developers/import.html", faults={})


ROUTES = [
    Route("/developers/check/", check, methods=["POST"]),
    Route("/developers/application/import/", import_form, methods=["GET"]),
    Route("/developers/application/import/", bring_in, methods=["POST"]),
    Route("/applications/{client_id}/logo.png", show_logo, methods=["GET"]),
    Route(ONE + "edit/", edit, methods=["GET", "POST"]),
    Route(ONE + "kind/", set_kind, methods=["POST"]),
    Route(ONE + "logo/", logo, methods=["POST"]),
    Route(ONE + "redirects/", redirects, methods=["POST"]),
    Route(ONE + "people/", people, methods=["GET"]),
    Route(ONE + "people/", requires_recent_auth(change_people), methods=["POST"]),
    Route(ONE + "secrets/", requires_recent_auth(rotate), methods=["POST"]),
    Route(ONE + "secrets/end/", end_secret, methods=["POST"]),
    Route(ONE + "tokens/", requires_recent_auth(add_token), methods=["POST"]),
    Route(ONE + "tokens/{token:int}/revoke/", revoke_token, methods=["POST"]),
    Route(ONE + "tokens/users/", revoke_users, methods=["POST"]),
    Route(ONE + "state/", state, methods=["POST"]),
    Route(ONE + "restore/", restore, methods=["POST"]),
    Route(ONE + "export/", export, methods=["GET"]),
]
