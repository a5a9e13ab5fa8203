"""The vote of a basket."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor, UserId
from vitrine.api.v4 import content
from vitrine.api.v4.baskets.content import (
    basket_id_of,
    converted,
    fitting,
    instant_of,
    people_of_lists,
    person_in,
    person_named,
    require_tag,
)
from vitrine.api.v4.content import answer, json_members, moment, nothing
from vitrine.api.v4.idempotency import change
from vitrine.api.v4.route import PREFIX
from vitrine.baskets.errors import NoSuchVote
from vitrine.baskets.model import BasketView, ChoiceChange, ElementId, Participant, Vote, Voter
from vitrine.edge import bearer, long_read, services_of, write
from vitrine.errors import Invalid, NotFound
from vitrine.platform.database import UnitOfWork


class _Voter(msgspec.Struct, forbid_unknown_fields=True):
    """A person, or everybody in a list."""

    login: str | None = None
    user_id: int | None = None
    recipient_list_id: int | None = None
    can_agree: bool = True
    can_see_others: bool = False
    with_originals: bool = False


class _Choice(msgspec.Struct, forbid_unknown_fields=True):
    element_id: int
    agreement: bool | msgspec.UnsetType | None = msgspec.UNSET
    note: str | None = None


def _voters(value: Any) -> list[tuple[_Voter, UserId | str | None]]:
    """Each with the person that it names, None for a list."""
    return [(voter, _person_of(voter)) for voter in converted(value, list[_Voter], "voters")]


def _person_of(voter: _Voter) -> UserId | str | None:
    if voter.recipient_list_id is None:
        return person_named(voter.login, voter.user_id)
    if voter.login is not None or voter.user_id is not None:
        raise Invalid("A voter is a login, a user_id or a recipient_list_id.", field="voters")
    return None


def _id_of(request: Request, work: UnitOfWork, person: UserId | str) -> UserId | str:
    """The number of a person who is named by login; a login that nobody has stays, and is refused where it is used."""
    if not isinstance(person, str):
        return person
    with suppress(NotFound):
        return services_of(request).accounts.users.find(work, person).id
    return person


def _all(
    request: Request, work: UnitOfWork, actor: Actor, voters: Sequence[tuple[_Voter, UserId | str | None]]
) -> list[Voter]:
    """With the people of lists in their place; who is named as well has what that says."""
    everybody: dict[UserId | str, Voter] = {}
    for voter, person in voters:
        rest = (voter.can_agree, voter.can_see_others, voter.with_originals)
        if person is not None:
            known = _id_of(request, work, person)
            everybody[known] = Voter(known, *rest)
            continue
        list_id = fitting(voter.recipient_list_id or 0, "voters")
        for user_id in people_of_lists(request, work, actor, [list_id]):
            everybody.setdefault(user_id, Voter(user_id, *rest))
    return list(everybody.values())


def _view(request: Request, work: UnitOfWork, actor: Actor) -> BasketView:
    return services_of(request).baskets.baskets.get(work, actor, basket_id_of(request))


def _vote_of(view: BasketView) -> Vote:
    if view.vote is None:
        raise NoSuchVote("This basket has no vote.")
    return view.vote


async def show(request: Request) -> Response:
    def call(work: UnitOfWork, actor: Actor) -> Response:
        view = _view(request, work, actor)
        vote = _vote_of(view)
        value = {
            "initiator": person_in(view, vote.initiator_id),
            "created": moment(vote.created),
            "expires": moment(vote.expires),
            "closed": moment(vote.closed_at),
            "is_open": vote.is_open(work.now),
            "voters": [_voter(view, voter) for voter in view.voters],
        }
        return answer(value, headers={"ETag": content.tag_of(vote.updated, vote.id)})

    return await long_read(request, bearer, call)


def _voter(view: BasketView, voter: Participant) -> dict[str, Any]:
    return {
        **person_in(view, voter.user_id),
        "can_agree": voter.can_agree,
        "can_see_others": voter.can_see_others,
        "confirmed": moment(voter.confirmed_at),
    }


async def start(request: Request) -> Response:
    services, values = services_of(request), await json_members(request, voters=list, expires=str)
    voters, expires = _voters(values["voters"] or []), instant_of(values["expires"])

    def call(work: UnitOfWork, actor: Actor) -> Response:
        require_tag(request, _view(request, work, actor).basket)
        people = _all(request, work, actor, voters)
        without = services.baskets.votes.start(work, actor, basket_id_of(request), people, expires=expires)
        location = services.settings.absolute(f"{PREFIX}/baskets/{basket_id_of(request)}/vote")
        return answer({"not_granted": without}, 201, {"Location": location})

    return await change(request, call)


async def ask(request: Request) -> Response:
    services, values = services_of(request), await json_members(request, voters=list)
    voters = _voters(values["voters"] or [])

    def call(work: UnitOfWork, actor: Actor) -> Response:
        require_tag(request, _view(request, work, actor).basket)
        people = _all(request, work, actor, voters)
        return answer({"not_granted": services.baskets.votes.ask(work, actor, basket_id_of(request), people)})

    return await change(request, call)


async def change_end(request: Request) -> Response:
    services, values = services_of(request), await json_members(request, expires=str)
    expires = instant_of(values["expires"])
    if expires is None:
        raise Invalid("expires is required: when the vote ends.", field="expires")

    def call(work: UnitOfWork, actor: Actor) -> Response:
        vote = _vote_of(_view(request, work, actor))
        content.require_tag(request, content.tag_of(vote.updated, vote.id), required=True)
        services.baskets.votes.change_end(work, actor, basket_id_of(request), expires)
        return nothing()

    return await write(request, bearer, call)


async def close(request: Request) -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        services.baskets.votes.close(work, actor, basket_id_of(request))
        return nothing()

    return await change(request, call)


async def delete(request: Request) -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        services.baskets.votes.delete(work, actor, basket_id_of(request))
        return nothing()

    return await write(request, bearer, call)


# -- voters ------------------------------------------------------------------------------------------------------------


def _tag_of_choices(view: BasketView) -> str:
    own = view.own
    return '"none"' if own is None else f'"{own.id}-{own.choices_version}"'


async def own_choices(request: Request) -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        view = _view(request, work, actor)
        _vote_of(view)
        choices = services.baskets.votes.own_choices(work, actor, basket_id_of(request))
        value = [
            {
                "element_id": choice.element_id,
                "agreement": choice.agreement,
                "note": choice.note,
                "updated": moment(choice.updated),
            }
            for choice in choices
        ]
        return answer({"choices": value}, headers={"ETag": _tag_of_choices(view)})

    return await long_read(request, bearer, call)


async def cast(request: Request) -> Response:
    """Some of one's own choices, all or none."""
    services, values = services_of(request), await json_members(request, choices=list)
    changes = [
        ChoiceChange(
            ElementId(fitting(choice.element_id, "choices")),
            has_agreement=choice.agreement is not msgspec.UNSET,
            agreement=choice.agreement if isinstance(choice.agreement, bool) else None,
            note=choice.note,
        )
        for choice in converted(values["choices"] or [], list[_Choice], "choices")
    ]
    if not changes:
        raise Invalid("choices must have at least one choice.", field="choices")

    def call(work: UnitOfWork, actor: Actor) -> Response:
        content.require_tag(request, _tag_of_choices(_view(request, work, actor)))
        services.baskets.votes.cast(work, actor, basket_id_of(request), changes)
        return answer({"choices": len(changes)}, headers={"ETag": _tag_of_choices(_view(request, work, actor))})

    return await change(request, call)


async def confirm(request: Request) -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        services.baskets.votes.confirm(work, actor, basket_id_of(request))
        return nothing()

    return await change(request, call)
