"""All SQL of applications, secrets, accounts and consents."""

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from vitrine.accounts.tables import users
from vitrine.applications.model import OUT_OF_BAND, Account, AccountId, Application, ApplicationId, Secret
from vitrine.applications.origins import origin_of
from vitrine.applications.profiles import Profile, Switches
from vitrine.applications.provenance import Maker
from vitrine.applications.tables import (
    MADE_BY,
    accounts,
    application_owners,
    application_secrets,
    application_testers,
    applications,
    consents,
    redirect_addresses,
)
from vitrine.platform.database import UnitOfWork, inserted_id
from vitrine.platform.prepared import Prepared
from vitrine.platform.schema import metadata
from vitrine.platform.texts import folded

_LIVE = applications.c.deleted_at.is_(None)
_DESCRIBED = (
    "kind", "publisher", "privacy_url", "terms_url", "contact", "suspended_by", "suspended_reason", "approval",
    "approval_reason", "only_testers", "logo", "deleted_at", "scope_limit",
)  # fmt: skip
_BY_TOKEN = sa.or_(*(redirect_addresses.c[name].is_not(None) for name in MADE_BY)).label("is_by_token")
_MAKERS = [redirect_addresses.c[name] for name in MADE_BY]
MOST_COUNTED = 1_000
_ACCOUNT = [accounts.c[name] for name in Account.__dataclass_fields__]
_SECRET = [application_secrets.c[name] for name in Secret.__dataclass_fields__]


def _find(work: UnitOfWork, *conditions: Any, live: Any = _LIVE) -> list[Application]:
    users = metadata.tables["users"]
    rows = work.db.execute(
        sa.select(applications, users.c.login, users.c.first_name, users.c.last_name)
        .outerjoin(users, users.c.id == applications.c.creator_id)
        .where(live, *conditions)
        .order_by(applications.c.name, applications.c.id)
    ).all()
    addresses: dict[int, dict[str, bool]] = {row.id: {} for row in rows}
    address_rows = work.db.execute(
        sa.select(redirect_addresses.c.application_id, redirect_addresses.c.uri, _BY_TOKEN)
        .where(redirect_addresses.c.application_id.in_(list(addresses)), _address_stands(work))
        .order_by(redirect_addresses.c.position, redirect_addresses.c.id)
    )
    for application_id, uri, is_by_token in address_rows:
        addresses[application_id][uri] = bool(is_by_token)
    return [_application(row, addresses[row.id]) for row in rows]


def _address_stands(work: UnitOfWork) -> sa.ColumnElement[bool]:
    """False for an address whose developer token has expired, until the worker deletes both."""
    tokens = metadata.tables["access_tokens"].c
    over = sa.select(tokens.id).where(tokens.id == redirect_addresses.c.made_by_token_id, tokens.expires <= work.now)
    return sa.or_(redirect_addresses.c.made_by_token_id.is_(None), sa.not_(over.exists()))


def _application(row: Any, redirects: Mapping[str, bool]) -> Application:
    """*redirects* maps each address to True if it was added with a token."""
    return Application(
        id=row.id,
        creator_id=row.creator_id,
        creator_name=f"{row.first_name or ''} {row.last_name or ''}".strip() or row.login or "",
        type=row.type,
        name=row.name,
        description=row.description,
        website=row.website,
        client_id=row.client_id,
        activated=row.activated,
        switches=Switches(Profile(row.profile), dict(row.switches)),
        list_shapes=row.list_shapes,
        redirects=tuple(redirects),
        token_redirects=frozenset(uri for uri, is_by_token in redirects.items() if is_by_token),
        created=row.created,
        updated=row.updated,
        **{name: row._mapping[name] for name in _DESCRIBED},
    )


def by_id(work: UnitOfWork, application_id: ApplicationId) -> Application | None:
    return next(iter(_find(work, applications.c.id == application_id)), None)


