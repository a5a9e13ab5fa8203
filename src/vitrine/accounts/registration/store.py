"""All SQL of registration."""

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from vitrine.accounts.model import UserId
from vitrine.accounts.registration.model import OpenCollection, PendingRequest, Policy, Rule, Rules, State
from vitrine.accounts.registration.tables import collection_registration, databox_registration, registration_requests
from vitrine.accounts.tables import collection_rights, users
from vitrine.platform.database import UnitOfWork
from vitrine.platform.expiry import Expiry
from vitrine.platform.schema import Instant, metadata

LIFETIME = timedelta(days=31)
MOST_PARTS = 100
_requests = registration_requests.c

_ADD = sa.text(
    "INSERT INTO registration_requests (user_id, collection_id, state, created)"
    " VALUES (:user_id, :collection_id, :state, :created)"
    " ON CONFLICT (user_id, collection_id) DO NOTHING"
).bindparams(sa.bindparam("created", type_=Instant()))


def open_collections(work: UnitOfWork) -> list[OpenCollection]:
    """The enabled collections that take requests, in their order: as many as the instance has at most."""
    collections, databoxes = metadata.tables["collections"], metadata.tables["databoxes"]
    c = collections.c
    own, box = collection_registration.c, databox_registration.c
    rows = work.db.execute(
        sa.select(c.id, c.databox_id, c.number, c.name, own.rules, box.rules)
        .select_from(
            collections.join(databoxes, databoxes.c.id == c.databox_id)
            .outerjoin(collection_registration, own.collection_id == c.id)
            .outerjoin(databox_registration, box.databox_id == c.databox_id)
        )
        .where(c.enabled, sa.func.coalesce(c.registration_open, databoxes.c.registration_open))
        .order_by(c.databox_id, c.position, c.id)
    )
    return [OpenCollection(*row[:4], _first_rules(row[4], row[5])) for row in rows]


def _first_rules(own: Any, of_databox: Any) -> Rules | None:
    stored = own if own is not None else of_databox
    return None if stored is None else tuple(Rule.from_json(value) for value in stored)


def linked(work: UnitOfWork, user_id: UserId) -> set[int]:
    """The collections to which the person is linked, live or not."""
    return set(
        work.db.scalars(sa.select(collection_rights.c.collection_id).where(collection_rights.c.user_id == user_id))
    )


def states(work: UnitOfWork, user_id: UserId) -> dict[int, State]:
    """By collection: the person's requests that are not accepted. At most one for each collection."""
    rows = work.db.execute(sa.select(_requests.collection_id, _requests.state).where(_requests.user_id == user_id))
    return {row[0]: State(row[1]) for row in rows}


def add(work: UnitOfWork, user_id: UserId, base_ids: Iterable[int]) -> None:
    """One pending request for each; one that is there stays as it is."""
    rows = [
        {"user_id": user_id, "collection_id": base_id, "state": State.PENDING.value, "created": work.now}
        for base_id in base_ids
    ]
    if rows:
        work.db.execute(_ADD, rows)


def pending(work: UnitOfWork, base_ids: Collection[int] | None, after: int, limit: int) -> list[PendingRequest]:
    """Requests that wait, the oldest first, after the number *after*; *base_ids* None: of all collections. Of people
    who have not confirmed their account yet there are none."""
    if base_ids is None or len(base_ids) > MOST_PARTS:  # a database takes only so many parts of one statement
        pages = [_oldest(after, limit, _requests.collection_id.in_(sorted(base_ids)) if base_ids else sa.true())]
    else:
        pages = [_oldest(after, limit, _requests.collection_id == base) for base in sorted(base_ids)]
    first = sa.union_all(*(sa.select(page.subquery()) for page in pages)).subquery()
    rows = work.db.execute(
        sa.select(
            _requests.id, _requests.user_id, users.c.login, users.c.first_name, users.c.last_name, users.c.email,
            _requests.collection_id, _requests.created,
        )
        .select_from(first)
        .join(registration_requests, _requests.id == first.c.id)
        .join(users, users.c.id == _requests.user_id)
        .order_by(_requests.id)
        .limit(limit)
    )  # fmt: skip
    return [
        PendingRequest(row[0], row[1], row[2], f"{row[3]} {row[4]}".strip() or row[5] or row[2], *row[5:])
        for row in rows
    ]


