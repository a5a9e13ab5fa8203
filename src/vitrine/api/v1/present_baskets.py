"""Baskets in the form of API v1 (contract 02 sections 5.14 and 5.15): pure functions."""

from typing import Any

import msgspec

from vitrine.accounts import UserId
from vitrine.api.v1.present import Frame, person, public_name
from vitrine.api.wire.dates import atom
from vitrine.baskets.model import BasketView, Choice, Participant, ShownElement, Vote

_encode = msgspec.json.Encoder().encode
# `validation_infos`: by who reads it. {count} are the voters, {name} is the initiator.
_SENTENCES = {
    "en": {
        "asked": "You asked {count} people for their votes.",
        "asked, over": "You asked {count} people for their votes. The vote is over.",
        "voter": "{name} asks for your vote.",
        "voter, over": "{name} asked for your vote. The vote is over.",
        "voter with others": "{name} asks {count} people for their votes, you among them.",
        "voter with others, over": "{name} asked {count} people for their votes, you among them. The vote is over.",
        "reader": "{name} asks {count} people for their votes.",
        "reader, over": "{name} asked {count} people for their votes. The vote is over.",
    },
    "fr": {
        "asked": "Vous avez demandé l'avis de {count} personnes.",
        "asked, over": "Vous avez demandé l'avis de {count} personnes. Le vote est terminé.",
        "voter": "{name} demande votre avis.",
        "voter, over": "{name} a demandé votre avis. Le vote est terminé.",
        "voter with others": "{name} demande l'avis de {count} personnes, dont le vôtre.",
        "voter with others, over": "{name} a demandé l'avis de {count} personnes, dont le vôtre. Le vote est terminé.",
        "reader": "{name} demande l'avis de {count} personnes.",
        "reader, over": "{name} a demandé l'avis de {count} personnes. Le vote est terminé.",
    },
}
LANGUAGES = tuple(_SENTENCES)


class BasketPresenter:
    """Presents baskets of one answer. People are encoded once, however often they are named."""

    def __init__(self, frame: Frame, language: str) -> None:
        self._frame = frame
        self._sentences = _SENTENCES[language]
        self._people: dict[UserId, msgspec.Raw] = {}

    def basket(self, view: BasketView) -> dict[str, Any]:
        """02 section 5.14."""
        basket, frame = view.basket, self._frame
        presented = {
            "basket_id": basket.id,
            "owner": self._person(view, basket.owner_id),
            "created_on": frame.date(basket.created),
            "description": basket.description,
            "name": basket.name,
            "pusher_usr_id": basket.pusher_id,
            "pusher": None if basket.pusher_id is None else self._person(view, basket.pusher_id),
            "updated_on": frame.date(basket.updated),
            "unread": view.is_unread,
            "validation_basket": view.vote is not None,
        }
        return presented if view.vote is None else {**presented, **self._vote(view, view.vote)}

    def _vote(self, view: BasketView, vote: Vote) -> dict[str, Any]:
        own = view.own
        return {
            "validation_users": [self._participant(view, participant) for participant in view.voters],
            "expires_on": self._frame.date(vote.expires),
            "validation_infos": self._sentence(view, vote),
            # An owner who does not vote has confirmed nothing (D: no 404).
            "validation_confirmed": own is not None and own.confirmed_at is not None,
            "validation_initiator": vote.initiator_id == self._frame.actor.user_id,
            "validation_initiator_user": self._person(view, vote.initiator_id),
        }

    def _sentence(self, view: BasketView, vote: Vote) -> str:
        own = view.own
        if vote.initiator_id == self._frame.actor.user_id:
            case = "asked"
        elif own is None or not own.is_voter:
            case = "reader"
        else:
            case = "voter with others" if own.can_see_others else "voter"
        initiator = view.users.get(vote.initiator_id)
        template = self._sentences[case if vote.is_open(self._frame.now) else f"{case}, over"]
        return template.format(count=len(view.voters), name=public_name(initiator) if initiator else "")

    def _participant(self, view: BasketView, participant: Participant) -> dict[str, Any]:
        someone = view.users.get(participant.user_id)
        return {
            "usr_id": participant.user_id,
            "usr_name": public_name(someone) if someone else "",
            "confirmed": participant.confirmed_at is not None,
            "can_agree": participant.can_agree,
            "can_see_others": participant.can_see_others,
            "readonly": participant.user_id != self._frame.actor.user_id,
            "user": self._person(view, participant.user_id),
        }

    def _person(self, view: BasketView, user_id: UserId) -> msgspec.Raw | None:
        known = self._people.get(user_id)
        if known is None:
            someone = view.users.get(user_id)
            if someone is None:
                return None
            known = self._people[user_id] = msgspec.Raw(_encode(person(self._frame, someone)))
        return known

    def elements(
        self, view: BasketView, elements: tuple[ShownElement, ...], records: list[msgspec.Raw]
    ) -> list[dict[str, Any]]:
        """02 section 5.15: *records* are those of *elements*, in the same order."""
        vote = view.vote
        voters = [] if vote is None else self._shown_voters(view)
        presented = []
        for order, (element, record) in enumerate(zip(elements, records, strict=True), start=1):
            item: dict[str, Any] = {
                "basket_element_id": element.element.id,
                "order": order,
                "record": record,
                "validation_item": vote is not None,
            }
            if vote is not None:
                item.update(self._choices(view, vote, element, voters))
            presented.append(item)
        return presented

    def _shown_voters(self, view: BasketView) -> list[tuple[Participant, msgspec.Raw]]:
        """Those whose choices the reader may see."""
        voters = view.voters if view.sees_all_choices else ((view.own,) if view.own and view.own.is_voter else ())
        return [(voter, msgspec.Raw(_encode(self._participant(view, voter)))) for voter in voters]

    def _choices(
        self, view: BasketView, vote: Vote, element: ShownElement, voters: list[tuple[Participant, msgspec.Raw]]
    ) -> dict[str, Any]:
        """The caller's own choice, and those of everybody whom they may see: undecided where nothing was said yet."""
        own = None if view.own is None else element.choices.get(view.own.id)
        shown: dict[str, Any] = {
            "agreement": None if own is None else own.agreement,
            "note": "" if own is None else own.note,
        }
        if voters:
            shown["validation_choices"] = [
                self._choice(vote, voter, element.choices.get(participant.id)) for participant, voter in voters
            ]
        return shown

    def _choice(self, vote: Vote, voter: msgspec.Raw, choice: Choice | None) -> dict[str, Any]:
        return {
            "validation_user": voter,
            "agreement": None if choice is None else choice.agreement,
            "updated_on": atom(vote.created if choice is None else choice.updated, self._frame.zone),
            "note": "" if choice is None else choice.note,
        }
