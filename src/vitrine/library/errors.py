"""Errors of the archive that callers may want to catch."""

from vitrine.errors import Conflict, Forbidden, Invalid, NotFound
from vitrine.library.model import RecordKey


class NoSuchDatabox(NotFound):
    code = "no_such_databox"


class NoSuchCollection(NotFound):
    code = "no_such_collection"


class NoSuchRecord(NotFound):
    code = "no_such_record"


class NoSuchRendition(NotFound):
    code = "no_such_rendition"


class MayNotReport(Forbidden):
    """The actor has no `canreport` on what is reported on."""

    code = "may_not_report"


class MayNotSee(Forbidden):
    """The record or collection exists but the actor has no access to it: 401 on v1, 404 on pages."""

    code = "may_not_see"


class MayNotAdd(Forbidden):
    code = "may_not_add"


class MayNotChange(Forbidden):
    code = "may_not_change"


class AlreadyThere(Conflict):
    """The same file is in this databox already; `key` is the record."""

    code = "already_there"
    key: RecordKey | None = None


class NoSuchField(NotFound):
    code = "no_such_field"


class ValueRequired(Invalid):
    """A field that must be filled would have no value."""

    code = "value_required"


class ValueOfWrongType(Invalid):
    """A value that is no number, or no date, in a field that holds these."""

    code = "value_of_wrong_type"


class ValueNotInVocabulary(Invalid):
    """A value that is not in the list to which its field is restricted."""

    code = "value_not_in_vocabulary"


class MayNotReplace(Forbidden):
    """403 on v1, unlike other missing rights on a record (02 section 6.4 D)."""

    code = "may_not_replace"


class NotKept(NotFound):
    """A removed record that can no longer be restored, or that never existed."""

    code = "not_kept"


class MayNotAdminister(Forbidden):
    """A right on the databox or collection itself is missing."""

    code = "may_not_administer"


class ChangedMeanwhile(Conflict):
    """Somebody else changed the thing since the caller read it; nothing was changed."""

    code = "changed_meanwhile"


class NoSuchStatusBit(NotFound):
    code = "no_such_status_bit"


class NoSuchRecipe(NotFound):
    code = "no_such_recipe"


class NoSuchTask(NotFound):
    code = "no_such_task"


class InUse(Conflict):
    """What would be deleted or changed holds something that would be lost."""

    code = "in_use"


class TermsNotAccepted(Conflict):
    """The person must accept the terms of use of `databoxes` first."""

    code = "terms_not_accepted"
    databoxes: tuple[int, ...] = ()


class ChangedSince(Conflict):
    """A change cannot be taken back, since what it left was changed again; *field* names what."""

    code = "changed_since"


class NoSuchChange(NotFound):
    """The history of this record has no such change, or its time is over."""

    code = "no_such_change"


class NotUndoable(Conflict):
    """This change cannot be taken back; *detail* says why."""

    code = "not_undoable"


class NoSuchVersion(NotFound):
    """The record has no such earlier original, or its time is over."""

    code = "no_such_version"
