"""/health, /ready and /metrics (docs/decisions/0034-health.md). No session and no token; strangers learn only whether
it works."""

import time

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.edge.metrics import SEEN_WITHIN, Metrics
from vitrine.edge.proxies import is_in, networks
from vitrine.edge.run import run_in_thread, services_of
from vitrine.edge.services import Services
from vitrine.errors import DomainError, NotFound
from vitrine.jobs import store as jobs
from vitrine.platform import logging
from vitrine.platform.supervision import State, Status

log = logging.get("vitrine.health")
LOOK_EVERY_S = 5.0
_PLAIN = {"Cache-Control": "no-store"}


async def health(_request: Request) -> Response:
    """200 as long as the process answers."""
    return Response("ok\n", media_type="text/plain", headers=_PLAIN)


async def ready(request: Request) -> Response:
    """200 when requests can be served: database and store answer. A silent worker, or a supervised thread that is down,
    is reported without 503: records can still be read, and taking every server out of service would help nobody."""
    readiness: Readiness = request.app.state.readiness
    state = await run_in_thread(readiness.now)
    is_ready = state["database"] == state["store"] == "ok"
    body = msgspec.json.encode({"ready": is_ready, **state, "degraded": readiness.degraded()})
    return Response(body, 200 if is_ready else 503, _PLAIN, media_type="application/json")


async def metrics(request: Request) -> Response:
    """For the addresses of `metrics_from` only; for others it does not exist."""
    allowed = networks(services_of(request).settings.metrics_from)
    if not is_in(request.scope["state"]["address"], allowed):
        raise NotFound("There is nothing at this address.")
    metrics: Metrics = request.app.state.metrics
    text = await run_in_thread(metrics.text)
    return Response(text, headers={**_PLAIN, "Content-Type": "text/plain; version=0.0.4; charset=utf-8"})


class Readiness:
    """Checks at most every five seconds, however often it is called."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._looked = 0.0
        self._found: dict[str, str] = {}
        self._workers: dict[str, list[Status]] = {}

    def now(self) -> dict[str, str]:
        if not self._found or time.monotonic() - self._looked > LOOK_EVERY_S:
            self._found = self._look()
            self._looked = time.monotonic()
        return self._found

    def degraded(self) -> dict[str, str]:
        """The state of each supervised thread that is not simply running, by its name; `worker/` begins the names of
        the worker's own. Those of this process are never older than the call."""
        statuses = [(status.name, status) for status in self._services.supervisor.statuses()]
        statuses += [(f"worker/{status.name}", status) for threads in self._workers.values() for status in threads]
        return {name: status.state.value for name, status in statuses if status.state is not State.RUNNING}

    def _look(self) -> dict[str, str]:
        state = {"database": "ok", "store": "ok", "worker": "unknown"}
        try:
            with self._services.database.read() as work:
                last_seen = jobs.last_seen(work)
                self._workers = jobs.statuses(work, work.now - SEEN_WITHIN)
                state["worker"] = "ok" if last_seen is not None and work.now - last_seen < SEEN_WITHIN else "silent"
        except DomainError as refusal:
            log.warning("not_ready", part="database", why=refusal.why)
            state["database"] = "unavailable"
        try:
            self._services.media.store.probe()
        except DomainError as refusal:
            log.warning("not_ready", part="store", why=refusal.why)
            state["store"] = "unavailable"
        return state


ROUTES = [
    Route("/health", health, methods=["GET"]),
    Route("/ready", ready, methods=["GET"]),
    Route("/metrics", metrics, methods=["GET"]),
]
