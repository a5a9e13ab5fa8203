"""Who may do what to a record: the right-hand column of the truth table in contract 06 section 17.7, nothing else.

Functions of the actor's rights, the record's collection and status, and the actor's grants on the record itself, which
are looked up only where collection and status do not decide. Every path that shows a record or delivers its bytes calls
them: API, pages, files, embed and search.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from vitrine.accounts import Actor, DataboxRight, Right, Via, record_grants
from vitrine.library.errors import MayNotSee
from vitrine.library.model import (
    DOCUMENT,
    PREVIEW,
    THUMBNAIL,
    CollectionId,
    DataboxId,
    Recipe,
    Record,
    RecordId,
    RecordKey,
)
from vitrine.library.model import Collection as LibraryCollection
from vitrine.platform.database import UnitOfWork

ORIGINALS = "originals"  # the scope (docs/decisions/0042)


def sees(work: UnitOfWork, actor: Actor, record: Record) -> bool:
    """V': a live link to its collection whose mask shows its status, or any live grant on it."""
    if actor.via is Via.COMMAND or _shows(actor, record.collection_id, record.status, work.now):
        return True
    return is_granted(work, actor, record)


def _shows(actor: Actor, collection: CollectionId, status: int, now: datetime) -> bool:
    grant = actor.rights.collections.get(collection)
    return grant is not None and grant.is_live(now) and grant.shows_status(status)


def is_granted(work: UnitOfWork, actor: Actor, record: Record) -> bool:
    """True if the actor holds a live grant on the record."""
    return record.id in record_grants.on_records(work, actor, (record.id,))


def visible_ids(work: UnitOfWork, actor: Actor, stamps: Iterable[tuple[RecordId, CollectionId, int]]) -> set[RecordId]:
    """`sees` for a page of records given as (record, collection, status): the ids of those the actor sees. At most one
    statement for all grants."""
    if actor.via is Via.COMMAND:
        return {record for record, _, _ in stamps}
    verdicts: dict[tuple[CollectionId, int], bool] = {}
    seen: set[RecordId] = set()
    hidden: list[RecordId] = []
    for record, collection, status in stamps:
        verdict = verdicts.get((collection, status))
        if verdict is None:
            verdict = verdicts[collection, status] = _shows(actor, collection, status, work.now)
        if verdict:
            seen.add(record)
        else:
            hidden.append(record)
    seen.update(RecordId(record) for record in record_grants.on_records(work, actor, hidden))
    return seen


def with_right(
    work: UnitOfWork, actor: Actor, right: Right, stamps: Iterable[tuple[RecordId, CollectionId, int]]
) -> set[RecordId]:
    """`may` for a page of records given as in `visible_ids`: V' and R(right)."""
    wanted = list(stamps)
    seen = visible_ids(work, actor, wanted)
    if actor.via is Via.COMMAND:
        return seen
    return {record for record, base, _ in wanted if record in seen and actor.rights.on(base, right, work.now)}


def with_original(
    work: UnitOfWork, actor: Actor, stamps: Iterable[tuple[RecordId, CollectionId, int]]
) -> set[RecordId]:
    """Of a page of records given as in `visible_ids` those whose original the actor may have."""
    wanted = list(stamps)
    seen = visible_ids(work, actor, wanted)
    if actor.via is Via.COMMAND:
        return seen
    if actor.scope is not None and ORIGINALS not in actor.scope:
        return set()
    right, now = Right.candwnldhd, work.now
    allowed = {record for record, base, _ in wanted if record in seen and actor.rights.on(base, right, now)}
    granted = record_grants.on_records(work, actor, sorted(seen - allowed))
    return allowed | {RecordId(record) for record, has_document in granted.items() if has_document}


def ends_of_giving(
    work: UnitOfWork, actor: Actor, stamps: Iterable[tuple[RecordId, CollectionId, int]], *, originals: bool
) -> dict[RecordId, datetime | None]:
    """Until when the actor may give on records that they may push now (`with_right`), given as in `visible_ids`, with
    *originals* those that they may have (`with_original`): nobody gives on longer what they have for a while. None is
    without end. At most one statement for all grants."""
    wanted = list(stamps)
    if actor.via is Via.COMMAND:
        return {record: None for record, _, _ in wanted}
    collections, now = actor.rights.collections, work.now
    by_grant = [
        record
        for record, base, status in wanted
        if not _shows(actor, base, status, now) or (originals and not actor.rights.on(base, Right.candwnldhd, now))
    ]
    granted = record_grants.ends_on(work, actor, by_grant)
    ends: dict[RecordId, datetime | None] = {}
    for record, base, status in wanted:
        grant, own = collections.get(base), granted.get(record)
        parts = [grant.valid_until if grant is not None else None]
        if own is not None and not _shows(actor, base, status, now):
            parts.append(own.sight)
        if own is not None and originals and own.has_original and not actor.rights.on(base, Right.candwnldhd, now):
            parts.append(own.original)
        ends[record] = record_grants.earlier(*parts)
    return ends


