"""Rules: what they find, in whose name they act, how they end, and that two of them do not play for ever."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from vitrine.accounts import COMMAND, Actor, DataboxRight, Right, User, Via
from vitrine.accounts.rights import ALL_DATABOX_RIGHTS, ALL_RIGHTS, READER
from vitrine.errors import Invalid
from vitrine.jobs.tables import jobs
from vitrine.library import store, structure_store
from vitrine.library.errors import ChangedMeanwhile, MayNotAdd, MayNotAdminister, MayNotChange, MayNotSee
from vitrine.library.model import BIN, FieldId, RecordKey
from vitrine.library.rules import search as rule_search
from vitrine.library.rules.errors import NoSuchRule, RuleUnderWay
from vitrine.library.rules.events import RuleChanged, RuleRan
from vitrine.library.rules.model import MOST_TIMES, Candidate, Rule, Run
from vitrine.library.rules.tests.rules_properties import slow_match
from vitrine.library.tables import fields, records, rules
from vitrine.oauth.tables import delegations
from vitrine.testing import media_factory as make
from vitrine.testing.record_factory import StoredRecord, add_record
from vitrine.testing.server import Server

RECORDS = 6


class World:
    """Some records of Photographs, a person who may do everything with them, and a clock to turn back."""

    def __init__(self, server: Server, picture: Path) -> None:
        self.server, self.rules = server, server.services.library.rules
        self.box = server.databox.id
        with server.services.database.write() as work:
            for bit in (4, 5, 6):
                names = {"label_on": "On", "label_off": "Off", "labels_on": {}, "labels_off": {}}
                structure_store.add_status_bit(work, self.box, {"bit": bit, **names})
            structure_store.increase_version(work)
        self.files = {"document": StoredRecord(picture, "image/jpeg", 300, 200)}
        self.keys = [self.add(f"City {number}") for number in range(RECORDS)]
        self.ada = self.manager("ada")

    def add(self, city: str) -> RecordKey:
        return add_record(self.server.services, self.server.photographs, "image", self.files, values={"City": city})

    def manager(self, login: str, rights: Mapping[int, Right] | Right = ALL_RIGHTS) -> User:
        person = self.server.user(login, rights)
        with self.server.services.database.write() as work:
            every = DataboxRight(ALL_DATABOX_RIGHTS)
            self.server.services.accounts.users.grant_databox(work, COMMAND, person.id, self.box, every)
        return person

    def actor(self, work: Any, user: User | None, **more: Any) -> Actor:
        people = self.server.services.accounts.users
        return COMMAND if user is None else people.actor_of(work, people.get(work, user.id), Via.SESSION, **more)

    def do(self, user: User | None, call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        with self.server.services.database.write() as work:
            return call(work, self.actor(work, user), *arguments, **named)

    def rule(self, criteria: dict[str, Any], action: dict[str, Any], user: User | None = None, **more: Any) -> Rule:
        given = {"name": "Tidy up", "criteria": criteria, "action": action, **more}
        added: Rule = self.do(user or self.ada, self.rules.add, self.box, given)
        return added

    def run(self, rule: Rule, user: User | None = None) -> Run:
        started = self.do(user or self.ada, self.rules.start, self.box, rule.id)
        self.server.work()
        ended: Run = self.do(None, self.rules.run, self.box, rule.id, started.id)
        return ended

    def pass_time(self, rule: Rule) -> Run | None:
        """The rule's time comes; returns its newest run."""
        with self.server.services.database.write() as work:
            due = work.now - timedelta(seconds=1)
            work.db.execute(rules.update().where(rules.c.next_run.is_not(None)).values(next_run=due))
            work.db.execute(jobs.update().values(run_after=due))
        self.server.work()
        newest: list[Run] = self.do(None, self.rules.runs, rule)
        return newest[0] if newest else None

    def show(self, rule: Rule) -> Rule:
        shown: Rule = self.do(None, self.rules.get, self.box, rule.id)
        return shown

    def age(self, key: RecordKey, days: int) -> None:
        with self.server.services.database.write() as work:
            when = work.now - timedelta(days=days)
            own = (records.c.databox_id == key.databox, records.c.number == key.number)
            work.db.execute(records.update().where(*own).values(created=when, updated=when))

    def places(self) -> list[tuple[int, int] | None]:
        with self.server.services.database.read() as work:
            known = [store.by_key(work, key) for key in self.keys]
        return [None if record is None else (record.collection_id, record.status) for record in known]

    def field(self, name: str) -> int:
        with self.server.services.database.read() as work:
            structure = self.server.services.library.records.structure(work)
            return next(field.id for field in structure.fields[self.box] if field.name == name)


