"""Between a file and its viewer: the marked copy where one is due (contract 04 section 5).

Every route that hands out a picture of a record passes here; a file without a mark costs one look at its collection.
"""

from dataclasses import dataclass
from functools import partial

from starlette.requests import Request

from vitrine.accounts import NOBODY, Actor
from vitrine.edge import Services, off, services
from vitrine.files.send import Document
from vitrine.library import marks
from vitrine.library.marks import Wanted
from vitrine.library.model import Record, Rendition
from vitrine.platform.database import UnitOfWork


@dataclass(frozen=True, slots=True)
class Due:
    """A file on its way out: *wanted* is the mark it must carry; *varies* that others get other bytes of it."""

    record: Record
    rendition: Rendition
    wanted: Wanted | None
    varies: bool


def due(
    here: Services,
    work: UnitOfWork,
    record: Record,
    rendition: Rendition,
    *,
    viewer: Actor = NOBODY,
    issuer: Actor | None = None,
    own: bool = False,
) -> Due:
    """Decide inside the unit of work that read the file."""
    if not rendition.mime.startswith("image/"):
        return Due(record, rendition, None, varies=False)
    structure = here.records.structure(work)
    mark = marks.due(structure, record, rendition, work.now, viewer=viewer, issuer=issuer, own=own)
    wanted = here.marks.wanted(work, record, rendition, mark)
    return Due(record, rendition, wanted, varies=wanted is not None or marks.depends_on_viewer(structure, record))


async def as_due(request: Request, one: Due) -> Document:
    """What to send: the file itself, or the marked copy in its place, made now if need be."""
    if one.wanted is None:
        return Document.of(one.record, one.rendition)
    wanted = one.wanted
    ready = wanted.ready if wanted.ready else await off(partial(services(request).marks.make, wanted))
    return Document.of(one.record, marks.stand_in(one.rendition, ready))
