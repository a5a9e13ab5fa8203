"""The thumbnail that an office program embedded in its file; imported only in the child.

Office documents are not laid out: a preview that differs from what the author sees would mislead.
"""

import zipfile
from typing import Any

import pyvips

from vitrine.media.errors import NoMaker, Undecodable
from vitrine.media.probe.office import thumbnail
from vitrine.media.renditions.image import write_cascade
from vitrine.media.renditions.make import Result, Source


def thumbnails(source: Source, specs: list[dict[str, Any]], into: str) -> list[Result]:
    """The embedded thumbnail, never enlarged. Raises NoMaker if there is none."""
    ordered = sorted(specs, key=lambda spec: -spec["size"])
    try:
        with zipfile.ZipFile(source.path) as package:
            data = thumbnail(package)
        if not data:
            raise NoMaker("The document holds no picture of itself.")
        size = ordered[0]["size"]
        picture = pyvips.Image.thumbnail_buffer(data, size, height=size, size="down").copy_memory()
    except (zipfile.BadZipFile, OSError, pyvips.Error) as failure:
        raise Undecodable("The document is damaged.", why=str(failure)[:300]) from failure
    return write_cascade(picture, ordered, into)