def by_client_id(work: UnitOfWork, client_id: str) -> Application | None:
    return next(iter(_find(work, applications.c.client_id == client_id)), None)


def _owned(user_id: int) -> Any:
    shared = sa.select(application_owners.c.application_id).where(application_owners.c.user_id == user_id)
    return sa.or_(applications.c.creator_id == user_id, applications.c.id.in_(shared))


def owned_by(work: UnitOfWork, user_id: int, limit: int, offset: int, words: str = "") -> list[Application]:
    """A page of a person's applications, by name."""
    return page(work, limit, offset, words, _LIVE, _owned(user_id))


LONGEST_WORDS = 200  # characters to look for in names


def page(
    work: UnitOfWork, limit: int, offset: int, words: str, *conditions: Any, waiting_first: bool = False
) -> list[Application]:
    """A page of the applications whose names contain *words* in any case, by name. Only the names are read of those on
    other pages: databases do not fold and order letters beyond ASCII alike (docs/decisions/0094)."""
    columns = (applications.c.id, applications.c.name, applications.c.approval)
    wanted = folded(words[:LONGEST_WORDS])
    named = [
        (waiting_first and row.approval != "waiting", folded(row.name), row.id)
        for row in work.db.execute(sa.select(*columns).where(*conditions))
    ]
    ids = [key[-1] for key in sorted(key for key in named if wanted in key[1])[offset : offset + limit]]
    by_id = {application.id: application for application in _find(work, applications.c.id.in_(ids), live=sa.true())}
    return [by_id[application_id] for application_id in ids]


def names(work: UnitOfWork, ids: Collection[int]) -> dict[int, str]:
    """The names of at most a page of applications, by id; also of deleted ones that can still be restored."""
    wanted = sa.select(applications.c.id, applications.c.name).where(applications.c.id.in_(sorted(ids)))
    return {row.id: row.name for row in work.db.execute(wanted)}


def is_owner(work: UnitOfWork, user_id: int, application_id: ApplicationId) -> bool:
    wanted = sa.select(applications.c.id).where(applications.c.id == application_id, _owned(user_id))
    return work.db.execute(wanted).first() is not None


def is_tester(work: UnitOfWork, user_id: int, application_id: ApplicationId) -> bool:
    wanted = sa.select(application_testers.c.user_id).where(
        application_testers.c.application_id == application_id, application_testers.c.user_id == user_id
    )
    return work.db.execute(wanted).first() is not None


def knows_client_id(work: UnitOfWork, client_id: str) -> bool:
    """True if an application has this id, also a deleted one that can still be restored."""
    return (
        work.db.execute(sa.select(applications.c.id).where(applications.c.client_id == client_id)).first() is not None
    )


def by_ids(work: UnitOfWork, ids: list[ApplicationId]) -> dict[ApplicationId, Application]:
    return {application.id: application for application in _find(work, applications.c.id.in_(ids))}


def add(work: UnitOfWork, values: Mapping[str, Any], redirects: list[str], maker: Maker | None = None) -> ApplicationId:
    application_id = ApplicationId(
        inserted_id(work.db.execute(applications.insert().values(created=work.now, updated=work.now, **values)))
    )
    set_redirects(work, application_id, redirects, maker)
    return application_id


def update(work: UnitOfWork, application_id: ApplicationId, values: Mapping[str, Any]) -> None:
    work.db.execute(applications.update().where(applications.c.id == application_id).values(updated=work.now, **values))


def set_redirects(
    work: UnitOfWork, application_id: ApplicationId, redirects: list[str], maker: Maker | None = None
) -> None:
    """Replace the redirect addresses. New ones get *maker*, the others keep theirs. The out-of-band address has none,
    since it leads nowhere."""
    own = redirect_addresses.c.application_id == application_id
    known = work.db.execute(sa.select(redirect_addresses.c.uri, *_MAKERS).where(own)).all()
    makers: dict[str, dict[str, int | None]] = {row[0]: dict(zip(MADE_BY, row[1:], strict=True)) for row in known}
    new = dict.fromkeys(MADE_BY) if maker is None else maker.values()
    work.db.execute(redirect_addresses.delete().where(own))
    rows = [
        {
            "application_id": application_id, "uri": uri, "position": place, "origin": origin_of(uri),
            **makers.get(uri, dict.fromkeys(MADE_BY) if uri == OUT_OF_BAND else new),
        }
        for place, uri in enumerate(redirects)
    ]  # fmt: skip
    if rows:  # a machine has no redirect address
        work.db.execute(redirect_addresses.insert(), rows)


