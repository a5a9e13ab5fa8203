"""All SQL of users, sessions, failed sign-ins and rights."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from vitrine.accounts.model import Session, SessionId, User, UserId
from vitrine.accounts.precis import mapped_login
from vitrine.accounts.rights import CollectionGrant, DataboxRight, Right, Rights, combined, next_change
from vitrine.accounts.tables import (
    collection_rights,
    databox_rights,
    group_collection_rights,
    group_databox_rights,
    group_members,
    passkey_challenges,
    record_grants,
    sessions,
    sign_in_failures,
    users,
)
from vitrine.platform.addresses import rate_limit_key
from vitrine.platform.cache import Cache
from vitrine.platform.database import UnitOfWork, inserted_id
from vitrine.platform.expiry import Expiry
from vitrine.platform.prepared import Prepared
from vitrine.platform.schema import metadata

_USER_COLUMNS = [users.c[name] for name in User.__dataclass_fields__]
PROFILE_LENGTHS = {
    column.name: column.type.length
    for column in users.c
    if isinstance(column.type, sa.String) and column.type.length is not None
}
_PAGE = 500  # people a statement
_ACTIVE = users.c.deleted_at.is_(None)
_BY_ID = Prepared(sa.select(*_USER_COLUMNS).where(users.c.id == sa.bindparam("id"), _ACTIVE))


def fold(name: str) -> str:
    """The form in which e-mail addresses are compared, and logins before `accounts.precis`."""
    return name.strip().casefold()


_users: Cache[UserId, tuple[tuple[Any, ...], User]] = Cache(
    "users", 10_000
)  # with the row, so that a changed row is noticed


def user(work: UnitOfWork, user_id: UserId) -> User | None:
    """The account; the same object while its row stays the same."""
    row = _BY_ID.raw(work, id=user_id)
    if row is None:
        return None
    known = _users.get(user_id)
    if known is not None and known[0] == row:
        return known[1]
    fresh = User(*_BY_ID.converted(work, row))
    _users.keep(work, user_id, (row, fresh))
    return fresh


@lru_cache(maxsize=128)
def _by_ids(count: int) -> Prepared:
    """The statement for a page of *count* people."""
    return Prepared(
        sa.select(*_USER_COLUMNS).where(users.c.id.in_([sa.bindparam(f"id{place}") for place in range(count)]))
    )


def users_by_id(work: UnitOfWork, ids: Iterable[UserId]) -> dict[UserId, User]:
    """The accounts of these ids that exist, closed ones too: one statement for a page of them."""
    wanted, people = sorted(ids), {}
    for start in range(0, len(wanted), _PAGE):
        page = wanted[start : start + _PAGE]
        for row in _by_ids(len(page)).all(work, **{f"id{place}": user_id for place, user_id in enumerate(page)}):
            person = User(*row)
            people[person.id] = person
    return people


def users_after(work: UnitOfWork, after: int, limit: int) -> list[User]:
    """Open accounts in the order of their numbers."""
    rows = work.db.execute(
        sa.select(*_USER_COLUMNS).where(users.c.id > after, _ACTIVE).order_by(users.c.id).limit(limit)
    )
    return [User(*row) for row in rows]


def users_of(work: UnitOfWork, base_id: int, after: int, limit: int) -> list[User]:
    """Those of them with a row of rights on a collection."""
    rights = collection_rights.c
    rows = work.db.execute(
        sa.select(*_USER_COLUMNS)
        .join(collection_rights, rights.user_id == users.c.id)
        .where(rights.collection_id == base_id, rights.user_id > after, _ACTIVE)
        .order_by(rights.user_id)
        .limit(limit)
    )
    return [User(*row) for row in rows]


def user_by_login(work: UnitOfWork, login: str) -> User | None:
    """By login, else by its mapped form or by e-mail address when exactly one account has it."""
    row = work.db.execute(sa.select(*_USER_COLUMNS).where(users.c.login_folded == fold(login), _ACTIVE)).first()
    if row is None:
        rows = by_mapped_login(work, login)
        row = rows[0] if len(rows) == 1 else None
    if row is None:
        rows = work.db.execute(
            sa.select(*_USER_COLUMNS).where(users.c.email_folded == fold(login), _ACTIVE).limit(2)
        ).all()
        row = rows[0] if len(rows) == 1 else None
    return User(*row) if row else None


def by_mapped_login(work: UnitOfWork, login: str) -> Sequence[sa.Row[Any]]:
    """Up to two accounts whose login is written like this one (RFC 8265 section 3.3)."""
    mapped = mapped_login(login)
    statement = sa.select(*_USER_COLUMNS).where(users.c.login_mapped == mapped, _ACTIVE).order_by(users.c.id).limit(2)
    return work.db.execute(statement).all() if mapped else []


def twins(work: UnitOfWork, limit: int) -> list[list[tuple[UserId, str]]]:
    """Open accounts whose logins differ only in their writing, by group; at most *limit* accounts."""
    shared = (
        sa.select(users.c.login_mapped)
        .where(_ACTIVE, users.c.login_mapped != "")
        .group_by(users.c.login_mapped)
        .having(sa.func.count() > 1)
    )
    statement = (
        sa.select(users.c.login_mapped, users.c.id, users.c.login)
        .where(_ACTIVE, users.c.login_mapped.in_(shared))
        .order_by(users.c.login_mapped, users.c.id)
        .limit(limit)
    )
    groups: dict[str, list[tuple[UserId, str]]] = {}
    for mapped, user_id, login in work.db.execute(statement):
        groups.setdefault(mapped, []).append((UserId(user_id), login))
    return list(groups.values())


def by_email(work: UnitOfWork, email: str) -> list[User]:
    """Up to two accounts with this e-mail address; two mean that the address is ambiguous."""
    statement = (
        sa.select(*_USER_COLUMNS).where(users.c.email_folded == fold(email), _ACTIVE).order_by(users.c.id).limit(2)
    )
    return [User(*row) for row in work.db.execute(statement)]


def administrators(work: UnitOfWork) -> list[User]:
    """The accounts of administrators that are not closed: as many as the instance has named."""
    statement = sa.select(*_USER_COLUMNS).where(_ACTIVE, users.c.is_admin).order_by(users.c.id)
    return [User(*row) for row in work.db.execute(statement)]


def has_users(work: UnitOfWork) -> bool:
    return work.db.execute(sa.select(users.c.id).limit(1)).first() is not None


def password_hash(work: UnitOfWork, user_id: UserId) -> str | None:
    return work.db.scalar(sa.select(users.c.password_hash).where(users.c.id == user_id))


def set_password_hash(work: UnitOfWork, user_id: UserId, hashed: str) -> None:
    work.db.execute(users.update().where(users.c.id == user_id).values(password_hash=hashed))


def replace_password_hash(work: UnitOfWork, user_id: UserId, verified: str, hashed: str) -> None:
    """Store another hash of the password that *verified* is a hash of. Writes nothing if the account has another
    password by now."""
    same = sa.and_(users.c.id == user_id, users.c.password_hash == verified)
    work.db.execute(users.update().where(same).values(password_hash=hashed))


def add_user(work: UnitOfWork, values: Mapping[str, Any]) -> UserId:
    result = work.db.execute(users.insert().values(created=work.now, updated=work.now, **values))
    return UserId(inserted_id(result))


def update_user(work: UnitOfWork, user_id: UserId, values: Mapping[str, Any]) -> None:
    work.db.execute(users.update().where(users.c.id == user_id).values(updated=work.now, **values))


def is_unconfirmed(work: UnitOfWork, user_id: UserId) -> bool:
    """True for a new account that waits to be confirmed."""
    return work.db.scalar(sa.select(users.c.confirm_by).where(users.c.id == user_id)) is not None


def confirm(work: UnitOfWork, user_id: UserId) -> bool:
    """Unlock a new account. False if it does not wait for that: it is confirmed, suspended or closed."""
    waiting = sa.and_(users.c.id == user_id, users.c.confirm_by > work.now, _ACTIVE)
    confirmed = {"confirm_by": None, "mail_locked": False, "updated": work.now}
    return work.db.execute(users.update().where(waiting).values(**confirmed)).rowcount > 0


def preference(work: UnitOfWork, user_id: UserId, name: str) -> Any:
    """The value of a preference, None if the person never chose one."""
    preferences = work.db.scalar(sa.select(users.c.preferences).where(users.c.id == user_id))
    return (preferences or {}).get(name)


def preferences(work: UnitOfWork, ids: Iterable[UserId]) -> dict[UserId, Mapping[str, Any]]:
    """All that these people, a thousand at most, chose; those of no account are left out."""
    rows = work.db.execute(sa.select(users.c.id, users.c.preferences).where(users.c.id.in_(sorted(ids)), _ACTIVE))
    return {row[0]: row[1] or {} for row in rows}


def set_preference(work: UnitOfWork, user_id: UserId, name: str, value: Any) -> None:
    before = work.db.scalar(sa.select(users.c.preferences).where(users.c.id == user_id))
    update_user(work, user_id, {"preferences": {**(before or {}), name: value}})


def touch_connection(work: UnitOfWork, user_id: UserId) -> None:
    work.db.execute(users.update().where(users.c.id == user_id).values(last_connection=work.now))


def bump_rights(work: UnitOfWork, user_id: UserId) -> None:
    """Make every process reload this person's rights."""
    work.db.execute(users.update().where(users.c.id == user_id).values(rights_version=users.c.rights_version + 1))


