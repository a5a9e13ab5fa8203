"""Watermarks and stamps on pictures, by libvips; imported only in the child (contract 04 section 5, 06 section 3).

A marked copy has the width and height of its source, so sizes reported elsewhere stay correct. The bars of a stamp take
space from the picture, which shrinks a little; its margins get the background colour of the bars.
"""

from html import escape
from pathlib import Path
from typing import Any

import pyvips

from vitrine.media import pictures
from vitrine.media.errors import EmptyOverlay, Undecodable
from vitrine.media.kinds import SVG, overlay_type
from vitrine.media.renditions.make import Result, succeeded

UNLIMITED_SIZE = 10_000_000  # larger than any picture: nothing is shrunk
WATERMARK_OPACITY = 0.4  # the opacity of a watermark picture without alpha
LIGHTEST_BAR, LARGEST_BARS = 0.022, 0.4  # text height as a part of the width; bars as a part of the height
LARGEST_DRAWING = 4096  # pixels of the longest side: a drawing may declare any size
_ALIGN = {"left": "low", "centre": "centre", "right": "high"}


def draw_overlay(source: str, mime: str, spec: dict[str, Any], into: str) -> Result:
    """Draw an overlay on a copy of *source*, in the folder *into*. *spec* is {kind: wm, text, picture} or
    {kind: stamp, blocks}.

    `kinds.overlay_type` gives the type of the copy. Raises Undecodable or EmptyOverlay.
    """
    form, extension = overlay_type(mime)
    target = Path(into) / f"overlaid.{extension}"
    try:
        loaded, frames = _load(source, mime)
        height = loaded.height // frames
        overlaid = [_apply(loaded.crop(0, index * height, loaded.width, height), spec) for index in range(frames)]
        joined = pyvips.Image.arrayjoin(overlaid, across=1) if frames > 1 else overlaid[0]
        _save(joined, loaded, target, frames)
    except pyvips.Error as failure:
        why = str(failure).replace("\n", " ")[:300]
        raise Undecodable("The picture is damaged or cut off.", why=why) from failure
    return succeeded("overlaid", target, form, loaded.width, height)


def _load(source: str, mime: str) -> tuple[Any, int]:
    """The picture, upright, in sRGB with four bands, its frames stacked vertically."""
    picture = pictures.load_animation(source, mime, LARGEST_DRAWING if mime == SVG else UNLIMITED_SIZE)
    if picture.interpretation != "srgb":
        picture = picture.colourspace("srgb")
    frames = picture.height // int(picture.get("page-height")) if picture.get_typeof("page-height") else 1
    return (picture if picture.hasalpha() else picture.bandjoin(255)).copy_memory(), max(1, frames)


def _save(picture: Any, source: Any, target: Path, frames: int) -> None:
    if target.suffix == ".jpg":
        picture.flatten(background=[255, 255, 255]).jpegsave(str(target), Q=85, keep="none")
        return
    if frames > 1:
        picture = picture.copy()
        picture.set_type(pyvips.GValue.gint_type, "page-height", picture.height // frames)
        for name in ("delay", "loop"):
            if source.get_typeof(name):
                picture.set(name, source.get(name))
    picture.write_to_file(str(target), **({} if target.suffix == ".gif" else {"keep": "none"}))


def _apply(picture: Any, spec: dict[str, Any]) -> Any:
    overlay = _watermark(picture, spec) if spec["kind"] == "wm" else None
    return picture.composite2(overlay, "over") if overlay is not None else _with_stamp(picture, spec["blocks"])


# -- watermark ---------------------------------------------------------------------------------------------------------


def _watermark(picture: Any, spec: dict[str, Any]) -> Any:
    """The collection's watermark picture, fitted and centred; otherwise two diagonals and the collection's name four
    times."""
    width, height = picture.width, picture.height
    if not spec.get("picture"):
        return _diagonals(width, height, spec["text"])
    logo = pyvips.Image.thumbnail(spec["picture"], width, height=height, size="both").colourspace("srgb").cast("uchar")
    logo = logo.copy_memory()  # read twice: for its alpha and for the overlay
    if not logo.hasalpha():
        logo = logo.bandjoin(round(255 * WATERMARK_OPACITY))
    if logo.extract_band(logo.bands - 1).max() == 0:
        raise EmptyOverlay("The watermark of this collection is transparent: choose another picture.")
    return logo.gravity("centre", width, height, extend="background", background=[0, 0, 0, 0])


def _diagonals(width: int, height: int, text: str) -> Any:
    stroke = max(1.0, min(width, height) / 220)
    size = max(8.0, min(height / 14, width * 0.42 / (0.62 * max(4, len(text)))))
    places = [(x, y) for y in (0.25, 0.75) for x in (0.25, 0.75)]
    words = "".join(
        f'<text x="{width * x:.1f}" y="{height * y:.1f}" text-anchor="middle" paint-order="stroke" '
        f'stroke="#000" stroke-opacity=".45" stroke-width="{stroke * 1.6:.2f}">{escape(text)}</text>'
        for x, y in places
    )
    lines = "".join(
        f'<path d="M0 {start}L{width} {end}" stroke="{colour}" stroke-opacity="{veil}" stroke-width="{thick:.2f}"/>'
        for start, end in ((0, height), (height, 0))
        for colour, veil, thick in (("#000", 0.35, stroke * 2), ("#fff", 0.6, stroke))
    )
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">{lines}'
        f'<g font-family="sans-serif" font-weight="600" font-size="{size:.1f}" fill="#fff" fill-opacity=".75">'
        f"{words}</g></svg>"
    )
    return pyvips.Image.svgload_buffer(drawing.encode()).crop(0, 0, width, height)


