"""What is searched for: words by databox and day, without who searched (docs/decisions/0161).

Words are counted in memory and written every two seconds. What may name a person in particular is not kept as words: an
e-mail address, a long number, a text of more than LONGEST characters.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, timedelta

import sqlalchemy as sa

from vitrine.library.model import DataboxId
from vitrine.library.reports.tables import search_counts
from vitrine.library.tables import databoxes
from vitrine.platform.database import UnitOfWork
from vitrine.platform.deferred_buffers import MergedBuffer
from vitrine.platform.deferred_writes import DeferredKind
from vitrine.platform.expiry import Expiry
from vitrine.platform.texts import folded
from vitrine.platform.upsert import insert_of

FURTHER = "*"
LONGEST = 100
MOST_WORDS = 1_000  # of a databox on a day; other words are counted together
_PERSONAL = re.compile(r"@|\d[\d .+/-]{5,}\d|[\x00-\x1f\x7f]")
_columns = search_counts.c
_Place = tuple[DataboxId, str]
_Count = tuple[int, int]  # searches, those without a result


@dataclass(frozen=True, slots=True)
class SearchedWords:
    """*words* are `*` for all that are not kept one by one."""

    id: int
    databox_id: DataboxId
    day: date
    words: str
    searches: int
    without_result: int


def kept_words(text: str) -> str:
    """The words of a search as they are kept; empty for none."""
    if len(text) > 10 * LONGEST:  # folding takes time for each character
        return FURTHER
    words = folded(" ".join(text.split()))
    return FURTHER if len(words) > LONGEST or _PERSONAL.search(words) else words


def _add(older: _Count, newer: _Count) -> _Count:
    return older[0] + newer[0], older[1] + newer[1]


@dataclass(frozen=True, slots=True)
class SearchCounts:
    """Off, nothing is counted."""

    is_on: bool = True
    buffer: MergedBuffer[_Place, _Count] = field(default_factory=lambda: MergedBuffer(_add))

    def count(self, databox_ids: Iterable[DataboxId], text: str, results: int) -> None:
        """One search in these databoxes."""
        words = kept_words(text)
        if self.is_on and words:
            for databox_id in databox_ids:
                self.buffer.add((databox_id, words), (1, int(results == 0)))

    def kind(self) -> DeferredKind[tuple[_Place, _Count]]:
        return DeferredKind("search_counts", self.buffer, write, lambda row: {"databox": row[0][0]})


def write(work: UnitOfWork, rows: Sequence[tuple[_Place, _Count]]) -> None:
    """Add to the numbers of the day: of a databox about MOST_WORDS, as two servers may each find room for theirs."""
    day = work.now.astimezone(UTC).date()
    existing = set(work.db.scalars(sa.select(databoxes.c.id).where(databoxes.c.id.in_({row[0][0] for row in rows}))))
    known: dict[_Place, int] = {}
    for databox_id in sorted(existing):
        of_day = sa.select(_columns.words, _columns.id).where(_columns.databox_id == databox_id, _columns.day == day)
        known |= {(databox_id, row[0]): row[1] for row in work.db.execute(of_day.limit(2 * MOST_WORDS))}
    places = set(known)
    room = {box: MOST_WORDS - sum(place[0] == box for place in known) for box in existing}
    counts: dict[_Place, _Count] = {}
    for (databox_id, words), count in rows:
        if databox_id not in existing:
            continue
        place = (databox_id, words)
        if place not in places and room[databox_id] <= 0:
            place = (databox_id, FURTHER)
        if place not in places:
            places.add(place)
            room[databox_id] -= 1
        counts[place] = _add(counts.get(place, (0, 0)), count)
    _store(work, day, known, counts)


def _store(work: UnitOfWork, day: date, known: Mapping[_Place, int], counts: Mapping[_Place, _Count]) -> None:
    changed = [
        {"_id": known[place], "_all": counts[place][0], "_none": counts[place][1]}
        for place in sorted(counts) if place in known
    ]  # fmt: skip
    if changed:
        change = search_counts.update().where(_columns.id == sa.bindparam("_id"))
        sums = {
            "searches": _columns.searches + sa.bindparam("_all"),
            "without_result": _columns.without_result + sa.bindparam("_none"),
        }
        work.db.execute(change.values(sums), changed)
    new = [
        {"databox_id": box, "day": day, "words": words, "searches": count[0], "without_result": count[1]}
        for (box, words), count in sorted(counts.items()) if (box, words) not in known
    ]  # fmt: skip
    if new:
        insert = insert_of(work)(search_counts)
        sums = {name: _columns[name] + insert.excluded[name] for name in ("searches", "without_result")}
        work.db.execute(insert.on_conflict_do_update(index_elements=["databox_id", "day", "words"], set_=sums), new)


def page(work: UnitOfWork, databox_id: DataboxId, before: int | None, limit: int) -> list[SearchedWords]:
    """The newest first, older than the row *before*."""
    wanted = _columns.databox_id == databox_id
    if before is not None:
        wanted = sa.and_(wanted, _columns.id < before)
    row = [_columns[name] for name in SearchedWords.__dataclass_fields__]
    query = sa.select(*row).where(wanted).order_by(_columns.id.desc()).limit(limit)
    return [SearchedWords(*values) for values in work.db.execute(query)]


def expiry(days: int) -> Expiry:
    return Expiry(search_counts, lambda work: _columns.day < work.now.astimezone(UTC).date() - timedelta(days=days))
