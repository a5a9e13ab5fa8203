"""Who may do what to a record: the right-hand column of the truth table in contract 06 section 17.7, nothing else.

Pure functions of the actor's rights and the record's collection and status. Every path that shows a record or hands
out its bytes asks here: API, pages, files, embed and the search service.
"""

from datetime import datetime

from vitrine.accounts import Actor, Right, Via
from vitrine.library.errors import MayNotSee
from vitrine.library.model import DOCUMENT, THUMBNAIL, Recipe, Record


def sees(actor: Actor, record: Record, now: datetime) -> bool:
    """V': a live link to its collection whose mask shows its status, or any live grant on it."""
    if actor.via is Via.COMMAND:
        return True
    grant = actor.rights.collections.get(record.collection_id)
    if grant is not None and grant.is_live(now) and grant.shows_status(record.status):
        return True
    return actor.rights.record_grant(record.id, now)


def require_sight(actor: Actor, record: Record, now: datetime) -> None:
    """Raises MayNotSee."""
    if not sees(actor, record, now):
        raise MayNotSee("You have no access to this record.", why=f"record {record.key} user {actor.user_id}")


def may(actor: Actor, record: Record, right: Right, now: datetime) -> bool:
    """V' and R(right) on the record's own collection."""
    if actor.via is Via.COMMAND:
        return True
    return sees(actor, record, now) and actor.rights.on(record.collection_id, right, now)


def may_have(actor: Actor, record: Record, name: str, recipe: Recipe | None, now: datetime) -> bool:
    """May the actor get the bytes of rendition *name*? *recipe* is its entry in the structure, None when it has none.

    The original asks for `candwnldhd` or a grant of the document; a rendition outside the structure goes to nobody
    except that a story's pictures and `thumbnail` go to everybody who sees the record.
    """
    if not sees(actor, record, now):
        return False
    if name == THUMBNAIL or (record.is_story and name != DOCUMENT) or actor.via is Via.COMMAND:
        return True
    if name == DOCUMENT:
        klass = DOCUMENT
    elif recipe is None:
        return False
    else:
        klass = recipe.klass
    if klass == "thumbnail":
        return True
    if klass == "preview":
        return actor.rights.on(record.collection_id, Right.candwnldpreview, now) or actor.rights.record_grant(
            record.id, now
        )
    return actor.rights.on(record.collection_id, Right.candwnldhd, now) or actor.rights.record_grant(
        record.id, now, document=True
    )


def sees_business_fields(actor: Actor, record: Record, now: datetime) -> bool:
    """Business fields go to those who may edit this very record (06 section 6, the per-record rule)."""
    return may(actor, record, Right.canmodifrecord, now)