def is_origin(work: UnitOfWork, origin: str, application_id: int | None) -> bool:
    """True if an active application (or this very one) has a redirect address of *origin*."""
    wanted = (
        sa.select(redirect_addresses.c.id)
        .join(applications, applications.c.id == redirect_addresses.c.application_id)
        .where(redirect_addresses.c.origin == origin, applications.c.activated, _LIVE, _address_stands(work))
        .limit(1)
    )
    if application_id is not None:
        wanted = wanted.where(applications.c.id == application_id)
    return work.db.execute(wanted).first() is not None


def add_secret(
    work: UnitOfWork, application_id: ApplicationId, digest: bytes, sealed: str, last_four: str, maker: Maker | None,
    *, is_shared: bool = False,
) -> None:  # fmt: skip
    """A secret with a *maker* is shared, since a program knows it."""
    values: dict[str, Any] = {} if maker is None else {**maker.values(), "expires": maker.expires}
    work.db.execute(
        application_secrets.insert().values(
            application_id=application_id, digest=digest, sealed=sealed, last_four=last_four, created=work.now,
            is_shared=is_shared or maker is not None, **values,
        )
    )  # fmt: skip


def share_secrets(work: UnitOfWork, application_id: ApplicationId, secret_id: int | None = None) -> None:
    """Record that others than the first owner know the live secrets, or one of them."""
    wanted = _live_secret(work, application_id)
    if secret_id is not None:
        wanted = sa.and_(wanted, application_secrets.c.id == secret_id)
    work.db.execute(application_secrets.update().where(wanted).values(is_shared=True))


def _live_secret(work: UnitOfWork, application_id: ApplicationId) -> Any:
    return sa.and_(
        application_secrets.c.application_id == application_id,
        sa.or_(application_secrets.c.expires.is_(None), application_secrets.c.expires > work.now),
    )


def secret_digests(work: UnitOfWork, application_id: ApplicationId) -> list[bytes]:
    return list(work.db.scalars(sa.select(application_secrets.c.digest).where(_live_secret(work, application_id))))


def current_secret(work: UnitOfWork, application_id: ApplicationId) -> tuple[Secret, str] | None:
    """The newest live secret and its sealed value."""
    row = work.db.execute(
        sa.select(*_SECRET, application_secrets.c.sealed)
        .where(_live_secret(work, application_id))
        .order_by(application_secrets.c.id.desc())
        .limit(1)
    ).first()
    return (Secret(*row[:-1]), row[-1]) if row else None


def account(work: UnitOfWork, user_id: int, application_id: ApplicationId) -> Account | None:
    row = work.db.execute(
        sa.select(*_ACCOUNT).where(accounts.c.user_id == user_id, accounts.c.application_id == application_id)
    ).first()
    return Account(*row) if row else None


_ACTING = Prepared(
    sa.select(accounts.c.id)
    .join(users, users.c.id == accounts.c.user_id)
    .where(
        accounts.c.user_id == sa.bindparam("owner"),
        accounts.c.application_id == sa.bindparam("application"),
        accounts.c.acts_alone_since.is_not(None),
        accounts.c.revoked_at.is_(None),
        users.c.deleted_at.is_(None),
        sa.not_(users.c.mail_locked),
    )
)


def acting_account(work: UnitOfWork, user_id: int, application_id: ApplicationId) -> AccountId | None:
    """The account of an owner who lets the application act for them, and whose own account is open."""
    row = _ACTING.first(work, owner=user_id, application=application_id)
    return None if row is None else AccountId(row[0])