_GRANT_COLUMNS = ("rights", "valid_from", "valid_until", "mask_and", "mask_xor", "monthly_downloads")


def grant_of(row: Sequence[Any]) -> CollectionGrant:
    """(collection, databox, *_GRANT_COLUMNS) as a grant."""
    return CollectionGrant(row[0], row[1], Right(row[2]), *row[3:8])


def grant_values(grant: CollectionGrant) -> dict[str, Any]:
    """The columns of a row of rights on a collection."""
    return {name: int(grant.rights) if name == "rights" else getattr(grant, name) for name in _GRANT_COLUMNS}


def grants_in(
    work: UnitOfWork, table: sa.Table, condition: sa.ColumnElement[bool], *, also_disabled: bool = False
) -> list[CollectionGrant]:
    """The grants of the rows of a table of rights on collections, without those on disabled collections unless
    *also_disabled*."""
    collections = metadata.tables["collections"]
    rows = work.db.execute(
        sa.select(table.c.collection_id, collections.c.databox_id, *(table.c[name] for name in _GRANT_COLUMNS))
        .join(collections, collections.c.id == table.c.collection_id)
        .where(condition, sa.true() if also_disabled else collections.c.enabled)
        .order_by(table.c.collection_id)
    )
    return [grant_of(row) for row in rows]