@pytest.fixture
def world(server: Server, tmp_path: Path) -> World:
    return World(server, make.jpeg(tmp_path / "harbour.jpg", 300, 200))


@pytest.mark.both_databases
def test_a_rule_moves_and_marks_what_meets_all_criteria_and_tells_its_numbers(server: Server, world: World) -> None:
    for key in world.keys[:3]:
        world.age(key, 40)
    world.do(None, server.services.library.changes.set_status, world.keys[0], {5: True})
    criteria = {
        "base_ids": [server.photographs.id],
        "status": {"5": False},
        "dates": [{"of": "created", "test": "older", "days": 30}],
        "texts": [{"field_id": world.field("City"), "test": "contains", "text": "CITY"}],
    }
    action = {"base_id": server.archive.id, "status": {"4": True}}
    told: list[RuleRan] = []
    server.services.database.listen(RuleRan, lambda _work, event: told.append(event))
    rule = world.rule(criteria, action)
    assert not rule.enabled, "a rule is off until somebody switches it on"
    finding = world.do(world.ada, world.rules.dry_run, world.box, rule.id)
    assert [candidate.number for candidate in finding.records] == [key.number for key in world.keys[1:3]]
    assert finding.is_over
    at_first = (server.photographs.id, 0)
    assert world.places()[1:] == [at_first] * (RECORDS - 1), "a dry run changes nothing"
    run = world.run(rule)
    assert (run.state, run.matched, run.changed, run.refused, run.held) == ("done", 2, 2, 0, 0)
    moved = (server.archive.id, 16)
    assert world.places() == [(server.photographs.id, 32), moved, moved, *[at_first] * 3]
    assert [event.matched for event in told] == [2]
    assert world.run(rule).matched == 0, "nothing is left to change"
    undo = world.do(world.ada, server.services.library.bulk.begin_undo, run.operation_id)
    server.work()
    assert world.do(world.ada, server.services.library.bulk.get, undo.id).changed == 4
    assert world.places()[1:] == [at_first] * (RECORDS - 1)
    again = world.run(rule)
    assert (again.matched, again.held) == (0, 2), "what somebody took back is left alone"


@pytest.mark.both_databases
def test_a_rule_that_is_on_runs_when_its_time_comes_and_goes_on_where_it_stopped(
    server: Server, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rule_search, "PAGE", 2)
    monkeypatch.setattr("vitrine.library.rules.runner.MOST_LOOKED_AT", 4)
    rule = world.rule({"base_ids": [server.photographs.id]}, {"status": {"4": True}}, enabled=True)
    first = world.pass_time(rule)
    assert first is not None
    assert (first.by_hand, first.looked_at, first.matched, first.has_more) == (False, 4, 4, True)
    second = world.pass_time(rule)
    assert second is not None
    assert (second.id != first.id, second.looked_at, second.matched, second.has_more) == (True, 2, 2, False)
    assert world.places() == [(server.photographs.id, 16)] * RECORDS
    third = world.pass_time(rule)
    assert third is not None
    assert (third.looked_at, third.matched) == (4, 0), "it begins again"
    before = world.show(rule)
    assert before.next_run is not None
    world.do(world.ada, world.rules.change, world.box, rule.id, {"enabled": False})
    last = world.pass_time(rule)
    assert last is not None
    assert last.id == third.id, "nothing runs while it is off"
    assert world.show(rule).next_run is None


@pytest.mark.both_databases
def test_deletion_goes_to_the_bin_and_the_bin_is_looked_into_only_where_it_is_named(
    server: Server, world: World
) -> None:
    bin_ = world.do(None, server.services.library.structure.add_collection, world.box, BIN)
    server.regrant(world.ada, bin_, ALL_RIGHTS)
    old = {"dates": [{"of": "created", "test": "older", "days": 5}]}
    for key in world.keys[:2]:
        world.age(key, 10)
    rule = world.rule(old, {"delete": True})
    assert world.run(rule).changed == 2
    assert [place and place[0] for place in world.places()][:2] == [bin_.id] * 2
    assert world.run(rule).matched == 0, "what is in the bin stays there"
    world.age(world.keys[2], 10)
    both = world.rule({"base_ids": [server.photographs.id, bin_.id], **old}, {"delete": True})
    run = world.run(both)
    assert (run.matched, run.changed) == (3, 3)
    places = world.places()
    assert places[:2] == [None, None]
    assert places[2] is not None, "what a run puts into the bin is not deleted by the same run"
    assert places[2][0] == bin_.id


