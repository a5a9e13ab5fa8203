"""/health, /ready and /metrics: their contents, and who may read them."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from vitrine.accounts import User
from vitrine.edge.health import Readiness
from vitrine.errors import Invalid
from vitrine.jobs import store as jobs
from vitrine.library import census
from vitrine.platform.database import Database
from vitrine.platform.supervision import SupervisedThread
from vitrine.settings import Settings, load
from vitrine.testing import media_factory as make
from vitrine.testing.server import Server


def metric_value(text: str, name: str, **labels: str) -> float:
    for family in text_string_to_metric_families(text):
        for metric in family.samples:
            if metric.name == name and labels.items() <= metric.labels.items():
                return float(metric.value)
    raise AssertionError(f"no {name} {labels}")


def test_health_does_not_use_the_database(server: Server) -> None:
    server.services.database.close()
    assert server.http.get("/health").text == "ok\n"


@pytest.mark.both_databases
@pytest.mark.both_stores
def test_ready_when_database_and_store_answer_and_the_worker_is_told(server: Server) -> None:
    answer = server.http.get("/ready")
    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "database": "ok", "store": "ok", "worker": "silent", "degraded": {}}
    with server.services.database.write() as work:
        jobs.record_heartbeat(work, server.worker.owner, work.now)
    assert Readiness(server.services).now()["worker"] == "ok"
    with server.services.database.write() as work:
        jobs.delete_unseen_workers(work, work.now + timedelta(seconds=1))
    assert Readiness(server.services).now()["worker"] == "silent"


def test_a_thread_that_hangs_is_told_and_left_alone(server: Server) -> None:
    may_end = threading.Event()

    def hang(_thread: SupervisedThread) -> None:
        may_end.wait(30)

    thread = server.services.supervisor.start("painter", hang, hung_after=timedelta(0))
    answer = server.http.get("/ready")
    assert (answer.status_code, answer.json()["degraded"]) == (200, {"painter": "hung"})
    assert thread.is_alive()
    may_end.set()
    server.services.supervisor.stop([thread])
    assert server.http.get("/ready").json()["degraded"] == {}


def test_not_ready_when_the_store_takes_nothing(server: Server) -> None:
    incoming = server.settings.data_dir / "blobs" / "incoming"
    incoming.rename(incoming.with_name("elsewhere"))
    answer = server.http.get("/ready")
    assert (answer.status_code, answer.json()["store"]) == (503, "unavailable")
    assert str(incoming) not in answer.text


def test_not_ready_when_the_database_is_gone(server: Server, tmp_path: Path) -> None:
    unreachable = Database(f"postgresql+psycopg://nobody@/none?host={tmp_path}")
    original = server.services.database.engine, server.services.database.is_sqlite
    server.services.database.engine, server.services.database.is_sqlite = unreachable.engine, False
    server.services.database._snapshots = unreachable._snapshots
    answer = server.http.get("/ready")
    server.services.database.engine, server.services.database.is_sqlite = original
    assert (answer.status_code, answer.json()["database"]) == (503, "unavailable")


def test_nobody_may_read_metrics_by_default(server: Server) -> None:
    assert server.http.get("/metrics").status_code == 404
    assert server.browser(server.user("root", is_admin=True)).get("/metrics").status_code == 404


@pytest.mark.both_databases
def test_metrics(tmp_path: Path, database_url: str) -> None:
    server = Server(
        tmp_path / "data", database_url=database_url, metrics_from=("10.1.0.0/16",), trusted_proxies=("127.0.0.1",)
    )
    server.http._transport.client = ("127.0.0.1", 5)  # type: ignore[attr-defined]
    try:
        ada: User = server.user("ada")
        token = server.token(ada)
        server.add(make.jpeg(tmp_path / "a.jpg", 320, 240), ada)
        for _ in range(3):
            server.get("/me/", token)
        server.http.get("/nowhere")
        census.run(server.services.database, threading.Event())
        assert server.http.get("/metrics", headers={"X-Forwarded-For": "10.2.0.1"}).status_code == 404
        answer = server.http.get("/metrics", headers={"X-Forwarded-For": "10.1.2.3"})
        assert answer.status_code == 200
        text = answer.text
        assert metric_value(text, "vitrine_request_duration_seconds_count", route="api_v1", status="200") == 3
        assert metric_value(text, "vitrine_request_duration_seconds_bucket", route="api_v1", le="+Inf") == 3
        assert metric_value(text, "vitrine_request_duration_seconds_count", status="404") >= 1
        assert metric_value(text, "vitrine_renditions_total", state="ready") >= 3
        assert metric_value(text, "vitrine_documents_bytes") > 1000
        assert metric_value(text, "vitrine_database_bytes") > 10_000
        assert metric_value(text, "vitrine_jobs_dead") == 0
        labels = {"kind": "request_lines", "reason": "unwritable"}
        assert metric_value(text, "vitrine_deferred_rows_dropped_total", **labels) == 0
        assert metric_value(text, "vitrine_cache_requests_total", cache="bearers", outcome="hit") >= 2
        assert metric_value(text, "vitrine_cache_requests_total", cache="bearers", outcome="miss") >= 1
        assert metric_value(text, "vitrine_cache_entries", cache="bearers") >= 1
        assert token not in text
    finally:
        server.close()


def test_networks_are_checked_at_start() -> None:
    with pytest.raises(Invalid, match="metrics_from has everybody"):
        load({"VITRINE_METRICS_FROM": "everybody"})
    assert Settings().metrics_from == ()
