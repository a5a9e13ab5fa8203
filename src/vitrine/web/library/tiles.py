"""One picture of a wall: search results, and the records of a story."""

from dataclasses import dataclass

from vitrine.library.model import Record, Rendition

_RATIOS = ((0.7, "r1"), (0.9, "r2"), (1.15, "r3"), (1.45, "r4"), (1.8, "r5"))


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture of the wall; *shape* is one of six classes of proportions, so that no style is written inline."""

    record: Record
    thumbnail: Rendition | None

    @property
    def address(self) -> str:
        return f"/records/{self.record.databox_id}/{self.record.number}/"

    @property
    def picture(self) -> str:
        assert self.thumbnail is not None and self.thumbnail.sha256 is not None
        return f"/datafiles/{self.record.databox_id}/{self.record.number}/thumbnail/?etag={self.thumbnail.sha256[:10]}"

    @property
    def mark(self) -> str:
        """What a document that is no picture says of itself: PDF, DOCX …"""
        _, dot, end = (self.record.original_name or "").rpartition(".")
        return end.upper()[:5] if dot else ""

    @property
    def shape(self) -> str:
        width = self.thumbnail.width if self.thumbnail else self.record.width
        height = self.thumbnail.height if self.thumbnail else self.record.height
        ratio = (width or 1) / (height or 1)
        return next((name for limit, name in _RATIOS if ratio < limit), "r6")
