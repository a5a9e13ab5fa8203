"""Who may do what to a record: the right-hand column of the truth table in contract 06 section 17.7, nothing else.

Pure functions of the actor's rights and the record's collection and status. Every path that shows a record or delivers
its bytes calls them: API, pages, files, embed and search.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from vitrine.accounts import Actor, DataboxRight, Right, Via
from vitrine.library.errors import MayNotSee
from vitrine.library.model import DOCUMENT, PREVIEW, THUMBNAIL, CollectionId, Recipe, Record, RecordId, RecordKey

ORIGINALS = "originals"  # the scope (docs/decisions/0042)


def sees(actor: Actor, record: Record, now: datetime) -> bool:
    """V': a live link to its collection whose mask shows its status, or any live grant on it."""
    if actor.via is Via.COMMAND:
        return True
    grant = actor.rights.collections.get(record.collection_id)
    if grant is not None and grant.is_live(now) and grant.shows_status(record.status):
        return True
    return actor.rights.record_grant(record.id, now)


def visible_ids(actor: Actor, stamps: Iterable[tuple[RecordId, CollectionId, int]], now: datetime) -> set[RecordId]:
    """`sees` for a page of records given as (record, collection, status): the ids of those the actor sees."""
    if actor.via is Via.COMMAND:
        return {record for record, _, _ in stamps}
    rights = actor.rights
    verdicts: dict[tuple[CollectionId, int], bool] = {}
    seen = set()
    for record, collection, status in stamps:
        verdict = verdicts.get((collection, status))
        if verdict is None:
            grant = rights.collections.get(collection)
            verdict = grant is not None and grant.is_live(now) and grant.shows_status(status)
            verdicts[collection, status] = verdict
        if verdict or rights.record_grant(record, now):
            seen.add(record)
    return seen


def require_sight(actor: Actor, record: Record, now: datetime) -> None:
    """Raises MayNotSee."""
    if not sees(actor, record, now):
        raise sight_refusal(actor, record.key)


def sight_refusal(actor: Actor, key: RecordKey) -> MayNotSee:
    return MayNotSee("You have no access to this record.", why=f"record {key} user {actor.user_id}")


def may(actor: Actor, record: Record, right: Right, now: datetime) -> bool:
    """V' and R(right) on the record's own collection."""
    if actor.via is Via.COMMAND:
        return True
    return sees(actor, record, now) and actor.rights.on(record.collection_id, right, now)


def may_have(actor: Actor, record: Record, name: str, recipe: Recipe | None, now: datetime) -> bool:
    """May the actor get the bytes of rendition *name*? *recipe* is its entry in the structure, if any."""
    return class_of(record, name, recipe) in classes_of(actor, record, now)


def may_switch_link(actor: Actor, record: Record, name: str, recipe: Recipe | None, now: datetime) -> bool:
    """V', R(imgtools), R(canmodifrecord), `bas_chupub` on the databox, and the class rule for this file."""
    if actor.via is Via.COMMAND:
        return True
    rights = all(may(actor, record, right, now) for right in (Right.imgtools, Right.canmodifrecord))
    publishes = actor.rights.on_databox(record.databox_id, DataboxRight.bas_chupub)
    return rights and publishes and may_have(actor, record, name, recipe, now)


def class_of(record: Record, name: str, recipe: Recipe | None) -> str | None:
    """The class that decides about a rendition. The original is of class `document`. A rendition outside the structure
    has no class and goes to nobody, but a story's pictures and `thumbnail` go to everybody who sees the record."""
    if name == THUMBNAIL or (record.is_story and name != DOCUMENT):
        return THUMBNAIL
    if name == DOCUMENT:
        return DOCUMENT
    return None if recipe is None else recipe.klass


def classes_of(actor: Actor, record: Record, now: datetime) -> frozenset[str | None]:
    """The classes of files of *record* that the actor may have (06 section 17.7); empty if they may not see it."""
    if actor.via is Via.COMMAND:
        return _EVERY_CLASS
    if not sees(actor, record, now):
        return frozenset()
    rights = actor.rights
    allowed = {THUMBNAIL}
    if rights.on(record.collection_id, Right.candwnldpreview, now) or rights.record_grant(record.id, now):
        allowed.add(PREVIEW)
    if actor.scope is not None and ORIGINALS not in actor.scope:
        return frozenset(allowed)  # the application may not have original files, whatever the person's rights
    if rights.on(record.collection_id, Right.candwnldhd, now) or rights.record_grant(record.id, now, document=True):
        allowed.add(DOCUMENT)
    return frozenset(allowed)


_EVERY_CLASS: frozenset[str | None] = frozenset({THUMBNAIL, PREVIEW, DOCUMENT, None})


def sees_business_fields(actor: Actor, record: Record, now: datetime) -> bool:
    """Business fields are shown to those who may edit this record (06 section 6, the per-record rule)."""
    return may(actor, record, Right.canmodifrecord, now)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """`classes_of` and `sees_business_fields` for a page of records: computed once for all records with the same
    collection and status, and separately for a record on which the actor holds a grant."""

    actor: Actor
    now: datetime
    _known: dict[tuple[CollectionId, int], tuple[frozenset[str | None], bool]] = field(default_factory=dict)

    def on(self, record: Record) -> tuple[frozenset[str | None], bool]:
        """(the classes of files that the actor may have, whether they see business fields)."""
        if record.id in self.actor.rights.grants:
            return self._of(record)
        key = (record.collection_id, record.status)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._of(record)
        return known

    def _of(self, record: Record) -> tuple[frozenset[str | None], bool]:
        return classes_of(self.actor, record, self.now), sees_business_fields(self.actor, record, self.now)
