"""Which hot folders there are: administrators decide, inside of what the operator's settings allow."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitrine.accounts import Actor, Via
from vitrine.errors import Invalid
from vitrine.library.errors import ChangedMeanwhile, MayNotAdd
from vitrine.library.hot_folders import store
from vitrine.library.hot_folders.errors import (
    HotFolderOverlaps,
    HotFoldersOff,
    NoSuchHotFolder,
    TooManyHotFolders,
)
from vitrine.library.hot_folders.model import (
    MOST_FOLDERS,
    HotFolder,
    HotFolderId,
    checked_mask,
    checked_path,
    overlap,
)
from vitrine.library.ingest import Ingest
from vitrine.library.model import CollectionId
from vitrine.library.structure_administration import StructureAdministration
from vitrine.oauth.delegation import AuthorityEnded, Delegations
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork

SCOPE = "upload"  # what a token needs besides
USUAL = {"mask": "*", "sidecar_mask": "*.xmp", "deletes": False, "is_enabled": True}
_KINDS: Mapping[str, type] = {
    "path": str, "collection_id": int, "mask": str, "sidecar_mask": str, "deletes": bool, "is_enabled": bool,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class HotFolders:
    """Every method requires an administrator, and raises MayNotAdminister. *roots* are the folders of the setting
    `hot_folder_roots`."""

    ingest: Ingest
    delegations: Delegations
    roots: tuple[str, ...]
    data_dir: Path

    def page(self, work: UnitOfWork, actor: Actor, *, after: int = 0, limit: int = MOST_FOLDERS) -> list[HotFolder]:
        """In the order in which they were made; there are at most MOST_FOLDERS."""
        StructureAdministration.require_administrator(actor)
        return store.page(work, after, limit)

    def get(self, work: UnitOfWork, actor: Actor, folder_id: int) -> HotFolder:
        """Raises NoSuchHotFolder."""
        StructureAdministration.require_administrator(actor)
        folder = store.get(work, HotFolderId(folder_id)) if 0 < folder_id < 2**63 else None
        if folder is None:
            raise NoSuchHotFolder(f"There is no hot folder {folder_id}.")
        return folder

    def add(self, work: UnitOfWork, actor: Actor, given: Mapping[str, Any]) -> HotFolder:
        """Make a hot folder, whose files become records in the name of the actor. Also requires the right to add
        records to its collection, and of a token the scope for it.

        Raises HotFoldersOff, TooManyHotFolders, HotFolderOverlaps, Invalid, NoSuchCollection or MayNotAdd."""
        StructureAdministration.require_administrator(actor)
        for name in ("path", "collection_id"):
            if given.get(name) is None:
                member = "base_id" if name == "collection_id" else name
                raise Invalid(f"{member} is missing.", field=member)
        values = {**USUAL, **self._checked(work, actor, given)}
        if len(store.page(work, 0, MOST_FOLDERS)) >= MOST_FOLDERS:
            raise TooManyHotFolders(f"There can be at most {MOST_FOLDERS} hot folders.")
        values["delegation_id"] = self.delegations.add(work, actor, lasting=True)
        folder = self.get(work, actor, store.add(work, values))
        audit.write(work, actor, "hot_folder.added", f"hot folder {folder.id}", _details(values))
        return folder

    def change(
        self, work: UnitOfWork, actor: Actor, folder_id: int, given: Mapping[str, Any], expected: int | None = None
    ) -> HotFolder:
        """Change what is given; from now on it acts in the name of the actor. Raises what `add` raises, and
        ChangedMeanwhile where its revision is not *expected*."""
        folder = self.get(work, actor, folder_id)
        if expected is not None and folder.revision != expected:
            raise ChangedMeanwhile("Somebody changed this hot folder in the meantime: read it again.")
        values = self._checked(work, actor, given, folder)
        if values:
            delegation = self.delegations.add(work, actor, lasting=True)
            store.change(work, folder.id, {**values, "fault": "", "delegation_id": delegation})
            self._end(work, folder)
            audit.write(work, actor, "hot_folder.changed", f"hot folder {folder.id}", _details(values))
        return self.get(work, actor, folder_id)

    def delete(self, work: UnitOfWork, actor: Actor, folder_id: int) -> None:
        """No more of its files are taken; files and records stay. Raises NoSuchHotFolder."""
        folder = self.get(work, actor, folder_id)
        store.delete(work, folder.id)
        self._end(work, folder)
        audit.write(work, actor, "hot_folder.deleted", f"hot folder {folder.id}", {"path": folder.path})

    def permit(self, actor: Actor) -> None:
        StructureAdministration.require_administrator(actor)

    def acting(self, work: UnitOfWork, folder: HotFolder) -> Actor:
        """In whose name its files become records, with the rights of this moment. Raises AuthorityEnded, or
        MayNotAdminister for who is no administrator any more."""
        if folder.delegation_id is None:
            raise AuthorityEnded("Nobody stands for this hot folder any more: an administrator has to change it.")
        actor = self.delegations.actor(work, folder.delegation_id, (SCOPE,))
        if actor.via is not Via.COMMAND:
            StructureAdministration.require_administrator(actor)
        return actor

    def _end(self, work: UnitOfWork, folder: HotFolder) -> None:
        if folder.delegation_id is not None:
            self.delegations.end(work, folder.delegation_id)

    def _checked(
        self, work: UnitOfWork, actor: Actor, given: Mapping[str, Any], folder: HotFolder | None = None
    ) -> dict[str, Any]:
        if actor.scope is not None and SCOPE not in actor.scope:
            raise MayNotAdd(f"The token needs the scope {SCOPE} for this.", why="scope")
        values: dict[str, Any] = {}
        for name, value in given.items():
            if value is None:
                continue
            if type(value) is not _KINDS[name]:
                raise Invalid(f"The value of {name} has the wrong type.", field=name)
            values[name] = value
        if "path" in values:
            values["path"] = self._path(work, values["path"], folder)
        into = values.get("collection_id", folder and folder.collection_id)
        if into is not None:
            collection = self.ingest.permit(work, actor, CollectionId(into))
            if "collection_id" in values:
                values["collection_id"] = collection.id
        if "mask" in values:
            values["mask"] = checked_mask(values["mask"], "mask")
        if "sidecar_mask" in values:
            values["sidecar_mask"] = checked_mask(values["sidecar_mask"], "sidecar_mask", may_be_empty=True)
        return values

    def _path(self, work: UnitOfWork, text: str, folder: HotFolder | None) -> str:
        if not self.roots:
            raise HotFoldersOff(
                "The operator allows no hot folders on this server: the setting hot_folder_roots is empty."
            )
        path = checked_path(text, self.roots, self.data_dir)
        for other in store.page(work, 0, MOST_FOLDERS):
            if (folder is None or other.id != folder.id) and overlap(Path(path), Path(other.path)):
                raise HotFolderOverlaps(f"This path overlaps hot folder {other.id}, {other.path}.", field="path")
        return path


def _details(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in _KINDS}
