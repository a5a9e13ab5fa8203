"""Refusals of bundles."""

from vitrine.errors import Conflict, Forbidden, NotFound


class NoSuchBundle(NotFound):
    """It never was, or it is somebody else's."""

    code = "no_such_download"


class LinkEnded(NotFound):
    """The link was one of ours, and opens nothing any more: its time is over, it was taken back, or the account or the
    permission behind it ended. *maker* is who can send another one, as other people see them."""

    code = "download_link_ended"
    maker: str = ""


class NotReady(NotFound):
    """The files are still being prepared: 404 until the archive can be given (contract 04 section 4)."""

    code = "download_not_ready"


class MayNotSend(Forbidden):
    code = "may_not_send"


class TooManyBundles(Conflict):
    code = "too_many_downloads"
