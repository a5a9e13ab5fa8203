"""Metrics for a monitoring system: is the process alive, is it of use, what has it done.

Counting costs a request one dictionary look-up and one addition, and nothing at all while nobody may read the counts.
What stands in the database is counted at each request for metrics where an index bounds it; totals of the whole library
are counted by the worker, and their age is a metric (docs/decisions/0102).
"""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import timedelta
from functools import lru_cache

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from vitrine.edge.connections.guard import ConnectionGuard
from vitrine.edge.services import Services
from vitrine.jobs import store as jobs
from vitrine.library import census
from vitrine.library import store as library
from vitrine.platform import cache
from vitrine.platform.database import UnitOfWork, size_bytes
from vitrine.platform.supervision import Status

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds
SEEN_WITHIN = timedelta(seconds=30)  # a worker that did not show itself for longer is none
_CLASSES = (
    ("/api/oauthv2", "oauth"),
    ("/api/v1", "api_v1"),
    ("/api/v2", "api_v2"),
    ("/api/v3", "api_v3"),
    ("/api", "api"),
    ("/permalink", "files"),
    ("/medias", "files"),
    ("/datafiles", "files"),
    ("/embed", "embed"),
    ("/static", "static"),
)


@lru_cache(maxsize=1024)
def class_of(route: str) -> str:
    """The few classes by which requests are counted; a pattern of our own, so there are not many."""
    return next((name for prefix, name in _CLASSES if route.startswith(prefix)), "pages" if route != "-" else "none")


class Counts:
    """Requests by class and status, with their durations. Written by the event loop only, read by anybody."""

    def __init__(self) -> None:
        self._cells: dict[tuple[str, int], list[float]] = {}

    def add(self, route: str, status: int, seconds: float) -> None:
        cell = self._cells.get((route, status))
        if cell is None:
            cell = self._cells[(route, status)] = [0.0] * (len(BOUNDS) + 2)
        cell[bisect_left(BOUNDS, seconds)] += 1
        cell[-1] += seconds

    def by_class(self) -> dict[tuple[str, int], list[float]]:
        """One list of counts by bound, the sum of seconds last."""
        totals: dict[tuple[str, int], list[float]] = {}
        for (route, status), cell in list(self._cells.items()):
            sums = totals.setdefault((class_of(route), status), [0.0] * len(cell))
            for place, value in enumerate(cell):
                sums[place] += value
        return totals


