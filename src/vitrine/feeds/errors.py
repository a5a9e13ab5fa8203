"""Refusals of feeds."""

from vitrine.errors import Conflict, Forbidden, Invalid, NotFound


class NoSuchFeed(NotFound):
    code = "no_such_feed"


class NoSuchEntry(NotFound):
    code = "no_such_entry"


class MayNotRead(Forbidden):
    """The feed exists but the actor may not read it."""

    code = "may_not_read_feed"


class MayNotManage(Forbidden):
    """The actor neither owns the feed nor administers the instance, or the entry is not theirs."""

    code = "may_not_manage_feed"


class MayNotPublish(Forbidden):
    """The actor is no publisher of the feed, or lacks `bas_chupub` on the databox of a record."""

    code = "may_not_publish"


class TooMany(Invalid):
    """More feeds, publishers or records than are allowed."""

    code = "too_many"


class TooManyReaders(Conflict):
    """More people may read the feed than `feed_mails_max` allows to tell by mail."""

    code = "too_many_readers"
