"""What must be there so that the example of a body works: by tag of the operation."""

from collections.abc import Callable

from vitrine.accounts import Right, User
from vitrine.api.v4 import V4Route
from vitrine.library.model import DataboxId, RecordKey
from vitrine.testing.basket_world import BasketWorld
from vitrine.testing.server import Server


def baskets(server: Server, ada: User, route: V4Route) -> None:
    """Basket 1 with the record 1/1, and a vote under way in which ada votes, unless one is to be started."""
    world, record = BasketWorld(server), RecordKey(DataboxId(1), 1)
    server.user("eve", {int(server.archive.id): Right.actif})
    basket = world.create(ada, [record])
    if not (route.method == "POST" and route.path.endswith("/vote")):
        world.start_vote(ada, basket, ada)


PREPARED: dict[str, Callable[[Server, User, V4Route], None]] = {"baskets": baskets}
