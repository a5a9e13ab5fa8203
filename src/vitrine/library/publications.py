"""Which records are in a public feed (P of contract 06 section 17.7): one flag of the record, so that no read asks more
than before.

The feeds keep it right, in the transaction of each change of theirs (docs/decisions/0133). They say which records may
have changed and which are published; nothing else writes the flag, and a restored record comes back without it.
"""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from vitrine.library.model import RecordId
from vitrine.library.tables import records
from vitrine.platform.database import UnitOfWork

RECORD_ID = records.c.id  # what `published` of `refresh` refers to


def refresh(work: UnitOfWork, concerned: Collection[RecordId] | sa.Select[Any], published: sa.Exists) -> int:
    """Set the flag of the records *concerned*, ids or a select of them, to *published*, an EXISTS about RECORD_ID.
    Returns how many changed."""
    is_published = published.correlate(records)
    changed = sa.and_(records.c.id.in_(concerned), records.c.in_public_feed != is_published)
    return work.db.execute(records.update().where(changed).values(in_public_feed=is_published)).rowcount
