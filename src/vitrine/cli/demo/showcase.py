"""What the demonstration shows beside documents: people of each kind, a second databox with terms of use, a status bit,
a story, a basket, a vote under way, and feeds with entries. Made once, after the documents, and listed in demo.json."""

import json
from typing import Any

from vitrine import app
from vitrine.accounts import COMMAND, CollectionGrant, User
from vitrine.accounts.rights import ALL_RIGHTS, CONTRIBUTOR, READER, DataboxRight, Right
from vitrine.baskets.model import Voter
from vitrine.baskets.sharing import ShareTerms
from vitrine.cli.demo.acting import acting_as
from vitrine.cli.demo.media import DemoFile
from vitrine.edge.services import Services
from vitrine.feeds import EntryDraft
from vitrine.library import store
from vitrine.library.ingest import Added
from vitrine.library.model import Collection, CollectionId, DataboxId, RecordId, RecordKey
from vitrine.library.stories.model import ChildDraft, CoverSources, StoryDraft
from vitrine.platform.crypto import random_base62
from vitrine.platform.database import UnitOfWork

PRESS, RELEASES = "Press", "Releases"
CLEARED = 4  # the status bit
MOST_LISTED = 1_000
EDITOR = CONTRIBUTOR | Right.candeleterecord | Right.canpush
GUEST = Right.actif | Right.candwnldpreview
# Login, first and last name, and the rights in the museum; the administrator of a collection has all on one.
PEOPLE = {
    "reader": ("rosa", "Rosa", "Lind", READER),
    "editor": ("edith", "Edith", "Okafor", EDITOR),
    "collection_administrator": ("carl", "Carl", "Sorensen", READER),
    "guest": ("guest", "", "", GUEST),
}
TERMS = {
    "en": "<h2>Using these documents</h2><p>You may print and publish them with the name of the museum beside them.</p>"
    "<p>Please do not change them, and send us a copy.</p>",
    "fr": "<h2>Utilisation de ces documents</h2><p>Vous pouvez les imprimer et les publier avec le nom du musée.</p>"
    "<p>Merci de ne pas les modifier et de nous envoyer un exemplaire.</p>",
}


def fill(services: Services, files: list[DemoFile], document: dict[str, Any]) -> None:
    """Add everything that *document* (demo.json) does not list yet; whatever was interrupted begins anew."""
    if "feeds" in document:
        return
    releases = _press(services)
    _press_documents(services, files, releases)
    with services.database.write() as work:
        _Showcase(services, work, document, releases).fill()


def _press(services: Services) -> Collection:
    """A second databox with one collection."""
    with services.database.write() as work:
        structure = services.library.records.structure(work)
        for collection in structure.collections.values():
            if structure.databoxes[collection.databox_id].name == PRESS:
                return collection
        administration = services.library.structure
        box = administration.add_databox(work, COMMAND, PRESS, {"fr": "Presse", "en": "Press"})
        names = {"fr": "Communiqués", "en": "Releases"}
        return administration.add_collection(work, COMMAND, box.id, RELEASES, names)


def _press_documents(services: Services, files: list[DemoFile], releases: Collection) -> None:
    """A picture and a document of the museum, as the press gets them."""
    of_kind = {file.path.suffix.lower(): file for file in reversed(files)}
    with services.database.read() as work:
        numbers = _keys(services, work, releases.databox_id)
    if numbers:
        return
    for suffix in (".jpg", ".pdf"):
        file = of_kind.get(suffix)
        if file is not None:
            arrival = services.library.ingest.take(file.path, file.path.name)
            with services.database.write() as work:
                outcome = services.library.ingest.add(work, COMMAND, arrival, CollectionId(releases.id), force=True)
            assert isinstance(outcome, Added)


def _keys(services: Services, work: UnitOfWork, databox: DataboxId, kind: str = "") -> list[RecordKey]:
    """Documents of a databox, the oldest first."""
    shown = services.library.records.page(work, COMMAND, store.ids_after(work, RecordId(0), MOST_LISTED))
    records = [each.record for each in shown if each.record.databox_id == databox and not each.record.is_story]
    return [record.key for record in records if kind in ("", record.kind)]


