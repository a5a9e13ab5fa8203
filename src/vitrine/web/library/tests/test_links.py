"""Ending a permalink and letting it open again: contract 06 sections 10 and 17.7 (permalink on/off)."""

from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from vitrine.accounts import COMMAND, DataboxRight, Right, User
from vitrine.accounts.rights import ALL_RIGHTS
from vitrine.library.model import RecordKey
from vitrine.testing import media_factory as make
from vitrine.testing.server import Server, Visitor

STAMP = {"blocks": [{"place": "BOTTOM", "lines": [["No ", {"var": "RECORD_ID"}]]}]}


def publisher(server: Server, login: str, rights: Right = ALL_RIGHTS, box: DataboxRight | None = None) -> User:
    user = server.user(login, rights)
    with server.services.database.write() as work:
        held = DataboxRight.bas_chupub if box is None else box
        server.services.accounts.users.grant_databox(work, COMMAND, user.id, server.databox.id, held)
    return user


@pytest.fixture
def ada(server: Server) -> User:
    return publisher(server, "ada")


@pytest.fixture
def key(server: Server, ada: User, tmp_path: Path) -> RecordKey:
    return server.add(make.jpeg(tmp_path / "harbour.jpg", 640, 400), ada)


def page_of(key: RecordKey) -> str:
    return f"/records/{key.databox}/{key.number}/"


def turn(visitor: Visitor, key: RecordKey, choice: str) -> Any:
    return visitor.submit("/", page_of(key) + "links/", {"link": choice})


def local(address: str) -> str:
    return urlsplit(address)._replace(scheme="", netloc="").geturl()


def files_of(server: Server, key: RecordKey, token: str) -> dict[str, Any]:
    files = server.get(f"/records/{key.databox}/{key.number}/embed/", token)["embed"]
    return {file["name"]: file for file in files}


def test_a_link_that_was_switched_off_opens_nothing_on_any_way(server: Server, ada: User, key: RecordKey) -> None:
    token, visitor = server.token(ada), server.browser(ada)
    before = files_of(server, key, token)
    link = before["preview"]["permalink"]
    paths = [
        local(link["url"]), local(link["page_url"]), local(link["download_url"]), local(before["preview"]["url"]),
        f"/embed/?url={quote(link['url'], safe='')}", f"/oembed?url={quote(link['url'], safe='')}",
    ]  # fmt: skip
    assert [server.http.get(path).status_code for path in paths] == [200] * len(paths)
    assert turn(visitor, key, "off:preview").headers["location"] == page_of(key) + "#files"
    assert [server.http.get(path).status_code for path in paths] == [404] * len(paths)
    after = files_of(server, key, token)
    assert after["preview"]["permalink"]["is_activated"] is False
    assert server.http.get(local(after["thumbnail"]["permalink"]["url"])).status_code == 200, "others are left alone"
    page = visitor.get(page_of(key)).text
    assert link["url"].split("token=")[1] not in page, "a dead link is not offered"
    assert 'value="on:preview"' in page
    turn(visitor, key, "on:preview")
    assert [server.http.get(path).status_code for path in paths] == [200] * len(paths)
    assert files_of(server, key, token)["preview"]["permalink"]["is_activated"] is True


@pytest.mark.parametrize(
    ("rights", "box", "name"),
    [
        (ALL_RIGHTS & ~Right.imgtools, None, "preview"),
        (ALL_RIGHTS & ~Right.canmodifrecord, None, "preview"),
        (ALL_RIGHTS & ~Right.candwnldpreview, None, "preview"),
        (ALL_RIGHTS & ~Right.candwnldhd, None, "document"),
        (ALL_RIGHTS, DataboxRight(0), "preview"),
    ],
)
def test_each_right_is_asked(
    server: Server, key: RecordKey, rights: Right, box: DataboxRight | None, name: str
) -> None:
    visitor = server.browser(publisher(server, "bob", rights, box))
    assert f'value="off:{name}"' not in visitor.get(page_of(key)).text
    assert turn(visitor, key, f"off:{name}").status_code == 403
    with server.services.database.read() as work:
        assert server.services.library.records.rendition_without_check(work, key, name)[1].permalink.activated  # type: ignore[union-attr]


def test_who_does_not_see_the_record_learns_nothing(server: Server, key: RecordKey) -> None:
    visitor = server.browser(server.user("eve", None))
    assert turn(visitor, key, "off:preview").status_code == 404
    assert turn(server.browser(publisher(server, "zoe")), RecordKey(key.databox, 999), "off:preview").status_code == 404


@pytest.mark.parametrize(("choice", "status"), [("off:nothing", 404), ("maybe:preview", 400), ("", 400), ("off", 404)])
def test_refusals(server: Server, ada: User, key: RecordKey, choice: str, status: int) -> None:
    assert turn(server.browser(ada), key, choice).status_code == status


def test_a_form_from_elsewhere_switches_nothing(server: Server, ada: User, key: RecordKey) -> None:
    visitor = server.browser(ada)
    answer = visitor.client.post(page_of(key) + "links/", data={"link": "off:preview", "csrf": "guess"})
    assert answer.status_code == 403


def test_who_downloads_from_the_page_of_a_record_gets_what_their_rights_say(
    server: Server, ada: User, key: RecordKey, tmp_path: Path
) -> None:
    """The links there were permalinks, which know nobody: the owner of an original got the stamp of strangers."""
    with server.services.database.write() as work:
        changes = {"stamp": STAMP, "public_presentation": "stamp"}
        server.services.library.presentation.set(work, COMMAND, server.photographs.id, changes)
    visitor = server.browser(ada)
    address = f"/datafiles/{key.databox}/{key.number}/document/?download=1"
    assert f'href="{address}"' in visitor.get(page_of(key)).text
    answer = visitor.get(address)
    assert answer.content == (tmp_path / "harbour.jpg").read_bytes()
    assert answer.headers["content-disposition"] == 'attachment; filename="harbour.jpg"'
