"""Errors of stories that callers may want to catch."""

from vitrine.errors import Conflict, Forbidden, Invalid
from vitrine.library.errors import NoSuchRecord


class NoSuchStory(NoSuchRecord):
    """There is no such record, or it is no story."""

    code = "no_such_story"


class NoSuchChild(NoSuchRecord):
    """The record is not in the story."""

    code = "no_such_child"


class MayNotChangeStory(Forbidden):
    """403 on v1 (02 section 6.9 D), unlike other missing rights on a record."""

    code = "may_not_change_story"


class ChildHidden(Forbidden):
    """The actor does not see a record that is to become a child, or to be removed: 403 on v1."""

    code = "child_hidden"


class NotAChild(Invalid):
    """A record that no story can hold: of another databox, or a story itself."""

    code = "not_a_child"


class StoryFull(Conflict):
    """More children, or more stories of one record, than there may be."""

    code = "story_full"