def require_sight(work: UnitOfWork, actor: Actor, record: Record) -> None:
    """Raises MayNotSee."""
    if not sees(work, actor, record):
        raise sight_refusal(actor, record.key)


def sight_refusal(actor: Actor, key: RecordKey) -> MayNotSee:
    return MayNotSee("You have no access to this record.", why=f"record {key} user {actor.user_id}")


def may(work: UnitOfWork, actor: Actor, record: Record, right: Right) -> bool:
    """V' and R(right) on the record's own collection."""
    if actor.via is Via.COMMAND:
        return True
    return actor.rights.on(record.collection_id, right, work.now) and sees(work, actor, record)


def may_change_story(work: UnitOfWork, actor: Actor, story: Record) -> bool:
    """V' and R(canmodifrecord) on the story: to change its children, their order or its cover. To make a story requires
    R(canaddrecord) on its collection. Both require V' on each record that becomes a child, or ceases to be one."""
    return may(work, actor, story, Right.canmodifrecord)


def may_read_history(work: UnitOfWork, actor: Actor, record: Record) -> bool:
    """V' and R(canmodifrecord): earlier values may be of business fields, and the names are those of colleagues."""
    return may(work, actor, record, Right.canmodifrecord)


def may_read_history_of_deleted(actor: Actor, collection: CollectionId, status: int | None, now: datetime) -> bool:
    """The same of a deleted record that was in *collection*, for administrators. *status* is None where it is no longer
    known: then only who sees every status may."""
    if actor.via is Via.COMMAND:
        return True
    grant = actor.rights.collections.get(collection)
    if grant is None or not actor.administers or not actor.rights.on(collection, Right.canmodifrecord, now):
        return False
    return any(mask == 0 for mask, _ in grant.alternatives()) if status is None else grant.shows_status(status)


def may_take_back_deletion(actor: Actor, collection: CollectionId, status: int, now: datetime) -> bool:
    """Of a deleted record that was in *collection* with *status*: what its deletion asked, and the right to add it
    there again. Nobody holds a grant on a deleted record."""
    if actor.via is Via.COMMAND:
        return True
    rights = (Right.candeleterecord, Right.canaddrecord)
    return _shows(actor, collection, status, now) and all(actor.rights.on(collection, right, now) for right in rights)


def may_have(work: UnitOfWork, actor: Actor, record: Record, name: str, recipe: Recipe | None) -> bool:
    """May the actor get the bytes of rendition *name*? *recipe* is its entry in the structure, if any."""
    return class_of(record, name, recipe) in classes_of(work, actor, record)


def may_switch_link(work: UnitOfWork, actor: Actor, record: Record, name: str, recipe: Recipe | None) -> bool:
    """`may_switch_some_link`, and the class rule for this file."""
    return may_switch_some_link(work, actor, record) and may_have(work, actor, record, name, recipe)


def may_switch_some_link(work: UnitOfWork, actor: Actor, record: Record) -> bool:
    """V', R(imgtools), R(canmodifrecord) and `bas_chupub` on the databox: what switching any link of the record
    requires."""
    if actor.via is Via.COMMAND:
        return True
    rights = all(may(work, actor, record, right) for right in (Right.imgtools, Right.canmodifrecord))
    return rights and publishes(actor, record)


def may_publish(work: UnitOfWork, actor: Actor, page: Sequence[Record]) -> set[RecordId]:
    """Those of *page* that the actor may publish in a feed whose publisher they are: V' and `bas_chupub` on the
    databox. At most one statement for all grants."""
    seen = visible_ids(work, actor, ((record.id, record.collection_id, record.status) for record in page))
    return {record.id for record in page if record.id in seen and publishes(actor, record)}


def is_free(is_published: bool, name: str, klass: str | None) -> bool:
    """P for everybody, without an account and without sight: preview and thumbnail of a record in a public feed. Never
    the original, nor a preview of class `document` (*klass* is its recipe's, None outside the structure)."""
    return is_published and (name == THUMBNAIL or (name == PREVIEW and klass in (THUMBNAIL, PREVIEW)))


def publishes(actor: Actor, record: Record) -> bool:
    """`bas_chupub` on the record's databox."""
    return actor.via is Via.COMMAND or actor.rights.on_databox(record.databox_id, DataboxRight.bas_chupub)


def may_show_links(actor: Actor, record: Record, shown_to: str) -> bool:
    """May pages show the addresses of a file of *record*, which the actor may have? *shown_to* is the setting
    `links_shown_to`: all, publishers (`bas_chupub` on the databox) or none."""
    return shown_to == "all" or (shown_to == "publishers" and publishes(actor, record))


def may_switch_record(work: UnitOfWork, actor: Actor, record: Record, classes: Collection[str | None]) -> bool:
    """May the actor switch the links of the whole record, whose files have these *classes*? `may_switch_link` for each
    file. A file outside the structure, which nobody may have, does not count."""
    return may_switch_some_link(work, actor, record) and set(classes) - {None} <= classes_of(work, actor, record)