def is_open(work: UnitOfWork, account_id: int) -> bool:
    """False once consent was withdrawn, or the person's account was suspended or closed."""
    own = sa.and_(accounts.c.id == account_id, accounts.c.revoked_at.is_(None))
    wanted = sa.select(accounts.c.id).join(users, users.c.id == accounts.c.user_id)
    live = wanted.where(own, users.c.deleted_at.is_(None), sa.not_(users.c.mail_locked))
    return work.db.execute(live).first() is not None


def user_of(work: UnitOfWork, account_id: int) -> int:
    return int(work.db.execute(sa.select(accounts.c.user_id).where(accounts.c.id == account_id)).scalar_one())


def granted_accounts(work: UnitOfWork, user_id: int, limit: int, offset: int) -> list[Account]:
    """A page of the accounts with which a person allowed an application at least once, those still allowed first."""
    live = sa.select(applications.c.id).where(applications.c.id == accounts.c.application_id, _LIVE)
    rows = work.db.execute(
        sa.select(*_ACCOUNT)
        .where(accounts.c.user_id == user_id, accounts.c.granted_at.is_not(None), live.exists())
        .order_by(accounts.c.revoked_at.is_not(None), accounts.c.granted_at.desc(), accounts.c.id)
        .limit(limit)
        .offset(offset)
    )
    return [Account(*row) for row in rows]


def add_account(work: UnitOfWork, user_id: int, application_id: ApplicationId) -> AccountId:
    row = accounts.insert().values(user_id=user_id, application_id=application_id, created=work.now)
    return AccountId(inserted_id(work.db.execute(row)))


def update_account(work: UnitOfWork, account_id: AccountId, values: Mapping[str, Any]) -> None:
    work.db.execute(accounts.update().where(accounts.c.id == account_id).values(**values))


def add_consent(
    work: UnitOfWork,
    account_id: AccountId,
    decision: str,
    shown: Mapping[str, Any],
    address: str,
    scope: list[str] | None = None,
) -> None:
    values = {"account_id": account_id, "at": work.now, "decision": decision, "shown": shown, "address": address}
    work.db.execute(consents.insert().values(scope=scope, **values))


def has_allowed(work: UnitOfWork, account_id: AccountId, return_to: str) -> bool:
    """True if the person consented on a page that named this address; looks at their newest hundred decisions."""
    rows = work.db.scalars(
        sa.select(consents.c.shown)
        .where(consents.c.account_id == account_id, consents.c.decision == "allow")
        .order_by(consents.c.id.desc())
        .limit(100)
    )
    return any(shown.get("return_to") == return_to for shown in rows)


def count_people(work: UnitOfWork, ids: list[ApplicationId]) -> dict[ApplicationId, int]:
    """How many people allow each application at present; MOST_COUNTED + 1 stands for more than MOST_COUNTED."""
    if not ids:
        return {}
    named = {f"id{place}": application_id for place, application_id in enumerate(ids)}
    return {ids[row[0]]: row[1] for row in _people_of(len(ids)).all(work, **named)}


@lru_cache(maxsize=64)
def _people_of(count: int) -> Prepared:
    """The statement for *count* applications: (place of the application, number of people)."""
    counts: list[sa.Select[int, int]] = [
        sa.select(
            sa.literal_column(str(place), sa.Integer()).label("place"), sa.func.count().label("people")
        ).select_from(
            sa.select(accounts.c.id)
            .where(
                accounts.c.application_id == sa.bindparam(f"id{place}"),
                accounts.c.granted_at.is_not(None),
                accounts.c.revoked_at.is_(None),
            )
            .limit(MOST_COUNTED + 1)
            .subquery()
        )
        for place in range(count)
    ]
    every = sa.union_all(*counts).subquery()
    return Prepared(sa.select(every.c.place, every.c.people))
