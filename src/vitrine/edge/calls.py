"""What every call of the API leaves behind: a line in the request log, marks of old habits, and what is left."""

import time
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from vitrine.edge.run import services_of
from vitrine.oauth import deprecated_features
from vitrine.platform.deferred_writes import RequestLine

GUIDE = "/developers/habits/"


def count_deprecated_features(request: Request, response: Response) -> None:
    """Write the call down for its owner, and say in the answer what they should know. Nothing for calls without a
    token that opened something."""
    scope = request.scope
    state = scope["state"]
    bearer = state.get("bearer")
    if bearer is None:
        return
    here, now = services_of(request), datetime.now(UTC)
    in_header: bool = state["in_header"]
    if not in_header:
        here.deferred_writes.feature_used(
            bearer.actor.application_id, deprecated_features.PARAMETER, now, state["address"]
        )
        response.headers.update(deprecated_features.headers(here.settings.absolute(GUIDE)))
    quota = state.get("quota")
    if quota is not None:
        response.raw_headers.append((b"ratelimit", quota[0].encode()))
        if quota[1]:
            response.raw_headers.append((b"ratelimit-policy", quota[1].encode()))
    here.deferred_writes.request(
        RequestLine(
            now,
            state["request_id"],
            bearer.actor.account_id,
            bearer.actor.application_id,
            scope["method"],
            scope["route"].path,
            response.status_code,
            round((time.perf_counter() - state["started"]) * 1_000_000),
            "" if in_header else deprecated_features.PARAMETER,
        )
    )
