"""Contract 02 §6.12: documents that an uploader announced are fetched by the worker."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from vitrine.accounts import COMMAND, Right, User
from vitrine.jobs.tables import jobs
from vitrine.library import upload_queue
from vitrine.library.upload_queue import PULL
from vitrine.platform.fetch import Fetcher
from vitrine.testing import media_factory as make
from vitrine.testing.server import Server

PATH = "/api/v1/upload/enqueue/"
HOST = "uploader.example.org"
TOKEN = "uploader-hush-hush"


class Uploader:
    """What the uploader serves, and what it was sent."""

    def __init__(self, picture: bytes) -> None:
        self.picture = picture
        self.base_id: Any = None
        self.tokens: list[str | None] = []
        self.status = 200
        self.port = 0

    def handler(self) -> type[BaseHTTPRequestHandler]:
        uploader = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                uploader.tokens.append(self.headers["Authorization"])
                if self.path.endswith("/download"):
                    body = uploader.picture
                else:
                    form = {} if uploader.base_id is None else {"collection_destination": uploader.base_id}
                    body = json.dumps({"originalName": "quay.jpg", "formData": form}).encode()
                self.send_response(uploader.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: object) -> None:
                return

        return Handler


@pytest.fixture
def uploader(tmp_path: Path) -> Iterator[Uploader]:
    uploader = Uploader(make.jpeg(tmp_path / "quay.jpg", 640, 480).read_bytes())
    with ThreadingHTTPServer(("127.0.0.1", 0), uploader.handler()) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        uploader.port = http.server_port
        yield uploader
        http.shutdown()
        thread.join()


@pytest.fixture
def queue(tmp_path: Path, uploader: Uploader) -> Iterator[Server]:
    instance = Server(tmp_path / "queue", upload_queue_hosts=(HOST,))
    fetcher = Fetcher(
        10_000_000, lambda _host, _port: ["127.0.0.1"], lambda address: address == "127.0.0.1", (uploader.port,)
    )
    # Names resolve to the server of this test, the only public address.
    instance.worker.handlers = {
        **instance.worker.handlers, PULL.name: replace(instance.services.library.upload_queue, fetcher=fetcher),
    }  # fmt: skip
    yield instance
    instance.close()


def body(uploader: Uploader | None = None, **changes: Any) -> dict[str, Any]:
    address = f"http://{HOST}:{uploader.port}/api" if uploader else f"http://{HOST}/api"
    return {
        "assets": ["a1"], "publisher": "ada", "token": TOKEN, "base_url": address, "commit_id": "c-7", **changes
    }  # fmt: skip


def waiting(server: Server) -> list[Any]:
    with server.services.database.read() as work:
        return list(work.db.execute(sa.select(jobs).where(jobs.c.kind == PULL.name)))


def test_it_is_off_unless_hosts_are_configured(server: Server) -> None:
    """02 §6.12."""
    token = server.token(server.user("ada"))
    assert server.call("POST", PATH, token, json=body()).status_code == 404
    assert waiting(server) == []


def test_it_requires_the_right_to_add_before_the_body(queue: Server) -> None:
    reader = queue.token(queue.user("reader", Right.actif | Right.candwnldhd))
    assert queue.call("POST", PATH, reader, content=b"{nonsense").status_code == 403
    assert queue.call("POST", PATH, reader, json=body()).status_code == 403
    assert waiting(queue) == []


def test_a_body_that_is_not_of_the_shape_is_422_and_names_the_first_problem(queue: Server) -> None:
    token = queue.token(queue.user("ada"))
    wrong: list[tuple[Any, str]] = [
        ([], "object"), ("x", "object"), (body(assets="a1"), "assets"), (body(assets=["a", 1]), "assets[1]"),
        (body(token=None), "token"), (body(commit_id=7), "commit_id"), (body(base_url=[]), "base_url"),
    ]  # fmt: skip
    wrong.extend(({key: value for key, value in body().items() if key != name}, name) for name in body())
    for sent, named in wrong:
        answer = queue.call("POST", PATH, token, json=sent)
        assert answer.status_code == 422, sent
        assert named in answer.json()["meta"]["error_details"]
    undecodable = queue.call("POST", PATH, token, content=b"{")
    assert (undecodable.status_code, undecodable.json()["meta"]["error_type"]) == (422, "Unprocessable Entity")
    assert waiting(queue) == []


@pytest.mark.parametrize(
    "address",
    ["http://elsewhere.example.org/", f"http://{HOST}.evil.example/", f"http://{HOST}@evil.example/",
     f"ftp://{HOST}/", "http://127.0.0.1/", f"http://user:secret@{HOST}/", "nonsense", "http://[::1"],
)  # fmt: skip
def test_only_the_hosts_of_the_setting_are_taken(queue: Server, address: str) -> None:
    token = queue.token(queue.user("ada"))
    assert queue.call("POST", PATH, token, json=body(base_url=address)).status_code == 400
    assert waiting(queue) == []


def test_assets_are_bounded(queue: Server) -> None:
    token = queue.token(queue.user("ada"))
    for assets in (["a"] * 1001, [""], ["x" * 201]):
        assert queue.call("POST", PATH, token, json=body(assets=assets)).status_code == 400
    assert queue.call("POST", PATH, token, json=body(token="x" * 4001)).status_code == 400
    assert waiting(queue) == []


def test_the_body_is_echoed_whatever_its_type_and_an_asset_becomes_a_record(queue: Server, uploader: Uploader) -> None:
    """02 §6.12."""
    ada = queue.user("ada")
    token, sent = queue.token(ada), body(uploader, extra={"kept": [1]})
    uploader.base_id = queue.photographs.id
    answer = queue.call("POST", PATH, token, content=json.dumps(sent), headers={"Content-Type": "text/plain"})
    assert (answer.status_code, answer.json()["response"]) == (200, {"data": sent})
    assert TOKEN not in repr(waiting(queue)), "it is encrypted while it waits"
    queue.work()
    assert uploader.tokens == [f"AssetToken {TOKEN}"] * 2
    record = queue.get(f"/records/{queue.databox.id}/1/", token)["record"]
    assert (record["original_name"], record["base_id"]) == ("quay.jpg", queue.photographs.id)
    assert waiting(queue) == []


def test_an_asset_goes_only_where_its_person_may_add_at_that_time(queue: Server, uploader: Uploader) -> None:
    ada = queue.user("ada", {queue.photographs.id: Right.actif | Right.canaddrecord})
    token = queue.token(ada)
    uploader.base_id = queue.archive.id
    queue.call("POST", PATH, token, json=body(uploader))
    uploader.base_id = queue.photographs.id
    queue.call("POST", PATH, token, json=body(uploader, assets=["a2"]))
    queue.regrant(ada, queue.photographs, Right.actif)
    queue.work()
    assert queue.call("GET", f"/api/v1/records/{queue.databox.id}/1/", token).status_code == 404


def test_what_was_announced_ends_with_the_consent(queue: Server, uploader: Uploader) -> None:
    ada: User = queue.user("ada")
    registered = queue.register(ada)
    uploader.base_id = queue.photographs.id
    assert queue.call("POST", PATH, registered.developer_token, json=body(uploader)).status_code == 200
    with queue.services.database.write() as work:
        actor = queue.services.accounts.users.actor_of(work, ada, COMMAND.via)
        queue.services.oauth.developer_tokens.renew(work, actor, registered.application)
    queue.work()
    assert uploader.tokens == [], "nothing is fetched in the name of a token that was replaced"


def test_an_asset_without_a_collection_is_refused_and_an_uploader_that_is_down_is_asked_again(
    queue: Server, uploader: Uploader
) -> None:
    token = queue.token(queue.user("ada"))
    queue.call("POST", PATH, token, json=body(uploader))
    queue.work()
    assert [row.dead_at is not None for row in waiting(queue)] == [True]
    uploader.status, uploader.base_id = 503, queue.photographs.id
    queue.call("POST", PATH, token, json=body(uploader, assets=["a2"]))
    queue.work()
    assert [row.dead_at is not None for row in waiting(queue)] == [True, False]


def test_an_asset_that_waits_is_not_queued_twice_and_those_of_a_person_are_bounded(
    queue: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_queue, "MOST_WAITING", 3)
    ada, bob = (queue.token(queue.user(login)) for login in ("ada", "bob"))
    for assets in (["a1", "a2"], ["a2", "a3"], ["a1", "a2", "a3"]):
        assert queue.call("POST", PATH, ada, json=body(assets=assets)).status_code == 200
    assert [job.payload["asset"] for job in waiting(queue)] == ["a1", "a2", "a3"]
    answer = queue.call("POST", PATH, ada, json=body(assets=["a4"]))
    assert (answer.status_code, answer.json()["meta"]["http_code"]) == (400, 400)
    assert "At most 3" in answer.json()["meta"]["error_details"]
    assert answer.json()["response"] == {}
    assert len(waiting(queue)) == 3
    assert queue.call("POST", PATH, bob, json=body(assets=["a1"])).status_code == 200
    assert len(waiting(queue)) == 4
