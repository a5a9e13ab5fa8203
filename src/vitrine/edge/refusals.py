"""The default HTTP status of a refusal, and the headers that say when to try again."""

from vitrine.edge.bodies import BodyTooLarge
from vitrine.edge.limits import TooMany
from vitrine.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Unavailable

Statuses = tuple[tuple[type[DomainError], int], ...]

# An API that differs puts its own rows before these: the first that fits counts.
STATUSES: Statuses = (
    (BodyTooLarge, 413),
    (NotFound, 404),
    (Forbidden, 403),
    (Conflict, 409),
    (Invalid, 400),
    (Unavailable, 503),
    (TooMany, 429),
)


def status_of(refusal: DomainError, statuses: Statuses = STATUSES) -> int:
    return next((status for kind, status in statuses if isinstance(refusal, kind)), 400)


def headers_of(refusal: DomainError) -> dict[str, str]:
    """`Retry-After` and `RateLimit`, where they apply (RFC 9110 section 10.2.3)."""
    if isinstance(refusal, TooMany):
        return dict(refusal.headers)
    if isinstance(refusal, Unavailable) and refusal.retry_after_s is not None:
        return {"Retry-After": str(refusal.retry_after_s)}
    return {}
