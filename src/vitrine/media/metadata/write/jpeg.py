"""Metadata of JPEG files: XMP and IPTC segments."""

from io import BytesIO

from vitrine.errors import Invalid
from vitrine.media.metadata.read import jpeg
from vitrine.media.metadata.write import iptc, xmp
from vitrine.media.metadata.write.model import EmbeddedFacts

SIGNATURE = b"\xff\xd8"
LONGEST_SEGMENT = 65_533


def write(data: bytes, facts: EmbeddedFacts) -> bytes:
    """The file with an XMP segment and an IPTC segment after its JFIF and EXIF segments. Raises Invalid for too much
    metadata."""
    file = BytesIO(data)
    segments = jpeg.segments(file)
    # The file is positioned after the marker of the first segment with image data.
    image_data = data[file.tell() - 2 :]
    other_segments = [(marker, body) for marker, body in segments if not body.startswith((jpeg.XMP, jpeg.PHOTOSHOP))]
    new_segments = [
        (jpeg.APP1, jpeg.XMP + xmp.packet(facts)),
        (jpeg.APP13, jpeg.PHOTOSHOP + iptc.photoshop_resource(facts)),
    ]
    position = next(
        (i for i, (marker, body) in enumerate(other_segments) if marker != 0xE0 and not body.startswith(jpeg.EXIF)),
        len(other_segments),
    )
    out = SIGNATURE
    for marker, body in [*other_segments[:position], *new_segments, *other_segments[position:]]:
        if len(body) > LONGEST_SEGMENT:
            raise Invalid("There is too much metadata for a JPEG file.", field="file")
        out += bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body
    return out + image_data
