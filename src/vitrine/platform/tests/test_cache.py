"""The one cache for data: bounded, least recently used first, counted, and filled by reads only."""

import gc
import threading
from dataclasses import dataclass

import pytest

from vitrine.platform import cache
from vitrine.platform.cache import Cache


@dataclass
class Transaction:
    writable: bool


READ, WRITE = Transaction(writable=False), Transaction(writable=True)


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    return f"test {request.node.nodeid}"


def filled(name: str, capacity: int) -> Cache[int, str]:
    values: Cache[int, str] = Cache(name, capacity)
    for key in range(capacity):
        values.put(key, f"value {key}")
    return values


def kept(values: Cache[int, str], keys: range) -> list[int]:
    return [key for key in keys if values.get(key) is not None]


def test_the_least_recently_used_entry_makes_room(name: str) -> None:
    values = filled(name, 3)
    assert (values.get(0), values.get(2)) == ("value 0", "value 2")
    values.put(3, "value 3")
    assert kept(values, range(4)) == [0, 2, 3]


def test_a_new_entry_is_kept_when_all_others_were_used(name: str) -> None:
    values = filled(name, 3)
    kept(values, range(3))
    values.put(3, "value 3")
    assert kept(values, range(4)) == [1, 2, 3], "the first of equals goes"


def test_a_flood_of_other_keys_does_not_drop_what_is_used(name: str) -> None:
    """What a dictionary that clears itself whole does."""
    values = filled(name, 100)
    for key in range(1000, 2000):
        values.put(key, "once")
        assert values.get(7) == "value 7"
    assert len(values) == 100


def test_weights_count_instead_of_entries(name: str) -> None:
    files: Cache[str, bytes] = Cache(name, 10, weigh=len)
    files.put("a", b"1234")
    files.put("b", b"1234")
    files.put("a", b"12345678")
    assert (files.get("a"), files.get("b")) == (b"12345678", None)
    files.put("c", b"12")
    assert files.get("a") is not None, "eight and two fit: the first value of `a` was taken off"


def test_nothing_of_a_writing_transaction_is_kept(name: str) -> None:
    values: Cache[int, str] = Cache(name, 3)
    values.keep(WRITE, 1, "may be rolled back")
    assert values.get(1) is None
    values.keep(READ, 1, "committed")
    values.keep(WRITE, 1, "may be rolled back")
    assert values.get(1) == "committed"


def test_what_was_asked_is_counted_by_name(name: str) -> None:
    first, second = filled(name, 2), filled(name, 2)
    first.get(0), second.get(1), second.get(9)
    second.put(2, "one more")
    counters = cache.counters()[name]
    assert (counters.hits, counters.misses, counters.evictions, counters.entries) == (2, 1, 1, 4)
    del first
    gc.collect()
    assert (counters.hits, counters.entries) == (2, 2), "counts stay, a cache that is gone has no entries"


def test_threads_never_see_a_wrong_value_nor_more_than_fits(name: str) -> None:
    values: Cache[int, str] = Cache(name, 50)
    faults: list[object] = []

    def work(start: int) -> None:
        for step in range(4000):
            key = (start + step * 7) % 120
            value = values.get(key)
            if value not in (None, f"value {key}"):
                faults.append(value)
            values.put(key, f"value {key}")
            if len(values) > 50:
                faults.append(len(values))
            if step % 1000 == 999:
                values.clear()

    threads = [threading.Thread(target=work, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
