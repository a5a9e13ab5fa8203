"""What is known about a filled instance, and the part of it that is made through the product's own services."""

import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.scale.words import Vocabulary
from vitrine import composition
from vitrine.accounts import COMMAND, CollectionGrant, User, Via
from vitrine.accounts.passwords import Passwords
from vitrine.accounts.rights import ALL_DATABOX_RIGHTS, ALL_RIGHTS, READER
from vitrine.applications import Draft, Profile, Switch
from vitrine.edge.services import Services
from vitrine.library.structure_store import add_status_bit
from vitrine.settings import Settings
from vitrine.testing import media_factory

COLLECTIONS, SEEN, MASKED = 200, 60, 5
HIDDEN_STATUS = 16  # bit 4, which hides a record in the masked collections of the reader
PASSWORD = "correct horse battery"
LOGINS = ("admin", "reader", "borrower")
FILE = "scale.json"
# Name of a rendition: width and height in pixels of the file that all of that name share.
RENDITIONS = {
    "thumbnail": (384, 256),
    "thumbnail_mobile": (192, 128),
    "preview": (640, 427),
    "preview_mobile": (480, 320),
    "poster": (640, 427),
    "thumbnailgif": (250, 167),
    "preview_webm": (320, 214),
}
ORIGINAL = (600, 400)


@dataclass(frozen=True, slots=True)
class Instance:
    """A filled instance. *tokens* are developer tokens by login, *applications* the application of each login; the
    client is of the strict profile and may act as `admin`. *images* are numbers of pictures that `reader` finds,
    *by_size* the collections of which they see everything, the largest first."""

    records: int
    seed: int
    database_url: str
    databox_id: int
    collections: list[int]
    seen: list[int]
    fields: dict[str, int]
    words: dict[str, str]
    users: dict[str, int]
    applications: dict[str, int]
    tokens: dict[str, str]
    client_id: str
    client_secret: str
    images: list[int] = field(default_factory=list)
    by_size: list[int] = field(default_factory=list)
    built: dict[str, float] = field(default_factory=dict)

    @property
    def masked(self) -> list[int]:
        return self.seen[:MASKED]

    def save(self, folder: Path) -> None:
        (folder / FILE).write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def load(cls, folder: Path) -> "Instance":
        return cls(**json.loads((folder / FILE).read_text()))


def settings_of(folder: Path, database_url: str, **more: Any) -> Settings:
    return Settings(data_dir=folder, database_url=database_url, **more)


def services_of(settings: Settings) -> Services:
    """The services of an instance whose passwords cost nothing to check."""
    return composition.make_services(settings, decoders=1, passwords=Passwords(memory_kib=64, passes=1))


def close(services: Services) -> None:
    services.media.close()
    services.search.index.close()
    services.database.close()


def furnish(folder: Path, database_url: str, records: int, seed: int) -> Instance:
    """A new instance with its structure, three people and their applications, still without records."""
    services = services_of(settings_of(folder, database_url))
    try:
        with services.database.write() as work:
            databox = services.library.structure.add_databox(work, COMMAND, "Museum").id
            add_status_bit(work, databox, {"bit": 4, "label_on": "Locked", "labels_on": {}, "labels_off": {}})
            names = [f"Collection {number:03}" for number in range(1, COLLECTIONS + 1)]
            add = services.library.structure.add_collection
            collections = [int(add(work, COMMAND, databox, name).id) for name in names]
            fields = services.library.records.structure(work).fields[databox]
        seen = sorted(random.Random(seed).sample(collections, SEEN))
        users = _people(services, databox, collections, seen)
        registered = {login: _register(services, user) for login, user in users.items()}
        client_id, client_secret = _strict_client(services, users["admin"])
    finally:
        close(services)
    return Instance(
        records=records,
        seed=seed,
        database_url=database_url,
        databox_id=int(databox),
        collections=collections,
        seen=seen,
        fields={field.name: int(field.id) for field in fields},
        words=Vocabulary.of(seed).ranked(),
        users={login: int(user.id) for login, user in users.items()},
        applications={login: application for login, (application, _token) in registered.items()},
        tokens={login: token for login, (_application, token) in registered.items()},
        client_id=client_id,
        client_secret=client_secret,
    )


def _people(services: Services, databox: Any, collections: Sequence[int], seen: Sequence[int]) -> dict[str, User]:
    """`admin` may do everything, `reader` sees some collections, `borrower` sees none: only granted records."""
    accounts = services.accounts.users
    people = {}
    with services.database.write() as work:
        for login in LOGINS:
            people[login] = accounts.add(work, COMMAND, login=login, password=PASSWORD, is_admin=login == "admin")
        for base in collections:
            accounts.grant(work, COMMAND, people["admin"].id, CollectionGrant(base, databox, ALL_RIGHTS))
        for place, base in enumerate(seen):
            mask_and = HIDDEN_STATUS if place < MASKED else 0
            grant = CollectionGrant(base, databox, READER, mask_and=mask_and)
            accounts.grant(work, COMMAND, people["reader"].id, grant)
        accounts.grant_databox(work, COMMAND, people["admin"].id, databox, ALL_DATABOX_RIGHTS)
    return people


def _draft(name: str) -> Draft:
    website = "https://notes.example.com"
    return Draft(name=name, description="Measures.", website=website, type="web", callback=f"{website}/cb")


def _register(services: Services, user: User) -> tuple[int, str]:
    """An application of the compatibility profile: its id and the developer token of its owner."""
    with services.database.write() as work:
        actor = services.accounts.users.actor_of(work, services.accounts.users.get(work, user.id), Via.COMMAND)
        draft = _draft(f"Notes of {user.login}")
        application = services.applications.registry.create(work, actor, draft, Profile.COMPATIBILITY)
        return int(application.id), services.oauth.developer_tokens.renew(work, actor, application)


def _strict_client(services: Services, owner: User) -> tuple[str, str]:
    registry = services.applications.registry
    with services.database.write() as work:
        actor = services.accounts.users.actor_of(work, services.accounts.users.get(work, owner.id), Via.COMMAND)
        application = registry.create(work, actor, _draft("Machine"), Profile.STRICT)
        registry.set_switch(work, actor, application.id, Switch.ACTS_AS_OWNER, on=True)
        return application.client_id, services.applications.secrets.for_command(work, application)


def shared_files(folder: Path) -> dict[str, Path]:
    """The few files whose bytes all records share: one a rendition, and `document` for originals."""
    files = {"document": media_factory.jpeg(folder / "document.jpg", *ORIGINAL, seed=99)}
    for seed, (name, (width, height)) in enumerate(RENDITIONS.items()):
        files[name] = media_factory.jpeg(folder / f"{name}.jpg", width, height, seed=seed)
    return files
