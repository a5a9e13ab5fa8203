"""What happens to baskets by itself: shares and votes end, voters are reminded, and people close their accounts.

Nothing depends on when this runs: from its instant on an expired share opens nothing, an expired vote takes no choices,
and an expired grant counts for nothing.
"""

from collections.abc import Callable, Sequence
from functools import partial
from threading import Event

from vitrine.accounts import UserId, record_grants
from vitrine.accounts.events import AccountClosed
from vitrine.baskets import giving, participant_store, store, vote_store
from vitrine.baskets.events import ParticipationEnded, VoteReminderDue
from vitrine.baskets.service import delete_basket
from vitrine.baskets.sharing import end_participation
from vitrine.baskets.votes import close_vote
from vitrine.platform import supervision
from vitrine.platform.database import Database, UnitOfWork

Find = Callable[[UnitOfWork, int], Sequence[object]]
BATCH = 50  # shares or votes in a transaction, each with up to a thousand grants


def run(database: Database, stop: Event) -> None:
    """End what has expired and remind voters, in short transactions, until nothing is left or *stop* is set. Raises
    Unavailable."""
    steps: tuple[tuple[Find, Callable[[UnitOfWork], None]], ...] = (
        (participant_store.expired_shares, end_shares),
        (vote_store.expired, end_votes),
        (vote_store.to_remind, remind),
    )
    for find, act in steps:
        while not stop.is_set() and database.reading(partial(_is_due, find)):
            with database.write() as work:
                act(work)
            supervision.beat()


def _is_due(find: Find, work: UnitOfWork) -> bool:
    return bool(find(work, 1))


def end_shares(work: UnitOfWork) -> None:
    """Remove people whose share expired; those who are voters, too, stay as such."""
    for participant in participant_store.expired_shares(work, BATCH):
        basket = store.by_id(work, participant.basket_id)
        assert basket is not None
        if not participant.is_voter:
            end_participation(work, basket, participant, None)
            continue
        record_grants.end(work, giving.share_source(basket), user_id=participant.user_id)
        giving.end_given_by(work, basket, vote_store.of_basket(work, basket.id), participant.user_id)
        participant_store.update(work, participant.id, {"is_shared": False, "can_modify": False, "share_expires": None})
        store.update(work, basket.id)
        work.emit(ParticipationEnded(basket.id, None, participant.user_id))


def end_votes(work: UnitOfWork) -> None:
    for vote in vote_store.expired(work, BATCH):
        close_vote(work, vote, None)


def remind(work: UnitOfWork) -> None:
    """Once for each voter who has not handed in."""
    for vote in vote_store.to_remind(work, BATCH):
        for participant in participant_store.of_basket(work, vote.basket_id):
            is_waited_for = participant.is_voter and participant.can_agree and participant.confirmed_at is None
            if is_waited_for and participant.reminded_at is None:
                participant_store.update(work, participant.id, {"reminded_at": work.now})
                work.emit(VoteReminderDue(vote.basket_id, vote.initiator_id, participant.user_id, vote.expires))
        vote_store.update(work, vote.id, {"remind_at": None})


def account_closed(work: UnitOfWork, event: AccountClosed) -> None:
    """Delete the person's baskets with everything that they gave to others, and end their part in those of others."""
    person = event.user_id
    for basket_id in store.ids_of_owner(work, person):
        basket = store.by_id(work, basket_id)
        assert basket is not None
        delete_basket(work, basket)
    for participant in participant_store.of_person(work, person):
        basket = store.by_id(work, participant.basket_id)
        assert basket is not None
        end_participation(work, basket, participant, UserId(person))
    store.forget_pusher(work, person)
