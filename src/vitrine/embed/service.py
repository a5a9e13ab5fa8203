"""From an address to what may be shown, and the oEmbed answer for it.

The target is checked exactly as its own route would check it, and nothing that is handed out opens more than the
address that was given (04 section 6, security DO).
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from vitrine.accounts import Accounts, Actor, Via
from vitrine.accounts.model import NOBODY, UserId
from vitrine.embed.targets import PermalinkTarget, SignedTarget, parse
from vitrine.errors import NotFound
from vitrine.library import access, permalinks, store
from vitrine.library.errors import MayNotSee
from vitrine.library.model import DOCUMENT, THUMBNAIL, Record, Rendition
from vitrine.library.permalinks import SignedAddresses
from vitrine.library.records import Records
from vitrine.platform.database import UnitOfWork
from vitrine.settings import Settings

COVER_LIFE = timedelta(hours=24)
SOUND_SIDE = 320


@dataclass(frozen=True, slots=True)
class Target:
    """A document that may be shown: its record, the rendition the address names, and the address itself (path and
    query, without host). *issuer* is the (user, generation) behind a signed address, None for a permalink."""

    record: Record
    rendition: Rendition
    address: str
    issuer: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Viewer:
    """What the page shows: *kind* decides the player; sizes are pixels, 0 when unknown."""

    target: Target
    kind: str
    source: str
    mime: str
    width: int
    height: int
    cover: str | None
    title: str
    caption: str


@dataclass(frozen=True, slots=True)
class Embeds:
    settings: Settings
    records: Records
    accounts: Accounts
    signed: SignedAddresses

    # -- targets -------------------------------------------------------------------------------------------------

    def resolve(self, work: UnitOfWork, url: str | None) -> Target:
        """Raises ForeignAddress, WrongToken, BadAddress, StaleAddress or NotFound."""
        wanted = parse(url, self.settings.origin)
        if isinstance(wanted, SignedTarget):
            return self.by_signature(work, wanted.token)
        return self.by_permalink(work, wanted)

    def by_permalink(self, work: UnitOfWork, wanted: PermalinkTarget) -> Target:
        """The token is the right: no person is involved (04 section 2)."""
        record, rendition = self.records.unguarded(work, wanted.key, wanted.name)
        link = permalinks.check(rendition, wanted.token)
        return Target(record, rendition, permalinks.paths(record.key, rendition, link).file, None)

    def by_signature(self, work: UnitOfWork, token: str) -> Target:
        """A signed address opens a document while its issuer still may have it (04 section 4 DO)."""
        opened = self.signed.open(token, generation_of=lambda user: self._generation(work, user), now=work.now)
        issuer = self._person(work, opened.issuer_id)
        try:
            record, rendition = self.records.rendition(work, issuer, opened.key, opened.name)
        except MayNotSee as refusal:
            raise NotFound("There is nothing at this address.", why=refusal.why) from refusal
        if rendition.permalink is not None and not rendition.permalink.activated:
            raise NotFound("This link has been switched off.")
        return Target(record, rendition, f"/medias/{token}", (opened.issuer_id, issuer.url_key))

    def _generation(self, work: UnitOfWork, user_id: int) -> int | None:
        found = self.accounts.known(work, UserId(user_id))
        return found.url_key if found else None

    def _person(self, work: UnitOfWork, user_id: int) -> Actor:
        found = self.accounts.known(work, UserId(user_id))
        if found is None:
            return NOBODY
        return self.accounts.actor_of(work, found, Via.TOKEN)

    # -- pages ---------------------------------------------------------------------------------------------------

    def viewer(self, work: UnitOfWork, target: Target) -> Viewer:
        """What an embed page of *target* shows. Business fields are never part of it."""
        record, rendition = target.record, target.rendition
        caption = next(
            (
                value.value
                for field, value in self.records.values(work, NOBODY, record, business=False)
                if field.dces_element == "Description"
            ),
            "",
        )
        return Viewer(
            target=target,
            kind=_player(record, rendition),
            source=self.settings.absolute(target.address),
            mime=rendition.mime,
            width=rendition.width,
            height=rendition.height,
            cover=self._cover(work, target),
            title=record.title,
            caption=caption,
        )

    def _cover(self, work: UnitOfWork, target: Target) -> str | None:
        """A picture that stands for the document: a signed address of the thumbnail alone, never a permalink the
        caller did not have (04 section 6 DO). The target itself when it is the thumbnail or a small picture."""
        record = target.record
        if target.rendition.name == THUMBNAIL:
            return self.settings.absolute(target.address)
        thumbnail = store.rendition(work, record.id, THUMBNAIL)
        if thumbnail is None or not thumbnail.is_ready:
            return self.settings.absolute(target.address) if record.kind == "image" else None
        issuer = target.issuer or self._any_issuer(work, record)
        if issuer is None:
            return None
        path = self.signed.path(issuer, record.key, THUMBNAIL, life=COVER_LIFE, now=work.now)
        return self.settings.absolute(path)

    def _any_issuer(self, work: UnitOfWork, record: Record) -> tuple[int, int] | None:
        """Somebody in whose name the thumbnail can be signed: who added the record, while they see it."""
        if record.creator_id is None:
            return None
        found = self.accounts.known(work, UserId(record.creator_id))
        if found is None or not access.sees(self._person(work, found.id), record, work.now):
            return None
        return found.id, found.url_key

    # -- oEmbed --------------------------------------------------------------------------------------------------

    def embed_address(self, target: Target) -> str:
        """The absolute address of the embed page of a target."""
        return self.settings.absolute("/embed/?url=" + quote(self.settings.absolute(target.address), safe=""))

    def iframe(self, target: Target, width: int, height: int) -> str:
        src = self.embed_address(target).replace("&", "&amp;")
        title = _attribute(target.record.title)
        return (
            f'<iframe src="{src}" width="{width}" height="{height}" title="{title}" '
            'frameborder="0" loading="lazy" allowfullscreen></iframe>'
        )

    def oembed(
        self, work: UnitOfWork, target: Target, *, max_width: int | None, max_height: int | None
    ) -> dict[str, Any]:
        """The answer of an oEmbed provider (oEmbed 1.0 section 2.3; 04 section 6)."""
        viewer = self.viewer(work, target)
        width, height = _fitted(*shown_size(viewer), max_width, max_height)
        kind = {"image": "photo", "video": "video"}.get(viewer.kind, "rich")
        answer: dict[str, Any] = {
            "version": "1.0",
            "type": kind,
            "provider_name": self.settings.title,
            "provider_url": self.settings.base_url,
            "title": viewer.title,
            "width": width,
            "height": height,
            "url": viewer.source,
            "html": self.iframe(target, width, height),
        }
        thumbnail = store.rendition(work, target.record.id, THUMBNAIL)
        if (
            viewer.cover is not None
            and thumbnail is not None
            and thumbnail.is_ready
            and target.rendition.name != DOCUMENT
        ):
            small = _fitted(thumbnail.width, thumbnail.height, max_width, max_height)
            if small == (thumbnail.width, thumbnail.height):
                answer |= {"thumbnail_url": viewer.cover, "thumbnail_width": small[0], "thumbnail_height": small[1]}
        return answer


def shown_size(viewer: Viewer) -> tuple[int, int]:
    """The size of the document, with the ones of contract 04 section 6 where it has none."""
    if viewer.width and viewer.height:
        return viewer.width, viewer.height
    return (SOUND_SIDE, SOUND_SIDE) if viewer.kind == "audio" else (640, 480)


def _player(record: Record, rendition: Rendition) -> str:
    family = rendition.mime.partition("/")[0]
    if family in ("image", "video", "audio"):
        return family
    return "document" if record.kind == "document" else "link"


def _fitted(width: int, height: int, max_width: int | None, max_height: int | None) -> tuple[int, int]:
    """Never enlarged, proportions kept (oEmbed section 2.2: maxwidth and maxheight must be obeyed)."""
    scale = min(1.0, (max_width or width) / width, (max_height or height) / height)
    return max(1, int(width * scale)), max(1, int(height * scale))


def _attribute(text: str) -> str:
    for raw, safe in (("&", "&amp;"), ('"', "&quot;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(raw, safe)
    return text