class Metrics(Collector):
    """Everything as Prometheus reads it (text exposition)."""

    def __init__(self, services: Services, counts: Counts, connections: ConnectionGuard) -> None:
        self._services = services
        self._connections = connections
        self._counts = counts
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def text(self) -> bytes:
        """One reading. It queries the database, so never call it in the event loop."""
        return generate_latest(self._registry)

    def describe(self) -> Iterator[Metric]:
        return iter(())

    def collect(self) -> Iterator[Metric]:
        yield from self._requests()
        yield from _caches()
        yield self._dropped()
        yield from self._of_connections()
        with self._services.database.read() as work:
            yield from self._threads(work)
            yield from self._work(work)
            yield from self._library(work)

    def _requests(self) -> Iterator[Metric]:
        family = HistogramMetricFamily(
            "vitrine_request_duration_seconds", "Requests by class of route and status.", labels=["route", "status"]
        )
        names = [*map(str, BOUNDS), "+Inf"]
        for (route, status), cell in sorted(self._counts.by_class().items()):
            total, buckets = 0.0, []
            for name, value in zip(names, cell[:-1], strict=True):
                total += value
                buckets.append((name, total))
            family.add_metric([route, str(status)], buckets, cell[-1])
        yield family

    def _dropped(self) -> Metric:
        family = CounterMetricFamily(
            "vitrine_deferred_rows_dropped",
            "Rows of deferred writes that were lost: the database refused them, or too many waited.",
            labels=["kind", "reason"],
        )
        for (kind, reason), number in sorted(self._services.deferred_writes.dropped().items()):
            family.add_metric([kind, reason], number)
        return family

    def _threads(self, work: UnitOfWork) -> Iterator[Metric]:
        """Supervised threads of this process and of the workers; those of several workers under one name together."""
        up = GaugeMetricFamily(
            "vitrine_thread_up", "1 while a supervised thread runs, 0 while it is down or hangs.",
            labels=["process", "thread"],
        )  # fmt: skip
        restarts = CounterMetricFamily(
            "vitrine_thread_restarts", "Restarts of a supervised thread.", labels=["process", "thread"]
        )
        together: dict[tuple[str, str], list[Status]] = {}
        for status in self._services.supervisor.statuses():
            together.setdefault(("server", status.name), []).append(status)
        for statuses in jobs.statuses(work, work.now - SEEN_WITHIN).values():
            for status in statuses:
                together.setdefault(("worker", status.name), []).append(status)
        for labels, statuses in sorted(together.items()):
            up.add_metric(labels, min(int(status.state.is_up) for status in statuses))
            restarts.add_metric(labels, sum(status.restarts for status in statuses))
        yield from (up, restarts)

    def _of_connections(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("vitrine_connections", "Open connections.", value=self._connections.open)
        refused = CounterMetricFamily(
            "vitrine_connections_refused", "Connections and messages refused before the application.", labels=["reason"]
        )
        for reason, number in sorted(self._connections.refused().items()):
            refused.add_metric([reason], number)
        yield refused

    @staticmethod
    def _work(work: UnitOfWork) -> Iterator[Metric]:
        waiting = GaugeMetricFamily("vitrine_jobs_waiting", "Jobs that are not done yet.", labels=["kind"])
        for kind, number in sorted(jobs.waiting(work).items()):
            waiting.add_metric([kind], number)
        yield waiting
        yield GaugeMetricFamily("vitrine_jobs_dead", "Jobs that were given up.", value=jobs.count_dead(work))
        seen = jobs.last_seen(work)
        if seen is not None:
            age = (work.now - seen).total_seconds()
            yield GaugeMetricFamily("vitrine_worker_heartbeat_age_seconds", "Since a worker showed itself.", value=age)

    @staticmethod
    def _library(work: UnitOfWork) -> Iterator[Metric]:
        totals = census.totals(work)
        family = CounterMetricFamily("vitrine_renditions", "Renditions by state.", labels=["state"])
        for state, number in sorted(library.unready_renditions(work).items()):
            family.add_metric([state], number)
        if totals is not None:
            family.add_metric(["ready"], totals.ready)
        yield family
        if totals is not None:
            yield GaugeMetricFamily("vitrine_documents_files", "Files that records refer to.", value=totals.files)
            yield GaugeMetricFamily("vitrine_documents_bytes", "Bytes of these files.", value=totals.size)
            age = max((work.now - totals.at).total_seconds(), 0.0)
            help_text = "Since the worker counted renditions that are ready, files and bytes."
            yield GaugeMetricFamily("vitrine_documents_count_age_seconds", help_text, value=age)
        yield GaugeMetricFamily("vitrine_database_bytes", "Size of the database.", value=size_bytes(work))


def _caches() -> Iterator[Metric]:
    """Lookups and entries of the caches of this process (docs/decisions/0087)."""
    lookups = CounterMetricFamily(
        "vitrine_cache_requests", "Look-ups in caches by outcome, hit or miss.", labels=["cache", "outcome"]
    )
    dropped = CounterMetricFamily("vitrine_cache_evictions", "Entries dropped for want of room.", labels=["cache"])
    entries = GaugeMetricFamily("vitrine_cache_entries", "Entries of caches.", labels=["cache"])
    for name, counters in sorted(cache.counters().items()):
        lookups.add_metric([name, "hit"], counters.hits)
        lookups.add_metric([name, "miss"], counters.misses)
        dropped.add_metric([name], counters.evictions)
        entries.add_metric([name], counters.entries)
    yield from (lookups, dropped, entries)
