"""The operations of baskets."""

from vitrine.api.v4.baskets import baskets, people, votes
from vitrine.api.v4.baskets.content import modifiable, opened, owned, pushing, shareable, voting
from vitrine.api.v4.baskets.schemas import (
    CHANGES,
    CHOICES,
    MORE_VOTERS,
    NEW_BASKET,
    NEW_ELEMENTS,
    NEW_VOTE,
    ORDER,
    PUSH,
    PUSHED,
    READ,
    SHARE,
    SHARE_WITH_LIST,
    VOTE_END,
)
from vitrine.api.v4.route import V4Route
from vitrine.api.v4.schemas import NUMBER, full_object_of, named
from vitrine.api.wire.endpoint import anybody

SCOPE, SHARING = "baskets", "baskets:share"
BASKET = "/baskets/{basket_id:int}"
VOTE = BASKET + "/vote"
_SWITCH = {"enum": ["0", "1"]}
_LIST = {
    "archived": {**_SWITCH, "description": "1: your archived ones"},
    "shared": {**_SWITCH, "description": "1: those of others that are shared with you"},
}
_MADE, _NOT_GRANTED = named("BasketMade"), full_object_of(not_granted=NUMBER)
_RECORD = {"databox_id": 1, "record_id": 1}
ROUTES: tuple[V4Route, ...] = (
    V4Route("/baskets", "GET", baskets.listed, "Your baskets", SCOPE, named("BasketPage"), query=_LIST, is_list=True,
            chooses=True),
    V4Route("/baskets", "POST", baskets.create, "Make a basket", SCOPE, _MADE, NEW_BASKET, 201,
            permit=anybody, example={"name": "Harbours", "description": "For the leaflet"}),
    V4Route("/baskets/push", "POST", people.push, "Send documents to people: each gets a basket", SHARING, PUSHED, PUSH,
            201, permit=pushing, example={"records": [_RECORD], "people": [{"login": "eve"}], "name": "For you"}),
    V4Route(BASKET, "GET", baskets.show, "One basket", SCOPE, named("Basket"), chooses=True),
    V4Route(BASKET, "PATCH", baskets.update, "Rename, describe or archive it", SCOPE, named("Basket"), CHANGES,
            guard="required", permit=owned, example={"name": "Ports", "is_archived": True}),
    V4Route(BASKET, "DELETE", baskets.delete, "Delete it, and everything that it gave to others", SCOPE, status=204,
            guard="accepted"),
    V4Route(BASKET + "/read", "POST", baskets.mark_read, "Mark it as read, or as unread", SCOPE, _MADE, READ,
            permit=opened, example={"is_read": True}),
    V4Route(BASKET + "/elements", "GET", baskets.elements, "The elements whose records you see, in order", SCOPE,
            named("BasketElementPage"), is_list=True, chooses=True),
    V4Route(BASKET + "/elements", "POST", baskets.add_elements, "Put records in, all or none", SCOPE,
            full_object_of(added=NUMBER, already=NUMBER, not_granted=NUMBER), NEW_ELEMENTS, guard="accepted",
            permit=modifiable, example={"records": [_RECORD]}),
    V4Route(BASKET + "/elements/{element_id:int}", "DELETE", baskets.remove_element, "Take one out", SCOPE, status=204,
            guard="accepted"),
    V4Route(BASKET + "/elements/removal", "POST", baskets.remove_elements, "Take several out, all or none", SCOPE,
            full_object_of(removed=NUMBER), ORDER, guard="accepted", permit=modifiable, example={"elements": [1]}),
    V4Route(BASKET + "/order", "PUT", baskets.reorder,
            "Put the elements that you name in this order, on the places that they have now", SCOPE, named("Basket"),
            ORDER, guard="required", permit=owned, example={"elements": [1]}),
    V4Route(BASKET + "/participants", "GET", people.listed, "Who takes part", SCOPE, named("BasketParticipantPage"),
            is_list=True),
    V4Route(BASKET + "/participants", "POST", people.share, "Share it with a person, or change the terms", SHARING,
            full_object_of(user_id=NUMBER, not_granted=NUMBER), SHARE, guard="accepted",
            permit=shareable, example={"login": "eve", "can_modify": True, "expires": "2099-05-01T12:00:00Z"}),
    V4Route(BASKET + "/participants/lists", "POST", people.share_with_list, "Share it with everybody in a list",
            SHARING, full_object_of(people=NUMBER, not_granted=NUMBER), SHARE_WITH_LIST, guard="accepted",
            permit=shareable, example={"recipient_list_id": 1}),
    V4Route(BASKET + "/participants/{user_id:int}", "DELETE", people.remove, "End a person's part", SHARING, status=204,
            guard="accepted"),
    V4Route(BASKET + "/leave", "POST", people.leave, "End your own part", SCOPE, status=204),
    V4Route(VOTE, "GET", votes.show, "Its vote", SCOPE, named("BasketVote")),
    V4Route(VOTE, "POST", votes.start, "Ask people to vote on its elements", SHARING, _NOT_GRANTED, NEW_VOTE, 201,
            guard="accepted", permit=shareable, example={"voters": [{"login": "eve", "can_see_others": True}]}),
    V4Route(VOTE, "PATCH", votes.change_end, "Let it end at another time", SHARING, None, VOTE_END, 204,
            guard="required", permit=shareable, example={"expires": "2030-01-01T12:00:00Z"}),
    V4Route(VOTE, "DELETE", votes.delete, "Forget the vote and its choices", SHARING, status=204),
    V4Route(VOTE + "/voters", "POST", votes.ask, "Ask more people, or change what they may do", SHARING, _NOT_GRANTED,
            MORE_VOTERS, guard="accepted", permit=shareable, example={"voters": [{"login": "eve"}]}),
    V4Route(VOTE + "/close", "POST", votes.close, "End the vote now; its choices can still be read", SHARING,
            status=204),
    V4Route(VOTE + "/choices", "GET", votes.own_choices, "Your own choices", SCOPE, named("OwnChoices")),
    V4Route(VOTE + "/choices", "POST", votes.cast, "Vote and write notes, all or none", SCOPE,
            full_object_of(choices=NUMBER), CHOICES, guard="accepted",
            permit=voting, example={"choices": [{"element_id": 1, "agreement": True, "note": "The best one"}]}),
    V4Route(VOTE + "/confirm", "POST", votes.confirm, "Hand in your choices, for good", SCOPE, status=204),
)  # fmt: skip
