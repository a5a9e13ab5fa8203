"""The bin of a databox: a collection named `_TRASH_` (contract 06 section 3).

A record in it is not public by link. What its switch said outside comes back when the record is moved out again.
"""

from typing import Any

import sqlalchemy as sa

from vitrine.library.model import Collection
from vitrine.library.tables import records


def switch_on_arrival(collection: Collection) -> dict[str, Any]:
    """The same for a record that is made in *collection*."""
    if collection.is_bin:
        return {"public_by_link": False, "public_before_bin": collection.public_by_link}
    return {"public_by_link": collection.public_by_link}


def columns_on_move(source: Collection, target: Collection) -> dict[str, Any]:
    """What a move between two collections changes in a record beside its collection."""
    if target.is_bin and not source.is_bin:
        return {"public_by_link": False, "public_before_bin": records.c.public_by_link}
    if source.is_bin and not target.is_bin:
        return {
            "public_by_link": sa.func.coalesce(records.c.public_before_bin, records.c.public_by_link),
            "public_before_bin": None,
        }
    return {}
