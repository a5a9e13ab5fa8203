"""All SQL of bundles."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from vitrine.library.bundles.model import READY, Bundle, BundleFile, BundleLink, Captions, Draft, State
from vitrine.library.sharing.tables import bundle_files, bundle_links, download_bundles
from vitrine.platform.database import UnitOfWork, inserted_id
from vitrine.platform.expiry import Expiry

KEPT_AFTER_END = timedelta(days=7)  # so that an old link can say whose it was
_bundles, _files, _links = download_bundles.c, bundle_files.c, bundle_links.c
_BUNDLE = tuple(_bundles[name] for name in Bundle.__dataclass_fields__)
_FILE = tuple(_files[name] for name in BundleFile.__dataclass_fields__)
_LINK = tuple(_links[name] for name in BundleLink.__dataclass_fields__)
EXPIRIES = (Expiry(download_bundles, lambda work: _bundles.expires < work.now - KEPT_AFTER_END),)
_PREPARED = bundle_files.update().where(
    _files.bundle_id == sa.bindparam("bundle"), _files.position == sa.bindparam("place")
)


def _bundle(row: Any) -> Bundle:
    values = row._asdict()
    return Bundle(**{**values, "captions": Captions(values["captions"]), "state": State(values["state"])})


def add(
    work: UnitOfWork, user_id: int, delegation_id: int, draft: Draft, files: Sequence[BundleFile], expires: datetime
) -> int:
    refused = sum(file.outcome is not None for file in files)
    values = {
        "user_id": user_id, "delegation_id": delegation_id, "title": draft.title.strip(), "note": draft.note.strip(),
        "captions": draft.captions.value, "state": State.WAITING.value, "total": len(files), "prepared": refused,
        "refused": refused, "size": sum(file.size for file in files), "created": work.now, "expires": expires,
    }  # fmt: skip
    bundle_id = inserted_id(work.db.execute(download_bundles.insert().values(**values)))
    rows = [
        {"bundle_id": bundle_id, **{name: getattr(file, name) for name in BundleFile.__dataclass_fields__}}
        for file in files
    ]
    work.db.execute(bundle_files.insert(), rows)
    return bundle_id


def get(work: UnitOfWork, bundle_id: int) -> Bundle | None:
    row = work.db.execute(sa.select(*_BUNDLE).where(_bundles.id == bundle_id)).first()
    return _bundle(row) if row else None


def page(work: UnitOfWork, user_id: int, *, before: int | None, limit: int) -> list[Bundle]:
    """Those of one person, newest first."""
    wanted = [_bundles.user_id == user_id]
    if before is not None:
        wanted.append(_bundles.id < before)
    rows = work.db.execute(sa.select(*_BUNDLE).where(*wanted).order_by(_bundles.id.desc()).limit(limit))
    return [_bundle(row) for row in rows]


def count_live(work: UnitOfWork, user_id: int, limit: int) -> int:
    """How many of a person's bundles have not ended, *limit* at most; they end within days, so they are few."""
    states = [state.value for state in State if state.is_open]
    some = (
        sa.select(_bundles.id)
        .where(_bundles.user_id == user_id, _bundles.expires > work.now, _bundles.state.in_(states))
        .limit(limit)
        .subquery()
    )
    return int(work.db.scalar(sa.select(sa.func.count()).select_from(some)) or 0)


def update(work: UnitOfWork, bundle_id: int, values: Mapping[str, Any]) -> None:
    work.db.execute(download_bundles.update().where(_bundles.id == bundle_id).values(**values))


def files(work: UnitOfWork, bundle_id: int, *, after: int = -1, limit: int | None = None) -> list[BundleFile]:
    """In their order, after the position *after*."""
    wanted = sa.select(*_FILE).where(_files.bundle_id == bundle_id, _files.position > after)
    return [BundleFile(*row) for row in work.db.execute(wanted.order_by(_files.position).limit(limit))]


def waiting_files(work: UnitOfWork, bundle_id: int, limit: int) -> list[BundleFile]:
    """The next ones without an outcome."""
    wanted = sa.select(*_FILE).where(_files.bundle_id == bundle_id, _files.outcome.is_(None))
    return [BundleFile(*row) for row in work.db.execute(wanted.order_by(_files.position).limit(limit))]


def write_outcomes(work: UnitOfWork, bundle: Bundle, done: Sequence[BundleFile]) -> None:
    """Write what became of these files, and how far the bundle is."""
    names = ("rendition", "outcome", "source", "recipe", "digest", "size", "crc")
    rows = [
        {"bundle": bundle.id, "place": file.position, **{f"new_{name}": getattr(file, name) for name in names}}
        for file in done
    ]
    work.db.execute(_PREPARED.values({name: sa.bindparam(f"new_{name}") for name in names}), rows)
    refused = sum(file.outcome != READY for file in done)
    values = {
        "prepared": _bundles.prepared + len(done), "refused": _bundles.refused + refused,
        "state": State.PREPARING.value,
    }  # fmt: skip
    update(work, bundle.id, values)


# -- links -------------------------------------------------------------------------------------------------------------


def add_link(work: UnitOfWork, bundle_id: int, *, user_id: int | None, email: str, digest: bytes | None) -> int:
    """Without a *digest* it is mailed when the bundle is ready."""
    values = {
        "bundle_id": bundle_id, "user_id": user_id, "email": email, "digest": digest, "created": work.now,
        "sent": None if digest is None else work.now,
    }  # fmt: skip
    return inserted_id(work.db.execute(bundle_links.insert().values(**values)))


def links(work: UnitOfWork, bundle_id: int) -> list[BundleLink]:
    rows = work.db.execute(sa.select(*_LINK).where(_links.bundle_id == bundle_id).order_by(_links.id))
    return [BundleLink(*row) for row in rows]


def link(work: UnitOfWork, link_id: int) -> BundleLink | None:
    row = work.db.execute(sa.select(*_LINK).where(_links.id == link_id)).first()
    return BundleLink(*row) if row else None


def link_by_digest(work: UnitOfWork, digest: bytes) -> BundleLink | None:
    row = work.db.execute(sa.select(*_LINK).where(_links.digest == digest)).first()
    return BundleLink(*row) if row else None


def set_secret(work: UnitOfWork, link_id: int, digest: bytes | None) -> None:
    sent = None if digest is None else work.now
    work.db.execute(bundle_links.update().where(_links.id == link_id).values(digest=digest, sent=sent))


def delete_link(work: UnitOfWork, bundle_id: int, link_id: int) -> int:
    own = bundle_links.delete().where(_links.id == link_id, _links.bundle_id == bundle_id)
    return work.db.execute(own).rowcount


def count_download(work: UnitOfWork, bundle_id: int, link_id: int | None) -> None:
    update(work, bundle_id, {"downloads": _bundles.downloads + 1, "last_download": work.now})
    if link_id is not None:
        counted = bundle_links.update().where(_links.id == link_id)
        work.db.execute(counted.values(downloads=_links.downloads + 1))


def forget_person(work: UnitOfWork, user_id: int) -> None:
    """The bundles of an account that is closed, and links that were made for it."""
    work.db.execute(download_bundles.delete().where(_bundles.user_id == user_id))
    work.db.execute(bundle_links.delete().where(_links.user_id == user_id))
