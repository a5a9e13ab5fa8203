"""Refusals of baskets."""

from vitrine.errors import Conflict, Forbidden, NotFound


class NoSuchBasket(NotFound):
    code = "no_such_basket"


class BasketNotShared(Forbidden):
    """The basket is somebody else's and not shared with the actor: 403 on v1, which says so (02 section 6.7), 404 where
    nobody may learn which numbers are taken."""

    code = "basket_not_shared"


class MayNotChangeBasket(Forbidden):
    """The actor sees the basket and may not do this to it."""

    code = "may_not_change_basket"


class MayNotPutInBasket(Forbidden):
    """The record may be seen and not be put in baskets: `canputinalbum` on its collection."""

    code = "may_not_put_in_basket"


class MayNotShareBasket(Forbidden):
    """Sharing, pushing and asking for votes require `canpush` (06 section 17.7)."""

    code = "may_not_share_basket"


class MayNotVote(Forbidden):
    code = "may_not_vote"


class NoSuchElement(NotFound):
    code = "no_such_basket_element"


class NoSuchParticipant(NotFound):
    code = "no_such_participant"


class NoSuchVote(NotFound):
    code = "no_such_vote"


class BasketFull(Conflict):
    """A bound of `baskets.model` is reached."""

    code = "basket_full"


class BasketChanged(Conflict):
    """Somebody changed the basket, or one's own choices, since the caller read them."""

    code = "basket_changed"


class VoteClosed(Conflict):
    """The vote is over, or the voter handed in their choices."""

    code = "vote_closed"


class VoteOpen(Conflict):
    """The basket has a vote under way."""

    code = "vote_open"
