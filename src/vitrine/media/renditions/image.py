"""Pictures from pictures, by libvips; imported in the child only.

The largest is made from the source with shrink-on-load, the others from the one before: a cascade costs little more
than its first step.
"""

import re
from pathlib import Path
from typing import Any

import pyvips

from vitrine.media.errors import Undecodable
from vitrine.media.pictures import animation, shrunk
from vitrine.media.renditions.make import Result, Source, made, target_of

PAPER = [255, 255, 255]
_COLOUR = re.compile(r"#?([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})", re.I)
MM_PER_INCH = 25.4


def from_picture(source: Source, specs: list[dict[str, Any]], into: str) -> list[Result]:
    """Renditions turned upright, in sRGB, without metadata, never enlarged, transparency on the background."""
    ordered = sorted(specs, key=lambda one: -one["size"])
    return write_cascade(shrunk(source.path, source.mime, ordered[0]["size"]), ordered, into)


def write_cascade(picture: Any, ordered: list[dict[str, Any]], into: str) -> list[Result]:
    """Save *picture* (in memory, upright, sRGB, already in the first box) in every size of *ordered*."""
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
    return made(spec["name"], target, mime, picture.width, picture.height)


def _background(colour: str) -> list[int]:
    matched = _COLOUR.fullmatch(colour.strip())
    return [int(part, 16) for part in matched.groups()] if matched else PAPER


def animations(source: Source, specs: list[dict[str, Any]], into: str) -> list[Result]:
    """GIF: a picture that moves keeps moving, at its own pace; a still one has one frame."""
    results = []
    for spec in specs:
        picture = animation(source.path, source.mime, spec["size"])
        results.append(save_gif(picture, spec["name"], into))
    return results


def save_gif(picture: Any, name: str, into: str) -> Result:
    """Frames stand below each other, as libvips has them (`page-height`, `delay`)."""
    target = target_of(into, name, "gif")
    try:
        picture.gifsave(str(target), effort=3, keep="none")
    except pyvips.Error as failure:
        why = str(failure).replace("\n", " ")[:300]
        raise Undecodable("The moving picture could not be written.", why=why) from failure
    height = picture.get("page-height") if picture.get_typeof("page-height") else picture.height
    return made(name, Path(target), "image/gif", picture.width, int(height))
