"""Pages of feeds as XML: RSS 2.0 with Media RSS, Atom (RFC 4287), and the Cooliris form (contract 04 section 9)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from vitrine.api.syndication.addresses import FeedAddress, entry_id
from vitrine.api.wire.dates import atom as atom_date
from vitrine.feeds.syndication import SyndicatedEntry, SyndicatedFile, SyndicatedMedia, SyndicatedPage
from vitrine.platform.schema import EPOCH
from vitrine.platform.texts import xml_text
from vitrine.settings import Settings

ATOM, MEDIA, DC = "http://www.w3.org/2005/Atom", "http://search.yahoo.com/mrss/", "http://purl.org/dc/elements/1.1/"
RSS_TYPE, ATOM_TYPE = "application/rss+xml", "application/atom+xml"
GENERATOR = "Phraseanet"  # what readers of existing feeds were told
_RSS_NAMES = {"media": MEDIA, "atom": ATOM, "dc": DC}
_ATOM_NAMES = {None: ATOM, "media": MEDIA}
_CREDITS = (("contributor", "Contributor"), ("director", "Creator"), ("publisher", "Publisher"))


@dataclass(frozen=True, slots=True)
class Document:
    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class _Writer:
    """*etree* is lxml's module: three megabytes that are loaded when the first reader asks."""

    settings: Settings
    address: FeedAddress
    page: SyndicatedPage
    etree: Any

    def add(self, parent: Any, name: str, text: str | None = None, **attributes: Any) -> Any:
        """A child element; what XML cannot hold is left out of texts, and an attribute that is None is no attribute."""
        child = self.etree.SubElement(parent, name)
        if text is not None:
            child.text = xml_text(text)
        for key, value in attributes.items():
            if value is not None:
                child.set(key.rstrip("_"), xml_text(str(value)))
        return child

    def absolute(self, path: str) -> str:
        return self.settings.absolute(path)

    @property
    def title(self) -> str:
        return self.page.feed.title if self.page.feed is not None else self.settings.title

    @property
    def subtitle(self) -> str:
        return (self.page.feed.subtitle if self.page.feed is not None else self.settings.description) or ""

    @property
    def updated(self) -> datetime:
        if self.page.feed is not None:
            return self.page.feed.updated
        return max((entry.entry.updated for entry in self.page.entries), default=EPOCH)

    def links(self) -> Iterator[tuple[str, str]]:
        """(rel, address) of this page and its neighbours."""
        number = self.page.number
        yield "self", self.absolute(self.address.page(number))
        if number > 1:
            yield "previous", self.absolute(self.address.page(number - 1))
        if self.page.has_next:
            yield "next", self.absolute(self.address.page(number + 1))

    def written(self, root: Any) -> bytes:
        document: bytes = self.etree.tostring(root, xml_declaration=True, encoding="UTF-8")
        return document


def document_of(settings: Settings, address: FeedAddress, page: SyndicatedPage) -> Document:
    writer = _writer(settings, address, page)
    if address.form == "rss":
        return Document(_rss(writer), RSS_TYPE)
    return Document(_atom(writer), ATOM_TYPE)


def cooliris(settings: Settings, page: SyndicatedPage) -> Document:
    """One item for each picture, sound and film of the entries; links point to the Atom form."""
    writer = _writer(settings, FeedAddress("atom"), page)
    root, channel = _channel(writer)
    for entry in page.entries:
        for media in entry.media:
            item = writer.add(channel, "item")
            writer.add(item, "title", _text(media, "Title") or media.record.title)
            writer.add(item, "description", _text(media, "Description"))
            _contents(writer, item, media)
    return Document(writer.written(root), RSS_TYPE)


def _writer(settings: Settings, address: FeedAddress, page: SyndicatedPage) -> _Writer:
    from lxml import etree

    return _Writer(settings, address, page, etree)


# -- RSS ---------------------------------------------------------------------------------------------------------------


def _channel(writer: _Writer) -> tuple[Any, Any]:
    root = writer.etree.Element("rss", nsmap=_RSS_NAMES, version="2.0")
    channel = writer.add(root, "channel")
    writer.add(channel, "title", writer.title)
    writer.add(channel, f"{{{DC}}}title", writer.title)
    writer.add(channel, "description", writer.subtitle)
    writer.add(channel, "link", writer.absolute(writer.address.page(writer.page.number)))
    writer.add(channel, "pubDate", format_datetime(writer.updated))
    mime = ATOM_TYPE if writer.address.form == "atom" else RSS_TYPE
    for rel, href in writer.links():
        writer.add(channel, f"{{{ATOM}}}link", rel=rel, href=href, type=mime)
    return root, channel


def _rss(writer: _Writer) -> bytes:
    root, channel = _channel(writer)
    writer.add(channel, "generator", GENERATOR)
    for entry in writer.page.entries:
        _rss_item(writer, channel, entry)
    return writer.written(root)


