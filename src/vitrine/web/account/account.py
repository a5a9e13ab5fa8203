"""My account: profile, password, rights, sessions, applications that one allowed (contract 07 P2, P6)."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor, CollectionGrant, SessionId, User
from vitrine.applications import Account, ApplicationId, Authorised
from vitrine.edge import read, run_in_thread, services_of, write
from vitrine.errors import DomainError, Invalid
from vitrine.library.model import Collection, Databox
from vitrine.oauth.notices import EVERYTHING
from vitrine.oauth.scopes import described
from vitrine.platform.database import UnitOfWork
from vitrine.web.shared.errors import json_answer
from vitrine.web.shared.forms import known, posted, xhr
from vitrine.web.shared.reauthentication import requires_recent_auth
from vitrine.web.shared.render import LANGUAGES, page, redirect, said

TEXTS = (
    "first_name",
    "last_name",
    "job",
    "company",
    "activity",
    "address",
    "zip_code",
    "city",
    "country",
    "phone",
    "fax",
)


async def info(request: Request) -> Response:
    services = services_of(request)
    user = await read(request, known, lambda work, actor: services.accounts.users.get(work, actor.must_user_id))
    return page(
        request, "account/info.html", tab="info", user=user, saved="saved" in request.query_params, languages=LANGUAGES
    )


async def save(request: Request) -> Response:
    given = await posted(request)
    services = services_of(request)
    changes: dict[str, object] = {name: given[name].strip() for name in TEXTS if name in given}
    if given.get("gender") in ("0", "1", "2"):
        changes["gender"] = int(given["gender"])
    if "locale" in given:
        changes["locale"] = given["locale"] if given["locale"] in LANGUAGES else None
    await write(request, known, lambda work, actor: services.accounts.users.update_profile(work, actor, changes))
    return redirect("/account/?saved")


async def access(request: Request) -> Response:
    """Every collection one may use, with one's rights in words."""
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> list[tuple[Databox, list[tuple[Collection, CollectionGrant]]]]:
        structure = services.library.records.structure(work)
        boxes = []
        for box in services.library.records.databoxes(work, actor):
            mine = [one for one in structure.collections_of(box.id) if one.id in actor.rights.collections]
            boxes.append((box, [(one, actor.rights.collections[one.id]) for one in mine]))
        return boxes

    return page(request, "account/access.html", tab="access", boxes=await read(request, known, call), words=RIGHTS)


RIGHTS = {
    "actif": "See and search", "candwnldpreview": "Previews", "candwnldhd": "Originals",
    "nowatermark": "Without watermark",
    "canputinalbum": "Put in baskets", "cancmd": "Order", "canaddrecord": "Add", "canmodifrecord": "Edit",
    "chgstatus": "Change status", "candeleterecord": "Delete", "imgtools": "Image tools", "canpush": "Send to others",
    "canadmin": "Manage people", "canreport": "Reports", "manage": "Manage the collection",
    "modify_struct": "Manage value lists", "order_master": "Decide on orders", "restrict_dwnld": "Limited downloads",
}  # fmt: skip


async def sessions(request: Request) -> Response:
    services = services_of(request)
    found = await read(request, known, services.accounts.sessions.of)
    return page(request, "account/sessions.html", tab="sessions", sessions=found, ended="ended" in request.query_params)


async def end_session(request: Request) -> Response:
    await posted(request)
    session_id = SessionId(request.path_params["id"])
    await write(request, known, lambda work, actor: services_of(request).accounts.sessions.end(work, actor, session_id))
    return redirect("/account/security/sessions/")


async def end_others(request: Request) -> Response:
    await posted(request)
    await write(request, known, services_of(request).accounts.sessions.end_others)
    return redirect("/account/security/sessions/")


async def end_everything(request: Request, _given: dict[str, str]) -> Response:
    await write(request, known, services_of(request).accounts.sessions.end_everything)
    return redirect("/account/security/sessions/?ended")


