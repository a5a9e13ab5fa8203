"""PDF and office files: contract 04 section 8 (documents), 06 sections 5 and 6."""

from pathlib import Path

import pikepdf
import pytest
import pyvips

from vitrine.errors import NotFound
from vitrine.media.errors import MisnamedFile, NoMaker, Undecodable
from vitrine.media.metadata.write import EmbeddedFacts, packet, write_metadata
from vitrine.media.renditions import MadeRendition, Spec
from vitrine.media.service import AlbumPage, Media
from vitrine.testing import media_factory as make
from vitrine.testing import media_kinds as kinds

DOCUMENT = [Spec("thumbnail", "image", 380), Spec("preview", "pdf")]


def _make(
    media: Media, path: Path, mime: str, folder: Path, specs: list[Spec] | None = None
) -> dict[str, MadeRendition]:
    results = media.make_renditions(media.store_file(path).sha256, "document", mime, specs or DOCUMENT, folder)
    assert all(isinstance(result, MadeRendition) for result in results), results
    return {result.name: result for result in results if isinstance(result, MadeRendition)}


def test_a_pdf_tells_pages_words_and_information(media: Media, tmp_path: Path) -> None:
    probe = media.probe(kinds.pdf(tmp_path / "a.pdf", 3, title="Harbours"), "a.pdf")
    assert (probe.kind, probe.mime, probe.pages) == ("document", "application/pdf", 3)
    assert (probe.display_width, probe.display_height) == (793, 1123)
    assert "The harbour at dawn, page 2" in probe.text
    assert probe.metadata["PDF:Title"] == ["Harbours"]
    assert probe.metadata["PDF:CreateDate"] == ["2020:03:14 09:26:53"]
    assert probe.makes == ["image", "pdf"]


def test_xmp_of_a_pdf_is_read(media: Media, tmp_path: Path) -> None:
    with pikepdf.open(kinds.pdf(tmp_path / "a.pdf"), allow_overwriting_input=True) as document:
        with document.open_metadata() as xmp:
            xmp["dc:title"] = "Ports"
        document.save()
    assert media.probe(tmp_path / "a.pdf", "a.pdf").metadata["XMP-dc:Title"] == ["Ports"]


def test_a_pdf_gets_a_picture_of_its_first_page_and_a_linearised_copy(media: Media, tmp_path: Path) -> None:
    path = kinds.pdf(tmp_path / "a.pdf", 3)
    with media.scratch() as folder:
        renditions = _make(media, path, "application/pdf", folder)
        assert (renditions["thumbnail"].width, renditions["thumbnail"].height) == (269, 380)
        red = pyvips.Image.new_from_file(str(renditions["thumbnail"].path)).getpoint(70, 200)
        assert red[0] > 200
        assert red[1] < 60
        with pikepdf.open(renditions["preview"].path) as copy:
            assert copy.is_linearized
            assert len(copy.pages) == 3


def test_the_copy_of_a_pdf_runs_nothing_when_it_is_opened(media: Media, tmp_path: Path) -> None:
    with pikepdf.open(kinds.pdf(tmp_path / "a.pdf"), allow_overwriting_input=True) as document:
        script = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
        document.Root.OpenAction = script
        document.Root.Names = pikepdf.Dictionary(JavaScript=pikepdf.Dictionary(Names=pikepdf.Array(["x", script])))
        document.save()
    with media.scratch() as folder:
        renditions = _make(media, tmp_path / "a.pdf", "application/pdf", folder)
        assert b"app.alert" not in renditions["preview"].path.read_bytes()
        with pikepdf.open(renditions["preview"].path) as copy:
            assert "/OpenAction" not in copy.Root


def test_each_page_can_be_drawn(media: Media, tmp_path: Path) -> None:
    digest = media.store_file(kinds.pdf(tmp_path / "a.pdf", 3)).sha256
    page = media.page(digest, 3, 400)
    assert (page.width, page.height, page.pages) == (283, 400, 3)
    assert page.jpeg.startswith(b"\xff\xd8\xff")
    for number in (0, 4, 10**6):
        with pytest.raises(NotFound, match="the document has 3"):
            media.page(digest, number, 400)


def test_a_thousand_pages_are_read_in_bounds(media: Media, tmp_path: Path) -> None:
    probe = media.probe(kinds.pdf(tmp_path / "a.pdf", 1000, "many words " * 5, lines=8), "a.pdf")
    assert probe.pages == 1000
    assert len(probe.text) == 200_000


def test_an_album_of_photographs_has_words_that_are_found(media: Media, tmp_path: Path) -> None:
    pages = [
        AlbumPage(
            make.jpeg(tmp_path / f"{n}.jpg", 300, 400, seed=n), "image/jpeg", f"Été {n} (fort)", ("Lumière " * 30,)
        )
        for n in range(3)
    ]
    facts = EmbeddedFacts("Album", "Summers", ("summer",), "Ada", "CC0", title_other="Étés")
    assert media.album(tmp_path / "album.pdf", "Album", "Summers", pages, packet(facts)) == 4
    probe = media.probe(tmp_path / "album.pdf", "album.pdf")
    assert probe.pages == 4
    assert "Été 2 (fort)" in probe.text
    assert probe.metadata["XMP-dc:Title-fr"] == ["Étés"]
    assert probe.warnings == []


