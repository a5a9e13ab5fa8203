"""Latencies of the index on synthetic records: `python -m benchmarks.index_prototype [records]`.

Seeded and self-contained: words of made-up syllables with Zipf weights, so that there is a top and a rare one.
"""

import itertools
import json
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from vitrine.search.model import BaseClause, IndexDocument, Query, VisibleScope
from vitrine.search.tantivy_index import EmbeddedIndex

COLLECTIONS = 40
ALLOWED = 20
WORDS = 4_000
REPEATS = 60
START = datetime(2020, 1, 1, tzinfo=UTC)


def words(random_: random.Random) -> tuple[list[str], list[float]]:
    syllables = [c + v for c in "bcdfghjklmnprstvz" for v in "aeiou"]
    pool = list(dict.fromkeys("".join(random_.choices(syllables, k=3)) for _ in range(WORDS * 2)))[:WORDS]
    return pool, list(itertools.accumulate(1 / (rank + 1) for rank in range(len(pool))))


def documents(many: int) -> Iterator[IndexDocument]:
    random_ = random.Random(7)
    pool, weights = words(random_)
    for rid in range(1, many + 1):
        text = random_.choices(pool, cum_weights=weights, k=24)
        when = START + timedelta(minutes=rid)
        yield IndexDocument(
            rid=rid, databox_id=1, number=rid, base_id=random_.randint(1, COLLECTIONS), kind="image", is_story=False,
            created=when, updated=when, status=16 if rid % 9 == 0 else 0, title=text[0], sha256=f"{rid:064x}",
            uuid=f"u{rid}", business={},
            fields={"Title": [" ".join(text[:4])], "Caption": [" ".join(text[4:18])], "Keywords": text[18:]},
        )  # fmt: skip


def percentile(samples: list[float], part: float) -> float:
    return sorted(samples)[min(len(samples) - 1, int(len(samples) * part))]


def main() -> None:
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    pool, _ = words(random.Random(7))
    masked = [BaseClause(base, 16, 0) if base % 5 == 0 else BaseClause(base) for base in range(1, ALLOWED + 1)]
    scope = VisibleScope(tuple(masked))
    cases = {
        "everything, newest first": Query("", scope, sort="created_on", limit=25),
        "rare word": Query(pool[-5], scope, sort="created_on", limit=25),
        "middle word": Query(pool[300], scope, sort="created_on", limit=25),
        "top word": Query(pool[0], scope, sort="created_on", limit=25),
        "two words": Query(f"{pool[3]} {pool[40]}", scope, limit=25),
        "beginning of a word": Query(pool[100][:4], scope, truncation=True, limit=25),
        "phrase": Query(f'"{pool[0]} {pool[1]}"', scope, limit=25),
        "everything, position 10,000": Query("", scope, sort="created_on", offset=10_000, limit=25),
    }
    with tempfile.TemporaryDirectory() as folder:
        index = EmbeddedIndex(Path(folder))
        before = resource.getrusage(resource.RUSAGE_SELF)
        index.rebuild(documents(many), lambda _rids: [])
        after = resource.getrusage(resource.RUSAGE_SELF)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        lines = ["| query | hits | p50 ms | p95 ms |", "| --- | --- | --- | --- |"]
        kept = {}
        for name, query in cases.items():
            samples = []
            for _ in range(REPEATS):
                started = time.perf_counter()
                hits = index.search(query)
                samples.append((time.perf_counter() - started) * 1000)
            kept[name] = {"hits": hits.total, "p50_ms": statistics.median(samples), "p95_ms": percentile(samples, 0.95)}
            lines.append(
                f"| {name} | {hits.total} | {statistics.median(samples):.2f} | {percentile(samples, 0.95):.2f} |"
            )
        index.close()
    lines.append(f"\nBuilt {many:,} records in {spent:.1f} s of processor time: {many / spent:,.0f} a second.")
    print("\n".join(lines))
    target = Path(__file__).parent / "results" / f"index-{many}.json"
    target.write_text(json.dumps({"records": many, "build_per_cpu_s": many / spent, "queries": kept}, indent=2) + "\n")


if __name__ == "__main__":
    main()
