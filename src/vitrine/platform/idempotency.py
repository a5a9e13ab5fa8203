"""Answers that are kept under the key that a caller chose for a request, so that a repetition changes nothing again.

The answer is written in the transaction of the change: after a crash there are both or neither. A request of several
transactions reserves its key first; a reservation that nobody fulfils ends by itself. See
docs/decisions/0124-idempotency-keys.md.
"""

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from vitrine.platform.database import UnitOfWork
from vitrine.platform.expiry import Expiry
from vitrine.platform.tables import idempotency_keys

KEPT = timedelta(hours=24)
RESERVED = timedelta(minutes=15)
_COLUMNS = idempotency_keys.c


@dataclass(frozen=True, slots=True)
class Key:
    """*digest* of the key that the account's caller chose, and *request*, the digest of what was sent with it."""

    account_id: int
    digest: bytes
    request: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """*status* None: the request is running. *body* None: it held a secret and is not kept. *authority* is a digest of
    what the caller might do then."""

    request: bytes
    authority: bytes
    status: int | None
    headers: dict[str, str]
    body: bytes | None


def find(work: UnitOfWork, key: Key) -> Answer | None:
    """What is kept under *key*, whatever request it was for; None once it has expired."""
    row = work.db.execute(
        sa.select(_COLUMNS.request, _COLUMNS.authority, _COLUMNS.status, _COLUMNS.headers, _COLUMNS.body).where(
            _COLUMNS.account_id == key.account_id, _COLUMNS.key == key.digest, _COLUMNS.expires > work.now
        )
    ).first()
    return None if row is None else Answer(*row)


def keep(work: UnitOfWork, key: Key, answer: Answer) -> None:
    """Keep *answer*, in place of a reservation or of what has expired."""
    forget(work, key)
    work.db.execute(
        idempotency_keys.insert().values(
            account_id=key.account_id,
            key=key.digest,
            request=key.request,
            authority=answer.authority,
            status=answer.status,
            headers=answer.headers,
            body=answer.body,
            expires=work.now + (RESERVED if answer.status is None else KEPT),
        )
    )


def reserve(work: UnitOfWork, key: Key) -> None:
    """The request begins; others with its key are refused until `keep` or `forget`, or for RESERVED."""
    keep(work, key, Answer(key.request, b"", None, {}, None))


def forget(work: UnitOfWork, key: Key) -> None:
    work.db.execute(idempotency_keys.delete().where(_COLUMNS.account_id == key.account_id, _COLUMNS.key == key.digest))


EXPIRIES = (Expiry(idempotency_keys, lambda work: _COLUMNS.expires <= work.now),)
