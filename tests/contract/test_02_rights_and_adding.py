"""Contract 02: who sees which records and files, and adding (section 6.4)."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vitrine.accounts import Right, User
from vitrine.accounts.rights import ALL_RIGHTS, READER
from vitrine.library.model import RecordKey
from vitrine.testing import media_factory as make
from vitrine.testing.server import Server

pytestmark = [pytest.mark.both_databases, pytest.mark.both_paths]


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada")


@pytest.fixture
def token(server: Server, ada: User) -> str:
    return server.token(ada)


@pytest.fixture
def key(server: Server, ada: User, tmp_path: Path) -> RecordKey:
    return server.add(make.jpeg(tmp_path / "harbour.jpg", 1600, 1000), ada)


def path(key: RecordKey, tail: str = "") -> str:
    return f"/records/{key.databox}/{key.number}/{tail}"


@pytest.mark.parametrize(
    ("rights", "names"),
    [
        (Right.actif, {"thumbnail", "thumbnail_mobile"}),
        (READER, {"thumbnail", "thumbnail_mobile", "preview", "preview_mobile"}),
        (Right.actif | Right.candwnldhd, {"thumbnail", "thumbnail_mobile", "document"}),
    ],
)
def test_9_9_files_follow_rights(server: Server, key: RecordKey, rights: Right, names: set[str]) -> None:
    token = server.token(server.user("bob", rights))
    assert {file["name"] for file in server.get(path(key, "embed/"), token)["embed"]} == names


def test_a_stranger_to_the_collection_gets_401_and_finds_nothing(server: Server, key: RecordKey) -> None:
    token = server.token(server.user("eve", {server.archive.id: ALL_RIGHTS}))
    for tail in ("", "caption/", "metadatas/", "embed/"):
        assert server.call("GET", f"/api/v1{path(key, tail)}", token).status_code == 401
    assert server.get("/search/?query=harbour", token)["total_results"] == 0


def test_status_masks_hide_by_id_and_in_search(server: Server, ada: User, tmp_path: Path) -> None:
    hidden = server.add(make.jpeg(tmp_path / "h.jpg", seed=3), ada, status=0b10000)
    bob = server.user("bob", READER)
    server.regrant(bob, server.photographs, READER, mask_and=0b10000, mask_xor=0)
    token = server.token(bob)
    assert server.call("GET", f"/api/v1{path(hidden)}", token).status_code == 401
    assert server.get("/search/", token)["total_results"] == 0


def test_a_right_taken_away_counts_at_once(server: Server, key: RecordKey) -> None:
    bob = server.user("bob", READER)
    token = server.token(bob)
    signed = server.get(path(key), token)["record"]["thumbnail"]["url"]
    assert server.http.get(signed).status_code == 200
    server.regrant(bob, server.photographs, Right(0))
    assert server.call("GET", f"/api/v1{path(key)}", token).status_code == 401
    assert server.get("/search/", token)["total_results"] == 0
    assert server.http.get(signed).status_code == 404, (
        "a signed address stops working when its issuer loses the right (04 section 4)"
    )


def test_business_fields_only_for_those_who_may_edit(server: Server, key: RecordKey) -> None:
    with server.services.database.write() as work:
        work.db.exec_driver_sql(
            "INSERT INTO field_values (record_id, field_id, value, position) "
            "SELECT 1, id, 'insured for a million', 99 FROM fields WHERE name = 'Comments'"
        )
    editor, reader = server.token(server.user("ed", ALL_RIGHTS)), server.token(server.user("bob", READER))
    names = [entry["name"] for entry in server.get(path(key, "metadatas/"), editor)["record_metadatas"]]
    assert "Comments" in names
    assert "Comments" not in str(server.get(path(key, "metadatas/"), reader))
    assert "Comments" not in str(server.get(path(key, "caption/"), editor)), "the caption route never shows them"


class TestAdding:
    """02 section 6.4 and acceptance 9.8."""

    def add(self, server: Server, token: str, file: Path | None, **form: str) -> Any:
        files = {"file": (file.name, file.read_bytes())} if file else None
        return server.call("POST", "/api/v1/records/add/", token, data=form, files=files)

    def test_a_file_becomes_a_record(self, server: Server, token: str, tmp_path: Path) -> None:
        answer = self.add(server, token, make.jpeg(tmp_path / "a.jpg"), base_id="1")
        assert answer.status_code == 200
        assert answer.json()["response"]["entity"] == "0"
        assert re.fullmatch(r"/records/\d+/\d+/", answer.json()["response"]["url"])

    def test_a_duplicate_goes_to_the_quarantine_unless_forced(self, server: Server, token: str, tmp_path: Path) -> None:
        file = make.jpeg(tmp_path / "a.jpg")
        self.add(server, token, file, base_id="1")
        assert self.add(server, token, file, base_id="1").json()["response"]["entity"] == "1"
        assert self.add(server, token, file, base_id="1", forceBehavior="0").json()["response"]["entity"] == "0"
        forced = self.add(server, token, make.png(tmp_path / "b.png"), base_id="1", forceBehavior="1").json()[
            "response"
        ]
        assert forced["entity"] == "1"
        assert re.fullmatch(r"/quarantine/item/\d+/", forced["url"])

    def test_refusals(self, server: Server, token: str, tmp_path: Path) -> None:
        file = make.jpeg(tmp_path / "a.jpg")
        assert self.add(server, token, file).status_code == 400
        assert self.add(server, token, None, base_id="1").status_code == 400
        assert self.add(server, token, file, base_id="99").status_code == 404
        assert self.add(server, token, file, base_id="1", forceBehavior="2").status_code == 400
        two = [("file", ("a.jpg", b"x")), ("file", ("b.jpg", b"y"))]
        assert server.call("POST", "/api/v1/records/add/", token, data={"base_id": "1"}, files=two).status_code == 400
        reader = server.token(server.user("bob", READER))
        assert self.add(server, reader, file, base_id="1").status_code == 403

    def test_bad_files_leave_nothing_behind(self, server: Server, token: str, tmp_path: Path) -> None:
        whole = make.jpeg(tmp_path / "whole.jpg", 640, 480)
        bad = [make.truncated(whole, tmp_path / "cut.jpg"), make.bomb(tmp_path / "bomb.png", 16_000)]
        (tmp_path / "empty.jpg").touch()
        (tmp_path / "page.jpg").write_text("<html><body>no picture</body></html>")
        for file in [*bad, tmp_path / "empty.jpg", tmp_path / "page.jpg"]:
            answer = self.add(server, token, file, base_id="1")
            assert answer.status_code == 400, file.name
            assert answer.json()["meta"]["error_details"]
        blobs = server.settings.data_dir / "blobs"
        assert [path for path in blobs.rglob("*") if path.is_file()] == []
        assert server.get("/search/", token)["total_results"] == 0
        assert server.call("GET", "/api/", None).status_code == 200

    def test_a_multipart_request_without_a_body_counts_as_having_none(self, server: Server, token: str) -> None:
        headers = {"Content-Type": "multipart/form-data"}
        assert server.call("POST", "/api/v1/search/", token, headers=headers).status_code == 200

    def test_an_address_behind_the_guard_is_refused(self, server: Server, token: str) -> None:
        for url in ("http://127.0.0.1/a.jpg", "http://169.254.169.254/latest/", "file:///etc/passwd"):
            answer = self.add(server, token, None, base_id="1", url=url)
            assert answer.status_code == 400, url
            assert "address" in answer.json()["meta"]["error_details"]

    def test_a_stranger_is_refused_before_the_body_is_read(self, server: Server) -> None:
        def endless() -> Iterator[bytes]:
            for _ in range(1000):
                yield b"x" * 100_000

        headers = {"Content-Type": "multipart/form-data; boundary=b", "Authorization": "Bearer wrong"}
        answer = server.http.post("/api/v1/records/add/", content=endless(), headers=headers)
        assert answer.status_code == 401

    def test_a_file_beyond_the_limit_is_refused(self, tmp_path: Path) -> None:
        small = Server(tmp_path / "small", upload_max_bytes=10_000)
        token = small.token(small.user("ada"))
        answer = self.add(small, token, make.png(tmp_path / "big.png", 900, 900), base_id="1")
        assert answer.status_code in (400, 413)
        assert "10000 bytes" in answer.json()["meta"]["error_details"]
        small.close()
