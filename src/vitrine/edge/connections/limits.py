"""What a connection may take, and how long."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Sizes in bytes, durations in seconds; the defaults are those of the settings.

    A body or an answer has *stalled* when less than *min_rate* bytes a second moved in a whole period of *body_s* or
    *response_s*."""

    connections: int = 1000
    per_address: int = 100
    target_bytes: int = 32 * 1024
    header_bytes: int = 64 * 1024
    headers: int = 100
    head_s: float = 15
    idle_s: float = 75
    body_s: float = 30
    response_s: float = 60
    min_rate: int = 256
    pipelined: int = 64  # requests that wait for the answers before theirs
    unread_bytes: int = 64 * 1024  # of a body that nobody wants: a connection that has more to come is closed
    drained_bytes: int = 4 * 2**20  # read and dropped before such a connection closes, so that its answer arrives
    drain_s: float = 5
