"""A page of the quarantine reads no more of a collection than may stand on it, and still is the newest of all."""

import random

import pytest

from vitrine.accounts import COMMAND
from vitrine.library.quarantine import store
from vitrine.testing.server import Server

pytestmark = pytest.mark.both_databases


def test_pages_are_the_newest_of_all_collections(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_COLLECTIONS_A_STATEMENT", 3)  # so that the collections take several statements
    draw = random.Random(5)
    with server.services.database.write() as work:
        bases = [
            server.services.library.structure.add_collection(work, COMMAND, server.databox.id, f"C{number}").id
            for number in range(7)
        ]
        ids = [
            store.add(
                work,
                {
                    "collection_id": draw.choice(bases), "user_id": None, "session": "s", "original_name": "a.jpg",
                    "sha256": f"{number:064x}", "uuid": "u", "size": 1, "mime": "image/jpeg", "forced": False,
                    "checks": {}, "attributes": {},
                },
            )
            for number in range(40)
        ]  # fmt: skip
        for _ in range(30):
            chosen = draw.sample(bases, draw.randint(0, 7))
            offset, limit = draw.randint(0, 30), draw.randint(1, 12)
            page = store.page(work, chosen, offset, limit)
            of_chosen = [item for item in reversed(ids) if store.get(work, item).collection_id in chosen]  # type: ignore[union-attr]  # each is there
            assert [item.id for item in page] == of_chosen[offset : offset + limit]
        monkeypatch.setattr(store, "MOST_COUNTED", 25)
        assert store.count(work, bases) == 26
        assert store.count(work, []) == 0
