"""Contract 04 section 5: overlays on pictures whose own format cannot carry one, and how such a copy is named."""

import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import pyvips

from tests.contract.test_04_marks import STAMP, WM, Paths, mark_of, present
from vitrine.accounts import Right, User
from vitrine.accounts.rights import ALL_RIGHTS
from vitrine.testing import media_kinds as kinds
from vitrine.testing.record_factory import StoredRecord, add_record
from vitrine.testing.server import Server

FORMS = {
    "heic": ("image/heic", "image/jpeg", "jpg"),
    "avif": ("image/avif", "image/jpeg", "jpg"),
    "bmp": ("image/bmp", "image/jpeg", "jpg"),
    "svg": ("image/svg+xml", "image/png", "png"),
}


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada")


def drawn(path: Path) -> Path:
    return kinds.svg(path, "<script>document.location='/'</script>") if path.suffix == ".svg" else kinds.picture(path)


@pytest.mark.parametrize("ending", FORMS)
def test_5_the_original_of_any_kind_is_stamped_for_strangers(
    server: Server, ada: User, tmp_path: Path, ending: str
) -> None:
    """Regression: a telephone's photograph was refused with 503 in a collection that stamps."""
    _, mime, extension = FORMS[ending]
    key = server.add(drawn(tmp_path / f"quay.{ending}"), ada)
    present(server, stamp=STAMP, public_presentation="stamp")
    links = Paths(server, key, "document", ada)
    for address in (links.permalink, links.old, links.signed):
        answer = server.http.get(address)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == mime
        assert f'filename="quay.{extension}"' in answer.headers["content-disposition"]
        stamped = pyvips.Image.new_from_buffer(answer.content, "")
        corner = stamped(2, stamped.height - 3)
        assert [round(band) for band in corner[:3]] == pytest.approx([0x20, 0x30, 0x40], abs=30)
        assert b"script" not in answer.content
    plain = server.browser(ada).get(links.datafile)
    assert plain.content == (tmp_path / f"quay.{ending}").read_bytes(), "a person who may have the original gets it"
    assert f"quay.{ending}" in plain.headers["content-disposition"]


@pytest.mark.parametrize("ending", ["heic", "svg"])
def test_5_a_stamped_original_has_the_size_that_was_told(
    server: Server, ada: User, tmp_path: Path, ending: str
) -> None:
    key = server.add(drawn(tmp_path / f"quay.{ending}"), ada)
    present(server, stamp=STAMP, public_presentation="stamp")
    links = Paths(server, key, "document", ada)
    oembed = server.http.get(f"/oembed?url={quote(server.settings.absolute(links.permalink), safe='')}").json()
    shown = pyvips.Image.new_from_buffer(server.http.get(links.permalink).content, "")
    assert (shown.width, shown.height) == (oembed["width"], oembed["height"])


def test_5_a_drawing_of_any_size_is_stamped_within_bounds(server: Server, ada: User, tmp_path: Path) -> None:
    (tmp_path / "wide.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="60000" height="30000"/>')
    held = StoredRecord(tmp_path / "wide.svg", "image/svg+xml", 60000, 30000)
    key = add_record(server.services, server.photographs, "image", {"document": held}, creator=ada.id)
    present(server, stamp=STAMP, public_presentation="stamp")
    shown = pyvips.Image.new_from_buffer(server.http.get(Paths(server, key, "document", ada).permalink).content, "")
    assert (shown.width, shown.height) == (4096, 2048)


def test_5_a_preview_put_in_as_it_is_gets_its_watermark(server: Server, ada: User, tmp_path: Path) -> None:
    bob = server.user("bob", ALL_RIGHTS & ~Right.nowatermark & ~Right.candwnldhd)
    held = {
        extension: StoredRecord(drawn(tmp_path / f"quay.{extension}"), FORMS[extension][0], 320, 200)
        for extension in ("heic", "svg")
    }
    files: dict[str, Any] = {"document": held["heic"], "preview": held["heic"], "preview_mobile": held["svg"]}
    key = add_record(server.services, server.photographs, "image", files, creator=ada.id)
    visitor = server.browser(bob)
    for name in ("preview", "preview_mobile"):
        links = Paths(server, key, name, ada)
        assert mark_of(server, visitor.get(links.datafile), links.plain) == WM
    form = {"csrf": visitor.form("/")["csrf"], "record[]": f"{key.databox}/{key.number}"}
    packed = zipfile.ZipFile(BytesIO(visitor.client.post("/library/download", data=form).content))
    assert packed.namelist() == ["quay-preview.jpg"], "the name matches the file's type"
    assert packed.read("quay-preview.jpg").startswith(b"\xff\xd8\xff")