def own_grants(work: UnitOfWork, user_id: UserId, *, also_disabled: bool = False) -> list[CollectionGrant]:
    """Those of the person alone, without those of groups."""
    return grants_in(work, collection_rights, collection_rights.c.user_id == user_id, also_disabled=also_disabled)


def own_databox_rights(work: UnitOfWork, user_id: UserId) -> dict[int, DataboxRight]:
    boxes = databox_rights.c
    rows = work.db.execute(sa.select(boxes.databox_id, boxes.rights).where(boxes.user_id == user_id))
    return {row[0]: DataboxRight(row[1]) for row in rows}


@dataclass(frozen=True, slots=True)
class HeldRights:
    """Everything that a person holds: *grants* by collection, those of groups too, and the *own* among them."""

    grants: Mapping[int, Sequence[CollectionGrant]]
    own: Mapping[int, CollectionGrant]
    databoxes: Mapping[int, DataboxRight]
    has_grants: bool

    def at(self, now: datetime) -> Rights:
        """As they are at *now*, and until `next_change`."""
        effective = {base: combined(grants, now, self.own.get(base)) for base, grants in self.grants.items()}
        return Rights(MappingProxyType(effective), MappingProxyType(dict(self.databoxes)), has_grants=self.has_grants)

    def next_change(self, now: datetime) -> datetime | None:
        """When `at` gives something else; a single grant knows its own dates."""
        several = (grant for grants in self.grants.values() if len(grants) > 1 for grant in grants)
        return next_change(several, now)