def _rss_item(writer: _Writer, channel: Any, entry: SyndicatedEntry) -> None:
    item = writer.add(channel, "item")
    text = entry.entry
    writer.add(item, "title", text.title)
    writer.add(item, "description", text.subtitle)
    if text.author_email:
        name = f" ({text.author_name})" if text.author_name else ""
        writer.add(item, "author", f"{text.author_email}{name}")
    writer.add(item, "pubDate", format_datetime(text.created))
    writer.add(item, "guid", writer.absolute(entry_id(entry.feed.id, text.id)), isPermaLink="false")
    writer.add(item, "link", writer.absolute(writer.address.of(entry.feed).path))
    for media in entry.media:
        _group(writer, item, media)


# -- Atom --------------------------------------------------------------------------------------------------------------


def _atom(writer: _Writer) -> bytes:
    root = writer.etree.Element(f"{{{ATOM}}}feed", nsmap=_ATOM_NAMES)

    def add(parent: Any, name: str, text: str | None = None, **attributes: Any) -> Any:
        return writer.add(parent, f"{{{ATOM}}}{name}", text, **attributes)

    add(root, "title", writer.title)
    add(root, "updated", atom_date(writer.updated, writer.settings.zone))
    for rel, href in writer.links():
        add(root, "link", rel=rel, href=href, type=ATOM_TYPE)
    add(root, "id", writer.absolute(writer.address.page(writer.page.number)))
    add(root, "generator", GENERATOR)
    if writer.subtitle:
        add(root, "subtitle", writer.subtitle)
    feed = writer.page.feed
    if feed is not None and feed.icon_sha256 is not None:
        add(root, "icon", writer.absolute(FeedAddress("icon", feed.id, writer.address.of(feed).token).path))
    for syndicated in writer.page.entries:
        entry = add(root, "entry")
        text = syndicated.entry
        add(entry, "id", writer.absolute(entry_id(syndicated.feed.id, text.id)))
        own = f"{writer.address.of(syndicated.feed).path}entry/{text.id}/"
        add(entry, "link", rel="self", href=writer.absolute(own), type=ATOM_TYPE)
        add(entry, "updated", atom_date(text.updated, writer.settings.zone))
        add(entry, "published", atom_date(text.created, writer.settings.zone))
        add(entry, "title", text.title)
        author = add(entry, "author")
        add(author, "name", text.author_name or syndicated.feed.title)
        if text.author_email:
            add(author, "email", text.author_email)
        add(entry, "content", text.subtitle)
        for media in syndicated.media:
            _group(writer, entry, media)
    return writer.written(root)


# -- Media RSS ---------------------------------------------------------------------------------------------------------


def _text(media: SyndicatedMedia, element: str, separator: str = " ; ") -> str:
    return separator.join(media.texts.get(element, ()))


def _group(writer: _Writer, parent: Any, media: SyndicatedMedia) -> None:
    group = writer.add(parent, f"{{{MEDIA}}}group")
    for name, element in (("title", "Title"), ("description", "Description")):
        if text := _text(media, element):
            writer.add(group, f"{{{MEDIA}}}{name}", text, type="plain" if name == "title" else None)
    for role, element in _CREDITS:
        if text := _text(media, element):
            writer.add(group, f"{{{MEDIA}}}credit", text, role=role, scheme="urn:ebu")
    if text := _text(media, "Rights"):
        writer.add(group, f"{{{MEDIA}}}copyright", text)
    if text := _text(media, "Subject", ", "):
        writer.add(group, f"{{{MEDIA}}}keywords", text)
    _contents(writer, group, media)


def _contents(writer: _Writer, parent: Any, media: SyndicatedMedia) -> None:
    preview, thumbnail = media.preview, media.thumbnail
    duration = media.record.duration_ms
    _content(writer, parent, preview, medium=media.record.kind, expression="full", isDefault="true",
             duration=None if duration is None else round(duration / 1000))  # fmt: skip
    width, height = thumbnail.rendition.width or None, thumbnail.rendition.height or None
    writer.add(parent, f"{{{MEDIA}}}thumbnail", url=writer.absolute(thumbnail.path), width=width, height=height)
    if parent.tag == f"{{{MEDIA}}}group":
        _content(writer, parent, thumbnail, medium="image", isDefault="false")


def _content(writer: _Writer, parent: Any, file: SyndicatedFile, **attributes: Any) -> None:
    rendition = file.rendition
    writer.add(
        parent,
        f"{{{MEDIA}}}content",
        url=writer.absolute(file.path),
        fileSize=rendition.size,
        type=rendition.mime,
        width=rendition.width or None,
        height=rendition.height or None,
        **attributes,
    )
