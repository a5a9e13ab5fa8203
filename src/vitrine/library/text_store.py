"""SQL of the text and page count of the files."""

from collections.abc import Sequence

import sqlalchemy as sa

from vitrine.library.model import RecordId
from vitrine.library.tables import document_texts as texts
from vitrine.platform.database import UnitOfWork


def put(work: UnitOfWork, record_id: RecordId, pages: int | None, text: str) -> None:
    """Store the text of the file in place of any stored before. Writes no row if the file has neither text nor
    pages."""
    work.db.execute(texts.delete().where(texts.c.record_id == record_id))
    if text or pages is not None:
        work.db.execute(texts.insert().values(record_id=record_id, pages=pages, text=text))


def of(work: UnitOfWork, ids: Sequence[RecordId]) -> dict[RecordId, str]:
    """The text in the files of *ids*, where there is any."""
    query = sa.select(texts.c.record_id, texts.c.text).where(texts.c.record_id.in_(ids))
    return {RecordId(row[0]): row[1] for row in work.db.execute(query)}


def pages(work: UnitOfWork, record_id: RecordId) -> int | None:
    """The number of pages of the original; None if it has none."""
    return work.db.scalar(sa.select(texts.c.pages).where(texts.c.record_id == record_id))
