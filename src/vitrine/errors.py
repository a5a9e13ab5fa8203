"""The five kinds of refusal.

Capabilities subclass these with a name worth catching. Statuses are chosen at the edge, in one table per API version;
a bug is not a DomainError and becomes a 500 with a request id and no detail.
"""

from collections.abc import Mapping
from typing import ClassVar


class DomainError(Exception):
    """A refusal that the person who asked may read.

    *detail* is a sentence for them, naming the field and the remedy where there is one; *why* is for the log only.
    `code` is stable and documented; clients and tests match it, never the sentence. *field* names the input at fault.
    With *values*, *detail* is a template such as "{name} is empty.": `detail` becomes the English sentence, `template`
    stays what a catalogue of another language knows.
    """

    code: ClassVar[str] = "error"

    def __init__(
        self, detail: str, *, why: str = "", field: str = "", values: Mapping[str, object] | None = None
    ) -> None:
        self.template = detail
        self.values = dict(values or {})
        self.detail = detail.format_map(self.values) if self.values else detail
        super().__init__(self.detail)
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

    def __init__(
        self,
        detail: str,
        *,
        why: str = "",
        field: str = "",
        values: Mapping[str, object] | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(detail, why=why, field=field, values=values)
        self.retry_after_s = retry_after_s
