"""Baskets themselves and their elements."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v4 import present
from vitrine.api.v4.baskets.content import (
    basket_id_of,
    element_ids_of,
    keys_of,
    person,
    person_in,
    require_tag,
    tag_of,
)
from vitrine.api.v4.baskets.schemas import BASKET, COUNTED, ELEMENT
from vitrine.api.v4.content import answer, chosen, json_members, json_patch, moment, nothing, sparse
from vitrine.api.v4.idempotency import change
from vitrine.api.v4.paging import listed as listed_page
from vitrine.api.v4.paging import page_of
from vitrine.api.v4.records import place_of
from vitrine.api.v4.route import PREFIX
from vitrine.baskets import BasketChanges
from vitrine.baskets.model import BasketId, BasketView, ElementId, ShownElement
from vitrine.edge import bearer, long_read, services_of, write
from vitrine.errors import Invalid
from vitrine.platform.database import UnitOfWork


def presented(view: BasketView, now: Any, wanted: frozenset[str] | None, size: tuple[int, int] | None) -> Any:
    """*size*: how many elements there are, and how many of them the caller sees; None in lists."""
    basket, own = view.basket, view.own
    value: dict[str, Any] = {
        "basket_id": basket.id,
        "name": basket.name,
        "description": basket.description,
        "owner": person_in(view, basket.owner_id),
        "pusher": None if basket.pusher_id is None else person_in(view, basket.pusher_id),
        "is_archived": basket.is_archived,
        "is_unread": view.is_unread,
        "can_modify": view.is_owner or (own is not None and own.may_modify(now)),
        "share_expires": None if view.is_owner or own is None else moment(own.share_expires),
        "has_vote": view.vote is not None,
        "created": moment(basket.created),
        "updated": moment(basket.updated),
    }
    if size is not None:
        value |= {"elements": size[0], "hidden": size[0] - size[1]}
    return sparse(value, wanted, "basket_id")


def _flag(request: Request, name: str) -> bool:
    text = request.query_params.get(name, "0")
    if text not in ("0", "1"):
        raise Invalid(f"{name} must be 0 or 1.", field=name)
    return text == "1"


async def listed(request: Request) -> Response:
    """One's own, or with `shared=1` those of others."""
    services, page, wanted = services_of(request), page_of(request, int), chosen(request, BASKET)
    (after,) = page.after or (0,)
    is_archived, is_shared = _flag(request, "archived"), _flag(request, "shared")
    if is_archived and is_shared:
        raise Invalid("Only your own baskets can be archived for you: ask for archived or shared.", field="archived")

    def call(work: UnitOfWork, actor: Actor) -> Response:
        views = services.baskets.baskets.page(
            work, actor, is_owner=not is_shared, is_archived=is_archived, after=after, limit=page.limit + 1
        )
        return listed_page(
            request, views, page, lambda view: (view.basket.id,), lambda view: presented(view, work.now, wanted, None)
        )

    return await long_read(request, bearer, call)


async def create(request: Request) -> Response:
    services, values = services_of(request), await json_members(request, name=str, description=str)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        view = services.baskets.baskets.create(work, actor, values["name"] or "", values["description"] or "")
        return created(request, view.basket.id)

    return await change(request, call)


def created(request: Request, basket_id: BasketId) -> Response:
    location = services_of(request).settings.absolute(f"{PREFIX}/baskets/{basket_id}")
    return answer({"basket_id": basket_id}, 201, {"Location": location})


async def show(request: Request) -> Response:
    services, wanted = services_of(request), chosen(request, BASKET)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        view = services.baskets.baskets.get(work, actor, basket_id_of(request))
        return _shown(request, work, actor, view, wanted)

    return await long_read(request, bearer, call)


def _shown(
    request: Request, work: UnitOfWork, actor: Actor, view: BasketView, wanted: frozenset[str] | None
) -> Response:
    is_counted = wanted is None or bool(wanted & COUNTED)
    size = services_of(request).baskets.baskets.size(work, actor, view.basket.id) if is_counted else None
    return answer(presented(view, work.now, wanted, size), headers={"ETag": tag_of(view.basket)})


async def update(request: Request) -> Response:
    """Name, description, archived: a merge patch."""
    services = services_of(request)
    values = await json_patch(request, name=str, description=str, is_archived=bool)
    for required in ("name", "is_archived"):
        if required in values and values[required] is None:
            raise Invalid(f"{required} cannot be empty.", field=required)
    if "description" in values:
        values["description"] = values["description"] or ""
    changes = BasketChanges(**values)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        baskets = services.baskets.baskets
        require_tag(request, baskets.get(work, actor, basket_id_of(request)).basket, required=True)
        return _shown(request, work, actor, baskets.update(work, actor, basket_id_of(request), changes), None)

    return await write(request, bearer, call)


