"""Resolve an address to the document that may be shown, and build the oEmbed response for it.

The target is checked exactly as its own route checks it, and no address in the response gives more access than the
address in the request (04 section 6, security DO).
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from vitrine.accounts import Accounts, Actor, Via
from vitrine.accounts.model import NOBODY, UserId
from vitrine.embed.targets import DatafileTarget, PermalinkTarget, SignedTarget, parse
from vitrine.embed.tracks import NoTrack, Track, as_webvtt, seconds_of, tracks_of
from vitrine.errors import NotFound
from vitrine.library import store
from vitrine.library.errors import MayNotSee
from vitrine.library.model import THUMBNAIL, Field, Record, RecordKey, Rendition, Value
from vitrine.library.records import Records
from vitrine.library.sharing import permalinks
from vitrine.library.sharing.signed_addresses import LINK_ISSUER, LinkBinding, SignedAddress, SignedAddresses
from vitrine.platform.database import UnitOfWork
from vitrine.settings import Settings

DATAFILES = "/datafiles/"
COVER_LIFE = timedelta(hours=24)
AUDIO_FRAME_PX = 320
UNKNOWN_SIZE = (640, 480)
A4_POINTS = (595, 842)  # the frame of a document of unknown size
PDF = "application/pdf"
# Images, video and audio that browsers cannot show: their player would stay empty.
_NOT_PLAYABLE = frozenset({
    "image/heic", "image/heif", "image/tiff", "image/vnd.adobe.photoshop", "image/jp2", "video/x-msvideo",
    "video/mpeg", "video/mp2t", "video/x-flv", "video/x-ms-asf", "audio/aiff", "audio/x-ms-wma", "audio/x-msvideo",
    "audio/x-flv", "audio/mp2p", "audio/mp2t",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Target:
    """A document that may be shown: its record, the rendition that the address names, and the address itself (path and
    query, without host). *issuer* is the (user, generation) that issued a signed address, None for a permalink.
    *is_free*: a public feed opened it, so no address made of it may outlast the publication."""

    record: Record
    rendition: Rendition
    address: str
    issuer: tuple[int, int] | None
    is_free: bool = False


@dataclass(frozen=True, slots=True)
class Viewer:
    """What the page shows. *kind* (image, video, audio, document or link) selects the player; sizes are in pixels, 0 if
    unknown; *start* is in seconds."""

    target: Target
    kind: str
    source: str
    mime: str
    width: int
    height: int
    cover: str | None
    cover_size: tuple[int, int]
    title: str
    caption: str
    tracks: tuple[Track, ...] = ()
    start: float = 0.0


@dataclass(frozen=True, slots=True)
class Embeds:
    settings: Settings
    records: Records
    accounts: Accounts
    signed: SignedAddresses

    # -- targets -------------------------------------------------------------------------------------------------

    def resolve(self, work: UnitOfWork, url: str | None, actor: Actor = NOBODY) -> Target:
        """*actor* is the person signed in with this browser; only `/datafiles/` needs it.

        Raises ForeignAddress, WrongToken, BadAddress, StaleAddress or NotFound.
        """
        target = parse(url, self.settings.origin)
        if isinstance(target, SignedTarget):
            return self.by_signature(work, target.token)
        if isinstance(target, DatafileTarget):
            return self.by_rights(work, actor, target)
        return self.by_permalink(work, target)

    def by_rights(self, work: UnitOfWork, actor: Actor, target: DatafileTarget) -> Target:
        """A file under the rules of its own route: for a signed-in person with the right to it (04 section 4)."""
        if not actor.is_known:
            raise NotFound("There is nothing at this address.", why="no session")
        record, rendition = self._rendition_for(work, actor, target.key, target.name)
        address = f"{DATAFILES}{target.key.databox}/{target.key.number}/{rendition.name}/"
        return Target(record, rendition, address, (actor.must_user_id, actor.url_key))

    def _rendition_for(self, work: UnitOfWork, actor: Actor, key: RecordKey, name: str) -> tuple[Record, Rendition]:
        try:
            return self.records.rendition(work, actor, key, name)
        except MayNotSee as refusal:
            raise NotFound("There is nothing at this address.", why=refusal.why) from refusal

    def by_permalink(self, work: UnitOfWork, target: PermalinkTarget) -> Target:
        """The token alone gives access, or a public feed; the viewer's rights do not matter (04 section 2)."""
        record, rendition = self.records.rendition_without_check(work, target.key, target.name)
        is_free = self.records.is_free(work, record, rendition)
        link, by_token = permalinks.check(rendition, target.token, is_free=is_free)
        if by_token:
            return Target(record, rendition, permalinks.paths(record.key, rendition, link).file, None)
        return Target(record, rendition, permalinks.free_path(record.key, rendition, link), None, is_free=True)

    def by_signature(self, work: UnitOfWork, token: str) -> Target:
        return self.signed_by(work, token)[0]

    def signed_by(self, work: UnitOfWork, token: str) -> tuple[Target, Actor]:
        """The document of a signed address, and the issuer, who must still have the right to it (04 section 4 DO)."""
        opened = self.signed.open(token, generation_of=lambda user: self._generation(work, user), now=work.now)
        if opened.issuer_id == LINK_ISSUER[0]:
            return self._permalink_target(work, opened, token), NOBODY
        issuer = self._person(work, opened.issuer_id)
        record, rendition = self._rendition_for(work, issuer, opened.key, opened.name)
        if not _is_shared(record, rendition):
            raise NotFound("This link has been switched off.")
        return Target(record, rendition, f"/medias/{token}", (opened.issuer_id, issuer.url_key)), issuer

    def _permalink_target(self, work: UnitOfWork, opened: SignedAddress, token: str) -> Target:
        """The document of an address signed for a permalink. That permalink and the file's own must be active."""
        record, rendition = self.records.rendition_without_check(work, opened.key, opened.name)
        linked = store.rendition(work, record.id, opened.link.name) if opened.link else None
        if (
            linked is None
            or opened.link is None
            or not opened.link.is_valid(linked.permalink)
            or not _is_shared(record, rendition)
        ):
            raise NotFound("This link has been switched off.")
        return Target(record, rendition, f"/medias/{token}", LINK_ISSUER)

    def _generation(self, work: UnitOfWork, user_id: int) -> int | None:
        if user_id == LINK_ISSUER[0]:
            return LINK_ISSUER[1]
        user = self.accounts.known(work, UserId(user_id))
        return user.url_key if user and not user.mail_locked else None

    def _person(self, work: UnitOfWork, user_id: int) -> Actor:
        user = self.accounts.known(work, UserId(user_id))
        if user is None:
            return NOBODY
        return self.accounts.actor_of(work, user, Via.TOKEN)

    # -- pages ---------------------------------------------------------------------------------------------------

    def viewer(self, work: UnitOfWork, target: Target) -> Viewer:
        """What the embed page of *target* shows. Business fields are never included."""
        record, rendition = target.record, target.rendition
        values = self.records.values(work, NOBODY, record, business=False)
        kind = _player(rendition)
        thumbnail = store.rendition(work, record.id, THUMBNAIL)
        thumbnail = thumbnail if thumbnail is not None and thumbnail.is_ready else None
        has_film = kind == "video"
        return Viewer(
            target=target,
            kind=kind,
            source=self.settings.absolute(target.address),
            mime=rendition.mime,
            width=rendition.width,
            height=rendition.height,
            cover=self._cover(work, target, thumbnail),
            cover_size=(thumbnail.width, thumbnail.height) if thumbnail else (0, 0),
            title=record.title,
            caption=next((value.value for field, value in values if field.dces_element == "Description"), ""),
            tracks=tracks_of(values, self.settings.embed_chapters_field) if has_film else (),
            start=self._start(values) if kind in ("video", "audio") else 0.0,
        )

    def _start(self, values: list[tuple[Field, Value]]) -> float:
        start_field = self.settings.embed_start_field.lower()
        return next((seconds_of(value.value) for field, value in values if field.name.lower() == start_field), 0.0)

    def track(self, work: UnitOfWork, target: Target, choice: int) -> str:
        """The WebVTT text of one track of a video. Raises NoTrack."""
        values = self.records.values(work, NOBODY, target.record, business=False)
        if _player(target.rendition) != "video" or not any(
            track.field_id == choice for track in tracks_of(values, self.settings.embed_chapters_field)
        ):
            raise NoTrack("There is no such text track.", field="choice")
        return as_webvtt(next(value.value for field, value in values if field.id == choice and value.value.strip()))

    def track_address(self, target: Target, track: Track) -> str:
        target_url = quote(self.settings.absolute(target.address), safe="")
        return self.settings.absolute(f"/embed/vtt/?url={target_url}&choice={track.field_id}")

    def _cover(self, work: UnitOfWork, target: Target, thumbnail: Rendition | None) -> str | None:
        """The address of a picture for the document: a signed address of the thumbnail alone, never a permalink that
        the caller did not have (04 section 6 DO). It ends with the permalink or the rights that the target depends on.
        If the target is the thumbnail, or a picture without one, it is the target's own address. What is for signed-in
        people has a cover for signed-in people."""
        record = target.record
        needs_session = target.address.startswith(DATAFILES)
        if target.rendition.name == THUMBNAIL:
            return self.settings.absolute(target.address)
        if thumbnail is None or not (needs_session or _is_shared(record, thumbnail)):
            return self.settings.absolute(target.address) if target.rendition.mime.startswith("image/") else None
        if target.is_free:
            return self._free_cover(work, record, thumbnail)
        if needs_session:
            path = f"{DATAFILES}{record.databox_id}/{record.number}/{THUMBNAIL}/"
        elif target.issuer is None:
            assert target.rendition.permalink is not None  # its token opened the target
            link = LinkBinding.of(target.rendition.name, target.rendition.permalink)
            path = self.signed.path_by_link(link, record.key, THUMBNAIL, life=COVER_LIFE, now=work.now)
        else:
            path = self.signed.path(target.issuer, record.key, THUMBNAIL, life=COVER_LIFE, now=work.now)
        return self.settings.absolute(path)

    def _free_cover(self, work: UnitOfWork, record: Record, thumbnail: Rendition) -> str | None:
        if thumbnail.permalink is None or not self.records.is_free(work, record, thumbnail):
            return None
        return self.settings.absolute(permalinks.free_path(record.key, thumbnail, thumbnail.permalink))

    # -- oEmbed --------------------------------------------------------------------------------------------------

    def embed_address(self, target: Target) -> str:
        """The absolute address of the embed page of a target."""
        return self.settings.absolute("/embed/?url=" + quote(self.settings.absolute(target.address), safe=""))

    def iframe(self, target: Target, width: int, height: int) -> str:
        src = self.embed_address(target).replace("&", "&amp;")
        title = _escape_attribute(target.record.title)
        return (
            f'<iframe src="{src}" width="{width}" height="{height}" title="{title}" '
            'frameborder="0" loading="lazy" allowfullscreen></iframe>'
        )

    def oembed(
        self, work: UnitOfWork, target: Target, *, max_width: int | None, max_height: int | None
    ) -> dict[str, Any]:
        """The response of an oEmbed provider (oEmbed 1.0 section 2.3; 04 section 6)."""
        viewer = self.viewer(work, target)
        width, height = _fit(*shown_size(viewer), max_width, max_height)
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
        if viewer.cover is not None and all(viewer.cover_size):
            thumbnail_size = _fit(*viewer.cover_size, max_width, max_height)
            if thumbnail_size == viewer.cover_size:
                answer |= {
                    "thumbnail_url": viewer.cover,
                    "thumbnail_width": thumbnail_size[0],
                    "thumbnail_height": thumbnail_size[1],
                }
        return answer


