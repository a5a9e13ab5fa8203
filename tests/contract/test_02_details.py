"""Details of contract 02 that stand across several routes."""

from pathlib import Path
from typing import Any

import pytest

from vitrine.accounts import COMMAND, Right, User
from vitrine.library.model import RecordKey
from vitrine.testing import media_factory
from vitrine.testing.server import Server


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada", first_name="Ada", email="ada@museum.example")


@pytest.fixture
def token(server: Server, ada: User) -> str:
    return server.token(ada)


@pytest.fixture
def key(server: Server, ada: User, tmp_path: Path) -> RecordKey:
    return server.add(media_factory.jpeg(tmp_path / "harbour.jpg", 64, 48), ada)


def call(server: Server, method: str, path: str, token: str, **more: Any) -> Any:
    return server.call(method, f"/api/v1{path}", token, **more)


class TestCallback:
    """Section 2: a callback that is no identifier is refused before anything is done."""

    def test_nothing_is_deleted(self, server: Server, token: str, key: RecordKey) -> None:
        path = f"/records/{key.databox}/{key.number}/"
        assert call(server, "DELETE", f"{path}?callback=1-", token).status_code == 400
        assert call(server, "GET", path, token).status_code == 200

    def test_nothing_is_made_where_it_stands_in_the_form(self, server: Server, token: str) -> None:
        form = {"name": "Boats", "callback": "1-"}
        assert call(server, "POST", "/baskets/add/", token, data=form).status_code == 400
        assert call(server, "GET", "/baskets/list/", token).json()["response"] == {"baskets": []}


class TestPeopleInAnswers:
    """Section 5.13 D: the profile of others is for those who manage their account."""

    def _waiting(self, server: Server, token: str, picture: Path) -> dict[str, Any]:
        for _ in range(2):
            with picture.open("rb") as file:
                call(
                    server, "POST", "/records/add/", token, data={"base_id": server.photographs.id},
                    files={"file": ("again.jpg", file)},
                )  # fmt: skip
        (item,) = call(server, "GET", "/quarantine/list/", token).json()["response"]["quarantine_items"]
        return dict(item)

    @pytest.mark.parametrize(
        ("rights", "where", "is_shown"),
        [
            (Right.actif | Right.canaddrecord, "photographs", False),
            (Right.actif | Right.canaddrecord | Right.canadmin, "photographs", True),
            (Right.actif | Right.canadmin, "archive", False),
        ],
    )
    def test_the_sender_of_a_waiting_file(
        self, server: Server, tmp_path: Path, rights: Right, where: str, is_shown: bool
    ) -> None:
        of_ada = {int(server.photographs.id): Right.actif | Right.canaddrecord}
        ada = server.user("ada", of_ada, email="ada@museum.example")
        only = {int(server.photographs.id): Right.actif | Right.canaddrecord}
        zoe = server.user("zoe", {**only, int(getattr(server, where).id): rights})
        picture = media_factory.jpeg(tmp_path / "again.jpg", 64, 48)
        self._waiting(server, server.token(ada), picture)
        items = call(server, "GET", "/quarantine/list/", server.token(zoe)).json()["response"]["quarantine_items"]
        sender = items[0]["quarantine_session"]["user"]
        assert sender["id"] == ada.id
        assert (sender["email"] == "ada@museum.example") is is_shown
        assert {"email", "login", "address", "locale"} <= set(sender)


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ({}, "Photographs"),
        ({"Accept-Language": "es, fr;q=0.5"}, "Photographies"),
        ({"Accept-Language": "en;q=0.1, fr;q=0.9"}, "Photographies"),
        ({"Cookie": "locale=fr"}, "Photographies"),
        ({"Accept-Language": "fr;q=x, en;q=0.2"}, "Photographs"),
    ],
)
def test_4_6_the_language_of_a_quarantined_file(
    server: Server, token: str, key: RecordKey, tmp_path: Path, headers: dict[str, str], name: str
) -> None:
    with server.services.database.write() as work:
        labels = {"fr": "Photographies", "en": "Photographs"}
        server.services.library.administration.collections.change(
            work, COMMAND, server.photographs.id, {"labels": labels}
        )
    with media_factory.jpeg(tmp_path / "harbour.jpg", 64, 48).open("rb") as file:
        form = {"base_id": server.photographs.id}
        call(server, "POST", "/records/add/", token, data=form, files={"file": ("harbour.jpg", file)})
    answer = call(server, "GET", "/quarantine/list/", token, headers=headers).json()
    assert answer["response"]["quarantine_items"][0]["collection"] == name


def test_6_5_fields_that_no_databox_has_are_ignored(server: Server, token: str, key: RecordKey) -> None:
    server.work()
    every = call(server, "GET", "/search/?query=harbour", token).json()["response"]["total_results"]
    assert every == 1
    assert call(server, "GET", "/search/?query=harbour&fields[]=Nope", token).json()["response"]["total_results"] == 1


@pytest.mark.parametrize("path", ["/records/x/y", "/records/x/y/caption", "/databoxes/x/status", "/baskets/x/content"])
def test_4_1_the_twins_are_routes_with_a_slash_too(server: Server, token: str, path: str) -> None:
    answer = server.http.get(f"/api/v1{path}", headers={"Authorization": f"OAuth {token}"}, follow_redirects=False)
    assert answer.status_code == 301
    assert call(server, "GET", f"{path}/", token).status_code == 400


def test_6_10_an_empty_list_of_changes_changes_nothing(server: Server, token: str) -> None:
    answer = call(server, "POST", "/me/update-account/", token, json=[])
    assert (answer.status_code, answer.json()["response"]) == (200, {"success": True})


def test_6_8_an_empty_name_of_a_feed_names_none(server: Server, token: str) -> None:
    assert call(server, "GET", "/feeds/content/?feeds[]=", token).status_code == 200
