"""With whom a basket is shared, and records sent to people."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor, UserId
from vitrine.api.v4.baskets.content import (
    Who,
    basket_id_of,
    converted,
    fitting,
    keys_of,
    list_ids_of,
    people_of_lists,
    person_in,
    person_named,
    require_tag,
    terms_of,
)
from vitrine.api.v4.content import answer, json_members, moment, nothing
from vitrine.api.v4.idempotency import change
from vitrine.api.v4.paging import listed as listed_page
from vitrine.api.v4.paging import page_of
from vitrine.baskets.model import BasketView, Participant
from vitrine.edge import Services, bearer, long_read, services_of, write
from vitrine.platform.database import UnitOfWork


async def listed(request: Request) -> Response:
    services, page = services_of(request), page_of(request, int)
    (after,) = page.after or (0,)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        view = services.baskets.baskets.get(work, actor, basket_id_of(request))
        rest = [participant for participant in view.participants if participant.id > after]
        return listed_page(
            request,
            rest[: page.limit + 1],
            page,
            lambda participant: (participant.id,),
            lambda participant: _participant(view, participant),
        )

    return await long_read(request, bearer, call)


def _participant(view: BasketView, participant: Participant) -> dict[str, Any]:
    return {
        **person_in(view, participant.user_id),
        "is_shared": participant.is_shared,
        "can_modify": participant.can_modify,
        "share_expires": moment(participant.share_expires),
        "with_originals": participant.with_originals,
        "is_voter": participant.is_voter,
    }


async def share(request: Request) -> Response:
    """Sharing again with the same person changes the terms."""
    services = services_of(request)
    values = await json_members(request, login=str, user_id=int, can_modify=bool, expires=str, with_originals=bool)
    who, terms = person_named(values["login"], values["user_id"]), terms_of(values)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        require_tag(request, services.baskets.baskets.get(work, actor, basket_id_of(request)).basket)
        shared = services.baskets.sharing.share(work, actor, basket_id_of(request), who, terms)
        return answer({"user_id": shared.user_id, "not_granted": shared.not_granted})

    return await change(request, call)


async def share_with_list(request: Request) -> Response:
    """With everybody in a list, or with nobody."""
    services = services_of(request)
    values = await json_members(request, recipient_list_id=int, can_modify=bool, expires=str, with_originals=bool)
    list_id, terms = fitting(values["recipient_list_id"] or 0, "recipient_list_id"), terms_of(values)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        require_tag(request, services.baskets.baskets.get(work, actor, basket_id_of(request)).basket)
        shared = [
            services.baskets.sharing.share(work, actor, basket_id_of(request), person, terms)
            for person in people_of_lists(request, work, actor, [list_id])
        ]
        return answer({"people": len(shared), "not_granted": max(each.not_granted for each in shared)})

    return await change(request, call)


async def remove(request: Request) -> Response:
    services, user_id = services_of(request), UserId(request.path_params["user_id"])

    def call(work: UnitOfWork, actor: Actor) -> Response:
        require_tag(request, services.baskets.baskets.get(work, actor, basket_id_of(request)).basket)
        services.baskets.sharing.remove(work, actor, basket_id_of(request), user_id)
        return nothing()

    return await write(request, bearer, call)


async def leave(request: Request) -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        services.baskets.sharing.leave(work, actor, basket_id_of(request))
        return nothing()

    return await change(request, call)


def _ids_of(services: Services, work: UnitOfWork, logins: set[str]) -> set[UserId]:
    return {services.accounts.users.find(work, login).id for login in logins}


async def push(request: Request) -> Response:
    """Each person owns a new basket."""
    services = services_of(request)
    values = await json_members(
        request, records=list, people=list, recipient_lists=list, name=str, description=str, message=str, expires=str,
        with_originals=bool,
    )  # fmt: skip
    keys, terms = keys_of(values["records"] or []), terms_of(values)
    people = [person_named(who.login, who.user_id) for who in converted(values["people"] or [], list[Who], "people")]
    list_ids = list_ids_of(values["recipient_lists"])

    def call(work: UnitOfWork, actor: Actor) -> Response:
        through_lists = people_of_lists(request, work, actor, list_ids)
        pushed = services.baskets.sharing.push(
            work, actor, keys, [*people, *through_lists],
            name=values["name"] or "", description=values["description"] or "", message=values["message"] or "",
            terms=terms,
        )  # fmt: skip
        left_out = [{"databox_id": key.databox, "record_id": key.number} for key in pushed.left_out]
        by_id = {who for who in people if not isinstance(who, str)}
        by_login = {who for who in people if isinstance(who, str)}
        others = set(through_lists) - by_id - _ids_of(services, work, by_login)
        named_people = sorted(set(pushed.baskets) - others)  # a list does not tell who is in it
        return answer({"people": named_people, "through_lists": len(others), "left_out": left_out}, 201)

    return await change(request, call)
