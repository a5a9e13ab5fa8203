"""What the examples of bodies need on their server besides a record, by the part of the API that they belong to.

Each function gets the server with a person who has every right, and the row. It returns the parts of the path that are
not 1.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vitrine.accounts import COMMAND, DataboxRight, Right, User, Via, links
from vitrine.accounts.mail_texts import LINK_LIFETIMES
from vitrine.accounts.model import ADMINISTRATION
from vitrine.accounts.recipient_lists.model import Role
from vitrine.accounts.registration.model import Policy
from vitrine.accounts.revokers import UNLOCK
from vitrine.accounts.rights import ALL_DATABOX_RIGHTS
from vitrine.api.v4 import V4Route
from vitrine.library.bundles.model import Draft
from vitrine.library.model import CollectionId, RecordKey
from vitrine.library.stories.model import ChildDraft, StoryDraft
from vitrine.platform.crypto import digest
from vitrine.testing import media_factory
from vitrine.testing.basket_world import BasketWorld
from vitrine.testing.feed_factory import add_feed, publish
from vitrine.testing.server import Server

Named = dict[str, int | str]
OF_ADMINISTRATORS = {ADMINISTRATION, "users"}


@dataclass(frozen=True, slots=True)
class World:
    """A server with one record, made of *picture* by *ada*."""

    server: Server
    ada: User
    picture: Path


def nothing(_world: World, _route: V4Route) -> Named:
    return {}


def every_databox_right(server: Server, person: User) -> None:
    with server.services.database.write() as work:
        every = DataboxRight(ALL_DATABOX_RIGHTS)
        server.services.accounts.users.grant_databox(work, COMMAND, person.id, server.databox.id, every)


def story_of(server: Server, number: int) -> int:
    """A new story that holds this record."""
    draft = StoryDraft(CollectionId(server.photographs.id), children=[ChildDraft(RecordKey(server.databox.id, number))])
    with server.services.database.write() as work:
        return server.services.library.stories.create(work, COMMAND, draft).number


def _stories(world: World, route: V4Route) -> Named:
    return {"record_id": story_of(world.server, 1)} if "{record_id" in route.path else {}


def _quarantine(world: World, _route: V4Route) -> Named:
    """A file that clashes with the record."""
    form = {"base_id": world.server.photographs.id}
    files = {"file": ("harbour.jpg", world.picture.read_bytes())}
    answer = world.server.call("POST", "/api/v4/records", world.server.token(world.ada), data=form, files=files)
    assert answer.status_code == 202, answer.text
    return {}


def _baskets(world: World, route: V4Route) -> Named:
    """A basket with the record, and a vote under way in which the person votes, unless one is to be started."""
    server, of_baskets = world.server, BasketWorld(world.server)
    eve = server.user("eve", {int(server.archive.id): Right.actif})
    with server.services.database.write() as work:
        accounts = server.services.accounts
        actor = accounts.users.actor_of(work, accounts.users.get(work, world.ada.id), Via.SESSION)
        press = accounts.recipient_lists.create(work, actor, "Press")
        accounts.recipient_lists.add_members(work, actor, press.id, [eve.id])
    basket = of_baskets.create(world.ada, [RecordKey(server.databox.id, 1)])
    if not (route.method == "POST" and route.path.endswith("/vote")):
        of_baskets.start_vote(world.ada, basket, world.ada)
    return {}


def _feeds(world: World, _route: V4Route) -> Named:
    """A feed with an entry."""
    feed = add_feed(world.server, world.ada, public=True)
    publish(world.server, world.ada, feed.id, [RecordKey(world.server.databox.id, 1)])
    return {}


def _people(world: World, _route: V4Route) -> Named:
    """A group, a template, a person whose request waits, and a new account that nobody confirmed yet: all with the
    number that examples name."""
    server = world.server
    eve, accounts = server.user("eve", None), server.services.accounts
    with server.services.database.write() as work:
        root = accounts.users.find(work, "root")
        accounts.groups.add(work, COMMAND, "Readers")
        accounts.templates.add(work, accounts.users.actor_of(work, root, Via.SESSION), "Mine")
        accounts.registration.set_databox_policy(work, COMMAND, server.databox.id, Policy(True, None))
        accounts.registration.request(work, eve, None)
        new = accounts.users.add_unconfirmed(work, login="new", password_hash="!")
        token = digest("the token of the new account")
        links.add(work, token, new.id, UNLOCK, "", work.now + LINK_LIFETIMES[UNLOCK])
    return {}


def _records(world: World, _route: V4Route) -> Named:
    """A second record."""
    world.server.add(media_factory.jpeg(world.picture.with_name("quay.jpg"), 80, 60), world.ada)
    return {}


def _databoxes(world: World, route: V4Route) -> Named:
    if "{rule_id" not in route.path:
        return {"bit": 4}
    rules, box = world.server.services.library.rules, world.server.databox.id
    given = {"name": "Tidy up", "criteria": {"base_ids": [world.server.photographs.id]}, "action": {"delete": True}}
    with world.server.services.database.write() as work:
        rule = rules.add(work, COMMAND, box, given)
        if "{run_id" not in route.path:
            return {"rule_id": rule.id}
        return {"rule_id": rule.id, "run_id": rules.start(work, COMMAND, box, rule.id).id}


def _downloads(world: World, route: V4Route) -> Named:
    """A download with a link, but where one is to be made."""
    if "{bundle_id" in route.path:
        with world.server.services.database.write() as work:
            people, bundles = world.server.services.accounts.users, world.server.services.library.bundles
            actor = people.actor_of(work, people.get(work, world.ada.id), Via.SESSION)
            bundle = bundles.begin(work, actor, Draft([RecordKey(world.server.databox.id, 1)]))
            bundles.add_link(work, actor, bundle.id)
    return {}


def _recipient_lists(world: World, route: V4Route) -> Named:
    """A list of the person's with somebody in it, who works with it too."""
    eve = world.server.user("eve", None)
    if "{list_id" in route.path:
        with world.server.services.database.write() as work:
            accounts = world.server.services.accounts
            actor = accounts.users.actor_of(work, accounts.users.get(work, world.ada.id), Via.SESSION)
            press = accounts.recipient_lists.create(work, actor, "Press")
            if not route.path.endswith("/members") or route.method != "POST":
                accounts.recipient_lists.add_members(work, actor, press.id, [eve.id])
            accounts.recipient_lists.set_role(work, actor, press.id, eve.id, Role.USER)
    return {"user_id": eve.id} if "{user_id" in route.path else {}


def _hot_folders(world: World, route: V4Route) -> Named:
    """The operator allows a folder; there is a hot folder beside the one of the example."""
    folders = world.server.services.hot_folders
    object.__setattr__(folders, "roots", ("/srv/incoming",))  # a setting of the server, which runs already
    given = {"path": "/srv/incoming/other", "collection_id": int(world.server.photographs.id)}
    with world.server.services.database.write() as work:
        added = folders.add(work, COMMAND, given)
    return {"hot_folder_id": added.id} if "{hot_folder_id" in route.path else {}


BY_TAG: dict[str, Callable[[World, V4Route], Named]] = {
    "baskets": _baskets,
    **dict.fromkeys(("groups", "me", "registrations", "rights-templates", "users"), _people),
    "stories": _stories,
    "databoxes": _databoxes,
    "downloads": _downloads,
    "feeds": _feeds,
    "hot-folders": _hot_folders,
    "quarantine": _quarantine,
    "recipient-lists": _recipient_lists,
    "records": _records,
}
