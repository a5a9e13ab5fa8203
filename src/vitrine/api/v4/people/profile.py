"""The caller's own profile, and their requests for access."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor, User
from vitrine.accounts.registration.model import OpenCollection
from vitrine.accounts.service import PROFILE_FIELDS
from vitrine.api.v4.content import answer, json_members, json_patch, require_tag, tag_of
from vitrine.api.v4.idempotency import change
from vitrine.api.v4.paging import listed, page_of
from vitrine.api.v4.route import V4Route
from vitrine.api.v4.schemas import (
    NUMBER,
    PERHAPS_NUMBER,
    PERHAPS_TEXT,
    TEXT,
    Schema,
    full_object_of,
    list_of,
    named,
    object_of,
)
from vitrine.api.v4.schemas import page_of as page_schema
from vitrine.api.wire.endpoint import anybody
from vitrine.edge import bearer, read, services_of, write
from vitrine.errors import Invalid
from vitrine.platform.database import UnitOfWork

MOST_COLLECTIONS = 1_000
_GENDER: Schema = {"enum": [0, 1, 2, None], "description": "0 Miss, 1 Mrs, 2 Mr"}
_PROFILE: dict[str, Schema] = {
    name: _GENDER if name == "gender" else PERHAPS_TEXT if name == "locale" else TEXT for name in PROFILE_FIELDS
}
_STATE: Schema = {"enum": ["open", "pending", "rejected", "accepted"]}
COMPONENTS: dict[str, Schema] = {
    "Profile": full_object_of(user_id=NUMBER, login=TEXT, email=PERHAPS_TEXT, geoname_id=PERHAPS_NUMBER, **_PROFILE),
    "AccessRequest": full_object_of(base_id=NUMBER, databox_id=NUMBER, name=TEXT, state=_STATE),
    "AccessRequestPage": page_schema(named("AccessRequest")),
    "AccessRequestStates": full_object_of(
        data=list_of(full_object_of(base_id=NUMBER, databox_id=NUMBER, state=_STATE))
    ),
}


def profile_json(user: User) -> dict[str, Any]:
    fields = {name: getattr(user, name) for name in PROFILE_FIELDS}
    return {"user_id": user.id, "login": user.login, "email": user.email, "geoname_id": user.geoname_id, **fields}


def _shown(user: User) -> Response:
    return answer(profile_json(user), headers={"ETag": tag_of(user.updated, user.id)})


async def profile(request: Request) -> Response:
    users = services_of(request).accounts.users
    return await read(request, bearer, lambda work, actor: _shown(users.get(work, actor.must_user_id)))


async def change_profile(request: Request) -> Response:
    """null empties a text."""
    users = services_of(request).accounts.users
    kinds: dict[str, type | tuple[type, ...]] = {name: int if name == "gender" else str for name in PROFILE_FIELDS}
    changes = await json_patch(request, **kinds)
    for name, value in changes.items():
        if value is None and name not in ("gender", "locale"):
            changes[name] = ""
    if changes.get("gender") not in (None, 0, 1, 2):
        raise Invalid("gender must be 0 (Miss), 1 (Mrs), 2 (Mr) or null.", field="gender")
    if len(changes.get("locale") or "") > 8:
        raise Invalid("locale must be the code of a language, such as fr.", field="locale")

    def call(work: UnitOfWork, actor: Actor) -> Response:
        user = users.get(work, actor.must_user_id)
        require_tag(request, tag_of(user.updated, user.id), required=True)
        return _shown(users.update_profile(work, actor, changes) if changes else user)

    return await write(request, bearer, call)


async def requests(request: Request) -> Response:
    """The collections that take requests, with the state of the caller's own."""
    services, page = services_of(request), page_of(request, int)
    (after,) = page.after or (0,)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        registration = services.accounts.registration
        states = registration.states(work, actor.must_user_id)
        collections = sorted(registration.open_collections(work), key=lambda collection: collection.base_id)
        rest = [collection for collection in collections if collection.base_id > after][: page.limit + 1]

        def present(collection: OpenCollection) -> dict[str, Any]:
            state = states.get(collection.base_id)
            return {
                "base_id": collection.base_id, "databox_id": collection.databox_id, "name": collection.name,
                "state": state.value if state else "open",
            }  # fmt: skip

        return listed(request, rest, page, lambda collection: (collection.base_id,), present)

    return await read(request, bearer, call)


async def ask(request: Request) -> Response:
    services = services_of(request)
    members = await json_members(request, base_ids=list)
    wanted = members["base_ids"]
    if wanted is not None and not all(type(item) is int and 0 < item < 2**63 for item in wanted):
        raise Invalid("base_ids must be a list of numbers.", field="base_ids")
    if wanted is not None and len(wanted) > MOST_COLLECTIONS:
        raise Invalid(f"At most {MOST_COLLECTIONS} collections at once.", field="base_ids")

    def call(work: UnitOfWork, actor: Actor) -> Response:
        user = services.accounts.users.get(work, actor.must_user_id)
        demands = services.accounts.registration.request(work, user, wanted)
        data = [
            {"base_id": demand.base_id, "databox_id": demand.databox_id, "state": demand.state.value}
            for demand in demands
        ]
        return answer({"data": data}, 201)

    return await change(request, call)


ROUTES = (
    V4Route("/me/profile", "GET", profile, "Your profile", "account:read", named("Profile")),
    V4Route("/me/profile", "PATCH", change_profile, "Change your profile", "account:edit", named("Profile"),
            object_of(**_PROFILE), guard="required", permit=anybody, example={"city": "Brest", "company": None}),
    V4Route("/me/access-requests", "GET", requests, "Collections that you may ask for, and what became of it",
            "account:read", named("AccessRequestPage"), is_list=True),
    V4Route("/me/access-requests", "POST", ask, "Ask for access; to all that are open without base_ids",
            "account:edit", named("AccessRequestStates"), object_of(base_ids=list_of(NUMBER)), 201, permit=anybody,
            example={"base_ids": [1]}),
)  # fmt: skip