@pytest.mark.both_databases
def test_two_rules_that_move_a_record_back_and_forth_stop(server: Server, world: World) -> None:
    there = world.rule({"base_ids": [server.photographs.id]}, {"base_id": server.archive.id})
    back = world.rule({"base_ids": [server.archive.id]}, {"base_id": server.photographs.id})
    for _ in range(MOST_TIMES):
        assert world.run(there).changed == RECORDS
        assert world.run(back).changed == RECORDS
    held = world.run(there)
    assert (held.matched, held.held) == (0, RECORDS)
    late = world.add("Late")
    assert world.run(there).matched == 1, "other records are still moved"
    assert late.number > world.keys[-1].number


@pytest.mark.both_databases
@pytest.mark.parametrize("seed", range(3))
def test_the_search_finds_what_a_plain_look_at_every_record_finds(
    server: Server, world: World, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(rule_search, "PAGE", 3)
    random = Random(seed)
    world.keys += [world.add(f"City {number}") for number in range(8)]
    bases = [server.photographs.id, server.archive.id]
    with server.services.database.write() as work:
        for key in world.keys:
            when = work.now - timedelta(hours=random.randrange(0, 400))
            row = {"collection_id": random.choice(bases), "status": random.choice([0, 16, 32, 48]),
                   "created": when, "updated": when + timedelta(hours=random.randrange(0, 100))}  # fmt: skip
            own = (records.c.databox_id == key.databox, records.c.number == key.number)
            work.db.execute(records.update().where(*own).values(row))
    city, zone = world.field("City"), server.settings.zone
    with server.services.database.read() as work:
        known = store.by_keys(work, world.keys).values()
        texts = store.values_of(work, [record.id for record in known])
        candidates = [
            Candidate(record.id, record.number, record.collection_id, record.status, record.created, record.updated,
                      {FieldId(city): [value.value for value in texts[record.id] if value.field_id == city]})
            for record in known
        ]  # fmt: skip
    for _ in range(15):
        criteria: dict[str, Any] = {"base_ids": random.sample(bases, random.randrange(1, 3))}
        if random.random() < 0.5:
            criteria["status"] = {random.choice("45"): random.random() < 0.5}
        if random.random() < 0.7:
            test, of = random.choice(["older", "younger"]), random.choice(["created", "updated"])
            criteria["dates"] = [{"of": of, "test": test, "days": random.randrange(1, 16)}]
        if random.random() < 0.5:
            criteria["texts"] = [{"field_id": city, "test": "contains", "text": f"CITY {random.randrange(0, 3)}"}]
        rule = world.rule(criteria, {"status": {"6": True}})
        finding = world.do(world.ada, world.rules.dry_run, world.box, rule.id)
        with server.services.database.read() as work:
            expected = [row.number for row in candidates if slow_match(rule.criteria, row, zone, work.now)]
        assert sorted(candidate.number for candidate in finding.records) == sorted(expected), criteria
        assert finding.is_over


def test_a_rule_does_nothing_that_who_stands_for_it_may_not_do(server: Server, world: World) -> None:
    reader = world.manager("reader", {server.photographs.id: READER, server.archive.id: ALL_RIGHTS})
    mark = {"status": {"4": True}}
    with pytest.raises(MayNotChange):
        world.rule({"base_ids": [server.photographs.id]}, mark, reader)
    everywhere = world.rule({"texts": [{"field_id": world.field("City"), "test": "contains", "text": "city"}]}, mark,
                            reader)  # fmt: skip
    run = world.run(everywhere, reader)
    assert (run.matched, run.refused, run.changed) == (0, RECORDS, 0), "no record of a collection without the right"
    into = world.manager("into", {server.photographs.id: ALL_RIGHTS, server.archive.id: READER})
    with pytest.raises(MayNotAdd):
        world.rule({"base_ids": [server.photographs.id]}, {"base_id": server.archive.id}, into)
    apart = world.manager("apart", {server.photographs.id: ALL_RIGHTS})
    for place in ({"base_id": server.archive.id}, {"base_id": 999}):
        with pytest.raises(Invalid, match="no collection"):
            world.rule({"base_ids": [server.photographs.id]}, place, apart)
    masked = world.manager("masked")
    server.regrant(masked, server.photographs, ALL_RIGHTS, mask_and=1 << 5, mask_xor=1 << 5)
    blind = world.run(world.rule({"base_ids": [server.photographs.id]}, mark, masked), masked)
    assert (blind.matched, blind.refused) == (0, 0), "what they do not see is not there"
    stranger = server.user("stranger")
    with pytest.raises(MayNotAdminister):
        world.rule({"base_ids": [server.photographs.id]}, mark, stranger)
    outsider = server.user("outsider", None)
    with pytest.raises(MayNotSee):
        world.do(outsider, world.rules.get, world.box, everywhere.id)


def test_a_business_field_tells_nothing_to_who_may_not_edit(server: Server, world: World) -> None:
    with server.services.database.write() as work:
        work.db.execute(fields.update().where(fields.c.name == "City").values(business=True))
        structure_store.increase_version(work)
    rights = ALL_RIGHTS & ~Right.canmodifrecord
    guesser = world.manager("guesser", rights)
    criteria = {"texts": [{"field_id": world.field("City"), "test": "equals", "text": "city 1"}]}
    rule = world.rule(criteria, {"status": {"4": True}}, guesser)
    assert world.do(guesser, world.rules.dry_run, world.box, rule.id).records == []
    assert len(world.do(world.ada, world.rules.dry_run, world.box, rule.id).records) == 1


@pytest.mark.parametrize("cause", ["suspended", "right lost", "target lost", "password given", "field removed"])
def test_a_rule_is_switched_off_when_nobody_stands_for_it_and_stays(server: Server, world: World, cause: str) -> None:
    criteria = {"texts": [{"field_id": world.field("City"), "test": "contains", "text": "city"}]}
    rule = world.rule(criteria, {"base_id": server.archive.id}, enabled=True)
    administration = server.services.accounts.administration
    expected = "authority_ended"
    if cause == "suspended":
        world.do(None, administration.suspend, "ada")
    elif cause == "right lost":
        none = DataboxRight(0)
        world.do(None, server.services.accounts.users.grant_databox, world.ada.id, world.box, none)
        expected = "may_not_administer"
    elif cause == "target lost":
        server.regrant(world.ada, server.archive, READER)
        expected = "may_not_add"
    elif cause == "password given":
        administration.give_password(COMMAND, "ada", "another horse battery")
    else:
        world.do(None, server.services.library.administration.fields.delete, world.box, world.field("City"))
        expected = "invalid"
    run = world.pass_time(rule)
    assert run is not None
    assert (run.state, run.outcome, run.operation_id) == ("ended", expected, None)
    ended = world.show(rule)
    assert (ended.enabled, ended.ended, ended.next_run) == (False, expected, None)
    assert all(place is not None and place[0] == server.photographs.id for place in world.places())
    if cause == "suspended":
        bob = world.manager("bob")
        world.do(bob, world.rules.change, world.box, rule.id, {"enabled": True})
        again = world.pass_time(rule)
        assert again is not None
        assert again.changed == RECORDS, "another person takes it over"


def test_a_token_changes_no_more_by_a_rule_than_it_may_itself(server: Server, world: World) -> None:
    criteria = {"base_ids": [server.photographs.id]}
    given = {"name": "Tidy up", "criteria": criteria}
    with server.services.database.write() as work:
        actor = world.actor(work, world.ada, scope=frozenset({"structure", "metadata:edit"}))
        world.rules.add(work, actor, world.box, {**given, "action": {"status": {"4": True}}})
        with pytest.raises(MayNotChange):
            world.rules.add(work, actor, world.box, {**given, "action": {"delete": True}})
        narrow = world.actor(work, world.ada, scope=frozenset({"structure"}))
        with pytest.raises(MayNotChange):
            world.rules.add(work, narrow, world.box, {**given, "action": {"status": {"4": True}}})


def test_switching_a_rule_off_stops_what_it_has_begun(server: Server, world: World) -> None:
    rule = world.rule({"base_ids": [server.photographs.id]}, {"status": {"4": True}}, enabled=True)
    runner = server.worker.handlers["rules.run"]
    server.worker.handlers["rules.due"](None)  # type: ignore[arg-type]
    with server.services.database.read() as work:
        row = work.db.execute(sa.select(jobs).where(jobs.c.kind == "rules.run")).one()
    runner(row)  # type: ignore[arg-type]
    runner(row)  # type: ignore[arg-type]  # a worker that was killed behind the commit
    with pytest.raises(RuleUnderWay):
        world.do(world.ada, world.rules.start, world.box, rule.id)
    world.do(world.ada, world.rules.change, world.box, rule.id, {"enabled": False})
    server.work()
    (run,) = world.do(None, world.rules.runs, rule, limit=5)
    assert (run.matched, run.changed, run.state) == (RECORDS, 0, "done")
    assert world.places() == [(server.photographs.id, 0)] * RECORDS


def test_a_run_does_only_what_was_read_by_who_started_it(server: Server, world: World) -> None:
    rule = world.rule({"base_ids": [server.photographs.id]}, {"status": {"4": True}})
    world.do(world.ada, world.rules.start, world.box, rule.id)
    world.do(world.ada, world.rules.change, world.box, rule.id, {"action": {"delete": True}})
    server.work()
    (run,) = world.do(None, world.rules.runs, rule, limit=5)
    assert (run.matched, run.outcome) == (0, "authority_ended")
    assert world.places() == [(server.photographs.id, 0)] * RECORDS


def test_two_who_change_a_rule_at_once_do_not_lose_a_change(server: Server, world: World) -> None:
    heard: list[RuleChanged] = []
    server.services.database.listen(RuleChanged, lambda _work, event: heard.append(event))
    rule = world.rule({"base_ids": [server.photographs.id]}, {"status": {"4": True}}, enabled=True)
    world.do(world.ada, world.rules.change, world.box, rule.id, {"name": "Other"}, expected=rule.revision)
    with pytest.raises(ChangedMeanwhile):
        world.do(world.ada, world.rules.change, world.box, rule.id, {"name": "Lost"}, expected=rule.revision)
    world.do(world.ada, world.rules.delete, world.box, rule.id)
    with pytest.raises(NoSuchRule):
        world.show(rule)
    assert [(event.before.get("name"), event.after.get("name")) for event in heard] == [
        (None, "Tidy up"), ("Tidy up", "Other"), ("Other", None),
    ]  # fmt: skip
    with server.services.database.read() as work:
        assert work.db.scalar(sa.select(sa.func.count()).select_from(delegations)) == 0, "no authority is left behind"


@pytest.mark.parametrize(
    ("criteria", "action", "field"),
    [
        ({}, {"delete": True}, "criteria"),
        ({"base_ids": [1]}, {}, "change"),
        ({"base_ids": [1]}, {"delete": True, "status": {"4": True}}, "change"),
        ({"status": {"3": True}}, {"delete": True}, "criteria.status"),
        ({"status": {"١": True}}, {"delete": True}, "criteria.status"),
        ({"status": {"9": True}}, {"delete": True}, "criteria.status"),
        ({"dates": [{"test": "older", "days": 3}]}, {"delete": True}, "criteria.dates"),
        ({"dates": [{"of": "created", "test": "older"}]}, {"delete": True}, "criteria.dates"),
        ({"dates": [{"of": "created", "test": "older", "days": 10**9}]}, {"delete": True}, "criteria.dates"),
        ({"dates": [{"field_id": 1, "test": "passed"}]}, {"delete": True}, "criteria.dates"),
        ({"texts": [{"field_id": 9999, "test": "equals", "text": "a"}]}, {"delete": True}, "criteria.texts"),
        ({"texts": [{"field_id": 1, "test": "equals", "text": " "}]}, {"delete": True}, "criteria.texts"),
        ({"texts": [{"field_id": 1, "test": "like", "text": "a"}]}, {"delete": True}, "criteria"),
        ({"unknown": 1}, {"delete": True}, "criteria"),
        ([], {"delete": True}, "criteria"),
        ({"base_ids": [1]}, {"status": "all"}, "action"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_by_the_name_of_what_is_wrong(
    world: World, criteria: Any, action: Any, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        world.rule(criteria, action)
    assert refused.value.field == field