class _Showcase:
    """One transaction: everything, and demo.json before its commit."""

    def __init__(self, services: Services, work: UnitOfWork, document: dict[str, Any], releases: Collection) -> None:
        self.services, self.work, self.document, self.releases = services, work, document, releases
        self.museum = DataboxId(document["databox_id"])
        self.bases = {name: CollectionId(base_id) for name, base_id in document["base_ids"].items()}
        self.pictures = _keys(services, work, self.museum, "image")
        self.documents = _keys(services, work, self.museum)
        users = services.accounts.users
        self.ada, self.admin = users.find(work, "ada"), users.find(work, "admin")

    def fill(self) -> None:
        people = self._people()
        self._structure()
        changes = {
            "people": people,
            "stories": [self._story()],
            "baskets": self._baskets(),
            "feeds": self._feeds(),
        }
        app.write_private(self.services.settings.data_dir / "demo.json", {**self.document, **changes})

    def _people(self) -> dict[str, dict[str, str]]:
        """One of each kind, with a password; Ada is the contributor."""
        shown: dict[str, dict[str, str]] = {}
        for kind, (login, first_name, last_name, rights) in PEOPLE.items():
            password = None if kind == "guest" else random_base62(14)  # guests have no password
            profile = {"first_name": first_name, "last_name": last_name, "email": f"{login}@localhost"}
            person = self.services.accounts.users.add(
                self.work, COMMAND, login=login, password=password, is_guest=kind == "guest", **profile
            )
            for name, base_id in self.bases.items():
                if kind == "guest" and name != "Science":
                    continue
                is_own = kind == "collection_administrator" and name == "Portraits"
                self._grant(person, base_id, self.museum, ALL_RIGHTS if is_own else rights)
            shown[kind] = {"login": login, **({"password": password} if password else {})}
        for person, rights in ((self.admin, ALL_RIGHTS), (self._person("edith"), EDITOR), (self.ada, READER)):
            self._grant(person, CollectionId(self.releases.id), self.releases.databox_id, rights)
        return shown

    def _grant(self, person: User, base_id: CollectionId, databox: DataboxId, rights: Right) -> None:
        grant = CollectionGrant(base_id, databox, rights)
        self.services.accounts.users.grant(self.work, COMMAND, person.id, grant)

    def _person(self, login: str) -> User:
        return self.services.accounts.users.find(self.work, login)

    def _structure(self) -> None:
        """A status bit of the museum, set on a few pictures, and terms of use of the press."""
        labels = {"label_on": "Cleared for the press", "label_off": "Not cleared"}
        bits = self.services.library.administration.status_bits
        bits.define(self.work, COMMAND, self.museum, CLEARED, {**labels, "searchable": True})
        for key in self.pictures[:3]:
            self.services.library.changes.set_status(self.work, COMMAND, key, {CLEARED: True})
        self.services.library.terms.publish(self.work, COMMAND, self.releases.databox_id, TERMS, must_accept=True)

    def _story(self) -> dict[str, int]:
        children = [
            ChildDraft(key, cover=CoverSources() if place == 1 else None) for place, key in enumerate(self.pictures[:6])
        ]
        values = {"Description": ["The pictures that visitors ask for most, in the order of the guided tour."]}
        draft = StoryDraft(self.bases["Photographs"], "A walk through the collection", values, children)
        key = self.services.library.stories.create(self.work, acting_as(self.services, self.work, self.ada), draft)
        return {"databox_id": key.databox, "record_id": key.number}

    def _baskets(self) -> list[dict[str, Any]]:
        """Ada's own, shared with Rosa, and one of Edith's on which a vote is under way."""
        baskets, elements = self.services.baskets.baskets, self.services.baskets.elements
        ada, edith = (acting_as(self.services, self.work, person) for person in (self.ada, self._person("edith")))
        own = baskets.create(self.work, ada, "For the leaflet", "Six pictures to choose from.").basket.id
        elements.add(self.work, ada, own, self.documents[:6])
        poster = baskets.create(self.work, edith, "Poster of the exhibition", "Which one shall it be?").basket.id
        elements.add(self.work, edith, poster, self.pictures[:4])
        voters = [Voter("ada"), Voter("carl", can_see_others=True)]
        self.services.baskets.votes.start(self.work, edith, poster, voters)
        self.services.baskets.sharing.share(self.work, edith, poster, "rosa", ShareTerms())
        return [{"basket_id": own, "owner": "ada"}, {"basket_id": poster, "owner": "edith", "vote": True}]

    def _feeds(self) -> list[dict[str, Any]]:
        """One that everybody reads, and one for those who have the releases."""
        edith = self._person("edith")
        for databox in (self.museum, self.releases.databox_id):
            self.services.accounts.users.grant_databox(self.work, COMMAND, edith.id, databox, DataboxRight.bas_chupub)
        registry, entries = self.services.feeds.registry, self.services.feeds.entries
        news = registry.add(
            self.work, COMMAND, title="News", subtitle="What is new in the museum.", is_public=True, owner_id=edith.id
        )
        press = registry.add(
            self.work, COMMAND, title="For journalists", collection_id=CollectionId(self.releases.id), owner_id=edith.id
        )
        of_press = _keys(self.services, self.work, self.releases.databox_id)
        actor = acting_as(self.services, self.work, self._person("edith"))
        for feed, title, subtitle, records in (
            (news, "The new hall is open", "First pictures of the hall and of what hangs in it.", self.pictures[:3]),
            (news, "Conserved in spring", "Three works that came back from the workshop.", self.pictures[3:6]),
            (press, "Pictures for your article", "Please read the terms of use.", of_press),
        ):
            draft = EntryDraft(title=title, subtitle=subtitle, records=tuple(records))
            entries.publish(self.work, actor, feed.id, draft)
        return [
            {"feed_id": news.id, "public": True},
            {"feed_id": press.id, "public": False, "base_id": self.releases.id},
        ]


def listed(services: Services, work: UnitOfWork) -> list[dict[str, Any]]:
    """The documents of demo.json, without stories."""
    visible = services.library.records.page(work, COMMAND, store.ids_after(work, RecordId(0), MOST_LISTED))
    return [
        {"databox_id": each.record.databox_id, "record_id": each.record.number, "type": each.record.kind}
        for each in visible
        if not each.record.is_story
    ]


def read(services: Services) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((services.settings.data_dir / "demo.json").read_text())
    return document
