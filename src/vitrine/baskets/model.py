"""Baskets: ordered selections of records that a person keeps, shares, sends and has voted on (contract 06 section 12).

The bounds are checked when a row is made, since API v1 lists baskets and elements without pages (02 section 6.7).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from vitrine.accounts import User, UserId
from vitrine.library.model import CollectionId, RecordId
from vitrine.library.records import RecordWithThumbnail

BasketId = NewType("BasketId", int)
ElementId = NewType("ElementId", int)
ParticipantId = NewType("ParticipantId", int)
VoteId = NewType("VoteId", int)

MOST_BASKETS = 500  # of a person, not archived, made by themselves
MOST_RECEIVED = 200  # of a person, not archived, sent by others
MOST_SHARED = 200  # of others, in which a person takes part
MOST_ARCHIVED = 5_000  # of a person; no list of API v1 has them
MOST_ELEMENTS = 1_000  # in a basket
MOST_PARTICIPANTS = 50  # in a basket
MOST_RECIPIENTS = 100  # of one push
MOST_CHOICES = 5_000  # of a vote: elements times voters
MOST_GRANTS = 20_000  # given by one call: records times people
LONGEST_NAME, LONGEST_DESCRIPTION, LONGEST_NOTE = 255, 10_000, 2_000  # characters


@dataclass(frozen=True, slots=True)
class Basket:
    """*version* grows with each change of the basket, its elements or its participants. *pusher_id* is who sent it."""

    id: BasketId
    owner_id: UserId
    name: str
    description: str
    is_archived: bool
    is_read: bool
    pusher_id: UserId | None
    version: int
    created: datetime
    updated: datetime


@dataclass(frozen=True, slots=True)
class Element:
    """A record's place in a basket. *collection_id* and *status* are the record's own, for its rights."""

    id: ElementId
    basket_id: BasketId
    record_id: RecordId
    position: int
    created: datetime
    collection_id: CollectionId
    status: int

    @property
    def stamp(self) -> tuple[RecordId, CollectionId, int]:
        """As `library.access` takes it."""
        return self.record_id, self.collection_id, self.status


@dataclass(frozen=True, slots=True)
class Participant:
    """A person with whom a basket is shared, whose vote is asked, or both.

    The share: *is_shared*, *can_modify*, *share_expires* (None: no end). The vote: *is_voter*, *can_agree*,
    *can_see_others*, *confirmed_at*, *reminded_at*. *with_originals*: grants cover the original where the giver has it.
    *is_aware* is true once the person marked the basket as read. *choices_version* grows with each of their choices.
    """

    id: ParticipantId
    basket_id: BasketId
    user_id: UserId
    is_shared: bool
    can_modify: bool
    share_expires: datetime | None
    with_originals: bool
    is_voter: bool
    can_agree: bool
    can_see_others: bool
    is_aware: bool
    confirmed_at: datetime | None
    reminded_at: datetime | None
    choices_version: int
    created: datetime

    def has_share(self, now: datetime) -> bool:
        return self.is_shared and (self.share_expires is None or self.share_expires > now)

    def may_open(self, now: datetime) -> bool:
        """A share opens until it expires; a vote also once it is closed, so that people can see its result."""
        return self.is_voter or self.has_share(now)

    def may_modify(self, now: datetime) -> bool:
        return self.can_modify and self.has_share(now)


@dataclass(frozen=True, slots=True)
class Vote:
    """The vote of a basket, which has one at most. *remind_at* is None once the reminders went out."""

    id: VoteId
    basket_id: BasketId
    initiator_id: UserId
    expires: datetime
    remind_at: datetime | None
    closed_at: datetime | None
    created: datetime
    updated: datetime

    def is_open(self, now: datetime) -> bool:
        return self.closed_at is None and self.expires > now


@dataclass(frozen=True, slots=True)
class Choice:
    """What a voter says of an element: *agreement* is None while they are undecided."""

    participant_id: ParticipantId
    element_id: ElementId
    agreement: bool | None
    note: str
    updated: datetime


@dataclass(frozen=True, slots=True)
class BasketView:
    """A basket as one person sees it. *own* is that person's participation. *participants* is complete only where
    everybody is asked for: for a vote, and for a basket that is shown alone."""

    basket: Basket
    is_owner: bool
    own: Participant | None
    vote: Vote | None
    participants: tuple[Participant, ...]
    users: Mapping[UserId, User]

    @property
    def is_unread(self) -> bool:
        if self.is_owner:
            return not self.basket.is_read
        return self.own is not None and not self.own.is_aware

    @property
    def voters(self) -> tuple[Participant, ...]:
        return tuple(participant for participant in self.participants if participant.is_voter)

    @property
    def is_initiator(self) -> bool:
        """True for the owner: only they start a vote."""
        return self.is_owner

    @property
    def sees_all_choices(self) -> bool:
        return self.is_owner or (self.own is not None and self.own.is_voter and self.own.can_see_others)


@dataclass(frozen=True, slots=True)
class ShownElement:
    """An element whose record the reader sees, with the choices that they may see."""

    element: Element
    shown: RecordWithThumbnail
    choices: Mapping[ParticipantId, Choice]


@dataclass(frozen=True, slots=True)
class Content:
    """The elements of a basket that the reader sees, in order, and how many others it has."""

    view: BasketView
    elements: tuple[ShownElement, ...]
    hidden: int


@dataclass(frozen=True, slots=True)
class Voter:
    """Whose vote is asked, by id or login, and what they may do."""

    named: UserId | str
    can_agree: bool = True
    can_see_others: bool = False
    with_originals: bool = False


@dataclass(frozen=True, slots=True)
class ChoiceChange:
    """One change of one's own choice. Without *has_agreement* the agreement stays, without *note* the note."""

    element_id: ElementId
    has_agreement: bool = False
    agreement: bool | None = None
    note: str | None = None
