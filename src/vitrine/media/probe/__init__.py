"""Probing a file: kind, type by content, size, duration, technical data, embedded metadata.

`inspect` runs in the child and chooses the module that reads the type of file: `image`, `timed` (video and audio),
`pdf`, `office` or `plain`. The service of `vitrine.media` starts the child. Others use the three values below.
"""

from vitrine.media.probe.model import Limits, Probe, Technical

__all__ = ["Limits", "Probe", "Technical"]
