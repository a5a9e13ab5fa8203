"""Rules on the size of a picture, from its header alone."""

from vitrine.media.errors import TooManyPixels


def refuse_decompression_bomb(width: int, height: int, max_pixels: int) -> None:
    """Raises TooManyPixels for a picture that must not be decoded."""
    if width * height > max_pixels:
        raise TooManyPixels(
            "The picture has {width} × {height} pixels; this server takes at most {most} million.",
            field="file",
            values={"width": width, "height": height, "most": max_pixels // 1_000_000},
        )


def thumbnail_orientation(width: int, height: int) -> str:
    """ThumbnailOrientation: L landscape, P portrait, S square (04 section 8)."""
    return "L" if width > height else "P" if height > width else "S"