# -- stamp -------------------------------------------------------------------------------------------------------------


def _with_stamp(picture: Any, blocks: list[dict[str, Any]]) -> Any:
    width, height = picture.width, picture.height
    bars = {place: [_block(block, width) for block in blocks if block["place"] == place] for place in ("TOP", "BOTTOM")}
    bars_height = sum(bar.height for stack in bars.values() for bar in stack)
    if bars_height > height * LARGEST_BARS:
        scale = height * LARGEST_BARS / bars_height
        bars = {place: [_shrink_bar(bar, width, scale) for bar in stack] for place, stack in bars.items()}
        bars_height = sum(bar.height for stack in bars.values() for bar in stack)
    content_height = max(1, height - bars_height)
    content = picture.thumbnail_image(width, height=content_height, size="down") if bars_height else picture
    for block in blocks:
        if block["place"].endswith("-OVER"):
            content = _over(content, block)
    if not bars_height:
        return content
    paper = _colour(blocks[0]["background"]) if blocks else [255, 255, 255]
    content = content.gravity("centre", width, content_height, extend="background", background=[*paper, 255])
    return _stack([*bars["TOP"], content, *bars["BOTTOM"]])


def _stack(parts: list[Any]) -> Any:
    """Join parts of one width vertically."""
    joined = parts[0]
    for part in parts[1:]:
        joined = joined.join(part, "vertical")
    return joined


def _shrink_bar(bar: Any, width: int, scale: float) -> Any:
    resized = bar.resize(scale)
    paper = bar(0, 0)
    return resized.gravity("west", width, resized.height, extend="background", background=paper).cast("uchar")


def _over(picture: Any, block: dict[str, Any]) -> Any:
    bar = _block(block, picture.width)
    if bar.height > picture.height * LARGEST_BARS:
        bar = _shrink_bar(bar, picture.width, picture.height * LARGEST_BARS / bar.height)
    paper, veil = _colour(block["background"]), 0.6
    inked = (bar.extract_band(0, n=3) - paper).abs().bandmean() * 4
    least = round(255 * veil)
    alpha = (inked > 255).ifthenelse(255, (inked < least).ifthenelse(least, inked)).cast("uchar")
    bar = bar.extract_band(0, n=3).bandjoin(alpha)
    y = 0 if block["place"] == "TOP-OVER" else picture.height - bar.height
    return picture.composite2(bar.copy(interpretation="srgb"), "over", x=0, y=y)


def _block(block: dict[str, Any], width: int) -> Any:
    """One bar as wide as the picture: a logo on the left and text beside it, on the bar's background colour."""
    size = max(9, round(width * LIGHTEST_BAR))
    pad = max(2, round(width * 0.012))
    paper, ink = _colour(block["background"]), _colour(block["colour"])
    logo = None
    if block.get("logo"):
        tall = max(size * 2, round(width * 0.05))
        logo = pyvips.Image.thumbnail(block["logo"], round(width * 0.3), height=tall, size="both")
        logo = logo.colourspace("srgb").cast("uchar").copy_memory()
        logo = logo.flatten(background=paper) if logo.hasalpha() else logo
    text = _text(block["lines"], size, width - 2 * pad - (logo.width + pad if logo else 0), block["align"])
    tall = max(text.height if text else 0, logo.height if logo else 0) + 2 * pad
    bar = pyvips.Image.black(width, tall, bands=3).copy(interpretation="srgb") + paper
    bar = bar.cast("uchar").copy(interpretation="srgb")
    left = pad
    if logo is not None:
        bar = bar.insert(logo, pad, (tall - logo.height) // 2)
        left += logo.width + pad
    if text is not None:
        spare = width - pad - left - text.width
        at = left + {"left": 0, "centre": spare // 2, "right": spare}[block["align"]]
        inked = pyvips.Image.black(text.width, text.height, bands=3) + ink
        inked = inked.cast("uchar").bandjoin(text).copy(interpretation="srgb")
        bar = bar.composite2(inked, "over", x=at, y=(tall - text.height) // 2)
        bar = bar.extract_band(0, n=3)
    return bar.bandjoin(255).copy(interpretation="srgb").cast("uchar")


def _text(lines: list[str], size: int, available: int, align: str) -> Any | None:
    joined = "\n".join(line for line in lines if line.strip())
    if not joined or available < size:
        return None
    rendered = pyvips.Image.text(escape(joined), font=f"sans {size}", dpi=72, width=available, align=_ALIGN[align])
    if rendered.max() == 0:
        raise EmptyOverlay("The text of the stamp cannot be written: this server has no font for it.")
    return rendered


def _colour(text: str) -> list[int]:
    """Parse `#rrggbb` into three numbers."""
    return [int(text[place : place + 2], 16) for place in (1, 3, 5)]
