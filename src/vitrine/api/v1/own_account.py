"""What people change of their own account: contract 02 section 6.10.

`update-account` and `update-password` answer 200 with `success` false where the account refuses what was sent."""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor, User
from vitrine.accounts.registration.model import Demand
from vitrine.api.v1 import library
from vitrine.api.v1.json_body import json_body
from vitrine.api.v1.route import V1Route
from vitrine.api.wire.envelope import answer
from vitrine.edge import bearer, read, run_in_thread, services_of, write
from vitrine.edge.params import natural
from vitrine.errors import DomainError, Invalid
from vitrine.platform.database import UnitOfWork

PROFILE = {
    "gender": "gender", "firstname": "first_name", "lastname": "last_name", "zip_code": "zip_code", "city": "city",
    "tel": "phone", "company": "company", "job": "job",
}  # fmt: skip
MOST_COLLECTIONS = 1_000


async def close(request: Request) -> Response:
    """DELETE /me/"""
    administration = services_of(request).accounts.administration
    return answer(request, {"success": await write(request, bearer, administration.close_own)})


async def request_collections(request: Request) -> Response:
    """POST /me/request-collections/: ids of collections that take no requests are left out of the answer."""
    services = services_of(request)
    await read(request, bearer, lambda _work, _actor: None)
    wanted = base_ids(await json_body(request, any_type=True), "body")

    def call(work: UnitOfWork, actor: Actor) -> list[Demand]:
        user = services.accounts.users.get(work, actor.must_user_id)
        return services.accounts.registration.request(work, user, wanted)

    demands = await write(request, bearer, call)
    return answer(request, {"demands": [_demand(demand) for demand in demands]})


def _demand(demand: Demand) -> dict[str, Any]:
    return {
        "databox_id": demand.databox_id,
        "base_id": demand.base_id,
        "collection_id": demand.number,
        "status": demand.state.value,
    }


def base_ids(value: Any, field: str) -> list[int]:
    """A list of base_ids as JSON. Raises Invalid."""
    if isinstance(value, list):  # PHP sends digits as texts
        value = [natural(item) if isinstance(item, str) else item for item in value]
    if not isinstance(value, list) or not all(_is_id(item) for item in value):
        raise Invalid("Send a list of base_ids, such as [12, 14].", field=field)
    if len(value) > MOST_COLLECTIONS:
        raise Invalid("At most {count} collections at once.", field=field, values={"count": MOST_COLLECTIONS})
    return value


def _is_id(item: Any) -> bool:
    return isinstance(item, int) and not isinstance(item, bool) and 0 < item < 2**63


async def update_account(request: Request) -> Response:
    """POST /me/update-account/: a new e-mail address counts once the link that is sent to it was followed."""
    services = services_of(request)
    await read(request, bearer, lambda _work, _actor: None)
    given = as_object(await json_body(request))

    def call(work: UnitOfWork, actor: Actor) -> User:
        users = services.accounts.users
        changes = profile_of(given, PROFILE)
        user = users.update_profile(work, actor, changes) if changes else users.get(work, actor.must_user_id)
        wants_mail = flag_of(given, "notifications")
        if wants_mail is not None:
            users.set_wants_mail(work, actor, wants_mail)
        email = text_of(given, "email")
        if email is not None and email.strip() != (user.email or ""):
            language = user.locale or services.settings.default_language
            services.accounts.mail.request_address_change(work, actor, email, language)
        return user

    return await _outcome(request, lambda: write(request, bearer, call))


async def update_password(request: Request) -> Response:
    """POST /me/update-password/: the current password is required, and a wrong one counts as a failed sign-in."""
    services = services_of(request)
    actor = await read(request, bearer, lambda _work, actor: actor)
    given = as_object(await json_body(request))

    def change() -> None:
        new = given.get("password")
        texts = (
            given.get("oldPassword"),
            *((new.get("password"), new.get("confirm")) if isinstance(new, dict) else ()),
        )
        if len(texts) != 3 or not all(isinstance(text, str) for text in texts):
            raise Invalid('Send {"oldPassword", "password": {"password", "confirm"}} as texts.', field="password")
        old, password, confirmation = (str(text) for text in texts)
        if password != confirmation:
            raise Invalid("The two new passwords are not the same.", field="confirm")
        services.accounts.users.change_password(actor, old=old, new=password)

    return await _outcome(request, lambda: run_in_thread(change))


async def _outcome(request: Request, change: Callable[[], Any]) -> Response:
    try:
        await change()
    except DomainError as refusal:
        if refusal.code not in _SAID:
            raise
        return answer(request, {"success": False, "message": refusal.detail})
    return answer(request, {"success": True})


# What the account refuses; a refused token or a busy database keeps its status.
_SAID = frozenset({"invalid", "weak_password", "wrong_credentials", "account_locked", "too_many_mails"})


def as_object(value: Any) -> Mapping[str, Any]:
    """A JSON object; an empty list is an empty one, as PHP writes it. Raises Invalid for anything else."""
    if value == []:
        return {}
    if not isinstance(value, dict):
        raise Invalid("Send a JSON object.", field="body")
    return value


def text_of(given: Mapping[str, Any], name: str) -> str | None:
    """A text, also one that came as a whole number (a postcode); None if absent or null. Raises Invalid."""
    value = given.get(name)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**20:
        return str(value)
    if value is not None and not isinstance(value, str):
        raise Invalid("{name} must be a text.", field=name, values={"name": name})
    return value


def flag_of(given: Mapping[str, Any], name: str) -> bool | None:
    """true or false, also as 1 or 0; None if absent or null. Raises Invalid."""
    value = given.get(name)
    if value is None:
        return None
    if value in (True, False, "1", "0"):
        return value in (True, "1")
    raise Invalid("{name} must be true or false.", field=name, values={"name": name})


def profile_of(given: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a profile that are there and not null, by our names. Raises Invalid."""
    changes: dict[str, Any] = {}
    for wire, name in names.items():
        text = text_of(given, wire)
        if text is None:
            continue
        if name != "gender":
            changes[name] = text.strip()
        elif text in ("0", "1", "2"):
            changes[name] = int(text)
        else:
            raise Invalid("gender must be 0 (Miss), 1 (Mrs) or 2 (Mr).", field=wire)
    return changes


ROUTES: tuple[V1Route, ...] = (
    V1Route(
        "/me/",
        ("GET", "DELETE"),
        {"GET": library.me, "DELETE": close},
        "02 §6.10",
        "The caller and their rights; closing the account",
        {"GET": "account:read", "DELETE": "account:close"},
    ),
    V1Route(
        "/me/request-collections/",
        ("POST",),
        request_collections,
        "02 §6.10",
        "Ask for access to collections",
        "account:edit",
    ),
    V1Route("/me/update-account/", ("POST",), update_account, "02 §6.10", "Change the profile", "account:edit"),
    V1Route("/me/update-password/", ("POST",), update_password, "02 §6.10", "Change the password", "account:edit"),
)
