"""Contract 04 section 6: the picture that represents a film, a sound or a document on other sites' pages."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.contract.test_04_embed import address, configuration, embed
from vitrine.accounts import COMMAND, User
from vitrine.library.model import RecordKey
from vitrine.library.sharing.permalinks import ImportedPermalink, import_permalink
from vitrine.testing import media_factory as make
from vitrine.testing.record_factory import StoredRecord, add_record, mp3_file, pdf_file
from vitrine.testing.server import Server


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada")


def sound_of(server: Server, tmp_path: Path, creator: int | None) -> RecordKey:
    voice = StoredRecord(mp3_file(tmp_path / "wave.mp3", 0.2), "audio/mpeg")
    cover = StoredRecord(make.jpeg(tmp_path / "wave.jpg", 384, 192), "image/jpeg", 384, 192)
    files = {"document": voice, "preview": voice, "thumbnail": cover}
    return add_record(server.services, server.photographs, "audio", files, creator=creator)


def cover_of(server: Server, key: RecordKey) -> str:
    """The path of the cover that the sound's embed page names."""
    cover_url = configuration(embed(server, key).text)["resource"]["coverUrl"]
    assert cover_url, "the page names a cover"
    return str(urlsplit(cover_url).path)


def change(server: Server, statement: str, *values: object) -> None:
    with server.services.database.write() as work:
        work.db.exec_driver_sql(statement, values)


def test_6_a_document_that_came_by_command_has_its_cover(server: Server, tmp_path: Path) -> None:
    """Documents added by `vitrine import` have no creator in whose name a cover could be signed."""
    key = sound_of(server, tmp_path, None)
    assert server.http.get(cover_of(server, key)).headers["content-type"] == "image/jpeg"
    oembed = server.http.get("/oembed", params={"url": address(server, key)}).json()
    assert (oembed["thumbnail_width"], oembed["thumbnail_height"]) == (384, 192)


def test_6_a_cover_does_not_depend_on_who_added_the_document(server: Server, ada: User, tmp_path: Path) -> None:
    key = sound_of(server, tmp_path, ada.id)
    change(server, "DELETE FROM collection_rights WHERE user_id = ?", ada.id)
    change(server, "UPDATE users SET rights_version = rights_version + 1 WHERE id = ?", ada.id)
    assert server.http.get(cover_of(server, key)).status_code == 200


def test_6_a_cover_ends_with_the_link_it_was_given_for(server: Server, tmp_path: Path) -> None:
    key = sound_of(server, tmp_path, None)
    cover = cover_of(server, key)
    change(server, "UPDATE permalinks SET activated = 0 WHERE name = 'document'")
    assert server.http.get(cover).status_code == 200, "the link of another file does not matter"
    change(server, "UPDATE permalinks SET activated = 0 WHERE name = 'preview'")
    assert server.http.get(cover).status_code == 404


def test_6_a_cover_ends_when_its_link_gets_another_token(server: Server, tmp_path: Path) -> None:
    key = sound_of(server, tmp_path, None)
    cover = cover_of(server, key)
    with server.services.database.write() as work:
        import_permalink(
            work, COMMAND, server.services.library.records.structure(work), key, "preview", ImportedPermalink("another")
        )
    assert server.http.get(cover).status_code == 404
    assert server.http.get(cover_of(server, key)).status_code == 200


def test_6_no_page_names_a_cover_that_was_switched_off(server: Server, tmp_path: Path) -> None:
    key = sound_of(server, tmp_path, None)
    cover = cover_of(server, key)
    change(server, "UPDATE permalinks SET activated = 0 WHERE name = 'thumbnail'")
    answer = embed(server, key)
    assert configuration(answer.text)["resource"]["coverUrl"] is None
    assert "og:image" not in answer.text
    assert "thumbnail_url" not in server.http.get("/oembed", params={"url": address(server, key)}).json()
    assert server.http.get(cover).status_code == 404


def test_6_a_cover_opens_the_thumbnail_and_nothing_else(server: Server, tmp_path: Path) -> None:
    pages = StoredRecord(pdf_file(tmp_path / "paper.pdf"), "application/pdf")
    small = StoredRecord(make.jpeg(tmp_path / "paper.jpg", 271, 384), "image/jpeg", 271, 384)
    files = {"document": pages, "preview": pages, "thumbnail": small}
    key = add_record(server.services, server.photographs, "document", files)
    answer = embed(server, key)
    with server.services.database.read() as work:
        tokens = {
            name: server.services.library.records.rendition_without_check(work, key, name)[1].permalink.token  # type: ignore[union-attr]
            for name in files
        }
    assert tokens["preview"] in answer.text
    assert tokens["thumbnail"] not in answer.text
    assert tokens["document"] not in answer.text


def test_6_a_document_without_a_picture_is_a_sheet_with_its_name(server: Server, tmp_path: Path) -> None:
    """Regression: the page was empty, and the only link to the file was a line at the bottom."""
    (tmp_path / "sheet.docx").write_bytes(b"PK not really")
    held = StoredRecord(
        tmp_path / "sheet.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    )
    key = add_record(server.services, server.photographs, "document", {"document": held}, title="Minutes <of> May")
    page = embed(server, key, name="document").text
    assert '<b aria-hidden="true">DOCX</b><span>Minutes &lt;of&gt; May</span>' in page
    bare = add_record(
        server.services, server.photographs, "document", {"document": StoredRecord(tmp_path / "sheet.docx", "x/y")}
    )
    assert embed(server, bare, name="document").status_code == 200


@pytest.mark.parametrize(
    ("kind", "name", "mime"),
    [
        ("image", "quay.heic", "image/heic"),
        ("image", "quay.tif", "image/tiff"),
        ("video", "quay.avi", "video/x-msvideo"),
    ],
)
def test_6_what_no_browser_plays_is_its_picture_and_a_way_to_it(
    server: Server, tmp_path: Path, kind: str, name: str, mime: str
) -> None:
    """A HEIC picture in an `<img>` is a broken picture, and a player for an AVI is an empty box."""
    (tmp_path / name).write_bytes(b"not looked at")
    original = StoredRecord(tmp_path / name, mime, 6000, 4000)
    small = StoredRecord(make.jpeg(tmp_path / "small.jpg", 384, 256), "image/jpeg", 384, 256)
    key = add_record(server.services, server.photographs, kind, {"document": original, "thumbnail": small})
    page = embed(server, key, name="document").text
    assert "embed-resource" not in page
    assert f'class="fallback" href="{address(server, key, "document")}"' in page
    assert f'property="og:type" content="{"image" if kind == "image" else "article"}"' in page
    oembed = server.http.get("/oembed", params={"url": address(server, key, "document")}).json()
    assert (oembed["type"], oembed["width"], oembed["height"]) == ("rich", 640, 426)
    assert oembed["thumbnail_width"] == 384