def test_words_written_into_an_mp3_are_read_back(media: Media, tmp_path: Path) -> None:
    facts = EmbeddedFacts("Le matin", "Des oiseaux", ("son", "matin"), "Ada", "CC0", language="fr", date="2008-04-10")
    for _ in range(2):  # written twice, the tag is replaced
        write_metadata(kinds.sound(tmp_path / "a.mp3"), tmp_path / "b.mp3", facts)
        write_metadata(tmp_path / "b.mp3", tmp_path / "b.mp3", facts)
    probe = media.probe(tmp_path / "b.mp3", "b.mp3")
    assert probe.kind == "audio"
    assert probe.metadata["ID3:Title"] == ["Le matin"]
    assert probe.metadata["XMP-dc:Subject"] == ["son", "matin"]
    assert (tmp_path / "b.mp3").read_bytes().count(b"ID3\x04") == 1


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.95])
def test_a_truncated_pdf_is_refused(media: Media, tmp_path: Path, keep: float) -> None:
    cut = make.truncated(kinds.pdf(tmp_path / "a.pdf"), tmp_path / "cut.pdf", keep)
    with pytest.raises(Undecodable, match="cut off"):
        media.probe(cut, "cut.pdf")


def test_a_pdf_with_a_password_is_kept_and_says_so(media: Media, tmp_path: Path) -> None:
    probe = media.probe(kinds.locked_pdf(tmp_path / "a.pdf"), "a.pdf")
    assert (probe.kind, probe.makes, probe.text) == ("document", [], "")
    assert "password" in probe.warnings[0]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a.docx", "Words of the report"),
        ("a.pptx", "Words of the talk"),
        ("a.xlsx", "Words of the sheet"),
        ("a.odt", "Words of the text"),
    ],
)
def test_office_files_tell_what_their_package_holds(media: Media, tmp_path: Path, name: str, words: str) -> None:
    path = kinds.office(tmp_path / name)
    probe = media.probe(path, name)
    assert (probe.kind, probe.makes) == ("document", ["image"])
    assert probe.text == words
    assert probe.metadata["Office:Title"] == ["Annual report"]
    with media.scratch() as folder:
        renditions = _make(media, path, probe.mime, folder, DOCUMENT[:1])
        assert (renditions["thumbnail"].width, renditions["thumbnail"].height) == (256, 192)


def test_an_office_file_without_a_picture_of_itself_makes_none(media: Media, tmp_path: Path) -> None:
    path = kinds.office(tmp_path / "a.docx", thumbnail=False)
    probe = media.probe(path, "a.docx")
    assert probe.makes == []
    with media.scratch() as folder:
        results = media.make_renditions(media.store_file(path).sha256, "document", probe.mime, DOCUMENT[:1], folder)
    assert isinstance(results[0], tuple)
    assert isinstance(results[0][1], NoMaker)


def test_an_office_file_with_entities_is_read_without_them(media: Media, tmp_path: Path) -> None:
    import zipfile

    path = kinds.office(tmp_path / "a.docx")
    with zipfile.ZipFile(path, "a") as package:
        bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]><x xmlns:dc="http://purl.org/dc/elements/1.1/"><t>&a;</t></x>'
        package.writestr("word/document2.xml", bomb)
    probe = media.probe(path, "a.docx")
    assert probe.text == "Words of the report"
    assert any("document2" in warning for warning in probe.warnings)


def test_an_office_file_that_inflates_without_end_is_only_read_in_bounds(media: Media, tmp_path: Path) -> None:
    import zipfile

    path = kinds.office(tmp_path / "a.docx")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as package:
        package.writestr("word/document2.xml", "<x><t>" + " " * (200 * 2**20) + "</t></x>")
        package.writestr("word/document3.xml", "<x><t>never read</t></x>")
    assert path.stat().st_size < 2**20
    probe = media.probe(path, "a.docx")
    assert probe.text == "Words of the report"


def test_a_truncated_office_file_is_refused(media: Media, tmp_path: Path) -> None:
    cut = make.truncated(kinds.office(tmp_path / "a.docx"), tmp_path / "cut.docx")
    with pytest.raises(Undecodable):
        media.probe(cut, "cut.docx")


def test_a_plain_archive_called_docx_is_a_lie(media: Media, tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.docx", "w") as package:
        package.writestr("anything.txt", "words")
    with pytest.raises(MisnamedFile, match="application/zip"):
        media.probe(tmp_path / "a.docx", "a.docx")
    (tmp_path / "a.docx").rename(tmp_path / "a.zip")
    assert media.probe(tmp_path / "a.zip", "a.zip").kind == "unknown"