def held_rights(work: UnitOfWork, user_id: UserId, *, also_disabled: bool = False) -> HeldRights:
    """The rights of one person and of their groups, without those on single records, and without those on disabled
    collections unless *also_disabled*."""
    grants: dict[int, list[CollectionGrant]] = {}
    boxes = own_databox_rights(work, user_id)
    listed = own_grants(work, user_id, also_disabled=also_disabled)
    own = {grant.base_id: grant for grant in listed}
    groups = list(work.db.scalars(sa.select(group_members.c.group_id).where(group_members.c.user_id == user_id)))
    if groups:
        of_groups = group_collection_rights.c.group_id.in_(groups)
        listed += grants_in(work, group_collection_rights, of_groups, also_disabled=also_disabled)
        of_boxes = group_databox_rights.c
        rows = work.db.execute(sa.select(of_boxes.databox_id, of_boxes.rights).where(of_boxes.group_id.in_(groups)))
        for databox_id, rights in rows:
            boxes[databox_id] = boxes.get(databox_id, DataboxRight(0)) | DataboxRight(rights)
    for grant in listed:
        grants.setdefault(grant.base_id, []).append(grant)
    granted = work.db.execute(sa.select(record_grants.c.id).where(record_grants.c.user_id == user_id).limit(1)).first()
    return HeldRights(grants, own, boxes, granted is not None)


def set_collection_rights(work: UnitOfWork, user_id: UserId, grant: CollectionGrant) -> None:
    own = sa.and_(collection_rights.c.user_id == user_id, collection_rights.c.collection_id == grant.base_id)
    work.db.execute(collection_rights.delete().where(own))
    work.db.execute(
        collection_rights.insert().values(
            user_id=user_id,
            collection_id=grant.base_id,
            **grant_values(grant),
        )
    )
    bump_rights(work, user_id)


def remove_collection_rights(work: UnitOfWork, user_id: UserId, base_id: int) -> None:
    work.db.execute(
        collection_rights.delete().where(
            collection_rights.c.user_id == user_id, collection_rights.c.collection_id == base_id
        )
    )
    bump_rights(work, user_id)


def set_databox_rights(work: UnitOfWork, user_id: UserId, databox_id: int, rights: DataboxRight) -> None:
    own = sa.and_(databox_rights.c.user_id == user_id, databox_rights.c.databox_id == databox_id)
    work.db.execute(databox_rights.delete().where(own))
    work.db.execute(databox_rights.insert().values(user_id=user_id, databox_id=databox_id, rights=int(rights)))
    bump_rights(work, user_id)


def remove_databox_rights(work: UnitOfWork, user_id: UserId, databox_id: int) -> None:
    own = sa.and_(databox_rights.c.user_id == user_id, databox_rights.c.databox_id == databox_id)
    work.db.execute(databox_rights.delete().where(own))
    bump_rights(work, user_id)


def not_suspended(user_id: sa.ColumnElement[Any], base_id: int) -> sa.ColumnElement[bool]:
    """No row of their own suspends the person on a collection, so that what a group gives counts."""
    own = collection_rights.c
    is_suspended = own.rights.bitwise_and(int(Right.actif)) == 0
    return ~sa.exists().where(own.user_id == user_id, own.collection_id == base_id, is_suspended)


def managers_of(work: UnitOfWork, base_id: int, most: int) -> list[UserId]:
    """People with `canadmin` on a collection now, of their own or through a group."""
    needed = int(Right.actif | Right.canadmin)

    def live(table: sa.Table) -> sa.ColumnElement[bool]:
        return sa.and_(
            table.c.collection_id == base_id,
            table.c.rights.bitwise_and(needed) == needed,
            sa.or_(table.c.valid_from.is_(None), table.c.valid_from <= work.now),
            sa.or_(table.c.valid_until.is_(None), table.c.valid_until >= work.now),
        )

    own = sa.select(collection_rights.c.user_id).where(live(collection_rights)).limit(most)
    members = (
        sa.select(group_members.c.user_id)
        .join(group_collection_rights, group_collection_rights.c.group_id == group_members.c.group_id)
        .where(live(group_collection_rights), not_suspended(group_members.c.user_id, base_id))
        .limit(most)
    )
    found_ids = {*work.db.scalars(own), *work.db.scalars(members)}
    return [UserId(number) for number in sorted(found_ids)[:most]]


def add_failure(work: UnitOfWork, login: str, address: str) -> None:
    work.db.execute(
        sign_in_failures.insert().values(login_folded=fold(login)[:128], address=rate_limit_key(address), at=work.now)
    )


def failures_since(work: UnitOfWork, since: datetime, *, login: str | None = None, address: str | None = None) -> int:
    """The number of failures for *login*, from *address*, or for both together if both are given."""
    wanted = [sign_in_failures.c.at > since]
    if login is not None:
        wanted.append(sign_in_failures.c.login_folded == fold(login)[:128])
    if address is not None:
        wanted.append(sign_in_failures.c.address == rate_limit_key(address))
    return int(work.db.scalar(sa.select(sa.func.count()).select_from(sign_in_failures).where(*wanted)) or 0)


