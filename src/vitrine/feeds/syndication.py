"""A page of entries as feed readers get it: texts without business fields, and the files that the reader may fetch
(contract 04 section 9).

The address of a file in a public feed has no token: it opens as long as the record is published. Where a person reads a
feed that is not public, it is the permalink with its token, of a file that the person may have.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vitrine.accounts import Actor
from vitrine.feeds.entries import Entries
from vitrine.feeds.errors import MayNotRead, NoSuchFeed
from vitrine.feeds.model import EntryId, Feed, FeedEntry, FeedId, ReadableEntry
from vitrine.feeds.service import Feeds
from vitrine.library.model import PREVIEW, THUMBNAIL, Record, Rendition
from vitrine.library.records import LISTED_AT_ONCE, FullRecord, Records, RecordWithThumbnail
from vitrine.library.sharing import permalinks
from vitrine.platform.database import UnitOfWork

PER_PAGE = 20
LAST_PAGE = 1_000_000
MEDIA = frozenset({"image", "audio", "video"})  # documents are left out


@dataclass(frozen=True, slots=True)
class SyndicatedFile:
    """*path* is without the host."""

    path: str
    rendition: Rendition


@dataclass(frozen=True, slots=True)
class SyndicatedMedia:
    """A picture, sound or film of an entry. *texts* are its values by Dublin Core element."""

    record: Record
    texts: Mapping[str, Sequence[str]]
    preview: SyndicatedFile
    thumbnail: SyndicatedFile


@dataclass(frozen=True, slots=True)
class SyndicatedEntry:
    entry: FeedEntry
    feed: Feed
    media: Sequence[SyndicatedMedia]


@dataclass(frozen=True, slots=True)
class SyndicatedPage:
    """*feed* is None for all feeds of the reader together."""

    feed: Feed | None
    entries: Sequence[SyndicatedEntry]
    number: int
    has_next: bool


@dataclass(frozen=True, slots=True)
class Syndication:
    feeds: Feeds
    entries: Entries
    records: Records

    def page(self, work: UnitOfWork, actor: Actor, feed_id: FeedId | None, number: int) -> SyndicatedPage:
        """Page *number*, from 1, of one feed or of all that *actor* may read, the last updated entry first. Raises
        NoSuchFeed, or MayNotRead where *actor* is nobody."""
        feed = self._feed(work, actor, feed_id) if feed_id is not None else None
        among = None if feed is None else [feed.id]
        offset = (number - 1) * PER_PAGE
        page = self.entries.latest(work, actor, offset, PER_PAGE, among)
        return SyndicatedPage(feed, self._entries(work, actor, page.entries), number, offset + PER_PAGE < page.total)

    def entry(self, work: UnitOfWork, actor: Actor, feed_id: FeedId, entry_id: EntryId) -> SyndicatedPage:
        """One entry of a feed. Raises what `page` raises, and NoSuchEntry."""
        feed = self._feed(work, actor, feed_id)
        readable = self.entries.of(work, actor, feed_id, entry_id)
        return SyndicatedPage(feed, self._entries(work, actor, [readable]), 1, False)

    def icon(self, work: UnitOfWork, actor: Actor, feed_id: FeedId) -> str:
        """The digest of a feed's picture. Raises NoSuchFeed, also where there is none, or MayNotRead."""
        feed = self._feed(work, actor, feed_id)
        if feed.icon_sha256 is None:
            raise NoSuchFeed("This feed has no picture.")
        return feed.icon_sha256

    def _feed(self, work: UnitOfWork, actor: Actor, feed_id: FeedId) -> Feed:
        try:
            return self.feeds.readable(work, actor, feed_id)
        except MayNotRead as refusal:
            if not actor.is_known:
                raise
            raise NoSuchFeed("There is no feed at this address.", why=refusal.why) from refusal

    def _entries(self, work: UnitOfWork, actor: Actor, entries: Sequence[ReadableEntry]) -> list[SyndicatedEntry]:
        shown: dict[int, RecordWithThumbnail] = {
            item.record.id: item for entry in entries for _, item in entry.items if item.record.kind in MEDIA
        }
        page, media = list(shown.values()), {}
        for start in range(0, len(page), LISTED_AT_ONCE):
            for described in self.records.described(work, actor, page[start : start + LISTED_AT_ONCE]):
                known = self._media(work, described)
                if known is not None:
                    media[known.record.id] = known
        return [
            SyndicatedEntry(
                entry.entry, entry.feed, [media[item.record.id] for _, item in entry.items if item.record.id in media]
            )
            for entry in entries
        ]

    def _media(self, work: UnitOfWork, described: FullRecord) -> SyndicatedMedia | None:
        """None where preview or thumbnail is missing, switched off, or not for this reader."""
        record = described.shown.record
        files = {rendition.name: rendition for rendition in described.renditions}
        preview = self._file(work, record, files.get(PREVIEW))
        thumbnail = self._file(work, record, files.get(THUMBNAIL))
        if preview is None or thumbnail is None:
            return None
        texts: dict[str, list[str]] = {}
        for field, value in described.values:
            if field.dces_element and not field.business:
                texts.setdefault(field.dces_element, []).append(value.value)
        return SyndicatedMedia(record, texts, preview, thumbnail)

    def _file(self, work: UnitOfWork, record: Record, rendition: Rendition | None) -> SyndicatedFile | None:
        link = None if rendition is None else rendition.permalink
        if rendition is None or link is None or not link.activated:
            return None
        if self.records.is_free(work, record, rendition):
            return SyndicatedFile(permalinks.free_path(record.key, rendition, link), rendition)
        return SyndicatedFile(permalinks.paths(record.key, rendition, link).file, rendition)
