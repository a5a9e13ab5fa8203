"""What the page of a story shows of its records."""

import re
from dataclasses import dataclass

from starlette.requests import Request

from vitrine.accounts import Actor
from vitrine.edge import services_of
from vitrine.library.model import Record
from vitrine.platform.database import UnitOfWork
from vitrine.web.library.tiles import Tile

PER_PAGE = 60
_START = re.compile(r"\d{1,5}")


@dataclass(frozen=True, slots=True)
class ChildrenPage:
    """Some of the records that the person sees in a story; *total* counts all of them."""

    tiles: list[Tile]
    total: int
    start: int

    @property
    def previous(self) -> int | None:
        return max(0, self.start - PER_PAGE) if self.start else None

    @property
    def following(self) -> int | None:
        return self.start + PER_PAGE if self.start + PER_PAGE < self.total else None


def tiles_of_story(request: Request, work: UnitOfWork, actor: Actor, story: Record) -> ChildrenPage:
    """The page of children that `start` of the address names; the first where it is wrong or past the end."""
    children = services_of(request).library.stories.children(work, actor, story)
    text = request.query_params.get("start", "0")
    start = int(text) // PER_PAGE * PER_PAGE if _START.fullmatch(text) else 0
    start = start if start < len(children) else 0
    tiles = [Tile(child.record, child.thumbnail) for child in children[start : start + PER_PAGE]]
    return ChildrenPage(tiles, len(children), start)