def clear_failures(work: UnitOfWork, login: str) -> None:
    work.db.execute(sign_in_failures.delete().where(sign_in_failures.c.login_folded == fold(login)[:128]))


_SESSION_COLUMNS = [sessions.c[name] for name in Session.__dataclass_fields__]
_BY_DIGEST = Prepared(sa.select(*_SESSION_COLUMNS).where(sessions.c.digest == sa.bindparam("digest")))


def add_session(work: UnitOfWork, digest: bytes, session: Session) -> SessionId:
    """Store *session* and return its id; the id in *session* is ignored."""
    values = {name: getattr(session, name) for name in Session.__dataclass_fields__ if name != "id"}
    result = work.db.execute(sessions.insert().values(digest=digest, **values))
    return SessionId(inserted_id(result))


def session_by_digest(work: UnitOfWork, digest: bytes) -> Session | None:
    row = _BY_DIGEST.first(work, digest=digest)
    return Session(*row) if row else None


def sessions_of(work: UnitOfWork, user_id: UserId) -> list[Session]:
    rows = work.db.execute(
        sa.select(*_SESSION_COLUMNS)
        .where(sessions.c.user_id == user_id, sessions.c.expires > work.now)
        .order_by(sessions.c.last_seen.desc())
        .limit(100)
    )
    return [Session(*row) for row in rows]


_MOST_ADDRESSES = 1_000


def has_session_from(work: UnitOfWork, user_id: UserId, address: str) -> bool:
    """True if one of the person's newest thousand sessions is from this address or its network (`rate_limit_key`)."""
    own = sa.and_(sessions.c.user_id == user_id, sessions.c.expires > work.now)
    newest = sa.select(sessions.c.address).where(own).order_by(sessions.c.id.desc()).limit(_MOST_ADDRESSES)
    return bool(address) and rate_limit_key(address) in map(rate_limit_key, work.db.scalars(newest))


def has_session(work: UnitOfWork, user_id: UserId, session_id: SessionId) -> bool:
    """True while this session of the person is open."""
    own = sa.and_(sessions.c.id == session_id, sessions.c.user_id == user_id, sessions.c.expires > work.now)
    return work.db.execute(sa.select(sessions.c.id).where(own)).first() is not None


def touch_session(work: UnitOfWork, session_id: SessionId, at: datetime, expires: datetime) -> None:
    live = sa.and_(sessions.c.id == session_id, sessions.c.expires > at)
    work.db.execute(sessions.update().where(live).values(last_seen=at, expires=expires))


def prove_session(work: UnitOfWork, session_id: SessionId) -> None:
    work.db.execute(sessions.update().where(sessions.c.id == session_id).values(auth_time=work.now))


def delete_session(work: UnitOfWork, user_id: UserId, session_id: SessionId) -> bool:
    done = work.db.execute(sessions.delete().where(sessions.c.id == session_id, sessions.c.user_id == user_id))
    return done.rowcount > 0


def delete_sessions(work: UnitOfWork, user_id: UserId, keep: SessionId | None = None) -> int:
    condition = sessions.c.user_id == user_id
    if keep is not None:
        condition = sa.and_(condition, sessions.c.id != keep)
    return work.db.execute(sessions.delete().where(condition)).rowcount


def _expired(table: sa.Table) -> Expiry:
    return Expiry(table, lambda work: table.c.expires < work.now)


EXPIRIES = (
    _expired(sessions),
    _expired(passkey_challenges),
    Expiry(users, lambda work: users.c.confirm_by < work.now),
    Expiry(sign_in_failures, lambda work: sign_in_failures.c.at < work.now - timedelta(days=1)),
)


def with_rights_on(work: UnitOfWork, user_ids: Iterable[UserId], base_ids: Iterable[int]) -> set[UserId]:
    """Those of *user_ids* who have rights of their own on one of these collections, disabled ones too."""
    own = collection_rights.c
    wanted = (
        sa.select(own.user_id)
        .where(own.user_id.in_(sorted(user_ids)), own.collection_id.in_(sorted(base_ids)))
        .distinct()
    )
    return {UserId(user_id) for user_id in work.db.scalars(wanted)}
