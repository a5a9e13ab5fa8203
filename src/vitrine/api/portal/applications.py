"""Applications of the portal's API: list, register, show, change, suspend, decide, delete, restore."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.accounts.model import ADMINISTRATION
from vitrine.api.portal import present
from vitrine.api.portal.content import (
    answer,
    application_id,
    fields,
    json_body,
    nothing,
    require_tag,
    shown,
)
from vitrine.applications import Application, BadApplication
from vitrine.edge import bearer, long_read, read, services_of, write
from vitrine.edge.auth import require_scope
from vitrine.edge.params import natural
from vitrine.errors import Forbidden, Invalid
from vitrine.platform.database import UnitOfWork

MOST = 100


def number(request: Request, name: str, default: int, most: int) -> int:
    number = natural(request.query_params.get(name, str(default)))
    if number is None or not 1 <= number <= most:
        raise Invalid(f"{name} must be a whole number from 1 to {most}.", field=name)
    return number


async def listed(request: Request) -> Response:
    """The caller's own. `all=1`: those of everybody, for administrators. `deleted=1`: deleted ones that
    can be restored."""
    services, query = services_of(request), request.query_params
    page, size = number(request, "page", 1, 100_000), number(request, "per_page", 50, MOST)
    first, words = (page - 1) * size, query.get("q", "").strip()[:100]

    def call(work: UnitOfWork, actor: Actor) -> list[Any]:
        if query.get("all") == "1":
            if not actor.is_admin:
                raise Forbidden("Only administrators see the applications of others. Leave all=1 out.")
            if actor.scope is not None:
                require_scope(actor.scope, ADMINISTRATION)
            return services.applications.lifecycle.every(work, actor, limit=size + 1, offset=first, words=words)
        if query.get("deleted") == "1":
            return services.applications.lifecycle.deleted(work, actor, limit=size + 1, offset=first, words=words)
        return services.applications.registry.own(work, actor, limit=size + 1, offset=first, words=words)

    applications = await long_read(request, bearer, call)
    are_deleted = query.get("deleted") == "1" and query.get("all") != "1"
    row_of = present.deleted if are_deleted else present.application
    rows = [row_of(application) for application in applications[:size]]
    return answer({"applications": rows, "page": page, "per_page": size, "more": len(applications) > size})


async def make(request: Request) -> Response:
    """201 with `Location`; the client secret of a confidential client is in this answer and in no later one."""
    services, document = services_of(request), await json_body(request)

    def call(work: UnitOfWork, actor: Actor) -> tuple[Application, str | None]:
        application = services.applications.documents.create(work, actor, document)
        if not application.switches.is_confidential:
            return application, None
        return application, services.applications.secrets.first(work, actor, application)

    application, secret = await write(request, bearer, call)
    response = shown(application, 201, **({} if secret is None else {"client_secret": secret}))
    response.headers["Location"] = services.settings.absolute(f"/api/applications/{application.id}/")
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
    """Make it what the document says. `If-Match` is required."""
    return await _changed(request, whole=True)


async def change(request: Request) -> Response:
    """Change the keys of a merge patch (RFC 7396). `If-Match` is required."""
    return await _changed(request, whole=False)


async def _changed(request: Request, *, whole: bool) -> Response:
    services, document = services_of(request), await json_body(request)

    def call(work: UnitOfWork, actor: Actor) -> Application:
        application = services.applications.registry.get(work, actor, application_id(request))
        require_tag(request, application, required=True)
        save = services.applications.documents.replace if whole else services.applications.documents.change
        return save(work, actor, application.id, document).application

    return shown(await write(request, bearer, call))


async def delete(request: Request) -> Response:
    """`restore` brings it back for 14 days."""
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> None:
        application = services.applications.registry.get(work, actor, application_id(request))
        require_tag(request, application)
        services.applications.lifecycle.delete(work, actor, application.id)

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
    """Suspend it as its owner or as an administrator. Only an administrator resumes what an administrator suspended."""
    services, values = services_of(request), await fields(request, reason=str)
    reason = values["reason"] or ""

    def call(work: UnitOfWork, actor: Actor) -> Application:
        application = services.applications.registry.get(work, actor, application_id(request))
        require_tag(request, application)
        by = "owner" if services.applications.registry.is_owner(work, actor, application) else "admin"
        services.applications.lifecycle.suspend(work, actor, application.id, reason, by=by)
        return services.applications.registry.get(work, actor, application.id)

    return shown(await write(request, bearer, call))


async def resume(request: Request) -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> Application:
        application = services.applications.registry.get(work, actor, application_id(request))
        require_tag(request, application)
        by = "owner" if services.applications.registry.is_owner(work, actor, application) else "admin"
        services.applications.lifecycle.resume(work, actor, application.id, by=by)
        return services.applications.registry.get(work, actor, application.id)

    return shown(await write(request, bearer, call))


async def decide(request: Request) -> Response:
    """Approve or refuse, for administrators."""
    services, values = services_of(request), await fields(request, approve=bool, reason=str)
    if values["approve"] is None:
        raise Invalid("approve must be true or false.", field="approve")

    def call(work: UnitOfWork, actor: Actor) -> Application:
        if not actor.is_admin:
            raise Forbidden("This is for administrators.")
        application = services.applications.registry.get(work, actor, application_id(request))
        if actor.scope is not None:
            require_scope(actor.scope, ADMINISTRATION)
        require_tag(request, application)
        services.applications.lifecycle.decide(
            work, actor, application.id, yes=values["approve"], reason=values["reason"] or ""
        )
        return services.applications.registry.get(work, actor, application.id)

    return shown(await write(request, bearer, call))


async def add_address(request: Request) -> Response:
    services, values = services_of(request), await fields(request, uri=str)
    uri = (values["uri"] or "").strip()

    def call(work: UnitOfWork, actor: Actor) -> Application:
        application = services.applications.registry.get(work, actor, application_id(request))
        require_tag(request, application)
        if not uri:
            raise BadApplication({"uri": "Enter a callback URL, beginning with https://."})
        return services.applications.portal.change_redirect(work, actor, application.id, "", uri)

    return shown(await write(request, bearer, call), 201)


async def remove_address(request: Request) -> Response:
    services, uri = services_of(request), request.query_params.get("uri", "")
    if not uri:
        raise Invalid("Say which address in the query: ?uri=…", field="uri")

    def call(work: UnitOfWork, actor: Actor) -> Application:
        application = services.applications.registry.get(work, actor, application_id(request))
        require_tag(request, application)
        return services.applications.portal.change_redirect(work, actor, application.id, uri, "")

    return shown(await write(request, bearer, call))
