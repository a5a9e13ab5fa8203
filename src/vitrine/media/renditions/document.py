"""Pictures and copies of PDF files, by pdfium and qpdf; imported only in the child."""

from typing import Any

import pikepdf
import pypdfium2 as pdfium
import pyvips

from vitrine.media.errors import Undecodable
from vitrine.media.pictures import load_picture, turned
from vitrine.media.renditions.compose import image
from vitrine.media.renditions.disarm import disarm
from vitrine.media.renditions.image import write_cascade
from vitrine.media.renditions.make import Result, Source, succeeded, target_of

DAMAGED = "The PDF is damaged or opens only with a password."
LARGEST_SCALE = 10.0  # times 72 dots per inch: a tiny page is not enlarged without limit
POINTS, DOTS, PRINT_DOTS = 72, 96, 150


def first_pages(source: Source, specs: list[dict[str, Any]], into: str) -> list[Result]:
    """Pictures of the first page on a white background."""
    ordered = sorted(specs, key=lambda spec: -spec["size"])
    try:
        document = pdfium.PdfDocument(source.path)
        try:
            picture = _render_page(document, 0, ordered[0]["size"])
        finally:
            document.close()
    except pdfium.PdfiumError as failure:
        raise Undecodable(DAMAGED, why=str(failure)[:300]) from failure
    return write_cascade(picture, ordered, into)


def page(source: str, number: int, size: int, target: str) -> dict[str, int]:
    """The operation `page`: page *number* (from 1) as a JPEG at *target*, with a longest side of *size* pixels.

    Returns {width, height, pages}. The width is 0 if there is no such page. Raises Undecodable.
    """
    try:
        document = pdfium.PdfDocument(source)
        try:
            pages = len(document)
            if not 1 <= number <= pages:
                return {"width": 0, "height": 0, "pages": pages}
            picture = _render_page(document, number - 1, size)
        finally:
            document.close()
        picture.jpegsave(target, Q=85, keep="none")
    except (pdfium.PdfiumError, pyvips.Error) as failure:
        raise Undecodable(DAMAGED, why=str(failure)[:300]) from failure
    return {"width": picture.width, "height": picture.height, "pages": pages}


def _render_page(document: Any, index: int, size: int) -> Any:
    """Render a page with its forms and annotations as an sRGB picture in memory."""
    document.init_forms()
    sheet = document[index]
    width, height = sheet.get_size()
    scale = min(LARGEST_SCALE, size / max(width, height, 1))
    bitmap = sheet.render(scale=scale, rev_byteorder=True, fill_color=(255, 255, 255, 255), no_smoothtext=False)
    bands = bitmap.n_channels
    padded = pyvips.Image.new_from_memory(bytes(bitmap.buffer), bitmap.stride, bitmap.height, 1, "uchar")
    rows = padded.crop(0, 0, bitmap.width * bands, bitmap.height).write_to_memory()
    picture = pyvips.Image.new_from_memory(rows, bitmap.width, bitmap.height, bands, "uchar")
    bitmap.close()
    sheet.close()
    if bands > 3:
        picture = picture[:3]
    return picture.copy(interpretation="srgb" if bands >= 3 else "b-w").copy_memory()


def copies(source: Source, specs: list[dict[str, Any]], into: str) -> list[Result]:
    """Copies for browsers: linearised, so the first page shows before the rest has arrived, and without scripts,
    actions and attached files."""
    results = []
    try:
        for spec in specs:
            target = target_of(into, spec["name"], "pdf")
            with pikepdf.open(source.path) as document:
                disarm(document)
                document.save(target, linearize=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
            width, height = _first_size(str(target))
            results.append(succeeded(spec["name"], target, "application/pdf", width, height))
    except (pikepdf.PdfError, pikepdf.DataDecodingError, pdfium.PdfiumError, ValueError, RuntimeError) as failure:
        raise Undecodable(DAMAGED, why=str(failure)[:300]) from failure
    return results


def _first_size(path: str) -> tuple[int, int]:
    """The size of the first page in pixels as displayed, after cropping and rotation."""
    document = pdfium.PdfDocument(path)
    try:
        width, height = document[0].get_size()
    finally:
        document.close()
    return max(1, round(width * DOTS / POINTS)), max(1, round(height * DOTS / POINTS))


def from_picture(source: Source, specs: list[dict[str, Any]], into: str) -> list[Result]:
    """A picture as a one-page PDF of the same proportions, at 150 dots per inch."""
    results = []
    for spec in specs:
        picture = turned(load_picture(source.path, source.mime, spec["size"]), spec["turn"])
        target = target_of(into, spec["name"], "pdf")
        document = pikepdf.new()
        width, height = round(picture.width * POINTS / PRINT_DOTS, 2), round(picture.height * POINTS / PRINT_DOTS, 2)
        document.add_blank_page(page_size=(width, height))
        sheet = document.pages[-1]
        sheet.Resources = pikepdf.Dictionary(
            XObject=pikepdf.Dictionary(Im0=document.make_indirect(image(document, picture)))
        )
        sheet.Contents = document.make_stream(f"q {width} 0 0 {height} 0 0 cm /Im0 Do Q".encode())
        document.save(target, linearize=True)
        results.append(succeeded(spec["name"], target, "application/pdf", picture.width, picture.height))
    return results
