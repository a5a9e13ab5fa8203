"""Contract 02 §5.19 and 02 §6.1: the server and its tasks, for administrators (02 §9.5)."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from vitrine.accounts import COMMAND, User, Via
from vitrine.api.v1 import present_monitor
from vitrine.applications import Policy, Profile
from vitrine.errors import Invalid
from vitrine.jobs import JobKind, store, task_store
from vitrine.jobs.tasks import TASKS
from vitrine.oauth.tokens import Tokens
from vitrine.operations.tasks import NotAdministrator
from vitrine.platform.supervision import State, Status
from vitrine.testing.server import Server

PAINT = JobKind("paint", lane="media")
TASK_KEYS = [
    "id", "title", "name", "state", "status", "actual-status", "process-id", "pid", "jobId", "period",
    "last_exec_time", "last_execution", "updated", "created", "auto_start", "crashed",
]  # fmt: skip
READS = ("scheduler/", "tasks/", "task/1/", "phraseanet/")
WRITES = ("task/1/", "task/1/start/", "task/1/stop/")


@pytest.fixture
def admin(server: Server) -> str:
    return server.token(server.user("root", is_admin=True))


@pytest.fixture
def reader(server: Server) -> User:
    return server.user("reader")


def seen(server: Server, state: State = State.RUNNING, process: int = 4242, restarts: int = 0) -> None:
    """A worker shows itself."""
    threads = [Status(f"lane-{name}-0", state, restarts) for name in ("media", "index", "mail")]
    with server.services.database.write() as work:
        store.record_heartbeat(work, f"machine:folder:{process}", work.now, threads)


def task(server: Server, token: str, number: int = 1) -> dict[str, Any]:
    shown: dict[str, Any] = server.get(f"/monitor/task/{number}/", token)["task"]
    return shown


@pytest.mark.parametrize("path", READS)
def test_others_get_401_in_the_envelope(server: Server, reader: User, path: str) -> None:
    """02 §6.1, 02 §9.5."""
    token = server.token(reader)
    answer = server.call("GET", f"/api/v1/monitor/{path}", token)
    assert (answer.status_code, answer.json()["meta"]["error_type"]) == (401, "Unauthorized")
    assert answer.json()["response"] == {}


@pytest.mark.parametrize("path", (*WRITES, "task/999/", "task/x/stop/"))
def test_others_change_nothing_and_learn_nothing(server: Server, reader: User, admin: str, path: str) -> None:
    answer = server.call("POST", f"/api/v1/monitor/{path}", server.token(reader), data={"title": "Mine"})
    assert answer.status_code == 401, "the same for a number that exists and one that does not"
    assert task(server, admin)["title"] == "Make renditions"


def test_a_token_without_the_scope_is_refused_though_its_person_administers(server: Server) -> None:
    root = server.user("root2", is_admin=True)
    strict = server.register(root, profile=Profile.STRICT)
    tokens = Tokens(server.services.vault, Policy.FLAGGED)
    with server.services.database.write() as work:
        account = server.services.applications.consents.account(work, root.id, strict.application)
        assert account is not None
        issued = tokens.issue_without_refresh(work, account.id, frozenset({"library:read"}))
    assert server.call("GET", "/api/v1/monitor/tasks/", issued.secret).status_code == 403


def test_the_scheduler_has_six_keys_and_tells_the_fact(server: Server, admin: str) -> None:
    first = server.get("/monitor/scheduler/", admin)["scheduler"]
    assert list(first) == ["configuration", "state", "status", "pid", "process-id", "updated_on"]
    assert (first["configuration"], first["state"], first["status"], first["pid"]) == (
        "started", "stopped", "stopped", None,
    )  # fmt: skip
    seen(server)
    second = server.get("/monitor/scheduler/", admin)["scheduler"]
    assert (second["state"], second["status"], second["pid"], second["process-id"]) == (
        "started", "started", 4242, 4242,
    )  # fmt: skip
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", second["updated_on"])


def test_each_lane_of_the_worker_is_a_task(server: Server, admin: str) -> None:
    listed = server.get("/monitor/tasks/", admin)["tasks"]
    assert isinstance(listed, list)
    assert [list(one_task) for one_task in listed] == [TASK_KEYS] * len(TASKS)
    assert {lane.name for lane in server.worker.lanes} <= {one_task["jobId"] for one_task in listed}
    assert len({definition.number for definition in TASKS}) == len(TASKS)


def test_a_task_tells_wish_and_fact_apart(server: Server, admin: str) -> None:
    """02 §5.19."""
    assert (task(server, admin)["state"], task(server, admin)["actual-status"]) == ("started", "stopped")
    seen(server, restarts=3)
    shown = task(server, admin)
    assert (shown["actual-status"], shown["pid"], shown["crashed"]) == ("started", 4242, 3)
    seen(server, State.HUNG)
    assert task(server, admin)["actual-status"] == "stopped"


@pytest.mark.both_databases
def test_a_stopped_task_takes_no_job_in_any_process_until_it_is_started(server: Server, admin: str) -> None:
    seen(server)
    stopped = server.call("POST", "/api/v1/monitor/task/5/stop/", admin).json()["response"]["task"]
    assert (stopped["state"], stopped["status"], stopped["actual-status"], stopped["pid"]) == (
        "stopped", "stopped", "stopped", None,
    )  # fmt: skip
    mail = JobKind("mail.send", lane="mail")
    with server.services.database.write() as work:
        server.services.jobs.add(work, mail, {})
        assert not store.has_ready(work, "mail")
        assert store.lease(work, "mail", "other:process:7", work.now, 5) == []
    started = server.call("POST", "/api/v1/monitor/task/5/start/", admin).json()["response"]["task"]
    assert (started["state"], started["actual-status"]) == ("started", "started")
    with server.services.database.write() as work:
        assert len(store.lease(work, "mail", "other:process:7", work.now, 5)) == 1


@pytest.mark.both_databases
def test_a_stopped_task_runs_until_its_job_is_finished(server: Server, admin: str) -> None:
    with server.services.database.write() as work:
        server.services.jobs.add(work, PAINT, {})
        jobs = store.lease(work, "media", "machine:folder:77", work.now.replace(year=work.now.year + 1), 1)
    server.call("POST", "/api/v1/monitor/task/1/stop/", admin)
    shown = task(server, admin)
    assert (shown["state"], shown["actual-status"], shown["pid"]) == ("stopped", "started", 77)
    with server.services.database.write() as work:
        store.finish(work, [jobs[0].id], "machine:folder:77")
    assert task(server, admin)["actual-status"] == "stopped"


def test_a_worker_that_starts_leaves_stopped_what_does_not_start_by_itself(server: Server, admin: str) -> None:
    for number in (2, 5):
        server.call("POST", f"/api/v1/monitor/task/{number}/stop/", admin)
    changed = server.call("POST", "/api/v1/monitor/task/5/", admin, data={"autostart": "1"}).json()["response"]["task"]
    assert changed["auto_start"] is True
    server.worker.start()
    server.worker.stop()
    assert (task(server, admin, 2)["state"], task(server, admin, 5)["state"]) == ("stopped", "started")


def test_title_and_autostart_are_saved_and_one_is_required(server: Server, admin: str) -> None:
    """02 §6.1."""
    path = "/api/v1/monitor/task/3/"
    assert server.call("POST", path, admin).status_code == 400
    assert server.call("POST", path, admin, data={"autostart": "0"}).status_code == 400
    assert server.call("POST", path, admin, data={"title": "  "}).status_code == 400
    assert server.call("POST", path, admin, data={"title": "x" * 201}).status_code == 400
    answer = server.call("POST", f"{path}?title=Night%20shift", admin)
    assert answer.json()["response"]["task"]["title"] == "Night shift"
    shown = task(server, admin, 3)
    assert (shown["title"], shown["name"], shown["auto_start"]) == ("Night shift", "Night shift", False)
    assert shown["created"] is not None


@pytest.mark.parametrize("number", ["999", "0", "abc", "9" * 40])
def test_an_unknown_task_is_404(server: Server, admin: str, number: str) -> None:
    assert server.call("GET", f"/api/v1/monitor/task/{number}/", admin).status_code == 404
    for end in ("", "start/", "stop/"):
        answer = server.call("POST", f"/api/v1/monitor/task/{number}/{end}", admin, data={"title": "x"})
        assert answer.status_code == 404, end


def test_the_last_run_comes_with_the_heartbeat(server: Server, admin: str) -> None:
    with server.services.database.write() as work:
        task_store.ensure(work, ["media"])
        task_store.record_runs(work, {"media": datetime(2026, 3, 2, 10, 15, 30, tzinfo=UTC)})
    shown = task(server, admin)
    assert shown["last_exec_time"] == shown["last_execution"] == "2026-03-02T10:15:30+00:00"


def test_the_server_tells_its_settings_without_a_secret(server: Server, admin: str, reader: User) -> None:
    """02 §6.1."""
    answer = server.get("/monitor/phraseanet/", admin)
    assert list(answer) == ["phraseanet", "cache", "global_values"]
    assert list(answer["phraseanet"]) == [
        "version", "environment", "debug", "maintenance", "errorsLog", "serverName",
    ]  # fmt: skip
    assert answer["phraseanet"]["maintenance"] is False
    assert set(answer["cache"]) == {"main", "op_code", "doctrine_metadatas", "doctrine_query", "doctrine_result"}
    assert set(answer["cache"]["main"]) == {"type", "online", "stats"}
    values = answer["global_values"]
    assert list(values) == [
        "serverName", "title", "keywords", "description", "httpServer", "maintenance", "webServices", "homepage",
        "report", "storage", "searchEngine", "binary", "mainConfiguration", "modules", "email", "custom-links", "ftp",
        "client", "inscription", "push",
    ]  # fmt: skip
    assert set(values["webServices"]) == {
        "googleApi", "googleAnalyticsId", "i18nWebService", "recaptacha", "youtube", "flickr", "dailymtotion",
    }  # fmt: skip
    assert set(values["client"]) >= {"viewSizeBaket", "needAuth2DL"}
    assert set(values["modules"]) == {"thesaurus", "storyMode", "docSubsitution", "subdefSubstitution"}
    secrets = [
        values["httpServer"]["modes"]["authTokenPassphrase"],
        values["webServices"]["recaptacha"]["privateKey"],
        *(values["webServices"][name]["clientSecret"] for name in ("youtube", "flickr", "dailymtotion")),
        values["webServices"]["youtube"]["devKey"],
        values["email"]["smtp"]["password"],
    ]
    assert secrets == [None] * 7


def test_a_password_in_a_setting_stays_there(server: Server, admin: str) -> None:
    settings = replace(server.settings, smtp_url="smtp://us:hush-hush@mail", blobs_url="s3://key:hush-hush@bucket")
    shown = present_monitor.global_values(settings, "id", {"type": "tantivy", "status": "online"})
    assert "hush" not in repr(shown)
    assert shown["email"]["smtp"]["active"] is True


def test_the_service_asks_for_the_right_itself(server: Server, reader: User) -> None:
    with server.services.database.write() as work:
        actor = server.services.accounts.users.actor_of(work, reader, Via.SESSION)
        for call in (server.services.tasks.start, server.services.tasks.stop, server.services.tasks.get):
            with pytest.raises(NotAdministrator):
                call(work, actor, 1)
        with pytest.raises(Invalid):
            server.services.tasks.change(work, COMMAND, 1, title="")
