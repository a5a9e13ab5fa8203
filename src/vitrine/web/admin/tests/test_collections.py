"""The pages of collections: who sees them, what they change, and what they say when something is wrong."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from vitrine.accounts import COMMAND, Right, User
from vitrine.accounts.rights import ALL_RIGHTS, READER
from vitrine.library import store, structure_store
from vitrine.library.model import Collection
from vitrine.platform import audit
from vitrine.platform.audit import AuditFilter
from vitrine.testing import media_factory as make
from vitrine.testing.server import Server, Visitor
from vitrine.web.admin import collection_forms as forms

MARKS = {"show": "none", "place": "", "align": "left", "background": "#ffffff", "colour": "#1d1e20", "lines": ""}
CHECKS = {"do": "save", "Sha256.on": "1", "UUID.on": "1", "Dimension.width": "80"}


@pytest.fixture
def admin(server: Server) -> Visitor:
    return server.browser(server.user("admin", None, is_admin=True))


def path_of(server: Server, tail: str = "") -> str:
    return f"/admin/collections/{server.photographs.id}/{tail}"


def collection(server: Server) -> Collection:
    with server.services.database.read() as work:
        return server.services.library.records.collection(work, server.photographs.id)


def blocks(server: Server) -> list[dict[str, Any]]:
    stamp = collection(server).stamp
    assert stamp is not None
    blocks: list[dict[str, Any]] = stamp["blocks"]
    return blocks


def policy(server: Server) -> dict[str, dict[str, object]]:
    with server.services.database.read() as work:
        collection = server.services.library.records.collection(work, server.photographs.id)
        return server.services.library.quarantine.policy(work, collection)


def send(visitor: Visitor, server: Server, tail: str, values: Mapping[str, object], **more: Any) -> httpx.Response:
    csrf = visitor.form(path_of(server)).get("csrf", "none")
    return visitor.client.post(path_of(server, tail), data={"csrf": csrf, **values}, **more)


@pytest.mark.parametrize("rights", [READER, ALL_RIGHTS & ~Right.manage, Right.canaddrecord | READER])
def test_who_manages_nothing_finds_nothing(server: Server, rights: Right) -> None:
    """design 5.6; 06 section 17.1: `manage` on that very collection."""
    eve = server.browser(server.user("eve", rights))
    for address in ("/admin/collections/", path_of(server), "/admin/collections/999/"):
        assert eve.get(address).status_code == 404, address
    assert "/admin/collections/" not in eve.get("/").text
    csrf = eve.form("/")["csrf"]
    for tail, values in (("marks/", MARKS | {"show": "wm"}), ("links/", {"public": "off"}), ("checks/", CHECKS)):
        answer = eve.client.post(path_of(server, tail), data={"csrf": csrf, **values})
        assert answer.status_code == 404, tail
    assert collection(server).public_presentation == "none"
    assert collection(server).public_by_link


def test_strangers_sign_in_first_and_other_peoples_forms_are_refused(server: Server, admin: Visitor) -> None:
    assert server.browser().get(path_of(server)).status_code in (302, 303)
    for tail, values in (("marks/", MARKS | {"show": "wm"}), ("links/", {"public": "off"}), ("checks/", CHECKS)):
        assert admin.client.post(path_of(server, tail), data={"csrf": "wrong", **values}).status_code == 403
    assert collection(server).public_presentation == "none"
    assert collection(server).public_by_link


@pytest.mark.parametrize("tail", ["marks/", "links/", "checks/"])
def test_the_right_is_asked_before_the_body(server: Server, tail: str) -> None:
    """A body that cannot be read would be refused with 400."""
    eve = server.browser(server.user("eve", READER))
    headers = {"Content-Type": "multipart/form-data; boundary="}
    assert eve.client.post(path_of(server, tail), content=b"--", headers=headers).status_code == 404


def test_a_manager_says_what_new_records_get_and_is_told_which(server: Server, tmp_path: Path) -> None:
    user = server.user("manager", {server.photographs.id: ALL_RIGHTS, server.archive.id: READER})
    visitor = server.browser(user)
    before = server.add(make.png(tmp_path / "before.png"), user)
    page = visitor.get(path_of(server)).text
    assert re.search(r'name="public" value="on" checked', page)
    assert "each keeps its own switch" in page
    answer = send(visitor, server, "links/", {"public": "off"})
    assert answer.headers["location"] == path_of(server) + "?saved=links"
    page = visitor.get(path_of(server)).text
    assert re.search(r'name="public" value="off" checked', page)
    assert "new records not public" in visitor.get("/admin/collections/").text
    after = server.add(make.png(tmp_path / "after.png", seed=3), user)
    with server.services.database.read() as work:
        records = [store.by_key(work, key) for key in (before, after)]
        (line,) = audit.lines(work, AuditFilter(action="collection.presentation"))
    assert [record and record.public_by_link for record in records] == [True, False]
    assert line.details == {"changed": ["public_by_link"], "public_by_link": False}
    assert send(visitor, server, "links/", {"public": "on"}).status_code == 303
    assert collection(server).public_by_link


@pytest.mark.parametrize("values", [{}, {"public": ""}, {"public": "perhaps"}])
def test_a_choice_that_is_none_is_told(server: Server, admin: Visitor, values: dict[str, str]) -> None:
    answer = send(admin, server, "links/", values)
    assert answer.status_code == 400
    assert "Choose whether new records are public by link." in answer.text
    assert collection(server).public_by_link


def test_a_manager_sets_marks_here_and_nowhere_else_and_no_checks(server: Server) -> None:
    manager: User = server.user("manager", {server.photographs.id: READER | Right.manage, server.archive.id: READER})
    visitor = server.browser(manager)
    page = visitor.get(path_of(server)).text
    assert "Save the marks" in page
    assert "Save the checks" not in page
    listed = visitor.get("/admin/collections/").text
    assert "Photographs" in listed
    assert "Archive" not in listed
    assert visitor.get(f"/admin/collections/{server.archive.id}/").status_code == 404
    assert send(visitor, server, "marks/", MARKS | {"show": "wm"}).status_code == 303
    assert collection(server).public_presentation == "wm"
    assert send(visitor, server, "checks/", CHECKS | {"Dimension.on": "1"}).status_code == 403
    assert policy(server)["Dimension"]["on"] is False


def test_a_stamp_is_written_in_a_form_and_shown_as_it_was_written(
    server: Server, admin: Visitor, tmp_path: Path
) -> None:
    logo = make.png(tmp_path / "logo.png", 80, 40).read_bytes()
    values = {
        **MARKS,
        "show": "stamp",
        "place": "BOTTOM",
        "align": "right",
        "lines": "© Museum, {Title}\r\nNo {RECORD_ID}",
    }
    answer = send(admin, server, "marks/", values, files={"logo": ("logo.png", logo, "image/png")})
    assert answer.status_code == 303, answer.text
    (block,) = blocks(server)
    assert block["lines"] == [["© Museum, ", {"field": "Title"}], ["No ", {"var": "RECORD_ID"}]]
    assert len(block["logo"]) == 64
    page = admin.get(path_of(server)).text
    assert "© Museum, {Title}\nNo {RECORD_ID}</textarea>" in page
    assert send(admin, server, "marks/", values).status_code == 303, "the logo stays"
    assert blocks(server)[0]["logo"] == block["logo"]
    send(admin, server, "marks/", {**values, "logo_forget": "1"})
    assert "logo" not in blocks(server)[0]
    send(admin, server, "marks/", MARKS)
    assert collection(server).stamp is None


def test_a_watermark_counts_from_the_next_picture_on(server: Server, admin: Visitor, tmp_path: Path) -> None:
    """04 section 5: from the first served byte."""
    key = server.add(make.jpeg(tmp_path / "a.jpg", 900, 700), server.user("ada"))
    token = server.token(server.user("bea"))
    embed = server.get(f"/records/{key.databox}/{key.number}/embed/", token)["embed"]
    address = next(rendition for rendition in embed if rendition["name"] == "preview")["permalink"]["url"]
    before = server.http.get(address).content
    picture = make.png(tmp_path / "mark.png", 200, 100, alpha=True).read_bytes()
    sent = {"watermark": ("mark.png", picture, "image/png")}
    assert send(admin, server, "marks/", MARKS | {"show": "wm"}, files=sent).status_code == 303
    assert server.http.get(address).content != before
    send(admin, server, "marks/", MARKS | {"watermark_forget": "1"})
    assert collection(server).watermark is None
    assert server.http.get(address).content == before


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"show": "stamp"}, "has no stamp yet"),
        ({"show": "everything"}, "The public presentation is"),
        ({"place": "BOTTOM"}, "Give the stamp a line or a logo"),
        ({"place": "BOTTOM", "lines": "{Nothing}"}, "There is no public field Nothing"),
        ({"place": "MIDDLE", "lines": "x"}, "Choose where the stamp stands"),
        ({"place": "TOP", "lines": "x", "colour": "red"}, "A colour is #"),
        ({"place": "TOP", "lines": "x\n" * 7}, "at most 6 lines"),
    ],
)
def test_what_is_wrong_with_marks_is_said_and_nothing_is_written(
    server: Server, admin: Visitor, values: dict[str, object], message: str
) -> None:
    answer = send(admin, server, "marks/", {**MARKS, **values})
    assert answer.status_code == 400
    assert message in answer.text
    assert collection(server).public_presentation == "none"
    assert collection(server).stamp is None


@pytest.mark.parametrize("content", [b"no picture", b"%PDF-1.4 no", b""])
def test_only_pictures_are_taken_as_marks(server: Server, admin: Visitor, content: bytes) -> None:
    for name in ("watermark", "logo"):
        values = MARKS | {"place": "TOP", "lines": "x"}
        answer = send(admin, server, "marks/", values, files={name: ("mark.png", content, "image/png")})
        assert answer.status_code == 400, name
        assert 'role="alert"' in answer.text
    assert collection(server).watermark is None


def test_a_stamp_of_several_bars_is_left_alone(server: Server, admin: Visitor) -> None:
    bar = {"place": "TOP", "lines": [["x"]]}
    with server.services.database.write() as work:
        changes = {"stamp": {"blocks": [bar, {**bar, "place": "BOTTOM"}]}}
        server.services.library.presentation.set(work, COMMAND, server.photographs.id, changes)
    assert 'value="keep" selected' in admin.get(path_of(server)).text
    send(admin, server, "marks/", MARKS | {"show": "stamp", "place": "keep"})
    stamped = collection(server)
    assert (stamped.public_presentation, len(blocks(server))) == ("stamp", 2)


def test_checks_are_said_whole_and_forgotten(server: Server, admin: Visitor) -> None:
    before = policy(server)
    values = {
        "do": "save", "UUID.on": "1", "Sha256.ignored": f"{server.archive.id}", "Filename.on": "1",
        "Filename.sensitive": "1", "Dimension.on": "1", "Dimension.width": "800", "Dimension.height": "",
        "Extension.extensions": ".JPG, png", "MediaType.on": "1", "MediaType.media_types[]": ["Image", "Video"],
        "Colorspace.colorspaces[]": ["rgb"], "Colorspace.media_types[]": ["Image"],
    }  # fmt: skip
    assert send(admin, server, "checks/", values).status_code == 303
    checks = policy(server)
    assert checks["Sha256"] == {"on": False, "ignored": [server.archive.id]}
    assert checks["Filename"] == {"on": True, "sensitive": True, "ignored": []}
    assert checks["Dimension"] == {"on": True, "width": 800, "height": None}
    assert checks["Extension"] == {"on": False, "extensions": ["jpg", "png"]}
    assert checks["MediaType"] == {"on": True, "media_types": ["Image", "Video"]}
    assert checks["Colorspace"] == {"on": False, "colorspaces": ["rgb"], "media_types": ["Image"]}
    assert "Use those of the databox" in admin.get(path_of(server)).text
    assert send(admin, server, "checks/", {"do": "forget"}).status_code == 303
    assert policy(server) == before


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"Dimension.width": "wide"}, "Give a number of pixels"),
        ({"Dimension.width": "0"}, "Give a number of pixels"),
        ({"Dimension.height": "-3"}, "Give a number of pixels"),
        ({"UUID.ignored": "1, 999"}, "There is no collection with the base_id 999"),
        ({"Filename.ignored": "Archive"}, "There is no collection with the base_id Archive"),
    ],
)
def test_what_is_wrong_with_checks_is_said_beside_the_field_and_what_was_typed_stays(
    server: Server, admin: Visitor, values: dict[str, str], message: str
) -> None:
    answer = send(admin, server, "checks/", CHECKS | {"Extension.extensions": "jpg, tif"} | values)
    (name, typed), *_ = values.items()
    assert answer.status_code == 400
    text = answer.text
    assert message in text
    assert f'id="{name}-fault"' in text
    assert f'value="{typed}"' in text
    assert 'value="jpg, tif"' in text
    with server.services.database.read() as work:
        assert not server.services.library.quarantine.has_own_policy(work, server.photographs.id)


def test_the_form_says_of_a_policy_what_it_reads_back(server: Server) -> None:
    shown = forms.check_fields(policy(server))
    assert forms.policy_of(shown, [1, 2]) == policy(server)


@pytest.mark.parametrize("labels", [{}, {"de": "Fotos"}, {"en": ""}])
def test_a_collection_without_a_label_in_the_readers_language_has_its_name(
    server: Server, admin: Visitor, labels: dict[str, str]
) -> None:
    with server.services.database.write() as work:
        structure_store.update_collection(work, server.photographs.id, {"labels": labels})
        structure_store.increase_version(work)
    ada = server.browser(server.user("ada"))
    for visitor, address in ((admin, path_of(server)), (ada, "/upload/"), (ada, "/"), (ada, "/account/access/")):
        answer = visitor.get(address)
        assert answer.status_code == 200, address
        assert "Photographs" in answer.text, address


def test_the_page_speaks_french(server: Server, admin: Visitor) -> None:
    page = admin.get(path_of(server), headers={"Accept-Language": "fr"}).text
    assert "Enregistrer les marques" in page
    assert "Save" not in page
