"""A write that is rolled back leaves nothing in a cache: its version numbers are given a second time."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from vitrine.accounts import COMMAND, CollectionGrant, Right, User, Via
from vitrine.composition import make_services
from vitrine.edge import Services
from vitrine.library.model import THUMBNAIL, RecordKey
from vitrine.library.sharing import permalinks
from vitrine.platform import cache
from vitrine.platform.database import UnitOfWork
from vitrine.testing import media_factory as make
from vitrine.testing.server import Server


class RolledBack(Exception):
    pass


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada")


@pytest.fixture
def other(server: Server) -> Iterator[Services]:
    """Another process on the same database."""
    services = make_services(server.settings, decoders=1)
    yield services
    services.media.close()
    services.search.index.close()
    services.database.close()


@pytest.mark.both_databases
def test_a_structure_that_was_never_committed_is_not_shown(server: Server, other: Services) -> None:
    structure = server.services.library.structure
    with pytest.raises(RolledBack), server.services.database.write() as work:
        structure.add_collection(work, COMMAND, server.databox.id, "Never there")
        assert "Never there" in names(server, work)
        raise RolledBack
    with other.database.write() as work:
        other.library.structure.add_collection(work, COMMAND, server.databox.id, "Really there")
    with server.services.database.read() as work:
        assert {"Never there", "Really there"} & names(server, work) == {"Really there"}


def names(server: Server, work: UnitOfWork) -> set[str]:
    return {collection.name for collection in server.services.library.records.structure(work).collections.values()}


@pytest.mark.both_databases
def test_rights_that_were_never_committed_are_not_had(server: Server, other: Services, ada: User) -> None:
    accounts, base = server.services.accounts, server.photographs

    def grant(services: Services, work: UnitOfWork, rights: Right) -> None:
        services.accounts.users.grant(work, COMMAND, ada.id, CollectionGrant(int(base.id), base.databox_id, rights))

    def had(work: UnitOfWork) -> Right:
        actor = accounts.users.actor_of(work, accounts.users.get(work, ada.id), Via.COMMAND)
        return actor.rights.collections[int(base.id)].rights

    with pytest.raises(RolledBack), server.services.database.write() as work:
        grant(server.services, work, Right.actif | Right.candeleterecord)
        assert Right.candeleterecord in had(work)
        raise RolledBack
    with other.database.write() as work:
        grant(other, work, Right.actif)
    with server.services.database.read() as work:
        assert had(work) == Right.actif


def test_a_rolled_back_write_that_reads_everything_leaves_no_entry(server: Server, ada: User, tmp_path: Path) -> None:
    services, key = server.services, server.add(make.jpeg(tmp_path / "a.jpg", 320, 240), ada)
    token = server.token(ada)
    before = entries()
    with pytest.raises(RolledBack), services.database.write() as work:
        read_everything(server, work, ada, token, key)
        raise RolledBack
    assert entries() == before
    with services.database.read() as work:
        read_everything(server, work, ada, token, key)
    assert all(entries()[name] > before[name] for name in ("bearers", "records", "renditions", "shared_files")), (
        "the same reads fill the caches where nothing can be rolled back"
    )


def read_everything(server: Server, work: UnitOfWork, user: User, token: str, key: RecordKey) -> None:
    services = server.services
    actor = services.oauth.server.tokens.check(work, token, "192.0.2.7").actor
    services.accounts.users.get(work, user.id)
    page = [services.library.records.shown(work, actor, key)]
    files = services.library.records.described(work, actor, page)[0].renditions
    permalink = next(file.permalink for file in files if file.name == THUMBNAIL)
    assert permalink is not None
    permalinks.shared(work, key, THUMBNAIL, permalink.token)


def entries() -> dict[str, int]:
    """Of all caches but the rows of a thread, which belong to a state of the database and not to a key."""
    gc.collect()  # servers of other tests
    return {name: counters.entries for name, counters in cache.counters().items() if name != "rows"}
