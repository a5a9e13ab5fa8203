"""Rendition recipes of a databox (contract 06 section 9). Requires `bas_modify_struct` on that very databox.

A recipe that is new or makes something else than before begins a task that makes the files of all records again.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from vitrine.accounts import Actor
from vitrine.errors import Conflict, Invalid
from vitrine.library import structure_store
from vitrine.library.errors import InUse, NoSuchRecipe
from vitrine.library.events import StructureChanged
from vitrine.library.model import DOCUMENT, PREVIEW, THUMBNAIL, DataboxId, Recipe
from vitrine.library.structure import tasks
from vitrine.library.structure.checks import (
    boolean,
    differences,
    known_only,
    labels_of,
    one_of,
    require_revision,
)
from vitrine.library.structure.editor import StructureEditor
from vitrine.library.structure.task_store import Task
from vitrine.media.renditions import AUDIO, GIF, IMAGE, PDF, VIDEO
from vitrine.platform.database import UnitOfWork

GROUPS = ("image", "video", "audio", "document", "flash")
CLASSES = (THUMBNAIL, PREVIEW, DOCUMENT)
DEVICES = ("all", "screen", "handheld", "print", "projection", "tv")
MADE = (IMAGE, GIF, VIDEO, AUDIO, PDF)
FILLED_BY_HAND = ("flexpaper", "unknown")
REQUIRED = (THUMBNAIL, PREVIEW)  # every interface relies on these names
MOST_RECIPES = 50  # of one group
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_PICTURE = {
    "size": (20, 10_000), "quality": (1, 100), "resolution": (50, 1000), "strip": None, "flatten": None,
    "icodec": ("jpeg", "png", "tiff"), "watermark": None, "watermarktext": "", "watermarkrid": "",
    "backgroundcolor": "",
}  # fmt: skip
_SOUND = {
    "audiobitrate": (32, 320), "audiosamplerate": (8000, 96_000), "audiochannel": ("mono", "stereo"),
    "threads": (0, 64), "acodec": ("libmp3lame", "mp3", "flac", "pcm_s16le", "libvorbis", "libopus", "aac"),
}  # fmt: skip
# By media type, its options: a range of numbers, a choice of texts, None for a switch, "" for any short text.
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    IMAGE: _PICTURE,
    GIF: {**_PICTURE, "delay": (50, 500)},
    VIDEO: {
        **_SOUND, "size": (64, 2000), "bitrate": (100, 12_000), "fps": (1, 200), "GOPsize": (1, 300),
        "vcodec": ("libx264", "libvpx", "libvpx-vp9"),
    },
    AUDIO: _SOUND,
    PDF: {"size": (20, 10_000)},
    "flexpaper": {},
    "unknown": {},
}  # fmt: skip
ATTRIBUTES = (
    "klass", "mediatype", "devices", "labels", "options", "presets", "downloadable", "orderable", "substituable",
    "tobuild",
)  # fmt: skip
REMADE = frozenset({"mediatype", "options", "tobuild"})


@dataclass(frozen=True, slots=True)
class RecipeAdministration:
    editor: StructureEditor

    def listed(self, work: UnitOfWork, actor: Actor, databox: DataboxId) -> list[Recipe]:
        self.editor.permit_structure(work, actor, databox)
        everything = self.editor.records.structure(work).recipes
        return [recipe for (box, _, _), recipe in everything.items() if box == databox]

    def by_id(self, work: UnitOfWork, actor: Actor, databox: DataboxId, recipe_id: int) -> Recipe:
        """Raises NoSuchRecipe."""
        for recipe in self.listed(work, actor, databox):
            if recipe.id == recipe_id:
                return recipe
        raise NoSuchRecipe(f"This databox has no rendition recipe {recipe_id}.", field="recipe_id")

    def add(
        self, work: UnitOfWork, actor: Actor, databox: DataboxId, group: str, name: str, given: Mapping[str, Any]
    ) -> tuple[Recipe, Task | None]:
        """A new recipe, and the task that makes its files for existing records. Raises Invalid or Conflict."""
        self.editor.permit_structure(work, actor, databox)
        one_of(group, GROUPS, field="group")
        if name == DOCUMENT or not _NAME.fullmatch(name):
            raise Invalid(
                "A name has 1 to 64 letters from a to z, digits, - and _, and begins with a letter; document is the "
                "original itself.",
                field="name",
            )
        structure = self.editor.records.structure(work)
        if structure.recipe(databox, group, name) is not None:
            raise Conflict(f"There is a rendition called {name} for this kind already.", field="name")
        siblings = structure.recipes_for(databox, group)
        if len(siblings) >= MOST_RECIPES:
            raise Conflict(f"There are at most {MOST_RECIPES} renditions of a kind.", field="name")
        columns = _columns(group, name, given, None)
        values = {"group": group, "name": name, "position": len(siblings), **columns}
        structure_store.add_recipe(work, databox, values)
        added = self._saved(work, actor, databox, group, name, "recipe.created", ({}, columns))
        return added, self._remake(work, actor, added) if added.tobuild else None

    def change(
        self, work: UnitOfWork, actor: Actor, databox: DataboxId, group: str, name: str, given: Mapping[str, Any],
        *, expected: int | None = None,
    ) -> tuple[Recipe, Task | None]:  # fmt: skip
        """Set some attributes; returns also the task that makes the files again, if they will be others."""
        self.editor.permit_structure(work, actor, databox)
        before = self._existing(work, databox, group, name)
        require_revision(before.revision, expected)
        old, new = differences(_shown(before), _columns(group, name, given, before))
        if not new:
            return before, None
        structure_store.update_recipe(work, databox, group, name, new)
        after = self._saved(work, actor, databox, group, name, "recipe.changed", (old, new))
        is_remade = after.tobuild and bool(REMADE & new.keys())
        return after, self._remake(work, actor, after) if is_remade else None

    def order(
        self, work: UnitOfWork, actor: Actor, databox: DataboxId, group: str, names: Sequence[str]
    ) -> list[Recipe]:
        """Put the recipes of a group in the order of *names*, which has each once."""
        self.editor.permit_structure(work, actor, databox)
        before = [recipe.name for recipe in self.editor.records.structure(work).recipes_for(databox, group)]
        if any(not isinstance(name, str) for name in names) or sorted(names) != sorted(before):
            raise Invalid("Give the names of all of them, each once, in the new order.", field="order")
        structure_store.order_recipes(work, databox, group, names)
        structure_store.increase_version(work)
        if list(names) != before:
            self._note(work, actor, databox, group, "recipe.ordered", ({"order": before}, {"order": list(names)}))
        return list(self.editor.records.structure(work).recipes_for(databox, group))

    def delete(
        self, work: UnitOfWork, actor: Actor, databox: DataboxId, group: str, name: str, *, expected: int | None = None
    ) -> Task:
        """Nobody gets its files any more; the task that is returned deletes them. Raises InUse for thumbnail and
        preview."""
        self.editor.permit_structure(work, actor, databox)
        before = self._existing(work, databox, group, name)
        require_revision(before.revision, expected)
        if name in REQUIRED:
            raise InUse(f"Every kind of document needs a {name}: change it instead.", field="name")
        structure_store.delete_recipe(work, databox, group, name)
        structure_store.increase_version(work)
        self._note(work, actor, databox, f"{group}/{name}", "recipe.deleted", (_shown(before), {}))
        return self.editor.tasks.begin(work, actor, databox, tasks.DELETE_RENDITIONS, {"group": group, "name": name})

    def remake(self, work: UnitOfWork, actor: Actor, databox: DataboxId, group: str, name: str) -> Task:
        """Make the files of a recipe again without a change to it, after a maker became better for example."""
        self.editor.permit_structure(work, actor, databox)
        recipe = self._existing(work, databox, group, name)
        if not recipe.tobuild:
            raise InUse("Files of this rendition are put in by hand; there is nothing to make.", field="name")
        return self._remake(work, actor, recipe)

    def _remake(self, work: UnitOfWork, actor: Actor, recipe: Recipe) -> Task:
        details = {"group": recipe.group, "name": recipe.name}
        return self.editor.tasks.begin(work, actor, recipe.databox_id, tasks.MAKE_RENDITIONS, details)

    def _existing(self, work: UnitOfWork, databox: DataboxId, group: str, name: str) -> Recipe:
        recipe = self.editor.records.structure(work).recipe(databox, group, name)
        if recipe is None:
            raise NoSuchRecipe(f"This databox has no rendition {name} for {group}.", field="name")
        return recipe

    def _saved(
        self, work: UnitOfWork, actor: Actor, databox: DataboxId, group: str, name: str, action: str,
        change: tuple[Mapping[str, Any], Mapping[str, Any]],
    ) -> Recipe:  # fmt: skip
        structure_store.increase_version(work)
        self._note(work, actor, databox, f"{group}/{name}", action, change)
        return self._existing(work, databox, group, name)

    def _note(
        self, work: UnitOfWork, actor: Actor, databox: DataboxId, name: str, action: str,
        change: tuple[Mapping[str, Any], Mapping[str, Any]],
    ) -> None:  # fmt: skip
        before, after = change
        work.emit(StructureChanged(databox, "recipe", name, actor.user_id, before, after))
        self.editor.audit(work, actor, databox, action, name, after or before)


def _columns(group: str, name: str, given: Mapping[str, Any], before: Recipe | None) -> dict[str, Any]:
    known_only(given, ATTRIBUTES)
    columns: dict[str, Any] = {}
    for column, choices in (("klass", CLASSES), ("mediatype", (*MADE, *FILLED_BY_HAND))):
        if column in given or before is None:
            columns[column] = one_of(given.get(column), choices, field="class" if column == "klass" else column)
    if name == THUMBNAIL and columns.get("klass", THUMBNAIL) != THUMBNAIL:
        raise Invalid("The thumbnail is of class thumbnail: whoever sees a record sees it.", field="class")
    if "devices" in given or before is None:
        columns["devices"] = _devices(given.get("devices", ["all"]))
    if "labels" in given or before is None:
        columns["labels"] = labels_of(given.get("labels"), before.labels if before else None)
    mediatype = columns.get("mediatype", before.mediatype if before else "")
    if "options" in given or "mediatype" in columns:
        usual = dict(before.options) if before is not None and mediatype == before.mediatype else {}
        columns["options"] = options_of(mediatype, given.get("options", usual))
    if "presets" in given:
        presets = given["presets"]
        if presets is not None and (not isinstance(presets, str) or len(presets) > 64):
            raise Invalid("presets is a text of at most 64 characters, or null.", field="presets")
        columns["presets"] = presets
    for flag in ("downloadable", "orderable", "substituable", "tobuild"):
        if flag in given:
            columns[flag] = boolean(given[flag], field=flag)
    if mediatype in FILLED_BY_HAND and columns.get("tobuild", before.tobuild if before else True):
        if columns.get("tobuild"):
            raise Invalid(f"Files of the kind {mediatype} cannot be made here: set tobuild to false.", field="tobuild")
        columns["tobuild"] = False
    return columns


def _devices(given: object) -> list[str]:
    if not isinstance(given, list | tuple) or not given:
        raise Invalid(f"devices is a list of {', '.join(DEVICES)}.", field="devices")
    return list(dict.fromkeys(one_of(device, DEVICES, field="devices") for device in given))


def options_of(mediatype: str, given: object) -> dict[str, Any]:
    """The options of a recipe. Raises Invalid for an option that its media type does not have, or a value outside its
    range: a value that is silently cut would make something else than what was asked for."""
    if not isinstance(given, Mapping):
        raise Invalid("options is an object.", field="options")
    known = OPTIONS[mediatype]
    options: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            offered = ", ".join(known) or "none"
            raise Invalid(f"{mediatype} has no option {str(name)[:40]}; it has {offered}.", field="options")
        options[name] = _option(name, value, known[name])
    return options


def _option(name: str, value: object, rule: Any) -> Any:
    if rule is None:
        return boolean(value, field=name)
    if rule == "":
        if not isinstance(value, str) or len(value) > 64:
            raise Invalid(f"{name} is a text of at most 64 characters.", field="options")
        return value
    if isinstance(rule[0], str):
        return one_of(value, rule, field="options")
    least, most = rule
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Invalid(f"{name} is a whole number from {least} to {most}.", field="options")
    return value


def _shown(recipe: Recipe) -> dict[str, Any]:
    hidden = {"id", "databox_id", "group", "name", "revision"}
    values = {entry.name: getattr(recipe, entry.name) for entry in fields(Recipe) if entry.name not in hidden}
    return {**values, "devices": list(recipe.devices), "labels": dict(recipe.labels), "options": dict(recipe.options)}
