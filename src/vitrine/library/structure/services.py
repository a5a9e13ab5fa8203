"""The administrations of the structure, made once by the composition root."""

from dataclasses import dataclass
from typing import Self

from vitrine.jobs import Jobs
from vitrine.library.records import Records
from vitrine.library.structure.collections import CollectionAdministration
from vitrine.library.structure.databoxes import DataboxAdministration
from vitrine.library.structure.editor import StructureEditor
from vitrine.library.structure.emptying import Emptying
from vitrine.library.structure.fields import FieldAdministration
from vitrine.library.structure.pictures import Pictures
from vitrine.library.structure.recipes import RecipeAdministration
from vitrine.library.structure.status_bits import StatusBitAdministration
from vitrine.library.structure.tasks import StructureTasks
from vitrine.media.service import Media
from vitrine.oauth.delegation import Delegations


@dataclass(frozen=True, slots=True)
class StructureServices:
    databoxes: DataboxAdministration
    collections: CollectionAdministration
    fields: FieldAdministration
    status_bits: StatusBitAdministration
    recipes: RecipeAdministration
    pictures: Pictures
    tasks: StructureTasks

    @classmethod
    def of(cls, records: Records, media: Media, jobs: Jobs, delegations: Delegations) -> Self:
        tasks = StructureTasks(records, jobs, Emptying(delegations))
        editor = StructureEditor(records, tasks)
        return cls(
            DataboxAdministration(editor),
            CollectionAdministration(editor),
            FieldAdministration(editor),
            StatusBitAdministration(editor),
            RecipeAdministration(editor),
            Pictures(media),
            tasks,
        )
