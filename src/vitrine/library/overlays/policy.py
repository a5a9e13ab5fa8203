"""Who gets a picture with a watermark or a stamp (contract 04 section 5)."""

from enum import StrEnum

from vitrine.accounts import Actor, Right, Via
from vitrine.library import access
from vitrine.library.model import DOCUMENT, THUMBNAIL, Record, Rendition, Structure
from vitrine.platform.database import UnitOfWork


class Overlay(StrEnum):
    """The values of the collection setting `pub_wm`."""

    WATERMARK = "wm"
    STAMP = "stamp"


def overlay_for(
    work: UnitOfWork,
    structure: Structure,
    record: Record,
    rendition: Rendition,
    *,
    viewer: Actor,
    issuer: Actor | None = None,
    own: bool = False,
) -> Overlay | None:
    """The overlay that *viewer* must get on this file; None for the plain file.

    *issuer* is the person a signed address was made for: a stranger who holds it gets nothing better than that person.
    *own* is true on routes for signed-in people, who use their own rights: no stamp there.
    """
    if not rendition.mime.startswith("image/") or viewer.via is Via.COMMAND:
        return None
    covered = _is_covered(structure, record, rendition)
    if viewer.is_known:
        if _is_exempt(work, viewer, record):
            return None
        if covered:
            return Overlay.WATERMARK
        return None if own else _public(structure, record, covered=False)
    if covered and issuer is not None and not _is_exempt(work, issuer, record):
        return _public(structure, record, covered=True) or Overlay.WATERMARK
    return _public(structure, record, covered=covered)


def depends_on_viewer(structure: Structure, record: Record) -> bool:
    """May one address of this record give different bytes to different people? If so, no shared cache may store it."""
    return structure.collections[record.collection_id].public_presentation == Overlay.STAMP


def _public(structure: Structure, record: Record, *, covered: bool) -> Overlay | None:
    presentation = structure.collections[record.collection_id].public_presentation
    if presentation == Overlay.STAMP:
        return Overlay.STAMP
    return Overlay.WATERMARK if presentation == Overlay.WATERMARK and covered else None


def _is_covered(structure: Structure, record: Record, rendition: Rendition) -> bool:
    """Pictures of class preview get the watermark: thumbnails are too small for it, originals have a right of their
    own."""
    if rendition.name in (DOCUMENT, THUMBNAIL):
        return False
    recipe = structure.recipe(record.databox_id, record.group, rendition.name)
    return recipe is None or recipe.klass == "preview" or rendition.name == "preview"


def _is_exempt(work: UnitOfWork, actor: Actor, record: Record) -> bool:
    """R(nowatermark) or a grant on the record (06 section 17.7, right-hand column)."""
    exempt = actor.rights.on(record.collection_id, Right.nowatermark, work.now)
    return exempt or access.is_granted(work, actor, record)
