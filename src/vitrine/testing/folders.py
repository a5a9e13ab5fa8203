"""Folders in memory for what tests write and nobody keeps."""

import shutil
from pathlib import Path
from tempfile import gettempdir, mkdtemp

_IN_MEMORY = Path("/dev/shm")
_ROOM_BYTES = 4 * 2**30


def temporary(prefix: str) -> Path:
    """A new folder, in memory where the machine has enough of it: the copies of databases alone are gigabytes."""
    has_room = _IN_MEMORY.is_dir() and shutil.disk_usage(_IN_MEMORY).free >= _ROOM_BYTES
    return Path(mkdtemp(prefix=prefix, dir=_IN_MEMORY if has_room else gettempdir()))
