"""Feeds and entries for tests, made as people make them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vitrine.accounts import COMMAND, DataboxRight, User, Via
from vitrine.feeds import EntryDraft, Feed, FeedEntry, FeedId
from vitrine.library.model import Collection, RecordKey
from vitrine.testing import media_factory
from vitrine.testing.record_factory import StoredRecord, add_record
from vitrine.testing.server import Server


def publisher(server: Server, login: str, **more: Any) -> User:
    """A person who may publish records of the databox."""
    user = server.user(login, **more)
    with server.services.database.write() as work:
        users = server.services.accounts.users
        users.grant_databox(work, COMMAND, user.id, server.databox.id, DataboxRight.bas_chupub)
        return users.get(work, user.id)


def picture(server: Server, into: Collection | None = None, *, title: str = "Harbour", **more: Any) -> RecordKey:
    """A photograph with preview and thumbnail, whose files are the same for each."""
    folder = server.settings.data_dir / "pictures"
    folder.mkdir(exist_ok=True)
    files = {
        name: StoredRecord(_jpeg(folder / f"{name}.jpg", width), "image/jpeg", width, width * 2 // 3)
        for name, width in (("document", 90), ("preview", 60), ("thumbnail", 30))
    }
    return add_record(server.services, into or server.photographs, "image", files, title=title, **more)


def _jpeg(path: Path, width: int) -> Path:
    return path if path.exists() else media_factory.jpeg(path, width, width * 2 // 3)


def add_feed(
    server: Server, owner: User, *, public: bool = False, scope: Collection | None = None, title: str = "News"
) -> Feed:
    with server.services.database.write() as work:
        return server.services.feeds.registry.add(
            work,
            COMMAND,
            title=title,
            is_public=public,
            collection_id=None if scope is None else scope.id,
            owner_id=owner.id,
        )


def publish(
    server: Server, user: User, feed_id: FeedId, keys: Iterable[RecordKey], *, notify: bool = False, **texts: Any
) -> FeedEntry:
    with server.services.database.write() as work:
        actor = server.services.accounts.users.actor_of(work, user, Via.SESSION)
        draft = EntryDraft(**{"title": "Boats", "records": tuple(keys), **texts})
        return server.services.feeds.entries.publish(work, actor, feed_id, draft, notify=notify)
