"""The page of a record: who may switch all its links, who finds its addresses, and what it says of them."""

from pathlib import Path
from typing import Any

import pytest

from vitrine.accounts import COMMAND, DataboxRight, Right, User
from vitrine.accounts.rights import ALL_RIGHTS, READER
from vitrine.errors import Invalid
from vitrine.library import store
from vitrine.library.model import CollectionId, RecordKey
from vitrine.platform import audit
from vitrine.platform.audit import AuditFilter
from vitrine.settings import Settings, load
from vitrine.testing import media_factory as make
from vitrine.testing.server import Server, Visitor
from vitrine.web.library.tests.test_links import files_of, local, page_of, publisher, turn

WHAT_IS_PUBLIC = "Whoever has the address of one of its files sees that file and the fields of this record"
NOTHING_IS = "Without signing in, nobody sees anything of this record"


@pytest.fixture
def ada(server: Server) -> User:
    return publisher(server, "ada")


@pytest.fixture
def key(server: Server, ada: User, tmp_path: Path) -> RecordKey:
    return server.add(make.jpeg(tmp_path / "harbour.jpg", 640, 400), ada)


def turn_record(visitor: Visitor, key: RecordKey, choice: str) -> Any:
    return visitor.submit("/", page_of(key) + "public/", {"public": choice})


def is_public(server: Server, key: RecordKey) -> bool:
    with server.services.database.read() as work:
        record = store.by_key(work, key)
    assert record is not None
    return record.public_by_link


def test_what_the_page_says_of_a_switch_is_true(server: Server, ada: User, key: RecordKey) -> None:
    """It said of a switched-off preview that the document was switched off, while original, thumbnail and mobile files
    stayed open."""
    visitor, token = server.browser(ada), server.token(ada)
    turn(visitor, key, "off:preview")
    page = visitor.get(page_of(key)).text
    original = local(files_of(server, key, token)["document"]["permalink"]["url"])
    assert server.http.get(original).status_code == 200
    assert WHAT_IS_PUBLIC in page
    assert "The link of the file “preview” is switched off: whoever has it gets nothing." in page
    assert "of this document is switched off" not in page
    turn_record(visitor, key, "off")
    page = visitor.get(page_of(key)).text
    assert server.http.get(original).status_code == 404
    assert NOTHING_IS in page
    assert WHAT_IS_PUBLIC not in page
    assert original.partition("token=")[2] not in page, "a dead address is not offered"
    assert 'name="public" value="on"' in page
    assert 'value="on:preview"' in page, "the switches of single files stay beneath"


@pytest.mark.parametrize(
    ("rights", "box"),
    [
        (ALL_RIGHTS & ~Right.imgtools, None),
        (ALL_RIGHTS & ~Right.canmodifrecord, None),
        (ALL_RIGHTS & ~Right.candwnldpreview, None),
        (ALL_RIGHTS & ~Right.candwnldhd, None),
        (ALL_RIGHTS, DataboxRight(0)),
    ],
)
def test_the_right_to_every_file_is_asked(server: Server, key: RecordKey, rights: Right, box: DataboxRight) -> None:
    visitor = server.browser(publisher(server, "bob", rights, box))
    page = visitor.get(page_of(key)).text
    assert 'name="public"' not in page
    assert WHAT_IS_PUBLIC in page, "everybody who sees the record is told who else does"
    assert turn_record(visitor, key, "off").status_code == 403
    assert is_public(server, key)


def test_who_does_not_see_the_record_learns_nothing(server: Server, key: RecordKey) -> None:
    assert turn_record(server.browser(server.user("eve", None)), key, "off").status_code == 404
    zoe = server.browser(publisher(server, "zoe"))
    assert turn_record(zoe, RecordKey(key.databox, 999), "off").status_code == 404
    stranger = server.browser().client.post(page_of(key) + "public/", data={"public": "off"})
    assert (stranger.status_code, stranger.headers["location"].partition("?")[0]) == (302, "/login/")
    assert is_public(server, key)


