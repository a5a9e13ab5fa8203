"""Renditions that are made again, since the original, its type or its rotation became another."""

from collections.abc import Collection

from vitrine.jobs import Jobs
from vitrine.library import changes_store, store
from vitrine.library.jobs import MAKE_RENDITIONS
from vitrine.library.model import DOCUMENT, RecordId, Structure
from vitrine.media.renditions import can_make
from vitrine.platform.database import UnitOfWork


def rebuild(
    work: UnitOfWork,
    structure: Structure,
    jobs: Jobs,
    record_id: RecordId,
    makes: Collection[str] | None = None,
    *,
    only: Collection[str] | None = None,
) -> None:
    """Let the worker make what the record's databox has for its kind, in place of what is there. *makes*: the media
    types that the file can become, where a probe knows; *only*: the media types to make again, others stay."""
    record = store.by_id(work, record_id)
    assert record is not None
    mime = record.mime or ""
    of_kind = structure.recipes_for(record.databox_id, record.kind)
    recipes = {
        recipe.name: recipe
        for recipe in of_kind
        if (recipe.mediatype in makes if makes is not None else can_make(mime, recipe.mediatype))
    }
    existing = {rendition.name: rendition for rendition in store.renditions_of(work, [record_id])[record_id]}
    existing.pop(DOCUMENT, None)
    if only is None:
        for name in existing.keys() - recipes.keys():
            changes_store.delete_rendition(work, record_id, name)
    waiting = [
        recipe
        for recipe in recipes.values()
        if (recipe.tobuild or recipe.name in existing) and (only is None or recipe.mediatype in only)
    ]
    for recipe in waiting:
        values = {"state": "waiting", "substituted": False, "failure": None, "failure_detail": None}
        if store.update_rendition(work, record_id, recipe.name, values) == 0:
            store.add_rendition(work, record_id, recipe.name, values)
    if waiting:
        jobs.add(work, MAKE_RENDITIONS, {"record_id": record_id}, key=str(record_id))
