"""Lists of people to whom somebody sends documents."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor, User, UserId
from vitrine.accounts.recipient_lists.model import ListRole, RecipientList, Role
from vitrine.accounts.recipient_lists.service import require_sender
from vitrine.api.v4.content import answer, json_members, moment, nothing, require_tag
from vitrine.api.v4.idempotency import change
from vitrine.api.v4.paging import Page, page_answer, page_of
from vitrine.api.v4.route import V4Route
from vitrine.api.v4.schemas import MOMENT, NUMBER, TEXT, Schema, full_object_of, list_of, named, object_of
from vitrine.api.v4.schemas import page_of as page_schema
from vitrine.edge import bearer, listing, read, services_of, write
from vitrine.errors import Invalid
from vitrine.platform.database import UnitOfWork

SCOPE = "baskets:share"
LISTS = "/recipient-lists"
LIST = LISTS + "/{list_id:int}"
MOST_ID = 2**63 - 1
ROLES = {Role.USER: "user", Role.EDITOR: "editor", Role.ADMINISTRATOR: "administrator"}
_BY_NAME = {name: role for role, name in ROLES.items()}
_ROLE: Schema = {"enum": list(_BY_NAME)}
_WHO: Schema = {**object_of(login=TEXT, user_id=NUMBER), "minProperties": 1, "maxProperties": 1}
COMPONENTS: dict[str, Schema] = {
    "RecipientList": full_object_of(
        list_id=NUMBER, name=TEXT, created=MOMENT, updated=MOMENT,
        role={**_ROLE, "description": "yours: users send to the list, editors change it, administrators say who may"},
    ),
    "RecipientListPage": page_schema(named("RecipientList")),
    "ListMember": full_object_of(user_id=NUMBER, name=TEXT, added=MOMENT),
    "ListMemberPage": {
        **full_object_of(
            data=list_of(named("ListMember")), next={"type": ["string", "null"]},
            hidden={**NUMBER, "description": "people in the list whose names you may not know"},
        ),
    },
    "ListRole": full_object_of(user_id=NUMBER, name=TEXT, role=_ROLE),
    "ListRolePage": page_schema(named("ListRole")),
    "ListMembersAdded": full_object_of(added={**NUMBER, "description": "people who were named"}),
}  # fmt: skip


class Who(msgspec.Struct, forbid_unknown_fields=True):
    login: str | None = None
    user_id: int | None = None

    def named(self, field: str) -> UserId | str:
        """Exactly one of them. Raises Invalid."""
        if (self.login is None) == (self.user_id is None):
            raise Invalid("Name a person by login or by user_id.", field=field)
        if self.login is not None:
            return self.login
        if not 0 <= (self.user_id or 0) <= MOST_ID:
            raise Invalid("user_id has a number that no id can be.", field="user_id")
        return UserId(self.user_id or 0)


def _list_id(request: Request) -> int:
    return int(request.path_params["list_id"])


def _json(each: RecipientList) -> dict[str, Any]:
    return {
        "list_id": each.id, "name": each.name, "role": ROLES[each.role], "created": moment(each.created),
        "updated": moment(each.updated),
    }  # fmt: skip


def _tag(each: RecipientList) -> str:
    return f'"{each.id}-{each.version}"'


def _shown(each: RecipientList, status: int = 200, **headers: str) -> Response:
    return answer(_json(each), status, {"ETag": _tag(each), **headers})


def _person(user: User) -> dict[str, Any]:
    """As others see them: never the e-mail address."""
    return {"user_id": user.id, "name": user.public_name}


def _permit_sender(_request: Request, work: UnitOfWork, actor: Actor) -> None:
    require_sender(work, actor)


def _permit_editor(request: Request, work: UnitOfWork, actor: Actor) -> None:
    services_of(request).accounts.recipient_lists.get(work, actor, _list_id(request), Role.EDITOR)


def _permit_administrator(request: Request, work: UnitOfWork, actor: Actor) -> None:
    services_of(request).accounts.recipient_lists.get(work, actor, _list_id(request), Role.ADMINISTRATOR)


def _page(request: Request, rows: list[tuple[int, dict[str, Any]]], page: Page, **more: Any) -> Response:
    """A page of a list that is short: *rows* are all of it, with the number by which they are ordered."""
    (after,) = page.after or (-1,)
    rest = [row for row in rows if row[0] > after]
    shown = rest[: page.limit]
    return page_answer(
        request, [value for _, value in shown], (shown[-1][0],) if len(rest) > len(shown) else None, **more
    )


async def lists(request: Request) -> Response:
    service, page = services_of(request).accounts.recipient_lists, page_of(request, int)
    (after,) = page.after or (0,)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        rows = [(each.id, _json(each)) for each in service.page(work, actor, after, page.limit + 1)]
        return _page(request, rows, page)

    return await listing(request, bearer, call, rows=page.limit)


async def create(request: Request) -> Response:
    services, values = services_of(request), await json_members(request, name=str)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        created = services.accounts.recipient_lists.create(work, actor, values["name"] or "")
        return _shown(created, 201, Location=services.settings.absolute(f"/api/v4{LISTS}/{created.id}"))

    return await change(request, call)


async def show(request: Request) -> Response:
    service = services_of(request).accounts.recipient_lists
    return await read(request, bearer, lambda work, actor: _shown(service.get(work, actor, _list_id(request))))


async def rename(request: Request) -> Response:
    service, values = services_of(request).accounts.recipient_lists, await json_members(request, name=str)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        require_tag(request, _tag(service.get(work, actor, _list_id(request))), required=True)
        return _shown(service.rename(work, actor, _list_id(request), values["name"] or ""))

    return await write(request, bearer, call)


async def delete(request: Request) -> Response:
    service = services_of(request).accounts.recipient_lists

    def call(work: UnitOfWork, actor: Actor) -> Response:
        require_tag(request, _tag(service.get(work, actor, _list_id(request))))
        service.delete(work, actor, _list_id(request))
        return nothing()

    return await write(request, bearer, call)


async def members(request: Request) -> Response:
    """Those whom the caller may know."""
    service, page = services_of(request).accounts.recipient_lists, page_of(request, int)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        members_shown = service.members(work, actor, _list_id(request))
        rows = [
            (int(member.user.id), {**_person(member.user), "added": moment(member.added)})
            for member in members_shown.shown
        ]
        return _page(request, rows, page, hidden=members_shown.hidden)

    return await listing(request, bearer, call)


async def add_members(request: Request) -> Response:
    """All of them or nobody; who is in it already stays."""
    service, values = services_of(request).accounts.recipient_lists, await json_members(request, people=list)
    try:
        people = msgspec.convert(values["people"] or [], list[Who])
    except msgspec.ValidationError as wrong:
        raise Invalid(f"people: {wrong}", field="people") from None
    people_named = [who.named("people") for who in people]

    def call(work: UnitOfWork, actor: Actor) -> Response:
        return answer({"added": service.add_members(work, actor, _list_id(request), people_named)})

    return await change(request, call)


async def remove_member(request: Request) -> Response:
    service, user_id = services_of(request).accounts.recipient_lists, request.path_params["user_id"]

    def call(work: UnitOfWork, actor: Actor) -> Response:
        service.remove_member(work, actor, _list_id(request), user_id)
        return nothing()

    return await write(request, bearer, call)


async def roles(request: Request) -> Response:
    service, page = services_of(request).accounts.recipient_lists, page_of(request, int)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        rows = [(int(each.user.id), _role(each)) for each in service.roles(work, actor, _list_id(request))]
        return _page(request, rows, page)

    return await listing(request, bearer, call)


def _role(each: ListRole) -> dict[str, Any]:
    return {**_person(each.user), "role": ROLES[each.role]}


async def set_role(request: Request) -> Response:
    """Again with the same person changes what they may do."""
    service = services_of(request).accounts.recipient_lists
    values = await json_members(request, login=str, user_id=int, role=str)
    if values["role"] not in _BY_NAME:
        raise Invalid(f"role is one of {', '.join(_BY_NAME)}.", field="role")
    who, role = Who(values["login"], values["user_id"]).named("user_id"), _BY_NAME[values["role"]]

    def call(work: UnitOfWork, actor: Actor) -> Response:
        return answer(_role(service.set_role(work, actor, _list_id(request), who, role)))

    return await change(request, call)


async def end_role(request: Request) -> Response:
    service, user_id = services_of(request).accounts.recipient_lists, request.path_params["user_id"]

    def call(work: UnitOfWork, actor: Actor) -> Response:
        service.end_role(work, actor, _list_id(request), user_id)
        return nothing()

    return await write(request, bearer, call)


_NAME = {**object_of(name={**TEXT, "minLength": 1, "maxLength": 128}), "required": ["name"]}
_PEOPLE = {**object_of(people={**list_of(_WHO), "minItems": 1, "maxItems": 100}), "required": ["people"]}
_ROLE_BODY = {**object_of(login=TEXT, user_id=NUMBER, role=_ROLE), "required": ["role"]}
ROUTES = (
    V4Route(LISTS, "GET", lists, "Lists of recipients with which you work", SCOPE, named("RecipientListPage"),
            is_list=True),
    V4Route(LISTS, "POST", create, "Make a list of recipients", SCOPE, named("RecipientList"), _NAME, status=201,
            permit=_permit_sender, example={"name": "Press"}),
    V4Route(LIST, "GET", show, "One list of recipients", SCOPE, named("RecipientList")),
    V4Route(LIST, "PATCH", rename, "Rename a list of recipients", SCOPE, named("RecipientList"), _NAME,
            guard="required", permit=_permit_editor, example={"name": "Press, abroad"}),
    V4Route(LIST, "DELETE", delete, "Delete a list of recipients", SCOPE, status=204, guard="accepted"),
    V4Route(LIST + "/members", "GET", members, "People in a list whom you may know", SCOPE, named("ListMemberPage"),
            is_list=True),
    V4Route(LIST + "/members", "POST", add_members, "Add people to a list", SCOPE, named("ListMembersAdded"), _PEOPLE,
            permit=_permit_editor, example={"people": [{"login": "eve"}]}),
    V4Route(LIST + "/members/{user_id:int}", "DELETE", remove_member, "Remove somebody from a list", SCOPE,
            status=204),
    V4Route(LIST + "/roles", "GET", roles, "Who works with a list", SCOPE, named("ListRolePage"), is_list=True),
    V4Route(LIST + "/roles", "POST", set_role, "Let somebody work with a list, or change how", SCOPE,
            named("ListRole"), _ROLE_BODY, permit=_permit_administrator,
            example={"login": "eve", "role": "editor"}),
    V4Route(LIST + "/roles/{user_id:int}", "DELETE", end_role, "End somebody's work with a list, or leave it", SCOPE,
            status=204),
)  # fmt: skip
