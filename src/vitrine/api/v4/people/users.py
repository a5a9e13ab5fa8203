"""Other people's accounts and rights, for those who manage them."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor, DataboxRight, User, giving
from vitrine.accounts.groups.model import Applied
from vitrine.api.v4.content import answer, json_members, moment, nothing
from vitrine.api.v4.idempotency import change
from vitrine.api.v4.paging import listed, page_answer, page_of
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
from vitrine.api.v4.people.profile import COMPONENTS as PROFILES
from vitrine.api.v4.people.profile import profile_json
from vitrine.api.v4.route import V4Route
from vitrine.api.v4.schemas import (
    FLAG,
    MOMENT,
    NUMBER,
    PERHAPS_MOMENT,
    PERHAPS_TEXT,
    TEXT,
    Schema,
    full_object_of,
    list_of,
    named,
    object_of,
)
from vitrine.api.v4.schemas import page_of as page_schema
from vitrine.edge import bearer, read, services_of, write
from vitrine.edge.params import natural
from vitrine.errors import Invalid
from vitrine.library.errors import NoSuchDatabox
from vitrine.library.model import CollectionId, DataboxId
from vitrine.oauth.inactive_accounts import MOST_DAYS
from vitrine.platform.database import UnitOfWork

SCOPE = "users"
_PERSON: dict[str, Schema] = {"user_id": NUMBER, "login": TEXT, "display_name": TEXT, "email": PERHAPS_TEXT}
COMPONENTS: dict[str, Schema] = {
    "UserSummary": full_object_of(**_PERSON),
    "UserPage": page_schema(named("UserSummary")),
    "Account": full_object_of(
        **PROFILES["Profile"]["properties"], display_name=TEXT, is_admin=FLAG, is_locked=FLAG, created=MOMENT,
        last_connection=PERHAPS_MOMENT,
    ),
    "InactiveAccountPage": page_schema(
        full_object_of(
            **_PERSON, is_admin={**FLAG, "description": "never suspended for this"}, last_active=MOMENT,
            warned={**PERHAPS_MOMENT, "description": "when the owner was told"},
        )
    ),
    "NewAccount": full_object_of(user_id=NUMBER, login=TEXT),
    "RightsOfPerson": full_object_of(
        own=list_of(named("Grant")), effective=list_of(named("Grant")), databoxes=list_of(named("DataboxGrant")),
        groups=list_of(full_object_of(group_id=NUMBER, name=TEXT)),
    ),
    "AppliedTemplate": full_object_of(given=list_of(NUMBER), left_out=list_of(NUMBER)),
}  # fmt: skip


def person_json(user: User) -> dict[str, Any]:
    return {"user_id": user.id, "login": user.login, "display_name": user.display_name, "email": user.email}


def _person(request: Request, work: UnitOfWork, actor: Actor) -> User:
    """The person of the path, whom the actor may know. Raises NotFound."""
    return services_of(request).accounts.management.known(work, actor, request.path_params["user_id"])


def permit_manager(request: Request, work: UnitOfWork, actor: Actor) -> None:
    """For who manages the users of some collection."""
    services_of(request).accounts.management.require_manager(work, actor)


def permit_giving(request: Request, work: UnitOfWork, actor: Actor) -> None:
    """For who manages the users of the collection of the path."""
    permit_manager(request, work, actor)
    if not giving.gives_everything(actor):
        giving.own_grant(work, actor, request.path_params["base_id"])


def _permit_databox_rights(request: Request, work: UnitOfWork, actor: Actor) -> None:
    _person(request, work, actor)
    services_of(request).accounts.users.require_databox_giver(actor)


async def people(request: Request) -> Response:
    """Of a collection whose users the caller manages; administrators may leave it out and get everybody."""
    services, page = services_of(request), page_of(request, int)
    (after,) = page.after or (0,)
    text = request.query_params.get("base_id")
    base = None if text is None else natural(text)
    if text is not None and base is None:
        raise Invalid("base_id must be a number.", field="base_id")

    def call(work: UnitOfWork, actor: Actor) -> Response:
        rows = services.accounts.management.page(work, actor, base, after, page.limit + 1)
        return listed(request, rows, page, lambda user: (user.id,), person_json)

    return await read(request, bearer, call)


async def inactive(request: Request) -> Response:
    """For administrators. A page looks at a bounded number of accounts: `next` may come with few of them, or none."""
    services, page = services_of(request), page_of(request, int)
    (after,) = page.after or (0,)
    text = request.query_params.get("days")
    days = None if text is None else natural(text)
    if text is not None and days is None:
        raise Invalid("days must be a whole number.", field="days")

    def call(work: UnitOfWork, actor: Actor) -> Response:
        unused, following = services.accounts.inactive.page(work, actor, days, after=after, limit=page.limit)
        rows = [
            {**person_json(row.user), "is_admin": row.user.is_admin, "last_active": moment(row.last),
             "warned": moment(row.warned)}
            for row in unused
        ]  # fmt: skip
        return page_answer(request, rows, None if following is None else (following,))

    return await read(request, bearer, call)


async def person(request: Request) -> Response:
    def call(work: UnitOfWork, actor: Actor) -> Response:
        user = _person(request, work, actor)
        more = {
            "display_name": user.display_name, "is_admin": user.is_admin, "is_locked": user.mail_locked,
            "created": moment(user.created), "last_connection": moment(user.last_connection),
        }  # fmt: skip
        return answer({**profile_json(user), **more})

    return await read(request, bearer, call)


async def add(request: Request) -> Response:
    """Locked until its owner follows the link that is mailed to them, and chooses a password."""
    services = services_of(request)
    management = services.accounts.management
    members = await json_members(request, login=str, email=str, first_name=str, last_name=str)
    email = members["email"]
    if not email:
        raise Invalid("email is required.", field="email")
    profile = {name: members[name] or "" for name in ("first_name", "last_name")}

    def call(work: UnitOfWork, actor: Actor) -> Response:
        user = management.invite(
            work, actor, login=members["login"] or email, email=email, profile=profile,
            language=(actor.locale or services.settings.default_language)[:2],
        )  # fmt: skip
        location = services.settings.absolute(f"/api/v4/users/{user.id}")
        return answer({"user_id": user.id, "login": user.login}, 201, {"Location": location})

    return await change(request, call)


async def rights(request: Request) -> Response:
    """Those on collections whose users the caller manages: the person's own, and what they come to with groups."""
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        user = _person(request, work, actor)
        own, effective, boxes = services.accounts.management.rights(work, actor, user)
        groups = services.accounts.groups.of(work, actor, user)
        value = {
            "own": [grant_json(grant) for grant in own],
            "effective": [grant_json(grant) for grant in effective],
            "databoxes": databox_grants(boxes),
            "groups": [{"group_id": group.id, "name": group.name} for group in groups],
        }
        return answer(value)

    return await read(request, bearer, call)


