"""The application itself: listed, made, shown, changed, suspended, decided about, deleted and brought back."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.accounts.model import ADMINISTRATION
from vitrine.api.portal import present
from vitrine.api.portal.endpoint import answer, fields, json_body, nothing, require_tag, tag_of
from vitrine.applications import Application, ApplicationId, BadApplication
from vitrine.edge import bearer, read, services_of, write
from vitrine.edge.auth import require_scope
from vitrine.errors import Forbidden, Invalid
from vitrine.platform.database import UnitOfWork

MOST = 100


def application_id(request: Request) -> ApplicationId:
    return ApplicationId(request.path_params["id"])


def shown(found: Application, status: int = 200, **more: Any) -> Response:
    return answer({**present.application(found), **more}, status, {"ETag": tag_of(found)})


def number(request: Request, name: str, default: int, most: int) -> int:
    text = request.query_params.get(name, str(default))
    if not text.isdecimal() or not 1 <= int(text[:9]) <= most:
        raise Invalid(f"{name} must be a whole number from 1 to {most}.", field=name)
    return int(text)


async def listed(request: Request) -> Response:
    """One's own; `all=1` those of everybody, for administrators; `deleted=1` one's own that can still come back."""
    here, query = services_of(request), request.query_params
    page, size = number(request, "page", 1, 100_000), number(request, "per_page", 50, MOST)
    first, words = (page - 1) * size, query.get("q", "").strip()[:100]

    def call(work: UnitOfWork, actor: Actor) -> list[Any]:
        if query.get("all") == "1":
            if not actor.is_admin:
                raise Forbidden("Only administrators see the applications of others. Leave all=1 out.")
            if actor.scope is not None:
                require_scope(actor.scope, ADMINISTRATION)
            return here.applications.lifecycle.every(work, actor, limit=size + 1, offset=first, words=words)
        mine = (
            here.applications.lifecycle.deleted(work, actor)
            if query.get("deleted") == "1"
            else here.applications.registry.own(work, actor)
        )
        return [one for one in mine if words.casefold() in one.name.casefold()][first : first + size + 1]

    found = await read(request, bearer, call)
    gone = query.get("deleted") == "1" and query.get("all") != "1"
    rows = [present.deleted(one) if gone else present.application(one) for one in found[:size]]
    return answer({"applications": rows, "page": page, "per_page": size, "more": len(found) > size})


async def make(request: Request) -> Response:
    """201 with `Location`; the client secret of a kind that can keep one is told here and never again."""
    here, given = services_of(request), await json_body(request)

    def call(work: UnitOfWork, actor: Actor) -> tuple[Application, str | None]:
        made = here.applications.documents.create(work, actor, given)
        keeps = made.switches.is_confidential
        return made, here.applications.secrets.first(work, actor, made) if keeps else None

    made, secret = await write(request, bearer, call)
    response = shown(made, 201, **({} if secret is None else {"client_secret": secret}))
    response.headers["Location"] = here.settings.absolute(f"/api/applications/{made.id}/")
    return response


async def show(request: Request) -> Response:
    services = services_of(request)
    return shown(
        await read(
            request,
            bearer,
            lambda work, actor: services.applications.registry.get(work, actor, application_id(request)),
        )
    )


async def export(request: Request) -> Response:
    """The document alone: what POST, PUT, the page and `vitrine app import` take."""
    services = services_of(request)
    return answer(
        await read(
            request,
            bearer,
            lambda work, actor: services.applications.documents.export(work, actor, application_id(request)),
        )
    )


async def replace(request: Request) -> Response:
    """Make it what the document says. `If-Match` is needed."""
    return await _changed(request, whole=True)


async def change(request: Request) -> Response:
    """Change the keys of a merge patch (RFC 7396). `If-Match` is needed."""
    return await _changed(request, whole=False)


async def _changed(request: Request, *, whole: bool) -> Response:
    here, given = services_of(request), await json_body(request)

    def call(work: UnitOfWork, actor: Actor) -> Application:
        found = here.applications.registry.get(work, actor, application_id(request))
        require_tag(request, found, needed=True)
        does = here.applications.documents.replace if whole else here.applications.documents.change
        return does(work, actor, found.id, given).application

    return shown(await write(request, bearer, call))


async def delete(request: Request) -> Response:
    """It can come back for 14 days: `restore`."""
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> None:
        found = services.applications.registry.get(work, actor, application_id(request))
        require_tag(request, found)
        services.applications.lifecycle.delete(work, actor, found.id)

    await write(request, bearer, call)
    return nothing()


async def restore(request: Request) -> Response:
    services = services_of(request)
    return shown(
        await write(
            request,
            bearer,
            lambda work, actor: services.applications.lifecycle.restore(work, actor, application_id(request)),
        )
    )


async def suspend(request: Request) -> Response:
    """By its owner, or by an administrator for somebody else's: only an administrator lifts the latter."""
    here, given = services_of(request), await fields(request, reason=str)
    reason = given["reason"] or ""

    def call(work: UnitOfWork, actor: Actor) -> Application:
        found = here.applications.registry.get(work, actor, application_id(request))
        require_tag(request, found)
        by = "owner" if here.applications.registry.is_owner(work, actor, found) else "admin"
        here.applications.lifecycle.suspend(work, actor, found.id, reason, by=by)
        return here.applications.registry.get(work, actor, found.id)

    return shown(await write(request, bearer, call))


async def resume(request: Request) -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> Application:
        found = services.applications.registry.get(work, actor, application_id(request))
        require_tag(request, found)
        by = "owner" if services.applications.registry.is_owner(work, actor, found) else "admin"
        services.applications.lifecycle.resume(work, actor, found.id, by=by)
        return services.applications.registry.get(work, actor, found.id)

    return shown(await write(request, bearer, call))


async def decide(request: Request) -> Response:
    """Approve or refuse, for administrators."""
    here, given = services_of(request), await fields(request, approve=bool, reason=str)
    if given["approve"] is None:
        raise Invalid("approve must be true or false.", field="approve")

    def call(work: UnitOfWork, actor: Actor) -> Application:
        if not actor.is_admin:
            raise Forbidden("This is for administrators.")
        found = here.applications.registry.get(work, actor, application_id(request))
        if actor.scope is not None:
            require_scope(actor.scope, ADMINISTRATION)
        require_tag(request, found)
        here.applications.lifecycle.decide(work, actor, found.id, yes=given["approve"], reason=given["reason"] or "")
        return here.applications.registry.get(work, actor, found.id)

    return shown(await write(request, bearer, call))


async def add_address(request: Request) -> Response:
    here, given = services_of(request), await fields(request, uri=str)
    uri = (given["uri"] or "").strip()

    def call(work: UnitOfWork, actor: Actor) -> Application:
        found = here.applications.registry.get(work, actor, application_id(request))
        require_tag(request, found)
        if not uri:
            raise BadApplication({"uri": "Enter a callback URL, beginning with https://."})
        return here.applications.portal.change_redirect(work, actor, found.id, "", uri)

    return shown(await write(request, bearer, call), 201)


async def remove_address(request: Request) -> Response:
    here, uri = services_of(request), request.query_params.get("uri", "")
    if not uri:
        raise Invalid("Say which address in the query: ?uri=…", field="uri")

    def call(work: UnitOfWork, actor: Actor) -> Application:
        found = here.applications.registry.get(work, actor, application_id(request))
        require_tag(request, found)
        return here.applications.portal.change_redirect(work, actor, found.id, uri, "")

    return shown(await write(request, bearer, call))
