"""Write metadata into copies of files: XMP (and IPTC for JPEG), without changing a pixel or a sample.

Each module writes one container. Used for the files of the demonstration.
"""

from collections.abc import Callable
from pathlib import Path

from vitrine.errors import Invalid
from vitrine.media.metadata.read.png import SIGNATURE as PNG_SIGNATURE
from vitrine.media.metadata.write import jpeg, mp3, mp4, png
from vitrine.media.metadata.write.model import EmbeddedFacts
from vitrine.media.metadata.write.xmp import packet

__all__ = ["EmbeddedFacts", "packet", "write_metadata"]

# Where a signature stands in the file, its valid forms, and the writer of that container.
_WRITERS: tuple[tuple[int, tuple[bytes, ...], Callable[[bytes, EmbeddedFacts], bytes]], ...] = (
    (0, (jpeg.SIGNATURE,), jpeg.write),
    (0, (PNG_SIGNATURE,), png.write),
    (4, (b"ftyp",), mp4.write),
    (0, (b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"), mp3.write),
)


def write_metadata(source: Path, target: Path, facts: EmbeddedFacts) -> None:
    """Copy *source* to *target* with *facts*; existing metadata blocks of the same kind are replaced.

    Raises Invalid for a file that is neither JPEG, PNG, MP4 nor MP3.
    """
    data = source.read_bytes()
    write = next((writer for start, forms, writer in _WRITERS if data.startswith(forms, start)), None)
    if write is None:
        raise Invalid(f"Metadata cannot be written into {source.name}.", field="file")
    temporary = target.with_name(target.name + ".new")
    temporary.write_bytes(write(data, facts))
    temporary.replace(target)