def databox_of(request: Request, work: UnitOfWork, base_id: int) -> int:
    """The databox of a collection. Raises NoSuchCollection."""
    return services_of(request).library.records.collection(work, CollectionId(base_id)).databox_id


def known_databox(request: Request, work: UnitOfWork) -> DataboxId:
    """The databox of the path: who administers needs no rights on it. Raises NoSuchDatabox."""
    number = DataboxId(request.path_params["databox_id"])
    if number not in services_of(request).library.records.structure(work).databoxes:
        raise NoSuchDatabox("There is no such databox.")
    return number


async def set_rights(request: Request) -> Response:
    services, base = services_of(request), request.path_params["base_id"]
    members = await json_members(request, **MEMBERS)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        grant = grant_of(base, databox_of(request, work, base), members)
        services.accounts.users.grant(work, actor, services.accounts.users.get(work, _user_id(request)).id, grant)
        return answer(grant_json(grant))

    return await write(request, bearer, call)


def _user_id(request: Request) -> Any:
    return request.path_params["user_id"]


async def take_rights(request: Request) -> Response:
    services, base = services_of(request), request.path_params["base_id"]

    def call(work: UnitOfWork, actor: Actor) -> Response:
        user = _person(request, work, actor)
        box = databox_of(request, work, base)
        services.accounts.administration.take_rights(work, actor, user.id, base, box)
        return nothing()

    return await write(request, bearer, call)


async def set_databox_rights(request: Request) -> Response:
    services = services_of(request)
    wanted = rights_of((await json_members(request, rights=list))["rights"], DataboxRight)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        user = _person(request, work, actor)
        services.accounts.users.grant_databox(work, actor, user.id, known_databox(request, work), wanted)
        return nothing()

    return await write(request, bearer, call)


async def apply_template(request: Request) -> Response:
    services = services_of(request)
    number = (await json_members(request, template_id=int))["template_id"] or 0

    def call(work: UnitOfWork, actor: Actor) -> Response:
        user = services.accounts.users.get(work, _user_id(request))
        applied: Applied = services.accounts.templates.apply(work, actor, number, user)
        return answer({"given": list(applied.given), "left_out": list(applied.left_out)})

    return await change(request, call)


_USER = "/users/{user_id:int}"
ROUTES = (
    V4Route("/users", "GET", people, "People of a collection that you manage", SCOPE, named("UserPage"),
            query={"base_id": NUMBER}, is_list=True),
    V4Route("/users", "POST", add, "Make an account; its owner is sent the link that unlocks it", SCOPE,
            named("NewAccount"), object_of(login=TEXT, email=TEXT, first_name=TEXT, last_name=TEXT), 201,
            permit=permit_manager, example={"email": "new@museum.example"}),
    V4Route("/users/inactive", "GET", inactive, "Accounts that nobody uses (administrators)", SCOPE,
            named("InactiveAccountPage"),
            query={"days": {"type": "integer", "minimum": 1, "maximum": MOST_DAYS,
                            "description": "time without sign-in and use of tokens"}}, is_list=True),
    V4Route(_USER, "GET", person, "One account", SCOPE, named("Account")),
    V4Route(_USER + "/rights", "GET", rights, "What a person may do where you manage", SCOPE,
            named("RightsOfPerson")),
    V4Route(_USER + "/rights/{base_id:int}", "PUT", set_rights, "Give rights on a collection", SCOPE, named("Grant"),
            GRANT_BODY, permit=permit_giving, example=GRANT_EXAMPLE),
    V4Route(_USER + "/rights/{base_id:int}", "DELETE", take_rights, "Take the rights on a collection back", SCOPE,
            status=204),
    V4Route(_USER + "/databox-rights/{databox_id:int}", "PUT", set_databox_rights,
            "Give rights on a databox (administrators)", SCOPE, body=object_of(rights=DATABOX_RIGHTS), status=204,
            permit=_permit_databox_rights,
            example={"rights": ["bas_chupub"]}),
    V4Route(_USER + "/template", "POST", apply_template, "Apply one of your templates", SCOPE,
            named("AppliedTemplate"), object_of(template_id=NUMBER), permit=permit_manager, example={"template_id": 1}),
)  # fmt: skip
