"""How a collection presents its records to the public: watermark or stamp (06 section 3), open to links or not."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from vitrine.accounts import Actor, Right, Via
from vitrine.errors import Invalid
from vitrine.library import structure_store
from vitrine.library.errors import MayNotChange
from vitrine.library.model import Collection, CollectionId
from vitrine.library.overlays import stamps
from vitrine.library.records import Records
from vitrine.library.structure.tasks import StructureTasks
from vitrine.media.service import Media
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork

CHOICES = ("none", "wm", "stamp")
LARGEST_PICTURE = 20 * 2**20


@dataclass(frozen=True, slots=True)
class Presentation:
    records: Records
    media: Media
    tasks: StructureTasks

    def keep_picture(self, source: BinaryIO | Path, name: str) -> str:
        """Store a picture for an overlay and return its digest; no unit of work may be open. Raises Invalid or a
        MediaError for a file that is no picture. The sweep may delete it until a collection refers to it."""
        with self.media.store.spool(source, LARGEST_PICTURE) as spooled:
            if self.media.probe(spooled.path, name).kind != "image":
                raise Invalid(
                    "{name} is not a picture: choose a PNG or JPEG file.", field="watermark", values={"name": name}
                )
            return self.media.store_spooled(spooled).sha256

    def with_logos(self, definition: Any, digest_of: Callable[[str], str]) -> Any:
        """The definition of a stamp, with the names of its logos replaced by what *digest_of* returns for them."""
        if not isinstance(definition, dict) or not isinstance(definition.get("blocks"), list):
            return definition
        blocks = [
            {**block, "logo": digest_of(block["logo"])}
            if isinstance(block, dict) and isinstance(block.get("logo"), str)
            else block
            for block in definition["blocks"]
        ]
        return {**definition, "blocks": blocks}

    def permit(self, work: UnitOfWork, actor: Actor, base: CollectionId) -> Collection:
        """Administrators and managers of this collection. Raises NoSuchCollection or MayNotChange."""
        collection = self.records.collection(work, base)
        allowed = actor.via is Via.COMMAND or actor.is_admin or actor.rights.on(base, Right.manage, work.now)
        if not allowed:
            raise MayNotChange("You may not change how this collection is shown.", why=f"collection {base}")
        return collection

    def set(self, work: UnitOfWork, actor: Actor, base: CollectionId, changes: dict[str, Any]) -> Collection:
        """Change any of `public_presentation`, `watermark` (a digest or None), `stamp` (a definition or None) and
        `public_by_link` (a bool: what records that are added from now on get).

        Copies made earlier are no longer used, since a copy is identified by its look.
        """
        collection = self.permit(work, actor, base)
        values = dict(changes)
        if "stamp" in values and values["stamp"] is not None:
            fields = self.records.structure(work).fields[collection.databox_id]
            values["stamp"] = msgspec.to_builtins(stamps.parse(values["stamp"], fields))
        presentation = values.get("public_presentation", collection.public_presentation)
        if presentation not in CHOICES:
            raise Invalid("The public presentation is none, wm or stamp.", field="public_presentation")
        if presentation == "stamp" and not values.get("stamp", collection.stamp):
            raise Invalid("This collection has no stamp yet: give it one first.", field="stamp")
        structure_store.update_collection(work, base, values)
        structure_store.increase_version(work)
        if presentation != collection.public_presentation:
            self.tasks.covers_changed(work, actor, collection)
        details: dict[str, Any] = {"changed": sorted(values)}
        if "public_by_link" in values:
            details["public_by_link"] = values["public_by_link"]
        audit.write(work, actor, "collection.presentation", f"collection {base}", details)
        return self.records.structure(work).collections[base]
