"""Status bits of a databox."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v4.administration.common import (
    LABELS,
    PERHAPS_PATH,
    SCOPE,
    begun,
    databox_id,
    labels,
    members,
    permit_structure,
    tag,
)
from vitrine.api.v4.content import answer, require_tag
from vitrine.api.v4.route import V4Route
from vitrine.api.v4.schemas import FLAG, NUMBER, TEXT, full_object_of, list_of, named, object_of
from vitrine.edge import bearer, listing, services_of, write
from vitrine.library.model import StatusBit
from vitrine.platform.database import UnitOfWork

_ATTRIBUTES = {
    "label_on": TEXT, "label_off": TEXT, "labels_on": LABELS, "labels_off": LABELS,
    "searchable": {"type": "boolean", "description": "offered as a filter to everybody"}, "printable": FLAG,
}  # fmt: skip
COMPONENTS = {
    "StatusBit": full_object_of(bit=NUMBER, **_ATTRIBUTES, icon_on=PERHAPS_PATH, icon_off=PERHAPS_PATH),
    "StatusBits": full_object_of(data=list_of(named("StatusBit"))),
}


def icon_path(bit: StatusBit, *, on: bool) -> str | None:
    icon = bit.icon_on if on else bit.icon_off
    if icon is None:
        return None
    return f"/custom/status/{icon['sha256'][:32]}-stat_{bit.bit}_{int(on)}.{icon['mime'].rpartition('/')[2]}"


def _bit(bit: StatusBit) -> dict[str, Any]:
    return {
        "bit": bit.bit, "label_on": bit.label_on, "label_off": bit.label_off, "labels_on": labels(bit.labels_on),
        "labels_off": labels(bit.labels_off), "searchable": bit.searchable, "printable": bit.printable,
        "icon_on": icon_path(bit, on=True), "icon_off": icon_path(bit, on=False),
    }  # fmt: skip


def shown(bit: StatusBit) -> Response:
    return answer(_bit(bit), headers={"ETag": _tag(bit)})


def _tag(bit: StatusBit) -> str:
    return tag(bit.revision, bit.databox_id, bit.bit)


async def every(request: Request) -> Response:
    """At most 28; those that records of the databox may have."""
    services, box = services_of(request), databox_id(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        services.library.records.databox(work, actor, box)
        bits = services.library.records.structure(work).status_bits[box]
        return answer({"data": [_bit(bit) for bit in bits]})

    return await listing(request, bearer, call, rows=32)


async def define(request: Request) -> Response:
    bits, box, bit = services_of(request).library.administration.status_bits, databox_id(request), _number(request)
    given = await members(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        known = bits.find(work, actor, box, bit)
        if known is not None:
            require_tag(request, _tag(known), required=True)
        return shown(bits.define(work, actor, box, bit, given))

    return await write(request, bearer, call)


async def remove(request: Request) -> Response:
    bits, box, bit = services_of(request).library.administration.status_bits, databox_id(request), _number(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        require_tag(request, _tag(bits.get(work, actor, box, bit)))
        return begun(bits.remove(work, actor, box, bit))

    return await write(request, bearer, call)


def _number(request: Request) -> int:
    return int(request.path_params["bit"])


_BOX = "/databoxes/{databox_id:int}/status-bits"
ROUTES = (
    V4Route(_BOX, "GET", every, "The status bits of a databox", "library:read", named("StatusBits")),
    V4Route(_BOX + "/{bit:int}", "PUT", define, "Define a status bit, 4 to 31, or change it", SCOPE, named("StatusBit"),
            object_of(**_ATTRIBUTES), guard="accepted", permit=permit_structure,
            example={"label_on": "Checked", "label_off": "Not checked", "searchable": True},
            refuses={428: "It is defined, and If-Match is missing"}),
    V4Route(_BOX + "/{bit:int}", "DELETE", remove, "Remove a status bit and, as a task, switch it off in all records",
            SCOPE, named("StructureTask"), status=202, guard="accepted"),
)  # fmt: skip
