"""What people see of stories and may do to them, against a small model of 06 section 17.7: random rights, masks, time
limits, grants, children, moves and deletions, in any order."""

import uuid as uuids
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vitrine.accounts import COMMAND, Actor, CollectionGrant, Right, User, Via, record_grants
from vitrine.accounts.record_grants import GrantSource, SourceKind
from vitrine.errors import Forbidden, Invalid, NotFound
from vitrine.library import store
from vitrine.library.model import CollectionId, RecordId, RecordKey
from vitrine.library.stories.model import ChildDraft, StoryDraft, StorySummary
from vitrine.platform.database import UnitOfWork
from vitrine.testing.server import Server

PEOPLE, RECORDS, STORIES, BASES = 3, 6, 3, 2
PERSON, RECORD, STORY, BASE = (st.integers(0, count - 1) for count in (PEOPLE, RECORDS, STORIES, BASES))
BIT = 1 << 4
RIGHTS = st.sampled_from([
    Right.actif, Right.actif | Right.canmodifrecord, Right.canmodifrecord,
    Right.actif | Right.canmodifrecord | Right.candeleterecord,
    Right.actif | Right.canaddrecord | Right.candeleterecord,
])  # fmt: skip
MASKS = st.sampled_from([(0, 0), (BIT, 0), (BIT, BIT)])
PAST = st.booleans()  # a time limit that is over
STEPS = st.one_of(
    st.tuples(st.just("regrant"), PERSON, BASE, RIGHTS, MASKS, PAST),
    st.tuples(st.just("grant"), PERSON, RECORD),
    st.tuples(st.just("end_grants"), PERSON),
    st.tuples(st.just("status"), RECORD, st.sampled_from([0, BIT])),
    st.tuples(st.just("move"), RECORD, BASE),
    st.tuples(st.just("move_story"), STORY, BASE),
    st.tuples(st.just("delete"), RECORD),
    st.tuples(st.just("add"), PERSON, STORY, st.lists(RECORD, min_size=1, max_size=3)),
    st.tuples(st.just("remove"), PERSON, STORY, st.lists(RECORD, min_size=1, max_size=2)),
    st.tuples(st.just("reorder"), PERSON, STORY, st.randoms(use_true_random=False)),
    st.tuples(st.just("cover"), PERSON, STORY, RECORD),
    st.tuples(st.just("delete_story"), PERSON, STORY, st.booleans()),
)


@dataclass
class ModelRecord:
    base: int
    status: int = 0


@dataclass
class ModelGrant:
    rights: Right
    mask: tuple[int, int]
    is_over: bool


@dataclass
class Model:
    """The library as a person would write it down: nothing is looked up elsewhere."""

    records: dict[int, ModelRecord]
    children: dict[int, list[int]]
    covers: dict[int, int | None]
    rights: dict[tuple[int, int], ModelGrant]
    granted: set[tuple[int, int]] = field(default_factory=set)

    def has(self, person: int, number: int, right: Right) -> bool:
        """R(right), and `actif` with it."""
        link = self.rights.get((person, self.records[number].base))
        return link is not None and not link.is_over and Right.actif in link.rights and right in link.rights

    def sees(self, person: int, number: int) -> bool:
        """V'."""
        if (person, number) in self.granted:
            return True
        link, status = self.rights.get((person, self.records[number].base)), self.records[number].status
        passes = link is not None and ((status ^ link.mask[1]) & link.mask[0]) == 0
        return passes and self.has(person, number, Right.actif)

    def may_change(self, person: int, story: int) -> bool:
        return self.sees(person, story) and self.has(person, story, Right.canmodifrecord)

    def shown(self, person: int, story: int) -> list[int]:
        return [child for child in self.children[story] if self.sees(person, child)]

    def forget(self, number: int) -> None:
        del self.records[number]
        self.granted = {(person, record) for person, record in self.granted if record != number}
        for story, children in self.children.items():
            if number in children:
                children.remove(number)
                if self.covers[story] == number:
                    self.covers[story] = None


