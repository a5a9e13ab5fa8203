"""XMP sidecars: an XMP packet in a file of its own (ISO 16684-1), run in the child."""

from vitrine.media.errors import Undecodable
from vitrine.media.metadata.read import xmp
from vitrine.media.metadata.read.tags import Tags


def read(content: bytes) -> dict[str, list[str]]:
    """The properties of a sidecar, as `Group:Tag` -> values. Raises Undecodable if it is not XMP."""
    tags = Tags()
    try:
        xmp.read(content, tags)
    except (ValueError, RecursionError) as failure:
        raise Undecodable("It is not XMP: {failure}.", values={"failure": str(failure)[:200]}) from failure
    return tags.values
