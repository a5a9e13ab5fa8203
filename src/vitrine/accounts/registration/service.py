"""Asking for access, and deciding about it (contract 06 section 18).

Requests are taken only where a collection is open for them. People who manage the users of the collection decide, and
give no more than they have there. Rules by e-mail address count once the address was confirmed, since anybody can type
any address.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from vitrine.accounts import giving
from vitrine.accounts import store as people
from vitrine.accounts.mail import AccountMail
from vitrine.accounts.model import Actor, User, UserId
from vitrine.accounts.registration import store
from vitrine.accounts.registration.events import (
    RegistrationGranted,
    RegistrationPolicyChanged,
    RegistrationRejected,
    RegistrationRequested,
)
from vitrine.accounts.registration.model import Demand, OpenCollection, PendingRequest, Policy, Rules, State
from vitrine.accounts.rights import READER, CollectionGrant, Right
from vitrine.errors import Forbidden, Invalid, NotFound
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork

MOST_RULES, LONGEST_PATTERN, PAGE = 50, 254, 100


@dataclass(frozen=True, slots=True)
class Registration:
    """*is_automatic*: setting `registration_automatic`."""

    mail: AccountMail
    is_automatic: bool = False

    # -- asking --------------------------------------------------------------------------------------------------

    def open_collections(self, work: UnitOfWork) -> list[OpenCollection]:
        return store.open_collections(work)

    def request(self, work: UnitOfWork, user: User, base_ids: Sequence[int] | None) -> list[Demand]:
        """Ask for these collections, or for every open one (None). Returns the state of each of them that is open or
        that the person has; others are left out, so that nobody learns what they do not know.

        A request that was rejected stays so until it ends after a month. Raises Forbidden for the guest."""
        if user.is_guest:
            raise Forbidden("Guests cannot ask for access.")
        collections = {collection.base_id: collection for collection in store.open_collections(work)}
        wanted = list(collections) if base_ids is None else list(dict.fromkeys(base_ids))
        held, before = store.linked(work, user.id), store.states(work, user.id)
        fresh = [base for base in wanted if base in collections and base not in held and base not in before]
        store.add(work, user.id, fresh)
        if fresh and not people.is_unconfirmed(work, user.id):
            work.emit(RegistrationRequested(user.id, tuple(fresh)))
        states = {**dict.fromkeys(fresh, State.PENDING), **before, **dict.fromkeys(held, State.ACCEPTED)}
        demands = []
        for base in wanted:
            collection = collections.get(base) or _known_place(work, base, held)
            if collection is not None and base in states:
                demands.append(Demand(base, collection.databox_id, collection.number, states[base]))
        return demands

    @staticmethod
    def states(work: UnitOfWork, user_id: UserId) -> dict[int, State]:
        """By collection: what became of the person's requests; accepted where they are linked to it."""
        return {**store.states(work, user_id), **dict.fromkeys(store.linked(work, user_id), State.ACCEPTED)}

    def confirmed(self, work: UnitOfWork, user: User, *, is_proven: bool) -> None:
        """A new account was unlocked. Rules by address count if the address *is_proven*, by a link that was mailed to
        it; who decides about the rest is told."""
        collections = {collection.base_id: collection for collection in store.open_collections(work)}
        granted, left = [], []
        for request_id, base in store.waiting_of(work, user.id):
            collection = collections.get(base)
            by_rule = collection is not None and is_proven and self.is_automatic
            rights = collection.rights_for(user.email or "") if collection is not None and by_rule else None
            if collection is None or rights is None:
                left.append(base)
            elif store.remove(work, request_id):
                self._give(work, user, CollectionGrant(base, collection.databox_id, rights))
                audit.write(work, None, "registration.granted", f"user {user.id}", {"base_id": base, "by": "rule"})
                granted.append(base)
        if granted:
            work.emit(RegistrationGranted(user.id, tuple(granted), None))
        if left:
            work.emit(RegistrationRequested(user.id, tuple(left)))

    @staticmethod
    def _give(work: UnitOfWork, user: User, given: CollectionGrant) -> None:
        """Link the person to the collection, unless they are linked by now: then they keep what they have."""
        if given.base_id not in store.linked(work, user.id):
            people.set_collection_rights(work, user.id, given)

    # -- deciding ------------------------------------------------------------------------------------------------

    def pending(self, work: UnitOfWork, actor: Actor, after: int = 0, limit: int = PAGE) -> list[PendingRequest]:
        """A page of the requests that the actor decides about, the oldest first."""
        managed = giving.managed(work, actor)
        return [] if managed == frozenset() else store.pending(work, managed, after, min(limit, PAGE + 1))

    def accept(self, work: UnitOfWork, actor: Actor, request_id: int, *, more: Right | None = None) -> UserId:
        """Let the person in as a reader, with the rights *more* besides: `candwnldhd` and `nowatermark` may be among
        them, whatever else the actor has too. Where the actor has a mask or an end, the person gets the same.

        Raises NotFound for a request that the actor does not decide about or that is decided, Forbidden for a right
        that the actor does not have."""
        user, base = self._undecided(work, actor, request_id)
        place = store.place_of(work, base)
        if place is None:
            raise _gone()
        given = giving.within_own(work, actor, CollectionGrant(base, place[0], READER | (more or READER)))
        if not store.remove(work, request_id):
            raise _gone()
        self._give(work, user, given)
        details = {"base_id": base, "rights": int(given.rights)}
        audit.write(work, actor, "registration.granted", f"user {user.id}", details)
        work.emit(RegistrationGranted(user.id, (base,), actor.user_id))
        self.mail.send(work, "registration-granted", user, {"collection": place[1]})
        return user.id

    def reject(self, work: UnitOfWork, actor: Actor, request_id: int) -> UserId:
        """Raises NotFound as `accept` does."""
        user, base = self._undecided(work, actor, request_id)
        place = store.place_of(work, base)
        if place is None or not store.reject(work, request_id):
            raise _gone()
        audit.write(work, actor, "registration.rejected", f"user {user.id}", {"base_id": base})
        work.emit(RegistrationRejected(user.id, (base,), actor.user_id))
        self.mail.send(work, "registration-rejected", user, {"collection": place[1]})
        return user.id

    @staticmethod
    def _undecided(work: UnitOfWork, actor: Actor, request_id: int) -> tuple[User, int]:
        request, managed = store.find(work, request_id), giving.managed(work, actor)
        user = people.user(work, request[0]) if request is not None else None
        if request is None or user is None or (managed is not None and request[1] not in managed):
            raise _gone()
        if people.is_unconfirmed(work, user.id):
            raise _gone()
        return user, request[1]

    # -- where requests are taken --------------------------------------------------------------------------------

    def collection_policy(self, work: UnitOfWork, actor: Actor, base_id: int) -> Policy:
        """Raises NotFound unless the actor manages the users of the collection."""
        self._require_managed(work, actor, base_id)
        return store.collection_policy(work, base_id)

    def set_collection_policy(self, work: UnitOfWork, actor: Actor, base_id: int, policy: Policy) -> None:
        """Whether a collection takes requests, and who gets what at once. A rule gives at most what the actor has
        there. Raises NotFound, Forbidden or Invalid."""
        databox_id = self._require_managed(work, actor, base_id)
        _check_rules(policy.rules)
        for rule in policy.rules or ():
            giving.require_given(work, actor, CollectionGrant(base_id, databox_id, rule.rights))
        store.set_collection_policy(work, base_id, policy)
        _announce(work, actor, f"collection {base_id}", policy)

    def databox_policy(self, work: UnitOfWork, actor: Actor, databox_id: int) -> Policy:
        _require_administrator(actor)
        return store.databox_policy(work, databox_id)

    def set_databox_policy(self, work: UnitOfWork, actor: Actor, databox_id: int, policy: Policy) -> None:
        """What the collections of a databox do that say nothing themselves; for administrators, since it gives rights
        on all of them."""
        _require_administrator(actor)
        _check_rules(policy.rules)
        store.set_databox_policy(work, databox_id, Policy(bool(policy.is_open), policy.rules))
        _announce(work, actor, f"databox {databox_id}", policy)

    @staticmethod
    def _require_managed(work: UnitOfWork, actor: Actor, base_id: int) -> int:
        """The databox of a collection whose users the actor manages."""
        place, managed = store.place_of(work, base_id), giving.managed(work, actor)
        if place is None or (managed is not None and base_id not in managed):
            raise NotFound("There is no such collection, or you do not manage its users.", field="base_id")
        return place[0]


def _require_administrator(actor: Actor) -> None:
    if not giving.gives_everything(actor):
        raise Forbidden("Only administrators decide about a whole databox.")


def _check_rules(rules: Rules | None) -> None:
    if rules is not None and len(rules) > MOST_RULES:
        raise Invalid("At most {count} rules.", field="rules", values={"count": MOST_RULES})
    for rule in rules or ():
        if not rule.pattern or len(rule.pattern) > LONGEST_PATTERN or not rule.pattern.isprintable():
            raise Invalid("A pattern is an e-mail address in which * stands for any text.", field="rules")
        if Right.actif not in rule.rights:
            raise Invalid("A rule gives at least the right actif.", field="rules")


def _known_place(work: UnitOfWork, base: int, held: set[int]) -> OpenCollection | None:
    """A collection that takes no requests, if the person has it."""
    return store.collection(work, base) if base in held else None


def _announce(work: UnitOfWork, actor: Actor, place: str, policy: Policy) -> None:
    details = {"open": policy.is_open, "rules": len(policy.rules or ())}
    audit.write(work, actor, "registration.policy", place, details)
    work.emit(RegistrationPolicyChanged(place, actor.user_id))


def _gone() -> NotFound:
    return NotFound("There is no such request, or somebody has decided about it.")
