"""A run of pairs: draw two operations on the same things, send them at once, look at what came of it."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from tests.concurrency.operations import (
    OF_THE_OTHER,
    OF_THE_OWNER,
    REPLACING,
    SUBJECTS,
    Operation,
    Step,
)
from tests.concurrency.world import Answer, World

# Refusals by what the other one did meanwhile, or by what the thing is by now.
REFUSED = frozenset({400, 401, 403, 404, 409, 412})
RACES = 0.3  # of the pairs: the same new value twice


class Run:
    def __init__(self, world: World) -> None:
        self.world = world
        self.done: Counter[str] = Counter()
        self.lost_races = 0
        self._pool = ThreadPoolExecutor(2)

    def close(self) -> None:
        self._pool.shutdown()

    def pair(self) -> None:
        """One pair. Raises AssertionError where an answer, or the two together, should not be."""
        self.world.refill()
        rng = self.world.random
        self.world.is_aimed = rng.random() < RACES
        operations = SUBJECTS[rng.choice(sorted(SUBJECTS))]
        chosen = [rng.choice(REPLACING)] * 2 if self.world.is_aimed else rng.choices(operations, k=2)
        people = [self._who(place, operation) for place, operation in enumerate(chosen)]
        steps = [operation(self.world, person) for operation, person in zip(chosen, people, strict=True)]
        answers = self._at_once(list(zip(people, steps, strict=True)))
        names = [operation.__name__ for operation in chosen]
        for name, step, answer in zip(names, steps, answers, strict=True):
            assert answer.status < 300 or answer.status in REFUSED, (names, step, answer.status, answer.body)
            self.done[name] += answer.status < 300
        self._check_replacement(names, steps, answers)

    def _who(self, place: int, operation: Operation) -> int:
        if operation in OF_THE_OWNER:
            return 0
        return 1 if operation in OF_THE_OTHER else place

    def _at_once(self, requests: list[tuple[int, Step]]) -> list[Answer]:
        barrier = Barrier(len(requests))

        def send(person: int, step: Step) -> Answer:
            barrier.wait(30)
            return self.world.call(person, step.method, step.path, step.body, form=step.form, tag=step.tag)

        return [future.result() for future in [self._pool.submit(send, *request) for request in requests]]

    def _check_replacement(self, names: list[str], steps: list[Step], answers: list[Answer]) -> None:
        """Of two new values under the same tag one is refused with 412, and the other one's stands. Both may be
        refused for another reason, such as an entry of the other person."""
        won = [step for step, answer in zip(steps, answers, strict=True) if step.replaces and answer.status < 300]
        is_race = steps[0].replaces == steps[1].replaces != "" and steps[0].tag == steps[1].tag
        if not is_race:
            return
        assert len(won) < 2, f"{names}: both changes of {steps[0].replaces} were done"
        assert [answer.status for answer in answers].count(412) == len(won)
        self.lost_races += len(won)
        if won and won[0].reads is not None:
            path, member, value = won[0].reads
            assert self.world.get(path)[member] == value
