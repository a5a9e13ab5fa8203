"""The PDF copy that is embedded in other pages: it has no active content, and its size is the displayed one (0020)."""

from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name

from vitrine.media.renditions import MadeRendition, Spec
from vitrine.media.service import Media
from vitrine.testing import media_kinds as kinds

SCRIPT = Dictionary(S=Name.JavaScript, JS="app.alert(1)")


def copy_of(media: Media, path: Path, folder: Path) -> MadeRendition:
    preview = media.make_renditions(
        media.store_file(path).sha256, "document", "application/pdf", [Spec("preview", "pdf")], folder
    )[0]
    assert isinstance(preview, MadeRendition), preview
    return preview


def annotation(kind: str, **entries: Any) -> Dictionary:
    return Dictionary(Type=Name.Annot, Subtype=Name("/" + kind), Rect=Array([0, 0, 50, 50]), **entries)


def armed(path: Path) -> Path:
    """A PDF with every kind of action of ISO 32000-2 section 12.6 that readers support."""
    with pikepdf.open(kinds.pdf(path, 2), allow_overwriting_input=True) as document:
        page = document.pages[0]
        page.AA = Dictionary(O=SCRIPT)
        program = document.make_stream(b"MZ attached program")
        file = document.make_indirect(Dictionary(Type=Name.Filespec, F="tool.exe", EF=Dictionary(F=program)))
        launcher = document.make_indirect(annotation("Link", A=Dictionary(S=Name.Launch, F="calc.exe")))
        field = document.make_indirect(annotation("Widget", FT=Name.Tx, T="field", AA=Dictionary(K=SCRIPT)))
        page.Annots = Array([
            launcher,
            annotation("Link", A=Dictionary(S=Name.URI, URI="https://example.com/more")),
            annotation("Link", A=Dictionary(S=Name.URI, URI="javascript:alert(1)")),
            annotation("Link", A=Dictionary(S=Name.GoTo, D=Array([1, Name.Fit]), Next=SCRIPT)),
            annotation("Link", A=Dictionary(S=Name.SubmitForm, F="https://example.com/steal")),
            field,
            annotation("FileAttachment", FS=file),
        ])  # fmt: skip
        document.Root.AcroForm = Dictionary(Fields=Array([field]), XFA=document.make_stream(b"<xdp>app.alert(1)</xdp>"))
        document.Root.AF = Array([file])
        entry = document.make_indirect(Dictionary(Title="Chapter", A=SCRIPT))
        document.Root.Outlines = document.make_indirect(Dictionary(Type=Name.Outlines, First=entry, Last=entry))
        document.save()
    return path


def test_nothing_acts_in_the_copy_wherever_it_hung(media: Media, tmp_path: Path) -> None:
    path = armed(tmp_path / "armed.pdf")
    with media.scratch() as folder:
        preview = copy_of(media, path, folder)
        with pikepdf.open(preview.path) as copy:
            uncompressed = tmp_path / "plain.pdf"
            copy.save(uncompressed, object_stream_mode=pikepdf.ObjectStreamMode.disable, compress_streams=False)
            kinds_left = [str(annotation.Subtype) for annotation in copy.pages[0].Annots]
            links = [
                str(annotation.A.URI)
                for annotation in copy.pages[0].Annots
                if "/A" in annotation and "/URI" in annotation.A
            ]
            goto = [
                annotation.A
                for annotation in copy.pages[0].Annots
                if "/A" in annotation and Name.GoTo == annotation.A.S
            ]
            assert str(copy.Root.Outlines.First.Title) == "Chapter"
    text = uncompressed.read_bytes()
    for word in (b"app.alert", b"calc.exe", b"javascript:", b"SubmitForm", b"attached program", b"/XFA", b"/AA"):
        assert word not in text, word
    assert "/FileAttachment" not in kinds_left
    assert links == ["https://example.com/more"], "links to the web stay"
    assert len(goto) == 1, "links inside the document stay"
    assert path.read_bytes() != text


@pytest.mark.parametrize(
    ("change", "size"),
    [
        ({"CropBox": [100, 100, 400, 300]}, (400, 267)),
        ({"Rotate": 90}, (1123, 793)),
        ({"CropBox": [0, 0, 300, 600], "Rotate": 270}, (800, 400)),
    ],
)
def test_the_size_of_the_copy_is_what_is_seen(
    media: Media, tmp_path: Path, change: dict[str, Any], size: tuple[int, int]
) -> None:
    """Frames take their proportions from it."""
    path = kinds.pdf(tmp_path / "a.pdf", 1)
    with pikepdf.open(path, allow_overwriting_input=True) as document:
        if "CropBox" in change:
            document.pages[0].CropBox = Array(change["CropBox"])
        if "Rotate" in change:
            document.Root.Pages.Rotate = change["Rotate"]  # inherited by the page
        document.save()
    probe = media.probe(path, "a.pdf")
    assert (probe.display_width, probe.display_height) == size
    with media.scratch() as folder:
        preview = copy_of(media, path, folder)
    assert (preview.width, preview.height) == size
