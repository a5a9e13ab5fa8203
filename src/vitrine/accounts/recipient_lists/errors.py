"""Refusals of recipient lists."""

from vitrine.errors import Conflict, Forbidden, NotFound


class NoSuchList(NotFound):
    """It never was, or the person does not work with it."""

    code = "no_such_recipient_list"


class MayNotChangeList(Forbidden):
    """The person works with the list, but in a role that may not do this."""

    code = "may_not_change_recipient_list"


class ListFull(Conflict):
    code = "recipient_list_full"


class LastAdministrator(Conflict):
    """A list always has an administrator: name another one first, or delete it."""

    code = "last_administrator"
