"""Criteria against a slow model written from their description."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from vitrine.library.model import CollectionId, FieldId, RecordId
from vitrine.library.rules.model import (
    Candidate,
    Criteria,
    DateCriterion,
    DateOf,
    DateTest,
    Days,
    TextCriterion,
    TextTest,
    created_between,
    matches_row,
    matches_values,
)

ZONES = [ZoneInfo(name) for name in ("UTC", "Europe/Paris", "Pacific/Auckland", "America/St_Johns")]
NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # the night in which the clocks of Paris go forward
TEXTS = ["Brest", "BREST", "brest harbour", "Straße", "STRASSE", "E\u0301cole", "école", "", "İzmir"]
DATES = ["2009", "2026", "2026-03", "2026-03-29", "2026-03-28 23:30:00", "2026/02", "2025-12-31", "soon", "2026-13",
         "2026-02-30", "20265"]  # fmt: skip


def _days_of(text: str) -> list[date]:
    """Every day that a date of a field may be."""
    parts = text.split(" ", maxsplit=1)[0].replace("/", "-").split("-")
    if not all(part.isdecimal() for part in parts) or len(parts[0]) != 4:
        return []
    year = int(parts[0])
    day, days = date(year, 1, 1), []
    while day.year == year:
        if [day.month, day.day][: len(parts) - 1] == [int(part) for part in parts[1:]]:
            days.append(day)
        day += timedelta(days=1)
    return days


def _fits(criterion: DateCriterion, days: list[date], today: date) -> bool:
    ages = [(today - day).days for day in days]
    match criterion.test:
        case DateTest.OLDER:
            return bool(ages) and min(ages) > criterion.days
        case DateTest.YOUNGER:
            return bool(ages) and max(ages) < criterion.days
        case DateTest.PASSED:
            return bool(ages) and min(ages) > 0


def slow_match(criteria: Criteria, row: Candidate, zone: tzinfo, now: datetime = NOW) -> bool:
    """Whether all criteria hold, asked one by one of a record."""
    today = now.astimezone(zone).date()
    verdicts = [not criteria.base_ids or row.collection_id in criteria.base_ids]
    bits = f"{row.status:032b}"[::-1]
    verdicts += [(bits[int(bit)] == "1") == on for bit, on in criteria.status.items()]
    for criterion in criteria.dates:
        if criterion.of is not None:
            instant = getattr(row, criterion.of.value)
            verdicts.append(_fits(criterion, [instant.astimezone(zone).date()], today))
        else:
            texts = row.values.get(FieldId(criterion.field_id or 0), ())
            verdicts.append(any(_fits(criterion, _days_of(text), today) for text in texts))
    for wanted in criteria.texts:
        texts = [_plain(text) for text in row.values.get(FieldId(wanted.field_id), ())]
        sought = _plain(wanted.text)
        verdicts.append(sought in texts if wanted.test is TextTest.EQUALS else any(sought in text for text in texts))
    return all(verdicts)


def _plain(text: str) -> str:
    """Without case, for the texts of this test."""
    return {"E\u0301cole": "école", "İzmir": "i\u0307zmir"}.get(text, text.casefold())


_instants = st.integers(-40 * 24 * 60, 3 * 24 * 60).map(lambda minutes: NOW + timedelta(minutes=minutes))
_ages = st.integers(0, 40)
_of_records = st.builds(DateCriterion, test=st.sampled_from(DateTest), days=_ages, of=st.sampled_from(DateOf))
_of_fields = st.builds(DateCriterion, test=st.sampled_from(DateTest), days=_ages, field_id=st.sampled_from([1, 2]))
_texts = st.builds(
    TextCriterion, field_id=st.sampled_from([3, 4]), test=st.sampled_from(TextTest),
    text=st.sampled_from([text for text in TEXTS if text]),
)  # fmt: skip
_criteria = st.builds(
    Criteria,
    base_ids=st.lists(st.sampled_from([1, 2, 3]), max_size=2, unique=True).map(tuple),
    status=st.dictionaries(st.sampled_from(["4", "5", "31"]), st.booleans(), max_size=2),
    dates=st.lists(_of_records | _of_fields, max_size=2).map(tuple),
    texts=st.lists(_texts, max_size=2).map(tuple),
)


def _values(pool: list[str]) -> Any:
    return st.lists(st.sampled_from(pool), max_size=2)


_rows = st.builds(
    Candidate,
    id=st.just(RecordId(1)),
    number=st.just(1),
    collection_id=st.sampled_from([CollectionId(1), CollectionId(2), CollectionId(3)]),
    status=st.lists(st.sampled_from([4, 5, 31]), unique=True).map(lambda bits: sum(1 << bit for bit in bits)),
    created=_instants,
    updated=_instants,
    values=st.fixed_dictionaries(
        {FieldId(1): _values(DATES), FieldId(2): _values(DATES), FieldId(3): _values(TEXTS), FieldId(4): _values(TEXTS)}
    ),
)


@given(_criteria, st.lists(_rows, min_size=1, max_size=6), st.sampled_from(ZONES))
def test_a_record_matches_exactly_when_every_criterion_holds(
    criteria: Criteria, rows: list[Candidate], zone: ZoneInfo
) -> None:
    days = Days.at(NOW, zone)
    since, end = created_between(criteria, days)
    for row in rows:
        matches = matches_row(criteria, row, days) and matches_values(criteria, row, days)
        assert matches == slow_match(criteria, row, zone)
        if matches:
            assert since is None or row.created >= since, "the range of the index keeps out nothing that matches"
            assert end is None or row.created < end
