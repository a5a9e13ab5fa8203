"""The collections that one may use, with one's rights in words."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor, CollectionGrant
from vitrine.edge import listing, services_of
from vitrine.library.model import Collection, Databox
from vitrine.platform.database import UnitOfWork
from vitrine.web.shared.forms import known
from vitrine.web.shared.render import page


async def access(request: Request) -> Response:
    """Every collection one may use, with one's rights in words."""
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> list[tuple[Databox, list[tuple[Collection, CollectionGrant]]]]:
        structure = services.library.records.structure(work)
        boxes = []
        for box in services.library.records.databoxes(work, actor):
            collections = [
                collection
                for collection in structure.collections_of(box.id)
                if collection.id in actor.rights.collections
            ]
            boxes.append((box, [(collection, actor.rights.collections[collection.id]) for collection in collections]))
        return boxes

    return page(request, "account/access.html", tab="access", boxes=await listing(request, known, call), words=RIGHTS)


RIGHTS = {
    "actif": "See and search", "candwnldpreview": "Previews", "candwnldhd": "Originals",
    "nowatermark": "Without watermark",
    "canputinalbum": "Put in baskets", "cancmd": "Order", "canaddrecord": "Add", "canmodifrecord": "Edit",
    "chgstatus": "Change status", "candeleterecord": "Delete", "imgtools": "Image tools", "canpush": "Send to others",
    "canadmin": "Manage people", "canreport": "Reports", "manage": "Manage the collection",
    "modify_struct": "Manage value lists", "order_master": "Decide on orders", "restrict_dwnld": "Limited downloads",
}  # fmt: skip


ROUTES = [
    Route("/account/access/", access, methods=["GET"]),
]