async def password(request: Request) -> Response:
    if request.method != "POST":
        has = await read(
            request, known, lambda work, who: services_of(request).accounts.users.has_password(work, who.must_user_id)
        )
        done = "done" in request.query_params
        return page(request, "account/password.html", tab="", faults={}, done=done, has_password=has)
    given = await posted(request)
    services = services_of(request)

    actor = await read(request, known, lambda _work, actor: actor)
    try:
        if given.get("new", "") != given.get("again", ""):
            raise Invalid("The two new passwords are not the same.", field="again")
        old, new = given.get("old", ""), given.get("new", "")
        end = "end-applications" in given
        await run_in_thread(
            lambda: services.accounts.users.change_password(actor, old=old, new=new, end_applications=end)
        )
    except DomainError as refusal:
        field = "new" if refusal.field == "password" else refusal.field or "old"
        faults = {field: said(request, refusal)}
        return page(request, "account/password.html", tab="", faults=faults, done=False, has_password=True)
    return redirect("/account/reset-password/?done")


async def applications(request: Request) -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> tuple[list[Authorised], bool, User]:
        mine = actor.must_user_id
        wanted = services.oauth.server.notices.are_wanted(work, mine)
        return services.applications.consents.authorised(work, actor), wanted, services.accounts.users.get(work, mine)

    found, letters, user = await read(request, known, call)
    return page(
        request, "account/applications.html", tab="applications", lines=found, letters=letters, may=_may,
        actor_email=user.email,
        saved="saved" in request.query_params,
    )  # fmt: skip


def _may(account: Account) -> list[str]:
    """What an application was allowed, in words."""
    if account.granted_scope is None:
        return list(EVERYTHING)
    return [one.words for one in described(account.granted_scope)]


async def letters(request: Request) -> Response:
    """Whether a letter tells that an application got access."""
    given = await posted(request)
    on = given.get("on") == "1"
    await write(request, known, lambda work, actor: services_of(request).oauth.server.notices.want(work, actor, on=on))
    return redirect("/account/security/applications/?saved#letters")


async def forget(request: Request) -> Response:
    await posted(request)
    application = ApplicationId(request.path_params["id"])
    services = services_of(request)
    await write(request, known, lambda work, actor: services.applications.consents.forget(work, actor, application))
    return redirect("/account/security/applications/")


async def revoke(request: Request) -> Response:
    await posted(request)
    await _revoke(request)
    return redirect("/account/security/applications/")


async def _revoke(request: Request) -> None:
    application = ApplicationId(request.path_params["id"])
    services = services_of(request)
    await write(request, known, lambda work, actor: services.applications.consents.withdraw(work, actor, application))


async def grant(request: Request) -> Response:
    """The old XHR-JSON route: `revoke=1` withdraws; allowing again needs the application's consent page (01 §9 D)."""
    given = await xhr(request)
    if given.get("revoke", "").lower() in ("1", "true", "on"):
        await _revoke(request)
        return json_answer({"success": True})
    return json_answer({"success": False, "message": "The application has to ask for your consent again."})


ROUTES = [
    Route("/account/", info, methods=["GET"]),
    Route("/account/", save, methods=["POST"]),
    Route("/account/access/", access, methods=["GET"]),
    Route("/account/reset-password/", password, methods=["GET", "POST"]),
    Route("/account/security/sessions/", sessions, methods=["GET"]),
    Route("/account/security/sessions/end-others/", end_others, methods=["POST"]),
    Route("/account/security/sessions/end-everything/", requires_recent_auth(end_everything), methods=["POST"]),
    Route("/session/delete/{id:int}", end_session, methods=["POST"]),
    Route("/account/security/applications/", applications, methods=["GET"]),
    Route("/account/security/applications/letters/", letters, methods=["POST"]),
    Route("/account/security/application/{id:int}/revoke/", revoke, methods=["POST"]),
    Route("/account/security/application/{id:int}/forget/", forget, methods=["POST"]),
    Route("/account/security/application/{id:int}/grant/", grant, methods=["GET", "POST"]),
]
