"""Hot folders in v4 and on the command line: who makes them, and where they may lie."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.v4.conftest import Call
from vitrine.accounts import COMMAND, Right, User
from vitrine.cli.main import cli
from vitrine.library.hot_folders.model import MOST_FOLDERS
from vitrine.testing.server import Server


@pytest.fixture
def incoming(tmp_path: Path) -> Path:
    path = (tmp_path / "incoming").resolve()
    path.mkdir()
    return path


@pytest.fixture
def server(tmp_path: Path, database_url: str, incoming: Path) -> Iterator[Server]:
    instance = Server(tmp_path / "data", database_url=database_url, hot_folder_roots=(str(incoming), str(tmp_path)))
    yield instance
    instance.close()


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada", is_admin=True)


@pytest.fixture
def hot_folder(call: Call, server: Server, incoming: Path) -> dict[str, Any]:
    answer = call("POST", "/hot-folders", {"path": str(incoming / "press"), "base_id": server.photographs.id})
    assert answer.status_code == 201, answer.text
    return {**answer.json(), "etag": answer.headers["etag"]}


@pytest.mark.both_databases
def test_a_hot_folder_from_first_to_last(call: Call, server: Server, incoming: Path) -> None:
    answer = call("POST", "/hot-folders", {"path": f"{incoming}/press/", "base_id": server.photographs.id})
    assert answer.status_code == 201
    folder = answer.json()
    assert (folder["path"], folder["mask"], folder["sidecar_mask"]) == (f"{incoming}/press", "*", "*.xmp")
    assert (folder["delete"], folder["enabled"], folder["fault"], folder["taken"]) == (False, True, "", 0)
    address = answer.headers["location"].removeprefix("/api/v4")
    assert call("GET", address).json() == folder
    assert call("GET", "/hot-folders").json()["data"] == [folder]
    tag = answer.headers["etag"]
    changed = call("PATCH", address, {"mask": "*.jpg; *.tif", "base_id": server.archive.id}, If_Match=tag)
    assert (changed.json()["mask"], changed.json()["base_id"]) == ("*.jpg;*.tif", server.archive.id)
    assert call("PATCH", address, {"enabled": False}, If_Match=tag).status_code == 412
    assert call("PATCH", address, {"enabled": False}).status_code == 428
    assert call("DELETE", address).status_code == 204
    assert call("GET", address).status_code == 404


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/etc", "a folder that the operator allows"),
        ("{incoming}/../../etc", "absolute"),
        ("incoming", "absolute"),
        ("{incoming}x", ""),
        ("", "absolute"),
        ("{incoming}/a\nb", "absolute"),
        ("{incoming}/" + "x" * 1_000, "absolute"),
        ("{incoming}/way/deep", "symbolic link"),
        ("{data}", "data folder"),
        ("{data}/blobs", "data folder"),
        ("{incoming}/..", "absolute"),
    ],
)
def test_a_path_outside_of_what_the_operator_allows_is_refused(
    call: Call, server: Server, incoming: Path, path: str, said: str
) -> None:
    (incoming / "way").symlink_to("/etc")
    named = path.format(incoming=incoming, data=server.settings.data_dir.resolve())
    answer = call("POST", "/hot-folders", {"path": named, "base_id": server.photographs.id})
    if said:
        assert (answer.status_code, said in answer.json()["detail"]) == (400, True), answer.text
    else:
        assert answer.status_code == 201, "it lies in the other folder that is allowed"


def test_hot_folders_do_not_overlap(call: Call, server: Server, incoming: Path, hot_folder: dict[str, Any]) -> None:
    for path in (incoming, incoming / "press", incoming / "press" / "today"):
        answer = call("POST", "/hot-folders", {"path": str(path), "base_id": server.photographs.id})
        assert (answer.status_code, answer.json()["code"]) == (409, "hot_folder_overlaps")
    same = {"path": hot_folder["path"]}
    address = f"/hot-folders/{hot_folder['hot_folder_id']}"
    assert call("PATCH", address, same, If_Match=hot_folder["etag"]).status_code == 200


@pytest.mark.parametrize(
    "values",
    [
        {"path": None}, {"base_id": None}, {"mask": ""}, {"mask": "a/b"}, {"mask": "x" * 201}, {"mask": None},
        {"delete": "yes"}, {"enabled": 1}, {"base_id": True}, {"base_id": 2**70}, {"base_id": -1}, {"colour": "red"},
        {"taken": 3},
    ],
    ids=str,
)  # fmt: skip
def test_values_that_cannot_be_are_refused(call: Call, server: Server, incoming: Path, values: dict[str, Any]) -> None:
    whole = {"path": f"{incoming}/press", "base_id": server.photographs.id}
    answer = call("POST", "/hot-folders", {**whole, **values})
    assert answer.status_code in (400, 404), answer.text
    assert call("GET", "/hot-folders").json()["data"] == []


@pytest.mark.parametrize("name", ["path", "base_id"])
def test_what_is_missing_is_named(call: Call, server: Server, incoming: Path, name: str) -> None:
    whole = {"path": f"{incoming}/press", "base_id": server.photographs.id}
    answer = call("POST", "/hot-folders", {member: value for member, value in whole.items() if member != name})
    assert (answer.status_code, answer.json()["field"]) == (400, name)


def test_only_administrators_who_may_add_there_make_them(
    server: Server, call: Call, incoming: Path, hot_folder: dict[str, Any]
) -> None:
    body = {"path": f"{incoming}/other", "base_id": server.photographs.id}
    plain = server.token(server.user("bob"))
    address = f"/hot-folders/{hot_folder['hot_folder_id']}"
    for method, path in (("GET", "/hot-folders"), ("POST", "/hot-folders"), ("GET", address), ("DELETE", address)):
        sent = body if method == "POST" else None
        assert call(method, path, sent, token=plain).status_code == 403, (method, path)
    assert call("PATCH", address, {"enabled": False}, token=plain, If_Match=hot_folder["etag"]).status_code == 403
    reader = server.token(server.user("eve", Right.actif, is_admin=True))
    refused = call("POST", "/hot-folders", body, token=reader)
    assert (refused.status_code, refused.json()["code"]) == (403, "may_not_add")
    moved = call("PATCH", address, {"base_id": server.archive.id}, token=reader, If_Match=hot_folder["etag"])
    assert moved.status_code == 403


def test_there_are_none_where_the_operator_allows_none(tmp_path: Path) -> None:
    server = Server(tmp_path / "none")
    token = server.token(server.user("ada", is_admin=True))
    body = {"path": "/srv/incoming", "base_id": server.photographs.id}
    answer = server.call("POST", "/api/v4/hot-folders", token, json=body)
    server.close()
    assert (answer.status_code, answer.json()["code"]) == (409, "hot_folders_off")


def test_there_is_a_bound(call: Call, server: Server, incoming: Path) -> None:
    with server.services.database.write() as work:
        for number in range(MOST_FOLDERS):
            given = {"path": f"{incoming}/{number}", "collection_id": int(server.photographs.id)}
            server.services.hot_folders.add(work, COMMAND, given)
    body = {"path": f"{incoming}/more", "base_id": server.photographs.id}
    refused = call("POST", "/hot-folders", body)
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_hot_folders")
    page = call("GET", "/hot-folders?limit=60").json()
    rest = call("GET", f"/hot-folders?limit=60&cursor={page['next']}").json()
    assert [len(page["data"]), len(rest["data"]), rest["next"]] == [60, 40, None]


def test_the_same_request_again_makes_no_second_folder(call: Call, server: Server, incoming: Path) -> None:
    body = {"path": f"{incoming}/press", "base_id": server.photographs.id}
    first, second = (call("POST", "/hot-folders", body, Idempotency_Key="k") for _ in range(2))
    assert first.json() == second.json()
    assert len(call("GET", "/hot-folders").json()["data"]) == 1


def test_the_command_does_the_same(server: Server, incoming: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRINE_HOT_FOLDER_ROOTS", str(incoming))

    def run(*words: str) -> Any:
        done = CliRunner().invoke(cli, ["hot-folder", *words, "--data", str(server.settings.data_dir), "--json"])
        assert done.exit_code == 0, (done.output, done.exception)
        return [json.loads(line) for line in done.output.splitlines()]

    (added,) = run("add", str(incoming / "press"), "--collection", str(server.photographs.id), "--mask", "*.jpg")
    number = str(added["hot_folder_id"])
    (changed,) = run("change", number, "--off", "--delete", "--sidecar-mask", "")
    assert (changed["enabled"], changed["delete"], changed["sidecar_mask"]) == (False, True, "")
    assert run("list") == [changed]
    run("delete", number)
    assert run("list") == []
