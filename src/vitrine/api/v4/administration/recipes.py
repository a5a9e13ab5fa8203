"""Rendition recipes of a databox."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v4.administration.common import (
    LABELS,
    SCOPE,
    begun,
    databox_id,
    labels,
    members,
    permit_structure,
    tag,
    task,
)
from vitrine.api.v4.content import answer, require_tag
from vitrine.api.v4.idempotency import change
from vitrine.api.v4.paging import listed, page_of
from vitrine.api.v4.route import V4Route
from vitrine.api.v4.schemas import FLAG, NUMBER, PERHAPS_TEXT, TEXT, Schema, full_object_of, list_of, named, object_of
from vitrine.api.v4.schemas import page_of as page_schema
from vitrine.edge import bearer, listing, read, services_of, write
from vitrine.errors import Invalid
from vitrine.library.model import Recipe
from vitrine.library.structure.recipes import CLASSES, DEVICES, FILLED_BY_HAND, GROUPS, MADE
from vitrine.library.structure.task_store import Task
from vitrine.platform.database import UnitOfWork

_ATTRIBUTES: dict[str, Schema] = {
    "class": {"enum": list(CLASSES), "description": "the right that it asks for"},
    "mediatype": {"enum": [*MADE, *FILLED_BY_HAND], "description": "what is made"},
    "devices": list_of({"enum": list(DEVICES)}), "labels": LABELS,
    "options": {"type": "object", "description": "size, quality and the like, as its mediatype has them"},
    "presets": PERHAPS_TEXT, "downloadable": FLAG, "orderable": FLAG, "substituable": FLAG,
    "tobuild": {"type": "boolean", "description": "false: files are put in by hand only"},
}  # fmt: skip
_GROUP: Schema = {"enum": list(GROUPS), "description": "the type of records that it is for"}
_RECIPE = {"recipe_id": NUMBER, "databox_id": NUMBER, "group": _GROUP, "name": TEXT, **_ATTRIBUTES}
COMPONENTS = {
    "Recipe": full_object_of(**_RECIPE),
    "RecipePage": page_schema(named("Recipe")),
    "ChangedRecipe": full_object_of(
        recipe=named("Recipe"),
        task={"anyOf": [named("StructureTask"), {"type": "null"}], "description": "makes the files of records again"},
    ),
}


def _recipe(recipe: Recipe) -> dict[str, Any]:
    return {
        "recipe_id": recipe.id, "databox_id": recipe.databox_id, "group": recipe.group, "name": recipe.name,
        "class": recipe.klass, "mediatype": recipe.mediatype, "devices": list(recipe.devices),
        "labels": labels(recipe.labels), "options": dict(recipe.options), "presets": recipe.presets,
        "downloadable": recipe.downloadable, "orderable": recipe.orderable, "substituable": recipe.substituable,
        "tobuild": recipe.tobuild,
    }  # fmt: skip


def _tag(recipe: Recipe) -> str:
    return tag(recipe.revision, recipe.databox_id, recipe.id)


def _changed(recipe: Recipe, begun_task: Task | None, status: int = 200) -> Response:
    headers = {"ETag": _tag(recipe)}
    if status == 201:
        headers["Location"] = f"/api/v4/databoxes/{recipe.databox_id}/recipes/{recipe.id}"
    return answer({"recipe": _recipe(recipe), "task": begun_task and task(begun_task)}, status, headers)


def _number(request: Request) -> int:
    return int(request.path_params["recipe_id"])


def _attributes(given: dict[str, Any]) -> dict[str, Any]:
    """`class` is the word on the wire. Raises Invalid for our own word."""
    if "klass" in given:
        raise Invalid("There is no field called klass here.", field="klass")
    return {("klass" if name == "class" else name): value for name, value in given.items()}


async def every(request: Request) -> Response:
    recipes, box, page = services_of(request).library.administration.recipes, databox_id(request), page_of(request, int)
    (after,) = page.after or (0,)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        rows = sorted(recipes.listed(work, actor, box), key=lambda recipe: recipe.id)
        rest = [recipe for recipe in rows if recipe.id > after][: page.limit + 1]
        return listed(request, rest, page, lambda recipe: (recipe.id,), _recipe)

    return await listing(request, bearer, call, rows=services_of(request).library.records.structure_size)


async def make(request: Request) -> Response:
    recipes, box = services_of(request).library.administration.recipes, databox_id(request)
    given = await members(request)
    group, name = given.pop("group", None), given.pop("name", None)
    if not isinstance(group, str) or not isinstance(name, str):
        raise Invalid("A rendition needs a group and a name.", field="name" if isinstance(group, str) else "group")
    attributes = _attributes(given)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        return _changed(*recipes.add(work, actor, box, group, name, attributes), 201)

    return await change(request, call)


async def show(request: Request) -> Response:
    recipes, box, number = services_of(request).library.administration.recipes, databox_id(request), _number(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        recipe = recipes.by_id(work, actor, box, number)
        return answer(_recipe(recipe), headers={"ETag": _tag(recipe)})

    return await read(request, bearer, call)


async def set_recipe(request: Request) -> Response:
    recipes, box, number = services_of(request).library.administration.recipes, databox_id(request), _number(request)
    given = _attributes(await members(request))

    def call(work: UnitOfWork, actor: Actor) -> Response:
        before = recipes.by_id(work, actor, box, number)
        require_tag(request, _tag(before), required=True)
        return _changed(*recipes.change(work, actor, box, before.group, before.name, given))

    return await write(request, bearer, call)


async def delete(request: Request) -> Response:
    recipes, box, number = services_of(request).library.administration.recipes, databox_id(request), _number(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        before = recipes.by_id(work, actor, box, number)
        require_tag(request, _tag(before))
        return begun(recipes.delete(work, actor, box, before.group, before.name))

    return await write(request, bearer, call)


async def remake(request: Request) -> Response:
    recipes, box, number = services_of(request).library.administration.recipes, databox_id(request), _number(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        recipe = recipes.by_id(work, actor, box, number)
        return begun(recipes.remake(work, actor, box, recipe.group, recipe.name))

    return await change(request, call)


_BOX = "/databoxes/{databox_id:int}/recipes"
ROUTES = (
    V4Route(_BOX, "GET", every, "The rendition recipes of a databox", SCOPE, named("RecipePage"), is_list=True),
    V4Route(_BOX, "POST", make, "Add a rendition recipe; a task makes its files", SCOPE, named("ChangedRecipe"),
            object_of(group=_GROUP, name=TEXT, **_ATTRIBUTES), 201,
            permit=permit_structure,
            example={"group": "image", "name": "web", "class": "preview", "mediatype": "image",
                     "options": {"size": 900}}),
    V4Route(_BOX + "/{recipe_id:int}", "GET", show, "One rendition recipe", SCOPE, named("Recipe")),
    V4Route(_BOX + "/{recipe_id:int}", "PATCH", set_recipe,
            "Change a rendition recipe; a task makes its files again if they become others", SCOPE,
            named("ChangedRecipe"), object_of(**_ATTRIBUTES), guard="required", permit=permit_structure,
            example={"downloadable": False}),
    V4Route(_BOX + "/{recipe_id:int}", "DELETE", delete, "Delete a rendition recipe and, as a task, its files", SCOPE,
            named("StructureTask"), status=202, guard="accepted"),
    V4Route(_BOX + "/{recipe_id:int}/remake", "POST", remake, "Make the files of a recipe again", SCOPE,
            named("StructureTask"), status=202),
)  # fmt: skip
