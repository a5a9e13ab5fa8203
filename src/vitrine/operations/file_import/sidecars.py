"""XMP sidecars: `a.jpg.xmp` or `a.xmp` beside `a.jpg`, in any case of letters."""

import fnmatch
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from vitrine.errors import Invalid
from vitrine.media.service import Media
from vitrine.platform.texts import readable_name

USUAL_MASK = "*.xmp"
MOST_BYTES = 4 * 2**20


def is_sidecar_name(name: str, mask: str = USUAL_MASK) -> bool:
    """Is a file of this name a sidecar, if *mask* (several are separated by `;`) is for sidecars?"""
    return matches(name, mask)


def matches(name: str, masks: str) -> bool:
    """Does a name fit one of the masks (`*.jpg;*.tif`), whatever the case of letters?"""
    folded = name.casefold()
    return any(fnmatch.fnmatchcase(folded, mask.strip().casefold()) for mask in masks.split(";") if mask.strip())


class SidecarIndex:
    """The sidecars of one folder."""

    def __init__(self, names: Iterable[str], mask: str = USUAL_MASK) -> None:
        self._by_base: dict[str, list[str]] = {}
        for name in names:
            if is_sidecar_name(name, mask):
                self._by_base.setdefault(_base(name).casefold(), []).append(name)

    @classmethod
    def of_folder(cls, folder: Path) -> "SidecarIndex":
        """Empty for a folder that cannot be read."""
        try:
            return cls(entry.name for entry in folder.iterdir())
        except OSError:
            return cls(())

    def find(self, name: str) -> str | None:
        """The sidecar of the file *name*: one with its whole name before one with its stem, one written like the file
        before other cases of letters."""
        bases = (name, _base(name))
        ranked = [
            (rank, _base(sidecar) != base, sidecar)
            for rank, base in enumerate(dict.fromkeys(bases))
            for sidecar in self._by_base.get(base.casefold(), ())
            if sidecar != name
        ]
        return min(ranked)[2] if ranked else None


def _base(name: str) -> str:
    return name.rpartition(".")[0] or name


def read(media: Media, path: str | Path, *, within: int | None = None) -> dict[str, list[str]]:
    """The properties of a sidecar as `XMP-dc:Title` -> values, read in the sandbox; *path* may be relative to the open
    folder *within*. Links are not followed. Raises Invalid, or a MediaError for one that is damaged."""
    name = readable_name(os.fsencode(Path(path).name))[0]
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=within)
    except OSError as failure:
        raise Invalid(f"{name} cannot be read ({os.strerror(failure.errno or 0)}).") from failure
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Invalid(f"{name} is not a file.")
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise Invalid(f"{name} has more than {MOST_BYTES >> 20} MiB.")
    return media.read_sidecar(content)
