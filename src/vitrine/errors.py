"""The five kinds of refusal.

Capabilities subclass these with a name worth catching. Statuses are chosen at the edge, in one table per API version;
a bug is not a DomainError and becomes a 500 with a request id and no detail.
"""

from typing import ClassVar


class DomainError(Exception):
    """A refusal that the person who asked may read.

    *detail* is a sentence for them, naming the field and the remedy where there is one; *why* is for the log only.
    `code` is stable and documented; clients and tests match it, never the sentence. *field* names the input at fault.
    """

    code: ClassVar[str] = "error"

    def __init__(self, detail: str, *, why: str = "", field: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.why = why
        self.field = field


class NotFound(DomainError):
    """The thing does not exist, or the person may not know that it does."""

    code = "not_found"


class Forbidden(DomainError):
    """The person may know the thing but not do this to it."""

    code = "forbidden"


class Invalid(DomainError):
    """The input is wrong; *field* names the part."""

    code = "invalid"


class Conflict(DomainError):
    """The input is right but the state does not allow it now."""

    code = "conflict"


class Unavailable(DomainError):
    """Try again later: a limit, a full disk, a locked database, maintenance. *retry_after_s* says when."""

    code = "unavailable"

    def __init__(self, detail: str, *, why: str = "", field: str = "", retry_after_s: int | None = None) -> None:
        super().__init__(detail, why=why, field=field)
        self.retry_after_s = retry_after_s
