"""The caller's notifications, and which of them are mailed."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v4.content import answer, json_members, moment, nothing
from vitrine.api.v4.idempotency import change
from vitrine.api.v4.paging import page_answer, page_of
from vitrine.api.v4.route import V4Route
from vitrine.api.v4.schemas import FLAG, MOMENT, NUMBER, PERHAPS_MOMENT, Schema, full_object_of, named, object_of
from vitrine.api.v4.schemas import page_of as page_schema
from vitrine.api.wire.endpoint import anybody
from vitrine.edge import bearer, read, services_of, write
from vitrine.errors import Invalid
from vitrine.notifications import Notification, NotificationKind
from vitrine.platform.database import UnitOfWork

_KIND: Schema = {"enum": [kind.value for kind in NotificationKind]}
_MAILS: dict[str, Schema] = {"all": FLAG, **{kind.value: FLAG for kind in NotificationKind}}
COMPONENTS: dict[str, Schema] = {
    "Notification": full_object_of(
        notification_id=NUMBER, kind=_KIND, created=MOMENT, read_at=PERHAPS_MOMENT,
        about={"type": "object", "additionalProperties": NUMBER, "description": "numbers of what it is about"},
    ),
    "NotificationPage": page_schema(named("Notification")),
    "UnreadNotifications": full_object_of(unread={"type": "integer", "description": "counted up to 100"}),
    "NotificationMails": full_object_of(**_MAILS),
}  # fmt: skip


def _json(notification: Notification) -> dict[str, Any]:
    return {
        "notification_id": notification.id, "kind": notification.kind, "about": dict(notification.payload),
        "created": moment(notification.created), "read_at": moment(notification.read_at),
    }  # fmt: skip


async def listing(request: Request) -> Response:
    services, page = services_of(request), page_of(request, int)
    (before,) = page.after or (None,)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        listed = services.notifications.page(work, actor, before, page.limit)
        place = None if listed.next_before is None else (listed.next_before,)
        return page_answer(request, [_json(notification) for notification in listed.shown], place)

    return await read(request, bearer, call)


async def unread(request: Request) -> Response:
    notifications = services_of(request).notifications
    return await read(request, bearer, lambda work, actor: answer({"unread": notifications.unread(work, actor)}))


async def mark_read(request: Request) -> Response:
    services, up_to = services_of(request), (await json_members(request, up_to=int))["up_to"]
    if up_to is None or not 0 < up_to < 2**63:
        raise Invalid("up_to is the notification_id of the newest that was read.", field="up_to")

    def call(work: UnitOfWork, actor: Actor) -> Response:
        services.notifications.mark_read(work, actor, up_to)
        return nothing()

    return await change(request, call)


async def mails(request: Request) -> Response:
    notifications = services_of(request).notifications
    return await read(request, bearer, lambda work, actor: answer(notifications.mails(work, actor)))


async def set_mails(request: Request) -> Response:
    notifications = services_of(request).notifications
    members = await json_members(request, **dict.fromkeys(_MAILS, bool))
    choices = {name: wanted for name, wanted in members.items() if wanted is not None}

    def call(work: UnitOfWork, actor: Actor) -> Response:
        notifications.set_mails(work, actor, choices)
        return answer(notifications.mails(work, actor))

    return await write(request, bearer, call)


ROUTES = (
    V4Route("/notifications", "GET", listing, "Your notifications, the newest first", "account:read",
            named("NotificationPage"), is_list=True),
    V4Route("/notifications/unread", "GET", unread, "How many you have not read", "account:read",
            named("UnreadNotifications")),
    V4Route("/notifications/read", "POST", mark_read, "Mark as read, up to one of them", "account:edit",
            body=object_of(up_to=NUMBER), status=204, permit=anybody, example={"up_to": 1}),
    V4Route("/me/notification-mails", "GET", mails, "Which notifications are mailed to you", "account:read",
            named("NotificationMails")),
    V4Route("/me/notification-mails", "PATCH", set_mails, "Choose which are", "account:edit",
            named("NotificationMails"), object_of(**_MAILS), permit=anybody, example={"vote_reminder": False}),
)  # fmt: skip
