"""What the operations of baskets share: rights, ids, tags, people and instants of bodies."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request

from vitrine.accounts import Actor, User, UserId
from vitrine.api.v4 import content
from vitrine.baskets import giving, roles
from vitrine.baskets.model import Basket, BasketId, BasketView, ElementId
from vitrine.baskets.sharing import ShareTerms, person_name
from vitrine.edge import services_of
from vitrine.errors import Invalid
from vitrine.library.model import DataboxId, RecordKey
from vitrine.platform.database import UnitOfWork

MOST_ID = 2**63 - 1
T = TypeVar("T")


def basket_id_of(request: Request) -> BasketId:
    return BasketId(request.path_params["basket_id"])


# -- who may send what: a right on the basket of the path --------------------------------------------------------------


def opened(request: Request, work: UnitOfWork, actor: Actor) -> None:
    roles.opened(work, actor, basket_id_of(request))


def owned(request: Request, work: UnitOfWork, actor: Actor) -> None:
    roles.owned(work, actor, basket_id_of(request))


def modifiable(request: Request, work: UnitOfWork, actor: Actor) -> None:
    roles.modifiable(work, actor, basket_id_of(request))


def shareable(request: Request, work: UnitOfWork, actor: Actor) -> None:
    giving.shareable(work, actor, basket_id_of(request))


def voting(request: Request, work: UnitOfWork, actor: Actor) -> None:
    services_of(request).baskets.votes.permit(work, actor, basket_id_of(request))


def pushing(_request: Request, work: UnitOfWork, actor: Actor) -> None:
    """Something, to somebody: the body says what and to whom."""
    giving.require_push_somewhere(work, actor)


# -- what they send and get --------------------------------------------------------------------------------------------


def tag_of(basket: Basket) -> str:
    return f'"{basket.id}-{basket.version}"'


def require_tag(request: Request, basket: Basket, *, required: bool = False) -> None:
    content.require_tag(request, tag_of(basket), required=required)


def person(user: User | None, user_id: UserId) -> dict[str, Any]:
    """A person as others see them: never the e-mail address."""
    return {"user_id": user_id, "name": "" if user is None else person_name(user)}


def person_in(view: BasketView, user_id: UserId) -> dict[str, Any]:
    return person(view.users.get(user_id), user_id)


class _Record(msgspec.Struct, forbid_unknown_fields=True):
    databox_id: int
    record_id: int


class Who(msgspec.Struct, forbid_unknown_fields=True):
    login: str | None = None
    user_id: int | None = None


def converted(value: Any, kind: type[T], field: str) -> T:
    """A part of a body as *kind*. Raises Invalid naming *field*."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as wrong:
        raise Invalid(f"{field}: {wrong}", field=field) from None


def keys_of(value: Any) -> list[RecordKey]:
    """`records` of a body."""
    records = converted(value, list[_Record], "records")
    if not records:
        raise Invalid("records must name at least one record: databox_id and record_id.", field="records")
    return [
        RecordKey(DataboxId(fitting(record.databox_id, "records")), fitting(record.record_id, "records"))
        for record in records
    ]


def element_ids_of(value: Any) -> list[ElementId]:
    ids = converted(value, list[int], "elements")
    if not ids:
        raise Invalid("elements must name at least one element.", field="elements")
    return [ElementId(fitting(number, "elements")) for number in ids]


def fitting(number: int, field: str) -> int:
    """An id that a row can have. Raises Invalid."""
    if not 0 <= number <= MOST_ID:
        raise Invalid(f"{field} has a number that no id can be.", field=field)
    return number


def list_ids_of(value: Any) -> list[int]:
    """`recipient_lists` of a body."""
    return [fitting(number, "recipient_lists") for number in converted(value or [], list[int], "recipient_lists")]


def people_of_lists(request: Request, work: UnitOfWork, actor: Actor, list_ids: Sequence[int]) -> list[UserId]:
    """To whom something goes that the actor sends to these lists. Raises NoSuchList, or Invalid where nobody is in
    them."""
    if not list_ids:
        return []
    people = services_of(request).accounts.recipient_lists.recipients(work, actor, list_ids)
    if not people:
        raise Invalid("There is nobody in these lists.", field="recipient_lists")
    return people


def person_named(login: str | None, user_id: int | None) -> UserId | str:
    """Exactly one of them. Raises Invalid."""
    if (login is None) == (user_id is None):
        raise Invalid("Name a person by login or by user_id, one of them.", field="login")
    if user_id is not None:
        return UserId(fitting(user_id, "user_id"))
    if not (login or "").strip():
        raise Invalid("login must be the login or the e-mail address of somebody here.", field="login")
    return str(login)


def instant_of(text: str | None, field: str = "expires") -> datetime | None:
    """RFC 3339, with its zone. Raises Invalid."""
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
        instant.timestamp()
    except (ValueError, OverflowError):
        instant = None
    if instant is None or instant.tzinfo is None:
        raise Invalid(f"{field} must be a date and time with its zone, such as 2030-05-01T12:00:00Z.", field=field)
    return instant


def terms_of(values: dict[str, Any]) -> ShareTerms:
    return ShareTerms(
        can_modify=bool(values.get("can_modify")),
        expires=instant_of(values["expires"]),
        with_originals=bool(values["with_originals"]),
    )