def _is_shared(record: Record, rendition: Rendition) -> bool:
    """May an address open the file for somebody without an account? A file without a permalink has its record's
    switch."""
    return record.public_by_link if rendition.permalink is None else rendition.permalink.activated


def shown_size(viewer: Viewer) -> tuple[int, int]:
    """The size of the document, or the default of contract 04 section 6 if it has none."""
    return _frame(viewer.kind, viewer.width, viewer.height)


def frame_size(rendition: Rendition) -> tuple[int, int]:
    """The frame size of a file, before there is a viewer for it."""
    return _frame(_player(rendition), rendition.width, rendition.height)


def _frame(kind: str, width: int, height: int) -> tuple[int, int]:
    if width and height and kind == "link":
        return _fit(width, height, *UNKNOWN_SIZE)  # the frame shows the thumbnail
    if width and height and kind != "audio":
        return width, height
    return {"audio": (AUDIO_FRAME_PX, AUDIO_FRAME_PX), "document": A4_POINTS}.get(kind, UNKNOWN_SIZE)


def _player(rendition: Rendition) -> str:
    family = rendition.mime.partition("/")[0]
    if family in ("image", "video", "audio") and rendition.mime not in _NOT_PLAYABLE:
        return family
    if rendition.mime == PDF:
        return "document"
    return "link"  # a picture and a link


def _fit(width: int, height: int, max_width: int | None, max_height: int | None) -> tuple[int, int]:
    """Shrink to fit, keeping proportions; never enlarge (oEmbed section 2.2: maxwidth and maxheight must be obeyed)."""
    scale = min(1.0, (max_width or width) / width, (max_height or height) / height)
    return max(1, int(width * scale)), max(1, int(height * scale))


def _escape_attribute(text: str) -> str:
    for raw, safe in (("&", "&amp;"), ('"', "&quot;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(raw, safe)
    return text
