"""Pictures from pictures, by libvips; imported only in the child.

The largest is made from the source with shrink-on-load, each further one from the previous one: a cascade costs little
more than its first step.
"""

import re
from pathlib import Path
from typing import Any

import pyvips

from vitrine.media.errors import Undecodable
from vitrine.media.pictures import load_animation, load_picture, turned
from vitrine.media.renditions.make import Result, Source, succeeded, target_of

WHITE = [255, 255, 255]
_COLOUR = re.compile(r"#?([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})", re.I)
MM_PER_INCH = 25.4


def from_picture(source: Source, specs: list[dict[str, Any]], into: str) -> list[Result]:
    """Renditions that are upright, in sRGB, without metadata and never enlarged; the background replaces
    transparency."""
    ordered = sorted(specs, key=lambda spec: -spec["size"])
    picture = load_picture(source.path, source.mime, ordered[0]["size"])
    return write_cascade(turned(picture, ordered[0]["turn"]), ordered, into)


def write_cascade(picture: Any, ordered: list[dict[str, Any]], into: str) -> list[Result]:
    """Save *picture* (in memory, upright, sRGB, already fitted to the first size) in every size of *ordered*."""
    results = []
    try:
        for spec in ordered:
            if max(picture.width, picture.height) > spec["size"]:
                picture = picture.thumbnail_image(spec["size"], height=spec["size"], size="down").copy_memory()
            results.append(_save(picture, spec, into))
    except pyvips.Error as failure:
        why = str(failure).replace("\n", " ")[:300]
        raise Undecodable("The picture could not be made smaller.", why=why) from failure
    return results


def _save(picture: Any, spec: dict[str, Any], into: str) -> Result:
    codec = spec["codec"]
    if picture.hasalpha() and (spec["flatten"] or codec not in ("png", "tiff")):
        picture = picture.flatten(background=_background(spec["background"]))
    picture = picture.copy(xres=spec["dpi"] / MM_PER_INCH, yres=spec["dpi"] / MM_PER_INCH)
    if codec == "png":
        target, mime = target_of(into, spec["name"], "png"), "image/png"
        picture.pngsave(str(target), keep="none")
    elif codec == "tiff":
        target, mime = target_of(into, spec["name"], "tif"), "image/tiff"
        picture.tiffsave(str(target), keep="none", compression="lzw", predictor="horizontal", resunit="inch")
    else:
        target, mime = target_of(into, spec["name"], "jpg"), "image/jpeg"
        picture.jpegsave(str(target), Q=spec["quality"], keep="none", interlace=False)
    return succeeded(spec["name"], target, mime, picture.width, picture.height)


def _background(colour: str) -> list[int]:
    matched = _COLOUR.fullmatch(colour.strip())
    return [int(part, 16) for part in matched.groups()] if matched else WHITE


def animations(source: Source, specs: list[dict[str, Any]], into: str) -> list[Result]:
    """GIFs: an animated picture keeps its frames and delays; a still picture has one frame."""
    results = []
    for spec in specs:
        picture = turned(load_animation(source.path, source.mime, spec["size"]), spec["turn"])
        results.append(save_gif(picture, spec["name"], into))
    return results


def save_gif(picture: Any, name: str, into: str) -> Result:
    """Save a GIF. Frames are stacked vertically, as in libvips (`page-height`, `delay`)."""
    target = target_of(into, name, "gif")
    try:
        picture.gifsave(str(target), effort=3, keep="none")
    except pyvips.Error as failure:
        why = str(failure).replace("\n", " ")[:300]
        raise Undecodable("The moving picture could not be written.", why=why) from failure
    height = picture.get("page-height") if picture.get_typeof("page-height") else picture.height
    return succeeded(name, Path(target), "image/gif", picture.width, int(height))