@pytest.mark.parametrize("choice", ["", "maybe", "ON"])
def test_refusals(server: Server, ada: User, key: RecordKey, choice: str) -> None:
    assert turn_record(server.browser(ada), key, choice).status_code == 400
    assert is_public(server, key)


def test_a_form_from_elsewhere_switches_nothing(server: Server, ada: User, key: RecordKey) -> None:
    answer = server.browser(ada).client.post(page_of(key) + "public/", data={"public": "off", "csrf": "guess"})
    assert answer.status_code == 403
    assert is_public(server, key)


@pytest.mark.parametrize("action", ["public/", "links/", "retry/"])
def test_the_right_is_asked_before_the_body(server: Server, key: RecordKey, action: str) -> None:
    """A body that cannot be read would be refused with 400 or 413."""
    visitor = server.browser(server.user("bob", READER))
    broken = visitor.client.post(
        page_of(key) + action, content=b"--", headers={"Content-Type": "multipart/form-data; boundary="}
    )
    assert broken.status_code == 403
    eve = server.browser(server.user("eve", None))
    assert eve.client.post(page_of(key) + action, content=b"x" * 3_000_000).status_code == 404


def test_switches_leave_audit_lines(server: Server, ada: User, key: RecordKey) -> None:
    visitor = server.browser(ada)
    for choice in ("off", "off", "on"):
        assert turn_record(visitor, key, choice).headers["location"] == page_of(key) + "#public"
    with server.services.database.read() as work:
        lines = list(audit.lines(work, AuditFilter(action="record.links")))
    assert [(line.action, line.object, line.user_id) for line in lines] == [
        ("record.links_on", f"record {key}", ada.id),
        ("record.links_off", f"record {key}", ada.id),
    ]


@pytest.mark.parametrize(
    ("shown_to", "box", "is_shown"),
    [
        ("publishers", None, True), ("publishers", DataboxRight(0), False),
        ("all", None, True), ("all", DataboxRight(0), True), ("none", None, False),
    ],
)  # fmt: skip
def test_addresses_are_shown_under_the_right_to_show_links(
    tmp_path: Path, shown_to: str, box: DataboxRight | None, is_shown: bool
) -> None:
    """06 section 17.7, show links to share; the answers of the API keep their permalinks."""
    server = Server(tmp_path / "data", links_shown_to=shown_to)
    user = publisher(server, "bob", READER, box)
    key = server.add(make.jpeg(tmp_path / "harbour.jpg", 640, 400), publisher(server, "ada"))
    files = files_of(server, key, server.token(user))
    page = server.browser(user).get(page_of(key)).text
    secrets = [file["permalink"]["url"].partition("token=")[2] for file in files.values()]
    assert any(secret in page for secret in secrets) is is_shown
    assert ("not show it elsewhere" in page) is not is_shown
    server.close()


def test_the_setting_is_checked() -> None:
    with pytest.raises(Invalid, match="links_shown_to must be publishers, all or none"):
        load(environ={"VITRINE_LINKS_SHOWN_TO": "everybody"})
    assert Settings().links_shown_to == "publishers"


def test_new_records_take_the_default_of_their_collection_and_keep_it(
    server: Server, ada: User, key: RecordKey, tmp_path: Path
) -> None:
    with server.services.database.write() as work:
        server.services.library.presentation.set(work, COMMAND, server.photographs.id, {"public_by_link": False})
    closed = server.add(make.png(tmp_path / "new.png"), ada)
    elsewhere = server.add(make.png(tmp_path / "other.png", seed=2), ada, server.archive)
    assert [is_public(server, record) for record in (key, closed, elsewhere)] == [True, False, True]
    token = server.token(ada)
    moved = server.call(
        "POST", f"/api/v1/records/{closed.databox}/{closed.number}/setcollection/", token,
        data={"base_id": str(CollectionId(server.archive.id))},
    )  # fmt: skip
    assert moved.status_code == 200
    assert not is_public(server, closed), "a record that is moved keeps its switch"