def class_of(record: Record, name: str, recipe: Recipe | None) -> str | None:
    """The class that decides about a rendition. The original is of class `document`. A rendition outside the structure
    has no class and goes to nobody, but a story's pictures and `thumbnail` go to everybody who sees the record."""
    if name == THUMBNAIL or (record.is_story and name != DOCUMENT):
        return THUMBNAIL
    if name == DOCUMENT:
        return DOCUMENT
    return None if recipe is None else recipe.klass


def classes_of(work: UnitOfWork, actor: Actor, record: Record) -> frozenset[str | None]:
    """The classes of files of *record* that the actor may have (06 section 17.7); empty if they may not see it."""
    return _classes(actor, record, work.now, record_grants.on_records(work, actor, (record.id,)))


def _classes(actor: Actor, record: Record, now: datetime, granted: Mapping[int, bool]) -> frozenset[str | None]:
    if actor.via is Via.COMMAND:
        return _EVERY_CLASS
    if record.id not in granted and not _shows(actor, record.collection_id, record.status, now):
        return frozenset()
    rights = actor.rights
    allowed = {THUMBNAIL}
    if record.id in granted or record.in_public_feed or rights.on(record.collection_id, Right.candwnldpreview, now):
        allowed.add(PREVIEW)
    if actor.scope is not None and ORIGINALS not in actor.scope:
        return frozenset(allowed)  # the application may not have original files, whatever the person's rights
    if granted.get(record.id) or rights.on(record.collection_id, Right.candwnldhd, now):
        allowed.add(DOCUMENT)
    return frozenset(allowed)


_EVERY_CLASS: frozenset[str | None] = frozenset({THUMBNAIL, PREVIEW, DOCUMENT, None})


def sees_business_fields(work: UnitOfWork, actor: Actor, record: Record) -> bool:
    """Business fields are shown to those who may edit this record (06 section 6, the per-record rule)."""
    return may(work, actor, record, Right.canmodifrecord)


def may_report(actor: Actor, collection: CollectionId, now: datetime) -> bool:
    """R(canreport): statistics of a collection, of its records whether or not one sees them."""
    return actor.via is Via.COMMAND or actor.rights.on(collection, Right.canreport, now)


# -- structure (06 sections 17.1 to 17.3) --------------------------------------------------------------------------


def edits_structure(actor: Actor, databox: DataboxId) -> bool:
    """`bas_modify_struct` on this very databox: fields, status bits, recipes."""
    return actor.via is Via.COMMAND or actor.rights.on_databox(databox, DataboxRight.bas_modify_struct)


def manages_databox(actor: Actor, databox: DataboxId) -> bool:
    """`bas_manage` on this very databox, or the administrator of the instance: its names, terms and collections."""
    return actor.via is Via.COMMAND or actor.administers or actor.rights.on_databox(databox, DataboxRight.bas_manage)


def purges_databox(actor: Actor, databox: DataboxId) -> bool:
    """`bas_manage` alone: whoever deletes records needs a right on them, which `admin` does not give (06 §17.3)."""
    return actor.via is Via.COMMAND or actor.rights.on_databox(databox, DataboxRight.bas_manage)


def manages_collection(actor: Actor, collection: LibraryCollection, now: datetime) -> bool:
    """`manage` on this very collection, or whoever manages its databox."""
    return actor.rights.on(collection.id, Right.manage, now) or manages_databox(actor, collection.databox_id)


def edits_value_lists(actor: Actor, collection: LibraryCollection, now: datetime) -> bool:
    """`modify_struct` on this very collection, or whoever edits the structure of its databox."""
    return actor.rights.on(collection.id, Right.modify_struct, now) or edits_structure(actor, collection.databox_id)


class Verdicts:
    """`classes_of` and `sees_business_fields` for a page of records: one statement for the actor's grants on all of
    them, then computed once for all records with the same collection, status and P, and separately for a granted
    one."""

    def __init__(self, work: UnitOfWork, actor: Actor, ids: Sequence[RecordId]) -> None:
        self._actor, self._now = actor, work.now
        self._granted = record_grants.on_records(work, actor, ids)
        self._known: dict[tuple[CollectionId, int, bool], tuple[frozenset[str | None], bool]] = {}

    def on(self, record: Record) -> tuple[frozenset[str | None], bool]:
        """(the classes of files that the actor may have, whether they see business fields). *record* is of the page."""
        if record.id in self._granted:
            return self._of(record)
        key = (record.collection_id, record.status, record.in_public_feed)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._of(record)
        return known

    def _of(self, record: Record) -> tuple[frozenset[str | None], bool]:
        classes = _classes(self._actor, record, self._now, self._granted)
        edits = self._actor.rights.on(record.collection_id, Right.canmodifrecord, self._now)
        return classes, self._actor.via is Via.COMMAND or (bool(classes) and edits)
