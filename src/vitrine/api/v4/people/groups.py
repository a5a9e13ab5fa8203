"""Groups and templates of rights."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor, DataboxRight
from vitrine.accounts.groups.model import Group, Template
from vitrine.accounts.groups.service import require_administrator
from vitrine.api.v4.content import answer, json_members, moment, nothing, require_tag
from vitrine.api.v4.idempotency import change
from vitrine.api.v4.paging import listed, page_of
from vitrine.api.v4.people.content import (
    DATABOX_RIGHTS,
    GRANT_BODY,
    GRANT_EXAMPLE,
    MEMBERS,
    databox_grants,
    grant_json,
    grant_of,
    rights_of,
)
from vitrine.api.v4.people.users import databox_of, known_databox, permit_giving, permit_manager
from vitrine.api.v4.route import V4Route
from vitrine.api.v4.schemas import MOMENT, NUMBER, TEXT, Schema, full_object_of, list_of, named, object_of
from vitrine.api.v4.schemas import page_of as page_schema
from vitrine.edge import bearer, read, services_of, write
from vitrine.platform.database import UnitOfWork

SCOPE = "users"
_GROUP: dict[str, Schema] = {
    "group_id": NUMBER, "name": TEXT, "description": TEXT, "created": MOMENT, "updated": MOMENT,
}  # fmt: skip
COMPONENTS: dict[str, Schema] = {
    "Group": full_object_of(**_GROUP),
    "GroupPage": page_schema(named("Group")),
    "GroupRights": full_object_of(collections=list_of(named("Grant")), databoxes=list_of(named("DataboxGrant"))),
    "Member": full_object_of(user_id=NUMBER, login=TEXT, display_name=TEXT, added=MOMENT),
    "MemberPage": page_schema(named("Member")),
    "RightsTemplate": full_object_of(template_id=NUMBER, name=TEXT, updated=MOMENT),
    "RightsTemplatePage": page_schema(named("RightsTemplate")),
    "RightsOfTemplate": full_object_of(
        template_id=NUMBER, name=TEXT, updated=MOMENT, collections=list_of(named("Grant"))
    ),
}


def _json(group: Group) -> dict[str, Any]:
    return {
        "group_id": group.id, "name": group.name, "description": group.description,
        "created": moment(group.created), "updated": moment(group.updated),
    }  # fmt: skip


def _tag(group: Group) -> str:
    return f'"{group.id}-{group.version}"'


def _shown(group: Group, status: int = 200, **headers: str) -> Response:
    return answer(_json(group), status, {"ETag": _tag(group), **headers})


async def listing(request: Request) -> Response:
    services, page = services_of(request), page_of(request, int)
    (after,) = page.after or (0,)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        rows = services.accounts.groups.page(work, actor, after, page.limit + 1)
        return listed(request, rows, page, lambda group: (group.id,), _json)

    return await read(request, bearer, call)


def _permit_groups(_request: Request, _work: UnitOfWork, actor: Actor) -> None:
    require_administrator(actor)


def _permit_group(request: Request, work: UnitOfWork, actor: Actor) -> None:
    _group(request, work, actor)
    require_administrator(actor)


def _permit_template(request: Request, work: UnitOfWork, actor: Actor) -> None:
    services_of(request).accounts.templates.get(work, actor, request.path_params["template_id"])


async def add(request: Request) -> Response:
    services = services_of(request)
    members = await json_members(request, name=str, description=str)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        group = services.accounts.groups.add(work, actor, members["name"] or "", members["description"] or "")
        return _shown(group, 201, Location=services.settings.absolute(f"/api/v4/groups/{group.id}"))

    return await change(request, call)


def _group(request: Request, work: UnitOfWork, actor: Actor) -> Group:
    return services_of(request).accounts.groups.get(work, actor, request.path_params["group_id"])


async def show(request: Request) -> Response:
    return await read(request, bearer, lambda work, actor: _shown(_group(request, work, actor)))


async def rename(request: Request) -> Response:
    services = services_of(request)
    members = await json_members(request, name=str, description=str)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        group = _group(request, work, actor)
        require_tag(request, _tag(group), required=True)
        return _shown(services.accounts.groups.rename(work, actor, group.id, **members))

    return await write(request, bearer, call)


async def delete(request: Request) -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        group = _group(request, work, actor)
        require_tag(request, _tag(group))
        services.accounts.groups.delete(work, actor, group.id)
        return nothing()

    return await write(request, bearer, call)


async def members(request: Request) -> Response:
    services, page = services_of(request), page_of(request, int)
    (after,) = page.after or (0,)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        rows = services.accounts.groups.members(work, actor, request.path_params["group_id"], after, page.limit + 1)
        return listed(
            request, rows, page, lambda member: (member.user_id,),
            lambda member: {
                "user_id": member.user_id, "login": member.login, "display_name": member.display_name,
                "added": moment(member.added),
            },
        )  # fmt: skip

    return await read(request, bearer, call)


async def join(request: Request) -> Response:
    services, group = services_of(request), request.path_params["group_id"]

    def call(work: UnitOfWork, actor: Actor) -> Response:
        services.accounts.groups.join(work, actor, group, _anybody(request, work, actor))
        return nothing()

    return await write(request, bearer, call)


def _anybody(request: Request, work: UnitOfWork, actor: Actor) -> Any:
    """A person by number: whoever manages users may let anybody in, as by login."""
    accounts = services_of(request).accounts
    accounts.management.require_manager(work, actor)
    return accounts.users.get(work, request.path_params["user_id"])


async def leave(request: Request) -> Response:
    services, group = services_of(request), request.path_params["group_id"]

    def call(work: UnitOfWork, actor: Actor) -> Response:
        services.accounts.groups.leave(work, actor, group, _anybody(request, work, actor))
        return nothing()

    return await write(request, bearer, call)


async def rights(request: Request) -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        group = _group(request, work, actor)
        held = services.accounts.groups.rights(work, actor, group.id)
        collections = [grant_json(held.collections[base]) for base in sorted(held.collections)]
        value = {"collections": collections, "databoxes": databox_grants(held.databoxes)}
        return answer(value, headers={"ETag": _tag(group)})

    return await read(request, bearer, call)


async def set_rights(request: Request) -> Response:
    """Of a group that has no rights there yet its number is enough: it is named by whoever told it."""
    services, base = services_of(request), request.path_params["base_id"]
    values = await json_members(request, **MEMBERS)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        grant = grant_of(base, databox_of(request, work, base), values)
        groups, number = services.accounts.groups, request.path_params["group_id"]
        groups.set_rights(work, actor, number, grant, matches=lambda group: require_tag(request, _tag(group)))
        return answer(grant_json(grant))

    return await write(request, bearer, call)


async def set_databox_rights(request: Request) -> Response:
    services = services_of(request)
    wanted = rights_of((await json_members(request, rights=list))["rights"], DataboxRight)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        box = known_databox(request, work)
        services.accounts.groups.set_databox_rights(work, actor, request.path_params["group_id"], box, wanted)
        return nothing()

    return await write(request, bearer, call)


# -- templates ---------------------------------------------------------------------------------------------------------


def _template(template: Template) -> dict[str, Any]:
    return {"template_id": template.id, "name": template.name, "updated": moment(template.updated)}


async def templates(request: Request) -> Response:
    services, page = services_of(request), page_of(request, int)
    (after,) = page.after or (0,)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        rows = sorted(services.accounts.templates.own(work, actor), key=lambda template: template.id)
        rest = [template for template in rows if template.id > after][: page.limit + 1]
        return listed(request, rest, page, lambda template: (template.id,), _template)

    return await read(request, bearer, call)


async def add_template(request: Request) -> Response:
    services, name = services_of(request), (await json_members(request, name=str))["name"] or ""

    def call(work: UnitOfWork, actor: Actor) -> Response:
        template = services.accounts.templates.add(work, actor, name)
        location = services.settings.absolute(f"/api/v4/rights-templates/{template.id}")
        return answer(_template(template), 201, {"Location": location})

    return await change(request, call)


async def template(request: Request) -> Response:
    services, number = services_of(request), request.path_params["template_id"]

    def call(work: UnitOfWork, actor: Actor) -> Response:
        known = services.accounts.templates.get(work, actor, number)
        grants = services.accounts.templates.grants(work, actor, number)
        return answer({**_template(known), "collections": [grant_json(grant) for grant in grants]})

    return await read(request, bearer, call)


async def set_template(request: Request) -> Response:
    services, base = services_of(request), request.path_params["base_id"]
    number = request.path_params["template_id"]
    values = await json_members(request, **MEMBERS)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        grant = grant_of(base, databox_of(request, work, base), values)
        services.accounts.templates.set_grant(work, actor, number, grant)
        return answer(grant_json(grant))

    return await write(request, bearer, call)


async def delete_template(request: Request) -> Response:
    services, number = services_of(request), request.path_params["template_id"]

    def call(work: UnitOfWork, actor: Actor) -> Response:
        services.accounts.templates.delete(work, actor, number)
        return nothing()

    return await write(request, bearer, call)


_GROUP_PATH, _TEMPLATE = "/groups/{group_id:int}", "/rights-templates/{template_id:int}"
_NAMES = object_of(name=TEXT, description=TEXT)
ROUTES = (
    V4Route("/groups", "GET", listing, "Groups with rights where you manage", SCOPE, named("GroupPage"), is_list=True),
    V4Route("/groups", "POST", add, "Make a group (administrators)", SCOPE, named("Group"), _NAMES, 201,
            permit=_permit_groups, example={"name": "Press", "description": "People who write about us."}),
    V4Route(_GROUP_PATH, "GET", show, "One group", SCOPE, named("Group")),
    V4Route(_GROUP_PATH, "PATCH", rename, "Rename or describe it (administrators)", SCOPE, named("Group"), _NAMES,
            guard="required", permit=_permit_group, example={"description": "Everybody who writes about us."}),
    V4Route(_GROUP_PATH, "DELETE", delete, "Delete it; its members lose what it gave (administrators)", SCOPE,
            status=204, guard="accepted"),
    V4Route(_GROUP_PATH + "/members", "GET", members, "Its members", SCOPE, named("MemberPage"), is_list=True),
    V4Route(_GROUP_PATH + "/members/{user_id:int}", "PUT", join, "Let somebody in", SCOPE, status=204),
    V4Route(_GROUP_PATH + "/members/{user_id:int}", "DELETE", leave, "Take somebody out", SCOPE, status=204),
    V4Route(_GROUP_PATH + "/rights", "GET", rights, "What it may do where you manage", SCOPE, named("GroupRights")),
    V4Route(_GROUP_PATH + "/rights/{base_id:int}", "PUT", set_rights,
            "What it may do on a collection; nothing without rights", SCOPE, named("Grant"), GRANT_BODY,
            guard="accepted", permit=permit_giving, example=GRANT_EXAMPLE),
    V4Route(_GROUP_PATH + "/databox-rights/{databox_id:int}", "PUT", set_databox_rights,
            "What it may do on a databox (administrators)", SCOPE, body=object_of(rights=DATABOX_RIGHTS), status=204,
            permit=_permit_groups, example={"rights": ["bas_chupub"]}),
    V4Route("/rights-templates", "GET", templates, "Your templates of rights", SCOPE, named("RightsTemplatePage"),
            is_list=True),
    V4Route("/rights-templates", "POST", add_template, "Make a template", SCOPE, named("RightsTemplate"),
            object_of(name=TEXT), 201, permit=permit_manager, example={"name": "Readers"}),
    V4Route(_TEMPLATE, "GET", template, "One template, with what it gives", SCOPE, named("RightsOfTemplate")),
    V4Route(_TEMPLATE + "/rights/{base_id:int}", "PUT", set_template,
            "What it gives on a collection; nothing without rights", SCOPE, named("Grant"), GRANT_BODY,
            permit=_permit_template, example=GRANT_EXAMPLE),
    V4Route(_TEMPLATE, "DELETE", delete_template, "Delete a template", SCOPE, status=204),
)  # fmt: skip