async def mark_read(request: Request) -> Response:
    services, values = services_of(request), await json_members(request, is_read=bool)
    is_read = values["is_read"] is not False

    def call(work: UnitOfWork, actor: Actor) -> Response:
        services.baskets.baskets.mark_read(work, actor, basket_id_of(request), is_read=is_read)
        return answer({"basket_id": basket_id_of(request)})

    return await change(request, call)


async def delete(request: Request) -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        require_tag(request, services.baskets.baskets.get(work, actor, basket_id_of(request)).basket)
        services.baskets.baskets.delete(work, actor, basket_id_of(request))
        return nothing()

    return await write(request, bearer, call)


# -- elements ----------------------------------------------------------------------------------------------------------


async def elements(request: Request) -> Response:
    """Those whose records the caller sees, in order."""
    services, page, wanted = services_of(request), page_of(request, int, int), chosen(request, ELEMENT)
    after = page.after or (0, 0)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        shown = services.baskets.baskets.elements_after(
            work, actor, basket_id_of(request), (after[0], after[1]), page.limit + 1
        )
        place = place_of(request, work, actor)

        def present_element(item: ShownElement) -> dict[str, Any]:
            return sparse(_element(place, shown.view, item), wanted, "element_id")

        return listed_page(
            request, shown.elements, page, lambda item: (item.element.position, item.element.id), present_element
        )

    return await long_read(request, bearer, call)


def _element(place: present.Place, view: BasketView, item: ShownElement) -> dict[str, Any]:
    own = None if view.own is None else item.choices.get(view.own.id)
    by_id = {participant.id: participant for participant in view.participants}
    return {
        "element_id": item.element.id,
        "created": moment(item.element.created),
        "record": present.record(place, item.shown, None, present.IN_LISTS),
        "agreement": None if own is None else own.agreement,
        "note": "" if own is None else own.note,
        "choices": [
            {
                "person": person(view.users.get(by_id[who].user_id), by_id[who].user_id),
                "agreement": choice.agreement,
                "note": choice.note,
                "updated": moment(choice.updated),
            }
            for who, choice in item.choices.items()
            if who in by_id
        ],
    }


async def add_elements(request: Request) -> Response:
    services, values = services_of(request), await json_members(request, records=list)
    keys = keys_of(values["records"] or [])

    def call(work: UnitOfWork, actor: Actor) -> Response:
        require_tag(request, services.baskets.baskets.get(work, actor, basket_id_of(request)).basket)
        added = services.baskets.elements.add(work, actor, basket_id_of(request), keys)
        return answer({"added": added.added, "already": added.already, "not_granted": added.not_granted})

    return await change(request, call)


async def remove_element(request: Request) -> Response:
    services, element = services_of(request), ElementId(request.path_params["element_id"])

    def call(work: UnitOfWork, actor: Actor) -> Response:
        require_tag(request, services.baskets.baskets.get(work, actor, basket_id_of(request)).basket)
        services.baskets.elements.remove(work, actor, basket_id_of(request), [element])
        return nothing()

    return await write(request, bearer, call)


async def remove_elements(request: Request) -> Response:
    services, values = services_of(request), await json_members(request, elements=list)
    element_ids = element_ids_of(values["elements"] or [])

    def call(work: UnitOfWork, actor: Actor) -> Response:
        require_tag(request, services.baskets.baskets.get(work, actor, basket_id_of(request)).basket)
        removed = services.baskets.elements.remove(work, actor, basket_id_of(request), element_ids)
        return answer({"removed": removed})

    return await change(request, call)


async def reorder(request: Request) -> Response:
    """The named elements take, in this order, the places that they have now."""
    services, values = services_of(request), await json_members(request, elements=list)
    element_ids = element_ids_of(values["elements"] or [])

    def call(work: UnitOfWork, actor: Actor) -> Response:
        baskets = services.baskets.baskets
        require_tag(request, baskets.get(work, actor, basket_id_of(request)).basket, required=True)
        services.baskets.elements.reorder(work, actor, basket_id_of(request), element_ids)
        return _shown(request, work, actor, baskets.get(work, actor, basket_id_of(request)), None)

    return await write(request, bearer, call)
