"""A hot folder, and the rules about its path."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NewType

from vitrine.errors import Invalid
from vitrine.library.model import CollectionId

HotFolderId = NewType("HotFolderId", int)
MARKERS = (".vitrine", ".phrasea.xml")
ARCHIVED, ERROR = "_archived", "_error"
MOST_FOLDERS = 100
LONGEST_PATH, LONGEST_MASK = 1000, 200


@dataclass(frozen=True, slots=True)
class HotFolder:
    """Files of *path* that fit *mask* go to a collection, with the values of sidecars that fit *sidecar_mask*. Masks
    are separated by `;`. What was taken is moved to `_archived`, or deleted if *deletes*. *fault* says why the folder
    cannot be used at the moment, empty if it can. *holder* is the worker that looks after it; its files become records
    in the name of *delegation_id*, who changed it last."""

    id: HotFolderId
    path: str
    collection_id: CollectionId
    mask: str
    sidecar_mask: str
    deletes: bool
    is_enabled: bool
    fault: str
    taken: int
    failed: int
    last_taken: datetime | None
    holder: str | None
    delegation_id: int | None
    revision: int
    created: datetime
    updated: datetime


def root_of(path: str, roots: Iterable[str]) -> Path | None:
    """The allowed root that a path lies in, None if there is none."""
    return next((Path(root) for root in roots if Path(path).is_relative_to(root)), None)


def checked_path(text: str, roots: tuple[str, ...], data_dir: Path) -> str:
    """A path as it is stored. Raises Invalid for one that is not absolute and plain, lies in no root, is reached by a
    symbolic link below its root, or overlaps the folder of the instance."""
    path = text.rstrip("/") or text[:1]
    if len(path) > LONGEST_PATH or not path.isprintable() or os.path.normpath(path) != path or not path.startswith("/"):
        raise Invalid(f"path must be absolute, without . and .., of at most {LONGEST_PATH} characters.", field="path")
    root = root_of(path, roots)
    if root is None:
        raise Invalid(f"path must lie in a folder that the operator allows: {', '.join(roots)}.", field="path")
    within, instance = Path(path).relative_to(root), data_dir.resolve()
    real = root.resolve() / within
    if real.resolve() != real:
        raise Invalid("path is reached by a symbolic link. Name the folder itself.", field="path")
    if overlap(real, instance):
        raise Invalid("path overlaps the data folder of this server.", field="path")
    return path


def overlap(path: Path, other: Path) -> bool:
    return path.is_relative_to(other) or other.is_relative_to(path)


def checked_mask(text: str, name: str, *, may_be_empty: bool = False) -> str:
    """Masks as they are stored. Raises Invalid."""
    masks = [mask.strip() for mask in text.split(";") if mask.strip()]
    if (not masks and not may_be_empty) or len(text) > LONGEST_MASK or not text.isprintable() or "/" in text:
        raise Invalid(
            f"{name} must be masks of names such as *.jpg;*.tif, at most {LONGEST_MASK} characters.", field=name
        )
    return ";".join(masks)
