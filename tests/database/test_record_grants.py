"""Several sources grant the same record to the same person; each can give once, and take away only its own."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from tests.database.plans import plan_of, scans_of
from tests.database.rows import insert_minimal
from vitrine.accounts import record_grants as grants
from vitrine.accounts import store
from vitrine.accounts.model import Actor, UserId, Via
from vitrine.accounts.record_grants import GrantSource, SourceKind
from vitrine.accounts.tables import record_grants, users
from vitrine.platform.database import Database, UnitOfWork

BASKET, VOTE, ORDER = (
    GrantSource(SourceKind.BASKET, 4),
    GrantSource(SourceKind.VOTE, 4),
    GrantSource(SourceKind.ORDER, 4),
)


def person_and_record(work: UnitOfWork) -> tuple[UserId, int]:
    return UserId(insert_minimal(work, "users")), insert_minimal(work, "records")


def covers_original(work: UnitOfWork, person: UserId, record: int) -> bool | None:
    """None if the person holds no grant on the record."""
    actor = Actor(Via.COMMAND, person, rights=store.held_rights(work, person).at(work.now))
    return grants.on_records(work, actor, [record]).get(record)


def sources(work: UnitOfWork) -> list[tuple[str, int]]:
    rows = work.db.execute(
        sa.select(record_grants.c.source_kind, record_grants.c.source_id).order_by(record_grants.c.id)
    )
    return [(row.source_kind, row.source_id) for row in rows]


@pytest.mark.both_databases
def test_grants_of_several_sources_stand_side_by_side_and_the_best_counts(database: Database) -> None:
    with database.write() as work:
        ada, record = person_and_record(work)
        grants.give(work, ada, [record], BASKET, giver_id=None)
        assert covers_original(work, ada, record) is False
        grants.give(work, ada, [record], ORDER, giver_id=None, document=True)
        grants.give(work, ada, [record, record], VOTE, giver_id=ada)
        assert len(sources(work)) == 3
        assert covers_original(work, ada, record) is True


@pytest.mark.both_databases
def test_a_source_that_ends_leaves_what_others_gave(database: Database) -> None:
    with database.write() as work:
        ada, record = person_and_record(work)
        bob = UserId(insert_minimal(work, "users"))
        for person in (ada, bob):
            grants.give(work, person, [record], BASKET, giver_id=None)
        grants.give(work, ada, [record], ORDER, giver_id=None, document=True)
        assert grants.end(work, BASKET, user_id=bob) == 1
        assert grants.end(work, GrantSource(SourceKind.BASKET, 5)) == 0
        assert grants.end(work, BASKET) == 1
        assert sources(work) == [("order", 4)]
        assert covers_original(work, ada, record) is True
        assert covers_original(work, bob, record) is None


@pytest.mark.both_databases
def test_a_source_gives_once_also_without_a_giver(database: Database) -> None:
    """The former key contained the giver. NULL differs from NULL, so it allowed any number of rows without one."""
    with database.write() as work:
        ada, record = person_and_record(work)
        grants.give(work, ada, [record], BASKET, giver_id=None, document=True)
        later = work.now + timedelta(days=15)
        grants.give(work, ada, [record], BASKET, giver_id=None, expires=later)
        row = work.db.execute(sa.select(record_grants)).one()
        assert (row.document, row.expires) == (False, later)
    with pytest.raises(IntegrityError), database.write() as work:
        values = {"user_id": ada, "record_id": record, "source_kind": "basket", "source_id": 4}
        insert_minimal(work, "record_grants", **values)


@pytest.mark.both_databases
def test_caches_notice_both(database: Database) -> None:
    with database.write() as work:
        ada, record = person_and_record(work)
        version = sa.select(users.c.rights_version).where(users.c.id == ada)
        before = work.db.scalar(version)
        grants.give(work, ada, [record], BASKET, giver_id=None)
        given = work.db.scalar(version)
        grants.end(work, BASKET)
        assert [before, given, work.db.scalar(version)] == [1, 2, 3]


@pytest.mark.both_databases
def test_what_a_source_gave_is_found_by_index(database: Database) -> None:
    own = sa.and_(record_grants.c.source_kind == "basket", record_grants.c.source_id == 4)
    with database.read() as work:
        assert scans_of(plan_of(work, record_grants.delete().where(own)), "record_grants") == []
        of_person = sa.select(record_grants.c.id).where(record_grants.c.user_id == 1, record_grants.c.record_id == 1)
        assert scans_of(plan_of(work, of_person), "record_grants") == []
