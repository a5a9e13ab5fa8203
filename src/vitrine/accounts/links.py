"""SQL of the links in mails. Each works once; only its digest is stored."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from vitrine.accounts.tables import mailed_links
from vitrine.platform.database import UnitOfWork
from vitrine.platform.expiry import Expiry


@dataclass(frozen=True, slots=True)
class Link:
    id: int
    user_id: int
    purpose: str
    email: str


_LINK = [mailed_links.c[name] for name in Link.__dataclass_fields__]


def add(work: UnitOfWork, digest: bytes, user_id: int, purpose: str, email: str, expires: datetime) -> None:
    values = {"digest": digest, "user_id": user_id, "purpose": purpose, "email": email, "expires": expires}
    work.db.execute(mailed_links.insert().values(created=work.now, **values))


def by_digest(work: UnitOfWork, digest: bytes, purpose: str) -> Link | None:
    """The link, or None if there is none or it has expired."""
    row = work.db.execute(
        sa.select(*_LINK).where(
            mailed_links.c.digest == digest, mailed_links.c.purpose == purpose, mailed_links.c.expires > work.now
        )
    ).first()
    return Link(*row) if row else None


def use(work: UnitOfWork, link: Link) -> None:
    """Delete this link and the other ones of the same person and purpose."""
    forget_all(work, link.user_id, link.purpose)


def forget_all(work: UnitOfWork, user_id: int, purpose: str) -> None:
    same = sa.and_(mailed_links.c.user_id == user_id, mailed_links.c.purpose == purpose)
    work.db.execute(mailed_links.delete().where(same))


def is_for_address(link: Link, address: str | None) -> bool:
    """A link works only while the account has the address that it had when the link was made."""
    return link.email.strip().casefold() == (address or "").strip().casefold()


def forget(work: UnitOfWork, digest: bytes) -> None:
    work.db.execute(mailed_links.delete().where(mailed_links.c.digest == digest))


EXPIRIES = (Expiry(mailed_links, lambda work: mailed_links.c.expires < work.now),)
