"""All SQL of second factors, recovery codes and passkeys."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from vitrine.accounts.model import UserId
from vitrine.accounts.tables import passkey_challenges, recovery_codes, second_factors
from vitrine.accounts.tables import passkeys as keys
from vitrine.platform.database import UnitOfWork


def factor(work: UnitOfWork, user_id: UserId) -> Any:
    return work.db.execute(sa.select(second_factors).where(second_factors.c.user_id == user_id)).first()


def confirmed(work: UnitOfWork, user_id: UserId) -> Any:
    row = factor(work, user_id)
    return row if row is not None and row.confirmed_at is not None else None


def begin(work: UnitOfWork, user_id: UserId, sealed: str) -> None:
    remove(work, user_id)
    work.db.execute(second_factors.insert().values(user_id=user_id, sealed=sealed, created=work.now))


def confirm(work: UnitOfWork, user_id: UserId, step: int) -> None:
    mine = second_factors.c.user_id == user_id
    work.db.execute(second_factors.update().where(mine).values(confirmed_at=work.now, last_step=step))


def use_step(work: UnitOfWork, user_id: UserId, step: int) -> bool:
    """True for the one caller who was first with this step."""
    older = sa.or_(second_factors.c.last_step.is_(None), second_factors.c.last_step < step)
    done = work.db.execute(
        second_factors.update().where(second_factors.c.user_id == user_id, older).values(last_step=step)
    )
    return done.rowcount == 1


def remove(work: UnitOfWork, user_id: UserId) -> None:
    work.db.execute(second_factors.delete().where(second_factors.c.user_id == user_id))


def set_codes(work: UnitOfWork, user_id: UserId, digests: list[bytes]) -> None:
    work.db.execute(recovery_codes.delete().where(recovery_codes.c.user_id == user_id))
    if digests:
        work.db.execute(
            recovery_codes.insert(), [{"user_id": user_id, "digest": code_digest} for code_digest in digests]
        )


def codes_left(work: UnitOfWork, user_id: UserId) -> int:
    unused = sa.and_(recovery_codes.c.user_id == user_id, recovery_codes.c.used_at.is_(None))
    return int(work.db.scalar(sa.select(sa.func.count()).select_from(recovery_codes).where(unused)) or 0)


def use_code(work: UnitOfWork, user_id: UserId, digest: bytes) -> bool:
    this = sa.and_(
        recovery_codes.c.user_id == user_id, recovery_codes.c.digest == digest, recovery_codes.c.used_at.is_(None)
    )
    return work.db.execute(recovery_codes.update().where(this).values(used_at=work.now)).rowcount == 1


def passkeys(work: UnitOfWork, user_id: UserId) -> list[tuple[int, str, datetime, datetime | None]]:
    rows = work.db.execute(
        sa.select(keys.c.id, keys.c.name, keys.c.created, keys.c.last_used)
        .where(keys.c.user_id == user_id)
        .order_by(keys.c.id)
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def passkey_ids(work: UnitOfWork, user_id: UserId) -> list[str]:
    return list(work.db.scalars(sa.select(keys.c.credential).where(keys.c.user_id == user_id)))


def passkey(work: UnitOfWork, credential: str) -> Any:
    return work.db.execute(sa.select(keys).where(keys.c.credential == credential)).first()


def add_passkey(
    work: UnitOfWork, user_id: UserId, credential: str, public_key: bytes, sign_count: int, name: str
) -> None:
    values = {"user_id": user_id, "credential": credential, "public_key": public_key, "sign_count": sign_count}
    work.db.execute(keys.insert().values(name=name, created=work.now, **values))


def use_passkey(work: UnitOfWork, passkey_id: int, sign_count: int) -> None:
    work.db.execute(keys.update().where(keys.c.id == passkey_id).values(sign_count=sign_count, last_used=work.now))


def remove_passkey(work: UnitOfWork, user_id: UserId, passkey_id: int) -> bool:
    return work.db.execute(keys.delete().where(keys.c.id == passkey_id, keys.c.user_id == user_id)).rowcount > 0


def add_challenge(work: UnitOfWork, digest: bytes, user_id: int | None, expires: datetime) -> None:
    work.db.execute(passkey_challenges.delete().where(passkey_challenges.c.expires < work.now))
    work.db.execute(passkey_challenges.insert().values(digest=digest, user_id=user_id, expires=expires))


def take_challenge(work: UnitOfWork, digest: bytes, user_id: int | None) -> bool:
    owner = passkey_challenges.c.user_id.is_(None) if user_id is None else passkey_challenges.c.user_id == user_id
    this = sa.and_(passkey_challenges.c.digest == digest, passkey_challenges.c.expires > work.now, owner)
    return work.db.execute(passkey_challenges.delete().where(this)).rowcount == 1
