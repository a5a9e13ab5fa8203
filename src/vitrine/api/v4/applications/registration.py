"""Applications: list, register, show, change, suspend, decide, delete, restore."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.accounts.model import ADMINISTRATION
from vitrine.api.v4.applications import present
from vitrine.api.v4.applications.content import application_id, require_tag, shown
from vitrine.api.v4.content import answer, json_body, json_members, nothing
from vitrine.api.v4.idempotency import change as change_once
from vitrine.api.v4.paging import Page, page_answer, page_of
from vitrine.applications import Application, BadApplication
from vitrine.edge import bearer, long_read, read, services_of, write
from vitrine.edge.auth import require_scope
from vitrine.edge.params import natural
from vitrine.errors import Forbidden, Invalid
from vitrine.platform.database import UnitOfWork

Row = Callable[[Any], dict[str, Any]]
MOST = 100
ALIAS = "/api/applications/"


def is_alias(request: Request) -> bool:
    """True at the older address of the same operation, whose addresses end with a slash."""
    return bool(request.scope["path"].startswith(ALIAS))


def _number(request: Request, name: str, default: int, most: int) -> int:
    number = natural(request.query_params.get(name, str(default)))
    if number is None or not 1 <= number <= most:
        raise Invalid(f"{name} must be a whole number from 1 to {most}.", field=name)
    return number


async def listed(request: Request) -> Response:
    """The caller's own. `all=1`: those of everybody, for administrators. `deleted=1`: deleted ones that
    can be restored."""
    page = page_of(request, int)
    first = page.after[0] if page.after else 0
    if first < 0:
        raise Invalid("This cursor is not of this list.", field="cursor")
    rows, row = await _rows(request, Page(page.limit, (first,)))
    data = [row(application) for application in rows[: page.limit]]
    return page_answer(request, data, (first + page.limit,) if len(rows) > page.limit else None)


async def listed_by_number(request: Request) -> Response:
    """The same by `page` and `per_page`, at the older address."""
    page, size = _number(request, "page", 1, 100_000), _number(request, "per_page", 50, MOST)
    rows, row = await _rows(request, Page(size, ((page - 1) * size,)))
    data = [row(application) for application in rows[:size]]
    return answer({"applications": data, "page": page, "per_page": size, "more": len(rows) > size})


async def _rows(request: Request, page: Page) -> tuple[list[Any], Row]:
    """The applications from a place on, one more than a page has, and what presents each. People own few of them, and
    are listed by name: a place is a number of items here."""
    services, query = services_of(request), request.query_params
    (first,) = page.after or (0,)
    size, words = page.limit, query.get("q", "").strip()[:100]

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

    are_deleted = query.get("deleted") == "1" and query.get("all") != "1"
    return await long_read(request, bearer, call), present.deleted if are_deleted else present.application


async def make(request: Request) -> Response:
    """201 with `Location`; the client secret of a confidential client is in this answer and in no later one."""
    services, document = services_of(request), await json_body(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        application = services.applications.documents.create(work, actor, document)
        secret = None
        if application.switches.is_confidential:
            secret = services.applications.secrets.first(work, actor, application)
        path = f"{ALIAS}{application.id}/" if is_alias(request) else f"/api/v4/applications/{application.id}"
        return shown(application, 201, secret, Location=services.settings.absolute(path))

    return await change_once(request, call)


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
    return await change_once(
        request,
        lambda work, actor: shown(services.applications.lifecycle.restore(work, actor, application_id(request))),
    )


async def suspend(request: Request) -> Response:
    """Suspend it as its owner or as an administrator. Only an administrator resumes what an administrator suspended."""
    services, values = services_of(request), await json_members(request, reason=str)
    reason = values["reason"] or ""

    def call(work: UnitOfWork, actor: Actor) -> Response:
        application = services.applications.registry.get(work, actor, application_id(request))
        require_tag(request, application)
        by = "owner" if services.applications.registry.is_owner(work, actor, application) else "admin"
        services.applications.lifecycle.suspend(work, actor, application.id, reason, by=by)
        return shown(services.applications.registry.get(work, actor, application.id))

    return await change_once(request, call)


async def resume(request: Request) -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        application = services.applications.registry.get(work, actor, application_id(request))
        require_tag(request, application)
        by = "owner" if services.applications.registry.is_owner(work, actor, application) else "admin"
        services.applications.lifecycle.resume(work, actor, application.id, by=by)
        return shown(services.applications.registry.get(work, actor, application.id))

    return await change_once(request, call)


def permit_decision(request: Request, work: UnitOfWork, actor: Actor) -> Application:
    if not actor.is_admin:
        raise Forbidden("This is for administrators.")
    application = services_of(request).applications.registry.get(work, actor, application_id(request))
    if actor.scope is not None:
        require_scope(actor.scope, ADMINISTRATION)
    return application


async def decide(request: Request) -> Response:
    """Approve or refuse, for administrators."""
    services, values = services_of(request), await json_members(request, approve=bool, reason=str)
    if values["approve"] is None:
        raise Invalid("approve must be true or false.", field="approve")

    def call(work: UnitOfWork, actor: Actor) -> Response:
        application = permit_decision(request, work, actor)
        require_tag(request, application)
        services.applications.lifecycle.decide(
            work, actor, application.id, yes=values["approve"], reason=values["reason"] or ""
        )
        return shown(services.applications.registry.get(work, actor, application.id))

    return await change_once(request, call)


async def add_address(request: Request) -> Response:
    services, values = services_of(request), await json_members(request, uri=str)
    uri = (values["uri"] or "").strip()

    def call(work: UnitOfWork, actor: Actor) -> Response:
        application = services.applications.registry.get(work, actor, application_id(request))
        require_tag(request, application)
        if not uri:
            raise BadApplication({"uri": "Enter a callback URL, beginning with https://."})
        return shown(services.applications.portal.change_redirect(work, actor, application.id, "", uri), 201)

    return await change_once(request, call)


async def remove_address(request: Request) -> Response:
    services, uri = services_of(request), request.query_params.get("uri", "")
    if not uri:
        raise Invalid("Say which address in the query: ?uri=…", field="uri")

    def call(work: UnitOfWork, actor: Actor) -> Application:
        application = services.applications.registry.get(work, actor, application_id(request))
        require_tag(request, application)
        return services.applications.portal.change_redirect(work, actor, application.id, uri, "")

    return shown(await write(request, bearer, call))