def _oldest(after: int, limit: int, concerned: sa.ColumnElement[bool]) -> sa.Select[tuple[int]]:
    """The numbers of the oldest that wait, from an index in that order."""
    is_confirmed = sa.exists().where(
        users.c.id == _requests.user_id, users.c.deleted_at.is_(None), users.c.confirm_by.is_(None)
    )
    waits = sa.and_(_requests.state == State.PENDING.value, _requests.id > after, is_confirmed, concerned)
    return sa.select(_requests.id).where(waits).order_by(_requests.id).limit(limit)


def find(work: UnitOfWork, request_id: int) -> tuple[UserId, int] | None:
    """(person, collection) of a request that waits."""
    row = work.db.execute(
        sa.select(_requests.user_id, _requests.collection_id).where(
            _requests.id == request_id, _requests.state == State.PENDING.value
        )
    ).first()
    return (UserId(row[0]), row[1]) if row else None


def waiting_of(work: UnitOfWork, user_id: UserId) -> list[tuple[int, int]]:
    """(request, collection) of the person's requests that wait."""
    # By the person alone: a database without statistics would take the index of states.
    columns = (_requests.id, _requests.collection_id, _requests.state)
    rows = work.db.execute(sa.select(*columns).where(_requests.user_id == user_id).order_by(_requests.id))
    return [(row[0], row[1]) for row in rows if row[2] == State.PENDING.value]


def remove(work: UnitOfWork, request_id: int) -> bool:
    """False if somebody else decided in the meantime."""
    waiting = sa.and_(_requests.id == request_id, _requests.state == State.PENDING.value)
    return work.db.execute(registration_requests.delete().where(waiting)).rowcount > 0


def reject(work: UnitOfWork, request_id: int) -> bool:
    """False if somebody else decided in the meantime."""
    waiting = sa.and_(_requests.id == request_id, _requests.state == State.PENDING.value)
    decided = {"state": State.REJECTED.value, "decided": work.now}
    return work.db.execute(registration_requests.update().where(waiting).values(**decided)).rowcount > 0


def forget(work: UnitOfWork, user_id: UserId) -> None:
    work.db.execute(registration_requests.delete().where(_requests.user_id == user_id))


def collection_policy(work: UnitOfWork, base_id: int) -> Policy:
    return _policy(work, "collections", collection_registration, base_id)


def databox_policy(work: UnitOfWork, databox_id: int) -> Policy:
    return _policy(work, "databoxes", databox_registration, databox_id)


def _policy(work: UnitOfWork, place: str, rules: sa.Table, number: int) -> Policy:
    """The switch stands with the collection or databox itself, the rules in a table of ours."""
    of_place, (key,) = metadata.tables[place], rules.primary_key.columns
    row = work.db.execute(
        sa.select(of_place.c.registration_open, rules.c.rules)
        .select_from(of_place.outerjoin(rules, key == of_place.c.id))
        .where(of_place.c.id == number)
    ).first()
    return Policy(row[0], _first_rules(row[1], None)) if row else Policy(None, None)


def set_collection_policy(work: UnitOfWork, base_id: int, policy: Policy) -> None:
    _set_policy(work, "collections", collection_registration, base_id, policy)


def set_databox_policy(work: UnitOfWork, databox_id: int, policy: Policy) -> None:
    _set_policy(work, "databoxes", databox_registration, databox_id, policy)


def _set_policy(work: UnitOfWork, place: str, table: sa.Table, number: int, policy: Policy) -> None:
    of_place, (key,) = metadata.tables[place], table.primary_key.columns
    work.db.execute(of_place.update().where(of_place.c.id == number).values(registration_open=policy.is_open))
    work.db.execute(table.delete().where(key == number))
    if policy.rules is not None:
        rules = [rule.as_json() for rule in policy.rules]
        work.db.execute(table.insert().values({key.name: number, "rules": rules, "updated": work.now}))


def place_of(work: UnitOfWork, base_id: int) -> tuple[int, str] | None:
    """(databox, name) of a collection."""
    collections = metadata.tables["collections"]
    row: Sequence[Any] | None = work.db.execute(
        sa.select(collections.c.databox_id, collections.c.name).where(collections.c.id == base_id)
    ).first()
    return (row[0], row[1]) if row else None


def collection(work: UnitOfWork, base_id: int) -> OpenCollection | None:
    """An enabled collection, whether or not it takes requests."""
    c = metadata.tables["collections"].c
    row = work.db.execute(sa.select(c.id, c.databox_id, c.number, c.name).where(c.id == base_id, c.enabled)).first()
    return OpenCollection(*row) if row else None


EXPIRIES = (Expiry(registration_requests, lambda work: _requests.created < work.now - LIFETIME),)
