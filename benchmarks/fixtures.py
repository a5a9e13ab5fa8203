"""What the benchmarks run on: an instance with 60 records, a basket, a story and a feed of them, and a photograph of 24
megapixels."""

import resource
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from vitrine.accounts import COMMAND, DataboxRight, User
from vitrine.accounts.rights import ALL_DATABOX_RIGHTS
from vitrine.applications import Profile, Switch
from vitrine.library.model import CollectionId, RecordKey
from vitrine.library.stories.model import ChildDraft, StoryDraft
from vitrine.platform import logging
from vitrine.platform.schema import metadata
from vitrine.testing import media_factory as make
from vitrine.testing.basket_world import BasketWorld
from vitrine.testing.feed_factory import add_feed, publish
from vitrine.testing.server import Registered, Server

RECORDS = 60
ARRANGED = 50  # elements of the basket, children of the story
ENTRIES, ITEMS = 20, 3
GRAIN = 22.5  # with it a thumbnail has 20 kB
SPECS = [("preview", 1280, 82), ("preview_mobile", 640, 80), ("thumbnail", 384, 80)]


@dataclass(frozen=True, slots=True)
class Instance:
    """*token* is a developer token; the client is of the strict profile and acts as its owner, *own_token* is one that
    was given to it. *paths* are those of a basket, a story and a feed, by what they are called in the results."""

    data: Path
    token: str
    client_id: str
    client_secret: str
    own_token: str
    paths: dict[str, str]


def prepare(data: Path) -> Instance:
    logging.configure(as_json=False, level="warning")
    server = Server(data)
    ada = server.user("ada", first_name="Ada")
    token = server.token(ada)
    client = server.register(ada, profile=Profile.STRICT, on=(Switch.ACTS_AS_OWNER,))
    form = {"grant_type": "client_credentials", "scope": "library:read"}
    credentials = {"client_id": client.client_id, "client_secret": client.secret}
    own_token = server.http.post("/api/oauthv2/token", data={**form, **credentials}).json()["access_token"]
    _allow(server, client)
    source = data / "source.jpg"
    keys = [
        server.add(make.jpeg(source, 1200 + number, 800, seed=number, grain=GRAIN), ada) for number in range(RECORDS)
    ]
    paths = _arrange(server, ada, keys)
    server.close()
    return Instance(data, token, client.client_id, client.secret, own_token, paths)


def _arrange(server: Server, ada: User, keys: list[RecordKey]) -> dict[str, str]:
    some, services = keys[:ARRANGED], server.services
    basket = BasketWorld(server).create(ada, some)
    with services.database.write() as work:
        draft = StoryDraft(CollectionId(server.photographs.id), children=[ChildDraft(key) for key in some])
        story = services.library.stories.create(work, COMMAND, draft)
        rights = DataboxRight(ALL_DATABOX_RIGHTS)
        services.accounts.users.grant_databox(work, COMMAND, ada.id, server.databox.id, rights)
    feed = add_feed(server, ada)
    for entry in range(ENTRIES):
        publish(server, ada, feed.id, [keys[(ITEMS * entry + place) % RECORDS] for place in range(ITEMS)])
    return {
        f"basket of {ARRANGED}": f"/api/v1/baskets/{basket}/content/",
        f"story of {ARRANGED}": f"/api/v1/stories/{server.databox.id}/{story.number}/",
        f"feed of {ENTRIES} x {ITEMS}": f"/api/v1/feeds/{feed.id}/content/?per_page={ENTRIES}",
    }


def _allow(server: Server, client: Registered) -> None:
    """As the owner would on the consent page: what was refreshed is narrowed to what the person allows."""
    with server.services.database.write() as work:
        account, _owner = server.services.applications.registry.acting_account(work, client.application)
        accounts = metadata.tables["accounts"]
        allowed = {"granted_scope": ["library:read"], "requested_scope": ["library:read"]}
        work.db.execute(accounts.update().where(accounts.c.id == account).values(**allowed))


def render_ratio(folder: Path) -> tuple[float, float]:
    """(ours, bare libvips): CPU milliseconds for three renditions of 24 megapixels, best of five, in children."""
    photograph = make.jpeg(folder / "large.jpg", 6000, 4000)
    return min(_child("ours", photograph) for _ in range(5)), min(_child("bare", photograph) for _ in range(5))


def _child(way: str, photograph: Path) -> float:
    command = [sys.executable, "-m", "benchmarks.fixtures", way, str(photograph)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _ours(photograph: Path) -> None:
    from vitrine.media.renditions import Spec
    from vitrine.media.renditions.make import make_many

    specs = [asdict(Spec(name, "image", size, quality)) for name, size, quality in SPECS]
    outcomes = make_many(str(photograph), "image/jpeg", specs, str(photograph.parent))
    if any("code" in outcome for outcome in outcomes):
        raise SystemExit(str(outcomes))


def _bare(photograph: Path) -> None:
    import pyvips

    picture = pyvips.Image.thumbnail(str(photograph), SPECS[0][1], height=SPECS[0][1]).copy_memory()
    for name, size, quality in SPECS:
        small = picture if max(picture.width, picture.height) <= size else picture.thumbnail_image(size, height=size)
        small.jpegsave(str(photograph.parent / f"bare-{name}.jpg"), Q=quality)


def main() -> None:
    way, path = {"ours": _ours, "bare": _bare}[sys.argv[1]], Path(sys.argv[2])
    way(path)  # once to load libraries and warm the file cache
    before = resource.getrusage(resource.RUSAGE_SELF)
    way(path)
    after = resource.getrusage(resource.RUSAGE_SELF)
    print(((after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)) * 1000)


if __name__ == "__main__":
    main()
