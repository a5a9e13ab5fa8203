"""Many clients at once: searches, records and thumbnails; and deletions that meet each other."""

import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import quote

from benchmarks.scale.questions import Question, doomed, lasting, thumbnails
from benchmarks.scale.served import Served, cpu_s, memory_mib
from benchmarks.scale.words import Vocabulary


def mixture(server: Served, seed: int, count: int) -> Iterator[Question]:
    """70 % searches, 20 % records, 10 % thumbnails."""
    instance, draw = server.instance, random.Random(seed)
    words = Vocabulary.of(instance.seed).words
    links = thumbnails(server, 100)
    reader, admin = server.bearer("reader"), server.bearer("admin")
    for _ in range(count):
        part = draw.random()
        if part < 0.7:
            # A third of people look at everything, a tenth type a very frequent word, the others a word of their own.
            kind = draw.random()
            word = words[draw.randint(0, 20) if kind < 0.43 else draw.randint(100, 20_000)]
            query = "sort=created_on" if kind < 0.33 else f"query={quote(word)}"
            yield "GET", f"/api/v1/search/?per_page=25&{query}", reader, None
        elif part < 0.9:
            path = f"/api/v1/records/{instance.databox_id}/{draw.choice(lasting(instance))}/"
            yield "GET", path, admin, None
        else:
            yield "GET", draw.choice(links), {}, None


def searching(server: Served, clients: int, seconds: float) -> dict[str, Any]:
    """*clients* threads of this process ask for so many seconds. Latencies are in milliseconds."""
    answers: list[tuple[int, float]] = []
    memory: list[dict[str, float]] = []
    plans = [list(mixture(server, seed, 2_000)) for seed in range(4)]
    before, until = cpu_s(server.pid), time.monotonic() + seconds

    def run(number: int) -> None:
        plan, place = plans[number % len(plans)], number * 61
        with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)) as connection:
            while time.monotonic() < until:
                answers.append(_timed(connection, plan[place % len(plan)]))
                place += 1

    threads = [threading.Thread(target=run, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        time.sleep(0.2)
        memory.append(memory_mib(server.pid))
    took = sorted(ms for _status, ms in answers)
    return {
        "answers": len(answers), "a_second": round(len(answers) / seconds, 1),
        "cpu_ms": round((cpu_s(server.pid) - before) / len(answers) * 1000, 2),
        "p50_ms": round(took[len(took) // 2], 1), "p99_ms": round(took[int(len(took) * 0.99)], 1),
        "statuses": dict(Counter(status for status, _ms in answers)),
        "memory_mib": {name: max(sample[name] for sample in memory) for name in ("rss", "anon")},
    }  # fmt: skip


def deleting(server: Served, clients: int, each: int) -> dict[str, Any]:
    """*clients* delete *each* so many records at the same time: how they were answered, and the longest wait in ms."""
    instance, admin = server.instance, server.bearer("admin")
    numbers = doomed(server, clients * each)
    answers: list[tuple[int, float]] = []

    def run(own: list[int]) -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)) as connection:
            for number in own:
                question = ("DELETE", f"/api/v1/records/{instance.databox_id}/{number}/", admin, None)
                answers.append(_timed(connection, question))

    threads = [threading.Thread(target=run, args=(numbers[place::clients],)) for place in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = Counter(status for status, _ms in answers)
    return {"statuses": dict(statuses), "503": statuses[503], "longest_ms": round(max(ms for _status, ms in answers))}


def _timed(connection: http.client.HTTPConnection, question: Question) -> tuple[int, float]:
    method, path, headers, body = question
    began = time.perf_counter()
    connection.request(method, path, body=body, headers=headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status, (time.perf_counter() - began) * 1000
