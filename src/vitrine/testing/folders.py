"""Where tests write what nobody keeps: in memory, where the machine has enough of it.

Every server of a test has a key, a database and an index of its own. On a disk each of them waits until the disk has
them, and the copies of databases alone are gigabytes; no test cuts the power.
"""

import shutil
from pathlib import Path
from tempfile import gettempdir, mkdtemp

_IN_MEMORY = Path("/dev/shm")
_ROOM_BYTES = 4 * 2**30


def parent() -> Path:
    """The folder for temporary folders."""
    has_room = _IN_MEMORY.is_dir() and shutil.disk_usage(_IN_MEMORY).free >= _ROOM_BYTES
    return _IN_MEMORY if has_room else Path(gettempdir())


def temporary(prefix: str) -> Path:
    """A new folder, which the caller removes."""
    return Path(mkdtemp(prefix=prefix, dir=parent()))