class World:
    """The model and a server, changed together. Records and stories are drawn by their place; numbers are real."""

    def __init__(self, server: Server, people: list[User]) -> None:
        self.server, self.people = server, people
        self.stories, self.views = server.services.library.stories, server.services.library.story_views
        self.bases = [server.photographs, server.archive]
        self.places = [self.new_record(place % BASES) for place in range(RECORDS)]
        self.story_places = [self.new_story(place % BASES) for place in range(STORIES)]
        self.model = Model(
            records={number: ModelRecord(place % BASES) for place, number in enumerate(self.places)}
            | {number: ModelRecord(place % BASES) for place, number in enumerate(self.story_places)},
            children={number: [] for number in self.story_places},
            covers=dict.fromkeys(self.story_places),
            rights={},
        )
        for person in range(PEOPLE):
            self.end_grants(person)
            for base in range(BASES):
                self.regrant(person, base, Right.actif | Right.canmodifrecord, (0, 0), False)

    def key(self, number: int) -> RecordKey:
        return RecordKey(self.server.databox.id, number)

    def write(self, call: Callable[[UnitOfWork], Any]) -> Any:
        with self.server.services.database.write() as work:
            return call(work)

    def actor(self, person: int) -> Actor:
        users = self.server.services.accounts.users
        with self.server.services.database.read() as work:
            return users.actor_of(work, users.get(work, self.people[person].id), Via.TOKEN)

    def new_record(self, base: int) -> int:
        def call(work: UnitOfWork) -> int:
            number = store.next_number(work, self.server.databox.id)
            columns = {
                "databox_id": self.server.databox.id, "number": number, "collection_id": self.bases[base].id,
                "kind": "image", "title": str(number), "uuid": str(uuids.uuid4()), "technical": "[]",
                "created": work.now, "updated": work.now,
            }  # fmt: skip
            store.add_record(work, columns)
            return number

        number: int = self.write(call)
        return number

    def new_story(self, base: int) -> int:
        draft = StoryDraft(CollectionId(self.bases[base].id))
        key: RecordKey = self.write(lambda work: self.stories.create(work, COMMAND, draft))
        return key.number

    def row_id(self, number: int) -> RecordId:
        with self.server.services.database.read() as work:
            record_id = store.id_of(work, self.key(number))
        assert record_id is not None
        return record_id

    # -- what anybody else does --------------------------------------------------------------------------------------

    def regrant(self, person: int, base: int, rights: Right, mask: tuple[int, int], is_over: bool) -> None:
        limits: dict[str, Any] = {"mask_and": mask[0], "mask_xor": mask[1]}
        if is_over:
            limits["valid_until"] = datetime.now(UTC) - timedelta(days=1)
        grant = CollectionGrant(self.bases[base].id, self.server.databox.id, rights, **limits)
        users = self.server.services.accounts.users
        self.write(lambda work: users.grant(work, COMMAND, self.people[person].id, grant))
        self.model.rights[person, base] = ModelGrant(rights, mask, is_over)

    def grant(self, person: int, place: int) -> None:
        number, user = self.places[place], self.people[person]
        if number not in self.model.records:
            return
        source, record_id = GrantSource(SourceKind.PUSH, person + 1), self.row_id(number)
        self.write(lambda work: record_grants.give(work, user.id, [record_id], source, giver_id=None))
        self.model.granted.add((person, number))

    def end_grants(self, person: int) -> None:
        self.write(lambda work: record_grants.end(work, GrantSource(SourceKind.PUSH, person + 1)))
        if hasattr(self, "model"):
            self.model.granted = {(who, record) for who, record in self.model.granted if who != person}

    def status(self, place: int, status: int) -> None:
        number = self.places[place]
        if number in self.model.records:
            record_id = self.row_id(number)
            self.write(lambda work: store.update_record(work, record_id, {"status": status}))
            self.model.records[number].status = status

    def move(self, place: int, base: int) -> None:
        self._move(self.places[place], base)

    def move_story(self, place: int, base: int) -> None:
        self._move(self.story_places[place], base)

    def _move(self, number: int, base: int) -> None:
        if number in self.model.records:
            changes, into = self.server.services.library.changes, CollectionId(self.bases[base].id)
            self.write(lambda work: changes.move(work, COMMAND, self.key(number), into))
            self.model.records[number].base = base

    def delete(self, place: int) -> None:
        number = self.places[place]
        if number in self.model.records:
            removal = self.server.services.library.removal
            self.write(lambda work: removal.remove(work, COMMAND, self.key(number)))
            self.model.forget(number)

    # -- what a person tries -----------------------------------------------------------------------------------------

    def tries(self, person: int, call: Callable[[UnitOfWork, Actor], Any], *, is_allowed: bool) -> bool:
        actor = self.actor(person)
        if is_allowed:
            self.write(lambda work: call(work, actor))
            return True
        with pytest.raises((Forbidden, NotFound, Invalid)):
            self.write(lambda work: call(work, actor))
        return False

    def add(self, person: int, place: int, places: list[int]) -> None:
        story, numbers = self.story_places[place], [self.places[one_place] for one_place in places]
        model, drafts = self.model, [ChildDraft(self.key(number)) for number in numbers]
        is_allowed = (
            story in model.records
            and model.may_change(person, story)
            and all(number in model.records and model.sees(person, number) for number in numbers)
        )
        if self.tries(
            person, lambda work, actor: self.stories.add(work, actor, self.key(story), drafts), is_allowed=is_allowed
        ):
            children = model.children[story]
            children += [number for number in dict.fromkeys(numbers) if number not in children]

    def remove(self, person: int, place: int, places: list[int]) -> None:
        story, numbers = self.story_places[place], [self.places[one_place] for one_place in places]
        model, drafts = self.model, [ChildDraft(self.key(number)) for number in numbers]
        is_allowed = (
            story in model.records
            and model.may_change(person, story)
            and all(number in model.records and model.sees(person, number) for number in numbers)
        )
        if self.tries(
            person, lambda work, actor: self.stories.remove(work, actor, self.key(story), drafts), is_allowed=is_allowed
        ):
            model.children[story] = [child for child in model.children[story] if child not in numbers]
            if model.covers[story] in numbers:
                model.covers[story] = None

    def reorder(self, person: int, place: int, random: Any) -> None:
        story, model = self.story_places[place], self.model
        is_there = story in model.records
        order = model.shown(person, story) if is_there else []
        random.shuffle(order)
        is_allowed = is_there and model.may_change(person, story)
        if self.tries(
            person, lambda work, actor: self.stories.reorder(work, actor, self.key(story), order), is_allowed=is_allowed
        ):
            wanted = iter(order)
            model.children[story] = [
                next(wanted) if model.sees(person, child) else child for child in model.children[story]
            ]

    def cover(self, person: int, place: int, record: int) -> None:
        story, number, model = self.story_places[place], self.places[record], self.model
        is_allowed = (
            story in model.records
            and model.may_change(person, story)
            and number in model.children[story]
            and model.sees(person, number)
        )
        if self.tries(
            person,
            lambda work, actor: self.stories.set_cover(work, actor, self.key(story), number),
            is_allowed=is_allowed,
        ):
            model.covers[story] = number

    def delete_story(self, person: int, place: int, with_children: bool) -> None:
        story, model = self.story_places[place], self.model
        is_there = story in model.records
        numbers = model.shown(person, story) if is_there and with_children else []
        is_allowed = (
            is_there
            and model.sees(person, story)
            and all(model.has(person, number, Right.candeleterecord) for number in (story, *numbers))
        )
        if self.tries(
            person,
            lambda work, actor: self.stories.delete(work, actor, self.key(story), with_children=with_children),
            is_allowed=is_allowed,
        ):
            for number in numbers:
                model.forget(number)
            model.forget(story)
            del model.children[story], model.covers[story]

    # -- what a person sees --------------------------------------------------------------------------------------------

    def compare(self) -> None:
        for person in range(PEOPLE):
            actor = self.actor(person)
            with self.server.services.database.read() as work:
                for story in self.story_places:
                    self._compare_story(work, actor, person, story)
                for number in self.places:
                    if number in self.model.records and self.model.sees(person, number):
                        self._compare_parents(work, actor, person, number)

    def _compare_story(self, work: UnitOfWork, actor: Actor, person: int, story: int) -> None:
        model = self.model
        if story not in model.records or not model.sees(person, story):
            with pytest.raises((Forbidden, NotFound)):
                self.views.shown(work, actor, self.key(story))
            return
        shown = self.views.shown(work, actor, self.key(story))
        expected, cover = model.shown(person, story), model.covers[story]
        cover = cover if cover in expected else None
        assert [child.record.number for child in shown.children] == expected
        assert shown.cover == cover
        (summary,) = self.views.summaries(work, actor, [shown.story.shown])
        assert (summary.count, summary.cover) == (len(expected), cover)

    def _compare_parents(self, work: UnitOfWork, actor: Actor, person: int, number: int) -> None:
        model = self.model
        record = store.by_key(work, self.key(number))
        assert record is not None
        parents = self.views.of_record(work, actor, record)
        expected = [
            story for story, children in model.children.items() if number in children and model.sees(person, story)
        ]
        assert [parent.record.number for parent in parents] == expected
        for parent in parents:
            assert not isinstance(parent, StorySummary)
            assert [child.record.number for child in parent.children] == model.shown(person, parent.record.number)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=14))
def test_people_see_and_do_what_the_truth_table_says(
    server: Server, people: list[User], steps: list[tuple[Any, ...]]
) -> None:
    world = World(server, people)
    for name, *arguments in steps:
        getattr(world, name)(*arguments)
        world.compare()


@pytest.fixture
def people(server: Server) -> list[User]:
    return [server.user(f"person{number}") for number in range(PEOPLE)]
