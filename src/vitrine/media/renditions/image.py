"""Pictures from pictures, by libvips; imported in the child only.

The largest is made from the source with shrink-on-load, the others from the one before: a cascade costs little more
than its first step.
"""

from typing import Any

import pyvips

from vitrine.media.errors import Undecodable
from vitrine.media.renditions.make import Result, made, target_of

pyvips.cache_set_max(0)
PAPER = [255, 255, 255]


def from_picture(source: str, specs: list[dict[str, Any]], into: str) -> list[Result]:
    """JPEG renditions: turned upright, in sRGB, without metadata, never enlarged, transparency on white."""
    ordered = sorted(specs, key=lambda one: -one["size"])
    try:
        size = ordered[0]["size"]
        # `size="down"` never enlarges. A picture with a profile is converted to sRGB, so that wide-gamut ones stay
        # right; without one the conversion would change nothing and cost more than all the rest.
        has_profile = pyvips.Image.new_from_file(source, access="sequential").get_typeof("icc-profile-data")
        colour = {"export_profile": "srgb", "intent": "perceptual"} if has_profile else {}
        first = pyvips.Image.thumbnail(source, size, height=size, size="down", fail_on="truncated", **colour)
        return write_cascade(_flat(first).copy_memory(), ordered, into)
    except pyvips.Error as failure:
        why = str(failure).replace("\n", " ")[:300]
        raise Undecodable("The picture is damaged or cut off.", why=why) from failure


def write_cascade(picture: Any, ordered: list[dict[str, Any]], into: str) -> list[Result]:
    """Save *picture* (in memory, upright, sRGB, already in the first box) in every size of *ordered*."""
    results = []
    for spec in ordered:
        if max(picture.width, picture.height) > spec["size"]:
            picture = picture.thumbnail_image(spec["size"], height=spec["size"], size="down").copy_memory()
        target = target_of(into, spec["name"], "jpg")
        picture.jpegsave(str(target), Q=spec["quality"], keep="none", interlace=False)
        results.append(made(spec["name"], target, "image/jpeg", picture.width, picture.height))
    return results


def _flat(picture: Any) -> Any:
    if picture.hasalpha():
        picture = picture.flatten(background=PAPER)
    if picture.interpretation not in ("srgb", "b-w"):
        picture = picture.colourspace("srgb")
    return picture.cast("uchar")
