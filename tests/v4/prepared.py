"""What the examples of bodies need on their server besides a record, by the part of the API that they belong to.

Each function gets the server, a person with every right, and the row. It returns the parts of the path that are not 1.
"""

from collections.abc import Callable

from vitrine.accounts import COMMAND, DataboxRight, User
from vitrine.accounts.model import ADMINISTRATION
from vitrine.accounts.rights import ALL_DATABOX_RIGHTS
from vitrine.api.v4 import V4Route
from vitrine.library.model import CollectionId, RecordKey
from vitrine.library.stories.model import ChildDraft, StoryDraft
from vitrine.testing.server import Server

Named = dict[str, int | str]
OF_ADMINISTRATORS = {ADMINISTRATION}


def nothing(_server: Server, _ada: User, _route: V4Route) -> Named:
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


def _stories(server: Server, _ada: User, route: V4Route) -> Named:
    return {"record_id": story_of(server, 1)} if "{record_id" in route.path else {}


def _databoxes(_server: Server, _ada: User, _route: V4Route) -> Named:
    return {"bit": 4}


BY_TAG: dict[str, Callable[[Server, User, V4Route], Named]] = {"stories": _stories, "databoxes": _databoxes}
