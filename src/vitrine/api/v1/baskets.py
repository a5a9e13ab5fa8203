"""Baskets: contract 02 section 6.7, and those of a record in `related/` (section 6.6)."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v1.frame import frame_of, records_json
from vitrine.api.v1.language import language_of
from vitrine.api.v1.present_baskets import LANGUAGES, BasketPresenter
from vitrine.api.v1.route import V1Route
from vitrine.api.wire.envelope import answer
from vitrine.baskets import BasketChanges, roles
from vitrine.baskets.model import MOST_ELEMENTS, BasketId
from vitrine.baskets.service import LongBasket
from vitrine.edge import SHORT_LIST, bearer, long_read, read, services_of, write
from vitrine.errors import Invalid
from vitrine.library.model import RecordKey
from vitrine.platform.database import UnitOfWork


def presenter_of(request: Request, work: UnitOfWork, actor: Actor) -> BasketPresenter:
    return BasketPresenter(frame_of(request, work, actor), language_of(request, LANGUAGES))


def _id_of(request: Request) -> BasketId:
    return BasketId(int(request.path_params["basket"]))


def _name_of(request: Request) -> str:
    """Kept as it is sent, tags included (02 section 6.7)."""
    name: str | None = request.state.params.text("name")
    if name is None:
        raise Invalid("name is required: the name of the basket.", field="name")
    return name


async def listed(request: Request) -> Response:
    """GET /baskets/list/: not paged; bounded where baskets are made (`baskets.model`)."""

    def call(work: UnitOfWork, actor: Actor) -> list[dict[str, Any]]:
        return _list(request, work, actor)

    return answer(request, {"baskets": await long_read(request, bearer, call)})


def _list(request: Request, work: UnitOfWork, actor: Actor) -> list[dict[str, Any]]:
    presenter = presenter_of(request, work, actor)
    return [presenter.basket(view) for view in services_of(request).baskets.baskets.listed(work, actor)]


async def add(request: Request) -> Response:
    """POST /baskets/add/: a description is ignored."""

    def call(work: UnitOfWork, actor: Actor) -> dict[str, Any]:
        view = services_of(request).baskets.baskets.create(work, actor, _name_of(request))
        return presenter_of(request, work, actor).basket(view)

    return answer(request, {"basket": await write(request, bearer, call)})


async def content(request: Request) -> Response:
    """GET /baskets/{basket}/content/: a short basket is read in the event loop, a long one in a thread."""
    services, basket_id = services_of(request), _id_of(request)

    def call(work: UnitOfWork, actor: Actor, most: int = MOST_ELEMENTS) -> dict[str, Any]:
        shown = services.baskets.baskets.content(work, actor, basket_id, most=most)
        presenter = presenter_of(request, work, actor)
        records = records_json(request, work, frame_of(request, work, actor), [item.shown for item in shown.elements])
        return {
            "basket": presenter.basket(shown.view),
            "basket_elements": presenter.elements(shown.view, shown.elements, records),
        }

    try:
        body = await read(request, bearer, lambda work, actor: call(work, actor, SHORT_LIST))
    except LongBasket:
        body = await long_read(request, bearer, call)
    return answer(request, body)


async def set_name(request: Request) -> Response:
    """POST /baskets/{basket}/setname/"""

    def call(work: UnitOfWork, actor: Actor) -> dict[str, Any]:
        baskets, basket_id = services_of(request).baskets.baskets, _id_of(request)
        roles.owned(work, actor, basket_id)  # before anything is said of the name
        view = baskets.update(work, actor, basket_id, BasketChanges(name=_name_of(request)))
        return presenter_of(request, work, actor).basket(view)

    return answer(request, {"basket": await write(request, bearer, call)})


async def set_description(request: Request) -> Response:
    """POST /baskets/{basket}/setdescription/: a missing description empties it."""

    def call(work: UnitOfWork, actor: Actor) -> dict[str, Any]:
        description = request.state.params.text("description") or ""
        view = services_of(request).baskets.baskets.update(
            work, actor, _id_of(request), BasketChanges(description=description)
        )
        return presenter_of(request, work, actor).basket(view)

    return answer(request, {"basket": await write(request, bearer, call)})


async def delete(request: Request) -> Response:
    """POST /baskets/{basket}/delete/: answers the list that remains."""

    def call(work: UnitOfWork, actor: Actor) -> list[dict[str, Any]]:
        services_of(request).baskets.baskets.delete(work, actor, _id_of(request))
        return _list(request, work, actor)

    return answer(request, {"baskets": await write(request, bearer, call)})


def holding(request: Request, work: UnitOfWork, actor: Actor, key: RecordKey) -> list[dict[str, Any]]:
    """`baskets` of `/records/…/related/`: one's own and shared ones that hold the record; none for a token whose scopes
    do not include baskets."""
    if actor.scope is not None and _SCOPE not in actor.scope:
        return []
    presenter = presenter_of(request, work, actor)
    return [presenter.basket(view) for view in services_of(request).baskets.baskets.holding(work, actor, key)]


BASKET = "/baskets/{basket:int}/"
_CLAUSE, _SCOPE = "02 §6.7", "baskets"
ROUTES: tuple[V1Route, ...] = (
    V1Route("/baskets/list/", ("GET",), listed, _CLAUSE, "The caller's baskets, and those shared with them", _SCOPE),
    V1Route("/baskets/add/", ("POST",), add, _CLAUSE, "Make a basket", _SCOPE),
    V1Route(
        BASKET + "content/", ("GET",), content, _CLAUSE, "A basket and its elements", _SCOPE, has_lenient_path=True
    ),
    V1Route(BASKET + "setname/", ("POST",), set_name, _CLAUSE, "Rename a basket", _SCOPE, has_lenient_path=True),
    V1Route(
        BASKET + "setdescription/",
        ("POST",),
        set_description,
        _CLAUSE,
        "Describe a basket",
        _SCOPE,
        has_lenient_path=True,
    ),
    V1Route(BASKET + "delete/", ("POST",), delete, _CLAUSE, "Delete a basket", _SCOPE, has_lenient_path=True),
)
