"""What the page of a record says of its links, and the switches there: of the whole record, and of one file.

Addresses are shown under the right of contract 06 section 17.7 (show links to share); docs/decisions/0120, 0121.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor
from vitrine.edge import Services, read, services_of, write
from vitrine.embed import Target
from vitrine.embed.service import Embeds, frame_size
from vitrine.errors import Invalid
from vitrine.library import access
from vitrine.library.errors import MayNotChange
from vitrine.library.model import DOCUMENT, PREVIEW, DataboxId, Record, RecordKey, Rendition, Structure
from vitrine.library.sharing import permalinks, public_links
from vitrine.library.sharing.permalinks import PermalinkPaths
from vitrine.platform.database import UnitOfWork
from vitrine.web.shared.forms import known, posted
from vitrine.web.shared.render import redirect

RECORD = "/records/{databox_id:int}/{record_id:int}/"


@dataclass(frozen=True, slots=True)
class Link:
    """What one can paste elsewhere, of one rendition."""

    rendition: Rendition
    paths: PermalinkPaths
    iframe: str
    embed: str
    oembed: str


@dataclass(frozen=True, slots=True)
class Sharing:
    """*link* is None if the actor may not show links or it opens nothing; *closed* then names the file whose own
    switch is off. *switched_off* and *switchable* are names of files."""

    may_show: bool
    may_switch: bool
    link: Link | None
    closed: str | None
    switched_off: frozenset[str]
    switchable: frozenset[str]


def sharing_of(
    services: Services, work: UnitOfWork, actor: Actor, record: Record, files: Sequence[Rendition]
) -> Sharing:
    """*files* are the renditions of *record* that the actor may have."""
    structure = services.library.records.structure(work)
    linked = {file.name: file for file in files if file.is_ready and file.permalink is not None}
    switched_off = frozenset(name for name, file in linked.items() if file.permalink and not file.permalink.switched_on)
    offered = linked.get(PREVIEW) or linked.get(DOCUMENT)
    may_show = offered is not None and access.may_show_links(actor, record, services.settings.links_shown_to)
    return Sharing(
        may_show=may_show,
        may_switch=public_links.may_switch(work, actor, structure, record),
        link=_link(services.embeds, record, offered) if may_show and offered else None,
        closed=offered.name if offered and offered.name in switched_off else None,
        switched_off=switched_off,
        switchable=frozenset(name for name in linked if _may_switch(work, actor, structure, record, name)),
    )


def _may_switch(work: UnitOfWork, actor: Actor, structure: Structure, record: Record, name: str) -> bool:
    recipe = structure.recipe(record.databox_id, record.group, name)
    return access.may_switch_link(work, actor, record, name, recipe)


def _link(embeds: Embeds, record: Record, rendition: Rendition) -> Link | None:
    if rendition.permalink is None or not rendition.permalink.activated:
        return None
    paths = permalinks.paths(record.key, rendition, rendition.permalink)
    target = Target(record, rendition, paths.file, None)
    width, height = frame_size(rendition)
    return Link(
        rendition=rendition,
        paths=paths,
        iframe=embeds.iframe(target, width, height),
        embed=embeds.embed_address(target),
        oembed=embeds.embed_address(target).replace("/embed/?", "/oembed?", 1),
    )


def key_of(request: Request) -> RecordKey:
    return RecordKey(DataboxId(request.path_params["databox_id"]), request.path_params["record_id"])


async def switch_file(request: Request) -> Response:
    """End the permalink of a file, or let it open again: `link` is `off:<name>` or `on:<name>`."""
    services, key = services_of(request), key_of(request)

    def permit(work: UnitOfWork, actor: Actor) -> None:
        record = services.library.records.get(work, actor, key)
        if not access.may_switch_some_link(work, actor, record):
            raise MayNotChange("You may not switch this link.", why=f"record {key}")

    await read(request, known, permit)  # before the body; the file's own class is asked for below
    given = await posted(request)
    state, _, name = given.get("link", "").partition(":")
    if state not in ("on", "off"):
        raise Invalid("Say which link to switch on or off.", field="link")

    def call(work: UnitOfWork, actor: Actor) -> None:
        record = services.library.records.get(work, actor, key)
        permalinks.switch(work, actor, services.library.records.structure(work), record, name, on=state == "on")

    await write(request, known, call)
    return redirect(f"/records/{key.databox}/{key.number}/#files")


async def switch_record(request: Request) -> Response:
    """Make the whole record public by link or end that: `public` is `on` or `off`."""
    services, key = services_of(request), key_of(request)

    def permit(work: UnitOfWork, actor: Actor) -> None:
        record = services.library.records.get(work, actor, key)
        public_links.permit(work, actor, services.library.records.structure(work), record)

    await read(request, known, permit)
    given = await posted(request)
    state = given.get("public")
    if state not in ("on", "off"):
        raise Invalid("Say whether the record is public by link: on or off.", field="public")

    def call(work: UnitOfWork, actor: Actor) -> None:
        record = services.library.records.get(work, actor, key)
        public_links.switch(work, actor, services.library.records.structure(work), record, on=state == "on")

    await write(request, known, call)
    return redirect(f"/records/{key.databox}/{key.number}/#public")


ROUTES = [
    Route(RECORD + "links/", switch_file, methods=["POST"]),
    Route(RECORD + "public/", switch_record, methods=["POST"]),
]
